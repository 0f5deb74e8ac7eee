//! Values of the component model, as the host has them between two guests or for itself.

use crate::module::component::types::ResourceId;

/// A value. Its type is known beside it: fields and cases are by their place in the type, without their names.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum Value {
    Bool(bool),
    S8(i8),
    U8(u8),
    S16(i16),
    U16(u16),
    S32(i32),
    U32(u32),
    S64(i64),
    U64(u64),
    F32(f32),
    F64(f64),
    Char(char),
    String(String),
    /// A `list<u8>`.
    Bytes(Vec<u8>),
    /// Any other list.
    List(Vec<Value>),
    /// The fields of a record or a tuple, in the order of the type.
    Record(Vec<Value>),
    /// A case, and what it carries. Also of an enum, an option (0 is `none`, 1 is `some`) and a result (0 is `ok`, 1 is
    /// `err`).
    Variant(u32, Option<Box<Value>>),
    /// The first flag is the lowest bit.
    Flags(u32),
    /// A resource that changes hands with the value.
    Own(Handle),
    /// A resource that is lent for the call.
    Borrow(Handle),
}

/// A resource: its type, and the number by which whoever implements the type knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handle {
    /// The type.
    pub resource: ResourceId,
    /// The representation.
    pub rep: u32,
}

impl Value {
    /// `none`.
    pub const NONE: Value = Value::Variant(0, None);

    /// `some(value)`.
    pub fn some(value: Value) -> Value {
        Value::Variant(1, Some(Box::new(value)))
    }

    /// `ok(value)`, or `ok` without one.
    pub fn ok(value: impl Into<Option<Value>>) -> Value {
        Value::Variant(0, value.into().map(Box::new))
    }

    /// `err(value)`, or `err` without one.
    pub fn err(value: impl Into<Option<Value>>) -> Value {
        Value::Variant(1, value.into().map(Box::new))
    }

    /// The case `case` of an enum.
    pub fn case(case: u32) -> Value {
        Value::Variant(case, None)
    }
}

impl Handle {
    /// What the host hands out: the type is that of the function's result.
    pub const fn of_host(rep: u32) -> Handle {
        Handle { resource: ResourceId::HOST, rep }
    }
}
