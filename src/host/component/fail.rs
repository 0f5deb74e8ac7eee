//! Why a function of the host gives a component no result.

use crate::base::outcome::Stop;
use crate::host::wasi::abi::{Fault, Wait};

/// Why a function gives no result.
#[derive(Debug, Clone, PartialEq)]
pub enum Fail {
    /// The guest did what it must not do, and is stopped.
    Trap(String),
    /// The guest asked to end with this code.
    Exit(u32),
    /// The call is to be made again after this wait.
    Wait(Wait),
    /// The run is stopped by a limit.
    Stop(Stop),
}

impl Fail {
    /// The guest is stopped for this reason.
    pub fn trap(why: impl Into<String>) -> Fail {
        Fail::Trap(why.into())
    }
}

/// For what has no error number in its interface: there, one stops the guest.
impl From<Fault> for Fail {
    fn from(fault: Fault) -> Fail {
        match fault {
            Fault::Errno(errno) => Fail::Trap(format!("the host's call failed: {errno:?}")),
            Fault::Exit(code) => Fail::Exit(code),
            Fault::Wait(wait) => Fail::Wait(wait),
            Fault::OutputFull { stream, limit } => Fail::Stop(Stop::OutputFull { stream, limit }),
            Fault::NoMemory => Fail::Stop(Stop::NoMemory { what: "the guest's input or output" }),
            Fault::InputTooLarge { limit } => Fail::Stop(Stop::InputTooLarge { limit }),
        }
    }
}
