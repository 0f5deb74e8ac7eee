//! The HTTP gateway. Only this folder knows HTTP.
//!
//! Its rooms, each of which uses only those above it: `http` (values), `scheduling` (whose turn it is), `routes` (what is
//! served), `connection` (the front door), `workers` (who serves). `ARCHITECTURE.md` follows a request through them.

pub mod connection;
pub mod http;
pub mod routes;
pub mod scheduling;
pub mod server;
pub mod workers;

pub use http::message::{Request, Response};
pub use server::{Gateway, GatewayConfig};
