//! A table of system calls for a filter, each with the arguments for which it counts.

use libc::c_long;
use seccompiler::{BackendError, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompRule};
use std::collections::BTreeMap;

/// The rules by number. A call without rules counts with any arguments.
pub type Rows = BTreeMap<i64, Vec<SeccompRule>>;

/// A condition for an argument of a call: its position, how it is compared, and with what. Numbers count by their low
/// 32 bits, because the kernel ignores the rest.
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

    /// Adds a call with such arguments. It can be added again with others.
    pub fn with(&mut self, call: c_long, arguments: &[Argument]) -> Result<(), BackendError> {
        self.add(call, arguments, None)
    }

    /// As [`Table::with`], and with a null pointer at the position `null`.
    pub fn with_null(&mut self, call: c_long, null: u8, arguments: &[Argument]) -> Result<(), BackendError> {
        self.add(call, arguments, Some(null))
    }

    fn add(&mut self, call: c_long, arguments: &[Argument], null: Option<u8>) -> Result<(), BackendError> {
        let numbers = arguments.iter().map(|(at, compare, value)| {
            SeccompCondition::new(*at, SeccompCmpArgLen::Dword, compare.clone(), *value)
        });
        let null = null.map(|at| SeccompCondition::new(at, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, 0));
        let rule = SeccompRule::new(numbers.chain(null).collect::<Result<_, _>>()?)?;
        self.rows.entry(number(call)).or_default().push(rule);
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
