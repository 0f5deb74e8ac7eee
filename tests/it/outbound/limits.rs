//! Deadlines, sizes and counts.

use super::server::{Upstream, ok};
use super::{ask, get, run, text};
use fuelbox::{Limits, Stop};
use std::io::Write;
use std::time::Duration;

const SHORT: Duration = Duration::from_millis(300);

/// Asks under a short deadline.
fn stopped(upstream: &Upstream) -> Result<Vec<u8>, Stop> {
    let limits = Limits { deadline: Some(SHORT), ..Limits::default() };
    run(&[&upstream.pattern("/*")], &limits, "ask", &get(&upstream.url("/"))).result
}

#[test]
fn a_slow_server_ends_with_the_deadline() {
    let silent = Upstream::with(|_, _| std::thread::sleep(Duration::from_secs(30)));
    let drips = |begin: &'static [u8], drop: &'static [u8]| {
        Upstream::with(move |stream, _| {
            let _ = stream.write_all(begin);
            while stream.write_all(drop).is_ok() {
                std::thread::sleep(Duration::from_millis(20));
            }
        })
    };
    let in_head = drips(b"HTTP/1.1 200 OK\r\nX: ", b"a");
    let in_body = drips(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"a");
    let in_chunks = drips(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n");
    let before = drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n");
    for upstream in [silent, in_head, in_body, in_chunks, before] {
        assert_eq!(stopped(&upstream), Err(Stop::Deadline { limit: SHORT, why: None }));
    }
}

#[test]
fn a_response_has_as_many_bytes_as_the_input_may() {
    let limits = Limits { input_bytes: 1_000, ..Limits::default() };
    for framing in ["length", "chunks", "end"] {
        for (size, fits) in [(999, true), (1_000, true), (1_001, false), (100_000, false)] {
            let body = "a".repeat(size);
            let upstream = Upstream::of(move |_| match framing {
                "length" => ok(&body),
                "chunks" => format!(
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{size:x}\r\n{body}\r\n0\r\n\r\n"
                ),
                _ => format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{body}"),
            });
            let ran = text(run(&[&upstream.pattern("/*")], &limits, "ask", &get(&upstream.url("/"))));
            match ran {
                Ok(body) => assert!(fits && body.len() == size, "{framing} {size}"),
                Err(why) => assert!(
                    !fits && why.contains("--max-input allows, which is 1000"),
                    "{framing} {size}: {why}"
                ),
            }
        }
    }
    let endless = Upstream::with(|stream, _| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while stream.write_all(&[b'a'; 10_000]).is_ok() {}
    });
    let refused = ask(&[&endless.pattern("/*")], &endless.url("/")).unwrap_err();
    assert!(refused.contains("--max-input"), "{refused}");
}

#[test]
fn a_response_counts_to_the_guests_memory() {
    let body = "a".repeat(200_000);
    let upstream = Upstream::of(move |_| ok(&body));
    // One page is the guest's own.
    for (memory_pages, fits) in [(3, false), (5, true)] {
        let limits = Limits { memory_pages, ..Limits::default() };
        let ran = run(&[&upstream.pattern("/*")], &limits, "ask", &get(&upstream.url("/"))).result;
        assert_eq!(matches!(ran, Err(Stop::MemoryDenied { .. })), !fits, "{memory_pages}: {:?}", ran.err());
    }
}

#[test]
fn a_request_has_as_many_bytes_as_the_output_may() {
    let upstream = Upstream::of(|_| ok(""));
    let input = get(&upstream.url("/")).replace('}', r#", "method": "POST"}"#);
    for (less, is_sent) in [(0, true), (1, false)] {
        let limits = Limits { output_bytes: input.len() - less, ..Limits::default() };
        let ran = text(run(&[&upstream.pattern("/*")], &limits, "post", &input));
        assert_eq!(ran.is_ok(), is_sent, "{ran:?}");
    }
    assert_eq!(upstream.requests().len(), 1);
}

#[test]
fn a_run_makes_as_many_calls_as_it_may() {
    for count in [0, 1, 2, 16] {
        let upstream = Upstream::of(|_| ok("x"));
        let limits = Limits { http_calls: count, ..Limits::default() };
        let refused =
            text(run(&[&upstream.pattern("/*")], &limits, "again", &get(&upstream.url("/")))).unwrap_err();
        assert!(refused.contains(&format!("--http-calls allows, which is {count}")), "{refused}");
        assert_eq!(upstream.requests().len(), count as usize);
    }
}

#[test]
fn a_head_has_a_limit() {
    let head = |bytes: usize| {
        let begin = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: ";
        format!("{begin}{}\r\n\r\n", "a".repeat(bytes - begin.len() - 4))
    };
    for (bytes, fits) in [(16 * 1024 - 64, true), (17 * 1024, false)] {
        let upstream = Upstream::of(move |_| head(bytes));
        assert_eq!(ask(&[&upstream.pattern("/*")], &upstream.url("/")).is_ok(), fits, "{bytes}");
    }
    for (count, fits) in [(120, true), (200, false)] {
        let upstream = Upstream::of(move |_| {
            let fields: String = (0..count).map(|n| format!("x{n}: y\r\n")).collect();
            format!("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n{fields}\r\n")
        });
        assert_eq!(ask(&[&upstream.pattern("/*")], &upstream.url("/")).is_ok(), fits, "{count}");
    }
}
