//! What a process does that a guest has taken over, or that meets a fault of ours: for tests, and only in builds with
//! debug assertions. A test names the fault by the function that it calls.

use super::outlet::Frames;
use crate::abi::given::Given;
use crate::base::limits::REPLY_PIECE_BYTES;
use crate::base::lock::lock;
use crate::base::outcome::Usage;
use crate::host::outbound::message::OutRequest;
use crate::host::reply::Trailers;
use crate::isolation::call_wire::{answered, asked};
use crate::isolation::wire::{CALL_HEAD_BYTES_MAX, Failure, Frame, PIECE_BYTES_MAX, Ran, Values, write_head};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the names of these functions begin with.
const FAULT: &str = "fault-";

/// How often frames are sent in a flood.
const FLOOD: usize = 1 << 20;

/// The fault that a run names: by its function, or by the path of a request.
pub fn named(given: &Given) -> &str {
    match given {
        Given::Values { func, .. } | Given::Bytes { func, .. } => func,
        Given::Program { environment, .. } => {
            let path = environment.env.iter().find(|(name, _)| name == b"X_RAW_PATH_INFO");
            path.and_then(|(_, path)| std::str::from_utf8(path.strip_prefix(b"/")?).ok()).unwrap_or_default()
        }
    }
}

/// Does what `func` names; comes back if it names nothing. `input` is that of the call.
pub fn meet(func: &str, input: &[u8], frames: &Arc<Mutex<Frames>>) {
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
            let _ = lock(frames).respond(&fine(Vec::new()), b"");
            spin();
        }
        // Later again, to a request that has not come.
        "twice" => {
            let _ = lock(frames).respond(&fine(Vec::new()), b"");
            std::thread::sleep(Duration::from_millis(100));
            lock(frames).respond(&fine(Vec::new()), b"")
        }
        "ends" => {
            let _ = lock(frames).respond(&fine(Vec::new()), b"");
            std::process::exit(0);
        }
        "words" => send("no frame ".repeat(FLOOD).as_bytes()),
        "flood" => {
            for _ in 0..FLOOD {
                lock(frames).send(Frame::Stderr, &[&[b'x'; 60_000]]);
            }
            Ok(())
        }
        _ => match (fault.strip_prefix("piece-"), fault.strip_prefix("calls-")) {
            (Some(fault), _) => pieces(fault, frames),
            (_, Some(fault)) => calls(fault, &String::from_utf8_lossy(input), frames),
            _ => return,
        },
    };
    // The door makes of it what it can, and kills this process.
    let _ = sent;
    std::thread::sleep(Duration::from_secs(3600));
}

/// HTTP calls to `url` as if there were no policy. If one is made that must not be, the run ends well.
fn calls(fault: &str, url: &str, frames: &Arc<Mutex<Frames>>) -> io::Result<()> {
    let mut frames = lock(frames);
    let request = OutRequest { method: "POST".into(), url: url.into(), ..OutRequest::default() };
    let mut message = asked(&request, b"", usize::MAX).unwrap_or_default();
    let is_made = |frames: &mut Frames, message: &[u8]| {
        frames.send(Frame::Call, &[message]);
        frames.called().map(|answer| answered(answer).is_ok())
    };
    let is_wrong = match fault {
        "many" => {
            let made = (0..5).map(|_| is_made(&mut frames, &message)).collect::<io::Result<Vec<_>>>()?;
            made != [true, true, false, false, false]
        }
        "body" => {
            message.resize(message.len() + 10_001, b'a');
            is_made(&mut frames, &message)?
        }
        "large" => is_made(&mut frames, &vec![0; CALL_HEAD_BYTES_MAX + 10_002])?,
        "garbage" => is_made(&mut frames, b"\xff\xff\xff\xffgarbage")?,
        "two" => {
            let head = Frame::Call.head(message.len()).unwrap_or_default();
            frames.raw(&[&head[..], &message, &head, &message].concat())?;
            answered(frames.called()?).is_ok() && frames.called().is_ok()
        }
        _ => is_made(&mut frames, &message)?,
    };
    if is_wrong {
        frames.respond(&fine(Vec::new()), b"")?;
    }
    std::process::exit(3)
}

