//! What is served: a function from a request to a response for each route.

pub mod cgi_request;
pub mod cgi_response;
pub mod conditions;
pub mod console;
pub mod counters;
pub mod deployment;
pub mod execute;
pub(crate) mod listing;
pub mod metrics;
pub mod openapi;
pub mod status;
