//! Host functions: the store's data, the linker, WASI and Extism.

#[cfg(feature = "component")]
pub mod component;
pub(crate) mod embedder;
pub(crate) mod experimental_http;
pub(crate) mod extism;
pub(crate) mod frames;
pub(crate) mod functions;
pub mod guest_log;
pub(crate) mod linker;
pub(crate) mod numbers;
pub mod outbound;
pub(crate) mod profile;
pub mod reply;
pub(crate) mod responses;
pub(crate) mod store;
pub mod streams;
pub(crate) mod trace;
pub(crate) mod tracer;
pub mod wasi;
