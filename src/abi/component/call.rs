//! Calls of a component's functions: with values, and with bytes.

use super::json;
use crate::abi::job::{Job, called, exited};
use crate::abi::reserved::no_function;
use crate::base::error::Error;
use crate::base::outcome::{Report, Stop};
use crate::host::component::value::Value;
use crate::module::component::types::{Def, FuncTy, Ty, Types};
use crate::sandbox::component::call::Called;
use crate::sandbox::component::compile::Component;
use crate::sandbox::program::Program;
use std::sync::Arc;

/// The component of `program`, and the place and the type of its function `func`.
///
/// # Errors
/// It has no such function.
pub fn function<'p>(
    program: &'p Program,
    func: &str,
) -> Result<(&'p Component, u32, &'p Arc<FuncTy>), Error> {
    let missing = || no_function(program.info(), func);
    let component = program.component().ok_or_else(missing)?;
    let place = component.find(func).ok_or_else(missing)?;
    Ok((component, place, &component.plan.funcs[place as usize].ty))
}

/// Calls `func` with values of its type.
///
/// # Errors
/// No such function, or a wrong number of values. Values of wrong types are a guest that was stopped.
pub fn run_values(job: Job<'_>, func: &str, values: &[Value]) -> Result<Report<Option<Value>>, Error> {
    let (_, place, ty) = function(job.program, func)?;
    if values.len() != ty.params.len() {
        let (given, wanted) = (values.len(), ty.params.len());
        return Err(Error::Input(format!("`{func}` takes {wanted} arguments, but was called with {given}")));
    }
    called(job, |sandbox| match sandbox.call_component(place, values)? {
        Called::Returned(value) => Ok(value),
        Called::Exited(code) => Err(exited(code)),
    })
}

/// Calls `func` with bytes: as they are for a lone parameter that is a string or a `list<u8>`, and as JSON for all others.
/// The result is passed in the same way.
///
/// # Errors
/// No such function, or bytes that are not its arguments.
pub fn run(job: Job<'_>, func: &str, input: &[u8]) -> Result<Report<Vec<u8>>, Error> {
    job.check_input(input.len())?;
    let limit = job.limits.output_bytes;
    let (component, _, ty) = function(job.program, func)?;
    let types = &component.plan.types;
    let args = arguments(types, ty, input).map_err(|why| Error::Input(format!("`{func}`: {why}")))?;
    let Report { result, usage, trace } = run_values(job, func, &args)?;
    let result = result.and_then(|value| match (ty.result, value) {
        (Some(ty), Some(value)) => printed(types, ty, value, limit),
        _ => Ok(Vec::new()),
    });
    Ok(Report { result, usage, trace })
}

/// Whether a value of this type is passed as it is.
pub fn is_raw(types: &Types, ty: Ty) -> bool {
    ty == Ty::String || is_bytes(types, ty)
}

fn is_bytes(types: &Types, ty: Ty) -> bool {
    matches!(ty, Ty::Def(id) if *types.def(id) == Def::List(Ty::U8))
}

fn arguments(types: &Types, ty: &FuncTy, input: &[u8]) -> Result<Vec<Value>, String> {
    let text = || std::str::from_utf8(input).map_err(|error| format!("the input is not UTF-8: {error}"));
    match &*ty.params {
        [(_, Ty::String)] => Ok(vec![Value::String(text()?.into())]),
        [(_, only)] if is_bytes(types, *only) => Ok(vec![Value::Bytes(input.to_vec())]),
        [] if input.trim_ascii().is_empty() => Ok(Vec::new()),
        _ => json::args(types, ty, text()?),
    }
}

fn printed(types: &Types, ty: Ty, value: Value, limit: usize) -> Result<Vec<u8>, Stop> {
    let full = || Stop::OutputFull { stream: "result", limit };
    let bytes = match value {
        Value::String(text) if is_raw(types, ty) => text.into_bytes(),
        Value::Bytes(bytes) if is_raw(types, ty) => bytes,
        value => {
            let text = json::print(types, ty, &value, limit).map_err(|_| full())?;
            text.into_bytes()
        }
    };
    if bytes.len() > limit { Err(full()) } else { Ok(bytes) }
}
