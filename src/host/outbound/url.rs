//! URLs of calls out, in one form only.
//!
//! The same parsed URL is compared with the allow-list, looked up, connected to and printed into the request. So there is no
//! second reading of it that could differ. What has no clear reading is refused: user information, backslashes, spaces,
//! characters outside ASCII, addresses in odd notations, and dot segments that a server could find by decoding once more.

use super::path::path_of;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Bytes of a URL.
pub const URL_BYTES_MAX: usize = 8 * 1024;

/// Bytes of a name of a host (RFC 1035, section 2.3.4), and of a label of it.
const NAME_BYTES_MAX: usize = 253;
const LABEL_BYTES_MAX: usize = 63;

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

#[cfg(test)]
#[path = "url_tests.rs"]
mod tests;
