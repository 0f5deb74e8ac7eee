//! What RFC 9110 and RFC 9112 ask of any server: whom a request is for, and which answers have a body and a length.

use crate::cgi::{ECHO, ENV};
use crate::support::{Client, Reply, Server, TempDir, built, wat};
use fuelbox::base::limits::DoorLimits;
use fuelbox::gateway::{Gateway, GatewayConfig};
use fuelbox::{Limits, Runner};
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

fn server() -> (Server, TempDir) {
    let dir = TempDir::new();
    dir.write("env.wasm", wat(ENV));
    dir.write("echo.wasm", wat(ECHO));
    let runner = Runner::new(crate::support::runner_config()).unwrap();
    runner.load_built_in().unwrap();
    assert!(runner.load_plugins(&dir.0).unwrap().failed.is_empty());
    (Server::with(runner), dir)
}

/// All that comes back for `request` until the connection ends.
fn whole(address: SocketAddr, request: &str) -> String {
    let mut client = Client::connect(address);
    client.0.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    client.0.read_to_end(&mut bytes).unwrap_or_else(|error| panic!("{error} after {request:?}"));
    String::from_utf8(bytes).unwrap()
}

/// The first answer to `request`.
fn first(address: SocketAddr, request: &str) -> Reply {
    let mut client = Client::connect(address);
    client.0.write_all(request.as_bytes()).unwrap();
    client.reply(request.starts_with("HEAD ")).unwrap_or_else(|| panic!("no answer to {request:?}"))
}

/// The environment of a program that is asked for with this target and these header lines.
fn env_of(address: SocketAddr, target: &str, version: &str, lines: &str) -> Vec<String> {
    let reply = first(address, &format!("GET {target} HTTP/{version}\r\n{lines}\r\n"));
    assert_eq!(reply.status, 200, "{target}: {}", reply.text());
    reply.text().split_terminator('\0').map(str::to_string).collect()
}

#[test]
fn the_authority_of_an_absolute_target_counts_and_not_the_host_field() {
    let (server, _dir) = server();
    for (authority, name, port, version, lines) in [
        ("real.example:81", "real.example", "81", "1.1", "Host: forged.example:99\r\n"),
        ("real.example", "real.example", "80", "1.1", "Host: real.example\r\n"),
        ("real.example:", "real.example", "80", "1.1", "Host: forged.example\r\n"),
        ("[2001:db8::1]:82", "[2001:db8::1]", "82", "1.1", "Host: forged.example\r\n"),
        ("real.example:83", "real.example", "83", "1.0", "Host: forged.example\r\n"),
        ("real.example:84", "real.example", "84", "1.0", ""),
    ] {
        let target = format!("http://{authority}/execute/env/a%20b?x=y");
        let env = env_of(server.address, &target, version, lines);
        for entry in [
            format!("SERVER_NAME={name}"),
            format!("SERVER_PORT={port}"),
            format!("HTTP_HOST={authority}"),
            format!("X_FULL_URL=http://{name}:{port}/execute/env/a%20b?x=y"),
            "SCRIPT_NAME=/execute/env".into(),
            "PATH_INFO=/a b".into(),
            "X_RAW_PATH_INFO=/a%20b".into(),
        ] {
            assert!(env.contains(&entry), "{target}: {entry} is not in {env:#?}");
        }
        assert!(!env.iter().any(|entry| entry.contains("forged")), "{env:#?}");
    }
    // Neither of the two may be malformed, and the field may not be left out (RFC 9112, section 3.2).
    for request in [
        "GET http://a/healthz HTTP/1.1\r\n\r\n",
        "GET http://a/healthz HTTP/1.1\r\nHost: a b\r\n\r\n",
        "GET http://a/healthz HTTP/1.1\r\nHost:\r\n\r\n",
        "GET http://user@a/healthz HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET http://:80/healthz HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET http:///healthz HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET http://a:b/healthz HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET http://[::1/healthz HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET http://a\\b/healthz HTTP/1.0\r\n\r\n",
    ] {
        assert_eq!(first(server.address, request).status, 400, "{request:?}");
    }
}

