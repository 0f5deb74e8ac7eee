//! fuelbox runs untrusted WebAssembly on small machines: interpreted (wasmi), without a JIT, under hard
//! limits of fuel, wall-clock time, memory and output.
//!
//! [`Runner`] is where to begin: it loads plug-ins and runs them, from any number of threads. [`Program`]
//! and [`abi`] are below it, for those who keep compiled modules themselves. `gateway` and `cli` are the
//! HTTP server and the command line of the `fuelbox` program.
//!
//! # Layers
//! A file uses only files of lower layers (`tests/it/tidy.rs` checks it, and that this picture is whole):
//!
//! ```text
//! L0  base/limits base/limits/door base/limits/module base/limits/warm base/outcome module/names plugins/examples base/escape base/units base/digest plugins/signature module/leb128 module/edit plugins/beneath base module host sandbox plugins cli/commands cli/output
//! L1  sandbox/zeroing module/operators module/info
//! L1  base/error base/stopped sandbox/trap base/heap host/wasi/abi plugins/stats host/extism/memory host/extism/vars host/extism/http
//! L2  host/wasi/memory host/wasi/dir host/wasi/clock host/wasi/entropy host/streams host/guest_log
//! L2  module/code_limits
//! L2  sandbox/tail_calls
//! L3  module/code host/wasi/listing
//! L4  module/reader
//! L5  module/start_section
//! L6  module/rewrite
//! L4  host/wasi/files
//! L5  host/wasi/ctx
//! L6  host/store
//! L7  host/wasi host/wasi/process host/wasi/fd host/wasi/stat host/wasi/preopen host/wasi/path host/wasi/poll host/wasi/sock
//! L7  host/extism host/extism/calls
//! L8  host/linker
//! L9  sandbox/program
//! L10 sandbox/instance sandbox/parked
//! L11 sandbox/pool
//! L12 abi abi/numeric abi/packed abi/command abi/extism abi/reserved
//! L13 plugins/policy plugins/policy/file
//! L14 plugins/registry
//! L15 plugins/files
//! L16 plugins/folder
//! L17 plugins/deploy
//! L18 runner runner/path
//! L19 plugins/watch
//! L20 gateway gateway/connection gateway/connection/admit gateway/connection/buffers gateway/connection/conn
//! L20 gateway/connection/conns gateway/connection/counters gateway/connection/door gateway/connection/events gateway/connection/eviction
//! L20 gateway/connection/pending gateway/connection/phase gateway/connection/poll gateway/connection/read gateway/connection/write
//! L20 gateway/http gateway/http/authority gateway/http/chunked gateway/http/client gateway/http/conditions
//! L20 gateway/http/cookies gateway/http/forwarded gateway/http/head gateway/http/message gateway/http/print
//! L20 gateway/http/problem gateway/http/reject gateway/http/request_id gateway/http/route gateway/http/service
//! L20 gateway/http/tokens gateway/lock gateway/routes gateway/routes/access_log gateway/routes/cgi_request
//! L20 gateway/routes/cgi_response gateway/routes/console gateway/routes/counters gateway/routes/deployment gateway/routes/document
//! L20 gateway/routes/execute gateway/routes/exposition gateway/routes/listing gateway/routes/metrics gateway/routes/openapi
//! L20 gateway/routes/openapi/parts gateway/routes/service gateway/routes/status gateway/scheduling gateway/scheduling/admission
//! L20 gateway/scheduling/fair_queue gateway/scheduling/scheduler gateway/scheduling/share gateway/scheduling/task gateway/scheduling/task_lines
//! L20 gateway/server gateway/workers gateway/workers/lane gateway/workers/threads gateway/workers/worker
//! L21 cli cli/args cli/args/values cli/exit cli/help cli/target cli/commands/run cli/commands/call cli/commands/list cli/commands/inspect cli/commands/serve
//! L21 cli/guest_env cli/output/stdout cli/commands/health cli/commands/serve/service cli/args/flags cli/args/config cli/commands/check cli/site cli/commands/serve/budget cli/watchdog
//! L21 cli/output/logging cli/output/stderr cli/help/manual cli/help/completions cli/args/serve
//! ```
//!
//! # Invariants
//! The core knows no HTTP. Parsing flags does no I/O. Nothing is global but the log, and
//! the standard error that the program writes it to. Time, randomness and standard
//! streams are arguments. Nothing that a guest or a client sends can panic the host.
#![deny(unsafe_code)]
#![warn(missing_docs)]

pub mod abi;
pub mod base;
pub mod cli;
pub mod gateway;
pub mod host;
pub mod module;
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
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
