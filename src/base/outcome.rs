//! The outcome of a run: its result, or what stopped the guest; and what it used.
//!
//! Errors of the host are in `error.rs`. The two never mix: one `match` on [`Stop`] gives the command line's
//! exit code, another gives the HTTP status.

use super::trace::Trace;
#[cfg(feature = "isolation")]
use super::words;
use super::words::Word;
use std::fmt;
use std::time::Duration;

/// A parameter or result of a guest function.
///
/// ```
/// use fuelbox::Value;
///
/// let values: [Value; 3] = [10.into(), 2_u64.into(), 0.5_f64.into()];
/// assert_eq!(values, [Value::I32(10), Value::I64(2), Value::F64(0.5)]);
/// assert_eq!(Value::from(u32::MAX).to_string(), "-1", "integers are printed signed");
/// ```
#[cfg_attr(feature = "isolation", derive(serde::Serialize, serde::Deserialize))]
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// A 32-bit integer; printed signed.
    I32(i32),
    /// A 64-bit integer; printed signed.
    I64(i64),
    /// A 32-bit float.
    F32(f32),
    /// A 64-bit float.
    F64(f64),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::I32(v) => v.fmt(f),
            Value::I64(v) => v.fmt(f),
            Value::F32(v) => v.fmt(f),
            Value::F64(v) => v.fmt(f),
        }
    }
}

impl From<i32> for Value {
    fn from(v: i32) -> Self {
        Value::I32(v)
    }
}
impl From<u32> for Value {
    fn from(v: u32) -> Self {
        Value::I32(v as i32)
    }
}
impl From<i64> for Value {
    fn from(v: i64) -> Self {
        Value::I64(v)
    }
}
impl From<u64> for Value {
    fn from(v: u64) -> Self {
        Value::I64(v as i64)
    }
}
impl From<f32> for Value {
    fn from(v: f32) -> Self {
        Value::F32(v)
    }
}
impl From<f64> for Value {
    fn from(v: f64) -> Self {
        Value::F64(v)
    }
}

/// Why a guest was stopped before it had a result. Its `Display` (in `stopped.rs`) names the limit and the flag
/// that raises it.
///
/// ```
/// use fuelbox::{Limits, Runner, RunnerConfig, Call, Stop};
/// use std::path::Path;
///
/// let limits = Limits { memory_pages: 2, ..Limits::default() };
/// let runner = Runner::new(RunnerConfig { limits, ..RunnerConfig::default() })?;
/// let hog = Path::new("guests/prebuilt/memory-hog.wasm");
/// match runner.run(hog, Call::values("hog", &[]))?.result {
///     Err(stop @ Stop::MemoryDenied { .. }) => assert!(stop.to_string().contains("limit 2")),
///     other => panic!("{other:?}"),
/// }
/// # Ok::<(), fuelbox::Error>(())
/// ```
#[cfg_attr(feature = "isolation", derive(serde::Serialize, serde::Deserialize))]
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stop {
    /// A WebAssembly trap: `unreachable`, an access outside memory, a division by zero, a stack overflow.
    Trap(String),
    /// The fuel budget, in fuel units, is spent.
    OutOfFuel {
        /// The budget.
        limit: u64,
    },
    /// The wall-clock deadline has passed.
    Deadline {
        /// The deadline, counted from the start of instantiation.
        limit: Duration,
        /// The operation that the guest was stopped at because it could not end in time, if any.
        why: Option<String>,
    },
    /// The guest trapped after a growth of memory or a table was denied.
    MemoryDenied {
        /// The last denied growth.
        denied: Denied,
        /// The trap that followed.
        trap: String,
    },
    /// The guest wrote more than its limit.
    OutputFull {
        /// Which output: `result`, `stdout` or `stderr`.
        #[cfg_attr(feature = "isolation", serde(deserialize_with = "words::known"))]
        stream: Word,
        /// The cap in bytes.
        limit: usize,
    },
    /// The input, which is read when the guest asks for it, is too large.
    InputTooLarge {
        /// The cap in bytes.
        limit: usize,
    },
    /// The system has too little memory, though the guest is within its limits.
    NoMemory {
        /// What it was for.
        #[cfg_attr(feature = "isolation", serde(deserialize_with = "words::known"))]
        what: Word,
    },
    /// A command ended with an exit code other than 0.
    Exit(u32),
    /// An Extism plug-in reported an error.
    Failed {
        /// The code that its function returned.
        code: i32,
        /// Its message, escaped, at most `MESSAGE_BYTES_MAX` bytes; empty if it gave none.
        message: String,
    },
    /// The guest broke its calling convention, for example with a pointer outside its memory.
    Convention(String),
    /// The run was cancelled ([`Cancel`](crate::Cancel)).
    Cancelled,
    /// Nobody takes the guest's output any more.
    OutputClosed,
    /// The process that ran the guest died.
    Died {
        /// How: `abort`, `out of memory`, `bad system call`, `killed`, `signal`, `exit`, `protocol` (it answered what no
        /// process of ours does), or `loading` (it did so while it loaded the module, too often to try again).
        #[cfg_attr(feature = "isolation", serde(deserialize_with = "words::known"))]
        how: Word,
        /// The signal that ended it, if one did.
        signal: Option<i32>,
    },
}

