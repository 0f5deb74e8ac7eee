//! Programs' cookies. All programs and the console have one host, and browsers keep cookies by host and path: a cookie of
//! one program is sent to that program alone, and never with a request for the console.

use super::message::Response;

/// What is kept of a cookie's attributes beside the path. `Domain` would give it to other hosts; what is not known here
/// might do more.
const ATTRIBUTES: [&str; 6] = ["expires", "httponly", "max-age", "partitioned", "samesite", "secure"];

/// Holds the cookies of `response` to `script`, the path of its program as the client wrote it. Where that path cannot be
/// said in a cookie, there is none.
pub fn confine(response: &mut Response, script: &str) {
    // The route of everything.
    let script = if script.is_empty() { "/" } else { script };
    let is_sayable =
        script.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-._~%!$&'()*+=:@".contains(&byte));
    response.headers.retain_mut(|(name, value)| {
        if !name.eq_ignore_ascii_case("set-cookie") {
            return true;
        }
        let cookie = Some(&*value).filter(|_| is_sayable).and_then(|value| confined(value, script));
        cookie.map(|cookie| *value = cookie).is_some()
    });
}

/// The cookie with its attributes as browsers read them (RFC 6265, section 5.2), and a path that is `script` or below it:
/// its own if that is so. The last of several counts.
fn confined(cookie: &str, script: &str) -> Option<String> {
    let mut parts = cookie.split(';').map(str::trim);
    let mut cookie = parts.next().filter(|pair| !pair.is_empty())?.to_string();
    let mut path = script;
    for part in parts {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let name = name.trim_end();
        if name.eq_ignore_ascii_case("path") {
            let value = value.trim_start();
            let is_within =
                value.strip_prefix(script).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            path = if is_within { value } else { script };
        } else if ATTRIBUTES.iter().any(|known| name.eq_ignore_ascii_case(known)) {
            cookie += "; ";
            cookie += part;
        }
    }
    Some(cookie + "; Path=" + path)
}
