//! A plain HTTP client.

use rustix::fd::OwnedFd;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, connect, socket_with, sockopt};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, SocketAddrV4, TcpStream};
use std::time::Duration;

/// A request, whole.
pub fn message(method: &str, target: &str, fields: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let fields: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = body.len();
    let head =
        format!("{method} {target} HTTP/1.1\r\nHost: test\r\n{fields}Content-Length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

/// Reads one response.
pub fn read_reply(stream: &mut impl Read, no_body: bool) -> io::Result<Reply> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(0) => {
                let seen = String::from_utf8_lossy(&head).into_owned();
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, seen));
            }
            Ok(_) => head.push(byte[0]),
            // The system may interrupt any thread to tell that a process for guests has ended; a read with a timeout ends then.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let head = String::from_utf8(head).map_err(io::Error::other)?;
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
    let mut reply = Reply { status, head, body: Vec::new(), trailers: String::new() };
    if !no_body && reply.header("transfer-encoding") == Some("chunked") {
        read_chunks(stream, &mut reply)?;
        return Ok(reply);
    }
    let length = reply.header("content-length").map_or(0, |length| length.parse().unwrap());
    if !no_body && !matches!(status, 204 | 304) {
        reply.body.resize(length, 0);
        stream.read_exact(&mut reply.body)?;
    }
    Ok(reply)
}

/// Reads a chunked body with its trailers.
fn read_chunks(stream: &mut impl Read, reply: &mut Reply) -> io::Result<()> {
    loop {
        let line = read_line(stream)?;
        let size = usize::from_str_radix(&line, 16).map_err(io::Error::other)?;
        if size == 0 {
            break;
        }
        let begin = reply.body.len();
        reply.body.resize(begin + size, 0);
        stream.read_exact(&mut reply.body[begin..])?;
        assert_eq!(read_line(stream)?, "");
    }
    loop {
        let line = read_line(stream)?;
        if line.is_empty() {
            return Ok(());
        }
        reply.trailers += &(line + "\n");
    }
}

/// Reads a line, which ends with CR LF.
fn read_line(stream: &mut impl Read) -> io::Result<String> {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        line.push(byte[0]);
    }
    line.truncate(line.len() - 2);
    String::from_utf8(line).map_err(io::Error::other)
}

/// `stream` with a time after which a test that waits has failed.
pub fn set_up(stream: TcpStream, patience: Duration) -> TcpStream {
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(patience)).unwrap();
    stream.set_write_timeout(Some(patience)).unwrap();
    stream
}

/// An HTTP response as it came.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
    /// Of a chunked body, a line each.
    pub trailers: String,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The last part of a problem's `type`.
    pub fn problem(&self) -> String {
        let value: serde_json::Value = serde_json::from_slice(&self.body).expect("a problem is JSON");
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        assert_eq!(value["status"], self.status);
        value["type"].as_str().unwrap().strip_prefix("urn:fuelbox:problem:").unwrap().to_string()
    }
}

/// A keep-alive connection.
pub struct Client(pub TcpStream);

/// A socket at this address, to be connected; with port 0, the system chooses one.
pub fn socket_at(source: SocketAddrV4, flags: SocketFlags) -> rustix::io::Result<OwnedFd> {
    let socket = socket_with(AddressFamily::INET, SocketType::STREAM, flags | SocketFlags::CLOEXEC, None)?;
    // A port that is only kept for packets that come late can be taken.
    sockopt::set_socket_reuseaddr(&socket, true)?;
    bind(&socket, &source)?;
    Ok(socket)
}

/// A connection from 127.0.0.`host`.
pub fn connect_from(host: u8, address: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = socket_at(SocketAddrV4::new([127, 0, 0, host].into(), 0), SocketFlags::empty())?;
    connect(&socket, &address)?;
    Ok(socket.into())
}

impl Client {
    /// Connects from 127.0.0.`host`, which the gateway takes for a client of its own.
    pub fn from(host: u8, address: SocketAddr) -> Client {
        Client(set_up(connect_from(host, address).unwrap(), Duration::from_secs(30)))
    }

    pub fn connect(address: SocketAddr) -> Client {
        Client(set_up(TcpStream::connect(address).unwrap(), Duration::from_secs(30)))
    }

    pub fn send(&mut self, method: &str, target: &str, body: &[u8]) -> Reply {
        self.ask(method, target, &[], body)
    }

    /// As `send`, with more headers.
    pub fn ask(&mut self, method: &str, target: &str, fields: &[(&str, &str)], body: &[u8]) -> Reply {
        self.0.write_all(&message(method, target, fields, body)).unwrap();
        self.reply(method == "HEAD").expect("an answer")
    }

    /// Reads one response; none if the connection ends first.
    pub fn reply(&mut self, no_body: bool) -> Option<Reply> {
        read_reply(&mut self.0, no_body).ok()
    }
}
