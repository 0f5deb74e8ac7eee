//! Reads requests from bytes (RFC 9112): strict, incremental, without a socket. What two servers could
//! read in two ways is refused.

use super::authority::{Authority, split_absolute};
use super::problem::{BAD_REQUEST, EXPECTATION, HEAD_TOO_LARGE, TARGET_TOO_LONG, VERSION};
use super::reject::{Reject, reject};
use super::request_id::{REQUEST_ID, is_well_formed};
use super::route::Route;
use super::timeout::{self, TIMEOUT};
use std::time::Duration;

/// Header lines of one request.
pub const HEADERS_MAX: usize = 100;

/// How long the body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// This many bytes.
    Length(u64),
    /// Until the last chunk.
    Chunked,
}

/// A request's head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head<'a> {
    /// The method.
    pub method: &'a str,
    /// The target in origin form, or `*` for the server as a whole.
    pub target: &'a str,
    /// The target's route.
    pub route: Route,
    /// Whom it is for, if it says so: HTTP/1.0 need not.
    pub authority: Option<Authority<'a>>,
    /// The `Content-Type`.
    pub content_type: Option<&'a str>,
    /// The `Authorization`.
    pub authorization: Option<&'a str>,
    /// How long the client waits for the response, if it says so.
    pub timeout: Option<Duration>,
    /// How the body is framed.
    pub framing: Framing,
    /// Whether the client waits for `100 Continue`.
    pub expects_continue: bool,
    /// Whether the connection may go on after the response.
    pub keep_alive: bool,
    /// The name that the client gave the request, if it is well-formed and came once.
    pub request_id: Option<&'a str>,
    /// Bytes of the head, and of the empty line before it, if any.
    pub len: usize,
}

/// Reads a head from the beginning of `bytes`; `None` while more is needed.
///
/// # Errors
/// [`Reject`] with 400, 414 or 431 for more than `max` bytes, 431 for more than 100 header lines, 505 for another version,
/// 417.
pub fn parse(bytes: &[u8], max: usize) -> Result<Option<Head<'_>>, Reject> {
    // RFC 9112, section 2.2: one empty line before a request line is to be ignored.
    let skipped = if bytes.starts_with(b"\r\n") { 2 } else { 0 };
    let bytes = &bytes[skipped..];
    match bytes.first() {
        None => return Ok(None),
        Some(b'\r') if skipped == 0 && bytes.len() == 1 => return Ok(None),
        Some(0x16) => return reject(BAD_REQUEST, "this is a TLS handshake, and this port speaks plain HTTP"),
        Some(byte) if !byte.is_ascii_uppercase() => {
            return reject(BAD_REQUEST, "a request begins with a method in capital letters");
        }
        Some(_) => {}
    }
    let end = find(bytes, b"\r\n\r\n").map(|at| at + 4);
    let seen = &bytes[..end.unwrap_or(bytes.len())];
    check_lines(seen)?;
    if seen.len() > max || (end.is_none() && seen.len() == max) {
        return Err(too_large(&seen[..max]));
    }
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(seen) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(syntax(error, seen)),
    }
    let mut head = fields(&request)?;
    head.len = seen.len() + skipped;
    Ok(Some(head))
}

/// The values of the field `name` in a head that [`parse`] has read before, in their order.
pub fn values<'a>(head: &'a [u8], name: &str) -> Vec<&'a [u8]> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut parsed = httparse::Request::new(&mut headers);
    // What was read once is read again; and there are no fields in what is none.
    let _ = parsed.parse(head.strip_prefix(b"\r\n").unwrap_or(head));
    let fields = parsed.headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name));
    fields.map(|header| header.value).collect()
}

/// Whether a head that [`parse`] has read before is of HTTP/1.1.
pub fn is_1_1(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\r\n").unwrap_or(head);
    head.split(|byte| *byte == b'\r').next().is_some_and(|line| line.ends_with(b" HTTP/1.1"))
}

