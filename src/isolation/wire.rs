//! What the two sides say to each other, over one socket.
//!
//! Each says it in frames: the kind in one byte, the length of what follows in four (little endian), and that. The door
//! sends a [`Binding`], with the module and directories as descriptors, and then requests, one at a time. The process says
//! that it is ready, and then responds to each request; what the guest gives out for the log comes before the response.
//! The bytes of a request or a response are a message: the length of its head in four bytes (little endian), the head
//! (postcard), and then bytes as they are: a call's input, a run's output.
//!
//! The door trusts nothing that it reads: a guest may have taken its process over.

use crate::abi::Convention;
use crate::abi::given::Environment;
use crate::base::bounded;
use crate::base::error::{Error, LoadProblem, Names};
use crate::base::limits::{
    Limits, NAMES_BYTES_MAX, REPLY_HEAD_BYTES_MAX, REPLY_PIECE_BYTES, TRANSLATED_PER_BYTE, TYPE_PARAMS_MAX,
    WarmLimits,
};
use crate::base::outcome::{Stop, Usage, Value};
use crate::base::trace::Chain;
use crate::host::reply::Trailers;
use crate::module::reader::ModuleInfo;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The plug-in that a process is for.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Binding {
    /// Its name.
    pub name: String,
    /// The limits of its runs.
    pub limits: Limits,
    /// The convention of its functions, if the policy sets one.
    pub convention: Option<Convention>,
    /// Arguments of a program, from the policy.
    pub args: Vec<String>,
    /// What the policy gives, directories left out.
    pub environment: Environment,
    /// The directories, in the order of their descriptors: what the guest sees them as, and whether they are read-only.
    pub dirs: Vec<(String, bool)>,
    /// How instances are kept, if they are.
    pub warm: Option<WarmLimits>,
    /// Bytes of the module.
    pub module_bytes: usize,
    /// Whether its runs are traced.
    pub is_traced: bool,
    /// Whether all of its code is to be translated, to see whether that works.
    pub tries_all: bool,
    /// The most verbose level of the log that guests' messages are seen at, as `log::LevelFilter` counts.
    pub log_level: usize,
    /// Whether it is to meet faults, for tests.
    pub has_faults: bool,
    /// Whether it may run guests without a filter of system calls.
    pub is_weak: bool,
}

/// Address space of a process without any guest: the program, stacks of its threads, and what allocators reserve.
const ADDRESS_BYTES: u64 = if cfg!(target_pointer_width = "64") { 1 << 30 } else { 192 << 20 };

impl Binding {
    /// Descriptors that its guests may have.
    pub fn descriptors(&self) -> u64 {
        (self.dirs.len() + self.limits.descriptors) as u64
    }

    /// Address space for the process of a plug-in, in bytes: what its limits allow it, twice where the host copies.
    pub fn address_bytes(&self) -> u64 {
        let Limits { input_bytes, output_bytes, stack_bytes, table_elements, .. } = self.limits;
        let module = (self.module_bytes as u64).saturating_mul(8 + 3 * TRANSLATED_PER_BYTE);
        let warm = self.warm.as_ref().map_or(0, |warm| warm.memory_bytes as u64);
        let (input, output) = (2 * input_bytes.min(1 << 30), 4 * output_bytes.min(1 << 30));
        let copied = [self.limits.memory_bytes(), input, output, stack_bytes];
        let copied = copied.into_iter().fold(0, |sum: u64, bytes| sum.saturating_add(2 * bytes as u64));
        let tables = 64 * u64::from(table_elements);
        [module, warm, copied, tables].into_iter().fold(ADDRESS_BYTES, u64::saturating_add)
    }
}

/// Bytes of what is known of a module, at most: names, and some for each import and export.
pub const FACTS_BYTES_MAX: usize = 2 * NAMES_BYTES_MAX + (1 << 20);

/// What is known of a loaded module.
#[derive(Debug, Serialize, Deserialize)]
pub struct Facts {
    /// Its declarations.
    pub info: ModuleInfo,
    /// Bytes of the binary module.
    pub size: usize,
    /// Whether translation of functions may delay a run.
    pub is_slow_to_translate: bool,
    /// JSON Schemas of a component's functions, as JSON.
    pub schemas: String,
}

/// Values, or none for bytes.
#[derive(Debug, Serialize, Deserialize)]
pub struct Values(
    #[serde(deserialize_with = "bounded::optional::<_, _, TYPE_PARAMS_MAX>")] pub Option<Vec<Value>>,
);

/// What a run gave. A result that is bytes follows the head.
#[derive(Debug, Serialize, Deserialize)]
pub struct Ran {
    /// The values, or none for bytes; or what stopped the guest.
    pub result: Result<Values, Stop>,
    /// What it used.
    pub usage: Usage,
    /// The trailers of a response.
    #[serde(deserialize_with = "bounded::list::<_, _, TRAILERS_MAX>")]
    pub trailers: Trailers,
    /// The chain of calls in which it was stopped, if it was traced.
    pub chain: Option<Chain>,
}

/// Trailers of a response, at most: as many as `wasi:http` allows.
const TRAILERS_MAX: usize = 100;

/// An [`Error`] that a run can have.
#[derive(Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum Failure {
    Load(LoadProblem),
    NoFunction { name: String, known: Names, command: bool },
    Reserved { name: String },
    Input(String),
    InputTooLarge { size: usize, limit: usize },
    Limits(String),
    Guest(Stop),
    Build(String),
    Internal(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        match error {
            Error::Load { problem, .. } => Failure::Load(problem),
            Error::NoFunction { name, known, command } => Failure::NoFunction { name, known, command },
            Error::Reserved { name } => Failure::Reserved { name },
            Error::Input(what) => Failure::Input(what),
            Error::InputTooLarge { size, limit } => Failure::InputTooLarge { size, limit },
            Error::Limits(what) => Failure::Limits(what),
            Error::Guest(stop) => Failure::Guest(stop),
            Error::Build(what) => Failure::Build(what),
            Error::Internal(what) => Failure::Internal(what),
            // A process has no folder, and so none of these.
            other => Failure::Internal(other.to_string()),
        }
    }
}

