//! Trailer fields of responses (RFC 9110, section 6.5).

use super::head::values;
use crate::base::escape::is_token;

/// Fields that are read before the body, or that change how it is read: a recipient that takes them from behind it could be
/// led astray (RFC 9110, section 6.5.1). They frame and route messages, authenticate, modify requests, control responses,
/// or say what the content is.
const NEVER: [&str; 33] = [
    "age",
    "allow",
    "alt-svc",
    "authentication-info",
    "authorization",
    "cache-control",
    "clear-site-data",
    "connection",
    "cookie",
    "date",
    "expect",
    "expires",
    "host",
    "keep-alive",
    "location",
    "max-forwards",
    "pragma",
    "range",
    "referrer-policy",
    "refresh",
    "retry-after",
    "server",
    "set-cookie",
    "status",
    "strict-transport-security",
    "te",
    "timing-allow-origin",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "vary",
    "warning",
    "www-authenticate",
];

/// How such names begin.
const NEVER_BEGINS: [&str; 10] = [
    "accept-",
    "access-control-",
    "content-",
    "cross-origin-",
    "if-",
    "permissions-",
    "proxy-",
    "sec-",
    "x-content-type-",
    "x-frame-",
];

/// Whether a response may have a trailer of this name, in lower case, and with this value.
pub fn is_allowed(name: &str, value: &[u8]) -> bool {
    is_token(name)
        && !NEVER.contains(&name)
        && !NEVER_BEGINS.iter().any(|begin| name.starts_with(begin))
        && value.iter().all(|byte| matches!(byte, b'\t' | 0x20..=0x7e))
}

/// Whether the client that sent this head takes trailers (RFC 9110, section 10.1.4). Others may drop them, or take them for
/// something else.
pub fn are_taken(head: &[u8]) -> bool {
    let te = values(head, "te");
    let codings =
        te.iter().filter_map(|value| std::str::from_utf8(value).ok()).flat_map(|list| list.split(','));
    let mut names = codings.map(|coding| coding.split(';').next().unwrap_or_default().trim());
    names.any(|name| name.eq_ignore_ascii_case("trailers"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_says_whether_it_takes_them() {
        let head = |lines: &str| format!("GET / HTTP/1.1\r\nHost: t\r\n{lines}\r\n").into_bytes();
        for yes in ["TE: trailers\r\n", "te: gzip;q=0.5, Trailers\r\n", "TE: deflate\r\nTE: trailers;q=1\r\n"]
        {
            assert!(are_taken(&head(yes)), "{yes}");
        }
        for no in ["", "TE: gzip\r\n", "TE: trailers-2\r\n", "X-TE: trailers\r\n"] {
            assert!(!are_taken(&head(no)), "{no}");
        }
    }

    #[test]
    fn what_concerns_the_message_is_no_trailer() {
        for name in ["x-checksum", "grpc-status", "etag", "x"] {
            assert!(is_allowed(name, b"a \t~"), "{name}");
        }
        let bad =
            ["", "a b", "a:", "content-length", "content-digest", "transfer-encoding", "proxy-authorization"];
        for name in bad.into_iter().chain(NEVER) {
            assert!(!is_allowed(name, b"1"), "{name}");
        }
        for value in [&b"a\r\nb: c"[..], b"a\n", b"\0", b"\x7f", "\u{e9}".as_bytes()] {
            assert!(!is_allowed("x", value), "{value:?}");
        }
    }
}
