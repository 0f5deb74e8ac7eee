//! URLs of calls out, in one form only.
//!
//! The same parsed URL is compared with the allow-list, looked up, connected to and printed into the request. So there is no
//! second reading of it that could differ. What has no clear reading is refused: user information, backslashes, spaces,
//! characters outside ASCII, addresses in odd notations, and dot segments that a server could find by decoding once more.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Bytes of a URL.
pub const URL_BYTES_MAX: usize = 8 * 1024;

/// Bytes of a name of a host (RFC 1035, section 2.3.4), and of a label of it.
const NAME_BYTES_MAX: usize = 253;
const LABEL_BYTES_MAX: usize = 63;

/// How often a path is decoded at most to look for dot segments: servers do it twice by mistake.
const DECODINGS: usize = 4;

/// `http` or `https`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `http`.
    Http,
    /// `https`.
    Https,
}

impl Scheme {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }

    fn port(self) -> u16 {
        match self {
            Scheme::Http => 80,
            Scheme::Https => 443,
        }
    }
}

/// A host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// A name, in lower case, without a dot at its end.
    Name(String),
    /// An address.
    V4(Ipv4Addr),
    /// An address.
    V6(Ipv6Addr),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Name(name) => f.write_str(name),
            Host::V4(address) => address.fmt(f),
            Host::V6(address) => write!(f, "[{address}]"),
        }
    }
}

/// A URL. Its `Display` is the one form that it is sent in, without a fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// The scheme.
    pub scheme: Scheme,
    /// The host.
    pub host: Host,
    /// The port.
    pub port: u16,
    /// The path: begins with `/`, has no dot segments; of characters that need no percent-encoding, none is encoded.
    pub path: String,
    /// What follows `?`.
    pub query: Option<String>,
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme.name(), self.authority(), self.path)?;
        self.query.as_ref().map_or(Ok(()), |query| write!(f, "?{query}"))
    }
}

impl Url {
    /// Reads a URL.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Url, String> {
        if text.len() > URL_BYTES_MAX {
            return Err(format!("it has {} bytes, more than {URL_BYTES_MAX}", text.len()));
        }
        let (scheme, rest) = scheme(text)?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        let (host, port) = host_and_port(authority)?;
        let rest = rest.split('#').next().unwrap_or_default();
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(checked_query(query)?)),
            None => (rest, None),
        };
        Ok(Url { scheme, host, port: port.unwrap_or(scheme.port()), path: path_of(path)?, query })
    }

    /// The host, and the port unless it is the scheme's usual one.
    pub fn authority(&self) -> String {
        match self.port == self.scheme.port() {
            true => self.host.to_string(),
            false => format!("{}:{}", self.host, self.port),
        }
    }

    /// Whether both have the same scheme, host and port (RFC 6454).
    pub fn has_origin_of(&self, other: &Url) -> bool {
        (self.scheme, &self.host, self.port) == (other.scheme, &other.host, other.port)
    }

    /// The URL that `reference` is from here (RFC 3986, section 5.2), as far as servers redirect: a URL, or what begins with
    /// `//`, `/`, `?` or a path.
    ///
    /// # Errors
    /// As [`Url::parse`].
    pub fn join(&self, reference: &str) -> Result<Url, String> {
        let reference = reference.trim_matches([' ', '\t']);
        let has_scheme = reference.split_once(':').is_some_and(|(scheme, _)| {
            !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
        });
        let origin = || format!("{}://{}", self.scheme.name(), self.authority());
        let whole = if has_scheme {
            reference.to_string()
        } else if reference.starts_with("//") {
            format!("{}:{reference}", self.scheme.name())
        } else if reference.starts_with('/') {
            format!("{}{reference}", origin())
        } else if reference.starts_with('?') {
            format!("{}{}{reference}", origin(), self.path)
        } else {
            let folder = self.path.rfind('/').map_or("/", |at| &self.path[..=at]);
            format!("{}{folder}{reference}", origin())
        };
        Url::parse(&whole)
    }
}

/// The scheme, and what follows `://`.
///
/// # Errors
/// It is another one.
pub fn scheme(text: &str) -> Result<(Scheme, &str), String> {
    let (scheme, rest) = text.split_once("://").ok_or("it does not begin with https:// or http://")?;
    let known =
        [Scheme::Http, Scheme::Https].into_iter().find(|known| scheme.eq_ignore_ascii_case(known.name()));
    known.map(|known| (known, rest)).ok_or_else(|| "its scheme is neither https nor http".into())
}

/// The host and the port of an authority.
///
/// # Errors
/// What is wrong with it.
pub fn host_and_port(authority: &str) -> Result<(Host, Option<u16>), String> {
    if authority.contains('@') {
        return Err("it has user information (`user@host`)".into());
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (address, rest) = rest.split_once(']').ok_or("its address has no `]`")?;
            let address = address.parse().map_err(|_| "what is between `[` and `]` is no IPv6 address")?;
            let port = match rest.strip_prefix(':') {
                Some(port) => Some(port),
                None if rest.is_empty() => None,
                None => return Err("something follows the `]` that is no port".into()),
            };
            (Host::V6(address), port)
        }
        None => {
            let (host, port) = match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            };
            (name_or_address(host)?, port)
        }
    };
    Ok((host, port.map(port_of).transpose()?))
}

