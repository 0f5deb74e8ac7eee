//! The resource `fields`: headers and trailers.

use super::map::{HeaderError, Map, Refused, check_name, kept_max};
use crate::host::component::function::{Fail, HostCall};
use crate::host::component::table::Resource;
use crate::host::component::value::Value;
use crate::host::component::wasi::arguments::{Answer, bytes, own, rep, text};
use std::sync::Arc;

/// The resource `fields`.
pub struct Fields {
    /// Those of a message are shared with it.
    pub map: Arc<Map>,
    /// Whether the guest may change them.
    pub is_mutable: bool,
}

impl Resource for Fields {}

/// Fields of a message that the guest may look at: a child of `parent`.
///
/// # Errors
/// There are too many resources.
pub fn view(call: &mut HostCall<'_>, map: &Arc<Map>, parent: u32) -> Answer {
    let fields = Fields { map: Arc::clone(map), is_mutable: false };
    Ok(Some(own(call.table.push_child(fields, parent)?)))
}

/// An empty map.
fn empty(call: &HostCall<'_>) -> Map {
    Map::new(&call.table.account, kept_max(call.ctx))
}

fn push(call: &mut HostCall<'_>, map: Map) -> Result<Value, Fail> {
    Ok(own(call.table.push(Fields { map: Arc::new(map), is_mutable: true })?))
}

/// `result<_, header-error>`, or with something in `ok`.
fn told(done: Result<Option<Value>, Refused>) -> Answer {
    match done {
        Ok(value) => Ok(Some(Value::ok(value))),
        Err(Refused::Told(error)) => Ok(Some(Value::err(error.value()))),
        Err(Refused::Fail(fail)) => Err(fail),
    }
}

/// `[constructor]fields`.
pub fn new(call: &mut HostCall<'_>, _args: &[Value]) -> Answer {
    let map = empty(call);
    push(call, map).map(Some)
}

/// `[static]fields.from-list`.
pub fn from_list(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let Some(Value::List(entries)) = args.first() else { return Err(wrong()) };
    let mut map = empty(call);
    for entry in entries {
        let Value::Record(pair) = entry else { return Err(wrong()) };
        call.ctx.extra_fuel += 1;
        match map.append(text(pair, 0)?, bytes(pair, 1)?) {
            Ok(()) => {}
            refused => return told(refused.map(|()| None)),
        }
    }
    call.ctx.moved_bytes += map.text_bytes();
    let fields = push(call, map)?;
    told(Ok(Some(fields)))
}

/// `[method]fields.get`.
pub fn get(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let map = &call.table.get::<Fields>(rep(args, 0)?)?.map;
    let values: Vec<Value> = map.get(text(args, 1)?).map(|value| Value::Bytes(value.into())).collect();
    call.ctx.extra_fuel += map.entries().len() as u64;
    call.ctx.moved_bytes += map.text_bytes();
    Ok(Some(Value::List(values)))
}

/// `[method]fields.has`.
pub fn has(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let map = &call.table.get::<Fields>(rep(args, 0)?)?.map;
    call.ctx.extra_fuel += map.entries().len() as u64;
    Ok(Some(Value::Bool(map.get(text(args, 1)?).next().is_some())))
}

/// `[method]fields.set`.
pub fn set(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let name = text(args, 1)?;
    let Some(Value::List(values)) = args.get(2) else { return Err(wrong()) };
    let values: Vec<&[u8]> = (0..values.len()).map(|at| bytes(values, at)).collect::<Result<_, Fail>>()?;
    call.ctx.moved_bytes += values.iter().map(|value| value.len() as u64).sum::<u64>();
    change(call, args, name, |map| map.set(name, &values))
}

/// `[method]fields.append`.
pub fn append(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let (name, value) = (text(args, 1)?, bytes(args, 2)?);
    call.ctx.moved_bytes += value.len() as u64;
    change(call, args, name, |map| map.append(name, value))
}

/// `[method]fields.delete`.
pub fn delete(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let name = text(args, 1)?;
    change(call, args, name, |map| Ok(map.delete(name)?))
}

/// Does this to the fields that the first argument is, if they can be changed. A wrong name is told before that.
fn change(
    call: &mut HostCall<'_>,
    args: &[Value],
    name: &str,
    step: impl FnOnce(&mut Map) -> Result<(), Refused>,
) -> Answer {
    let fields = call.table.get::<Fields>(rep(args, 0)?)?;
    call.ctx.extra_fuel += fields.map.entries().len() as u64;
    call.ctx.moved_bytes += name.len() as u64;
    let map = if fields.is_mutable { Arc::get_mut(&mut fields.map) } else { None };
    let done = match (check_name(name), map) {
        (Err(error), _) => Err(error.into()),
        (Ok(()), None) => Err(HeaderError::Immutable.into()),
        (Ok(()), Some(map)) => step(map),
    };
    told(done.map(|()| None))
}

/// `[method]fields.entries`.
pub fn entries(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let map = &call.table.get::<Fields>(rep(args, 0)?)?.map;
    let pair = |(name, value): &(String, Vec<u8>)| {
        Value::Record(vec![Value::String(name.clone()), Value::Bytes(value.clone())])
    };
    call.ctx.extra_fuel += map.entries().len() as u64;
    call.ctx.moved_bytes += map.text_bytes();
    Ok(Some(Value::List(map.entries().iter().map(pair).collect())))
}

/// `[method]fields.clone`. What it gives can be changed.
pub fn clone(call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let limit = kept_max(call.ctx);
    let account = call.table.account.clone();
    let copy = call.table.get::<Fields>(rep(args, 0)?)?.map.copy(&account, limit)?;
    call.ctx.extra_fuel += copy.entries().len() as u64;
    call.ctx.moved_bytes += copy.text_bytes();
    push(call, copy).map(Some)
}

/// The arguments have been compared with the function's type, so this is a mistake of the host.
fn wrong() -> Fail {
    Fail::trap("an argument of a call of the host is not of its type")
}
