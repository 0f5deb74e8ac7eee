//! `wasi:cli`: arguments, environment, exit, the standard streams, and whether they are terminals.

use super::arguments::{Answer, own, u8, variant};
use super::stdio::{Nothing, Output, Stdin};
use super::stream::{InputStream, OutputStream};
use crate::host::component::function::{Fail, HostCall, Interface, Row};
use crate::host::component::table::Resource;
use crate::host::component::value::Value;
use crate::host::wasi::abi::filetype;

/// `wasi:cli/environment`.
pub const ENVIRONMENT: Interface = Interface {
    name: "wasi:cli/environment",
    types: "",
    rows: &[
        Row { name: "get-environment", ty: "() -> list<tuple<string, string>>", call: get_environment },
        Row { name: "get-arguments", ty: "() -> list<string>", call: get_arguments },
        Row { name: "initial-cwd", ty: "() -> option<string>", call: initial_cwd },
    ],
};

/// `wasi:cli/exit`.
pub const EXIT: Interface = Interface {
    name: "wasi:cli/exit",
    types: "",
    rows: &[
        Row { name: "exit", ty: "(status: result)", call: exit },
        Row { name: "exit-with-code", ty: "(status-code: u8)", call: exit_with_code },
    ],
};

/// `wasi:cli/stdin`.
pub const STDIN: Interface = Interface {
    name: "wasi:cli/stdin",
    types: "use wasi:io/streams.{input-stream};",
    rows: &[Row { name: "get-stdin", ty: "() -> own<input-stream>", call: get_stdin }],
};

/// `wasi:cli/stdout`.
pub const STDOUT: Interface = Interface {
    name: "wasi:cli/stdout",
    types: "use wasi:io/streams.{output-stream};",
    rows: &[Row { name: "get-stdout", ty: "() -> own<output-stream>", call: get_stdout }],
};

/// `wasi:cli/stderr`.
pub const STDERR: Interface = Interface {
    name: "wasi:cli/stderr",
    types: "use wasi:io/streams.{output-stream};",
    rows: &[Row { name: "get-stderr", ty: "() -> own<output-stream>", call: get_stderr }],
};

/// `wasi:cli/terminal-input`.
pub const TERMINAL_INPUT: Interface =
    Interface { name: "wasi:cli/terminal-input", types: "resource terminal-input;", rows: &[] };

/// `wasi:cli/terminal-output`.
pub const TERMINAL_OUTPUT: Interface =
    Interface { name: "wasi:cli/terminal-output", types: "resource terminal-output;", rows: &[] };

/// `wasi:cli/terminal-stdin`.
pub const TERMINAL_STDIN: Interface = Interface {
    name: "wasi:cli/terminal-stdin",
    types: "use wasi:cli/terminal-input.{terminal-input};",
    rows: &[Row {
        name: "get-terminal-stdin",
        ty: "() -> option<own<terminal-input>>",
        call: |call, _| terminal(call, 0, TerminalInput),
    }],
};

/// `wasi:cli/terminal-stdout`.
pub const TERMINAL_STDOUT: Interface = Interface {
    name: "wasi:cli/terminal-stdout",
    types: "use wasi:cli/terminal-output.{terminal-output};",
    rows: &[Row {
        name: "get-terminal-stdout",
        ty: "() -> option<own<terminal-output>>",
        call: |call, _| terminal(call, 1, TerminalOutput),
    }],
};

/// `wasi:cli/terminal-stderr`.
pub const TERMINAL_STDERR: Interface = Interface {
    name: "wasi:cli/terminal-stderr",
    types: "use wasi:cli/terminal-output.{terminal-output};",
    rows: &[Row {
        name: "get-terminal-stderr",
        ty: "() -> option<own<terminal-output>>",
        call: |call, _| terminal(call, 2, TerminalOutput),
    }],
};

/// That standard input is a terminal.
struct TerminalInput;
impl Resource for TerminalInput {}

/// That an output is a terminal.
struct TerminalOutput;
impl Resource for TerminalOutput {}

/// A string of this WASI. What a host passes on may be no UTF-8; what is not, is replaced.
fn text(bytes: &[u8]) -> Value {
    Value::String(String::from_utf8_lossy(bytes).into_owned())
}

fn get_environment(call: &mut HostCall<'_>, _args: &[Value]) -> Answer {
    let ctx = &mut *call.ctx;
    let entry = |entry: &Vec<u8>| {
        let name = entry.iter().position(|byte| *byte == b'=').unwrap_or(entry.len());
        Value::Record(vec![text(&entry[..name]), text(entry.get(name + 1..).unwrap_or_default())])
    };
    let entries: Vec<Value> = ctx.env.iter().map(entry).collect();
    ctx.moved_bytes += ctx.env.iter().map(|entry| entry.len() as u64).sum::<u64>();
    ctx.extra_fuel += entries.len() as u64;
    Ok(Some(Value::List(entries)))
}

fn get_arguments(call: &mut HostCall<'_>, _args: &[Value]) -> Answer {
    let ctx = &mut *call.ctx;
    let args: Vec<Value> = ctx.args.iter().map(|arg| text(arg)).collect();
    ctx.moved_bytes += ctx.args.iter().map(|arg| arg.len() as u64).sum::<u64>();
    ctx.extra_fuel += args.len() as u64;
    Ok(Some(Value::List(args)))
}

/// A guest has no place of its own among its directories.
fn initial_cwd(_call: &mut HostCall<'_>, _args: &[Value]) -> Answer {
    Ok(Some(Value::NONE))
}

fn exit(_call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    let (case, _) = variant(args, 0)?;
    Err(Fail::Exit(u32::from(case != 0)))
}

fn exit_with_code(_call: &mut HostCall<'_>, args: &[Value]) -> Answer {
    Err(Fail::Exit(u32::from(u8(args, 0)?)))
}

/// Of a request that is answered by `wasi:http`, standard input is the body.
fn get_stdin(call: &mut HostCall<'_>, _args: &[Value]) -> Answer {
    let stream = if call.ctx.http.is_some() { InputStream::new(Nothing) } else { InputStream::new(Stdin) };
    Ok(Some(own(call.table.push(stream)?)))
}

/// Of a request that is answered by `wasi:http`, standard output is the response: what is printed goes to standard error.
fn get_stdout(call: &mut HostCall<'_>, _args: &[Value]) -> Answer {
    let to = if call.ctx.http.is_some() { Output::Stderr } else { Output::Stdout };
    Ok(Some(own(call.table.push(OutputStream::new(to))?)))
}

fn get_stderr(call: &mut HostCall<'_>, _args: &[Value]) -> Answer {
    Ok(Some(own(call.table.push(OutputStream::new(Output::Stderr))?)))
}

/// `what`, if the standard stream `stream` is a terminal.
fn terminal(call: &mut HostCall<'_>, stream: usize, what: impl Resource) -> Answer {
    if call.ctx.stream_types[stream] != filetype::CHARACTER_DEVICE {
        return Ok(Some(Value::NONE));
    }
    Ok(Some(Value::some(own(call.table.push(what)?))))
}
