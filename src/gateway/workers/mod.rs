//! Who serves: workers and their lanes through tiny_http.

pub mod lane;
pub(crate) mod threads;
pub mod worker;