/// Between `|`: the fields' values, with white space as it is sent.
const HOSTS: &str = " a| a.b-c_d| a.| A:80| a:| a:0| a:65535| 127.0.0.1:8080| [::1]| [::1]:99| [::ffff:1.2.3.4]| a~b|\
    xn--bcher-kva.example| %41b| a!$&'()*+;=b|a|\ta\t ";
const NO_HOSTS: &str = "| | :80| :| a b| a,b| a, b| a/| /| a/b| http://a| a?b| a#b| user@a| @a| a:b| a:-1| a:+1| a:8 0|\
    a:65536| a:80:80| a::| ::1| [::1| ::1]| []| [a]| [::1]a| [::1]:x| [::1%1]| [::1%25lo]| [1.2.3.4]| [v1.a]| a%| a%4|\
    a%4g| a%zz| a\"b| <a>| a\\b| a^b| {a}| a`b| a\tb";

#[test]
fn a_host_is_a_name_or_an_address_and_a_port() {
    let (server, _dir) = server();
    let ask = |version: &str, host: &str| {
        first(server.address, &format!("GET /healthz HTTP/{version}\r\nHost:{host}\r\n\r\n"))
    };
    for host in HOSTS.split('|') {
        assert_eq!(ask("1.1", host).status, 200, "{host:?}");
    }
    for host in NO_HOSTS.split('|').chain(["a|b"]) {
        for version in ["1.1", "1.0"] {
            let reply = ask(version, host);
            assert_eq!((reply.status, reply.problem().as_str()), (400, "bad-request"), "{version} {host:?}");
            assert_eq!(reply.header("connection"), Some("close"));
        }
    }
    assert_eq!(first(server.address, "GET /healthz HTTP/1.0\r\n\r\n").status, 200, "1.0 needs none");
    let twice = "GET /healthz HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n";
    assert_eq!(first(server.address, twice).status, 400);
}

#[test]
fn an_answer_to_head_has_no_body_whatever_goes_wrong() {
    let (server, _dir) = server();
    let long = "a".repeat(20_000);
    for (request, status) in [
        ("HEAD /nope HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".into(), 404),
        ("HEAD /execute/greet HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".into(), 405),
        ("HEAD /healthz HTTP/1.1\r\n\r\n".into(), 400),
        ("HEAD /healthz HTTP/1.1\r\nHost: a b\r\n\r\n".into(), 400),
        ("HEAD healthz HTTP/1.1\r\nHost: a\r\n\r\n".into(), 400),
        ("\r\nHEAD healthz HTTP/1.1\r\nHost: a\r\n\r\n".into(), 400),
        ("HEAD /healthz HTTP/1.1\r\nHost: a\n\r\n".into(), 400),
        ("HEAD /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n".into(), 400),
        ("HEAD /healthz HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n".into(), 400),
        ("HEAD /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\n".into(), 413),
        ("HEAD /healthz HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n".into(), 417),
        (format!("HEAD /healthz HTTP/1.1\r\nHost: a\r\nX: {long}\r\n\r\n"), 431),
        (format!("HEAD /{long} HTTP/1.1\r\nHost: a\r\n\r\n"), 414),
        ("HEAD /healthz HTTP/2.0\r\nHost: a\r\n\r\n".into(), 505),
    ] {
        let answer = whole(server.address, &request);
        let shown = &request[..request.len().min(80)];
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{shown:?}: {answer}");
        assert!(
            answer.ends_with("\r\n\r\n") && answer.matches("\r\n\r\n").count() == 1,
            "{shown:?}: {answer}"
        );
        // The same with another method has a body.
        let get = whole(server.address, &request.replacen("HEAD", "GET", 1));
        assert!(!get.ends_with("\r\n\r\n"), "{get}");
    }
    // The first bytes of a chunk are no method.
    let chunk = "POST /execute/greet HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nHEAD /\r\n";
    assert!(whole(server.address, chunk).ends_with("}\n"));
}

