//! `fuelbox health`: asks a gateway whether it is alive, for managers of containers without a curl in them.

use crate::cli::exit;
use crate::cli::failure::Failure;
use crate::cli::output::messages::print;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// How long the whole question may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// More than the gateway's answer; what is longer is something else's.
const ANSWER_BYTES_MAX: usize = 4096;

/// Asks.
pub fn execute(address: SocketAddr) -> Result<(), Failure> {
    let not_alive = |what: String| Failure::new(exit::NOT_ALIVE, format!("{address}: {what}"));
    let answer = ask(address).map_err(|error| match error.kind() {
        // A read that meets its timeout gives either.
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
            not_alive(format!("no answer within {PATIENCE:?}"))
        }
        _ => not_alive(error.to_string()),
    })?;
    if is_ok(&answer) { print(b"ok\n") } else { Err(not_alive("GET /healthz did not answer `ok`".into())) }
}

/// The answer to GET /healthz, as it came.
fn ask(address: SocketAddr) -> io::Result<Vec<u8>> {
    let begin = Instant::now();
    let left = || {
        let left = PATIENCE.saturating_sub(begin.elapsed());
        // A timeout of zero would be none at all.
        (!left.is_zero()).then_some(left).ok_or(io::Error::from(io::ErrorKind::TimedOut))
    };
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_write_timeout(Some(left()?))?;
    // A URL has no place for an address's zone.
    let host = SocketAddr::new(address.ip(), address.port());
    let question = format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(question.as_bytes())?;
    let mut answer = Vec::new();
    let mut piece = [0; 512];
    // Byte by byte, an answer would never meet the timeout of a single read.
    while answer.len() <= ANSWER_BYTES_MAX {
        stream.set_read_timeout(Some(left()?))?;
        match stream.read(&mut piece)? {
            0 => return Ok(answer),
            n => answer.extend_from_slice(&piece[..n]),
        }
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, "the response is too long for a gateway"))
}

/// Whether `answer` is a 200 whose body is `ok`.
fn is_ok(answer: &[u8]) -> bool {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n");
    let body = end.map(|at| &answer[at + 4..]);
    answer.starts_with(b"HTTP/1.1 200 ") && body == Some(b"ok\n")
}

#[cfg(test)]
mod tests {
    use crate::cli::commands::health::is_ok;

    #[test]
    fn only_the_gateways_own_word_is_ok() {
        assert!(is_ok(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n"));
        for other in [
            &b""[..],
            b"ok\n",
            b"HTTP/1.1 200 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n\r\nok",
            b"HTTP/1.1 200 OK\r\n\r\n<p>ok\n",
            b"HTTP/1.1 200 OK\r\nX: ok\n",
            b"HTTP/1.1 503 Service Unavailable\r\n\r\nok\n",
            b"HTTP/1.1 2000 OK\r\n\r\nok\n",
        ] {
            assert!(!is_ok(other), "{}", String::from_utf8_lossy(other));
        }
    }
}
