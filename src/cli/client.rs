//! A small HTTP client, for the commands that talk to a gateway: one request on a connection, with an end in time and size.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Size limit of a response. A longer one is not the gateway's.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Bytes of a request that are sent at a time.
const PIECE_BYTES: usize = 64 * 1024;

/// A request.
pub struct Question<'a> {
    /// `GET`.
    pub method: &'a str,
    /// The path, with what has to be encoded encoded.
    pub path: &'a str,
    /// What `Host` says.
    pub host: &'a str,
    /// Further header lines, each with its end.
    pub headers: &'a str,
    /// The body; none sends no `Content-Length`.
    pub body: Option<&'a [u8]>,
}

/// A response.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The head.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of the header `name`.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.lines().filter_map(|line| line.split_once(':'));
        fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

/// Asks the gateway at `address`, and gives its response. All of it takes at most `patience`.
///
/// # Errors
/// No connection; no response in time (`TimedOut`); one that is not HTTP or too long (`InvalidData`).
pub fn ask(address: SocketAddr, patience: Duration, question: &Question<'_>) -> io::Result<Answer> {
    let begin = Instant::now();
    let left = || {
        let left = patience.saturating_sub(begin.elapsed());
        // A timeout of zero would mean none.
        (!left.is_zero()).then_some(left).ok_or(io::Error::from(ErrorKind::TimedOut))
    };
    let mut stream = TcpStream::connect_timeout(&address, left()?)?;
    let Question { method, path, host, headers, body } = question;
    let length = body.map(|body| format!("Content-Length: {}\r\n", body.len())).unwrap_or_default();
    let head =
        format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{length}{headers}\r\n");
    stream.set_write_timeout(Some(left()?))?;
    stream.write_all(head.as_bytes())?;
    for piece in body.unwrap_or_default().chunks(PIECE_BYTES) {
        stream.set_write_timeout(Some(left()?))?;
        match stream.write_all(piece) {
            // A server that refuses may answer before it has read all.
            Err(error) if matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => break,
            other => other?,
        }
    }
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    // A response that arrives byte by byte would never hit the timeout of a single read.
    loop {
        stream.set_read_timeout(Some(left()?))?;
        match stream.read(&mut piece) {
            Ok(0) => break,
            Err(error) if error.kind() == ErrorKind::ConnectionReset && !answer.is_empty() => break,
            Ok(n) => answer.extend_from_slice(&piece[..n]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Err(ErrorKind::TimedOut.into()),
            Err(error) => return Err(error),
        }
        if answer.len() > ANSWER_BYTES_MAX {
            return Err(io::Error::new(ErrorKind::InvalidData, "the response is too long for a gateway"));
        }
    }
    parse(&answer).ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "the response is not HTTP"))
}

fn parse(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?.to_string();
    let status =
        head.strip_prefix("HTTP/1.1 ")?.get(..3).filter(|_| head.as_bytes().get(12) == Some(&b' '))?;
    let (status, body) = (status.parse().ok()?, bytes[end + 4..].to_vec());
    Some(Answer { status, head, body })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_response_has_a_status_a_head_and_a_body() {
        let answer = parse(b"HTTP/1.1 201 Created\r\nETag:  \"x\"\r\n\r\nbody\r\n\r\n").unwrap();
        assert_eq!(
            (answer.status, answer.header("etag"), &*answer.body),
            (201, Some("\"x\""), &b"body\r\n\r\n"[..])
        );
        assert_eq!(answer.header("other"), None);
        for other in [
            &b""[..],
            b"ok\n",
            b"HTTP/1.1 200 OK\r\n",
            b"HTTP/1.1 2000 OK\r\n\r\n",
            b"HTTP/1.1 20\r\n\r\n",
            b"HTTP/1.0 200 OK\r\n\r\n",
            b"HTTP/1.1 2\xc3\xa40 OK\r\n\r\n",
            b"HTTP/1.1 200 \xff\r\n\r\n",
        ] {
            assert!(parse(other).is_none(), "{}", String::from_utf8_lossy(other));
        }
    }
}
