//! The variables of an Extism plug-in, which last as long as its instance. Their size is limited.

use crate::base::limits::{VAR_OVERHEAD_BYTES, VARS_BYTES_MAX};
use std::collections::BTreeMap;

/// Variables by name.
#[derive(Default)]
pub struct Vars {
    values: BTreeMap<String, Box<[u8]>>,
    bytes: usize,
}

/// Bytes that a variable counts for.
fn cost(name: &str, value: &[u8]) -> usize {
    name.len() + value.len() + VAR_OVERHEAD_BYTES
}

impl Vars {
    /// The value of `name`.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.values.get(name).map(|value| &**value)
    }

    /// Bytes that all of them count for.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes that they would count for with `name` set to `value`.
    ///
    /// # Errors
    /// The same, if it is more than they may.
    pub fn bytes_with(&self, name: &str, value: &[u8]) -> Result<usize, usize> {
        let before = self.get(name).map_or(0, |value| cost(name, value));
        let bytes = self.bytes - before + cost(name, value);
        if bytes <= VARS_BYTES_MAX { Ok(bytes) } else { Err(bytes) }
    }

    /// Sets `name` to `value`, which `bytes_with` has allowed.
    pub fn set(&mut self, name: &str, value: &[u8]) {
        self.remove(name);
        self.bytes += cost(name, value);
        self.values.insert(name.into(), value.into());
    }

    /// Removes `name`, if it exists.
    pub fn remove(&mut self, name: &str) {
        if let Some(value) = self.values.remove(name) {
            self.bytes -= cost(name, &value);
        }
    }
}
