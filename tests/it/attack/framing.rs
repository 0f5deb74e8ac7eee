//! Requests that are no requests, and bodies at their limits (items 1, 2 and 5 of issue 3).

use super::{Target, all_replies, connect, exchange, message, read_reply, scale, turn, under_attack};
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// One answer with one of `statuses`, a problem, and the end.
fn refused(address: SocketAddr, bytes: &[u8], statuses: &[u16]) {
    let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]);
    let replies = exchange(address, bytes);
    assert_eq!(replies.len(), 1, "{shown:?} gave {replies:?}");
    let reply = &replies[0];
    assert!(statuses.contains(&reply.status), "{shown:?} gave {reply:?}");
    assert_eq!(reply.header("connection"), Some("close"), "{shown:?}");
    reply.problem();
}

fn with(lines: &str) -> String {
    format!("POST /execute/greet HTTP/1.1\r\nHost: test\r\n{lines}\r\n\r\n")
}

#[test]
fn lengths_and_codings_that_lie() {
    let _turn = turn();
    let target = Target::start(&["--body-timeout=500ms"]);
    let endless = format!("Transfer-Encoding: chunked\r\n\r\n5;{}", "a".repeat(100_000));
    let cases: [(&str, u16); 23] = [
        ("Content-Length: 100000000000", 413),
        ("Content-Length: 1000000000000000000", 413),
        ("Content-Length: 18446744073709551615", 413),
        ("Content-Length: 18446744073709551616", 413),
        ("Content-Length: -1", 400),
        ("Content-Length: +5", 400),
        ("Content-Length: 5, 5", 400),
        ("Content-Length: 0x5", 400),
        ("Content-Length:", 400),
        ("Content-Length: 5\r\nContent-Length: 6", 400),
        ("Content-Length: 5\r\nContent-Length: 5", 400),
        ("Content-Length: 5\r\nTransfer-Encoding: chunked", 400),
        ("Transfer-Encoding: chunked\r\nContent-Length: 5", 400),
        ("Transfer-Encoding: gzip", 400),
        ("Transfer-Encoding: gzip, chunked", 400),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", 400),
        ("Transfer-Encoding: chunked\r\n\r\n8000000000000000", 413),
        ("Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff", 413),
        ("Transfer-Encoding: chunked\r\n\r\nxyz", 400),
        ("Transfer-Encoding: chunked\r\n\r\n-5", 400),
        ("Transfer-Encoding: chunked\r\n\r\n5\r\nWorldmore", 400),
        ("Expect: 200-ok\r\nContent-Length: 5", 417),
        (&endless, 400),
    ];
    under_attack("1 framing", &target, false, |address| {
        for _ in 0..scale(1, 20) {
            for (lines, status) in cases {
                refused(address, with(lines).as_bytes(), &[status]);
                refused(address, (with(lines) + "World").as_bytes(), &[status]);
            }
        }
    });
}

#[test]
fn heads_that_are_none() {
    let _turn = turn();
    let target = Target::start(&["--head-timeout=500ms"]);
    let size = scale(1 << 20, 10 << 20);
    let lines = "X: y\r\n".repeat(scale(5_000, 100_000));
    let cases: Vec<(Vec<u8>, &[u16])> = vec![
        (format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(size)).into(), &[414]),
        (format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "a".repeat(size)).into(), &[431]),
        (format!("GET / HTTP/1.1\r\n{lines}\r\n").into(), &[431]),
        ("A".repeat(size).into(), &[431]),
        (b"GET / HTTP/1.1\r\nHost: te".to_vec(), &[408]),
        (b"GET / HTTP/1.1\nHost: test\n\n".to_vec(), &[400]),
        (b"GET / HTTP/1.1\r\nHost: test\nX: y\r\n\r\n".to_vec(), &[400]),
        (b"GET / HTTP/1.1\r\nHost: te\0st\r\n\r\n".to_vec(), &[400]),
        (b"GET /\xff\xfe HTTP/1.1\r\nHost: test\r\n\r\n".to_vec(), &[400]),
        (b"GET / HTTP/1.1\r\nHost: test\r\n folded: x\r\n\r\n".to_vec(), &[400]),
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), &[400]),
        (b"GET * HTTP/1.1\r\nHost: test\r\n\r\n".to_vec(), &[400]),
        (b"GET / HTTP/1.1\r\nHost:\r\n\r\n".to_vec(), &[400]),
        (b"GET / HTTP/1.1\r\nHost: test, test\r\n\r\n".to_vec(), &[400]),
        (b"GET http://test@other/ HTTP/1.1\r\nHost: test\r\n\r\n".to_vec(), &[400]),
        (b"CONNECT test:80 HTTP/1.1\r\nHost: test\r\n\r\n".to_vec(), &[400]),
        (b"GET /\r\n".to_vec(), &[400]),
        (b"GET / HTTP/0.9\r\n\r\n".to_vec(), &[505]),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec(), &[505]),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".repeat(50), &[400]),
        (b"\r\n\r\n\r\n".to_vec(), &[400]),
        (vec![0; 1000], &[400]),
    ];
    under_attack("2 heads", &target, false, |address| {
        for _ in 0..scale(1, 5) {
            for (bytes, statuses) in &cases {
                refused(address, bytes, statuses);
            }
        }
        // The absolute form is a proxy's, and any server must take it (RFC 9112, section 3.2.2).
        let absolute = b"GET http://test/healthz HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";
        assert_eq!(exchange(address, absolute)[0].text(), "ok\n");
    });
}

