//! The HTTP gateway. Only this folder knows HTTP.
//!
//! A request's way: `door` (events of all connections) → `worker` (reads, by `conn` and `http1`) → `lane`
//! (through tiny_http) → `routes` (a function from a request to a response) → back the same way.

pub mod cgi;
pub mod conditions;
pub mod conn;
pub mod console;
pub mod crew;
pub mod desk;
pub mod document;
pub mod door;
pub mod gate;
pub mod http1;
pub mod lane;
mod listing;
pub mod message;
pub mod metrics;
pub mod openapi;
mod outgoing;
pub mod own;
mod places;
pub mod problem;
pub mod ready;
pub mod reply;
pub mod request_id;
mod room;
pub mod routes;
pub mod server;
mod supply;
pub mod tally;
pub mod tokens;
pub mod worker;

pub use message::{Request, Response};
pub use routes::handle;
pub use server::{Gateway, GatewayConfig};

/// What the `Server` header says.
pub const SERVER: &str = concat!("fuelbox/", env!("CARGO_PKG_VERSION"));
