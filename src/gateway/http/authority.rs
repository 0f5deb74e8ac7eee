//! Whom a request is for: a host and a port, from `Host` or from an absolute target (RFC 9110, section 7.2; RFC 9112,
//! section 3.2).

use std::net::Ipv6Addr;

/// The port of an http URL that names none.
pub const PORT: u16 = 80;

/// A host and its port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Authority<'a> {
    /// As the client wrote it.
    pub text: &'a str,
    /// A name, an IPv4 address, or an IPv6 address in brackets.
    pub host: &'a str,
    /// The port.
    pub port: u16,
}

impl<'a> Authority<'a> {
    /// Reads `uri-host [ ":" port ]` (RFC 9110, section 7.2). A host is not empty, as in any http URL (section 4.2.1),
    /// and no user is named (section 4.2.4). Two things that the grammar allows are refused: a comma, by which a proxy may
    /// have made one field of two, and an address of a future version of IP.
    pub fn parse(text: &'a str) -> Option<Authority<'a>> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let inner = rest.find(']')?;
                rest[..inner].parse::<Ipv6Addr>().ok()?;
                text.split_at(inner + 2)
            }
            None => {
                let (host, port) = text.split_at(text.find(':').unwrap_or(text.len()));
                (host, Some(port).filter(|_| is_name(host))?)
            }
        };
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => PORT,
            Some("") => PORT,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok()?,
            _ => return None,
        };
        Some(Authority { text, host, port })
    }
}

/// Whether it is a `reg-name` (RFC 3986, section 3.2.2) of at least one character, and without a comma. An IPv4 address is
/// one, too.
fn is_name(host: &str) -> bool {
    let mut bytes = host.bytes();
    while let Some(byte) = bytes.next() {
        let fits = match byte {
            b'%' => (0..2).all(|_| bytes.next().is_some_and(|digit| digit.is_ascii_hexdigit())),
            _ => byte.is_ascii_alphanumeric() || b"-._~!$&'()*+;=".contains(&byte),
        };
        if !fits {
            return false;
        }
    }
    !host.is_empty()
}

/// The authority of a target in absolute form, and what follows it (RFC 9112, section 3.2.2).
pub fn split_absolute(target: &str) -> Option<(&str, &str)> {
    let scheme = target.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("http://"))?;
    let rest = &target[scheme.len()..];
    // It ends at the path, which an http URL may leave out, or at a query.
    Some(rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len())))
}