fn port_of(port: &str) -> Result<u16, String> {
    let number = port.parse().ok().filter(|_| port.bytes().all(|b| b.is_ascii_digit()));
    number.filter(|number| *number != 0).ok_or_else(|| "its port is no number from 1 to 65535".into())
}

fn name_or_address(text: &str) -> Result<Host, String> {
    if text.is_empty() {
        return Err("it has no host".into());
    }
    if !text.is_ascii() {
        return Err("its host is not ASCII: write an international name as xn--".into());
    }
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let last = name.rsplit('.').next().unwrap_or_default();
    // As what ends in a number, browsers and C libraries read addresses in many notations (WHATWG URL, "ends in a number").
    let hex = last.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    if hex || (!last.is_empty() && last.bytes().all(|b| b.is_ascii_digit())) {
        let address = text.parse().map_err(|_| "its host is no IPv4 address of four decimal numbers")?;
        return Ok(Host::V4(address));
    }
    let is_label = |label: &str| {
        (1..=LABEL_BYTES_MAX).contains(&label.len())
            && !label.starts_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    match name.len() <= NAME_BYTES_MAX && name.split('.').all(is_label) {
        true => Ok(Host::Name(name)),
        false => Err("its host is no name that hosts have".into()),
    }
}

/// The query, if each of its characters can be sent as it is.
fn checked_query(query: &str) -> Result<String, String> {
    let is_usual = |b: u8| b.is_ascii_graphic() && !b"\"<>\\#".contains(&b);
    match query.bytes().all(is_usual) {
        true => Ok(query.into()),
        false => Err("its query has characters that must be percent-encoded".into()),
    }
}

/// A path in the one form that is compared and sent.
///
/// # Errors
/// What is wrong with it.
pub fn path_of(path: &str) -> Result<String, String> {
    if path.is_empty() {
        return Ok("/".into());
    }
    let decoded = without_needless_encoding(path)?;
    let mut segments: Vec<&str> = Vec::new();
    let mut rest = decoded.strip_prefix('/').ok_or("its path does not begin with `/`")?.split('/').peekable();
    while let Some(segment) = rest.next() {
        let is_last = rest.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    segments.pop();
                }
                if is_last {
                    segments.push("");
                }
            }
            _ => segments.push(segment),
        }
    }
    if hides_dots(&segments) {
        return Err("its path has dot segments that are hidden from a first look".into());
    }
    Ok(format!("/{}", segments.join("/")))
}

/// Decodes what need not be encoded, and writes the rest in capital letters (RFC 3986, section 6.2.2).
fn without_needless_encoding(path: &str) -> Result<String, String> {
    let mut out = String::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let digits =
                    [bytes.next(), bytes.next()].map(|digit| digit.and_then(|b| char::from(b).to_digit(16)));
                let [Some(high), Some(low)] = digits else {
                    return Err("its path has a `%` without two hex digits".into());
                };
                let value = (high * 16 + low) as u8;
                match value.is_ascii_alphanumeric() || b"-._~".contains(&value) {
                    true => out.push(char::from(value)),
                    false => out.push_str(&format!("%{value:02X}")),
                }
            }
            b if b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(&b) => out.push(char::from(b)),
            _ => return Err("its path has characters that must be percent-encoded".into()),
        }
    }
    Ok(out)
}

/// Whether a server that decodes once more than it should, takes `\` for `/`, or cuts parameters (`;`) off before it looks at
/// dot segments, would find some.
fn hides_dots(segments: &[&str]) -> bool {
    let mut path = segments.join("/").into_bytes();
    for _ in 0..DECODINGS {
        let mut parts = path.split(|b| matches!(b, b'/' | b'\\'));
        let has_dots = parts.any(|part| {
            let name = part.split(|b| *b == b';').next().unwrap_or_default();
            matches!(name, b"." | b"..")
        });
        if has_dots || path.contains(&0) {
            return true;
        }
        path = decoded(&path);
    }
    false
}

