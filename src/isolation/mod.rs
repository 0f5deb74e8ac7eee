//! Guests in processes of their own: what confines a process, the processes, and what they say to each other.

mod channel;
pub mod child;
pub mod confine;
mod image;
pub mod manager;
mod pool;
mod process;
pub mod relay;
mod sane;
mod supervisor;
pub mod wire;

pub use manager::Isolation;
pub use pool::Sealed;
