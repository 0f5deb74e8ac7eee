//! Components: programs, functions called with values, JSON or bytes, and values and types as text.

pub mod call;
mod cursor;
#[cfg(test)]
mod documented;
pub mod http;
pub mod json;
mod numbers;
mod omitted;
pub mod out;
mod places;
#[cfg(test)]
mod random;
pub mod schemas;
#[cfg(test)]
mod tests;
pub mod text;
pub mod wave;

use crate::base::outcome::Stop;
use crate::host::component::value::Value;
use crate::sandbox::component::call::Called;
use crate::sandbox::instance::Sandbox;

/// Runs a program: the function `run` of `wasi:cli/run`. An error as its result is exit code 1.
pub(super) fn start(sandbox: &mut Sandbox<'_>, func: u32) -> Result<(), Stop> {
    match sandbox.call_component(func, &[])? {
        Called::Returned(Some(Value::Variant(0, _)) | None) | Called::Exited(0) => Ok(()),
        Called::Returned(Some(_)) => Err(Stop::Exit(1)),
        Called::Exited(code) => Err(Stop::Exit(code)),
    }
}
