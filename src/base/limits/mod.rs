//! All limits. This folder knows neither wasm nor HTTP nor flags.

pub(crate) mod constants;
#[cfg(feature = "gateway")]
pub(crate) mod door;
pub(crate) mod http;
pub(crate) mod module;
pub(crate) mod run;
pub(crate) mod warm;

pub use constants::*;
#[cfg(feature = "gateway")]
pub use door::{ALWAYS_BYTES, CLIENT_TIMEOUT_MAX, DoorLimits, HEAD_BYTES_MIN};
pub use http::*;
pub use module::*;
pub use run::*;
pub use warm::WarmLimits;