fn find(bytes: &[u8], pattern: &[u8; 4]) -> Option<usize> {
    bytes.windows(4).position(|window| window == pattern)
}

/// Lines end with CR LF and nothing else (a lone LF is where smuggling begins); no byte above ASCII.
fn check_lines(seen: &[u8]) -> Result<(), Reject> {
    if !seen.is_ascii() {
        return reject(BAD_REQUEST, "a byte of the head is not ASCII");
    }
    let mut rest = seen;
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n' | b'\0')) {
        match &rest[at..] {
            [b'\r', b'\n', after @ ..] => rest = after,
            [b'\r'] => return Ok(()),
            [b'\0', ..] => return reject(BAD_REQUEST, "a byte of the head is NUL"),
            _ => return reject(BAD_REQUEST, "a line of the head does not end with CR LF"),
        }
    }
    Ok(())
}

/// What there is too much of (RFC 9112, section 3, on targets).
fn too_large(seen: &[u8]) -> Reject {
    match seen.iter().position(|byte| matches!(byte, b' ' | b'\r')) {
        Some(at) if seen[at] == b' ' && !seen.contains(&b'\r') => Reject {
            kind: TARGET_TOO_LONG,
            detail: "the target does not fit into a head of --max-head".into(),
        },
        _ => Reject { kind: HEAD_TOO_LARGE, detail: "the head is larger than --max-head".into() },
    }
}

fn syntax(error: httparse::Error, seen: &[u8]) -> Reject {
    let (kind, detail) = match error {
        httparse::Error::Version if other_version(seen) => (VERSION, "only HTTP/1.0 and HTTP/1.1 are spoken"),
        httparse::Error::Version => (BAD_REQUEST, "the request line has no HTTP version"),
        httparse::Error::TooManyHeaders => (HEAD_TOO_LARGE, "the head has more than 100 header lines"),
        httparse::Error::HeaderName => (BAD_REQUEST, "a header name is malformed"),
        httparse::Error::HeaderValue => (BAD_REQUEST, "a header value is malformed"),
        _ => (BAD_REQUEST, "the request line is malformed"),
    };
    Reject { kind, detail: detail.into() }
}

/// Whether the request line is whole and ends in a version that is well-formed, but not 1.x.
fn other_version(seen: &[u8]) -> bool {
    let line = seen.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let words: Vec<_> = line.split(|byte| *byte == b' ').collect();
    matches!(words[..], [_, _, [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]]
        if major.is_ascii_digit() && minor.is_ascii_digit())
}

/// The fields that matter here, each at most once.
fn fields<'a>(request: &httparse::Request<'_, 'a>) -> Result<Head<'a>, Reject> {
    let method = request.method.unwrap_or_default();
    let (target, absolute) = target(method, request.path.unwrap_or_default())?;
    let is_1_1 = request.version == Some(1);
    let (mut host, mut length, mut coding, mut content_type, mut expect) = (None, None, None, None, None);
    let (mut authorization, mut timeout) = (None, None);
    let mut keep_alive = is_1_1;
    // A second one makes none of them the client's word.
    let mut request_ids = (None, 0);
    for header in request.headers.iter() {
        let name = header.name;
        let slot = if name.eq_ignore_ascii_case("host") {
            &mut host
        } else if name.eq_ignore_ascii_case("content-length") {
            &mut length
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            &mut coding
        } else if name.eq_ignore_ascii_case("content-type") {
            &mut content_type
        } else if name.eq_ignore_ascii_case("expect") {
            &mut expect
        } else if name.eq_ignore_ascii_case("authorization") {
            &mut authorization
        } else if name.eq_ignore_ascii_case(TIMEOUT) {
            &mut timeout
        } else {
            if name.eq_ignore_ascii_case("connection") {
                keep_alive &= !has_token(text(header.value)?, "close");
            } else if name.eq_ignore_ascii_case(REQUEST_ID) {
                request_ids = (Some(text(header.value)?), request_ids.1 + 1);
            }
            continue;
        };
        if slot.replace(text(header.value)?).is_some() {
            return reject(BAD_REQUEST, "a header that may come once came twice");
        }
    }
    if is_1_1 && host.is_none() {
        return reject(BAD_REQUEST, "an HTTP/1.1 request needs a Host header");
    }
    let host =
        host.map(|host| authority(host, "the Host header is no host, or host and port")).transpose()?;
    let framing = framing(length, coding, is_1_1)?;
    let expects_continue = match expect {
        None => false,
        Some(value) if value.eq_ignore_ascii_case("100-continue") => is_1_1,
        Some(_) => return reject(EXPECTATION, "only 100-continue can be expected"),
    };
    let timeout = match timeout.map(timeout::parse) {
        Some(None) => return reject(BAD_REQUEST, "the Fuelbox-Timeout is no number of milliseconds"),
        parsed => parsed.flatten(),
    };
    let request_id = request_ids.0.filter(|id| request_ids.1 == 1 && is_well_formed(id));
    let len = 0;
    Ok(Head {
        method,
        target,
        route: Route::of(target),
        // The field does not count where the target says it (RFC 9112, section 3.2.2).
        authority: absolute.or(host),
        content_type,
        authorization,
        timeout,
        framing,
        expects_continue,
        keep_alive,
        request_id,
        len,
    })
}

