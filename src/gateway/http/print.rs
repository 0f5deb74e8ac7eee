//! A response as bytes, printed by tiny_http.

use super::message::Response;
use super::request_id::REQUEST_ID;
use crate::base::heap::{self, NoMemory};
use std::io::Cursor;

/// What the `Server` header says.
pub const SERVER: &str = concat!("fuelbox/", env!("CARGO_PKG_VERSION"));

/// Room for the head of a response, in bytes.
const HEAD_BYTES: usize = 4096;

/// How a response is printed.
pub struct Printing<'a> {
    /// The request ID.
    pub id: &'a str,
    /// Whether only the head is printed.
    pub is_head: bool,
    /// Whether the connection ends with it.
    pub ends: bool,
}

/// Makes room in `out` for a response.
///
/// # Errors
/// The system has no memory for it.
pub fn reserve(response: &Response, out: &mut Vec<u8>) -> Result<(), NoMemory> {
    heap::reserve(out, response.body.len() + HEAD_BYTES)
}

/// Appends the response to `out`, with `X-Request-Id`, which only the gateway sets, and `nosniff`: problems, too, contain
/// text of guests and clients.
pub fn print(mut response: Response, printing: &Printing<'_>, out: &mut Vec<u8>) {
    if response.header("X-Content-Type-Options").is_none() {
        response.headers.push(("X-Content-Type-Options".into(), "nosniff".into()));
    }
    response.headers.push((REQUEST_ID.into(), printing.id.into()));
    let begin = out.len();
    let says_length = response.says_length(printing.is_head);
    let headers = headers(&response);
    let length = response.body.len();
    let made = tiny_http::Response::new(
        response.status.into(),
        headers,
        Cursor::new(response.body),
        Some(length),
        None,
    );
    // Writing to a Vec does not fail.
    let _ = made.with_chunked_threshold(usize::MAX).raw_print(
        &mut *out,
        tiny_http::HTTPVersion(1, 1),
        &[],
        printing.is_head,
        None,
    );
    if !says_length {
        remove_length(out, begin);
    }
    if printing.ends {
        let line = out[begin..].iter().position(|byte| *byte == b'\n').map_or(begin, |at| begin + at + 1);
        out.splice(line..line, *b"Connection: close\r\n");
    }
}

/// Removes `Content-Length` from the head at the end of `out`: tiny_http always writes one, as the last field. A response
/// without it has no body.
fn remove_length(out: &mut Vec<u8>, begin: usize) {
    let name = b"\r\nContent-Length: ";
    if let Some(at) = out[begin..].windows(name.len()).rposition(|window| window == name) {
        out.drain(begin + at..out.len() - b"\r\n\r\n".len());
    }
}

fn headers(response: &Response) -> Vec<tiny_http::Header> {
    let content_type = (!response.is_empty_by_status()).then_some(("Content-Type", &*response.content_type));
    [("Server", SERVER)]
        .into_iter()
        .chain(content_type)
        .chain(response.headers.iter().map(|(name, value)| (&**name, value.as_str())))
        // They are constants, or made here from numbers and names, or have been checked (`cgi_response.rs`): so none is
        // lost.
        .filter_map(|(name, value)| tiny_http::Header::from_bytes(name, value).ok())
        .collect()
}
