//! HTTP/1.1 as values: heads, bodies, messages, problems. Nothing here knows a socket, a plug-in or a route.

pub mod authority;
pub mod chunked;
pub mod cookies;
pub mod http1;
pub mod message;
pub mod problem;
pub mod request_id;
pub mod tokens;
