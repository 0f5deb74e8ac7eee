//! The client behind a proxy: `Forwarded` (RFC 7239) and `X-Forwarded-For`, believed of trusted peers only.
//!
//! A client can write these fields itself, and a proxy adds to what it finds. So they are read from the right: the last
//! address that is no trusted proxy's is the client's. What is malformed ends the reading. Where both fields are there
//! and name different clients, one of them is the client's own word, and neither is believed.

use super::client::{Client, Network};
use super::head::values;
use std::net::{IpAddr, SocketAddr};

/// The client of the request with `head`, which came from `peer`.
pub fn client(head: &[u8], peer: Client, proxies: &[Network]) -> Client {
    if !peer.is_proxy || peer.is_inside() {
        return peer;
    }
    let named = |name, read: fn(&str) -> Option<Vec<Option<IpAddr>>>| {
        let lines = values(head, name);
        (!lines.is_empty()).then(|| nearest(&lines, read, peer, proxies))
    };
    let client = match (named("forwarded", forwarded), named("x-forwarded-for", x_forwarded_for)) {
        (Some(one), Some(other)) if one != other => peer,
        (Some(client), _) | (None, Some(client)) => client,
        (None, None) => peer,
    };
    // A request has one client, be it unknown which. To write a field that nobody believes must not be a way to more than
    // one client's share.
    Client { is_proxy: false, ..client }
}

/// The first, from the right, that is no proxy; the last proxy if there is none.
fn nearest(
    lines: &[&[u8]],
    read: impl Fn(&str) -> Option<Vec<Option<IpAddr>>>,
    peer: Client,
    proxies: &[Network],
) -> Client {
    let mut nearest = peer;
    for line in lines.iter().rev() {
        let Some(addresses) = std::str::from_utf8(line).ok().and_then(&read) else { return nearest };
        for address in addresses.into_iter().rev() {
            let Some(address) = address else { return nearest };
            nearest = Client::new(address, proxies);
            if !nearest.is_proxy {
                return nearest;
            }
        }
    }
    nearest
}

/// The addresses of an `X-Forwarded-For`; none for what is no address.
fn x_forwarded_for(line: &str) -> Option<Vec<Option<IpAddr>>> {
    Some(line.split(',').map(|node| address(node.trim())).collect())
}

/// The `for` of each element of a `Forwarded` (RFC 7239, section 4); none if the line is malformed.
fn forwarded(line: &str) -> Option<Vec<Option<IpAddr>>> {
    let mut all = Vec::new();
    for element in split(line, ',')? {
        let mut of_element = None;
        for pair in split(element, ';')? {
            let Some((name, value)) = pair.split_once('=') else {
                if pair.trim().is_empty() {
                    continue;
                }
                return None;
            };
            if !name.trim().eq_ignore_ascii_case("for") {
                continue;
            }
            // A parameter comes once at most.
            if of_element.replace(address(&unquoted(value.trim())?)).is_some() {
                return None;
            }
        }
        all.push(of_element.flatten());
    }
    Some(all)
}