#[test]
fn a_head_request_that_does_not_end_in_time_is_answered_without_a_body() {
    let runner = Arc::new(Runner::new(crate::support::runner_config()).unwrap());
    runner.load_built_in().unwrap();
    let soon = Duration::from_millis(100);
    let door = DoorLimits { head_timeout: soon, body_timeout: soon, ..DoorLimits::default() };
    let listen = "127.0.0.1:0".parse().unwrap();
    let config = GatewayConfig { listen, workers: 1, door, ..GatewayConfig::default() };
    let gateway = Gateway::start(&config, runner).unwrap();
    for begun in [
        "HEAD /healthz HTTP/1.1\r\nHos",
        "\r\nHEAD /",
        "HEAD /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab",
    ] {
        let answer = whole(gateway.address(), begun);
        assert!(answer.starts_with("HTTP/1.1 408 ") && answer.ends_with("\r\n\r\n"), "{begun:?}: {answer}");
    }
    for begun in ["GET /healthz HTTP/1.1\r\nHos", "HEA", "HEAD"] {
        let answer = whole(gateway.address(), begun);
        assert!(answer.starts_with("HTTP/1.1 408 ") && answer.ends_with("}\n"), "{begun:?}: {answer}");
    }
    gateway.stop();
}

/// RFC 9110, sections 8.6, 15.3.5, 15.3.6 and 15.4.5.
#[test]
fn answers_without_content_say_nothing_of_it() {
    let (server, _dir) = server();
    let mut client = Client::connect(server.address);
    for (output, status, length) in [
        ("Status: 204\n\n", 204, None),
        ("Status: 204\nContent-Type: a/b\nX-A: b\n\n", 204, None),
        ("Status: 204\nContent-Type: a/b\n\nbody", 204, None),
        ("Status: 204\nContent-Length: 4\n\nbody", 204, None),
        ("Status: 304\nETag: \"x\"\nContent-Type: a/b\n\nbody", 304, None),
        ("Status: 205\nContent-Type: a/b\n\nbody", 205, Some("0")),
    ] {
        let reply = client.send("POST", "/execute/echo", output.as_bytes());
        assert_eq!((reply.status, reply.header("content-length")), (status, length), "{output:?}");
        assert_eq!(reply.header("content-type"), None, "{output:?}");
        assert!(reply.header("date").is_some() && reply.header("fuel-used").is_some(), "{}", reply.head);
        assert!(!output.contains("X-A") || reply.header("x-a") == Some("b"), "{}", reply.head);
        // The connection is where the next answer begins.
        assert_eq!(client.send("POST", "/execute/echo", b"next").text(), "next", "{output:?}");
    }
    for path in built(&["/", "/plugins", "/openapi.json"]) {
        let tag = client.send("GET", path, b"").header("etag").unwrap().to_string();
        for method in ["GET", "HEAD"] {
            let reply = client.ask(method, path, &[("If-None-Match", &tag)], b"");
            assert_eq!((reply.status, reply.header("etag")), (304, Some(&*tag)), "{method} {path}");
            for name in ["content-length", "content-type"] {
                assert_eq!(reply.header(name), None, "{method} {path}");
            }
        }
        let (get, head) = (client.send("GET", path, b""), client.send("HEAD", path, b""));
        assert_eq!(get.header("content-length"), head.header("content-length"));
    }
}

/// A length in an answer to HEAD is that of the answer to GET, or is not there (RFC 9110, section 8.6).
#[test]
fn a_program_that_answers_head_with_headers_alone_decides_on_the_length() {
    let (server, _dir) = server();
    let mut client = Client::connect(server.address);
    for (output, length) in [
        ("Content-Type: a/b\nContent-Length: 1234\n\n", Some("1234")),
        ("Content-Type: a/b\nContent-Length: 0\n\n", Some("0")),
        ("Content-Type: a/b\n\n", None),
        ("Content-Type: a/b\n\nbody", Some("4")),
        ("Content-Type: a/b\nContent-Length: 4\n\nbody", Some("4")),
    ] {
        let reply = client.send("HEAD", "/execute/echo", output.as_bytes());
        assert_eq!((reply.status, reply.header("content-length")), (200, length), "{output:?}");
        assert_eq!(reply.header("content-type"), Some("a/b"));
        assert_eq!(client.send("POST", "/execute/echo", b"next").text(), "next", "{output:?}");
    }
}

