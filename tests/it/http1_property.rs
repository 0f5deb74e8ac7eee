//! What must hold of the door's parser for any bytes; shared by the tests and the fuzz target.

use fuelbox::gateway::http::chunked::Chunked;
use fuelbox::gateway::http::head::{Framing, parse as head};
use fuelbox::gateway::http::reject::Reject;

const HEAD_MAX: usize = 1024;
const BODY_MAX: usize = 512;

/// What a stream of bytes was read as: requests, and how it ended.
#[derive(Debug, PartialEq)]
pub struct Reading {
    requests: Vec<(String, String, Vec<u8>)>,
    end: Option<(u16, String)>,
}

/// Reads `bytes` as a connection would, getting at most `piece` of them at a time.
pub fn read(bytes: &[u8], piece: usize) -> Reading {
    let mut reading = Reading { requests: Vec::new(), end: None };
    let (mut held, mut arriving) = (Vec::new(), bytes.chunks(piece.max(1)));
    loop {
        match request(&mut held) {
            Ok(Some(request)) => reading.requests.push(request),
            Ok(None) => match arriving.next() {
                Some(more) => held.extend_from_slice(more),
                None => return reading,
            },
            Err(reject) => {
                reading.end = Some((reject.kind.status, reject.detail.into_owned()));
                return reading;
            }
        }
    }
}

type Request = (String, String, Vec<u8>);

/// Takes one whole request from the front of `held`.
fn request(held: &mut Vec<u8>) -> Result<Option<Request>, Reject> {
    let Some(head) = head(held, HEAD_MAX)? else { return Ok(None) };
    assert!(head.target.starts_with('/') || (head.target, head.method) == ("*", "OPTIONS"));
    assert!(head.authority.is_none_or(|authority| !authority.host.is_empty()));
    assert!(head.len <= held.len() && head.len <= HEAD_MAX + 2);
    assert!(!head.target.contains([' ', '\r', '\n', '\0']) && !head.method.contains([' ', '\r', '\n']));
    assert!(!head.content_type.unwrap_or_default().contains(['\r', '\n', '\0']));
    let rest = &held[head.len..];
    let (body, used) = match head.framing {
        Framing::Length(length) if length > BODY_MAX as u64 => {
            return Err(Reject {
                kind: fuelbox::gateway::http::problem::TOO_LARGE,
                detail: "too large".into(),
            });
        }
        Framing::Length(length) if rest.len() < length as usize => return Ok(None),
        Framing::Length(length) => (rest[..length as usize].to_vec(), length as usize),
        Framing::Chunked => {
            let mut body = Vec::new();
            let (used, done) = Chunked::default().feed(rest, &mut body, BODY_MAX)?;
            assert!(used <= rest.len() && body.len() <= BODY_MAX);
            if !done {
                return Ok(None);
            }
            (body, used)
        }
    };
    let request = (head.method.to_string(), head.target.to_string(), body);
    let len = head.len;
    held.drain(..len + used);
    Ok(Some(request))
}

/// Nothing panics, nothing passes its cap, and how the bytes arrive changes nothing but when a request
/// that is refused anyway is refused.
pub fn holds(bytes: &[u8]) {
    let whole = read(bytes, bytes.len());
    for piece in [1, 7, 64] {
        let pieces = read(bytes, piece);
        assert_eq!(pieces.requests, whole.requests, "{piece} bytes at a time");
        let status = |reading: &Reading| reading.end.as_ref().map(|(status, _)| *status);
        // Of two faults in one head, the one that is seen first is told.
        assert_eq!(status(&pieces).is_some(), status(&whole).is_some(), "{piece} bytes at a time");
    }
}
