//! HTTP outwards: what guests may call, in threads, in processes and from the command line, and what servers can do to them.

mod attacks;
mod commands;
#[cfg(feature = "component")]
mod component;
mod experimental;
mod limits;
mod policies;
mod requests;
mod server;
mod tls;

use crate::support::wat;
use fuelbox::{
    Call, Convention, GuestEnv, HttpAllowList, Limits, Program, Report, Runner, RunnerConfig, Stop,
};
use server::Upstream;

/// A plug-in for Extism. Its input is the description of a request, as JSON. `ask` gives the response's body, `headers` its
/// header fields, `status` fails with its status, `post` sends its input as the body, `again` asks until it is stopped.
pub const GUEST: &str = r#"(module
    (import "extism:host/env" "input_offset" (func $input (result i64)))
    (import "extism:host/env" "length" (func $length (param i64) (result i64)))
    (import "extism:host/env" "output_set" (func $output (param i64 i64)))
    (import "extism:host/env" "free" (func $free (param i64)))
    (import "extism:host/env" "http_request" (func $http (param i64 i64) (result i64)))
    (import "extism:host/env" "http_status_code" (func $status (result i32)))
    (import "extism:host/env" "http_headers" (func $headers (result i64)))
    (memory (export "memory") 1)
    (func $give (param $block i64) (result i32)
        (call $output (local.get $block) (call $length (local.get $block))) (i32.const 0))
    (func (export "ask") (result i32) (call $give (call $http (call $input) (i64.const 0))))
    (func (export "post") (result i32) (call $give (call $http (call $input) (call $input))))
    (func (export "headers") (result i32)
        (drop (call $http (call $input) (i64.const 0))) (call $give (call $headers)))
    (func (export "status") (result i32)
        (drop (call $http (call $input) (i64.const 0))) (call $status))
    (func (export "before") (result i32)
        (i32.or (call $status) (i32.wrap_i64 (call $headers))))
    (func (export "again") (result i32)
        (loop $next (call $free (call $http (call $input) (i64.const 0))) (br $next)) (unreachable)))"#;

/// The description of a GET request.
pub fn get(url: &str) -> String {
    format!(r#"{{"url": "{url}"}}"#)
}

/// Runs `func` of [`GUEST`] in this process.
pub fn run(list: &[&str], limits: &Limits, func: &str, input: &str) -> Report<Vec<u8>> {
    run_with(list, limits, GuestEnv::default(), (func, input))
}

pub fn run_with(
    list: &[&str],
    limits: &Limits,
    env: GuestEnv,
    (func, input): (&str, &str),
) -> Report<Vec<u8>> {
    let program = Program::compile("guest", &wat(GUEST), limits).unwrap();
    let runner = Runner::new(RunnerConfig { limits: limits.clone(), ..RunnerConfig::default() }).unwrap();
    let guest_env = GuestEnv { http: HttpAllowList::new(list).unwrap(), ..env };
    let call = Call::bytes(func, input).convention(Convention::Extism).guest_env(guest_env);
    runner.run(&program, call).unwrap()
}

/// Asks for one URL; the body, or the words of the trap.
pub fn ask(list: &[&str], url: &str) -> Result<String, String> {
    text(run(list, &Limits::default(), "ask", &get(url)))
}

pub fn text(report: Report<Vec<u8>>) -> Result<String, String> {
    match report.result {
        Ok(body) => Ok(String::from_utf8_lossy(&body).into_owned()),
        Err(Stop::Trap(what)) => Err(what),
        Err(other) => Err(format!("{other:?}")),
    }
}

#[test]
fn a_plugin_gets_the_response_of_a_url_that_is_allowed() {
    let upstream =
        Upstream::answering(b"HTTP/1.1 201 Made\r\nContent-Length: 5\r\nX-One: a\r\nx-one: b\r\n\r\nhello");
    let list = [&*upstream.pattern("/v1/*")];
    let url = upstream.url("/v1/x?y=z");
    assert_eq!(ask(&list, &url), Ok("hello".into()));
    let asked = upstream.requests();
    assert_eq!(asked.len(), 1);
    assert!(asked[0].starts_with("GET /v1/x?y=z HTTP/1.1\r\n"), "{}", asked[0]);
    let head = asked[0].to_lowercase();
    assert!(head.contains(&format!("\r\nhost: {}\r\n", upstream.address)), "{head}");
    assert!(head.contains(&format!("\r\nuser-agent: fuelbox/{}\r\n", env!("CARGO_PKG_VERSION"))), "{head}");
    assert!(!head.contains("accept-encoding") && !head.contains("cookie") && !head.contains("authorization"));
    let limits = Limits::default();
    let status = run(&list, &limits, "status", &get(&url)).result;
    assert!(matches!(status, Err(Stop::Failed { code: 201, .. })), "{status:?}");
    let headers = run(&list, &limits, "headers", &get(&url)).result.unwrap();
    let headers: serde_json::Value = serde_json::from_slice(&headers).unwrap();
    assert_eq!((&headers["x-one"], &headers["content-length"]), (&"a, b".into(), &"5".into()));
    // Nothing was asked for yet.
    assert_eq!(run(&list, &limits, "before", "").result, Ok(Vec::new()));
}

#[test]
fn a_status_that_tells_of_an_error_is_a_response() {
    for status in [204, 304, 404, 500] {
        let upstream =
            Upstream::answering(format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n").as_bytes());
        let ran =
            run(&[&upstream.pattern("/*")], &Limits::default(), "status", &get(&upstream.url("/"))).result;
        assert!(matches!(ran, Err(Stop::Failed { code, .. }) if code == status), "{ran:?}");
    }
}

#[test]
fn nothing_is_allowed_by_default() {
    let upstream = Upstream::answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno");
    let refused = ask(&[], &upstream.url("/")).unwrap_err();
    assert!(refused.contains("`http`") && refused.contains("--allow-http"), "{refused}");
    let refused = ask(&[&upstream.pattern("/v1/*")], &upstream.url("/v2/")).unwrap_err();
    assert!(refused.contains("is not allowed") && refused.contains("/v2/"), "{refused}");
    assert!(upstream.requests().is_empty());
}

#[test]
fn a_reproducible_run_makes_no_calls() {
    let program = Program::compile("guest", &wat(GUEST), &Limits::default()).unwrap();
    let runner = Runner::new(RunnerConfig::default()).unwrap();
    let guest_env = GuestEnv {
        http: HttpAllowList::new(["https://a.example/*"]).unwrap(),
        seed: Some(0),
        ..GuestEnv::default()
    };
    let error = runner.run(&program, Call::bytes("ask", "").guest_env(guest_env)).unwrap_err();
    assert!(error.to_string().contains("reproducible"), "{error}");
}
