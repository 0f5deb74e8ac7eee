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
//! L0  base/limits base/limits/door base/limits/module base/limits/warm base/outcome module/names plugins/examples base/escape base/units base/digest plugins/signature module/leb128 module/edit plugins/beneath base module host sandbox plugins cli/commands cli/output gateway/http gateway/connection gateway/workers gateway/routes
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
//! L20 gateway gateway/http/message gateway/http/problem gateway/http/http1 gateway/workers/lane gateway/connection/conn gateway/routes/execute
//! L20 gateway/workers/admission gateway/connection/reply gateway/workers/scheduler gateway/connection/event_loop gateway/workers/worker gateway/connection/write
//! L20 gateway/server gateway/routes/cgi_request gateway/routes/cgi_response gateway/connection/pending gateway/http/tokens gateway/http/request_id
//! L20 gateway/routes/counters gateway/routes/metrics gateway/routes/status gateway/connection/eviction gateway/routes/deployment gateway/workers/places gateway/routes/conditions
//! L20 gateway/routes/console gateway/routes/listing gateway/routes/openapi gateway/routes/openapi/parts gateway/http/authority gateway/http/chunked
//! L20 gateway/http/cookies
//! L20 gateway/connection/client gateway/connection/forwarded gateway/connection/share gateway/connection/conns gateway/connection/state gateway/connection/phase gateway/workers/lines
//! L20 gateway/workers/queue gateway/connection/events gateway/connection/incoming gateway/workers/threads
//! L21 cli/exit cli/output/stderr cli/output/stdout cli/args cli/help cli/commands/serve cli/help/completions cli/args/table
//! L21 cli/args/table/flag cli/args/values cli/args/near
//! L22 cli/failure cli/args/command cli/args/table/commands cli/args/table/limits cli/args/table/other cli/args/table/serve
//! L22 cli/args/table/clients
//! L23 cli/args/table/lookup cli/output/messages
//! L24 cli/args/words cli/help/completions/words cli/help/text cli/help/manual cli/target cli/site cli/guest_env
//! L24 cli/output/logging
//! L25 cli/watchdog cli/args/flags cli/help/completions/bash cli/help/completions/zsh cli/help/completions/fish
//! L26 cli/args/serve cli/help/completions/script
//! L27 cli/args/parse
//! L28 cli/args/config
//! L29 cli/commands/run cli/commands/call cli/commands/list cli/commands/inspect cli/commands/check cli/commands/health cli/commands/serve/budget cli/commands/serve/service
//! L30 cli/commands/serve/lifecycle
//! L31 cli
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
