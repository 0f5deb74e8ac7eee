//! `wasi_experimental_http`: HTTP requests of guests that were made for wagi (deislabs/wasi-experimental-http, the witx
//! `wasi_experimental_http` 0.10). Each function returns an error number; 0 is success. All pointers and lengths are i32.

use crate::base::limits::{BLOCK_OVERHEAD_BYTES, HTTP_REQUEST_BYTES_MAX};
use crate::host::functions::{Interface, Row, enter, put_off, with_memory};
use crate::host::outbound::message::{Fields, OutRequest, Refusal, Why};
use crate::host::responses::Session;
use crate::host::store::{Answer, Host};
use crate::host::wasi::memory::{slice, slice_mut, write, write_u32};
use wasmi::{Caller, Func, Store};

/// Responses that a guest has handles of at once.
const SESSIONS_MAX: usize = 256;

/// An error number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
enum Code {
    InvalidHandle = 1,
    MemoryNotFound = 2,
    MemoryAccess = 3,
    BufferTooSmall = 4,
    HeaderNotFound = 5,
    Utf8 = 6,
    DestinationNotAllowed = 7,
    InvalidMethod = 8,
    InvalidEncoding = 9,
    InvalidUrl = 10,
    Request = 11,
    Runtime = 12,
    TooManySessions = 13,
}

/// The module and its functions.
pub const INTERFACE: Interface = Interface {
    module: "wasi_experimental_http",
    rows: &[
        Row::new("req", "iiiiiiiiii", "i", req),
        Row::new("close", "i", "i", |store| {
            Func::wrap(store, |caller: Caller<'_, Host>, handle: u32| {
                enter(caller, |store| Ok(number(close(store.data_mut(), handle))))
            })
        }),
        Row::new("header_get", "iiiiii", "i", |store| {
            Func::wrap(
                store,
                |caller: Caller<'_, Host>, handle: u32, a: u32, b: u32, c: u32, d: u32, e: u32| {
                    on_memory(caller, |host, memory| header_get(host, memory, handle, [a, b, c, d, e]))
                },
            )
        }),
        Row::new("headers_get_all", "iiii", "i", |store| {
            Func::wrap(store, |caller: Caller<'_, Host>, handle: u32, a: u32, b: u32, c: u32| {
                on_memory(caller, |host, memory| headers_get_all(host, memory, handle, [a, b, c]))
            })
        }),
        Row::new("body_read", "iiii", "i", |store| {
            Func::wrap(store, |caller: Caller<'_, Host>, handle: u32, a: u32, b: u32, c: u32| {
                on_memory(caller, |host, memory| body_read(host, memory, handle, [a, b, c]))
            })
        }),
    ],
};

fn number(done: Result<(), Code>) -> i32 {
    done.map_or_else(|code| code as i32, |()| 0)
}

fn on_memory(
    caller: Caller<'_, Host>,
    function: impl FnOnce(&mut Host, &mut [u8]) -> Result<(), Code>,
) -> Result<i32, wasmi::Error> {
    enter(caller, |store| Ok(number(with_memory(store, function))))
}

/// `req(url, url_len, method, method_len, headers, headers_len, body, body_len, status_out: *u16, handle_out: *u32)`: sends a
/// request and waits for the response. Headers are lines of `name:value`.
#[rustfmt::skip]
fn req(store: &mut Store<Host>) -> Func {
    Func::wrap(
        store,
        |_: Caller<'_, Host>, a: u32, b: u32, c: u32, d: u32, e: u32, f: u32, g: u32, h: u32, i: u32, j: u32|
            -> Result<i32, wasmi::Error> {
            put_off(move |store| {
                let texts = [(a, b), (c, d), (e, f), (g, h)];
                Ok(Answer::from(number(with_memory(store, |host, memory| send(host, memory, texts, [i, j])))))
            })
        },
    )
}

fn send(
    host: &mut Host,
    memory: &mut [u8],
    [url, method, headers, body]: [(u32, u32); 4],
    [status_out, handle_out]: [u32; 2],
) -> Result<(), Code> {
    if memory.is_empty() {
        return Err(Code::MemoryNotFound);
    }
    let text = |(ptr, len): (u32, u32)| {
        let bytes = slice(memory, ptr, len).map_err(|_| Code::MemoryAccess)?;
        std::str::from_utf8(bytes.get(..HTTP_REQUEST_BYTES_MAX).unwrap_or(bytes)).map_err(|_| Code::Utf8)
    };
    let (url, method) = (text(url)?.to_string(), text(method)?.to_string());
    let headers = fields(text(headers)?)?;
    let sent = slice(memory, body.0, body.1).map_err(|_| Code::MemoryAccess)?;
    // Before anything is sent: what the guest cannot be told of is not done.
    slice(memory, status_out, 2)
        .and_then(|_| slice(memory, handle_out, 4))
        .map_err(|_| Code::MemoryAccess)?;
    if host.sessions.open.len() >= SESSIONS_MAX {
        return Err(Code::TooManySessions);
    }
    host.wasi.moved_bytes += (url.len() + sent.len()) as u64;
    let request = OutRequest { method, url, headers, follows: true, ..OutRequest::default() };
    let answered = host.wasi.way.call(request, sent, host.wasi.until);
    let (response, body) = answered.map_err(|refusal| refused(&refusal))?;
    host.wasi.moved_bytes += body.len() as u64;
    let fields: usize = response.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    let cost = body.len() + fields + BLOCK_OVERHEAD_BYTES;
    if !host.limiter.take_outside(cost) {
        return Err(Code::Runtime);
    }
    let written = write(memory, status_out, &response.status.to_le_bytes());
    written
        .and_then(|()| write_u32(memory, handle_out, host.sessions.next))
        .map_err(|_| Code::MemoryAccess)?;
    let session = Session { response, body, read: 0, cost };
    host.sessions.open.insert(host.sessions.next, session);
    // No run makes so many calls that a number comes twice.
    host.sessions.next = host.sessions.next.wrapping_add(1);
    Ok(())
}

