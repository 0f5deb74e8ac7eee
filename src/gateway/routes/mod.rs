//! What is served: a function from a request to a response for each route.

pub(crate) mod access_log;
pub(crate) mod cgi_request;
pub mod cgi_response;
pub mod console;
pub mod counted;
pub mod counters;
pub mod deployment;
pub mod document;
pub mod execute;
pub(crate) mod execute_target;
pub(crate) mod exposition;
pub(crate) mod failures;
pub(crate) mod listing;
pub mod metrics;
pub mod openapi;
pub mod service;
pub mod status;
pub(crate) mod streamed;
mod versions;
