//! The HTTP gateway. Only this folder knows HTTP.
//!
//! A request's way: `events` (of all connections) → `incoming` (reads, by `state` and `http1`) → `worker` → `lane`
//! (through tiny_http) → `routes` (a function from a request to a response) → back the same way.

pub mod connection;
pub mod http;
pub mod routes;
pub mod server;
pub mod workers;

pub use http::message::{Request, Response};
pub use routes::execute::handle;
pub use server::{Gateway, GatewayConfig};

/// What the `Server` header says.
pub const SERVER: &str = concat!("fuelbox/", env!("CARGO_PKG_VERSION"));
