//! Numbers as the interpreter has them.

use crate::base::outcome::Value;
use wasmi::{F32, F64, Val};

/// A number for the interpreter. The bits of a float stay as they are.
pub fn to_val(value: Value) -> Val {
    match value {
        Value::I32(v) => Val::I32(v),
        Value::I64(v) => Val::I64(v),
        Value::F32(v) => Val::F32(F32::from_float(v)),
        Value::F64(v) => Val::F64(F64::from_float(v)),
    }
}

/// A number of the interpreter; none for a value that is no number.
pub fn from_val(val: &Val) -> Option<Value> {
    Some(match val {
        Val::I32(v) => Value::I32(*v),
        Val::I64(v) => Value::I64(*v),
        Val::F32(v) => Value::F32(v.to_float()),
        Val::F64(v) => Value::F64(v.to_float()),
        _ => return None,
    })
}
