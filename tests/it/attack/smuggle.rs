//! Request smuggling: nothing of a body is ever answered as a request (item 5 of issue 3).

use super::{Target, exchange, turn, under_attack};
use std::net::SocketAddr;

const INNER: &str = "POST /execute/add?func=add HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\n1 2";

/// Sends a request with `lines`, and what is a body to some servers and a request to others.
fn smuggle(address: SocketAddr, lines: &str, body: &str, expected: &[u16]) {
    let message = format!("POST /execute/greet HTTP/1.1\r\nHost: test\r\n{lines}\r\n\r\n{body}");
    let replies = exchange(address, message.as_bytes());
    let statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
    assert_eq!(statuses, expected, "{message:?}");
    assert!(replies.iter().all(|reply| reply.text() != "3\n"), "{message:?} smuggled a request in");
}

#[test]
fn two_readings_of_one_message() {
    let _turn = turn();
    let target = Target::start(&[]);
    under_attack("5 smuggling", &target, false, |address| {
        let chunked_inner = format!("0\r\n\r\n{INNER}");
        let length_inner = format!("{:x}\r\n{INNER}\r\n0\r\n\r\n", INNER.len());
        for lines in [
            "Content-Length: 4\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nContent-Length: 4",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: x",
            "Transfer-Encoding: x\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked, chunked",
            "Transfer-Encoding: identity, chunked",
            "Transfer-Encoding: xchunked",
            "Transfer-Encoding: \"chunked\"",
            "Transfer-Encoding : chunked",
            "Transfer-Encoding:\n chunked",
            "Transfer-Encoding:\r\n chunked",
            "X: y\nTransfer-Encoding: chunked",
            "X: y\rTransfer-Encoding: chunked",
            "X: y\r\n\tTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\0",
            "Transfer-Encoding:\u{b}chunked",
            "Transfer_Encoding: chunked\r\nContent-Length: 0\r\nContent-Length: 4",
            "Content-Length: 0\r\nContent-Length: 100",
            "Content-Length: 0\r\n Content-Length: 100",
            "Content-Length: 0\nContent-Length: 100",
            "Content-Length: 0 100",
            "Content-Length: 0,100",
        ] {
            smuggle(address, lines, &chunked_inner, &[400]);
            smuggle(address, lines, &length_inner, &[400]);
        }
        // Ends of lines inside a chunked body that others would see elsewhere.
        for body in [
            format!("5;a\nb\r\nWorld\r\n0\r\n\r\n{INNER}"),
            format!("5\nWorld\n0\n\n{INNER}"),
            format!("5;\nx\r\nWorld\r\n0\r\n\r\n{INNER}"),
            format!("5\rWorld\r\n0\r\n\r\n{INNER}"),
            format!("5\r\nWorldx\r\n0\r\n\r\n{INNER}"),
            format!("5\r\nWorld0\r\n\r\n{INNER}"),
            format!("0x5\r\nWorld\r\n0\r\n\r\n{INNER}"),
            format!("5 5\r\nWorld\r\n0\r\n\r\n{INNER}"),
            format!("0\r\nX: y\nz\r\n\r\n{INNER}"),
        ] {
            smuggle(address, "Transfer-Encoding: chunked", &body, &[400]);
        }
    });
}

#[test]
fn a_body_that_looks_like_requests_is_a_body() {
    let _turn = turn();
    let target = Target::start(&[]);
    under_attack("5 bodies like requests", &target, false, |address| {
        let body = INNER.repeat(10);
        let length = format!("Connection: close\r\nContent-Length: {}", body.len());
        smuggle(address, &length, &body, &[200]);
        let chunked = format!("{:x};a=\"b\"\r\n{body}\r\n0\r\nX: y\r\n\r\n", body.len());
        smuggle(address, "Connection: close\r\nTransfer-Encoding: chunked", &chunked, &[200]);
        // After a refusal nothing is read as a request, whole as it may be.
        let message = "POST /execute/greet HTTP/1.1\r\nHost: test\r\nContent-Length: 1x\r\n\r\n";
        let replies = exchange(address, format!("{message}{body}").as_bytes());
        assert_eq!(replies.iter().map(|reply| reply.status).collect::<Vec<_>>(), [400]);
        // Nor after a response that was to be the last.
        let replies = exchange(
            address,
            format!("GET /healthz HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n{body}").as_bytes(),
        );
        assert_eq!(replies.iter().map(|reply| reply.status).collect::<Vec<_>>(), [200]);
    });
}