/// Faults of a response that is passed on.
fn pieces(fault: &str, frames: &Arc<Mutex<Frames>>) -> io::Result<()> {
    let mut frames = lock(frames);
    let head = Frame::Piece.head(HEAD.len() + 1).unwrap_or_default();
    let first = [&head[..], HEAD, b"a"].concat();
    let mut piece = |bytes: &[&[u8]]| {
        frames.send(Frame::Piece, bytes);
        frames.told(None).map(drop)
    };
    match fault {
        "headless" => piece(&[b"no head"])?,
        "half-head" => piece(&[b"Status: 200\r\na"])?,
        "large" => piece(&[HEAD, &[b'a'; PIECE_BYTES_MAX]])?,
        "status" => piece(&[b"Status: 204\r\n\r\n", b"a"])?,
        "length" => piece(&[b"Status: 200\r\nContent-Length: 3\r\n\r\n", b"aaaaa"])?,
        "short" => piece(&[b"Status: 200\r\nContent-Length: 3\r\n\r\n", b"aa"])?,
        "two" => frames.raw(&[&first[..], &first].concat())?,
        "behind" => frames.raw(&[&first[..], &fine_frame(), &first].concat())?,
        _ => piece(&[HEAD, b"a"])?,
    }
    let mut piece = |bytes: &[&[u8]]| {
        frames.send(Frame::Piece, bytes);
        frames.told(None).map(drop)
    };
    let mut trailers = Vec::new();
    match fault {
        "empty" => piece(&[])?,
        "large-second" => piece(&[&[b'a'; REPLY_PIECE_BYTES + 1]])?,
        "many" => (0..FLOOD).try_for_each(|_| piece(&[&[b'a'; REPLY_PIECE_BYTES]]))?,
        "small" => (0..FLOOD).try_for_each(|_| piece(&[b"a"]))?,
        "ready" => frames.ready()?,
        "abort" => std::process::abort(),
        "spin" => spin(),
        // As much as the guest may write, beside what it has.
        "full" => return frames.respond(&fine(trailers), &[b'a'; 1 << 20]),
        "split" => {
            piece(&[HEAD, b"a0\r\n\r\n"])?;
            let fields: [(&str, &str); 5] = [
                ("x-good", "1"),
                ("x-bad", "1\r\n\r\nHTTP/1.1 200 OK"),
                ("x-bad: 1\r\nx", "1"),
                ("transfer-encoding", "chunked"),
                ("", ""),
            ];
            trailers.extend(fields.map(|(name, value)| (name.to_string(), value.into())));
        }
        "large-trailers" => trailers.push(("x".into(), vec![b'a'; 1 << 19])),
        "long-trailer" => trailers.push(("x".repeat(1 << 19), Vec::new())),
        "many-trailers" => trailers.extend((0..101).map(|n| (format!("x{n}"), Vec::new()))),
        _ => {}
    }
    frames.respond(&fine(trailers), b"")?;
    // The door may take this response for a good one, and would ask again.
    std::process::exit(0)
}

/// A head as the host prints it.
const HEAD: &[u8] = b"Status: 200\r\n\r\n";

/// A whole frame with the message of a run.
fn fine_frame() -> Vec<u8> {
    let message = fine(Vec::new());
    [&Frame::Response.head(message.len()).unwrap_or_default()[..], &message].concat()
}

/// The message of a run that gave nothing.
fn fine(trailers: Trailers) -> Vec<u8> {
    let mut message = Vec::new();
    let ran = Ran { result: Ok(Values(None)), usage: Usage::default(), trailers, chain: None };
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
