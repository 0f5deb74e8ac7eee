//! What a traced run tells: where the guest was stopped (`--trace`), and its fuel by function (`--profile`).

use crate::base::outcome::{Report, Stop};
use crate::base::trace::{Chain, Trace};
use crate::cli::args::command::TraceArgs;
use crate::cli::exit;
use crate::cli::failure::Failure;
use crate::sandbox::program::{Program, Tracing};

/// What is wanted of a run.
pub struct Tracer<'a> {
    args: &'a TraceArgs,
}

/// A guest that was stopped.
pub struct Stopped {
    /// Why.
    pub stop: Stop,
    chain: Option<Chain>,
    /// Whether `--trace` would show more.
    has_more: bool,
}

impl From<Stopped> for Failure {
    fn from(stopped: Stopped) -> Failure {
        let Stopped { stop, chain, has_more } = stopped;
        let mut message = stop.to_string();
        if let Some(chain) = chain {
            message += &format!("\n{chain}");
        } else if has_more {
            message += " (--trace shows where)";
        }
        Failure::new(exit::of_stop(&stop), message)
    }
}

impl Tracer<'_> {
    /// For a run with these flags.
    pub fn new(args: &TraceArgs) -> Tracer<'_> {
        Tracer { args }
    }

    /// How a module is compiled for it.
    pub fn tracing(&self) -> Tracing {
        match self.args {
            TraceArgs { profile: Some(_), .. } => Tracing::Profile,
            TraceArgs { trace: true, .. } => Tracing::Chain,
            _ => Tracing::Off,
        }
    }

    /// The result of a run of `program`.
    pub fn result<T>(&self, program: &Program, report: Report<T>) -> Result<T, Stopped> {
        let Report { result, trace, .. } = report;
        let Trace { chain, .. } = trace.map(|trace| *trace).unwrap_or_default();
        let has_more = !self.args.trace && program.module().is_some();
        result.map_err(|stop| {
            let has_more = has_more && matches!(stop, Stop::Trap(_) | Stop::MemoryDenied { .. });
            Stopped { stop, chain: chain.filter(|_| self.args.trace), has_more }
        })
    }
}
