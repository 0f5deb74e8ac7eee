//! Problem types (RFC 9457), one for each row of the status table, and which of them an error or a stopped run is.

use crate::base::error::Error;
use crate::base::outcome::{Denied, Stop};

/// A kind of problem: status, the last part of its `type`, and its title.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// The HTTP status.
    pub status: u16,
    /// What follows `urn:fuelbox:problem:` in `type`.
    pub slug: &'static str,
    /// A short text for people, the same for every occurrence.
    pub title: &'static str,
}

impl Kind {
    /// Its `type`.
    pub fn urn(&self) -> String {
        format!("urn:fuelbox:problem:{}", self.slug)
    }
}

const fn kind(status: u16, slug: &'static str, title: &'static str) -> Kind {
    Kind { status, slug, title }
}

/// The request cannot be understood.
pub const BAD_REQUEST: Kind = kind(400, "bad-request", "Bad request");
/// The input does not fit the function.
pub const INPUT_MISMATCH: Kind = kind(400, "input-mismatch", "Input does not fit the function");
/// A token is needed.
pub const TOKEN_NEEDED: Kind = kind(401, "token-needed", "Token needed");
/// The token allows less.
pub const FORBIDDEN: Kind = kind(403, "forbidden", "The token does not allow this");
/// No such path.
pub const NO_ROUTE: Kind = kind(404, "no-such-route", "No such path");
/// No such plug-in.
pub const NO_PLUGIN: Kind = kind(404, "no-such-plugin", "No such plug-in");
/// No such version of a plug-in.
pub const NO_VERSION: Kind = kind(404, "no-such-version", "No such version");
/// No such function.
pub const NO_FUNCTION: Kind = kind(404, "no-such-function", "No such function");
/// The path has no such method.
pub const METHOD: Kind = kind(405, "method-not-allowed", "Method not allowed");
/// The client was too slow.
pub const SLOW: Kind = kind(408, "slow-client", "Request not complete in time");
/// No folder is served.
pub const NO_FOLDER: Kind = kind(409, "no-folder", "No plug-in folder is served");
/// A condition of the request does not hold.
pub const PRECONDITION: Kind = kind(412, "precondition-failed", "Precondition failed");
/// The body is too large.
pub const TOO_LARGE: Kind = kind(413, "input-too-large", "Input too large");
/// The target is too long.
pub const TARGET_TOO_LONG: Kind = kind(414, "target-too-long", "Target too long");
/// The client expects what is not offered.
pub const EXPECTATION: Kind = kind(417, "expectation-failed", "Expectation failed");
/// A plug-in that is deployed would not serve.
pub const WOULD_NOT_SERVE: Kind = kind(422, "would-not-serve", "The plug-in would not serve");
/// The head is too large.
pub const HEAD_TOO_LARGE: Kind = kind(431, "head-too-large", "Request head too large");
/// The guest trapped.
pub const TRAP: Kind = kind(500, "trap", "Guest trapped");
/// The guest trapped after growth was denied.
pub const MEMORY: Kind = kind(500, "memory-denied", "Guest was denied memory");
/// The guest wrote too much.
pub const OUTPUT: Kind = kind(500, "output-full", "Guest wrote too much");
/// A command failed.
pub const EXIT: Kind = kind(500, "exit", "Guest exited with an error");
/// An Extism plug-in reported an error.
pub const PLUGIN_ERROR: Kind = kind(500, "plugin-error", "Plug-in reported an error");
/// The guest broke its convention.
pub const CONVENTION: Kind = kind(500, "convention", "Guest broke its calling convention");
/// The process that ran the guest died.
pub const GUEST_DIED: Kind = kind(500, "guest-died", "The guest's process died");
/// fuelbox failed.
pub const INTERNAL: Kind = kind(500, "internal", "Internal error");
/// The client went away while the response was sent. No response tells that; it is counted and logged (499, as nginx does).
pub const CLIENT_GONE: Kind = kind(499, "client-gone", "The client went away");
/// The path to the handler broke.
pub const LANE: Kind = kind(502, "lane-broken", "The request was lost inside the gateway");
/// Every worker stayed busy.
pub const BUSY: Kind = kind(503, "busy", "All workers are busy");
/// The gateway is alive and not to be given work.
pub const NOT_READY: Kind = kind(503, "not-ready", "Not ready");
/// The system has too little memory.
pub const NO_MEMORY: Kind = kind(503, "no-memory", "Too little memory");
/// Another HTTP version.
pub const VERSION: Kind = kind(505, "version", "HTTP version not supported");
/// The fuel is spent.
pub const FUEL: Kind = kind(504, "out-of-fuel", "Out of fuel");
/// The deadline has passed.
pub const DEADLINE: Kind = kind(504, "deadline", "Deadline passed");

/// All of them. The index of one is the index of its counter.
pub const ALL: &[Kind] = &[
    BAD_REQUEST,
    INPUT_MISMATCH,
    TOKEN_NEEDED,
    FORBIDDEN,
    NO_ROUTE,
    NO_PLUGIN,
    NO_FUNCTION,
    METHOD,
    SLOW,
    TOO_LARGE,
    EXPECTATION,
    HEAD_TOO_LARGE,
    TRAP,
    MEMORY,
    OUTPUT,
    EXIT,
    CONVENTION,
    INTERNAL,
    LANE,
    BUSY,
    NOT_READY,
    VERSION,
    FUEL,
    DEADLINE,
    NO_FOLDER,
    PRECONDITION,
    WOULD_NOT_SERVE,
    STORAGE_FULL,
    PLUGIN_ERROR,
    NO_MEMORY,
    TARGET_TOO_LONG,
    GUEST_DIED,
    CLIENT_GONE,
    NO_VERSION,
];

/// The disk is full.
pub const STORAGE_FULL: Kind = kind(507, "storage-full", "No room in the plug-in folder");

/// The kind of a stop.
pub fn of_stop(stop: &Stop) -> Kind {
    match stop {
        Stop::Trap(_) => TRAP,
        Stop::OutOfFuel { .. } => FUEL,
        Stop::Deadline { .. } => DEADLINE,
        Stop::NoMemory { .. } | Stop::MemoryDenied { denied: Denied::System { .. }, .. } => NO_MEMORY,
        Stop::MemoryDenied { .. } => MEMORY,
        Stop::OutputFull { .. } => OUTPUT,
        Stop::InputTooLarge { .. } => TOO_LARGE,
        Stop::Exit(_) => EXIT,
        Stop::Convention(_) => CONVENTION,
        Stop::Failed { .. } => PLUGIN_ERROR,
        Stop::Died { .. } | Stop::Cancelled => GUEST_DIED,
        Stop::OutputClosed => CLIENT_GONE,
    }
}

/// The detail of a stop: the plug-in's own text, or what happened.
pub fn detail(stop: &Stop) -> String {
    match stop {
        Stop::Failed { message, .. } if !message.is_empty() => message.clone(),
        stop => stop.to_string(),
    }
}

/// The kind of an error.
pub fn of_error(error: &Error) -> Kind {
    match error {
        Error::NoPlugin { .. } => NO_PLUGIN,
        Error::NoFunction { .. } | Error::Reserved { .. } => NO_FUNCTION,
        Error::Input(_) => INPUT_MISMATCH,
        Error::InputTooLarge { .. } => TOO_LARGE,
        Error::Guest(stop) => of_stop(stop),
        Error::Io { .. }
        | Error::Load { .. }
        | Error::Policy { .. }
        | Error::Signature { .. }
        | Error::Limits(_)
        | Error::Build(_)
        | Error::Internal(_) => INTERNAL,
    }
}
