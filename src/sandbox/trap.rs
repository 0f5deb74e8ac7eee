//! Messages for a run that the interpreter ended. They contain nothing of the host, such as the number of a
//! store or a table, which some of the interpreter's own messages contain.

use crate::base::outcome::{Denied, Stop};
use wasmi::errors::{ErrorKind, InstantiationError};
use wasmi::{Error, TrapCode};

/// Classifies `error` for a guest with this last denial and this fuel budget.
pub fn stop(error: &Error, denied: Option<Denied>, fuel_limit: u64) -> Stop {
    let trap = match error.as_trap_code() {
        Some(TrapCode::StackOverflow) => {
            "call stack exhausted (--max-recursion and --max-stack raise the limits)".to_string()
        }
        Some(TrapCode::OutOfFuel) => return Stop::OutOfFuel { limit: fuel_limit },
        Some(TrapCode::OutOfSystemMemory) => {
            return Stop::NoMemory { what: "the guest's stack or table" };
        }
        _ => text(error),
    };
    match denied {
        Some(denied) => Stop::MemoryDenied { denied, trap },
        None => Stop::Trap(trap),
    }
}

/// The message for `error`, which comes from a run or an instantiation.
pub fn text(error: &Error) -> String {
    match error.kind() {
        ErrorKind::TrapCode(code) => code.to_string(),
        ErrorKind::Instantiation(InstantiationError::ElementSegmentDoesNotFit {
            table_index, len, ..
        }) => {
            format!("out of bounds table access: {len} elements from {table_index} on do not fit")
        }
        // Their messages are constants, with numbers that the module contains.
        ErrorKind::Memory(error) => error.to_string(),
        ErrorKind::Table(error) => error.to_string(),
        ErrorKind::Instantiation(
            error @ (InstantiationError::FailedToInstantiateMemory(_)
            | InstantiationError::FailedToInstantiateTable(_)
            | InstantiationError::TooManyInstances
            | InstantiationError::TooManyMemories
            | InstantiationError::TooManyTables),
        ) => error.to_string(),
        ErrorKind::Translation(_) | ErrorKind::Wasm(_) => "a function of the module is invalid".into(),
        _ => {
            log::debug!("the interpreter says: {error}");
            "the interpreter failed".into()
        }
    }
}
