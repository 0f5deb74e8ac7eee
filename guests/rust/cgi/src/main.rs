//! Tells what it was asked, as a CGI program (RFC 3875): the request comes in the environment and on standard
//! input, the answer goes to standard output. POST is answered with 201, GET with 200, all else with 405.
//! Convention: command (WASI). The guests `cgi-c`, `cgi-go` and `cgi-zig` do the same in their languages.

use std::env;
use std::io::{self, Read, Write};

/// A variable of the request; empty if it has none.
fn var(name: &str) -> String {
    env::var(name).unwrap_or_default()
}

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    let method = var("REQUEST_METHOD");
    match method.as_str() {
        // Without a Status the answer is 200.
        "GET" => {}
        "POST" => write!(out, "Status: 201 Created\r\n")?,
        _ => {
            write!(out, "Status: 405 Method Not Allowed\r\nAllow: GET, POST\r\n")?;
            write!(out, "Content-Type: text/plain\r\n\r\nnot {method}\n")?;
            return Ok(());
        }
    }

    // Standard input may go on after the body: only CONTENT_LENGTH bytes are the request's.
    let mut body = Vec::new();
    io::stdin().take(var("CONTENT_LENGTH").parse().unwrap_or(0)).read_to_end(&mut body)?;

    write!(out, "Content-Type: text/plain; charset=utf-8\r\nX-Written-In: Rust\r\n\r\n")?;
    writeln!(out, "{method} {}?{}", var("PATH_INFO"), var("QUERY_STRING"))?;
    writeln!(out, "type: {}", var("CONTENT_TYPE"))?;
    // A header X-Greeting comes as HTTP_X_GREETING.
    writeln!(out, "greeting: {}", var("HTTP_X_GREETING"))?;
    writeln!(out, "{} bytes:", body.len())?;
    out.write_all(&body)
}
