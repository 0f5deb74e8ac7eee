//! The door's parser: what is a request, what is refused, and that cutting input anywhere changes nothing.

use fuelbox::gateway::http::chunked::Chunked;
use fuelbox::gateway::http::head::{Framing, Head, parse as head};
use fuelbox::gateway::http::reject::Reject;

const MAX: usize = 16 * 1024;

fn parsed(text: &str) -> Head<'_> {
    head(text.as_bytes(), MAX).unwrap().unwrap()
}

fn refused(bytes: impl AsRef<[u8]>) -> Reject {
    match head(bytes.as_ref(), MAX) {
        Err(reject) => reject,
        Ok(read) => panic!("{:?} gave {read:?}", String::from_utf8_lossy(bytes.as_ref())),
    }
}

/// A request with these header lines.
fn with(lines: &str) -> String {
    format!("POST /execute/greet HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\n")
}

#[test]
fn a_plain_request_is_read() {
    let text = "POST /execute/greet?func=f HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\nWorld";
    let head = parsed(text);
    assert_eq!((head.method, head.target), ("POST", "/execute/greet?func=f"));
    assert_eq!(head.framing, Framing::Length(5));
    assert_eq!(head.content_type, Some("text/plain"));
    assert!(head.keep_alive && !head.expects_continue);
    assert_eq!(&text[head.len..], "World");
}

#[test]
fn one_empty_line_before_a_request_is_ignored() {
    let text = "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(parsed(text).len, text.len());
    assert_eq!((head(b"\r", MAX), head(b"\r\n", MAX)), (Ok(None), Ok(None)));
    assert_eq!(refused("\r\n\rGET / HTTP/1.1").kind.status, 400);
    assert_eq!(refused("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n").kind.status, 400);
}

#[test]
fn every_prefix_of_a_request_is_incomplete() {
    let text = with("Content-Length: 5\r\nX: y");
    for cut in 0..text.len() {
        assert_eq!(head(&text.as_bytes()[..cut], MAX), Ok(None), "cut at {cut}");
    }
    assert!(head(text.as_bytes(), MAX).unwrap().is_some());
}

#[test]
fn lengths() {
    for (value, framing) in [("0", 0), ("5", 5), ("005", 5), ("18446744073709551615", u64::MAX)] {
        assert_eq!(parsed(&with(&format!("Content-Length: {value}"))).framing, Framing::Length(framing));
    }
    // Beyond 64 bits it is too large for any limit, not malformed.
    let huge = with("Content-Length: 99999999999999999999999");
    assert_eq!(parsed(&huge).framing, Framing::Length(u64::MAX));
    for value in ["-1", "+5", "5, 5", "5,5", "0x5", "5 5", "5.0", "", "five", "5;"] {
        assert_eq!(refused(with(&format!("Content-Length: {value}"))).kind.status, 400, "{value}");
    }
    for lines in [
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: 5\r\ncontent-length: 5",
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: gzip",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: \u{b}chunked",
    ] {
        assert_eq!(refused(with(lines)).kind.status, 400, "{lines}");
    }
    assert_eq!(parsed(&with("Transfer-Encoding: Chunked")).framing, Framing::Chunked);
}

