//! `wasi:http/outgoing-handler`, with a component that a usual compiler made.

use super::server::{Upstream, ok, redirect};
use crate::support::{Ran, Server, TempDir, fuelbox_in, fuelbox_program, prebuilt};
use fuelbox::{GuestEnv, HttpAllowList, Invocation, Isolation, Limits, Runner, RunnerConfig};

/// Runs the guest with `args` in this process: what it printed, and its exit code.
fn run(list: &[&str], limits: &Limits, args: &[&str]) -> (String, Option<u32>) {
    let runner = Runner::new(RunnerConfig { limits: limits.clone(), ..RunnerConfig::default() }).unwrap();
    let args = [&["http-fetch"], args].concat().iter().map(|arg| arg.as_bytes().to_vec()).collect();
    let guest_env = GuestEnv { http: HttpAllowList::new(list).unwrap(), ..GuestEnv::default() };
    let invocation = Invocation { args, guest_env, ..Invocation::default() };
    match runner.run(&*prebuilt("http-fetch.wasm"), invocation).unwrap().result {
        Ok(stdout) => (String::from_utf8_lossy(&stdout).into_owned(), Some(0)),
        Err(fuelbox::Stop::Exit(code)) => (String::new(), Some(code)),
        Err(other) => (other.to_string(), None),
    }
}

fn command(flags: &[&str], args: &[&str]) -> Ran {
    let guest = prebuilt("http-fetch.wasm");
    let all = [&["run"], flags, &[guest.to_str().unwrap()], args].concat();
    fuelbox_in(&TempDir::new().0, &all, b"")
}

fn echo() -> Upstream {
    Upstream::of(|request| ok(request.split_once("\r\n\r\n").map_or("", |(_, body)| body)))
}

#[test]
fn requests_with_and_without_bodies_are_answered() {
    let upstream = echo();
    let (pattern, url) = (upstream.pattern("/*"), upstream.url("/x?y"));
    let large = "b".repeat(100_000);
    assert_eq!(run(&[&pattern], &Limits::default(), &["GET", &url]), (String::new(), Some(0)));
    assert_eq!(
        run(&[&pattern], &Limits::default(), &["POST", &url, "sent", "x-mine:1"]),
        ("sent".into(), Some(0))
    );
    assert_eq!(run(&[&pattern], &Limits::default(), &["POST", &url, &large]), (large.clone(), Some(0)));
    let requests = upstream.requests();
    assert!(
        requests[0].starts_with("GET /x?y HTTP/1.1\r\n")
            && requests[1].to_lowercase().contains("x-mine: 1\r\n")
    );
    for confine in ["on", "off"] {
        let ran =
            command(&["--confine", confine, "--allow-http", &pattern], &["POST", &url, &large]).expect(0);
        assert_eq!((ran.text(), ran.stderr.as_str()), (large.clone(), "200 \n"));
    }
}

#[test]
fn what_is_refused_has_an_error_code() {
    let upstream = echo();
    let away = Upstream::of(|_| redirect(302, "http://169.254.169.254/"));
    let rubbish = Upstream::of(|_| "rubbish".into());
    let endless = Upstream::of(|_| ok(&"a".repeat(2_000_000)));
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let closed = format!("http://{closed}/");
    let all = [&upstream, &rubbish, &endless, &away].map(|upstream| upstream.pattern("/v1/*"));
    let mut flags: Vec<&str> = all.iter().flat_map(|pattern| ["--allow-http", pattern]).collect();
    flags.extend(["--allow-http", &closed]);
    for (url, code) in [
        (upstream.url("/"), "HttpRequestDenied"),
        (upstream.url("/v1/../x"), "HttpRequestDenied"),
        ("http://u@a.example/".into(), "HttpRequestUriInvalid"),
        ("http://0x7f.1/".into(), "HttpRequestUriInvalid"),
        ("gopher://a.example/".into(), "HttpRequestUriInvalid"),
        (rubbish.url("/v1/"), "HttpProtocolError"),
        (endless.url("/v1/"), "HttpResponseBodySize"),
        (closed.clone(), "ConnectionRefused"),
    ] {
        let ran = command(&flags, &["GET", &url]).expect(1);
        assert!(ran.stderr.contains(code), "{url}: {}", ran.stderr);
    }
    // Redirects are the guest's own business.
    assert_eq!(command(&flags, &["GET", &away.url("/v1/")]).expect(0).stderr, "302 \n");
    let ran = command(&[], &["GET", &upstream.url("/v1/")]).expect(1);
    assert!(ran.stderr.contains("HttpRequestDenied"), "{}", ran.stderr);
    let ran =
        command(&[&flags[..], &["--http-calls", "0"]].concat(), &["GET", &upstream.url("/v1/")]).expect(1);
    assert!(ran.stderr.contains("ConnectionLimitReached"), "{}", ran.stderr);
    assert!(upstream.requests().is_empty());
}

#[test]
fn a_slow_server_ends_with_the_deadline() {
    let slow = Upstream::with(|_, _| std::thread::sleep(std::time::Duration::from_secs(30)));
    let pattern = slow.pattern("/*");
    for args in [&["GET", &*slow.url("/")][..], &["POST", &slow.url("/"), "body"]] {
        let ran = command(&["--allow-http", &pattern, "--timeout", "500ms"], args).expect(124);
        assert!(ran.stderr.contains("deadline of 500ms"), "{}", ran.stderr);
    }
}

#[test]
fn a_plugin_of_the_gateway_calls_out() {
    for isolated in [false, true] {
        let upstream = echo();
        let dir = TempDir::new();
        for (name, http) in [("may", upstream.pattern("/*")), ("other", "https://a.example/*".into())] {
            std::fs::copy(prebuilt("http-fetch.wasm"), dir.0.join(format!("{name}.wasm"))).unwrap();
            let args = ["POST", &upstream.url("/"), "Content-Type: text/plain\n\nthe body"];
            dir.write(&format!("{name}.toml"), format!("http = [{http:?}]\nargs = {args:?}\n"));
        }
        let isolation = isolated.then(|| Isolation::with_program(fuelbox_program()));
        let allowed = [upstream.pattern("/*"), "https://a.example/*".into()];
        let policy_http = fuelbox::HttpAllowList::new(allowed).unwrap();
        let runner = Runner::new(RunnerConfig { isolation, policy_http, ..RunnerConfig::default() }).unwrap();
        assert!(runner.load_plugins(&dir.0).unwrap().failed.is_empty());
        let server = Server::for_one_client(runner);
        let reply = server.send("GET", "/execute/may", b"");
        assert_eq!((reply.status, &*reply.text()), (200, "the body"), "{isolated}");
        assert_eq!(server.send("GET", "/execute/other", b"").status, 500);
        assert_eq!(upstream.requests().len(), 1);
    }
}
