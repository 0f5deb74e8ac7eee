//! Values that all other rooms use: limits, outcomes, errors, units.

#[cfg(any(feature = "component", feature = "gateway"))]
pub mod base64;
#[cfg(feature = "isolation")]
pub(crate) mod bounded;
pub mod cancel;
#[cfg(feature = "plugins")]
pub mod digest;
pub(crate) mod error;
pub(crate) mod escape;
pub(crate) mod heap;
pub mod limits;
pub mod lock;
#[cfg(feature = "isolation")]
pub(crate) mod memory;
pub(crate) mod outcome;
#[cfg(feature = "gateway")]
pub(crate) mod private_dir;
pub(crate) mod share;
pub(crate) mod stopped;
pub mod trace;
#[cfg(feature = "plugins")]
pub mod units;
mod words;
