//! Plug-ins for Extism in several languages, made with its development kits or by hand: they do the same here.
//! `scripts/extism-compare.sh` runs them under Extism's own host as well.

use crate::plain::PlainResults;
use crate::programs::large;
use crate::support::{Server, TempDir, deadline_ms, fuelbox, fuelbox_program, prebuilt, wat};
use fuelbox::abi::{Job, call_bytes};
use fuelbox::base::limits::WarmLimits;
use fuelbox::host::streams::SinkTo;
use fuelbox::{GuestEnv, Limits, Program, Report, Runner, RunnerConfig, Stop};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The plug-ins that are there.
fn plugins() -> Vec<(&'static str, PathBuf)> {
    let mut plugins: Vec<_> = ["extism-rust", "extism-as", "extism-c", "extism-zig"]
        .map(|name| (name, prebuilt(&format!("{name}.wasm"))))
        .into();
    plugins.extend(large("extism-go").map(|path| ("extism-go", path)));
    plugins
}

fn call(program: &Program, guest_env: GuestEnv, func: &str, input: &[u8]) -> Report<Vec<u8>> {
    // Go's takes a second for a megabyte where nothing is optimised.
    let limits = deadline_ms(60_000);
    let job = Job {
        program,
        limits: &limits,
        stdout: SinkTo::log("test"),
        stderr: SinkTo::log("test"),
        guest_env,
        warm: None,
        when_long: None,
    };
    call_bytes(job, func, input, None).unwrap()
}

fn load(path: &Path) -> Program {
    Program::compile("test", &std::fs::read(path).unwrap(), &Limits::default()).unwrap()
}

fn counted(output: &[u8]) -> Value {
    serde_json::from_slice(output).unwrap()
}

#[test]
fn each_counts_vowels_as_extisms_documentation_has_it() {
    for (name, path) in plugins() {
        let program = load(&path);
        let output = call(&program, GuestEnv::default(), "count_vowels", b"Hello, World!").result.unwrap();
        assert_eq!(counted(&output), json!({"count": 3, "total": 3, "vowels": "aeiouAEIOU"}), "{name}");
        let config = vec![("vowels".into(), "lo".into()), ("other".into(), "e".into())];
        let guest_env = GuestEnv { config, ..GuestEnv::default() };
        let output = call(&program, guest_env, "count_vowels", b"Hello, World!").result.unwrap();
        assert_eq!(counted(&output), json!({"count": 5, "total": 5, "vowels": "lo"}), "{name}");
    }
}

#[test]
fn variables_last_as_long_as_the_instance() {
    for (name, path) in plugins() {
        let dir = TempDir::new();
        dir.write("plugin.wasm", std::fs::read(&path).unwrap());
        for (instances, totals) in [(0, [3, 3, 3]), (1, [3, 6, 9])] {
            let warm = WarmLimits { instances, ..WarmLimits::default() };
            let runner = Runner::new(RunnerConfig { warm, ..crate::support::runner_config() }).unwrap();
            runner.load_plugins(&dir.0).unwrap();
            let found = [(); 3].map(|()| {
                let output = runner.bytes("plugin", "count_vowels", "Hello, World!").unwrap();
                counted(&output)["total"].as_i64().unwrap()
            });
            assert_eq!(found, totals, "{name} with {instances} instances");
        }
    }
}

