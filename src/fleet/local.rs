//! Requests to the gateway of this process, over a connection that is no network's.

use crate::gateway::http::overflow::Overflow;
use crate::gateway::routes::counted::Counted;
use crate::gateway::scheduling::admission::Occupancy;
use crate::gateway::server::Inside;
use bytes::Bytes;
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

/// Fields of a response, at most; the gateway bounds a guest's.
const FIELDS_MAX: usize = 256;

/// Bytes of a response's head, at most; the same.
const HEAD_BYTES_MAX: u64 = 1024 * 1024;

/// A request.
#[derive(Debug, Clone, Default)]
pub struct Ask {
    /// The method.
    pub method: String,
    /// Path and query, encoded.
    pub target: String,
    /// Fields of the head. Those that frame the message are added.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

/// The response to it.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The fields of its head.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of the field `name`, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(field, _)| field.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(value).ok()
    }
}

/// The gateway.
#[derive(Clone)]
pub struct Local(Inside);

impl Local {
    /// The gateway behind `inside`.
    pub fn new(inside: Inside) -> Local {
        Local(inside)
    }

    /// Has `overflow` take the requests over HTTP that there is no free worker for.
    pub fn set_overflow(&self, overflow: Box<dyn Overflow>) {
        self.0.set_overflow(overflow);
    }

    /// Has `/metrics` tell these counters as well.
    pub fn set_counted(&self, counted: Vec<Counted>) {
        self.0.set_counted(counted);
    }

    /// The guests that run, and the requests that wait for one to end.
    pub fn occupancy(&self) -> Occupancy {
        self.0.occupancy()
    }

    /// Asks, and waits for the whole response, whose body may have `most` bytes.
    ///
    /// # Errors
    /// The gateway is stopping; it cut the response; the response is too long (`FileTooLarge`).
    pub async fn ask(&self, ask: &Ask, most: usize) -> io::Result<Answer> {
        let stream = self.0.connect()?;
        stream.set_nonblocking(true)?;
        let mut stream = UnixStream::from_std(stream)?;
        // Of HTTP/1.0, so that the response comes whole and ends with the connection.
        let head = head(ask)?;
        let (mut reader, mut writer) = stream.split();
        let mut response = Vec::new();
        let send = async {
            writer.write_all(head.as_bytes()).await?;
            writer.write_all(&ask.body).await
        };
        let take = async {
            let room = (most as u64).saturating_add(HEAD_BYTES_MAX);
            (&mut reader).take(room).read_to_end(&mut response).await
        };
        // A gateway that refuses may respond before it has read all: only what it says counts.
        let (_, taken) = tokio::join!(send, take);
        taken?;
        answer(&response, most, ask.method == "HEAD")
    }
}

/// The head of a request. Whatever could be more than one field is refused.
pub fn head(ask: &Ask) -> io::Result<String> {
    let Ask { method, target, headers, body } = ask;
    let is_word = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    let is_value = |text: &str| text.bytes().all(|byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f));
    if !is_word(method) || !is_word(target) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the method or the path is none"));
    }
    let mut head =
        format!("{method} {target} HTTP/1.0\r\nHost: localhost\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        if !is_word(name) || name.contains(':') || !is_value(value) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a header is none"));
        }
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    Ok(head)
}

/// The response in `bytes`, which are all that came. One that `is_head` has the length of a body that does not follow
/// (RFC 9110, section 9.3.2), and so may one without a change (section 15.4.5).
fn answer(bytes: &[u8], most: usize, is_head: bool) -> io::Result<Answer> {
    let cut = || io::Error::new(io::ErrorKind::UnexpectedEof, "the gateway cut the response");
    let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
    let mut response = httparse::Response::new(&mut fields);
    let parsed = response.parse(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    let httparse::Status::Complete(end) = parsed else { return Err(cut()) };
    let headers: Vec<_> =
        response.headers.iter().map(|field| (field.name.to_string(), field.value.to_vec())).collect();
    let answer = Answer { status: response.code.unwrap_or_default(), headers, body: bytes[end..].to_vec() };
    if answer.body.len() > most {
        let what = format!("the response has more than {most} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, what));
    }
    let length = answer.header("content-length").and_then(|length| length.parse::<usize>().ok());
    let is_bare = answer.body.is_empty() && (is_head || answer.status == 304);
    match length {
        _ if is_bare => Ok(answer),
        Some(length) if length != answer.body.len() => Err(cut()),
        _ => Ok(answer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(headers: &[(&str, &str)]) -> Ask {
        let headers = headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        Ask { method: "POST".into(), target: "/execute/a".into(), headers, body: Bytes::from_static(b"in") }
    }

    #[test]
    fn a_head_has_the_fields_that_it_is_given_and_no_more() {
        let whole = "POST /execute/a HTTP/1.0\r\nHost: localhost\r\nContent-Length: 2\r\nA: b\r\n\r\n";
        assert_eq!(head(&ask(&[("A", "b")])).unwrap(), whole);
        for (name, value) in
            [("A", "b\r\nC: d"), ("A", "b\nC: d"), ("A\r\nB", "c"), ("A: x", "c"), ("", "c"), ("A", "\0")]
        {
            assert!(head(&ask(&[(name, value)])).is_err(), "{name:?} {value:?}");
        }
        for target in ["", "/a b", "/a\r\n", "/\u{e4}"] {
            assert!(head(&Ask { target: target.into(), ..ask(&[]) }).is_err(), "{target:?}");
        }
    }

    #[test]
    fn a_response_is_whole_or_an_error() {
        let whole = answer(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX: \xff\r\n\r\nabc", 3, false).unwrap();
        assert_eq!((whole.status, &*whole.body, whole.header("x")), (200, &b"abc"[..], None));
        for (bytes, most) in [
            (&b""[..], 9),
            (b"HTTP/1.1 200 OK\r\n", 9),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", 9),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcd", 9),
            (b"HTTP/1.1 200 OK\r\n\r\nabc", 2),
            (b"rubbish\r\n\r\n", 9),
        ] {
            assert!(answer(bytes, most, false).is_err(), "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn a_response_to_head_has_a_length_and_no_body() {
        let bare = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n";
        assert_eq!(answer(bare, 9, true).unwrap().status, 200);
        assert!(answer(bare, 9, false).is_err());
        assert!(answer(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", 9, true).is_err());
        assert!(answer(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n", 9, false).is_ok());
    }
}
