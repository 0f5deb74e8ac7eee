//! Methods, schemes and error codes: variants of `wasi:http/types`, whose cases are in the order of the WIT.

use crate::base::escape::is_token;
use crate::host::component::value::Value;
use crate::host::outbound::message::{Refusal, Why};

/// The cases of `error-code`.
#[rustfmt::skip]
const ERROR_CODES: [&str; 39] = [
    "DNS-timeout", "DNS-error", "destination-not-found", "destination-unavailable", "destination-IP-prohibited",
    "destination-IP-unroutable", "connection-refused", "connection-terminated", "connection-timeout",
    "connection-read-timeout", "connection-write-timeout", "connection-limit-reached", "TLS-protocol-error",
    "TLS-certificate-error", "TLS-alert-received", "HTTP-request-denied", "HTTP-request-length-required",
    "HTTP-request-body-size", "HTTP-request-method-invalid", "HTTP-request-URI-invalid", "HTTP-request-URI-too-long",
    "HTTP-request-header-section-size", "HTTP-request-header-size", "HTTP-request-trailer-section-size",
    "HTTP-request-trailer-size", "HTTP-response-incomplete", "HTTP-response-header-section-size",
    "HTTP-response-header-size", "HTTP-response-body-size", "HTTP-response-trailer-section-size",
    "HTTP-response-trailer-size", "HTTP-response-transfer-coding", "HTTP-response-content-coding",
    "HTTP-response-timeout", "HTTP-upgrade-failed", "HTTP-protocol-error", "loop-detected", "configuration-error",
    "internal-error",
];

/// `DNS-error`.
const DNS_ERROR: u32 = 1;
/// `destination-IP-prohibited`.
const IP_PROHIBITED: u32 = 4;
/// `connection-refused`, `connection-terminated`, `connection-timeout`, `connection-limit-reached`.
const CONNECTION_REFUSED: u32 = 6;
const CONNECTION_TERMINATED: u32 = 7;
const CONNECTION_TIMEOUT: u32 = 8;
const CONNECTION_LIMIT: u32 = 11;
/// `TLS-protocol-error`, `TLS-certificate-error`.
const TLS_PROTOCOL_ERROR: u32 = 12;
const TLS_CERTIFICATE_ERROR: u32 = 13;
/// `HTTP-request-method-invalid`, `HTTP-request-URI-invalid`.
const METHOD_INVALID: u32 = 18;
/// See above.
pub const URI_INVALID: u32 = 19;
/// `HTTP-response-timeout`, `loop-detected`.
const RESPONSE_TIMEOUT: u32 = 33;
const LOOP_DETECTED: u32 = 36;
/// `HTTP-request-denied`.
pub const REQUEST_DENIED: u32 = 15;
/// `HTTP-request-body-size`.
pub const REQUEST_BODY_SIZE: u32 = 17;
/// `HTTP-request-trailer-section-size`.
pub const REQUEST_TRAILER_SECTION_SIZE: u32 = 23;
/// `HTTP-response-header-section-size`.
pub const RESPONSE_HEADER_SECTION_SIZE: u32 = 26;
/// `HTTP-response-body-size`.
pub const RESPONSE_BODY_SIZE: u32 = 28;
/// `HTTP-response-trailer-section-size`.
pub const RESPONSE_TRAILER_SECTION_SIZE: u32 = 29;
/// `HTTP-protocol-error`.
pub const PROTOCOL_ERROR: u32 = 35;
/// `internal-error`.
pub const INTERNAL_ERROR: u32 = 38;

/// The `error-code` of a call that gave no response.
pub fn error_code(refusal: &Refusal) -> Value {
    let with = |case: u32, payload: Value| Value::Variant(case, Some(Box::new(payload)));
    match refusal.why {
        Why::Denied => Value::case(REQUEST_DENIED),
        Why::Address => Value::case(IP_PROHIBITED),
        Why::Calls => Value::case(CONNECTION_LIMIT),
        Why::Url => Value::case(URI_INVALID),
        Why::Method => Value::case(METHOD_INVALID),
        Why::RequestSize => with(REQUEST_BODY_SIZE, Value::NONE),
        Why::Name => with(DNS_ERROR, Value::Record(vec![Value::NONE, Value::NONE])),
        Why::Connect => Value::case(CONNECTION_REFUSED),
        Why::ConnectTime => Value::case(CONNECTION_TIMEOUT),
        Why::Ended => Value::case(CONNECTION_TERMINATED),
        Why::Time => Value::case(RESPONSE_TIMEOUT),
        Why::Tls => Value::case(TLS_PROTOCOL_ERROR),
        Why::Certificate => Value::case(TLS_CERTIFICATE_ERROR),
        Why::HeadSize => with(RESPONSE_HEADER_SECTION_SIZE, Value::NONE),
        Why::ResponseSize => with(RESPONSE_BODY_SIZE, Value::NONE),
        Why::Redirects => Value::case(LOOP_DETECTED),
        Why::Protocol => Value::case(PROTOCOL_ERROR),
        Why::Header | Why::Host => with(INTERNAL_ERROR, Value::some(Value::String(refusal.what.clone()))),
    }
}

/// The name of an error code.
pub fn error_name(case: u32) -> &'static str {
    ERROR_CODES.get(case as usize).copied().unwrap_or("an unknown error code")
}

/// One of the error codes that say how large a body is.
pub fn body_size(case: u32, bytes: u64) -> Value {
    Value::Variant(case, Some(Box::new(Value::some(Value::U64(bytes)))))
}

/// The cases of `method` that are a word.
const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

/// A method as a value. Methods are written in capital letters; of others, `get` is one.
pub fn method(name: &str) -> Value {
    named(&METHODS, name)
}

/// The method that a value is; none if it is no valid one.
pub fn method_name(case: u32, payload: Option<&Value>) -> Option<String> {
    name_of(&METHODS, case, payload).filter(|name| is_token(name))
}

/// The cases of `scheme` that are a word.
const SCHEMES: [&str; 2] = ["http", "https"];

/// A scheme as a value.
pub fn scheme(name: &str) -> Value {
    named(&SCHEMES, name)
}

/// The scheme that a value is; none if it is no valid one (RFC 3986, section 3.1).
pub fn scheme_name(case: u32, payload: Option<&Value>) -> Option<String> {
    let is_scheme = |name: &String| {
        name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
    };
    name_of(&SCHEMES, case, payload).filter(is_scheme)
}

fn named(words: &[&str], name: &str) -> Value {
    match words.iter().position(|word| *word == name) {
        Some(case) => Value::case(case as u32),
        None => Value::Variant(words.len() as u32, Some(Box::new(Value::String(name.into())))),
    }
}

fn name_of(words: &[&str], case: u32, payload: Option<&Value>) -> Option<String> {
    match (words.get(case as usize), payload) {
        (Some(word), _) => Some((*word).into()),
        (None, Some(Value::String(name))) => Some(name.clone()),
        _ => None,
    }
}