#[test]
fn each_takes_a_megabyte_of_input() {
    let input: Vec<u8> = (0..1_048_576_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let reversed: Vec<u8> = input.iter().rev().copied().collect();
    for (name, path) in plugins() {
        let program = load(&path);
        let output = call(&program, GuestEnv::default(), "reverse", &input).result.unwrap();
        assert!(output == reversed, "{name}");
        // Words and what is left of them.
        for len in [0, 1, 7, 8, 9, 17] {
            let output = call(&program, GuestEnv::default(), "reverse", &input[..len]).result.unwrap();
            assert_eq!(output, reversed[reversed.len() - len..], "{name}, {len} bytes");
        }
    }
}

#[test]
fn each_fails_with_its_own_words() {
    for (name, path) in plugins() {
        let report = call(&load(&path), GuestEnv::default(), "fail", b"that");
        let expected = Stop::Failed { code: 3, message: "no use for: that".into() };
        assert_eq!(report.result, Err(expected), "{name}");
    }
}

#[test]
fn each_is_reproducible() {
    for (name, path) in plugins() {
        let program = load(&path);
        let guest_env = || GuestEnv { seed: Some(7), ..GuestEnv::default() };
        let run = || call(&program, guest_env(), "count_vowels", b"aei");
        let (first, second) = (run(), run());
        assert_eq!(first.result, second.result, "{name}");
        assert_eq!(first.usage.fuel, second.usage.fuel, "{name}");
    }
}

/// What `fuelbox call MODULE tell` writes to its log under `filter`.
fn told(module: &Path, filter: &str) -> String {
    let mut command = Command::new(fuelbox_program());
    command.args(["call".as_ref(), module.as_os_str(), "tell".as_ref(), "--data".as_ref(), "hey".as_ref()]);
    let output = command.env("RUST_LOG", filter).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn what_they_log_is_in_the_log_with_its_level() {
    for (name, path) in plugins() {
        let log = told(&path, "fuelbox::guest=info");
        let lines: Vec<&str> = log.lines().collect();
        assert_eq!(lines.len(), 2, "{name}: {log}");
        for (line, level) in lines.iter().zip(["INFO", "WARN"]) {
            assert!(line.contains(level) && line.contains("fuelbox::guest: "), "{name}: {line}");
            assert!(line.contains(&format!("{name}.wasm: hey")), "{name}: {line}");
        }
        assert_eq!(told(&path, "fuelbox::guest=warn").lines().count(), 1, "{name}");
        assert_eq!(told(&path, "off"), "", "{name}");
    }
}

#[test]
fn a_start_beside_functions_makes_no_program_of_a_plugin() {
    let source = r#"(module (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
        (import "extism:host/env" "input_offset" (func $input (result i64)))
        (memory (export "memory") 1)
        (func (export "_start") (unreachable))
        (func (export "echo") (result i32) (call $output_set (call $input) (i64.const 3)) (i32.const 0)))"#;
    let dir = TempDir::new();
    let path = dir.write("plugin.wasm", wat(source));
    let runner = Runner::new(crate::support::runner_config()).unwrap();
    runner.load_plugins(&dir.0).unwrap();
    let server = Server::with(runner);
    let reply = server.send("POST", "/execute/plugin?func=echo", b"abc");
    assert_eq!((reply.status, reply.text().as_str()), (200, "abc"));
    // It is for the runtime; only `run` calls it.
    let reply = server.send("POST", "/execute/plugin?func=_start", b"abc");
    assert_eq!((reply.status, reply.problem().as_str()), (404, "no-such-function"));
    fuelbox(&["run", path.to_str().unwrap()]).expect(121);
}

#[test]
fn over_http_the_body_is_the_input_and_an_error_is_a_problem() {
    let runner = Runner::new(crate::support::runner_config()).unwrap();
    runner.load_plugins(prebuilt("")).unwrap();
    let server = Server::with(runner);
    let reply = server.send("POST", "/execute/extism-c?func=reverse", b"\x00\xffabc");
    assert_eq!((reply.status, &reply.body[..]), (200, &b"cba\xff\x00"[..]));
    assert_eq!(reply.header("content-type"), Some("application/octet-stream"));
    assert!(reply.header("fuel-used").is_some());
    let reply = server.send("POST", "/execute/extism-c?func=fail", b"that\nthing");
    assert_eq!((reply.status, reply.problem().as_str()), (500, "plugin-error"));
    let problem: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(problem["detail"], "no use for: that\nthing");
    let reply = server.send("POST", "/execute/extism-edges?func=code_only", b"");
    let problem: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(problem["detail"], "plug-in failed with code 7, and gave no message");
    let listed = server.send("GET", "/plugins", b"").text();
    assert!(listed.contains(r#"{"name":"count_vowels","signature":"() -> i32","convention":"extism"}"#));
}
