//! Components for `wasi:http` behind the gateway.

use super::{handler, serve};
use crate::programs::large;
use crate::support::{Client, Ran, Server, TempDir, fuelbox_in, prebuilt, runner_config};
use fuelbox::{Limits, Runner, RunnerConfig, WarmLimits};

fn hello() -> Vec<u8> {
    std::fs::read(prebuilt("http-hello.wasm")).unwrap()
}

/// What does the same in other languages, where it is built, and the limits that it needs.
fn languages() -> (Vec<(&'static str, Vec<u8>)>, Limits) {
    let mut plugins = vec![("Rust", hello())];
    for (language, name) in [("JavaScript", "http-js"), ("Python", "http-py")] {
        plugins.extend(large(name).map(|path| (language, std::fs::read(path).unwrap())));
    }
    (plugins, crate::component::languages::limits())
}

#[test]
fn a_request_and_its_answer_go_through() {
    let (plugins, limits) = languages();
    for (language, wasm) in plugins {
        let (server, _dir) = serve(&[("hello", &wasm)], &[], limits.clone());
        let mut client = Client::connect(server.address);
        let headers = [("X-Greeting", "good day")];
        let target = "/execute/hello/shelf/a%20b?x=1&y=%20";
        let reply = client.ask("POST", target, &headers, b"line 1\r\n\r\nline 2");
        assert_eq!(reply.status, 201, "{reply:?}");
        assert!(reply.head.starts_with("HTTP/1.1 201 Created\r\n"), "{reply:?}");
        assert_eq!(reply.header("content-type"), Some("text/plain; charset=utf-8"));
        assert_eq!(reply.header("x-written-in"), Some(language));
        assert_eq!(reply.header("status"), None);
        let expected = "POST /shelf/a%20b?x=1&y=%20\ngreeting: good day\nline 1\r\n\r\nline 2\n16 bytes\n";
        assert_eq!(reply.text(), expected, "{language}");
        let reply = client.send("GET", "/execute/hello", b"");
        assert_eq!((reply.status, &*reply.text()), (200, "GET /\ngreeting: \n\n0 bytes\n"), "{language}");
        let reply = client.send("DELETE", "/execute/hello/x", b"");
        assert_eq!((reply.status, reply.header("allow")), (405, Some("GET, HEAD, POST")), "{language}");
        let reply = client.send("HEAD", "/execute/hello/x", b"");
        assert_eq!((reply.status, reply.body.len(), reply.header("x-written-in")), (200, 0, Some(language)));
    }
}

#[test]
fn a_large_body_comes_back_whole() {
    let (server, _dir) = serve(&[("hello", &hello())], &[], Limits::default());
    let body: Vec<u8> = (0..300_000_u32).map(|n| (n % 251) as u8).collect();
    let reply = server.send("POST", "/execute/hello/", &body);
    let begin = b"POST /\ngreeting: \n";
    assert_eq!(reply.status, 201);
    assert_eq!(&reply.body[begin.len()..begin.len() + body.len()], &*body);
    assert!(reply.body.starts_with(begin) && reply.body.ends_with(b"\n300000 bytes\n"));
}

#[test]
fn limits_are_those_of_other_programs() {
    let limits = Limits { output_bytes: 10_000, fuel: 2_000_000, ..Limits::default() };
    let spin = handler("(loop (br 0))");
    let (server, _dir) = serve(&[("hello", &hello()), ("spin", &spin)], &[], limits);
    assert_eq!(server.send("POST", "/execute/hello", &[b'x'; 9_000]).status, 201);
    assert_eq!(server.send("POST", "/execute/hello", &[b'x'; 10_000]).problem(), "output-full");
    assert_eq!(server.send("GET", "/execute/spin", b"").problem(), "out-of-fuel");
}

#[test]
fn who_does_not_answer_is_a_broken_plugin() {
    let silent = handler("");
    let fails = handler("(call $fail (local.get $out) (i32.const 36))");
    let traps = handler("(unreachable)");
    let plugins: [(&str, &[u8]); 3] = [("silent", &silent), ("fails", &fails), ("traps", &traps)];
    let (server, _dir) = serve(&plugins, &[], Limits::default());
    for (name, problem, said) in [
        ("silent", "convention", "it returned without a response"),
        ("fails", "plugin-error", "it answered with the error loop-detected"),
        ("traps", "trap", "unreachable"),
    ] {
        let reply = server.send("GET", &format!("/execute/{name}"), b"");
        assert_eq!((reply.status, &*reply.problem()), (500, problem), "{name}");
        assert!(reply.text().contains(said), "{}", reply.text());
    }
}

#[test]
fn statuses_without_a_body_have_none() {
    let answer = |code| handler(&format!("(call $answer (local.get $out) (i32.const {code}))"));
    let (none, same, teapot) = (answer(204), answer(304), answer(418));
    let plugins: [(&str, &[u8]); 3] = [("none", &none), ("same", &same), ("teapot", &teapot)];
    let (server, _dir) = serve(&plugins, &[], Limits::default());
    for (name, status) in [("none", 204), ("same", 304), ("teapot", 418)] {
        let reply = Client::connect(server.address).ask("GET", &format!("/execute/{name}"), &[], b"");
        assert_eq!((reply.status, reply.body.len()), (status, 0), "{name}");
    }
}

#[test]
fn the_environment_is_the_policys() {
    let wasm = handler("(call $answer (local.get $out) (i32.add (i32.const 200) (call $variables)))");
    let policies = [("two", "[env]\nA = \"1\"\nB = \"2\"\n")];
    let (server, _dir) = serve(&[("two", &wasm), ("none", &wasm)], &policies, Limits::default());
    assert_eq!(server.send("GET", "/execute/two?A=3", b"").status, 202);
    assert_eq!(server.send("GET", "/execute/none", b"").status, 200);
}

/// A handler that sets so many fields, and as a last one a value that makes them so many bytes in all.
fn fields(count: usize, bytes: usize) -> Vec<u8> {
    // `Status: 200`, `xNN: v` each, `last: `, and the empty line.
    let rest = bytes - 13 - count * 8 - 8 - 2;
    let names: String = (0..count).map(|n| format!("x{n:02}")).collect();
    let data: String = names.bytes().enumerate().fold(String::new(), |code, (at, byte)| {
        code + &format!("(i32.store8 (i32.const {}) (i32.const {byte}))\n", 4096 + at)
    });
    handler(&format!(
        "{data} (i32.store (i32.const 64) (i32.const 0x7473616c)) (memory.fill (i32.const 8192) (i32.const 118) (i32.const 20000))
        (local.set $f (call $fields))
        (loop
          (if (i32.lt_u (local.get $n) (i32.const {count})) (then
            (if (call $append (local.get $f) (i32.add (i32.const 4096) (i32.mul (local.get $n) (i32.const 3)))
                (i32.const 3) (i32.const 8192) (i32.const 1)) (then (unreachable)))
            (local.set $n (i32.add (local.get $n) (i32.const 1)))
            (br 1))))
        (if (call $append (local.get $f) (i32.const 64) (i32.const 4) (i32.const 8192) (i32.const {rest}))
          (then (call $answer (local.get $out) (i32.const 500)))
          (else (call $send (local.get $out) (call $response (local.get $f)))))"
    ))
}

/// All that a guest may set, the gateway reads.
#[test]
fn as_many_headers_as_the_gateway_reads() {
    for (count, bytes, is_sent) in [
        (97, 2_000, true),
        (98, 2_000, true),
        (99, 2_000, false),
        (1, 16_383, true),
        (1, 16_384, true),
        (1, 16_385, false),
        (98, 16_384, true),
    ] {
        let wasm = fields(count, bytes);
        let (server, _dir) = serve(&[("fields", &wasm)], &[], Limits::default());
        let reply = server.send("GET", "/execute/fields", b"");
        assert_eq!((reply.status, &*reply.text()), (if is_sent { 200 } else { 500 }, ""), "{count} {bytes}");
        let has = |name: &str| reply.header(name).is_some();
        assert_eq!((has("last"), has(&format!("x{:02}", count - 1))), (is_sent, is_sent), "{count} {bytes}");
    }
}

/// On the command line, the response is printed as a program for CGI would print it.
#[test]
fn the_command_line_runs_a_handler() {
    let dir = TempDir::new();
    let module = prebuilt("http-hello.wasm");
    let run = |flags: &[&str], stdin: &[u8]| -> Ran {
        fuelbox_in(&dir.0, &[&["run"], flags, &[module.to_str().unwrap()]].concat(), stdin)
    };
    let head = "content-type: text/plain; charset=utf-8\r\nx-written-in: Rust\r\n\r\n";
    let ran = run(&[], b"from stdin").expect(0);
    assert_eq!(ran.text(), format!("Status: 200\r\n{head}GET /\ngreeting: \nfrom stdin\n10 bytes\n"));
    let request = [
        "--env",
        "REQUEST_METHOD=POST",
        "--env",
        "PATH_INFO=/a b",
        "--env",
        "HTTP_X_GREETING=hi",
        "--env",
        "CONTENT_LENGTH=4",
    ];
    let ran = run(&request, b"from stdin").expect(0);
    assert_eq!(ran.text(), format!("Status: 201\r\n{head}POST /a%20b\ngreeting: hi\nfrom\n4 bytes\n"));
}

/// A warm instance answers one request after the other. A request that fails ends it.
#[test]
fn a_warm_instance_answers_again() {
    let counts = handler(
        "(local.set $f (i32.add (i32.load (i32.const 8192)) (i32.const 1))) (i32.store (i32.const 8192) (local.get $f))
        (if (i32.eq (local.get $f) (i32.const 3)) (then unreachable))
        (call $answer (local.get $out) (i32.add (i32.const 200) (local.get $f)))",
    );
    let (server, _dir) =
        serve(&[("cold", &counts), ("warm", &counts)], &[("warm", "warm = 1\n")], Limits::default());
    let statuses = |name: &str| [0; 4].map(|_| server.send("GET", &format!("/execute/{name}"), b"").status);
    assert_eq!(statuses("cold"), [201; 4]);
    assert_eq!(statuses("warm"), [201, 202, 500, 201]);
}

/// A warm instance that never drops its requests takes more with each, and is not kept when that is too much.
#[test]
fn requests_that_a_warm_instance_keeps_are_counted() {
    let counts = handler(
        "(local.set $f (i32.add (i32.load (i32.const 8192)) (i32.const 1))) (i32.store (i32.const 8192) (local.get $f))
        (call $answer (local.get $out) (i32.add (i32.const 200) (local.get $f)))",
    );
    let warm = WarmLimits { instances: 1, memory_bytes: 512 * 1024, ..WarmLimits::default() };
    let runner = Runner::new(RunnerConfig { warm, ..runner_config() }).unwrap();
    runner.load_bytes("warm", &counts).unwrap();
    let server = Server::with(runner);
    let mut client = Client::connect(server.address);
    let large = "x".repeat(10_000);
    let mut most = |value: &str| {
        let mut ask = || client.ask("GET", "/execute/warm", &[("x-large", value)], b"").status;
        (0..150).map(|_| ask()).max()
    };
    let after = most(&large);
    assert!(after < Some(200 + 60), "{after:?}");
    assert!(most("small") > Some(200 + 100));
}
