//! fuelbox runs untrusted WebAssembly on small machines: interpreted (wasmi), without a JIT, under hard
//! limits of fuel, wall-clock time, memory and output.
//!
//! [`Runner`] is where to begin: it loads plug-ins and runs them, from any number of threads. [`Program`]
//! and [`abi`] are below it, for those who keep compiled modules themselves. `gateway` and `cli` are the
//! HTTP server and the command line of the `fuelbox` program.
//!
//! # Rooms
//! Each folder uses only those below it, and no file uses itself by way of others (`tests/it/tidy` checks both):
//!
//! ```text
//! cli/       the command line: flags, commands, help
//! gateway/   the HTTP server: connections, workers, routes
//! runner/    the library's face
//! plugins/   plug-ins by name: registry, folder, policies, signatures, deployment
//! abi/       calling conventions: numeric, packed, command, Extism
//! sandbox/   the compiled program, one run of it under its limits, warm instances
//! host/      what a guest may call: WASI, Extism, the store's data
//! module/    a module's bytes before they run: read, limited, rewritten
//! base/      limits, outcomes, errors, units
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

pub mod abi;
pub mod base;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "gateway")]
pub mod gateway;
pub mod host;
pub mod module;
#[cfg(feature = "plugins")]
pub mod plugins;
pub(crate) mod runner;
pub mod sandbox;

pub use abi::command::Invocation;
pub use abi::{CallContext, Convention};
pub use base::error::{Error, LoadProblem, Names};
pub use base::limits::Limits;
pub use base::outcome::{Denied, Report, Stop, Usage, Value};
pub use host::streams::Stdin;
pub use host::wasi::ctx::GuestEnv;
pub use host::wasi::dir::Preopen;
pub use runner::{Runner, RunnerConfig};
#[doc(hidden)]
pub use sandbox::program::{CompileOptions, Program};
pub use sandbox::zeroing::ZeroingAllocator;

/// The README's example is a test.
#[cfg(all(doctest, feature = "cli"))]
#[doc = include_str!("../README.md")]
struct Readme;
