//! The limits of warm instances.

use std::time::Duration;

/// Limits of warm instances, which are kept between calls. Every field is also a flag of `fuelbox serve`.
///
/// ```
/// # #[cfg(feature = "plugins")] {
/// use fuelbox::WarmLimits;
///
/// assert_eq!(WarmLimits::default().instances, 0, "an instance for each call, unless asked otherwise");
/// assert!(WarmLimits { uses: 0, ..WarmLimits::default() }.check().unwrap_err().contains("--warm-uses"));
/// # }
/// ```
#[cfg_attr(feature = "isolation", derive(serde::Serialize, serde::Deserialize))]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WarmLimits {
    /// Instances kept for each plug-in (`--warm`); 0 keeps none.
    pub instances: usize,
    /// Bytes of all kept instances of all plug-ins (`--warm-memory`).
    pub memory_bytes: usize,
    /// Calls after which an instance is dropped (`--warm-uses`).
    pub uses: u32,
    /// Time without a call after which an instance is dropped (`--warm-idle`).
    pub idle: Duration,
}

impl Default for WarmLimits {
    fn default() -> Self {
        WarmLimits {
            instances: 0,
            // Three guests at the default memory limit, or a thousand small ones.
            memory_bytes: 64 * 1024 * 1024,
            // This limits what a guest leaks, and spreads the cost of a new instance over many calls.
            uses: 1_000,
            idle: Duration::from_secs(60),
        }
    }
}

impl WarmLimits {
    /// Checks for values that make no sense.
    ///
    /// # Errors
    /// A sentence with the flag.
    pub fn check(&self) -> Result<(), String> {
        match self.uses {
            0 => Err("--warm-uses is 0: an instance is used once at least".into()),
            _ => Ok(()),
        }
    }
}
