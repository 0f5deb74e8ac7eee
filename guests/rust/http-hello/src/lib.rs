//! Tells what it was asked, as a component for `wasi:http`: the request and the response are resources.
//! POST is answered with 201, GET and HEAD with 200, all else with 405. The body is sent back piece by piece.

use wasip2::http::types::{
    Fields, IncomingRequest, Method, OutgoingBody, OutgoingResponse, ResponseOutparam,
};
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

struct Hello;

wasip2::http::proxy::export!(Hello);

impl wasip2::exports::http::incoming_handler::Guest for Hello {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let method = request.method();
        let status = match method {
            Method::Get | Method::Head => 200,
            Method::Post => 201,
            _ => 405,
        };
        let headers = Fields::new();
        set(&headers, "content-type", "text/plain; charset=utf-8");
        set(&headers, "x-written-in", "Rust");
        if status == 405 {
            set(&headers, "allow", "GET, HEAD, POST");
        }
        let response = OutgoingResponse::new(headers);
        response.set_status_code(status).expect("a valid status");
        let body = response.body().expect("the first time");
        // From here on, what is written is sent.
        ResponseOutparam::set(out, Ok(response));
        if !matches!(method, Method::Head) {
            let stream = body.write().expect("the first time");
            answer(&request, &method, &stream).expect("a client that listens");
        }
        OutgoingBody::finish(body, None).expect("no content-length");
    }
}

fn set(headers: &Fields, name: &str, value: &str) {
    headers.set(name, &[value.as_bytes().to_vec()]).expect("a valid header");
}

fn answer(request: &IncomingRequest, method: &Method, out: &OutputStream) -> Result<(), StreamError> {
    let (path, greeting) = (request.path_with_query(), request.headers().get("x-greeting"));
    let greeting = greeting.first().map_or("".into(), |value| String::from_utf8_lossy(value));
    let head = format!("{} {}\ngreeting: {greeting}\n", name(method), path.unwrap_or_default());
    out.blocking_write_and_flush(head.as_bytes())?;
    let body = request.consume().expect("the first time");
    let input = body.stream().expect("the first time");
    let sent = copy(&input, out)?;
    out.blocking_write_and_flush(format!("\n{sent} bytes\n").as_bytes())
}

/// Sends all of `input`, in pieces that one call takes.
fn copy(input: &InputStream, out: &OutputStream) -> Result<usize, StreamError> {
    let mut sent = 0;
    loop {
        match input.blocking_read(4096) {
            Ok(piece) => {
                out.blocking_write_and_flush(&piece)?;
                sent += piece.len();
            }
            Err(StreamError::Closed) => return Ok(sent),
            Err(error) => return Err(error),
        }
    }
}

fn name(method: &Method) -> &str {
    match method {
        Method::Get => "GET",
        Method::Head => "HEAD",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Delete => "DELETE",
        Method::Connect => "CONNECT",
        Method::Options => "OPTIONS",
        Method::Trace => "TRACE",
        Method::Patch => "PATCH",
        Method::Other(name) => name,
    }
}
