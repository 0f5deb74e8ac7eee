//! Guests in processes of their own: what confines a process, the processes, and what they say to each other.

mod call_wire;
mod callout;
mod census;
mod channel;
pub mod child;
mod config;
pub mod confine;
mod cpu_clock;
mod ends;
pub mod helper;
mod image;
pub mod manager;
mod pool;
mod process;
pub mod relay;
mod replies;
mod sane;
mod spare;
mod spec;
mod supervisor;
pub mod wire;

pub use census::ProcessUsage;
pub use config::Isolation;
pub use pool::Sealed;
pub use spec::Spec;
