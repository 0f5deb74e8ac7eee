//! One request and its response, by ureq. It knows neither the list nor redirects.
//!
//! Nothing of this process goes along: no proxy of the environment, no cookies, no credentials, no connection that was used
//! before.

use super::calls::{Client, Exchange, shown};
use super::connection::{Checked, Watch};
use super::dns;
use super::message::{Answered, FIELDS_MAX, OutResponse, Refusal, Why};
use super::roots;
use super::url::Scheme;
use crate::base::heap;
use crate::base::limits::HTTP_HEAD_BYTES_MAX;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;
use ureq::config::Config;
use ureq::http::{Request, Response, Uri};
use ureq::unversioned::transport::{Connector, RustlsConnector};
use ureq::{Agent, Body, Error, Timeout};

/// What requests say they come from.
const USER_AGENT: &str = concat!("fuelbox/", env!("CARGO_PKG_VERSION"));

/// Bytes of a connection's buffers, each. The whole head of a response must fit.
const BUFFER_BYTES: usize = 2 * HTTP_HEAD_BYTES_MAX;

/// Bytes of a body that are read at a time.
const PIECE_BYTES: usize = 16 * 1024;

/// The network, by ureq.
pub struct Network;

impl Client for Network {
    fn exchange(&self, exchange: &Exchange<'_>) -> Result<Answered, Refusal> {
        // Servers decide what its parsers, and those of certificates, read.
        catch_unwind(AssertUnwindSafe(|| exchanged(exchange))).unwrap_or_else(|_| {
            Err(Refusal::new(Why::Host, "the HTTP client panicked on what the server sent"))
        })
    }
}

fn exchanged(exchange: &Exchange<'_>) -> Result<Answered, Refusal> {
    let addresses = dns::addresses(exchange)?;
    let addresses = addresses.into_iter().map(|ip| SocketAddr::new(ip, exchange.url.port)).collect();
    let agent = agent(exchange, addresses)?;
    let failed = |error: Error| refusal(exchange, &error);
    let request = request(exchange)?;
    let sends_body =
        !exchange.body.is_empty() || matches!(exchange.request.method.as_str(), "POST" | "PUT" | "PATCH");
    let response = match sends_body {
        true => agent.run(request.map(|()| exchange.body)).map_err(failed)?,
        false => agent.run(request).map_err(failed)?,
    };
    received(exchange, response)
}

/// Who sends this one request.
fn agent(exchange: &Exchange<'_>, addresses: Vec<SocketAddr>) -> Result<Agent, Refusal> {
    let [connect, first_byte, between_bytes] = exchange.request.times;
    let config = Config::builder()
        // Otherwise that of the environment would be used.
        .proxy(None)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .user_agent(USER_AGENT)
        .timeout_global(Some(exchange.until.saturating_duration_since(Instant::now())))
        .timeout_connect(connect)
        .timeout_recv_response(first_byte)
        .timeout_per_read(between_bytes)
        .max_response_header_size(HTTP_HEAD_BYTES_MAX)
        .input_buffer_size(BUFFER_BYTES)
        .output_buffer_size(BUFFER_BYTES)
        .max_idle_connections(0);
    let config = match exchange.url.scheme {
        Scheme::Http => config,
        Scheme::Https => config.tls_config(roots::tls()?).https_only(true),
    };
    let connector = ().chain(Watch(exchange.cancel.cloned())).chain(RustlsConnector::default());
    Ok(Agent::with_parts(config.build(), connector, Checked(addresses)))
}

