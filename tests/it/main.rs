//! All integration tests, in one binary: one module for each behaviour.

mod support;
mod tidy;
