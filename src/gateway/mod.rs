//! The HTTP gateway. Only this folder knows HTTP; inside it, only `server.rs` knows sockets.

pub mod message;
pub mod problem;
pub mod routes;
pub mod server;

pub use message::{Request, Response};
pub use routes::handle;
pub use server::{Gateway, GatewayConfig};