fn text(value: &[u8]) -> Result<&str, Reject> {
    // The head is ASCII by now.
    std::str::from_utf8(value).or(reject(BAD_REQUEST, "a header value is malformed"))
}

fn has_token(list: &str, token: &str) -> bool {
    list.split(',').any(|item| item.trim().eq_ignore_ascii_case(token))
}

/// The target in origin form (RFC 9112, section 3.2): an absolute one loses scheme and authority, which come beside it.
fn target<'a>(method: &str, target: &'a str) -> Result<(&'a str, Option<Authority<'a>>), Reject> {
    if target.contains('#') {
        return reject(BAD_REQUEST, "the target has a fragment");
    }
    // A client that gets 2xx would take all that follows for what is in the tunnel.
    if method == "CONNECT" {
        return reject(BAD_REQUEST, "no tunnels are made");
    }
    if target.starts_with('/') || (target == "*" && method == "OPTIONS") {
        return Ok((target, None));
    }
    match split_absolute(target) {
        Some((_, rest)) if rest.starts_with('?') => {
            reject(BAD_REQUEST, "an absolute target with a query needs a path")
        }
        Some((text, rest)) => {
            let authority = authority(text, "the target's authority is no host, or host and port")?;
            Ok((if rest.is_empty() { "/" } else { rest }, Some(authority)))
        }
        None => reject(BAD_REQUEST, "the target is neither a path nor an http URL"),
    }
}

fn authority<'a>(text: &'a str, otherwise: &'static str) -> Result<Authority<'a>, Reject> {
    Authority::parse(text).ok_or(Reject { kind: BAD_REQUEST, detail: otherwise.into() })
}

/// RFC 9112, section 6.3, without its choices: one length, or chunked alone.
fn framing(length: Option<&str>, coding: Option<&str>, is_1_1: bool) -> Result<Framing, Reject> {
    match (length, coding) {
        (None, None) => Ok(Framing::Length(0)),
        (Some(_), Some(_)) => reject(BAD_REQUEST, "both Content-Length and Transfer-Encoding"),
        (None, Some(_)) if !is_1_1 => reject(BAD_REQUEST, "Transfer-Encoding in HTTP/1.0"),
        (None, Some(coding)) if coding.eq_ignore_ascii_case("chunked") => Ok(Framing::Chunked),
        (None, Some(_)) => reject(BAD_REQUEST, "the only transfer coding understood is chunked"),
        (Some(length), None) if length.is_empty() || !length.bytes().all(|b| b.is_ascii_digit()) => {
            reject(BAD_REQUEST, "Content-Length is not a number")
        }
        // More than a u64 holds is too large, whatever the limit.
        (Some(length), None) => Ok(Framing::Length(length.parse().unwrap_or(u64::MAX))),
    }
}
