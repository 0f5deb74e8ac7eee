//! Why a function of the embedding program stops the guest.

use crate::base::escape::cut;
use crate::base::limits::MESSAGE_BYTES_MAX;
use std::fmt;

/// Stops the guest that called a function of the embedding program. Every error becomes one by `?`. The run ends with
/// [`Stop::Trap`](crate::Stop::Trap), whose text names the function and the reason.
///
/// It is no [`std::error::Error`], so that every such error can become one.
///
/// ```
/// use fuelbox::{Guest, Trap};
///
/// fn port(guest: &mut Guest<'_>, at: u32, len: u32) -> Result<u32, Trap> {
///     let port: u32 = guest.read_str(at, len)?.parse()?;
///     if port < 1024 { Err(Trap::new(format_args!("port {port} is reserved"))) } else { Ok(port) }
/// }
/// # fuelbox::HostFunctions::default().add("env", "port", port);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Trap(String);

impl Trap {
    /// With this reason.
    pub fn new(why: impl fmt::Display) -> Trap {
        Trap(cut(&why.to_string(), MESSAGE_BYTES_MAX))
    }

    /// The reason.
    pub fn reason(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trap({:?})", self.0)
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<E: std::error::Error> From<E> for Trap {
    fn from(error: E) -> Trap {
        Trap::new(error)
    }
}