/// The parts of `text` between `separator`s that are in no quoted string; none if one is left open.
fn split(text: &str, separator: char) -> Option<Vec<&str>> {
    let (mut parts, mut begin, mut is_quoted, mut is_escaped) = (Vec::new(), 0, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            c if c == separator && !is_quoted => {
                parts.push(&text[begin..at]);
                begin = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[begin..]);
    (!is_quoted).then_some(parts)
}

/// The text of a token or of a quoted string.
fn unquoted(value: &str) -> Option<String> {
    let Some(inner) = value.strip_prefix('"') else {
        return (!value.contains('"')).then(|| value.to_string());
    };
    let inner = inner.strip_suffix('"')?;
    let (mut text, mut is_escaped) = (String::new(), false);
    for c in inner.chars() {
        match c {
            '\\' if !is_escaped => is_escaped = true,
            '"' if !is_escaped => return None,
            c => {
                text.push(c);
                is_escaped = false;
            }
        }
    }
    (!is_escaped).then_some(text)
}

/// The address of a node: with a port or without, an IPv6 address in brackets or bare.
fn address(node: &str) -> Option<IpAddr> {
    let bare = node.strip_prefix('[').and_then(|node| node.strip_suffix(']'));
    let bare = bare.filter(|node| node.contains(':')).unwrap_or(node);
    bare.parse().ok().or_else(|| node.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(fields: &str) -> String {
        let proxies = [Network::parse("10.0.0.0/8").unwrap(), Network::parse("fd00::/8").unwrap()];
        let peer = Client::new("10.0.0.1".parse().unwrap(), &proxies);
        let head = format!("GET / HTTP/1.1\r\nHost: t\r\n{fields}\r\n");
        client(head.as_bytes(), peer, &proxies).address.to_string()
    }

    #[test]
    fn the_last_address_that_is_no_proxy_is_the_clients() {
        for (fields, client) in [
            ("", "10.0.0.1"),
            ("X-Forwarded-For: 192.0.2.1\r\n", "192.0.2.1"),
            ("X-Forwarded-For: 198.51.100.9, 192.0.2.1\r\n", "192.0.2.1"),
            ("X-Forwarded-For: 198.51.100.9\r\nX-Forwarded-For: 192.0.2.1\r\n", "192.0.2.1"),
            ("X-Forwarded-For: 198.51.100.9, 192.0.2.1, 10.1.1.1\r\n", "192.0.2.1"),
            ("X-Forwarded-For: 192.0.2.1:4711\r\n", "192.0.2.1"),
            ("X-Forwarded-For: [2001:db8::1]:4711\r\n", "2001:db8::1"),
            ("X-Forwarded-For: 2001:db8::1\r\n", "2001:db8::1"),
            ("X-Forwarded-For: 10.2.2.2, 10.1.1.1\r\n", "10.2.2.2"),
            ("Forwarded: for=192.0.2.1;proto=http;by=10.0.0.1\r\n", "192.0.2.1"),
            ("Forwarded: For=\"[2001:db8::1]:4711\"\r\n", "2001:db8::1"),
            ("Forwarded: for=198.51.100.9, for=\"192.0.2.1:1\" ; proto=https\r\n", "192.0.2.1"),
            ("Forwarded: for=192.0.2.1\r\nX-Forwarded-For: 192.0.2.1\r\n", "192.0.2.1"),
        ] {
            assert_eq!(seen(fields), client, "{fields}");
        }
    }

    #[test]
    fn what_a_client_could_have_written_itself_is_not_believed() {
        for fields in [
            // The proxy writes the one, the client the other.
            "Forwarded: for=192.0.2.1\r\nX-Forwarded-For: 198.51.100.9\r\n",
            "X-Forwarded-For: 192.0.2.1, unknown\r\n",
            "X-Forwarded-For: 192.0.2.1,\r\n",
            "Forwarded: for=192.0.2.1, for=_hidden\r\n",
            "Forwarded: for=192.0.2.1, proto=http\r\n",
            // A quote that the client leaves open would take in what the proxy adds.
            "Forwarded: for=\"192.0.2.1, for=198.51.100.9\r\n",
            "Forwarded: for=\"192.0.2.1, for=\"[2001:db8::1]\"\r\n",
            "Forwarded: for=192.0.2.1;for=198.51.100.9\r\n",
            "Forwarded: rubbish\r\n",
            "Forwarded: for=\"192.0.2.1\\\"\r\n",
        ] {
            assert_eq!(seen(fields), "10.0.0.1", "{fields}");
        }
    }

    #[test]
    fn who_is_no_proxy_is_not_asked() {
        let peer = Client::new("192.0.2.7".parse().unwrap(), &[]);
        let head = b"GET / HTTP/1.1\r\nHost: t\r\nX-Forwarded-For: 198.51.100.9\r\n\r\n";
        assert_eq!(client(head, peer, &[]), peer);
    }
}
