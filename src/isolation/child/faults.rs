//! What a process does that a guest has taken over, or that meets a fault of ours: for tests, and only in builds with
//! debug assertions. A test names the fault by the function that it calls.

use super::outlet::Frames;
use crate::base::lock::lock;
use crate::base::outcome::Usage;
use crate::isolation::wire::{Failure, Frame, Ran, Values, write_head};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the names of these functions begin with.
const FAULT: &str = "fault-";

/// How often frames are sent in a flood.
const FLOOD: usize = 1 << 20;

/// Does what `func` names; comes back if it names nothing.
pub fn meet(func: &str, frames: &Arc<Mutex<Frames>>) {
    let Some(fault) = func.strip_prefix(FAULT) else { return };
    let send = |bytes: &[u8]| lock(frames).raw(bytes);
    let response =
        |size: u32, bytes: &[u8]| send(&[&[Frame::Response as u8][..], &size.to_le_bytes(), bytes].concat());
    let sent = match fault {
        "abort" => std::process::abort(),
        "exit" => std::process::exit(3),
        "stack" => send(&[deep(1) as u8]),
        "memory" => send(&Vec::with_capacity(1 << 46)),
        "call" => std::net::UdpSocket::bind("127.0.0.1:0").map(drop),
        "spin" => spin(),
        // Its exit code tells whether something was possible that must not be.
        "file" => std::process::exit(if std::fs::read("/etc/passwd").is_ok() { 99 } else { 3 }),
        "garbage" => send(b"\x00\x01garbage"),
        "unknown" => send(&[200, 0, 0, 0, 0]),
        "ready" => send(&[Frame::Ready as u8, 0, 0, 0, 0]),
        "large" => response(u32::MAX, b"large"),
        "short" => response(50, b"short"),
        "more" => response(1, b"ab"),
        "message" => response(8, b"\xff\xff\xff\xffabcd"),
        "frame" => send(&[Frame::Stderr as u8, 255, 255, 255, 0]),
        "empty" => loop {
            lock(frames).send(Frame::Stderr, &[]);
        },
        "trickle" => {
            let _ = response(60_000, b"");
            while send(b"x").is_ok() {
                std::thread::sleep(Duration::from_micros(50));
            }
            Ok(())
        }
        "goes-on" => {
            let _ = lock(frames).respond(&fine(), b"");
            spin();
        }
        // Later again, to a request that has not come.
        "twice" => {
            let _ = lock(frames).respond(&fine(), b"");
            std::thread::sleep(Duration::from_millis(20));
            lock(frames).respond(&fine(), b"")
        }
        "ends" => {
            let _ = lock(frames).respond(&fine(), b"");
            std::process::exit(0);
        }
        "words" => send("no frame ".repeat(FLOOD).as_bytes()),
        "flood" => {
            for _ in 0..FLOOD {
                lock(frames).send(Frame::Stderr, &[&[b'x'; 60_000]]);
            }
            Ok(())
        }
        _ => return,
    };
    // The door makes of it what it can, and kills this process.
    let _ = sent;
    std::thread::sleep(Duration::from_secs(3600));
}

/// The message of a run that gave nothing.
fn fine() -> Vec<u8> {
    let mut message = Vec::new();
    let ran = Ran { result: Ok(Values(None)), usage: Usage::default(), trailers: Vec::new() };
    let _ = write_head(&mut message, &Ok::<_, Failure>(ran));
    message
}

fn spin() -> ! {
    loop {
        std::hint::spin_loop();
    }
}

#[allow(unconditional_recursion)]
fn deep(n: u64) -> u64 {
    let room = std::hint::black_box([n; 512]);
    deep(room[0] + 1) + room[1]
}
