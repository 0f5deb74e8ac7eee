//! HTTP outwards: what a guest may call, and how.
//!
//! A call passes three gates in one place ([`calls`]): the list of allowed URLs, the limits of the run, and the check of
//! addresses after the lookup. Extism, `wasi:http` and `wasi_experimental_http` are faces of it.

pub mod address;
pub mod allow_list;
pub mod calls;
#[cfg(feature = "http")]
mod client;
#[cfg(feature = "http")]
mod connection;
pub mod counts;
#[cfg(feature = "http")]
mod dns;
pub mod head;
pub mod message;
pub mod path;
#[cfg(feature = "http")]
mod roots;
pub mod url;
pub mod way;
