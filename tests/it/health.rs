//! `fuelbox health`: what it takes for alive, and what not.

use crate::support::{Ran, Serve, TempDir, fuelbox};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

fn health(address: SocketAddr) -> Ran {
    fuelbox(&["health", "--address", &address.to_string()])
}

/// What it says of a server that does `serve` with each connection.
fn health_of(serve: impl Fn(TcpStream) + Send + 'static) -> Ran {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || listener.incoming().flatten().for_each(serve));
    health(address)
}

/// Answers with `answer`, then closes.
fn answers(answer: &'static [u8]) -> impl Fn(TcpStream) + Send + 'static {
    move |mut stream| {
        let mut question = [0; 512];
        let _ = stream.read(&mut question).and_then(|_| stream.write_all(answer));
    }
}

#[test]
fn a_gateway_that_serves_is_alive() {
    let serve = Serve::start(&TempDir::new().0, &[]);
    let ran = health(serve.address).expect(0);
    assert_eq!((ran.text().as_str(), ran.stderr.as_str()), ("ok\n", ""));
}

#[test]
fn where_nobody_listens_nothing_is_alive() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    drop(taken);
    let ran = health(address).expect(1);
    assert!(ran.stdout.is_empty() && ran.stderr.contains(&address.to_string()), "{ran:#?}");
}

#[test]
fn what_says_nothing_within_2_s_is_not_alive() {
    let silent = health_of(std::mem::forget).expect(1);
    assert!(silent.stderr.contains("no answer within 2s"), "{silent:#?}");
    // Each byte comes in time, the answer does not.
    let slow = health_of(|mut stream| {
        while stream.write_all(b"H").is_ok() {
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
    });
    assert!(slow.expect(1).stderr.contains("no answer within 2s"));
}

#[test]
fn another_server_is_not_alive() {
    for answer in [
        &b""[..],
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nok\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n<ok/>",
        &[b'x'; 100_000],
    ] {
        let ran = health_of(answers(answer)).expect(1);
        assert!(ran.stdout.is_empty() && ran.stderr.lines().count() == 1, "{ran:#?}");
    }
    health_of(answers(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n")).expect(0);
}
