//! Who serves: workers, whose turn it is, and what is admitted.

pub mod admission;
pub mod lane;
pub mod lines;
pub(crate) mod places;
pub(crate) mod queue;
pub mod scheduler;
pub(crate) mod threads;
pub mod worker;
