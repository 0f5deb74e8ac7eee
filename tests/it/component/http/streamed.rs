//! Responses that are sent while their guest runs, in threads and in processes.

use super::{outcomes, streams};
use crate::http::{message, read_reply};
use crate::support::{Client, Serve, TempDir, deadline_ms, prebuilt};
use fuelbox::Limits;
use fuelbox::base::limits::{DoorLimits, REPLY_INTERVAL, REPLY_PIECE_BYTES};
use std::io::{Read, Write};
use std::time::{Duration, Instant};

fn usual() -> DoorLimits {
    DoorLimits { client_share: 100, ..DoorLimits::default() }
}

/// A request that is sent, and whose response is to be read.
fn ask(client: &mut Client, steps: &str) {
    client.0.write_all(&message("GET", &format!("/execute/s/{steps}"), &[], b"")).unwrap();
}

/// Reads up to `end`.
fn read_to(client: &mut Client, end: &[u8]) -> Vec<u8> {
    let mut seen = Vec::new();
    while !seen.ends_with(end) {
        let mut byte = [0];
        client.0.read_exact(&mut byte).unwrap();
        seen.push(byte[0]);
    }
    seen
}

/// All that comes until the connection ends.
fn rest(client: &mut Client) -> Vec<u8> {
    let mut rest = Vec::new();
    // A reset is an end, too.
    let _ = client.0.read_to_end(&mut rest);
    rest
}

/// What comes of a response that is cut: what was sent of it, without an end of it.
fn cut(server: &crate::support::Server, steps: &str) -> String {
    let mut client = Client::connect(server.address);
    ask(&mut client, steps);
    let seen = String::from_utf8(rest(&mut client)).unwrap();
    assert!(!seen.ends_with("0\r\n\r\n"), "{steps}: {seen}");
    seen
}

