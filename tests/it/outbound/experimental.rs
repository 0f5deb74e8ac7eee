//! `wasi_experimental_http`.

use super::server::{Upstream, ok};
use crate::support::wat;
use fuelbox::{Call, GuestEnv, HttpAllowList, Limits, Program, Runner, RunnerConfig, Value};

/// `run(method)` sends POST (or what `method` points to) with a body and a header; it gives the error number, or what `CHECK`
/// makes of the response, whose handle is at 1028.
const GUEST: &str = r#"(module
    (import "wasi_experimental_http" "req" (func $req (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
    (import "wasi_experimental_http" "close" (func $close (param i32) (result i32)))
    (import "wasi_experimental_http" "header_get" (func $header (param i32 i32 i32 i32 i32 i32) (result i32)))
    (import "wasi_experimental_http" "headers_get_all" (func $headers (param i32 i32 i32 i32) (result i32)))
    (import "wasi_experimental_http" "body_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "URL")
    (data (i32.const 512) "POST") (data (i32.const 520) "x-mine: 1\nx-two:2\n") (data (i32.const 560) "sent")
    (data (i32.const 570) "X-Answer") (data (i32.const 600) "G T") (data (i32.const 610) "no colon")
    (func $send (result i32) (call $req (i32.const 0) (i32.const LENGTH) (i32.const 512) (i32.const 4)
        (i32.const 520) (i32.const 18) (i32.const 560) (i32.const 4) (i32.const 1024) (i32.const 1028)))
    (func (export "sent") (result i32) (call $send))
    (func (export "status") (result i32) (drop (call $send)) (i32.load16_u (i32.const 1024)))
    (func (export "handle") (result i32) (drop (call $send)) (i32.load (i32.const 1028)))
    (func (export "second") (result i32) (drop (call $send)) (drop (call $send)) (i32.load (i32.const 1028)))
    (func (export "header") (result i32) (drop (call $send))
        (if (call $header (i32.load (i32.const 1028)) (i32.const 570) (i32.const 8) (i32.const 2048) (i32.const 3) (i32.const 1032))
            (then (unreachable)))
        (i32.add (i32.mul (i32.load (i32.const 1032)) (i32.const 1000)) (i32.load8_u (i32.const 2050))))
    (func (export "short") (result i32) (drop (call $send))
        (call $header (i32.load (i32.const 1028)) (i32.const 570) (i32.const 8) (i32.const 2048) (i32.const 2) (i32.const 1032)))
    (func (export "missing") (result i32) (drop (call $send))
        (call $header (i32.load (i32.const 1028)) (i32.const 571) (i32.const 7) (i32.const 2048) (i32.const 99) (i32.const 1032)))
    (func (export "all") (result i32) (drop (call $send))
        (if (call $headers (i32.load (i32.const 1028)) (i32.const 2048) (i32.const 999) (i32.const 1032)) (then (unreachable)))
        (i32.load (i32.const 1032)))
    (func (export "body") (result i32) (local $sum i32) (drop (call $send))
        (loop $next
            (if (call $read (i32.load (i32.const 1028)) (i32.const 2048) (i32.const 3) (i32.const 1032)) (then (unreachable)))
            (local.set $sum (i32.add (i32.mul (local.get $sum) (i32.const 10)) (i32.load (i32.const 1032))))
            (br_if $next (i32.load (i32.const 1032))))
        (local.get $sum))
    (func (export "closed") (result i32) (drop (call $send))
        (if (call $close (i32.load (i32.const 1028))) (then (unreachable)))
        (if (call $close (i32.load (i32.const 1028))) (then (unreachable)))
        (call $read (i32.load (i32.const 1028)) (i32.const 2048) (i32.const 3) (i32.const 1032)))
    (func (export "method") (result i32) (call $req (i32.const 0) (i32.const LENGTH) (i32.const 600) (i32.const 3)
        (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1024) (i32.const 1028)))
    (func (export "lines") (result i32) (call $req (i32.const 0) (i32.const LENGTH) (i32.const 512) (i32.const 4)
        (i32.const 610) (i32.const 8) (i32.const 0) (i32.const 0) (i32.const 1024) (i32.const 1028)))
    (func (export "outside") (result i32) (call $req (i32.const 0) (i32.const LENGTH) (i32.const 512) (i32.const 4)
        (i32.const 0) (i32.const 0) (i32.const 65530) (i32.const 99) (i32.const 1024) (i32.const 1028)))
    (func (export "out") (result i32) (call $req (i32.const 0) (i32.const LENGTH) (i32.const 512) (i32.const 4)
        (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1024) (i32.const 65533)))
    (func (export "nothing") (result i32) (call $req (i32.const 700) (i32.const 3) (i32.const 512) (i32.const 4)
        (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1024) (i32.const 1028)))
    (func (export "many") (result i32) (local $n i32)
        (loop $next (local.set $n (i32.add (local.get $n) (i32.const 1))) (br_if $next (i32.eqz (call $send))))
        (i32.add (i32.mul (local.get $n) (i32.const 100)) (call $send))))"#;

fn run(upstream: &Upstream, pattern: &str, func: &str) -> i32 {
    let url = upstream.url("/x");
    let source = GUEST.replace("URL", &url).replace("LENGTH", &url.len().to_string());
    let limits = Limits { http_calls: 4, ..Limits::default() };
    let program = Program::compile("guest", &wat(&source), &limits).unwrap();
    let runner = Runner::new(RunnerConfig { limits, ..RunnerConfig::default() }).unwrap();
    let guest_env = GuestEnv { http: HttpAllowList::new([pattern]).unwrap(), ..GuestEnv::default() };
    let report = runner.run(&program, Call::values(func, &[]).guest_env(guest_env)).unwrap();
    match report.result.as_deref() {
        Ok([Value::I32(number)]) => *number,
        other => panic!("{func}: {other:?}"),
    }
}

#[test]
fn each_function_does_what_wagis_does() {
    let upstream = Upstream::of(|_| ok("1234567").replace("OK\r\n", "OK\r\nX-Answer: abc\r\n"));
    let pattern = upstream.pattern("/*");
    for (func, expected) in [
        ("sent", 0),
        ("status", 200),
        ("handle", 0),
        ("second", 1),
        // Three bytes, the last of which is `c`.
        ("header", 3_099),
        ("short", 4),
        ("missing", 5),
        // `content-length:7` and `x-answer:abc`, in whatever order.
        ("all", 30),
        ("body", 3_310),
        ("closed", 1),
    ] {
        assert_eq!(run(&upstream, &pattern, func), expected, "{func}");
    }
    let request = upstream.requests().remove(0);
    let head = request.to_lowercase();
    assert!(request.starts_with("POST /x HTTP/1.1\r\n") && request.ends_with("\r\n\r\nsent"), "{request}");
    assert!(head.contains("\r\nx-mine: 1\r\n") && head.contains("\r\nx-two: 2\r\n"), "{request}");
}

#[test]
fn what_is_wrong_has_its_number() {
    let upstream = Upstream::of(|_| ok("x"));
    let pattern = upstream.pattern("/*");
    for (func, number) in [("method", 8), ("lines", 9), ("outside", 3), ("out", 3), ("nothing", 10)] {
        assert_eq!(run(&upstream, &pattern, func), number, "{func}");
    }
    assert_eq!(run(&upstream, "https://a.example/*", "sent"), 7);
    assert!(upstream.requests().is_empty());
    // Four calls, and then no more sessions.
    assert_eq!(run(&upstream, &pattern, "many"), 513);
    assert_eq!(upstream.requests().len(), 4);
    let broken = Upstream::of(|_| "rubbish".into());
    assert_eq!(run(&broken, &broken.pattern("/*"), "sent"), 11);
}
