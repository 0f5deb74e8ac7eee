//! Components for `wasi:http`, behind the gateway and on the command line.

mod guest;
mod served;
mod wat;

use crate::support::{Server, TempDir, runner_config};
use fuelbox::{Invocation, Limits, Program, Runner, RunnerConfig, Stdin, Stop};

/// A component whose handler has this body. The locals `$request` and `$out` are the handles that it is given; see `wat.rs`
/// for what it can call.
fn handler(body: &str) -> Vec<u8> {
    crate::support::wat(&wat::HANDLER.replace("BODY", body).replace("EXPORTS", ""))
}

/// A gateway with these plug-ins, and policies for those that have one.
fn serve(plugins: &[(&str, &[u8])], policies: &[(&str, &str)], limits: Limits) -> (Server, TempDir) {
    let dir = TempDir::new();
    for (name, wasm) in plugins {
        dir.write(&format!("{name}.wasm"), wasm);
    }
    for (name, policy) in policies {
        dir.write(&format!("{name}.toml"), policy);
    }
    let runner = Runner::new(RunnerConfig { limits, ..runner_config() }).unwrap();
    let changes = runner.load_plugins(&dir.0).unwrap();
    assert!(changes.failed.is_empty(), "{changes:?}");
    (Server::with(runner), dir)
}

/// Runs a component with these variables, without a gateway.
fn run(wasm: &[u8], env: &[(&str, &str)], stdin: &[u8]) -> Result<String, Stop> {
    let runner = Runner::new(RunnerConfig::default()).unwrap();
    let program = Program::compile("test", wasm, &Limits::default()).unwrap();
    let mut invocation = Invocation { stdin: Stdin::Bytes(stdin.to_vec()), ..Invocation::default() };
    invocation.guest_env.env = env.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    runner.run(&program, invocation).unwrap().result.map(|out| String::from_utf8(out).unwrap())
}
