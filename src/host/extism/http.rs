//! Refuses HTTP requests of Extism plug-ins. No HTTP client is built in. A host that the policy does not allow
//! is reported first.

use crate::base::escape::printable;
use crate::base::limits::{HTTP_REQUEST_BYTES_MAX, MESSAGE_BYTES_MAX};

/// The refusal of `request`, which is JSON with a `url`.
pub fn refusal(hosts: &[String], request: &[u8]) -> String {
    const REFUSED: &str = "HTTP request refused: the plug-in's policy";
    if hosts.is_empty() {
        return format!("{REFUSED} allows no hosts");
    }
    let url = url(request).unwrap_or_default();
    let asked = host(&url);
    if hosts.iter().any(|host| host.eq_ignore_ascii_case(asked)) {
        return "HTTP requests are not supported in this build".into();
    }
    let shown: String = asked.chars().take(MESSAGE_BYTES_MAX / 4).collect();
    format!("{REFUSED} does not allow the host `{}`", printable(&shown))
}

fn url(request: &[u8]) -> Option<String> {
    if request.len() > HTTP_REQUEST_BYTES_MAX {
        return None;
    }
    let request: serde_json::Value = serde_json::from_slice(request).ok()?;
    Some(request.get("url")?.as_str()?.to_string())
}

/// The host of a URL (RFC 3986, section 3.2): after user information, before the port.
fn host(url: &str) -> &str {
    let Some((_, rest)) = url.split_once("://") else { return "" };
    // Browsers end it at a backslash, and so does this.
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    match place.strip_prefix('[').and_then(|literal| literal.split_once(']')) {
        Some((literal, _)) => literal,
        None => place.split(':').next().unwrap_or_default(),
    }
}