/// A denied growth.
///
/// ```
/// use fuelbox::{Denied, Stop};
///
/// /// How many pages a guest would have needed.
/// fn pages_wanted(stop: &Stop) -> Option<u64> {
///     match stop {
///         Stop::MemoryDenied { denied: Denied::Pages { wanted, .. }, .. } => Some(*wanted),
///         _ => None,
///     }
/// }
/// # let denied = Denied::Pages { wanted: 3, limit: 2 };
/// # assert_eq!(pages_wanted(&Stop::MemoryDenied { denied, trap: String::new() }), Some(3));
/// ```
#[cfg_attr(feature = "isolation", derive(serde::Serialize, serde::Deserialize))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Denied {
    /// Linear memory.
    Pages {
        /// Pages of 64 KiB asked for.
        wanted: u64,
        /// The cap in pages.
        limit: u32,
    },
    /// Linear memory within the limit, which the system does not have.
    System {
        /// Pages of 64 KiB asked for.
        wanted: u64,
    },
    /// Blocks of an Extism plug-in.
    Blocks {
        /// The limit at a time.
        limit: usize,
    },
    /// A table. Tables never grow after instantiation; SECURITY.md says why.
    Table {
        /// Elements asked for.
        wanted: u64,
    },
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Denied::Pages { wanted, limit } => write!(
                f,
                "guest was denied growth to {wanted} pages (limit {limit}; --memory-pages raises it)"
            ),
            Denied::System { wanted } => {
                write!(f, "guest was denied growth to {wanted} pages (the system has no memory for them)")
            }
            Denied::Blocks { limit } => write!(f, "guest was denied a block of memory: it has {limit}"),
            Denied::Table { wanted } => write!(
                f,
                "guest was denied growth of a table to {wanted} elements (tables keep the size they start with)"
            ),
        }
    }
}

/// What a run used, as measured.
///
/// ```
/// use fuelbox::{Call, Runner, RunnerConfig};
/// use std::path::Path;
///
/// let runner = Runner::new(RunnerConfig::default())?;
/// let fibonacci = Path::new("guests/prebuilt/fibonacci.wasm");
/// let fuel = |n: i32| -> Result<u64, fuelbox::Error> {
///     Ok(runner.run(fibonacci, Call::values("fibonacci_recursive", &[n.into()]))?.usage.fuel)
/// };
/// assert!(fuel(11)? > fuel(10)?);
/// assert_eq!(fuel(10)?, fuel(10)?, "the same on every machine");
/// # Ok::<(), fuelbox::Error>(())
/// ```
#[cfg_attr(feature = "isolation", derive(serde::Serialize, serde::Deserialize))]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// Fuel units. The same module, function and input give the same number on every machine.
    pub fuel: u64,
    /// Peak of linear memory in pages of 64 KiB (it never shrinks).
    pub peak_pages: u32,
    /// Denied growths of memory and tables, whether the guest continued or trapped.
    pub denied_growths: u32,
    /// Time of instantiation: memory, data segments and the `start` function.
    pub instantiate: Duration,
    /// Time in the called function, including the transfer of input and output.
    pub run: Duration,
}

/// A finished run: its result and what it used.
///
/// ```
/// use fuelbox::{Call, Report, Runner, RunnerConfig, Value};
/// use std::path::Path;
///
/// let runner = Runner::new(RunnerConfig::default())?;
/// let add = Path::new("guests/prebuilt/add.wasm");
/// let report: Report<Vec<Value>> = runner.run(add, Call::values("add", &[1.into(), 2.into()]))?;
/// println!("{} fuel in {:?}", report.usage.fuel, report.usage.run);
/// assert_eq!(report.result?, [Value::I32(3)]);
/// # Ok::<(), fuelbox::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Report<T> {
    /// The result, or what stopped the guest.
    pub result: Result<T, Stop>,
    /// What the run used, in both cases.
    pub usage: Usage,
    /// What it tells if it was traced.
    #[doc(hidden)]
    pub trace: Option<Box<Trace>>,
}

impl<T> Report<T> {
    /// The same report with its result changed by `f`.
    pub(crate) fn map<U>(self, f: impl FnOnce(T) -> U) -> Report<U> {
        Report { result: self.result.map(f), usage: self.usage, trace: self.trace }
    }
}