fn decoded(path: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((first, after)) = rest.split_first() {
        let hex = |at: usize| after.get(at).and_then(|b| char::from(*b).to_digit(16));
        match (first, hex(0), hex(1)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                rest = &after[2..];
            }
            _ => {
                out.push(*first);
                rest = after;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(text: &str) -> Result<String, String> {
        Url::parse(text).map(|url| url.to_string())
    }

    #[test]
    fn a_url_has_one_form() {
        for (given, form_of_it) in [
            ("https://API.Example.COM", "https://api.example.com/"),
            ("HTTPS://api.example.com:443/a?b#c", "https://api.example.com/a?b"),
            ("http://api.example.com.:80/", "http://api.example.com/"),
            ("http://api.example.com:8080", "http://api.example.com:8080/"),
            ("https://a.example?x=/../y", "https://a.example/?x=/../y"),
            ("https://a.example#/../y", "https://a.example/"),
            ("https://a.example/v1/../admin", "https://a.example/admin"),
            ("https://a.example/v1/%2e%2E/admin", "https://a.example/admin"),
            ("https://a.example/v1/./x/..", "https://a.example/v1/"),
            ("https://a.example/../../x", "https://a.example/x"),
            ("https://a.example//v1//x", "https://a.example//v1//x"),
            ("https://a.example/%7Eme/%61%2fb%3a", "https://a.example/~me/a%2Fb%3A"),
            ("https://a.example/group%2Fproject", "https://a.example/group%2Fproject"),
            ("http://127.0.0.1:8080/x", "http://127.0.0.1:8080/x"),
            ("http://[::1]:8080/x", "http://[::1]:8080/x"),
            ("http://[0:0:0:0:0:FFFF:7f00:1]/", "http://[::ffff:127.0.0.1]/"),
            ("https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/"),
            ("https://a_b.example/...", "https://a_b.example/..."),
        ] {
            assert_eq!(form(given).as_deref(), Ok(form_of_it), "{given}");
            assert_eq!(form(form_of_it).as_deref(), Ok(form_of_it), "{given}: once more");
        }
    }

    #[test]
    fn what_has_no_clear_reading_is_refused() {
        for text in [
            "",
            "https://",
            "https:///x",
            "ftp://a.example/",
            "file:///etc/passwd",
            "a.example/x",
            "//a.example/",
            "javascript:alert(1)",
            "https:a.example",
            "https:/a.example",
            "https://?x",
            "https://api.example.com@evil.example/",
            "https://user:secret@a.example/",
            "https://@a.example/",
            "https://a.example\\@evil.example/",
            "https://a.example\\x",
            "https://a.example /",
            "https://a.example/ x",
            "https://a.example/\r\nHost: evil",
            "https://a.example/\0",
            "https://a.example/x y",
            "https://bücher.example/",
            "https://a。example/",
            "https://a%2eexample/",
            "https://a..example/",
            "https://.example/",
            "https://a.example../",
            "https://-a.example/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0x7f.1/",
            "http://127.1/",
            "http://0177.0.0.1/",
            "http://127.0.0.1./",
            "http://0x/",
            "http://1.2.3.4.5/",
            "http://a.0x1/",
            "http://256.1.1.1/",
            "http://a.1/",
            "http://[::1/",
            "http://[::1]x/",
            "http://[fe80::1%25eth0]/",
            "http://[127.0.0.1]/",
            "http://::1/",
            "http://[]/",
            "http://a.example:/",
            "http://a.example:0/",
            "http://a.example:65536/",
            "http://a.example:+80/",
            "http://a.example:80:80/",
            "http://a.example:8 0/",
            "https://a.example/v1/%252e%252e/admin",
            "https://a.example/v1/..%2fadmin",
            "https://a.example/v1/..%5cadmin",
            "https://a.example/v1/%2e%2e%2fadmin",
            "https://a.example/v1/..;/admin",
            "https://a.example/v1/..;x=1/admin",
            "https://a.example/v1/a%2f..%2f..%2fadmin",
            "https://a.example/v1/%25252e%25252e/x",
            "https://a.example/a%00b",
            "https://a.example/a%2",
            "https://a.example/a%zz",
            "https://a.example/{x}",
            "https://a.example/ü",
            "https://a.example/?a\"b",
            "https://a.example/?ü",
            "https://a.example/?a b",
        ] {
            assert!(Url::parse(text).is_err(), "{text:?} is {:?}", form(text));
        }
    }

    #[test]
    fn lengths_are_limited() {
        let of =
            |bytes: usize| format!("https://a.example/{}", "a".repeat(bytes - "https://a.example/".len()));
        assert!(Url::parse(&of(URL_BYTES_MAX)).is_ok() && Url::parse(&of(URL_BYTES_MAX + 1)).is_err());
        let label = |bytes: usize| Url::parse(&format!("https://{}.example/", "a".repeat(bytes)));
        assert!(label(63).is_ok() && label(64).is_err());
        let name = |bytes: usize| Url::parse(&format!("https://{}/", &"a.".repeat(bytes)[..bytes]));
        assert!(name(253).is_ok() && name(255).is_err());
    }

    #[test]
    fn a_redirect_goes_where_its_reference_says() {
        let base = Url::parse("https://a.example:8443/v1/list?x=1").unwrap();
        for (reference, to) in [
            ("https://b.example/", "https://b.example/"),
            ("HTTP://b.example", "http://b.example/"),
            ("//b.example/x", "https://b.example/x"),
            ("/x", "https://a.example:8443/x"),
            ("?y", "https://a.example:8443/v1/list?y"),
            ("more", "https://a.example:8443/v1/more"),
            ("../up", "https://a.example:8443/up"),
            ("", "https://a.example:8443/v1/"),
            ("#part", "https://a.example:8443/v1/"),
        ] {
            assert_eq!(base.join(reference).map(|url| url.to_string()).as_deref(), Ok(to), "{reference}");
        }
        for reference in
            ["file:///etc/passwd", "gopher://b.example/", "//b.example@c.example/", "\\\\b.example\\", "///x"]
        {
            assert!(base.join(reference).is_err(), "{reference}");
        }
    }
}
