//! All integration tests, in one binary: one module for each behaviour.

/// As the program has it.
#[global_allocator]
static ALLOCATOR: fuelbox::ZeroingAllocator<std::alloc::System> =
    fuelbox::ZeroingAllocator(std::alloc::System);

mod access_log;
mod attack;
mod benchmarks;
mod cancel;
mod cases;
mod cgi;
mod cgi_programs;
mod chance;
mod cli;
mod cli_args;
mod cli_args_serve;
#[cfg(feature = "manual")]
mod cli_completions;
mod cli_habits;
#[cfg(feature = "manual")]
mod cli_manual;
mod cli_streams;
mod cli_table;
mod client_timeout;
mod clients;
mod clients_bytes;
mod clients_proxy;
mod command;
#[cfg(feature = "component")]
mod component;
mod config;
mod confine;
mod confined_runs;
#[cfg(feature = "console")]
mod console;
mod deadline;
mod deploy;
mod deploy_attacks;
mod deploy_client;
mod deploy_kill;
mod docs;
#[cfg(unix)]
mod docs_commands;
mod drain;
mod extism;
mod extism_attacks;
mod extism_guests;
mod extism_manifest;
mod failures;
mod file_size;
#[cfg(feature = "nats")]
mod fleet;
mod fuel;
mod gateway;
mod guest;
mod guest_headers;
mod guests;
mod half_written;
mod handler;
mod health;
mod host_functions;
mod http;
mod http1;
mod http1_property;
mod http_rules;
mod isolation;
mod isolation_findings;
mod isolation_memory;
mod isolation_serve;
mod large_modules;
mod left_out;
mod leftovers;
mod library_examples;
mod links;
mod listing;
mod little_memory;
mod load;
mod log_format;
mod log_share;
mod log_stall;
mod memory;
mod metrics;
mod nan;
mod numeric;
mod offered;
#[cfg(feature = "openapi")]
mod openapi;
#[cfg(feature = "http")]
mod outbound;
mod packed;
mod packed_errors;
mod plain;
mod plugins;
mod policy;
mod policy_dirs;
mod policy_extism;
mod policy_gone;
mod programs;
mod quantity;
mod ready;
mod reload;
mod replicas;
mod request_id;
mod rewrite;
mod routes;
mod runner;
mod service;
mod shares;
mod shown_names;
mod signals;
mod signatures;
mod site;
mod skip;
mod soak;
mod spares;
mod stack;
mod start;
mod straight;
mod supply;
#[allow(dead_code)]
mod support;
mod table;
mod tidy;
mod tokens;
mod trace;
#[cfg(feature = "dwarf")]
mod trace_dwarf;
mod trace_oracle;
mod trace_profile;
mod upstream;
mod versions;
mod warm;
mod wasi;
mod wasi_again;
mod wasi_dirs;
mod wasi_escape;
mod wasi_linked;
mod wasi_panic;
mod wasi_pointers;
mod wasi_poll;
mod wasi_quota;
mod wasi_random;
mod wasi_readdir;
mod wasi_unstable;
mod wasi_wait;
mod wasi_world;
