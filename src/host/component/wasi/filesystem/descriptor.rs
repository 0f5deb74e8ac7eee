//! The resource `descriptor`: an open file or directory of the run.

use super::super::arguments::{Answer, own, rep};
use crate::host::component::function::{Fail, HostCall};
use crate::host::component::table::Resource;
use crate::host::component::value::Value;
use crate::host::wasi::ctx::WasiCtx;
use std::sync::Arc;

/// A number among the run's descriptors. It is closed when the last resource that holds it is dropped: a stream of a file
/// may outlive the descriptor that it was made of.
#[derive(Clone)]
pub struct Held(Arc<Open>);

struct Open {
    fd: u32,
    /// The run that it was opened in; none if it is open from the start of each, and stays so.
    run: Option<u32>,
}

/// What no descriptor has as its number.
const CLOSED: u32 = u32::MAX;

impl Held {
    /// What the guest has just opened as `fd`.
    pub fn new(fd: u32, ctx: &WasiCtx) -> Held {
        Held(Arc::new(Open { fd, run: Some(ctx.run) }))
    }

    /// The number. If an earlier run of a warm instance opened it, it is closed: the number may be that of another file.
    pub fn fd(&self, ctx: &WasiCtx) -> u32 {
        if self.0.run.is_none_or(|run| run == ctx.run) { self.0.fd } else { CLOSED }
    }

    /// The resource that holds it is dropped.
    pub fn dropped(&self, ctx: &mut WasiCtx) {
        if Arc::strong_count(&self.0) == 1 && self.0.run.is_some() {
            // It is open, or closed already; to be sure of more would change nothing.
            let _ = ctx.files.close(self.fd(ctx));
        }
    }
}

/// The resource.
pub struct Descriptor(pub Held);

impl Resource for Descriptor {
    fn dropped(&mut self, ctx: &mut WasiCtx) {
        self.0.dropped(ctx);
    }
}

/// What the descriptor that argument `at` is holds.
pub fn held(call: &mut HostCall<'_>, args: &[Value], at: usize) -> Result<Held, Fail> {
    Ok(call.table.get::<Descriptor>(rep(args, at)?)?.0.clone())
}

/// The number of the descriptor that argument `at` is.
pub fn number(call: &mut HostCall<'_>, args: &[Value], at: usize) -> Result<u32, Fail> {
    Ok(call.table.get::<Descriptor>(rep(args, at)?)?.0.fd(call.ctx))
}

/// `get-directories()`: the directories that are open from the start, with the guest's names for them.
pub fn get_directories(call: &mut HostCall<'_>, _args: &[Value]) -> Answer {
    let mut list = Vec::new();
    for (fd, name) in call.ctx.files.preopened() {
        let descriptor = Descriptor(Held(Arc::new(Open { fd, run: None })));
        list.push(Value::Record(vec![own(call.table.push(descriptor)?), Value::String(name.into())]));
        call.ctx.moved_bytes += name.len() as u64;
    }
    call.ctx.extra_fuel += list.len() as u64;
    Ok(Some(Value::List(list)))
}
