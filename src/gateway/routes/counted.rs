//! Counters of what else this process does beside the gateway, for `/metrics`.

use std::sync::{Arc, OnceLock};

/// Reads a counter, which never goes down.
pub type Read = Box<dyn Fn() -> u64 + Send + Sync>;

/// Counters of one name, by one label.
pub struct Counted {
    /// The name, without `_total`.
    pub name: &'static str,
    /// What is counted.
    pub help: &'static str,
    /// The label.
    pub label: &'static str,
    /// Its values, with the counter of each.
    pub samples: Vec<(&'static str, Read)>,
}

/// Where they are handed over, once.
pub type Others = Arc<OnceLock<Vec<Counted>>>;