/// A body of `size` in chunks of `piece`.
fn chunked(size: usize, piece: usize) -> Vec<u8> {
    let mut message = with("Connection: close\r\nTransfer-Encoding: chunked").into_bytes();
    let mut left = size;
    while left > 0 {
        let n = left.min(piece);
        message.extend_from_slice(format!("{n:x}\r\n").as_bytes());
        message.resize(message.len() + n, b'x');
        message.extend_from_slice(b"\r\n");
        left -= n;
    }
    message.extend_from_slice(b"0\r\n\r\n");
    message
}

#[test]
fn bodies_at_their_limit() {
    let _turn = turn();
    const CAP: usize = 200_000;
    let target = Target::start(&["--max-body=200000"]);
    under_attack("5 body sizes", &target, false, |address| {
        for (size, status) in [(CAP - 1, 200), (CAP, 200), (CAP + 1, 413)] {
            let mut known = with(&format!("Connection: close\r\nContent-Length: {size}")).into_bytes();
            known.resize(known.len() + size, b'x');
            // Chunks of one byte are six times the body; that is for the door to bear.
            for bytes in [known, chunked(size, 1), chunked(size, 7000), chunked(size, size)] {
                let replies = exchange(address, &bytes);
                assert_eq!(replies.len(), 1);
                assert_eq!(replies[0].status, status, "{size}: {:?}", replies[0].head);
                if status == 200 {
                    assert_eq!(replies[0].body.len(), "Hello, ".len() + size);
                    assert!(replies[0].body[7..].iter().all(|byte| *byte == b'x'));
                }
            }
        }
    });
}

#[test]
fn a_client_that_expects_100_continue_gets_it_first() {
    let _turn = turn();
    let target = Target::start(&["--max-body=100000", "--body-timeout=500ms"]);
    under_attack("5 100-continue", &target, false, |address| {
        for coding in ["Content-Length: 5", "Transfer-Encoding: chunked"] {
            let mut stream = connect(address);
            stream.write_all(with(&format!("Expect: 100-continue\r\n{coding}")).as_bytes()).unwrap();
            assert_eq!(read_reply(&mut stream).unwrap().status, 100);
            let body = if coding.starts_with('C') { "World" } else { "5\r\nWorld\r\n0\r\n\r\n" };
            stream.write_all(body.as_bytes()).unwrap();
            assert_eq!(read_reply(&mut stream).unwrap().text(), "Hello, World", "{coding}");
        }
        // Too large: at once, before any byte of it.
        let large = with("Expect: 100-continue\r\nContent-Length: 100001");
        refused(address, large.as_bytes(), &[413]);
        // Nothing to wait for: the answer, at once.
        let begin = Instant::now();
        let mut stream = connect(address);
        stream.write_all(with("Expect: 100-continue\r\nContent-Length: 0").as_bytes()).unwrap();
        assert_eq!(read_reply(&mut stream).unwrap().text(), "Hello, ");
        assert!(begin.elapsed() < Duration::from_millis(400), "{:?}", begin.elapsed());
        // The body never comes.
        let mut stream = connect(address);
        stream.write_all(with("Expect: 100-continue\r\nContent-Length: 5").as_bytes()).unwrap();
        let replies = all_replies(&mut stream, b"a head");
        assert_eq!(replies.iter().map(|reply| reply.status).collect::<Vec<_>>(), [100, 408]);
    });
}

#[test]
fn a_half_closed_client_gets_its_answers_and_the_end() {
    let _turn = turn();
    let target = Target::start(&[]);
    under_attack("half-closed", &target, false, |address| {
        for count in [1, 3] {
            for wait in [Duration::ZERO, Duration::from_millis(20)] {
                let begin = Instant::now();
                let mut stream = connect(address);
                stream.write_all(&message("/execute/greet", b"World").repeat(count)).unwrap();
                sleep(wait);
                stream.shutdown(std::net::Shutdown::Write).unwrap();
                let replies = all_replies(&mut stream, b"requests");
                assert_eq!(replies.len(), count);
                assert!(replies.iter().all(|reply| reply.text() == "Hello, World"));
                assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
            }
        }
        // Half a request, and no more will come.
        let mut stream = connect(address);
        stream
            .write_all(b"POST /execute/greet HTTP/1.1\r\nHost: test\r\nContent-Length: 50\r\n\r\nx")
            .unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut rest = Vec::new();
        let ended = stream.read_to_end(&mut rest);
        assert!(ended.is_ok_and(|n| n == 0), "no answer to what was never whole");
    });
}

#[test]
fn a_head_request_with_a_body_gets_a_head() {
    let _turn = turn();
    let target = Target::start(&[]);
    under_attack("HEAD with body", &target, false, |address| {
        let mut stream = connect(address);
        for _ in 0..10 {
            let head = b"HEAD /healthz HTTP/1.1\r\nHost: test\r\nContent-Length: 2000\r\n\r\n";
            stream.write_all(&[&head[..], &[b'x'; 2000]].concat()).unwrap();
            let mut received = Vec::new();
            let mut buffer = [0; 4096];
            while !received.ends_with(b"\r\n\r\n") {
                let n = stream.read(&mut buffer).unwrap();
                assert!(n > 0);
                received.extend_from_slice(&buffer[..n]);
            }
            let received = String::from_utf8(received).unwrap();
            assert!(received.starts_with("HTTP/1.1 200 ") && received.contains("Content-Length: 3\r\n"));
        }
        stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let nothing = stream.read(&mut [0; 10]).map_err(|error| error.kind());
        assert_eq!(nothing, Err(ErrorKind::WouldBlock), "nothing of the bodies was answered");
    });
}
