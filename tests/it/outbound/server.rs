//! A server as small as can be: it does what a test says with each connection, and notes what it was asked for.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The server. Its thread ends with the process of the tests.
pub struct Upstream {
    pub address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Upstream {
    /// Gives every request this response, and closes.
    pub fn answering(response: &[u8]) -> Upstream {
        let response = response.to_vec();
        Upstream::with(move |stream, _| {
            let _ = stream.write_all(&response);
        })
    }

    /// Gives every request the response that `of` makes of it, and closes.
    pub fn of(of: impl Fn(&str) -> String + Send + Sync + 'static) -> Upstream {
        Upstream::with(move |stream, request| {
            let _ = stream.write_all(of(request).as_bytes());
        })
    }

    /// Does this with each connection, once its request is there.
    pub fn with(serve: impl Fn(&mut TcpStream, &str) + Send + Sync + 'static) -> Upstream {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (noted, serve) = (Arc::clone(&requests), Arc::new(serve));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let (noted, serve) = (Arc::clone(&noted), Arc::clone(&serve));
                std::thread::spawn(move || {
                    let _ = stream.set_read_timeout(Some(Duration::from_secs(60)));
                    if let Some(request) = request(&mut stream) {
                        noted.lock().unwrap().push(request.clone());
                        serve(&mut stream, &request);
                    }
                });
            }
        });
        Upstream { address, requests }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A pattern for its URLs with this path.
    pub fn pattern(&self, path: &str) -> String {
        self.url(path)
    }

    /// What it was asked for, heads and bodies.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// A whole request; none if the connection ends before.
fn request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
            });
            if body.len() >= length.unwrap_or(0) {
                return Some(text);
            }
        }
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return None,
            Ok(n) => bytes.extend_from_slice(&piece[..n]),
        }
    }
}

/// A response with this body.
pub fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// A redirect.
pub fn redirect(status: u16, to: &str) -> String {
    format!("HTTP/1.1 {status} Elsewhere\r\nLocation: {to}\r\nContent-Length: 4\r\n\r\ngone")
}