#[test]
fn what_two_servers_could_read_in_two_ways_is_refused() {
    for bytes in [
        &b"GET / HTTP/1.1\nHost: a\n\n"[..],
        b"GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n X: folded\r\n\r\n",
        b"GET / HTTP/1.1\r\n Host: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n: y\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: \x01\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: \xff\r\n\r\n",
        b"GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /  HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Type: a\r\nContent-Type: b\r\n\r\n",
        b"G(T / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"get / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /#a HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET * HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET a HTTP/1.1\r\nHost: a\r\n\r\n",
        b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET http://a?/execute/greet HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET /\r\n",
        b"GET / HTTP/1.1 x\r\nHost: a\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\0",
        b" GET / HTTP/1.1\r\n\r\n",
    ] {
        assert_eq!(refused(bytes).kind.status, 400, "{:?}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn other_versions() {
    for text in ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET / HTTP/2.0\r\n\r\n", "GET / HTTP/0.9\r\n\r\n"] {
        assert_eq!(refused(text).kind.status, 505, "{text}");
    }
    for text in ["GET / HTTP/1.2\r\n\r\n", "GET / HTTP/11\r\n\r\n", "GET / http/1.1\r\n\r\n"] {
        assert!(matches!(refused(text).kind.status, 400 | 505), "{text}");
    }
}

#[test]
fn an_absolute_target_loses_scheme_and_authority() {
    for (target, path) in
        [("http://a/b?c", "/b?c"), ("HTTP://a:80/", "/"), ("http://a", "/"), ("http://a/x//y", "/x//y")]
    {
        let text = format!("GET {target} HTTP/1.1\r\nHost: b:99\r\n\r\n");
        let head = parsed(&text);
        assert_eq!(
            (head.target, head.authority.unwrap().host, head.authority.unwrap().port),
            (path, "a", 80)
        );
    }
    let head = parsed("GET / HTTP/1.1\r\nHost: b:99\r\n\r\n");
    assert_eq!((head.authority.unwrap().text, head.authority.unwrap().port), ("b:99", 99));
    assert_eq!(parsed("GET / HTTP/1.0\r\n\r\n").authority, None);
}

#[test]
fn a_head_may_have_its_limit_and_no_byte_more() {
    for (size, fits) in [(511, true), (512, true), (513, false)] {
        let empty = "GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n".len();
        let text = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "y".repeat(size - empty));
        assert_eq!(text.len(), size);
        match head(text.as_bytes(), 512) {
            Ok(Some(_)) => assert!(fits, "{size}"),
            Err(reject) => assert!(!fits && reject.kind.status == 431, "{size}: {reject:?}"),
            Ok(None) => panic!("{size} is complete"),
        }
    }
    // Without an end, it is refused as soon as no end could fit.
    let endless = format!("GET /{}", "a".repeat(600));
    assert_eq!(head(&endless.as_bytes()[..511], 512), Ok(None));
    assert_eq!(head(&endless.as_bytes()[..512], 512).unwrap_err().kind.status, 414);
    let endless = format!("GET / HTTP/1.1\r\nX: {}", "a".repeat(600));
    assert_eq!(head(&endless.as_bytes()[..511], 512), Ok(None));
    assert_eq!(head(&endless.as_bytes()[..512], 512).unwrap_err().kind.status, 431);
    let many = with(&vec!["X: y"; 101].join("\r\n"));
    assert_eq!(refused(many).kind.status, 431);
}

#[test]
fn keep_alive_and_continue() {
    assert!(!parsed(&with("Connection: close")).keep_alive);
    assert!(!parsed(&with("Connection: Keep-Alive, Close")).keep_alive);
    assert!(!parsed("GET / HTTP/1.0\r\n\r\n").keep_alive);
    assert!(parsed(&with("Expect: 100-Continue")).expects_continue);
    assert!(!parsed("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n").expects_continue);
    assert_eq!(refused(with("Expect: 200-ok")).kind.status, 417);
}

/// Feeds `input` in pieces of `step` bytes, the way a connection does.
fn unchunk(input: &[u8], step: usize, max: usize) -> Result<Option<(Vec<u8>, usize)>, Reject> {
    let (mut chunked, mut body, mut held, mut used) = (Chunked::default(), Vec::new(), Vec::new(), 0);
    for piece in input.chunks(step) {
        held.extend_from_slice(piece);
        let (taken, done) = chunked.feed(&held, &mut body, max)?;
        held.drain(..taken);
        used += taken;
        if done {
            return Ok(Some((body, used)));
        }
    }
    Ok(None)
}

#[test]
fn chunked_bodies_are_the_same_however_they_arrive() {
    let input = b"5\r\nHello\r\n2;a=\"b\"\r\n, \r\n05 \r\nWorld\r\n0\r\nTrailer: x\r\n\r\nGET /";
    let whole = input.len() - "GET /".len();
    for step in 1..=input.len() {
        let (body, used) = unchunk(input, step, 12).unwrap().unwrap();
        assert_eq!((body.as_slice(), used), (&b"Hello, World"[..], whole), "{step} bytes at a time");
    }
    for cut in 0..whole {
        assert_eq!(unchunk(&input[..cut], 7, 12), Ok(None), "cut at {cut}");
    }
}

