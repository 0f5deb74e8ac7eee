//! The head of a request, as far as guests decide it.

use super::message::{FIELDS_MAX, Fields, Refusal, Why};
use crate::base::escape::is_token;

/// Bytes of a request's header fields, as they are printed, and of a method.
pub const HEAD_BYTES_MAX: usize = 16 * 1024;
const METHOD_BYTES_MAX: usize = 32;

/// Fields that say where a message goes, how it is framed, or are for proxies. The host sets what of them is needed.
const FORBIDDEN: [&str; 11] = [
    "connection",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-connection",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Fields that are for one origin, and never go to another one.
pub const CREDENTIALS: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

/// Fields of a request's body, which a redirect may take away.
pub const OF_BODY: [&str; 5] =
    ["content-encoding", "content-language", "content-location", "content-type", "content-length"];

/// Checks a method. Tunnels are no requests, and TRACE would show what proxies add.
pub fn method(method: &str) -> Result<(), Refusal> {
    let is_for_guests = !["connect", "trace", "track"].iter().any(|no| method.eq_ignore_ascii_case(no));
    match is_token(method) && method.len() <= METHOD_BYTES_MAX && is_for_guests {
        true => Ok(()),
        false => Err(Refusal::new(Why::Method, "the method is none that a guest may use")),
    }
}

/// Checks header fields. A length is left out: the host counts the body.
pub fn fields(given: Fields) -> Result<Fields, Refusal> {
    let refused = |what: String| Err(Refusal::new(Why::Header, what));
    let bytes: usize = given.iter().map(|(name, value)| name.len() + value.len() + ": \r\n".len()).sum();
    if given.len() > FIELDS_MAX || bytes > HEAD_BYTES_MAX {
        let what =
            format!("more than {FIELDS_MAX} header fields, or more than {HEAD_BYTES_MAX} bytes of them");
        return refused(what);
    }
    for (name, value) in &given {
        if !is_token(name) {
            return refused("the name of a header field has characters that it must not have".into());
        }
        if FORBIDDEN.iter().any(|no| name.eq_ignore_ascii_case(no)) {
            return refused(format!("the header field `{name}` is not for guests"));
        }
        // RFC 9110, section 5.5.
        if !value.iter().all(|byte| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f)) {
            return refused(format!("the value of the header field `{name}` has control characters"));
        }
    }
    Ok(given.into_iter().filter(|(name, _)| !name.eq_ignore_ascii_case("content-length")).collect())
}

/// Takes the fields of these names away.
pub fn without(fields: &mut Fields, names: &[&str]) {
    fields.retain(|(name, _)| !names.iter().any(|gone| name.eq_ignore_ascii_case(gone)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, value: &str) -> Fields {
        vec![(name.into(), value.into())]
    }

    #[test]
    fn what_could_split_a_request_is_refused() {
        for (name, value) in [
            ("x", "a\r\nHost: evil"),
            ("x", "a\nb"),
            ("x", "a\0b"),
            ("x", "\x7f"),
            ("x\r\ny", "a"),
            ("x:", "a"),
            ("x y", "a"),
            ("", "a"),
            ("Host", "evil"),
            ("hOST", "evil"),
            ("Connection", "close"),
            ("Transfer-Encoding", "chunked"),
            ("TE", "trailers"),
            ("Trailer", "x"),
            ("Upgrade", "h2c"),
            ("Expect", "100-continue"),
            ("Keep-Alive", "1"),
            ("Proxy-Authorization", "x"),
            ("Proxy-Connection", "x"),
        ] {
            assert_eq!(
                fields(field(name, value)).map_err(|error| error.why),
                Err(Why::Header),
                "{name}: {value}"
            );
        }
        assert_eq!(fields(field("X-Good", "a\tb \u{fc}")), Ok(field("X-Good", "a\tb \u{fc}")));
        assert_eq!(fields(field("Content-LENGTH", "7")), Ok(Vec::new()));
        for name in ["", "G T", "GET\r\n", "CONNECT", "connect", "TRACE", "TRACK", &"A".repeat(33)] {
            assert_eq!(method(name).map_err(|error| error.why), Err(Why::Method), "{name}");
        }
        for name in ["GET", "POST", "PATCH", "PROPFIND", &"A".repeat(32)] {
            assert_eq!(method(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn fields_are_limited() {
        let many = |count: usize| fields((0..count).map(|n| (format!("x{n}"), Vec::new())).collect()).is_ok();
        assert!(many(FIELDS_MAX - 1) && many(FIELDS_MAX) && !many(FIELDS_MAX + 1));
        let large = |bytes: usize| fields(field("x", &"a".repeat(bytes - "x: \r\n".len()))).is_ok();
        assert!(large(HEAD_BYTES_MAX - 1) && large(HEAD_BYTES_MAX) && !large(HEAD_BYTES_MAX + 1));
    }
}