#[test]
fn targets_that_are_no_path() {
    let (server, _dir) = server();
    let ask = |line: &str| first(server.address, &format!("{line} HTTP/1.1\r\nHost: a\r\n\r\n"));
    let options = ask("OPTIONS *");
    assert_eq!((options.status, options.header("content-length")), (200, Some("0")));
    assert!(options.header("allow").unwrap().split(", ").any(|method| method == "GET"));
    // Only OPTIONS is for the server as a whole; and a tunnel is never made, by whatever path it is asked for.
    for line in [
        "GET *",
        "POST *",
        "OPTIONS *x",
        "OPTIONS ?",
        "CONNECT a:80",
        "CONNECT /execute/env",
        "CONNECT http://a/",
        "CONNECT *",
    ] {
        assert_eq!(ask(line).status, 400, "{line}");
    }
    let long = format!("/{}", "a".repeat(20_000));
    for target in [&*long, &format!("http://a{long}")] {
        let reply = ask(&format!("GET {target}"));
        assert_eq!((reply.status, reply.problem().as_str()), (414, "target-too-long"));
    }
    let reply = first(server.address, &format!("GET / HTTP/1.1\r\nHost: {long}\r\n\r\n"));
    assert_eq!((reply.status, reply.problem().as_str()), (431, "head-too-large"));
}

#[test]
fn every_answer_has_one_date_and_one_server() {
    let (server, _dir) = server();
    for request in [
        "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /nope HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "rubbish",
        "POST /execute/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 25\r\n\r\nDate: x\nServer: y\nX-A: z\n\n",
        "POST /execute/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 13\r\n\r\nStatus: 204\n\n",
    ] {
        let reply = first(server.address, request);
        let head = reply.head.to_ascii_lowercase();
        for name in ["\r\ndate: ", "\r\nserver: fuelbox/"] {
            assert_eq!(head.matches(name).count(), 1, "{request:?}: {head}");
        }
    }
}

/// RFC 9110, section 13.1.1.
#[test]
fn a_condition_that_does_not_hold_keeps_an_answer_back() {
    let (server, _dir) = server();
    let mut client = Client::connect(server.address);
    for path in built(&["/", "/plugins", "/openapi.json"]) {
        let tag = client.send("GET", path, b"").header("etag").unwrap().to_string();
        let weak = format!("W/{tag}");
        let two = format!("\"x\", {tag}");
        for (condition, status) in
            [("\"x\"", 412), (&*weak, 412), (&*tag, 200), (&*two, 200), ("*", 200), ("no tag", 200)]
        {
            let get = client.ask("GET", path, &[("If-Match", condition)], b"");
            assert_eq!(get.status, status, "{path} {condition}");
            assert!(status == 200 || get.problem() == "precondition-failed");
            let head = client.ask("HEAD", path, &[("If-Match", condition)], b"");
            assert_eq!((head.status, head.body.len()), (status, 0), "{path} {condition}");
        }
        // It comes before the other (section 13.2.2).
        let both = client.ask("GET", path, &[("If-Match", "\"x\""), ("If-None-Match", &tag)], b"");
        assert_eq!(both.status, 412, "{path}");
    }
}

/// Two requests come together, and a third while the first is being answered: the event that tells of it comes before the
/// second is looked at, and no other will.
#[test]
fn a_request_that_comes_while_others_are_answered_is_not_forgotten() {
    let limits = Limits { deadline: Some(Duration::from_millis(300)), ..Limits::default() };
    let server = Server::start(limits);
    let mut client = Client::connect(server.address);
    let spin = "POST /execute/infinite-loop HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n";
    let get = "GET /healthz HTTP/1.1\r\nHost: t\r\n\r\n";
    client.0.write_all([spin, get].concat().as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    client.0.write_all(get.as_bytes()).unwrap();
    let statuses: Vec<_> = (0..3).map(|_| client.reply(false).map(|reply| reply.status)).collect();
    assert_eq!(statuses, [Some(504), Some(200), Some(200)]);
}