impl Failure {
    /// As an error about the module called `name`.
    pub fn into_error(self, name: &str) -> Error {
        match self {
            Failure::Load(problem) => Error::Load { name: name.into(), problem },
            Failure::NoFunction { name, known, command } => Error::NoFunction { name, known, command },
            Failure::Reserved { name } => Error::Reserved { name },
            Failure::Input(what) => Error::Input(what),
            Failure::InputTooLarge { size, limit } => Error::InputTooLarge { size, limit },
            Failure::Limits(what) => Error::Limits(what),
            Failure::Guest(stop) => Error::Guest(stop),
            Failure::Build(what) => Error::Build(what),
            Failure::Internal(what) => Error::Internal(what),
        }
    }
}

/// Bytes before those of a frame.
pub const FRAME_HEAD_BYTES: usize = 5;

/// What comes before `size` bytes of a frame of this kind.
fn frame_head(kind: u8, size: usize) -> Option<[u8; FRAME_HEAD_BYTES]> {
    let [a, b, c, d] = u32::try_from(size).ok()?.to_le_bytes();
    Some([kind, a, b, c, d])
}

/// What the door sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Request {
    /// What the process is for: a [`Binding`].
    Bind = 1,
    /// Load the module. The response is a `Result<Option<Facts>, Failure>`.
    Load = 2,
    /// Make an instance, and call nothing. The response is a `Result<Ran, Failure>`.
    Try = 3,
    /// Run the guest with a `Given`. The response is as of [`Request::Try`].
    Run = 4,
    /// In a run: the piece of a response was taken. Nothing follows.
    Taken = 5,
    /// In a run: nobody takes any more of the response. Nothing follows.
    Enough = 6,
    /// In a run: what came of an HTTP call. The message's head is a `Result<OutResponse, Refusal>`; a body follows.
    Called = 7,
}

impl Request {
    /// The kind with this number.
    pub fn of(number: u8) -> Option<Request> {
        use Request::{Bind, Called, Enough, Load, Run, Taken, Try};
        [Bind, Load, Try, Run, Taken, Enough, Called].into_iter().find(|kind| *kind as u8 == number)
    }

    /// What comes before `size` bytes, if so many can be sent.
    pub fn head(self, size: usize) -> Option<[u8; FRAME_HEAD_BYTES]> {
        frame_head(self as u8, size)
    }
}

/// What a process sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Frame {
    /// Standard output that is not a result.
    Stdout = 1,
    /// Standard error.
    Stderr = 2,
    /// A message: its level in one byte, its length in four, and its beginning.
    Message = 3,
    /// It is confined, and waits for requests. Nothing follows.
    Ready = 4,
    /// The response to a request.
    Response = 5,
    /// The guest outlives its first fuel slice, or waits. Nothing follows.
    Long = 6,
    /// A piece of a response to a request over HTTP, while the guest runs. The first one begins with the whole head. The process
    /// waits for [`Request::Taken`] or [`Request::Enough`] before it sends the next one.
    Piece = 7,
    /// A guest calls out over HTTP. The message's head is an `OutRequest`; a body follows. The process waits for
    /// [`Request::Called`].
    Call = 8,
}

impl Frame {
    /// The kind with this number.
    pub fn of(number: u8) -> Option<Frame> {
        use Frame::{Call, Long, Message, Piece, Ready, Response, Stderr, Stdout};
        let all = [Stdout, Stderr, Message, Ready, Response, Long, Piece, Call];
        all.into_iter().find(|kind| *kind as u8 == number)
    }

    /// What comes before `size` bytes, if so many can be sent.
    pub fn head(self, size: usize) -> Option<[u8; FRAME_HEAD_BYTES]> {
        frame_head(self as u8, size)
    }
}

/// Bytes of a frame that is no response, at most: a host call's, as guests make them, fits into a few.
pub const FRAME_BYTES_MAX: usize = 128 * 1024;

const _: () = assert!(PIECE_BYTES_MAX <= FRAME_BYTES_MAX);

/// Bytes of a piece of a response, at most: the first one has the head beside.
pub const PIECE_BYTES_MAX: usize = REPLY_PIECE_BYTES + REPLY_HEAD_BYTES_MAX;

/// Bytes of a call's head, at most: as many as a guest can describe, and what surrounds them.
pub const CALL_HEAD_BYTES_MAX: usize = 256 * 1024;

/// Writes a message's head into `to`; the bytes follow.
pub fn write_head<T: Serialize>(to: &mut Vec<u8>, head: &T) -> Result<(), postcard::Error> {
    let begin = to.len();
    to.extend_from_slice(&[0; 4]);
    let mut whole = postcard::to_extend(head, std::mem::take(to))?;
    let size = u32::try_from(whole.len() - begin - 4).map_err(|_| postcard::Error::SerializeBufferFull)?;
    whole[begin..begin + 4].copy_from_slice(&size.to_le_bytes());
    *to = whole;
    Ok(())
}

/// Reads a message's head, and gives the number of bytes up to its end.
pub fn read_head<T: DeserializeOwned>(message: &[u8]) -> Option<(T, usize)> {
    let (size, rest) = message.split_first_chunk::<4>()?;
    let size = usize::try_from(u32::from_le_bytes(*size)).ok()?;
    let (head, left) = postcard::take_from_bytes(rest.get(..size)?).ok()?;
    left.is_empty().then_some((head, 4 + size))
}
