//! What a traced run tells: where the guest was stopped (`--trace`), and its fuel by function (`--profile`).

use crate::base::escape::printable;
use crate::base::outcome::{Report, Stop};
use crate::base::trace::{Chain, Trace};
use crate::cli::args::command::TraceArgs;
use crate::cli::exit;
use crate::cli::failure::Failure;
use crate::cli::speedscope;
use crate::sandbox::program::{Program, Tracing};
use std::fs::File;
use std::io::Write;
use std::path::Path;

/// What is wanted of a run.
pub struct Tracer<'a> {
    args: &'a TraceArgs,
    /// The file of `--profile`.
    file: Option<File>,
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
    /// For a run with these flags. Opens the file of the profile: a confined process opens none.
    pub fn open(args: &TraceArgs) -> Result<Tracer<'_>, Failure> {
        let create = |path| {
            let shown = printable(&Path::display(path).to_string());
            File::create(path)
                .map_err(|error| Failure::new(exit::FAILURE, format!("--profile {shown}: {error}")))
        };
        let file = args.profile.as_deref().map(create).transpose()?;
        Ok(Tracer { args, file })
    }

    /// How a module is compiled for it.
    pub fn tracing(&self) -> Tracing {
        match self.args {
            TraceArgs { profile: Some(_), .. } => Tracing::Profile,
            TraceArgs { trace: true, .. } => Tracing::Chain,
            _ => Tracing::Off,
        }
    }

    /// The result of a run of `program`. Writes its profile.
    pub fn result<T>(&self, program: &Program, report: Report<T>) -> Result<Result<T, Stopped>, Failure> {
        let Report { result, trace, .. } = report;
        let Trace { chain, profile } = trace.map(|trace| *trace).unwrap_or_default();
        if let Some(mut file) = self.file.as_ref() {
            // A module without code has none.
            let text = speedscope::json(&profile.unwrap_or_default(), program.name());
            file.write_all(text.as_bytes())
                .map_err(|error| Failure::new(exit::FAILURE, format!("cannot write the profile: {error}")))?;
        }
        let has_more = !self.args.trace && program.module().is_some();
        Ok(result.map_err(|stop| {
            let has_more = has_more && matches!(stop, Stop::Trap(_) | Stop::MemoryDenied { .. });
            Stopped { stop, chain: chain.filter(|_| self.args.trace), has_more }
        }))
    }
}
