//! WASI 0.2: the interfaces that components import. Each is in the file named after it or its package.
//!
//! Source: the WIT of WASI 0.2.0 to 0.2.12. Files, directories, clocks, randomness and the standard streams are those of
//! preview1 (`host/wasi`), under the same limits.

pub mod arguments;
mod cli;
mod clocks;
pub mod error;
mod filesystem;
pub mod http;
mod poll;
pub mod pollable;
mod random;
mod sockets;
mod stdio;
pub mod stream;
mod streams;
#[cfg(test)]
mod tests;

use super::function::Interface;

/// Every interface.
pub const INTERFACES: &[Interface] = &[
    cli::ENVIRONMENT,
    cli::EXIT,
    cli::STDIN,
    cli::STDOUT,
    cli::STDERR,
    cli::TERMINAL_INPUT,
    cli::TERMINAL_OUTPUT,
    cli::TERMINAL_STDIN,
    cli::TERMINAL_STDOUT,
    cli::TERMINAL_STDERR,
    clocks::MONOTONIC_CLOCK,
    clocks::WALL_CLOCK,
    error::ERROR,
    poll::POLL,
    streams::STREAMS,
    random::RANDOM,
    random::INSECURE,
    random::INSECURE_SEED,
    filesystem::TYPES,
    filesystem::PREOPENS,
    sockets::NETWORK,
    sockets::INSTANCE_NETWORK,
    sockets::IP_NAME_LOOKUP,
    sockets::TCP,
    sockets::TCP_CREATE_SOCKET,
    sockets::UDP,
    sockets::UDP_CREATE_SOCKET,
    http::TYPES,
    http::OUTGOING_HANDLER,
];

/// The interface `name`, which is without a version.
pub fn find(name: &str) -> Option<&'static Interface> {
    INTERFACES.iter().find(|interface| interface.name == name)
}
