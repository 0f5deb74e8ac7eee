//! All integration tests, in one binary: one module for each behaviour.

mod access_log;
mod attack;
mod cases;
mod cgi;
mod cgi_programs;
mod cli;
mod cli_args;
mod cli_streams;
mod command;
mod deadline;
mod fuel;
mod gateway;
mod guest;
mod guests;
mod http1;
mod http1_property;
mod load;
mod memory;
mod numeric;
mod packed;
mod plugins;
mod programs;
mod reload;
mod runner;
mod signals;
mod stack;
mod start;
mod straight;
#[allow(dead_code)]
mod support;
mod table;
mod tidy;
mod wasi;
mod wasi_linked;
mod wasi_world;