fn waits_for(mut what: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !what() {
        assert!(begin.elapsed() < Duration::from_secs(30), "it does not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_response_that_is_there_at_once_is_sent_as_a_whole() {
    for (server, _dir) in streams(&Limits::default(), &usual()) {
        for steps in ["say-one/say-two", "say-one/sleep-0/say-two", "drip-3", "length-4/say-one", "finish"] {
            let reply = server.send("GET", &format!("/execute/s/{steps}"), b"");
            assert_eq!(reply.header("transfer-encoding"), None, "{steps}: {reply:?}");
            assert_eq!(reply.header("content-length"), Some(&*reply.body.len().to_string()), "{steps}");
            assert!(reply.header("fuel-used").is_some(), "{steps}");
        }
    }
}

/// The guest goes on until its deadline, and the client has the first part before that: it closes, and the run ends as one
/// whose client is gone, or at its deadline.
#[test]
fn the_first_part_comes_while_the_guest_runs() {
    for (server, _dir) in streams(&deadline_ms(60_000), &usual()) {
        let mut client = Client::connect(server.address);
        ask(&mut client, "say-one/sleep-30/say-two/sleep-1/say-three/sleep-20000");
        let seen = read_to(&mut client, b"4\r\none\n\r\n");
        let head = String::from_utf8(seen).unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert!(head.contains("\r\nTransfer-Encoding: chunked\r\n"), "{head}");
        assert!(!head.contains("Content-Length") && head.contains("\r\nX-Request-Id: "), "{head}");
        read_to(&mut client, b"4\r\ntwo\n\r\n6\r\nthree\n\r\n");
        assert_eq!(outcomes(&server, "s", "ok"), 0);
        // Nobody else waits for it.
        assert_eq!(server.send("GET", "/execute/s/say-x", b"").text(), "x\n");
        assert_eq!(server.send("GET", "/execute/s/say-x/sleep-20/say-y", b"").text(), "x\ny\n");
        // A stop would wait for the guest.
        std::mem::forget(server);
    }
}

#[test]
fn what_stops_the_guest_cuts_the_response() {
    let limits = Limits { fuel: 5_000_000, ..deadline_ms(500) };
    for (server, _dir) in streams(&limits, &usual()) {
        for (steps, outcome) in [
            ("say-one/sleep-20/trap", "trap"),
            ("say-one/sleep-20/exit", "exit"),
            ("say-one/sleep-20/spin", "out-of-fuel"),
            ("say-one/sleep-20000", "deadline"),
            ("say-one/sleep-20/drop", "convention"),
        ] {
            let seen = cut(&server, steps);
            assert!(seen.ends_with("\r\n\r\n4\r\none\n\r\n"), "{steps}: {seen}");
            assert_eq!(outcomes(&server, "s", outcome), 1, "{steps}");
        }
        assert_eq!(server.send("GET", "/execute/s/say-x", b"").text(), "x\n");
        // Nothing was sent: the problem is.
        assert_eq!(server.send("GET", "/execute/s/set/sleep-20/trap", b"").problem(), "trap");
        assert_eq!(server.send("GET", "/execute/s/say-one/trap", b"").problem(), "trap");
    }
}

/// With its head, `Status: 200` and an empty line.
#[test]
fn the_output_limit_counts_what_was_sent() {
    for (bytes, outcome) in [(22, "output-full"), (23, "ok"), (24, "ok")] {
        let limits = Limits { output_bytes: bytes, ..Limits::default() };
        for (server, _dir) in streams(&limits, &usual()) {
            let mut client = Client::connect(server.address);
            ask(&mut client, "say-one/sleep-20/say-two");
            match read_reply(&mut client.0, false) {
                Ok(reply) => assert_eq!((reply.text().as_str(), outcome), ("one\ntwo\n", "ok")),
                Err(_) => assert_eq!(outcome, "output-full", "{bytes}"),
            }
            assert_eq!(outcomes(&server, "s", outcome), 1, "{bytes}");
        }
    }
}

#[test]
fn much_is_sent_before_the_end() {
    for (server, _dir) in streams(&Limits::default(), &usual()) {
        for (bytes, is_chunked) in [
            (REPLY_PIECE_BYTES - 1, false),
            (REPLY_PIECE_BYTES, false),
            (REPLY_PIECE_BYTES + 1, true),
            (10 * REPLY_PIECE_BYTES + 1, true),
        ] {
            for begin in ["set", "say-"] {
                let more = usize::from(begin == "say-");
                let steps = format!("/execute/s/{begin}/write-{}", bytes - more);
                let mut client = Client::connect(server.address);
                for _ in 0..2 {
                    let reply = client.send("GET", &steps, b"");
                    assert_eq!(reply.body.len(), bytes, "{steps}");
                    assert_eq!(reply.header("transfer-encoding").is_some(), is_chunked, "{steps}");
                }
            }
        }
    }
}

#[test]
fn a_length_that_the_guest_gives_is_kept() {
    for (server, _dir) in streams(&Limits::default(), &usual()) {
        let mut client = Client::connect(server.address);
        for _ in 0..2 {
            let reply = client.send("GET", "/execute/s/length-8/say-one/sleep-20/say-two", b"");
            assert_eq!((reply.header("content-length"), &*reply.text()), (Some("8"), "one\ntwo\n"));
            assert!(reply.header("transfer-encoding").is_none() && reply.header("fuel-used").is_none());
        }
        for steps in ["length-9/say-one/sleep-20/say-two", "length-9/say-one/sleep-20/say-two/drop"] {
            assert!(cut(&server, steps).contains("\r\nContent-Length: 9\r\n"), "{steps}");
        }
        // One byte too many: the write fails, and this guest with it.
        let seen = cut(&server, "length-7/say-one/sleep-20/say-two");
        assert!(seen.contains("\r\nContent-Length: 7\r\n") && seen.ends_with("\r\n\r\none\n"), "{seen}");
        assert_eq!(outcomes(&server, "s", "ok"), 2);
    }
}

#[test]
fn responses_without_a_body_stay_whole() {
    for (server, _dir) in streams(&Limits::default(), &usual()) {
        let mut client = Client::connect(server.address);
        for _ in 0..2 {
            for status in [204, 205, 304] {
                let reply =
                    client.send("GET", &format!("/execute/s/status-{status}/say-x/sleep-20/say-y"), b"");
                assert_eq!((reply.status, &*reply.body), (status, &b""[..]));
                assert_eq!(reply.header("transfer-encoding"), None);
            }
            let reply = client.send("HEAD", "/execute/s/say-x/sleep-20/say-y/trailer-x-a-1", b"");
            assert_eq!((reply.status, reply.header("content-length")), (200, Some("4")));
            assert_eq!(reply.header("transfer-encoding"), None);
            assert_eq!(client.send("GET", "/execute/s/say-x", b"").text(), "x\n");
        }
    }
}

/// A client of HTTP/1.0 knows no chunks, and could not tell a response that was cut from a whole one.
#[test]
fn a_client_of_http_1_0_gets_a_whole_response() {
    for (server, _dir) in streams(&Limits::default(), &usual()) {
        let mut client = Client::connect(server.address);
        let request =
            b"GET /execute/s/say-one/sleep-20/say-two/trailer-x-a-1 HTTP/1.0\r\nTE: trailers\r\n\r\n";
        client.0.write_all(request).unwrap();
        let seen = String::from_utf8(rest(&mut client)).unwrap();
        assert!(seen.contains("\r\nContent-Length: 8\r\n") && seen.ends_with("\r\n\r\none\ntwo\n"), "{seen}");
        assert!(!seen.contains("chunked") && !seen.contains("x-a"), "{seen}");
    }
}

#[test]
fn a_connection_goes_on_after_a_stream() {
    for (server, _dir) in streams(&Limits::default(), &usual()) {
        let mut client = Client::connect(server.address);
        let one = message("GET", "/execute/s/say-one/sleep-20/say-two", &[], b"");
        let other = message("POST", "/execute/s/say-three", &[], b"a body");
        let expects = b"POST /execute/s/say-x/sleep-20 HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\
            Expect: 100-continue\r\n\r\n";
        // Three at once, and the last waits for its 100.
        client.0.write_all(&[&one[..], &other, &one, expects].concat()).unwrap();
        for text in ["one\ntwo\n", "three\n", "one\ntwo\n"] {
            assert_eq!(read_reply(&mut client.0, false).unwrap().text(), text);
        }
        assert_eq!(read_to(&mut client, b"\r\n\r\n"), b"HTTP/1.1 100 Continue\r\n\r\n");
        client.0.write_all(b"ab").unwrap();
        assert_eq!(read_reply(&mut client.0, false).unwrap().text(), "x\n");
        let reply = client.ask("GET", "/execute/s/say-one/sleep-20", &[("Connection", "close")], b"");
        assert_eq!((reply.header("connection"), &*reply.text()), (Some("close"), "one\n"));
        assert!(rest(&mut client).is_empty());
    }
}

#[test]
fn a_client_that_goes_stops_the_guest() {
    for (server, _dir) in streams(&deadline_ms(60_000), &usual()) {
        let mut client = Client::connect(server.address);
        ask(&mut client, &"say-a/sleep-20/".repeat(500));
        read_to(&mut client, b"2\r\na\n\r\n");
        drop(client);
        waits_for(|| outcomes(&server, "s", "client-gone") == 1);
        waits_for(|| server.connections() == 0);
        assert_eq!(server.send("GET", "/execute/s/say-x", b"").text(), "x\n");
    }
}

#[test]
fn a_client_that_reads_nothing_holds_the_guest_until_its_deadline() {
    let much = "write-16000000/".repeat(4);
    let limits = |ms| Limits { output_bytes: 1 << 27, fuel: u64::MAX / 2, ..deadline_ms(ms) };
    for (server, _dir) in streams(&limits(1_000), &usual()) {
        let mut client = Client::connect(server.address);
        ask(&mut client, &much);
        waits_for(|| outcomes(&server, "s", "deadline") == 1);
        assert_eq!(server.send("GET", "/execute/s/say-x", b"").text(), "x\n");
        drop(client);
    }
    // Or until it has taken nothing for too long.
    let door = DoorLimits { write_timeout: Duration::from_millis(500), ..usual() };
    for (server, _dir) in streams(&limits(60_000), &door) {
        let mut client = Client::connect(server.address);
        ask(&mut client, &much);
        waits_for(|| outcomes(&server, "s", "client-gone") == 1);
        drop(client);
    }
}

/// What is held for a client that reads nothing is counted, and is no more than a few pieces.
#[test]
fn what_is_held_is_counted_and_bounded() {
    let limits = Limits { output_bytes: 1 << 27, fuel: u64::MAX / 2, ..deadline_ms(5_000) };
    for (server, _dir) in streams(&limits, &usual()) {
        let mut client = Client::connect(server.address);
        ask(&mut client, &"write-16000000/".repeat(4));
        let mut most = 0;
        let buffered = || {
            let metrics = Client::connect(server.address).send("GET", "/metrics", b"").text();
            let line = metrics.lines().find_map(|line| line.strip_prefix("fuelbox_buffered_bytes "));
            line.unwrap().parse::<usize>().unwrap()
        };
        waits_for(|| {
            most = most.max(buffered());
            outcomes(&server, "s", "deadline") == 1
        });
        assert!((REPLY_PIECE_BYTES..6 * REPLY_PIECE_BYTES).contains(&most), "{most}");
        waits_for(|| buffered() < REPLY_PIECE_BYTES);
        drop(client);
    }
}

/// A guest that writes a byte and waits for nothing, again and again, sends one chunk for each interval at most.
#[test]
fn a_flood_of_bytes_is_no_flood_of_chunks() {
    let limits = Limits { fuel: u64::MAX / 2, ..deadline_ms(60_000) };
    for (server, _dir) in streams(&limits, &usual()) {
        let mut client = Client::connect(server.address);
        let begin = Instant::now();
        ask(&mut client, "drip-3000/drip-3000/sleep-20");
        read_to(&mut client, b"\r\n\r\n");
        let body = read_to(&mut client, b"0\r\n\r\n");
        let most = begin.elapsed().as_millis() / REPLY_INTERVAL.as_millis() + 3;
        let lines = body.split(|byte| *byte == b'\n').count();
        let dots = body.iter().filter(|byte| **byte == b'.').count();
        assert_eq!(dots, 6000);
        assert!((lines / 2) as u128 <= most, "{lines} lines, {most} chunks");
    }
}

/// Nothing of a stream is left for the next request of a warm instance.
#[test]
fn a_warm_instance_begins_anew() {
    for (server, _dir) in streams(&Limits::default(), &usual()) {
        let get = |steps: &str| {
            let target = format!("/execute/warm/{steps}");
            Client::connect(server.address).ask("GET", &target, &[("TE", "trailers")], b"")
        };
        let reply = get("trailer-x-first-1/say-one/sleep-20/say-two/keep");
        assert_eq!((&*reply.text(), &*reply.trailers), ("one\ntwo\n", ""));
        // The stream that it has kept is closed, and its trailers are nobody's.
        let reply = get("say-three/sleep-20/reuse");
        assert_eq!((&*reply.text(), &*reply.trailers), ("three\n", ""));
        let reply = get("trailer-x-second-2/say-four/sleep-20");
        assert_eq!((&*reply.text(), &*reply.trailers), ("four\n", "x-second: 2\n"));
        let reply = get("say-five");
        assert_eq!((reply.header("content-length"), &*reply.text()), (Some("5"), "five\n"));
        let reply = get("keep");
        assert_eq!((reply.status, &*reply.body), (200, &b""[..]));
        // Nor can what is left begin the response of another request.
        assert_eq!(get("reuse/say-six").text(), "six\n");
    }
}

/// A gateway that ends lets a stream end.
#[test]
fn a_stream_ends_before_the_gateway_does() {
    for isolation in ["thread", "process"] {
        let dir = TempDir::new();
        std::fs::create_dir(dir.0.join("plugins")).unwrap();
        dir.write("plugins/s.wasm", std::fs::read(prebuilt("http-stream.wasm")).unwrap());
        let flags = ["serve", "--listen=127.0.0.1:0", "--plugins=plugins", "--isolation", isolation];
        let mut server = Serve::spawn(crate::support::fuelbox_command(&dir.0, &flags));
        let mut client = Client::connect(server.address);
        ask(&mut client, "say-one/sleep-500/say-two/trailer-x-a-1");
        read_to(&mut client, b"4\r\none\n\r\n");
        let id = server.child.id().to_string();
        assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert_eq!(rest(&mut client), b"4\r\ntwo\n\r\n0\r\n\r\n", "{isolation}");
        assert_eq!(server.child.wait().unwrap().code(), Some(0));
    }
}