fn request(exchange: &Exchange<'_>) -> Result<Request<()>, Refusal> {
    let url = exchange.url;
    let broken = |what: &str| {
        Refusal::new(Why::Url, format!("{} is no URL that can be sent: {what}", shown(&url.to_string())))
    };
    let uri: Uri = url.to_string().parse().map_err(|error| broken(&format!("{error}")))?;
    // Two parsers have read it. What they do not agree on is not sent.
    let port = uri.port_u16().unwrap_or(if url.scheme == Scheme::Http { 80 } else { 443 });
    let is_same = uri.scheme_str() == Some(url.scheme.name())
        && uri.host() == Some(url.host.to_string().as_str())
        && port == url.port
        && uri.path() == url.path
        && uri.query() == url.query.as_deref();
    if !is_same {
        return Err(broken("it can be read in two ways"));
    }
    let mut request = Request::builder().method(exchange.request.method.as_str()).uri(uri);
    for (name, value) in &exchange.request.headers {
        request = request.header(name.as_str(), value.as_slice());
    }
    request
        .body(())
        .map_err(|error| Refusal::new(Why::Header, format!("the request cannot be sent: {error}")))
}

/// The response, as far as it may be.
fn received(exchange: &Exchange<'_>, response: Response<Body>) -> Result<Answered, Refusal> {
    let (parts, body) = response.into_parts();
    if parts.headers.len() > FIELDS_MAX {
        return Err(Refusal::new(
            Why::HeadSize,
            format!("the response has more than {FIELDS_MAX} header fields"),
        ));
    }
    let fields =
        parts.headers.iter().map(|(name, value)| (name.as_str().to_string(), value.as_bytes().to_vec()));
    let head = OutResponse { status: parts.status.as_u16(), headers: fields.collect() };
    let too_large = || {
        let most = exchange.most;
        let what = format!("the response's body has more bytes than --max-input allows, which is {most}");
        Refusal::new(Why::ResponseSize, what)
    };
    let mut reader = body.into_reader();
    let mut bytes = Vec::new();
    let mut piece = [0; PIECE_BYTES];
    loop {
        match reader.read(&mut piece) {
            Ok(0) => return Ok((head, bytes)),
            Ok(n) if n > exchange.most - bytes.len() => return Err(too_large()),
            Ok(n) => heap::extend(&mut bytes, &piece[..n])
                .map_err(|_| Refusal::new(Why::Host, "there is no memory for the response"))?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(refusal(exchange, &Error::from(error))),
        }
    }
}

/// What an error of ureq is to the guest.
fn refusal(exchange: &Exchange<'_>, error: &Error) -> Refusal {
    let why = match error {
        Error::Timeout(Timeout::Connect) => Why::ConnectTime,
        Error::Timeout(_) => Why::Time,
        Error::HostNotFound => Why::Name,
        Error::ConnectionFailed => Why::Connect,
        Error::LargeResponseHeader(..) => Why::HeadSize,
        Error::Rustls(error) => of_tls(error),
        Error::Tls(_) | Error::TlsRequired | Error::Pem(_) => Why::Tls,
        Error::Io(error) => match tls_within(error) {
            Some(error) => of_tls(error),
            None => of_io(error),
        },
        Error::Http(_) | Error::Protocol(_) => Why::Protocol,
        _ => Why::Host,
    };
    Refusal::new(why, format!("HTTP request to {}: {}", exchange.url.authority(), shown(&error.to_string())))
}

/// The error of rustls that the standard library carries.
fn tls_within(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

fn of_tls(error: &rustls::Error) -> Why {
    match error {
        rustls::Error::InvalidCertificate(_) => Why::Certificate,
        _ => Why::Tls,
    }
}

fn of_io(error: &io::Error) -> Why {
    use io::ErrorKind::{
        AddrNotAvailable, BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, HostUnreachable,
        InvalidData, NetworkDown, NetworkUnreachable, PermissionDenied, TimedOut, UnexpectedEof, WouldBlock,
    };
    match error.kind() {
        ConnectionRefused | HostUnreachable | NetworkUnreachable | NetworkDown | AddrNotAvailable
        | PermissionDenied => Why::Connect,
        ConnectionReset | ConnectionAborted | BrokenPipe | UnexpectedEof => Why::Ended,
        TimedOut | WouldBlock => Why::Time,
        InvalidData => Why::Protocol,
        _ => Why::Host,
    }
}
