//! `--allow-http` of `run` and `call`.

use super::server::{Upstream, ok};
use super::{GUEST, get};
use crate::support::{TempDir, fuelbox_command, fuelbox_in, wat};
use std::time::Duration;

/// What `fuelbox call` with these flags gives.
fn call(flags: &[&str], func: &str, input: &str) -> crate::support::Ran {
    let dir = TempDir::new();
    dir.write("guest.wasm", wat(GUEST));
    fuelbox_in(&dir.0, &[&["call"], flags, &["guest.wasm", func, "--data", input]].concat(), b"")
}

#[test]
fn a_call_goes_out_of_a_confined_process() {
    let upstream = Upstream::of(|request| ok(request.split_once("\r\n\r\n").map_or("", |(_, body)| body)));
    let other = Upstream::of(|_| ok("other"));
    for confine in ["on", "off"] {
        let pattern = upstream.pattern("/v1/*");
        let flags = ["--confine", confine, "--allow-http", &pattern, "--allow-http", "https://a.example/*"];
        let input = get(&upstream.url("/v1/x")).replace('}', r#", "method": "POST"}"#);
        assert_eq!(call(&flags, "post", &input).expect(0).text(), input);
        let ran = call(&flags, "ask", &get(&upstream.url("/v2/"))).expect(121);
        assert!(ran.stderr.contains("is not allowed"), "{}", ran.stderr);
        let ran = call(&flags, "ask", &get(&other.url("/v1/"))).expect(121);
        assert!(ran.stderr.contains("is not allowed"), "{}", ran.stderr);
        let more = [&flags[..], &["--http-calls", "2"]].concat();
        let before = upstream.requests().len();
        let ran = call(&more, "again", &get(&upstream.url("/v1/"))).expect(121);
        assert!(ran.stderr.contains("--http-calls allows, which is 2"), "{}", ran.stderr);
        assert_eq!(upstream.requests().len(), before + 2);
        let ran = call(&[&flags[..], &["--max-output", "10"]].concat(), "post", &input).expect(121);
        assert!(ran.stderr.contains("--max-output allows, which is 10"), "{}", ran.stderr);
    }
    assert!(other.requests().is_empty());
    let ran = call(&[], "ask", &get(&upstream.url("/v1/x"))).expect(121);
    assert!(ran.stderr.contains("HTTP requests are not allowed"), "{}", ran.stderr);
}

#[test]
fn a_slow_server_ends_with_the_deadline() {
    let slow = Upstream::with(|_, _| std::thread::sleep(std::time::Duration::from_secs(30)));
    for confine in ["on", "off"] {
        let pattern = slow.pattern("/*");
        let flags = ["--confine", confine, "--allow-http", &pattern, "--timeout", "300ms"];
        let ran = call(&flags, "ask", &get(&slow.url("/"))).expect(124);
        assert!(ran.stderr.contains("deadline of 300ms"), "{}", ran.stderr);
    }
}

#[test]
fn nothing_goes_on_calling_after_a_kill() {
    let (closed, is_closed) = std::sync::mpsc::channel();
    let closed = std::sync::Mutex::new(closed);
    let silent = Upstream::with(move |stream, _| {
        // Ends when the caller closes its end.
        let _ = std::io::copy(stream, &mut std::io::sink());
        let _ = closed.lock().unwrap().send(());
    });
    let dir = TempDir::new();
    dir.write("guest.wasm", wat(GUEST));
    let (pattern, input) = (silent.pattern("/*"), get(&silent.url("/")));
    let flags =
        ["call", "--timeout", "none", "--allow-http", &pattern, "guest.wasm", "ask", "--data", &input];
    let mut child = fuelbox_command(&dir.0, &flags).spawn().unwrap();
    while silent.requests().is_empty() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it called");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // A call takes up to 60 s, if nobody ends it.
    assert!(is_closed.recv_timeout(Duration::from_secs(30)).is_ok(), "the caller goes on");
}

#[test]
fn wrong_flags_are_errors() {
    for (flags, said) in [
        (&["--allow-http", "a.example"][..], "--allow-http: `a.example` is no pattern"),
        (&["--allow-http", "https://a.example"], "`https://a.example/*` allows all paths"),
        (&["--allow-http", "https://a.example/*", "--deterministic"], "--allow-http and --deterministic"),
        (&["--http-calls", "10001"], "--http-calls"),
        (&["--http-calls", "-1"], "--http-calls"),
    ] {
        let ran = call(flags, "ask", "").expect(2);
        assert!(ran.stderr.contains(said), "{flags:?}: {}", ran.stderr);
    }
}
