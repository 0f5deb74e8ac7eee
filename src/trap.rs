//! What is said of a run that the interpreter ended: nothing of the host's, such as the number of a store or of a table,
//! which its own texts have here and there.

use wasmi::Error;
use wasmi::errors::{ErrorKind, InstantiationError};

/// The text for `error`, which comes from a run or from making an instance.
pub fn text(error: &Error) -> String {
    match error.kind() {
        ErrorKind::TrapCode(code) => code.to_string(),
        ErrorKind::Instantiation(InstantiationError::ElementSegmentDoesNotFit {
            table_index, len, ..
        }) => {
            format!("out of bounds table access: {len} elements from {table_index} on do not fit")
        }
        // Their texts are constants, and numbers that the module holds.
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
            "the interpreter could not go on".into()
        }
    }
}
