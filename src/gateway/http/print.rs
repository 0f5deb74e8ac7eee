//! A response as bytes, printed by tiny_http.

use super::message::Response;
use super::request_id::REQUEST_ID;
use super::stream::Framing;
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
    let trailers: usize =
        response.trailers.iter().map(|(name, value)| 2 * name.len() + value.len() + 8).sum();
    heap::reserve(out, response.body.len() + HEAD_BYTES + trailers)
}

/// Appends the response to `out`, with `X-Request-Id`, which only the gateway sets, and `nosniff`: problems, too, contain
/// text of guests and clients.
pub fn print(mut response: Response, printing: &Printing<'_>, out: &mut Vec<u8>) {
    if response.trailers.is_empty() {
        return print_whole(response, printing, out);
    }
    let body = std::mem::take(&mut response.body);
    let trailers = response.trailers.clone();
    print_head(response, Framing::Chunked, printing, out);
    print_piece(&body, Framing::Chunked, out);
    print_end(&trailers, Framing::Chunked, out);
}

fn print_whole(mut response: Response, printing: &Printing<'_>, out: &mut Vec<u8>) {
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

/// Appends the head of a response whose body follows, framed so.
pub fn print_head(mut head: Response, framing: Framing, printing: &Printing<'_>, out: &mut Vec<u8>) {
    let begin = out.len();
    let trailers = std::mem::take(&mut head.trailers);
    print_whole(head, printing, out);
    remove_length(out, begin);
    out.truncate(out.len() - b"\r\n".len());
    match framing {
        Framing::Length(length) => out.extend_from_slice(format!("Content-Length: {length}\r\n").as_bytes()),
        Framing::Chunked => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
    }
    if !trailers.is_empty() {
        let names: Vec<&str> = trailers.iter().map(|(name, _)| name.as_str()).collect();
        out.extend_from_slice(format!("Trailer: {}\r\n", names.join(", ")).as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

/// Bytes that a piece of a body takes beside its own.
pub const PIECE_FRAME_BYTES: usize = 32;

/// Appends a piece of a body. An empty one would be the end of a chunked body.
pub fn print_piece(piece: &[u8], framing: Framing, out: &mut Vec<u8>) {
    match framing {
        _ if piece.is_empty() => {}
        Framing::Length(_) => out.extend_from_slice(piece),
        Framing::Chunked => {
            out.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
            out.extend_from_slice(piece);
            out.extend_from_slice(b"\r\n");
        }
    }
}

/// Appends the end of a body, with `trailers`, which have been checked. There is no place for them behind a body with a length.
pub fn print_end(trailers: &[(String, String)], framing: Framing, out: &mut Vec<u8>) {
    if framing == Framing::Chunked {
        out.extend_from_slice(b"0\r\n");
        for (name, value) in trailers {
            out.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        out.extend_from_slice(b"\r\n");
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
