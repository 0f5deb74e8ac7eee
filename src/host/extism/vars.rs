//! The variables of an Extism plug-in: what it keeps between the calls of one instance, bounded.

use crate::base::limits::{VAR_OVERHEAD_BYTES, VARS_BYTES_MAX};
use std::collections::BTreeMap;

/// Variables by name.
#[derive(Default)]
pub struct Vars {
    values: BTreeMap<String, Box<[u8]>>,
    bytes: usize,
}

/// What a variable takes, in bytes.
fn cost(name: &str, value: &[u8]) -> usize {
    name.len() + value.len() + VAR_OVERHEAD_BYTES
}

impl Vars {
    /// The value of `name`.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.values.get(name).map(|value| &**value)
    }

    /// What all of them take, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// What they would take with `name` set to `value`.
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

    /// Takes `name` away, if it is there.
    pub fn remove(&mut self, name: &str) {
        if let Some(value) = self.values.remove(name) {
            self.bytes -= cost(name, &value);
        }
    }
}
