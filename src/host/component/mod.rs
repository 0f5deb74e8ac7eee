//! What components are given by the host: values, functions, resources, and WASI 0.2.

pub mod account;
pub mod embedder;
pub mod fail;
pub mod function;
pub mod table;
pub mod value;
pub mod wasi;
pub mod wit;
