//! A table of system calls for a filter, each with the arguments for which it counts.

use libc::c_long;
use seccompiler::{BackendError, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompRule};
use std::collections::BTreeMap;

/// The rules by number. A call without rules counts with any arguments.
pub type Rows = BTreeMap<i64, Vec<SeccompRule>>;

/// What the arguments of a call are compared with: the argument's position, how, and the value.
pub type Argument = (u8, SeccompCmpOp, u64);

/// A table in the making.
#[derive(Debug, Default)]
pub struct Table {
    rows: Rows,
}

impl Table {
    /// Adds calls with any arguments.
    pub fn any(&mut self, calls: &[c_long]) {
        self.rows.extend(calls.iter().map(|call| (number(*call), Vec::new())));
    }

    /// Adds a call with such arguments, numbers of which the kernel reads the low 32 bits. It can be added again with
    /// others.
    pub fn with(&mut self, call: c_long, arguments: &[Argument]) -> Result<(), BackendError> {
        let conditions = arguments.iter().map(|(at, compare, value)| {
            SeccompCondition::new(*at, SeccompCmpArgLen::Dword, compare.clone(), *value)
        });
        let rule = SeccompRule::new(conditions.collect::<Result<_, _>>()?)?;
        self.rows.entry(number(call)).or_default().push(rule);
        Ok(())
    }

    /// Adds a call whose argument at this position is a null pointer.
    pub fn with_null(&mut self, call: c_long, at: u8) -> Result<(), BackendError> {
        let is_null = SeccompCondition::new(at, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, 0)?;
        self.rows.entry(number(call)).or_default().push(SeccompRule::new(vec![is_null])?);
        Ok(())
    }

    /// The rules.
    pub fn rows(self) -> Rows {
        self.rows
    }
}

// It has 32 bits on some machines.
#[allow(clippy::useless_conversion)]
fn number(call: c_long) -> i64 {
    i64::from(call)
}
