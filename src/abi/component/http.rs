//! How a component is started as a program: by `wasi:cli/run`, or by `wasi:http/incoming-handler` to answer a request.

use crate::base::lock::lock;
use crate::base::outcome::Stop;
use crate::host::component::wasi::http::head::{Head, is_request};
use crate::host::component::wasi::http::incoming::IncomingRequest;
use crate::host::component::wasi::http::response::ResponseOutparam;
use crate::host::wasi::abi::filetype;
use crate::host::wasi::ctx::{GuestEnv, HttpRun, WasiCtx};
use crate::sandbox::component::call::Called;
use crate::sandbox::component::exports::{START, handler};
use crate::sandbox::instance::Sandbox;
use crate::sandbox::program::Program;
use std::sync::Arc;

/// How a component is started.
pub enum Entry {
    /// The function `run` of `wasi:cli/run`, the place in the plan.
    Command(u32),
    /// The function `handle` of `wasi:http/incoming-handler`, and the request.
    Handler {
        /// The place in the plan.
        func: u32,
        /// The request.
        head: Arc<Head>,
    },
}

impl Entry {
    /// How `program` is started; none if it is no component. A component that is a command too answers a request if there is
    /// one. What is of the request is taken out of the environment.
    pub fn of(program: &Program, given: &mut GuestEnv) -> Option<Entry> {
        let component = program.component()?;
        let start = component.find(START)?;
        match handler(&component.plan) {
            Some((_, func)) if func == start || is_request(&given.env) => {
                Some(Entry::Handler { func, head: Arc::new(Head::take(&mut given.env)) })
            }
            _ => Some(Entry::Command(start)),
        }
    }

    /// Makes the context ready. The standard streams are the request's and the response's.
    pub fn prepare(&self, ctx: &mut WasiCtx) {
        let Entry::Handler { head, .. } = self else { return };
        ctx.http = Some(HttpRun { is_head: head.method == "HEAD" });
        let [stdin, stdout, stderr] = &mut ctx.stream_types;
        (*stdin, *stdout) = (filetype::UNKNOWN, *stderr);
    }

    /// Runs the program.
    ///
    /// # Errors
    /// The guest was stopped, or has not answered.
    pub fn start(&self, sandbox: &mut Sandbox<'_>) -> Result<(), Stop> {
        match self {
            Entry::Command(func) => super::start(sandbox, *func),
            Entry::Handler { func, head, .. } => answer(sandbox, *func, head),
        }
    }
}

/// Has the guest answer the request. It may exit with code 0 as soon as it has answered.
fn answer(sandbox: &mut Sandbox<'_>, func: u32, head: &Arc<Head>) -> Result<(), Stop> {
    let out = ResponseOutparam::default();
    let outcome = Arc::clone(&out.0);
    let args = [sandbox.give(|table| IncomingRequest::new(head, &table.requests))?, sandbox.give(|_| out)?];
    match sandbox.call_component(func, &args)? {
        Called::Returned(_) | Called::Exited(0) => {
            let outcome = lock(&outcome);
            outcome.check()?;
            sandbox.host().wasi.files.stdout.trailers(outcome.trailers());
            Ok(())
        }
        Called::Exited(code) => Err(Stop::Exit(code)),
    }
}