/// The number of a refusal. Guests get no sentence, so the log does.
fn refused(refusal: &Refusal) -> Code {
    log::debug!("wasi_experimental_http: {refusal}");
    match refusal.why {
        Why::Denied | Why::Address => Code::DestinationNotAllowed,
        Why::Url => Code::InvalidUrl,
        Why::Method => Code::InvalidMethod,
        Why::Header => Code::InvalidEncoding,
        Why::Calls => Code::TooManySessions,
        _ => Code::Request,
    }
}

fn fields(lines: &str) -> Result<Fields, Code> {
    let field = |line: &str| {
        let (name, value) = line.split_once(':').ok_or(Code::InvalidEncoding)?;
        Ok((name.trim().to_string(), value.trim().as_bytes().to_vec()))
    };
    lines.lines().filter(|line| !line.is_empty()).map(field).collect()
}

/// `close(handle)`: lets go of a response.
fn close(host: &mut Host, handle: u32) -> Result<(), Code> {
    if let Some(session) = host.sessions.open.remove(&handle) {
        host.limiter.give_back(session.cost);
    }
    Ok(())
}

/// `header_get(handle, name, name_len, value, value_len, written_out: *u32)`: the first field with this name.
fn header_get(
    host: &mut Host,
    memory: &mut [u8],
    handle: u32,
    [name, name_len, to, to_len, written_out]: [u32; 5],
) -> Result<(), Code> {
    let session = host.sessions.get(handle).ok_or(Code::InvalidHandle)?;
    let name = slice(memory, name, name_len).map_err(|_| Code::MemoryAccess)?;
    let name = std::str::from_utf8(name).map_err(|_| Code::Utf8)?;
    let field = session.response.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
    let (_, value) = field.ok_or(Code::HeaderNotFound)?;
    host.wasi.moved_bytes += value.len() as u64;
    put(memory, value, (to, to_len), written_out)
}

/// `headers_get_all(handle, value, value_len, written_out: *u32)`: all fields, as lines of `name:value`.
fn headers_get_all(
    host: &mut Host,
    memory: &mut [u8],
    handle: u32,
    [to, to_len, written_out]: [u32; 3],
) -> Result<(), Code> {
    let session = host.sessions.get(handle).ok_or(Code::InvalidHandle)?;
    let mut lines = Vec::new();
    for (name, value) in &session.response.headers {
        for part in [name.as_bytes(), b":", value, b"\n"] {
            lines.extend_from_slice(part);
        }
    }
    host.wasi.moved_bytes += lines.len() as u64;
    put(memory, &lines, (to, to_len), written_out)
}

/// Writes all of `value`, and how much it is.
fn put(memory: &mut [u8], value: &[u8], (to, to_len): (u32, u32), written_out: u32) -> Result<(), Code> {
    if value.len() > to_len as usize {
        return Err(Code::BufferTooSmall);
    }
    slice(memory, written_out, 4).map_err(|_| Code::MemoryAccess)?;
    write(memory, to, value).map_err(|_| Code::MemoryAccess)?;
    write_u32(memory, written_out, value.len() as u32).map_err(|_| Code::MemoryAccess)
}

/// `body_read(handle, to, to_len, read_out: *u32)`: the next bytes of the body; 0 at its end.
fn body_read(
    host: &mut Host,
    memory: &mut [u8],
    handle: u32,
    [to, to_len, read_out]: [u32; 3],
) -> Result<(), Code> {
    let session = host.sessions.get(handle).ok_or(Code::InvalidHandle)?;
    let rest = &session.body[session.read..];
    let piece = &rest[..rest.len().min(to_len as usize)];
    slice(memory, read_out, 4).map_err(|_| Code::MemoryAccess)?;
    let place = slice_mut(memory, to, piece.len() as u32).map_err(|_| Code::MemoryAccess)?;
    place.copy_from_slice(piece);
    write_u32(memory, read_out, piece.len() as u32).map_err(|_| Code::MemoryAccess)?;
    host.wasi.moved_bytes += piece.len() as u64;
    session.read += piece.len();
    Ok(())
}
