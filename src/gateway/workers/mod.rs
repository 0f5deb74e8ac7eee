//! Request threads, each with a lane through tiny_http.

pub mod lane;
pub(crate) mod threads;
pub mod worker;
