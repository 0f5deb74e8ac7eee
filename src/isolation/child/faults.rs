//! What a process does that a guest has taken over, or that meets a fault of ours: for tests, and only in builds with
//! debug assertions. A test names the fault by the function that it calls.

use super::outlet::Frames;
use crate::base::lock::lock;
use crate::base::outcome::Usage;
use crate::isolation::wire::{Failure, Frame, Ran, Values, write_head};
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the names of these functions begin with.
const FAULT: &str = "fault-";

/// How often frames are sent in a flood.
const FLOOD: usize = 1 << 20;

/// Does what `func` names instead of a run; gives the request back if it names nothing.
pub fn meet(
    func: &str,
    request: tiny_http::Request,
    frames: &Arc<Mutex<Frames>>,
) -> Option<tiny_http::Request> {
    let Some(fault) = func.strip_prefix(FAULT) else { return Some(request) };
    match fault {
        "abort" => std::process::abort(),
        "exit" => std::process::exit(3),
        "stack" => println!("{}", deep(1)),
        "memory" => drop(Vec::<u8>::with_capacity(1 << 46)),
        "call" => drop(std::net::UdpSocket::bind("127.0.0.1:0")),
        "spin" => spin(),
        "file" => answered(request, std::fs::read("/etc/passwd").is_ok()),
        "garbage" => raw(request, b"\x00\x01garbage\r\n\r\nmore"),
        "status" => raw(request, b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"),
        "large" => raw(request, b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n"),
        "short" => raw(request, b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort"),
        "head" => raw(request, &[b'a'; 4096]),
        "more" => raw(request, b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nFrames: 0\r\n\r\nab"),
        "message" => {
            raw(request, b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\nFrames: 0\r\n\r\n\xff\xff\xff\xffabcd")
        }
        "frames" => raw(request, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nFrames: 1000000\r\n\r\n"),
        "empty" => loop {
            lock(frames).send(Frame::Stderr, &[]);
        },
        "trickle" => {
            let mut writer = request.into_writer();
            let _ = writer.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n");
            while writer.write_all(b"x").and_then(|()| writer.flush()).is_ok() {
                std::thread::sleep(Duration::from_micros(50));
            }
        }
        "goes-on" => {
            let mut writer = request.into_writer();
            let _ = writer.write_all(&fine()).and_then(|()| writer.flush());
            spin();
        }
        "twice" => twice(request),
        "ends" => {
            let mut writer = request.into_writer();
            let _ = writer.write_all(&fine()).and_then(|()| writer.flush());
            std::process::exit(0);
        }
        "words" => {
            eprint!("{}", "no frame ".repeat(FLOOD));
            spin();
        }
        "flood" => {
            for _ in 0..FLOOD {
                lock(frames).send(Frame::Stderr, &[&[b'x'; 60_000]]);
            }
            spin();
        }
        _ => return Some(request),
    }
    None
}

/// The response of a run that gave nothing.
fn fine() -> Vec<u8> {
    let mut message = Vec::new();
    let ran = Ran { result: Ok(Values(None)), usage: Usage::default() };
    let _ = write_head(&mut message, &Ok::<_, Failure>(ran));
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nFrames: 0\r\n\r\n", message.len());
    [head.into_bytes(), message].concat()
}

/// Responds, and a moment later again, to a request that has not come.
fn twice(request: tiny_http::Request) {
    let mut writer = request.into_writer();
    for _ in 0..2 {
        let _ = writer.write_all(&fine()).and_then(|()| writer.flush());
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn spin() {
    loop {
        std::hint::spin_loop();
    }
}

/// Sends these bytes instead of a response, and then nothing.
fn raw(request: tiny_http::Request, bytes: &[u8]) {
    let mut writer = request.into_writer();
    let _ = writer.write_all(bytes).and_then(|()| writer.flush());
    std::thread::sleep(Duration::from_secs(3600));
}

/// Ends with an exit code that tells whether something was possible that must not be.
fn answered(_: tiny_http::Request, was_possible: bool) {
    std::process::exit(if was_possible { 99 } else { 3 });
}

#[allow(unconditional_recursion)]
fn deep(n: u64) -> u64 {
    let room = std::hint::black_box([n; 512]);
    deep(room[0] + 1) + room[1]
}
