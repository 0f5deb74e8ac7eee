//! Components for `wasi:http`, behind the gateway and on the command line.

mod guest;
mod hostile;
mod served;
mod streamed;
mod trailers;
mod wat;

use crate::support::{Server, TempDir, fuelbox_program, prebuilt, runner_config};
use fuelbox::base::limits::DoorLimits;
use fuelbox::{Invocation, Isolation, Limits, Program, Runner, RunnerConfig, Stdin, Stop};

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

/// Gateways whose guests run in threads, and in processes, with `http-stream` as `s`, and as `warm` with one warm instance.
fn streams(limits: &Limits, door: &DoorLimits) -> [(Server, TempDir); 2] {
    [false, true].map(|is_isolated| {
        let dir = TempDir::new();
        let guest = std::fs::read(prebuilt("http-stream.wasm")).unwrap();
        dir.write("s.wasm", &guest);
        dir.write("warm.wasm", &guest);
        dir.write("warm.toml", "warm = 1\n");
        let isolation = is_isolated.then(|| Isolation::with_program(fuelbox_program()));
        let limits = limits.clone();
        let runner = Runner::new(RunnerConfig { limits, isolation, ..RunnerConfig::default() }).unwrap();
        let changes = runner.load_plugins(&dir.0).unwrap();
        assert!(changes.failed.is_empty(), "{changes:?}");
        (Server::with_door(runner, door.clone()), dir)
    })
}

/// How many requests for `plugin` had this outcome.
fn outcomes(server: &Server, plugin: &str, outcome: &str) -> u64 {
    let line = format!("fuelbox_requests_total{{plugin=\"{plugin}\",outcome=\"{outcome}\"}} ");
    let metrics = server.send("GET", "/metrics", b"").text();
    metrics.lines().find_map(|text| text.strip_prefix(&line)).map_or(0, |count| count.parse().unwrap())
}

/// Runs a component with these variables, without a gateway.
fn run(wasm: &[u8], env: &[(&str, &str)], stdin: &[u8]) -> Result<String, Stop> {
    let runner = Runner::new(RunnerConfig::default()).unwrap();
    let program = Program::compile("test", wasm, &Limits::default()).unwrap();
    let mut invocation = Invocation { stdin: Stdin::Bytes(stdin.to_vec()), ..Invocation::default() };
    invocation.guest_env.env = env.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    runner.run(&program, invocation).unwrap().result.map(|out| String::from_utf8(out).unwrap())
}
