//! Sends an HTTP request by `wasi:http/outgoing-handler` and prints the response: its status and content type on stderr, its body
//! on stdout. `http-fetch METHOD URL [BODY] [NAME:VALUE]...`. If there is no response, its error code, and exit code 1.

use std::io::Write;
use std::process::ExitCode;
use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{
    ErrorCode, Fields, IncomingBody, IncomingResponse, Method, OutgoingBody, OutgoingRequest, Scheme,
};
use wasip2::io::streams::StreamError;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.as_slice() {
        [method, url, rest @ ..] => match fetch(method, url, rest) {
            Ok(()) => ExitCode::SUCCESS,
            Err(what) => {
                eprintln!("http-fetch: {what}");
                ExitCode::FAILURE
            }
        },
        _ => {
            eprintln!("usage: http-fetch METHOD URL [BODY] [NAME:VALUE]...");
            ExitCode::from(2)
        }
    }
}

fn fetch(method: &str, url: &str, rest: &[String]) -> Result<(), String> {
    let body = rest.first().map(String::as_str).unwrap_or_default();
    let headers = Fields::new();
    for header in rest.iter().skip(1) {
        let (name, value) = header.split_once(':').ok_or("a header is NAME:VALUE")?;
        headers.append(name, value.as_bytes()).map_err(|error| format!("{name}: {error:?}"))?;
    }
    let request = OutgoingRequest::new(headers);
    let (scheme, rest) = url.split_once("://").ok_or("no URL")?;
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.into()),
    };
    let method = match method {
        "GET" => Method::Get,
        "POST" => Method::Post,
        other => Method::Other(other.into()),
    };
    let invalid = |what: &'static str| move |()| format!("the {what} is not valid");
    request.set_method(&method).map_err(invalid("method"))?;
    request.set_scheme(Some(&scheme)).map_err(invalid("scheme"))?;
    request.set_authority(Some(authority)).map_err(invalid("authority"))?;
    request.set_path_with_query(Some(path)).map_err(invalid("path"))?;
    let response = if body.is_empty() {
        handle(request, None).map_err(told)?
    } else {
        // As libraries do it: the body is written when the request is on its way.
        let out = request.body().map_err(|()| "no body")?;
        let response = handle(request, None).map_err(told)?;
        let stream = out.write().map_err(|()| "no stream")?;
        for piece in body.as_bytes().chunks(4096) {
            stream.blocking_write_and_flush(piece).map_err(|error| format!("writing the body: {error:?}"))?;
        }
        drop(stream);
        OutgoingBody::finish(out, None).map_err(told)?;
        response
    };
    response.subscribe().block();
    let response = response.get().ok_or("no response yet")?.map_err(|()| "twice")?.map_err(told)?;
    show(&response)
}

fn told(error: ErrorCode) -> String {
    format!("{error:?}")
}

fn show(response: &IncomingResponse) -> Result<(), String> {
    let types = response.headers().get("content-type");
    let content_type = types.first().map(|value| String::from_utf8_lossy(value).into_owned());
    eprintln!("{} {}", response.status(), content_type.unwrap_or_default());
    let body = response.consume().map_err(|()| "no body")?;
    let stream = body.stream().map_err(|()| "no stream")?;
    loop {
        match stream.blocking_read(4096) {
            Ok(bytes) => std::io::stdout().write_all(&bytes).map_err(|error| error.to_string())?,
            Err(StreamError::Closed) => break,
            Err(error) => return Err(format!("reading the body: {error:?}")),
        }
    }
    drop(stream);
    IncomingBody::finish(body);
    Ok(())
}
