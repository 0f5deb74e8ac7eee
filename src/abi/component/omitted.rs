//! What a text may leave out of a record or of arguments: options that are `none`.

use crate::base::escape::{cut, printable};
use crate::base::limits::NAME_IN_ERROR_BYTES_MAX;
use crate::host::component::value::Value;
use crate::module::component::types::{Def, Ty, Types};

/// Values that any text may leave out.
const OMITTED_MIN: usize = 10_000;

/// Values more that a text may leave out for each of its bytes. Each takes memory, and a record of ten thousand options is a
/// text of two bytes.
const OMITTED_PER_BYTE: usize = 8;

/// How many values more a text may leave out.
#[derive(Debug)]
pub struct Omitted(usize);

impl Omitted {
    /// For a text of so many bytes.
    pub fn of(bytes: usize) -> Omitted {
        Omitted(bytes.saturating_mul(OMITTED_PER_BYTE).saturating_add(OMITTED_MIN))
    }

    /// The values of all fields, of which some are given.
    ///
    /// # Errors
    /// One that must be given is not; too many are left out.
    pub fn complete(
        &mut self,
        types: &Types,
        fields: &[(Box<str>, Ty)],
        given: Vec<Option<Value>>,
    ) -> Result<Vec<Value>, String> {
        let mut given = given.into_iter();
        let complete = |(name, ty): &(Box<str>, Ty)| match given.next().flatten() {
            Some(value) => Ok(value),
            None if !is_option(types, *ty) => Err(format!("`{}` is missing", shown(name))),
            None if self.0 == 0 => Err("it leaves out too many values".into()),
            None => {
                self.0 -= 1;
                Ok(Value::NONE)
            }
        };
        fields.iter().map(complete).collect()
    }
}

/// Whether `ty` is an option.
pub fn is_option(types: &Types, ty: Ty) -> bool {
    matches!(ty, Ty::Def(id) if matches!(types.def(id), Def::Option(_)))
}

/// A name of a component, for messages.
pub fn shown(name: &str) -> String {
    printable(&cut(name, NAME_IN_ERROR_BYTES_MAX))
}
