//! The access log: one line for each request, which no client can forge.

use crate::support::{Client, TempDir, fuelbox_program};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

struct Logged {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStderr>>,
    address: std::net::SocketAddr,
}

impl Logged {
    fn start(dir: &TempDir) -> Logged {
        let mut child = Command::new(fuelbox_program())
            .args(["serve", "--listen", "127.0.0.1:0", "--access-log", "on"])
            .args(crate::support::isolation_flags())
            .current_dir(&dir.0)
            .env_remove("RUST_LOG")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = lines
            .find_map(|line| {
                line.unwrap().split_once("on http://").map(|(_, address)| address.parse().unwrap())
            })
            .unwrap();
        Logged { child, lines, address }
    }

    /// The next line of the access log, after its time.
    fn next(&mut self) -> String {
        let line =
            self.lines.find(|line| line.as_ref().unwrap().contains("fuelbox::access")).unwrap().unwrap();
        line.split_once("fuelbox::access: ").unwrap().1.to_string()
    }
}

impl Drop for Logged {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_line_has_address_method_path_status_bytes_fuel_and_time() {
    let dir = TempDir::new();
    let mut server = Logged::start(&dir);
    let mut client = Client::connect(server.address);
    client.send("POST", "/execute/greet?func=greet", b"World");
    let line = server.next();
    assert!(line.starts_with("127.0.0.1 POST /execute/greet?func=greet 200 12 bytes 71 fuel "), "{line}");
    let words: Vec<&str> = line.split(' ').rev().take(3).collect();
    assert_eq!((words[0].len(), &words[1..]), (32, &["ok", "ms"][..]), "{line}");
    client.send("GET", "/nope", b"");
    let line = server.next();
    assert!(line.starts_with("127.0.0.1 GET /nope 404 ") && line.contains(" - fuel "), "{line}");
    assert!(line.contains(" ms no-such-route "), "{line}");
}

#[test]
fn what_is_refused_is_logged_too_and_nothing_a_client_sends_breaks_a_line() {
    let dir = TempDir::new();
    let mut server = Logged::start(&dir);
    Client::connect(server.address).0.write_all(b"GET /\x1b[31m HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let line = server.next();
    assert!(line.starts_with("127.0.0.1 - - 400 "), "{line}");
    let mut client = Client::connect(server.address);
    client.0.write_all(b"POST /a%0a HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n").unwrap();
    let line = server.next();
    assert!(line.contains(" 413 "), "{line}");
    assert!(line.chars().all(|c| !c.is_control()), "{line}");
}

/// Of a response that is cut: the status and the bytes that were sent, and what came of it.
#[test]
fn a_response_that_is_cut_has_what_was_sent_of_it() {
    let dir = TempDir::new();
    std::fs::create_dir(dir.0.join("plugins")).unwrap();
    dir.write("plugins/s.wasm", std::fs::read(crate::support::prebuilt("http-stream.wasm")).unwrap());
    let mut server = Logged::start(&dir);
    for (steps, expected) in [
        ("say-one/sleep-20/say-two", " 200 8 bytes "),
        ("say-one/sleep-20/say-two/trap", " 200 4 bytes "),
        ("say-one/trap", " 500 "),
    ] {
        let mut client = Client::connect(server.address);
        let target = format!("/execute/s/{steps}");
        let request = crate::http::message("GET", &target, &[("X-Request-Id", "of-mine")], b"");
        client.0.write_all(&request).unwrap();
        let reply = client.reply(false);
        let is_cut = reply.is_none();
        assert_eq!(is_cut, expected == " 200 4 bytes ", "{steps}");
        if is_cut {
            let cut = "s of-mine: 500 trap: the response was cut: guest trapped";
            assert!(server.lines.any(|line| line.unwrap().contains(cut)), "{steps}");
        }
        let line = server.next();
        assert!(line.starts_with(&format!("127.0.0.1 GET {target}{expected}")), "{line}");
        let outcome = if steps.ends_with("trap") { " ms trap of-mine" } else { " ms ok of-mine" };
        assert!(line.ends_with(outcome), "{line}");
    }
}
