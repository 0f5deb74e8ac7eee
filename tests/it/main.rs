//! All integration tests, in one binary: one module for each behaviour.

#[allow(dead_code)]
mod support;
mod tidy;
