//! HTTP/1.1 as values: heads, bodies, messages, routes, problems. Nothing here knows a socket.

pub mod authority;
pub mod chunked;
pub mod client;
pub mod conditions;
pub mod cookies;
pub mod forwarded;
pub mod head;
pub mod message;
pub mod overflow;
pub mod print;
pub mod problem;
pub mod reject;
pub mod request_id;
pub mod route;
pub mod service;
pub mod stream;
pub mod timeout;
pub mod tokens;
pub mod trailers;
