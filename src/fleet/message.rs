//! Messages of NATS as requests to the gateway, and its responses as messages.
//!
//! A message's body is the input. Its header fields are the request's, but for those that frame it, that end at a hop, or that
//! say who the client is; `Fuelbox-*` fields say what HTTP has in its request line, and what holds between nodes:
//!
//! | field of a request | meaning |
//! | --- | --- |
//! | `Fuelbox-Method` | the method; `POST` without |
//! | `Fuelbox-Path` | what follows the plug-in in the path, with a query: `/a/b?c=d` |
//! | `Fuelbox-Timeout` | milliseconds that the sender waits |
//! | `Fuelbox-Hops` | how many nodes have passed it on |
//!
//! | field of a response | meaning |
//! | --- | --- |
//! | `Fuelbox-Status` | the status |
//! | `Fuelbox-Problem` | the problem's type, if it is one |
//! | `Fuelbox-Node` | the node that answered |
//! | `Nats-Service-Error-Code`, `Nats-Service-Error` | status and title of what is 400 or more (ADR-32) |

use super::local::{Answer, Ask};
use super::subject::{Target, token};
use crate::gateway::http::problem::Kind;
use crate::gateway::http::timeout::{self, TIMEOUT};
use crate::gateway::routes::cgi_response::is_hop_by_hop;
use async_nats::HeaderMap;
use async_nats::header::{HeaderName, HeaderValue};
use bytes::Bytes;
use std::str::FromStr;
use std::time::Duration;

/// Fields that a message has, at most; the gateway takes as many, with those that are added.
pub const FIELDS_MAX: usize = 80;

/// Fields of whatever name that a message has at most to be looked at at all.
const ANY_FIELDS_MAX: usize = 2 * FIELDS_MAX;

/// What is passed on to no node and no guest: framing, who the client is, and what NATS and fuelbox say for themselves.
const NOT_PASSED: [&str; 7] = [
    "content-length",
    "host",
    "expect",
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
];

/// Fields of a response that say nothing to whom NATS is spoken with.
const OF_HTTP: [&str; 3] = ["date", "server", "x-content-type-options"];

const METHOD: &str = "Fuelbox-Method";
const PATH: &str = "Fuelbox-Path";
const HOPS: &str = "Fuelbox-Hops";
/// The status of a response.
pub const STATUS: &str = "Fuelbox-Status";
/// The type of a problem.
pub const PROBLEM: &str = "Fuelbox-Problem";
/// The node that answered.
pub const NODE: &str = "Fuelbox-Node";

/// A message as a request.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// The request.
    pub ask: Ask,
    /// How many nodes have passed it on.
    pub hops: u32,
    /// How long its sender waits.
    pub timeout: Option<Duration>,
}

/// Whether a message has so many fields that it is not to be kept: in memory, each takes fifty times its bytes.
pub fn is_bomb(headers: Option<&HeaderMap>) -> bool {
    let count = headers.into_iter().flat_map(HeaderMap::iter).map(|(_, values)| values.len()).sum::<usize>();
    count > ANY_FIELDS_MAX
}

/// What is said of a message with too many fields.
pub fn too_many() -> String {
    format!("the message has more than {FIELDS_MAX} header fields")
}

/// The request that a message to `target` is.
///
/// # Errors
/// A sentence that names the field.
pub fn incoming(target: &Target, headers: Option<&HeaderMap>, body: Bytes) -> Result<Incoming, String> {
    let plugin = token(&target.plugin).ok_or("the plug-in's name is too long")?;
    let text = |name: &'static str| match headers.and_then(|headers| headers.get(name)) {
        Some(value) if !value.as_str().is_empty() => Some(value.as_str()),
        _ => None,
    };
    let timeout =
        text(TIMEOUT).map(|text| timeout::parse(text).ok_or_else(|| format!("{TIMEOUT} is not a number")));
    let timeout = timeout.transpose()?;
    let hops =
        text(HOPS).map_or(Ok(0), |text| text.parse().map_err(|_| format!("{HOPS} is not a number")))?;
    let path = text(PATH).unwrap_or_default();
    if !path.is_empty() && !path.starts_with(['/', '?']) {
        return Err(format!("{PATH} begins with neither / nor ?"));
    }
    let target = match &target.function {
        None => format!("/execute/{plugin}{path}"),
        Some(_) if path.contains('?') => {
            return Err(format!("the subject names a function, and {PATH} has a query"));
        }
        Some(function) => {
            let function = token(function).ok_or("the function's name is too long")?;
            format!("/execute/{plugin}{path}?func={function}")
        }
    };
    let mut fields = Vec::new();
    for (name, values) in headers.iter().flat_map(|headers| headers.iter()) {
        let name: &str = name.as_ref();
        if passes(name) {
            fields.extend(values.iter().map(|value| (name.to_string(), value.as_str().to_string())));
        }
    }
    if fields.len() > FIELDS_MAX {
        return Err(too_many());
    }
    fields.extend(timeout.map(|timeout| (TIMEOUT.into(), timeout.as_millis().to_string())));
    let method = text(METHOD).unwrap_or("POST").to_string();
    Ok(Incoming { ask: Ask { method, target, headers: fields, body }, hops, timeout })
}

