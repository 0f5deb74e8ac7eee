//! The HTTP gateway. Only this folder knows HTTP.
//!
//! A request's way: `events` (of all connections) → `incoming` (reads, by `state` and `http1`) → `worker` → `lane`
//! (through tiny_http) → `routes` (a function from a request to a response) → back the same way.

pub mod authority;
pub mod cgi;
pub mod chunked;
pub mod client;
pub mod conditions;
pub mod conn;
mod conns;
pub mod console;
pub mod cookies;
pub mod crew;
pub mod desk;
pub mod document;
pub mod door;
mod events;
mod forwarded;
pub mod gate;
pub mod http1;
mod incoming;
pub mod lane;
pub mod lineup;
mod listing;
pub mod message;
pub mod metrics;
pub mod openapi;
mod outgoing;
pub mod own;
pub mod phase;
mod places;
pub mod problem;
mod queue;
pub mod ready;
pub mod reply;
pub mod request_id;
mod room;
pub mod routes;
pub mod server;
pub mod share;
pub mod state;
mod supply;
pub mod tally;
pub mod tokens;
pub mod worker;

pub use message::{Request, Response};
pub use routes::handle;
pub use server::{Gateway, GatewayConfig};

/// What the `Server` header says.
pub const SERVER: &str = concat!("fuelbox/", env!("CARGO_PKG_VERSION"));
