//! fuelbox runs untrusted WebAssembly on small machines: interpreted (wasmi), without a JIT, under hard
//! limits of fuel, wall-clock time, memory and output.
//!
//! [`Runner`] is where to begin: it runs a [`Target`] (a plug-in, a file, a [`Program`]) with an [`Input`] (a [`Call`] of a
//! function, the [`Invocation`] of a program) and gives a [`Report`].
//!
//! Components run like core modules: `Call::component` calls their functions with values, [`Call::bytes`] with JSON.
//!
//! The features `plugins` (a folder of modules with policies), `gateway` (the HTTP server, `Gateway`) and `cli` (the `fuelbox`
//! program) are on by default; `default-features = false` leaves what runs modules.
//!
//! # Rooms
//! Each folder uses only those below it, and no file uses itself by way of others (`tests/it/tidy` checks both):
//!
//! ```text
//! cli/        the command line: flags, commands, help
//! fleet/      the gateway as a node of a fleet, by NATS
//! gateway/    the HTTP server: connections, workers, routes
//! runner/     the library's face
//! plugins/    plug-ins by name: registry, folder, policies, signatures, deployment
//! isolation/  guests in processes of their own, and the confinement of a process
//! abi/        calling conventions: numeric, packed, command, Extism, component
//! sandbox/    the compiled program, one run of it under its limits, warm instances
//! host/       what a guest may call: WASI, Extism, the store's data; values of components
//! module/     a module's or component's bytes before they run: read, limited, rewritten
//! base/       limits, outcomes, errors, units
//! ```
//!
//! # Invariants
//! The core knows no HTTP. Parsing flags does no I/O. Nothing is global but the log, and
//! the standard error that the program writes it to. Time, randomness and standard
//! streams are arguments. Nothing that a guest or a client sends can panic the host.
#![deny(unsafe_code)]
#![warn(missing_docs)]
// Without the upper rooms, a few things of the lower ones have no user. The default features have them all.
#![cfg_attr(not(feature = "cli"), allow(dead_code))]

// The tests of the project reach into these; nobody else should.
#[doc(hidden)]
pub mod abi;
#[doc(hidden)]
pub mod base;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
#[cfg(feature = "gateway")]
#[doc(hidden)]
pub mod fleet;
#[cfg(feature = "gateway")]
#[doc(hidden)]
pub mod gateway;
#[doc(hidden)]
pub mod host;
#[cfg(feature = "isolation")]
#[doc(hidden)]
pub mod isolation;
#[doc(hidden)]
pub mod module;
#[cfg(feature = "plugins")]
#[doc(hidden)]
pub mod plugins;
mod runner;
#[doc(hidden)]
pub mod sandbox;

pub use abi::{Call, Convention, Input, Invocation};
pub use base::cancel::Cancel;
pub use base::error::{Error, LoadProblem, Names};
#[cfg(feature = "gateway")]
pub use base::limits::DoorLimits;
pub use base::limits::Limits;
#[cfg(feature = "plugins")]
pub use base::limits::WarmLimits;
pub use base::outcome::{Denied, Report, Stop, Usage, Value};
#[cfg(feature = "gateway")]
pub use gateway::http::{client::Network, tokens::Tokens};
#[cfg(feature = "gateway")]
pub use gateway::{Gateway, GatewayConfig};
/// Values of components.
#[cfg(feature = "component")]
pub mod component {
    pub use crate::host::component::embedder::HostInterface;
    pub use crate::host::component::value::{Handle, Value};
}
pub use host::embedder::{functions::HostFunctions, guest::Guest, trap::Trap, typed::HostFunction};
pub use host::outbound::allow_list::HttpAllowList;
pub use host::streams::Stdin;
pub use host::wasi::ctx::GuestEnv;
pub use host::wasi::dir::Preopen;
#[cfg(all(feature = "isolation", feature = "plugins"))]
pub use isolation::Isolation;
#[cfg(feature = "plugins")]
pub use plugins::{folder::Changes, signature::TrustedKey};
pub use runner::{Runner, RunnerConfig, Target};
pub use sandbox::program::Program;
#[doc(hidden)]
pub use sandbox::program::{CompileOptions, Tracing, Translation};
pub use sandbox::zeroing::ZeroingAllocator;

/// The README's example is a test.
#[cfg(all(doctest, feature = "cli"))]
#[doc = include_str!("../README.md")]
struct Readme;