#[test]
fn chunked_bodies_may_have_their_limit_and_no_byte_more() {
    for (size, fits) in [(9, true), (10, true), (11, false)] {
        let input = format!("{size:x}\r\n{}\r\n0\r\n\r\n", "x".repeat(size));
        let outcome = unchunk(input.as_bytes(), 3, 10);
        assert_eq!(outcome.is_ok(), fits, "{size}");
        let pieces = "1\r\nx\r\n".repeat(size) + "0\r\n\r\n";
        match unchunk(pieces.as_bytes(), 3, 10) {
            Ok(read) => assert!(fits && read.unwrap().0.len() == size),
            Err(reject) => assert!(!fits && reject.kind.status == 413),
        }
    }
    for size in ["8000000000000000", "ffffffffffffffff", "10000000000000000", "fffffffffffffffffffff"] {
        assert_eq!(unchunk(format!("{size}\r\n").as_bytes(), 4, 10).unwrap_err().kind.status, 413, "{size}");
    }
}

#[test]
fn malformed_chunks_are_refused() {
    for text in [
        "x\r\n",
        "-1\r\n",
        "+1\r\n",
        "0x1\r\n",
        "\r\n",
        ";a\r\n",
        "1\nx\r\n",
        "1\r\nxy\r\n",
        "1\r\nx\n0\r\n",
        "1\rx",
        "1;\0\r\n",
        "1;a\nb\r\n",
        "1 1\r\n",
        " 1\r\n",
        "g\r\n",
        "0\r\nX: \x01\r\n\r\n",
    ] {
        let reject = unchunk(text.as_bytes(), 64, 10).expect_err(text);
        assert_eq!(reject.kind.status, 400, "{text:?}");
    }
}

#[test]
fn lines_around_chunks_do_not_grow_without_end() {
    let extension = |n: usize| format!("1;{}\r\nx\r\n0\r\n\r\n", "a".repeat(n));
    assert!(unchunk(extension(254).as_bytes(), 10, 10).unwrap().is_some());
    assert_eq!(unchunk(extension(255).as_bytes(), 10, 10).unwrap_err().kind.status, 400);
    // And without any line end.
    assert!(unchunk(&[b'1'; 300], 10, 10).is_err());
    let trailers = "0\r\n".to_string() + &"A: b\r\n".repeat(1000);
    assert_eq!(unchunk(trailers.as_bytes(), 10, 10).unwrap_err().kind.status, 400);
}

#[test]
fn trailers_are_header_fields() {
    let unchunked = |trailer: &str| unchunk(format!("0\r\n{trailer}\r\n\r\n").as_bytes(), 100, 100);
    for trailer in ["A: b", "A:", "A:b\r\nC:\td", "X-Checksum: a: b"] {
        assert!(unchunked(trailer).unwrap().is_some(), "{trailer}");
    }
    for trailer in [" folded", "\tfolded", "A: b\r\n folded", "GET / HTTP/1.1", "a b: c", ": c", "a : c", "a"]
    {
        assert_eq!(unchunked(trailer).unwrap_err().kind.status, 400, "{trailer}");
    }
}

#[test]
fn rubbish_never_panics_and_is_never_endless() {
    // A linear congruential generator: the same rubbish every time.
    let mut seed = 1u64;
    let mut next = || {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (seed >> 33) as usize
    };
    let parts: [&[u8]; 14] = [
        b"GET ",
        b"POST ",
        b"/",
        b" HTTP/1.1",
        b"\r\n",
        b"\r",
        b"\n",
        b"Host: a",
        b"Content-Length: 5",
        b"0",
        b"\0",
        b"Transfer-Encoding: chunked",
        b": ",
        b"\xff",
    ];
    for _ in 0..20_000 {
        let mut bytes = Vec::new();
        for _ in 0..next() % 12 {
            bytes.extend_from_slice(parts[next() % parts.len()]);
        }
        if let Ok(Some(head)) = head(&bytes, 256) {
            assert!(head.len <= bytes.len() && head.target.starts_with(['/', '*']));
        }
        let mut body = Vec::new();
        if let Ok((taken, _)) = Chunked::default().feed(&bytes, &mut body, 16) {
            assert!(taken <= bytes.len() && body.len() <= 16);
        }
    }
}

#[test]
fn the_corpus_reads_the_same_however_it_arrives() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/http1");
    let mut files = 0;
    for entry in std::fs::read_dir(corpus).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        crate::http1_property::holds(&bytes);
        files += 1;
    }
    assert!(files >= 20, "{files} files");
}