/// Whether a field is passed on, of a request as of a response.
pub fn passes(name: &str) -> bool {
    let begins =
        |prefix: &str| name.get(..prefix.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(prefix));
    !is_hop_by_hop(name)
        && !begins("Nats-")
        && !begins("Fuelbox-")
        && !NOT_PASSED.iter().any(|field| name.eq_ignore_ascii_case(field))
}

/// Changes the fields of a message that is passed on: `hops` times until now, to a sender that waits `timeout` longer.
pub fn pass_on(headers: &mut HeaderMap, hops: u32, timeout: Option<Duration>) {
    headers.insert(HOPS, HeaderValue::from(u64::from(hops)));
    if let Some(timeout) = timeout {
        headers.insert(TIMEOUT, HeaderValue::from(u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX)));
    }
}

/// Sets what HTTP has in the request line: the method, and what follows the plug-in in the path, with the query.
pub fn set_line(headers: &mut HeaderMap, method: &str, path: &str) {
    headers.insert(METHOD, method);
    if !path.is_empty() {
        headers.insert(PATH, path);
    }
}

/// The title of the problem that `answer` is, or its status.
pub fn title(answer: &Answer) -> String {
    problem_of(answer).map_or_else(|| answer.status.to_string(), |(_, title)| title)
}

/// The fields of the message that `answer` is, by `node`.
pub fn reply(answer: &Answer, node: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in &answer.headers {
        // Text that NATS can carry; the gateway gives no other but what a guest made so.
        if !passes(name) || OF_HTTP.iter().any(|field| name.eq_ignore_ascii_case(field)) {
            continue;
        }
        if let (Ok(name), Some(value)) = (HeaderName::from_str(name), value_of(value)) {
            headers.append(name, value);
        }
    }
    headers.insert(STATUS, HeaderValue::from(answer.status));
    headers.insert(NODE, node);
    if answer.status >= 400 {
        let (kind, title) = problem_of(answer).unwrap_or_default();
        if let Some(kind) = value_of(kind.as_bytes()).filter(|kind| !kind.as_str().is_empty()) {
            headers.insert(PROBLEM, kind);
        }
        headers.insert("Nats-Service-Error-Code", HeaderValue::from(answer.status));
        let title = value_of(title.as_bytes()).filter(|title| !title.as_str().is_empty());
        headers.insert("Nats-Service-Error", title.unwrap_or_else(|| HeaderValue::from(answer.status)));
    }
    headers
}

/// A value that NATS and HTTP can carry.
pub fn value_of(bytes: &[u8]) -> Option<HeaderValue> {
    let text = std::str::from_utf8(bytes).ok()?;
    text.bytes().all(|byte| byte == b'\t' || (b' '..0x7f).contains(&byte)).then(|| HeaderValue::from(text))
}

/// Type and title of the problem that `answer` is, if it is one that the gateway made.
pub fn problem_of(answer: &Answer) -> Option<(String, String)> {
    answer.header("content-type").filter(|kind| kind.starts_with("application/problem+json"))?;
    let problem: serde_json::Value = serde_json::from_slice(&answer.body).ok()?;
    let text = |name: &str| problem.get(name)?.as_str().map(String::from);
    Some((text("type")?, text("title")?))
}

/// Whether `answer` says that the gateway has no free worker.
pub fn is_busy(answer: &Answer) -> bool {
    let busy = crate::gateway::http::problem::BUSY;
    answer.status == busy.status && problem_of(answer).is_some_and(|(kind, _)| kind == busy.urn())
}

