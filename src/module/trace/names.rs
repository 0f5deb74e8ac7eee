//! What the instrumentation adds, as the host finds it.

use crate::module::reader::ModuleInfo;

/// Values that are kept of an instruction's operands.
pub const OPERANDS: usize = 3;

/// The functions of the host in the added table.
pub const HOST_FUNCTIONS: u32 = 2;

/// The names under which the host finds what was added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// Begins no name of the module.
    prefix: String,
}

impl Names {
    /// For the module with these declarations.
    pub fn of(info: &ModuleInfo) -> Names {
        let mut prefix = String::from("fuelbox:trace");
        while info.exports.iter().any(|export| export.name.starts_with(&prefix)) {
            prefix.push('\'');
        }
        Names { prefix }
    }

    /// The global with the offset.
    pub fn at(&self) -> String {
        format!("{}.at", self.prefix)
    }

    /// The global with this operand.
    pub fn operand(&self, number: usize) -> String {
        format!("{}.operand{number}", self.prefix)
    }

    /// The table.
    pub fn table(&self) -> String {
        format!("{}.host", self.prefix)
    }
}
