//! What the functions find in their arguments, and how they answer.

use crate::host::component::function::Fail;
use crate::host::component::value::{Handle, Value};
use crate::host::wasi::abi::Fault;
use crate::host::wasi::ctx::WasiCtx;

/// The result of a function.
pub type Answer = Result<Option<Value>, Fail>;

/// The arguments have been compared with the function's type, so this is a mistake of the host. It stops the guest only.
fn wrong(at: usize) -> Fail {
    Fail::trap(format!("argument {at} of a call of the host is not of its type"))
}

/// The number of the resource that argument `at` is.
///
/// # Errors
/// It is something else.
pub fn rep(args: &[Value], at: usize) -> Result<u32, Fail> {
    match args.get(at) {
        Some(Value::Own(handle) | Value::Borrow(handle)) => Ok(handle.rep),
        _ => Err(wrong(at)),
    }
}

/// The numbers of the resources in the list that argument `at` is.
///
/// # Errors
/// It is something else.
pub fn reps(args: &[Value], at: usize) -> Result<impl ExactSizeIterator<Item = Result<u32, Fail>>, Fail> {
    match args.get(at) {
        Some(Value::List(list)) => Ok(list.iter().map(move |one| match one {
            Value::Own(handle) | Value::Borrow(handle) => Ok(handle.rep),
            _ => Err(wrong(at)),
        })),
        _ => Err(wrong(at)),
    }
}

/// The `u64` that argument `at` is.
///
/// # Errors
/// It is something else.
pub fn u64(args: &[Value], at: usize) -> Result<u64, Fail> {
    match args.get(at) {
        Some(Value::U64(number)) => Ok(*number),
        _ => Err(wrong(at)),
    }
}

/// The `u8` that argument `at` is.
///
/// # Errors
/// It is something else.
pub fn u8(args: &[Value], at: usize) -> Result<u8, Fail> {
    match args.get(at) {
        Some(Value::U8(number)) => Ok(*number),
        _ => Err(wrong(at)),
    }
}

/// The `list<u8>` that argument `at` is.
///
/// # Errors
/// It is something else.
pub fn bytes(args: &[Value], at: usize) -> Result<&[u8], Fail> {
    match args.get(at) {
        Some(Value::Bytes(bytes)) => Ok(bytes),
        _ => Err(wrong(at)),
    }
}

/// The `string` that argument `at` is.
///
/// # Errors
/// It is something else.
pub fn text(args: &[Value], at: usize) -> Result<&str, Fail> {
    match args.get(at) {
        Some(Value::String(text)) => Ok(text),
        _ => Err(wrong(at)),
    }
}

/// The flags that argument `at` is.
///
/// # Errors
/// It is something else.
pub fn flags(args: &[Value], at: usize) -> Result<u32, Fail> {
    match args.get(at) {
        Some(Value::Flags(flags)) => Ok(*flags),
        _ => Err(wrong(at)),
    }
}

/// The case that argument `at` is, and what it carries.
///
/// # Errors
/// It is something else.
pub fn variant(args: &[Value], at: usize) -> Result<(u32, Option<&Value>), Fail> {
    match args.get(at) {
        Some(Value::Variant(case, payload)) => Ok((*case, payload.as_deref())),
        _ => Err(wrong(at)),
    }
}

/// The `datetime` that `value` is: seconds and nanoseconds.
///
/// # Errors
/// It is something else.
pub fn datetime(value: Option<&Value>, at: usize) -> Result<(u64, u32), Fail> {
    match value {
        Some(Value::Record(fields)) => match fields[..] {
            [Value::U64(seconds), Value::U32(nanoseconds)] => Ok((seconds, nanoseconds)),
            _ => Err(wrong(at)),
        },
        _ => Err(wrong(at)),
    }
}

/// So many nanoseconds since 1970 as a `datetime`.
pub fn to_datetime(ns: u64) -> Value {
    Value::Record(vec![Value::U64(ns / 1_000_000_000), Value::U32((ns % 1_000_000_000) as u32)])
}

/// The resource `rep`, which the guest gets.
pub fn own(rep: u32) -> Value {
    Value::Own(Handle::of_host(rep))
}

/// The time of the clock `id` in nanoseconds.
///
/// # Errors
/// There is no such clock.
pub fn now(ctx: &WasiCtx, id: u32) -> Result<u64, Fail> {
    Ok(ctx.clock.now(id).map_err(Fault::from)?)
}