/// A problem that is found before the gateway is asked, in the gateway's form (RFC 9457).
pub fn problem(kind: Kind, detail: &str) -> Answer {
    let document = serde_json::json!({
        "type": kind.urn(), "title": kind.title, "status": kind.status, "detail": detail,
    });
    Answer {
        status: kind.status,
        headers: vec![("Content-Type".into(), b"application/problem+json".to_vec())],
        body: document.to_string().into_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::http::problem::{BAD_REQUEST, BUSY};

    fn of(function: Option<&str>, fields: &[(&str, &str)]) -> Result<Incoming, String> {
        let mut headers = HeaderMap::new();
        fields.iter().for_each(|(name, value)| headers.append(*name, *value));
        let target = Target { plugin: "a.b".into(), function: function.map(Into::into) };
        incoming(&target, Some(&headers), Bytes::from_static(b"in"))
    }

    #[test]
    fn a_message_is_a_request() {
        let plain = of(None, &[]).unwrap();
        assert_eq!((&*plain.ask.method, &*plain.ask.target), ("POST", "/execute/a%2Eb"));
        assert_eq!((plain.hops, plain.timeout, &*plain.ask.body), (0, None, &b"in"[..]));
        let called = of(Some("f g"), &[("Fuelbox-Timeout", "250"), ("Fuelbox-Hops", "2")]).unwrap();
        assert_eq!(called.ask.target, "/execute/a%2Eb?func=f%20g");
        assert_eq!((called.hops, called.timeout), (2, Some(Duration::from_millis(250))));
        assert_eq!(called.ask.headers, [("Fuelbox-Timeout".to_string(), "250".to_string())]);
        let cgi = of(None, &[("Fuelbox-Method", "GET"), ("Fuelbox-Path", "/c?d=e")]).unwrap();
        assert_eq!((&*cgi.ask.method, &*cgi.ask.target), ("GET", "/execute/a%2Eb/c?d=e"));
    }

    #[test]
    fn what_says_who_the_client_is_or_how_long_the_body_is_does_not_pass() {
        let fields = [
            ("Content-Length", "1"),
            ("Transfer-Encoding", "chunked"),
            ("Connection", "close"),
            ("Host", "h"),
            ("X-Forwarded-For", "192.0.2.1"),
            ("Forwarded", "for=192.0.2.1"),
            ("Nats-Msg-Id", "1"),
            ("fuelbox-other", "1"),
            ("Expect", "100-continue"),
        ];
        for (name, value) in fields {
            assert_eq!(of(None, &[(name, value)]).unwrap().ask.headers, [], "{name}");
        }
        let passed =
            of(None, &[("Authorization", "Bearer t"), ("X-Request-Id", "7"), ("A", "1"), ("A", "2")]);
        assert_eq!(passed.unwrap().ask.headers.len(), 4);
    }

    #[test]
    fn rubbish_is_an_error_that_names_the_field() {
        for (name, value) in [
            ("Fuelbox-Timeout", "-1"),
            ("Fuelbox-Timeout", "1s"),
            ("Fuelbox-Timeout", "99999999999"),
            ("Fuelbox-Hops", "x"),
            ("Fuelbox-Path", "a"),
        ] {
            assert!(of(None, &[(name, value)]).unwrap_err().contains(name), "{name}: {value}");
        }
        assert!(of(Some("f"), &[("Fuelbox-Path", "?func=g")]).is_err());
        let many = |n: usize| of(None, &vec![("A", "1"); n]);
        assert!(many(FIELDS_MAX).is_ok() && many(FIELDS_MAX + 1).is_err());
    }

    #[test]
    fn a_message_with_very_many_fields_is_a_bomb() {
        let of = |names: usize, values: usize| {
            let mut headers = HeaderMap::new();
            for name in 0..names {
                (0..values).for_each(|_| headers.append(format!("Nats-{name}").as_str(), ""));
            }
            is_bomb(Some(&headers))
        };
        assert!(!is_bomb(None) && !of(ANY_FIELDS_MAX, 1) && !of(1, ANY_FIELDS_MAX));
        assert!(of(ANY_FIELDS_MAX + 1, 1) && of(1, ANY_FIELDS_MAX + 1));
    }

    #[test]
    fn a_response_says_what_came_of_it() {
        let headers = vec![
            ("Content-Type".to_string(), b"text/plain".to_vec()),
            ("Fuel-Used".into(), b"7".to_vec()),
            ("Content-Length".into(), b"2".to_vec()),
            ("Fuelbox-Node".into(), b"forged".to_vec()),
            ("X".into(), b"\xff".to_vec()),
        ];
        let good = reply(&Answer { status: 200, headers, body: b"ok".to_vec() }, "n1");
        let value = |name: &str| good.get(name).map(|value| value.as_str().to_string());
        assert_eq!(
            (value("Fuelbox-Status").as_deref(), value("Fuelbox-Node").as_deref()),
            (Some("200"), Some("n1"))
        );
        assert_eq!(
            (value("Fuel-Used").as_deref(), value("Content-Length"), value("X")),
            (Some("7"), None, None)
        );
        assert_eq!(value("Nats-Service-Error-Code"), None);
        let busy = problem(BUSY, "all are at work");
        let told = reply(&busy, "n1");
        assert!(is_busy(&busy) && !is_busy(&problem(BAD_REQUEST, "")));
        assert_eq!(told.get("Fuelbox-Problem").map(|v| v.as_str()), Some("urn:fuelbox:problem:busy"));
        assert_eq!(told.get("Nats-Service-Error").map(|v| v.as_str()), Some("All workers are busy"));
    }
}
