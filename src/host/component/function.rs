//! What the host's functions for components look like: WASI 0.2 is made of them.

pub use super::fail::Fail;
use super::table::Table;
use super::value::Value;
use crate::host::wasi::ctx::WasiCtx;

/// An interface that components import, in all its 0.2 versions.
#[derive(Clone, Copy)]
pub struct Interface {
    /// Its name without a version: `wasi:io/streams`.
    pub name: &'static str,
    /// Its types in WIT: `use`, `resource` (a name alone), `record`, `variant`, `enum`, `flags` and `type`.
    pub types: &'static str,
    /// Its functions.
    pub rows: &'static [Row],
}

/// A function of an interface.
pub struct Row {
    /// Its name, as components import it: `[method]input-stream.read`.
    pub name: &'static str,
    /// Its type in WIT: `(self: borrow<input-stream>, len: u64) -> result<list<u8>, stream-error>`.
    pub ty: &'static str,
    /// What it does.
    pub call: Function,
}

/// What a function does with arguments of its type. It gives a result of its type.
///
/// A call that has to wait has changed nothing ([`Fail::Wait`]): after the wait it is made again with the same arguments.
pub type Function = fn(&mut HostCall<'_>, &[Value]) -> Result<Option<Value>, Fail>;

/// What a function works on.
pub struct HostCall<'a> {
    /// The run's context: files, streams, clocks, randomness. What a call moves or computes is counted in its
    /// `moved_bytes` and `extra_fuel`; a call that may have taken long sets `may_have_waited`.
    pub ctx: &'a mut WasiCtx,
    /// The resources that the host keeps for the component.
    pub table: &'a mut Table,
}
