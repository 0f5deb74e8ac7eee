//! Programs as HTTP functions, the way out: standard output as a response (RFC 3875, section 6).
//!
//! Output that begins with a block of header fields and an empty line sets status and headers by it. All other
//! output is the body, every byte: a program that knows nothing of CGI may print what looks a little like it.

use crate::base::escape::is_token;
use crate::base::limits::REPLY_HEAD_BYTES_MAX;
use crate::gateway::http::message::{BYTES, JSON, Response, TEXT};
use crate::gateway::http::trailers;
use crate::host::reply::Trailers;

/// A header block, in bytes and in lines; output that has no empty line by then has none.
const BLOCK_BYTES_MAX: usize = REPLY_HEAD_BYTES_MAX;
const FIELDS_MAX: usize = 100;

/// Fields that make a block (section 6.3), and fields of responses by which one can be known when it has none
/// of those. `X-` with anything after it is one too.
const FIELDS: [&str; 27] = [
    "content-type",
    "status",
    "location",
    "accept-ranges",
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-expose-headers",
    "access-control-max-age",
    "allow",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-length",
    "content-security-policy",
    "etag",
    "expires",
    "last-modified",
    "link",
    "retry-after",
    "set-cookie",
    "strict-transport-security",
    "transfer-encoding",
    "vary",
    "www-authenticate",
];

/// Fields that concern the connection, which is not the guest's (RFC 9110, section 7.6.1).
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The trailers that a response may have, of those that a guest gives.
pub fn trailers(given: Trailers) -> Vec<(String, String)> {
    let mut kept = Vec::with_capacity(given.len());
    for (name, value) in given {
        let lower = name.to_ascii_lowercase();
        if !is_left_out(&lower) && !is_hop_by_hop(&lower) && trailers::is_allowed(&lower, &value) {
            kept.push((name, String::from_utf8_lossy(&value).into_owned()));
        }
    }
    kept
}

/// Whether the field `name` ends at the next hop, of a request as of a response.
pub fn is_hop_by_hop(name: &str) -> bool {
    HOP_BY_HOP.iter().any(|field| name.eq_ignore_ascii_case(field))
}

/// Fields that the gateway sets. A guest's are left out: they would come twice, and some clients believe the first.
const OWN: [&str; 6] =
    ["server", "date", "x-request-id", "x-content-type-options", "fuel-used", "server-timing"];

/// Fields that a browser takes for the whole origin or host, or keeps beyond the answer. All guests and the console share
/// both, so none of them may speak for the others. (`Set-Cookie` is held to its guest's path, see `cookies.rs`.)
const OF_ALL: [&str; 16] = [
    "accept-ch",
    "alt-svc",
    "clear-site-data",
    "critical-ch",
    "expect-ct",
    "nel",
    "public-key-pins",
    "public-key-pins-report-only",
    "report-to",
    "sec-session-registration",
    "secure-session-registration",
    "service-worker-allowed",
    "set-cookie2",
    "set-login",
    "strict-transport-security",
    "use-as-dictionary",
];

/// How those begin that are orders to a reverse proxy: nginx, for one, answers `X-Accel-Redirect` with what only it can
/// reach; and caches of others keep what `Surrogate-Control` tells them to.
const TO_PROXIES: [&str; 8] =
    ["x-accel-", "x-lighttpd-", "x-reproxy-", "x-sendfile", "x-envoy-", "surrogate-", "cdn-", "edge-"];

/// Whether a guest's field of this name, in lower case, is left out.
fn is_left_out(name: &str) -> bool {
    OWN.contains(&name) || OF_ALL.contains(&name) || TO_PROXIES.iter().any(|begin| name.starts_with(begin))
}

/// The response for what a program wrote; `is_head` if nobody gets the body. `usual` is the content type where
/// the program sets none.
///
/// # Errors
/// What is wrong with its headers.
pub fn response(output: Vec<u8>, is_head: bool, usual: Option<&str>) -> Result<Response, String> {
    let Some((fields, begin)) = block(&output) else { return Ok(plain(output, usual)) };
    let mut output = output;
    output.drain(..begin);
    let mut response = plain(output, usual);
    let length = set_fields(&mut response, fields)?;
    if let Some((name, length)) = length {
        check_length(length, response.body.len(), is_head)?;
        // What it would be with GET.
        if is_head && response.body.is_empty() {
            response.headers.push((name.into(), length.to_string()));
        }
    }
    if response.is_empty_by_status() {
        response.body.clear();
        response.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-length"));
    }
    Ok(response)
}

/// The response that begins with `first`: the whole head, and some of the body, which is not over. With the length that it
/// gives the body, if it does.
///
/// # Errors
/// What is wrong with its headers.
pub fn begun(first: &[u8], usual: Option<&str>) -> Result<(Response, Option<u64>), String> {
    let (fields, begin) = block(first).ok_or("the response does not begin with a header block")?;
    let body = &first[begin..];
    // The last character may not be whole.
    let is_text = std::str::from_utf8(body).map_or_else(|error| error.error_len().is_none(), |_| true);
    let usual = usual.or(Some(if is_text { TEXT } else { BYTES }));
    let mut response = plain(body.to_vec(), usual);
    let length = set_fields(&mut response, fields)?;
    if response.is_empty_by_status() {
        return Err(format!("a response with status {} has no body", response.status));
    }
    Ok((response, length.map(|(_, length)| length)))
}

/// Gives `response` the fields of a header block. Returns the name of the field that is the length of the body, and that.
///
/// # Errors
/// What is wrong with them.
fn set_fields(response: &mut Response, fields: Vec<Field>) -> Result<Option<(String, u64)>, String> {
    response.headers.reserve(fields.len());
    let mut length: Option<(String, u64)> = None;
    let (mut status, mut content_type, mut has_location) = (None, None, false);
    for (name, value) in fields {
        let value = check(&name, &value)?;
        let lower = name.to_ascii_lowercase();
        let comes_twice = || Err(format!("header {name} comes twice"));
        match lower.as_str() {
            "status" if status.is_some() => return comes_twice(),
            "status" => status = Some(status_code(&value)?),
            "content-type" if content_type.is_some() => return comes_twice(),
            "content-type" => content_type = Some(check_media(value)?),
            "content-length" => {
                let says = length_of(&value)?;
                if length.as_ref().is_some_and(|(_, known)| *known != says) {
                    return Err(format!("Content-Length is `{value}`, and another one"));
                }
                length = Some((name, says));
            }
            "location" if has_location => return comes_twice(),
            name if is_left_out(name) => {}
            _ => {
                has_location |= lower == "location";
                response.headers.push((name.into(), value));
            }
        }
    }
    // A path alone is sent to the client too, which asks again: section 6.2.2 without running a second guest
    // for one request.
    response.status = status.unwrap_or(if has_location { 302 } else { 200 });
    if let Some(content_type) = content_type {
        response.content_type = content_type.into();
    }
    Ok(length)
}

/// The response for output that is all body, of the `usual` content type; without one it is text if it is UTF-8,
/// and bytes otherwise.
pub fn plain(body: Vec<u8>, usual: Option<&str>) -> Response {
    let Some(usual) = usual else {
        let content_type = if std::str::from_utf8(&body).is_ok() { TEXT } else { BYTES };
        return Response::new(200, content_type, body);
    };
    Response { content_type: usual.to_string().into(), ..Response::new(200, TEXT, body) }
}

/// The response with what keeps a browser from taking a guest's page for one of this server's. All guests, and the
/// console, have one origin; in a sandbox, a page has one of its own, and its scripts reach nothing else.
///
/// A guest's own policy comes after: of several each holds, so it can forbid more and allow nothing.
pub fn shielded(mut response: Response) -> Response {
    let media = response.content_type.split(';').next().unwrap_or_default().trim();
    // Shown as they are, whatever is in them. Of a list, browsers take the last; and with 304 they show what they have.
    let is_shown = ["text/plain", BYTES, JSON].contains(&media)
        && !response.content_type.contains(',')
        && response.status != 304;
    let policy = "sandbox allow-downloads allow-forms allow-popups allow-scripts";
    let own = (!is_shown).then(|| ("Content-Security-Policy".into(), policy.into()));
    let own = own.into_iter().chain([("X-Content-Type-Options".into(), "nosniff".into())]);
    response.headers.splice(0..0, own);
    response
}

/// A field's name and its value, in bytes.
type Field = (String, Vec<u8>);

/// The fields of the header block at the beginning of `output`, if there is one, and where the body begins.
fn block(output: &[u8]) -> Option<(Vec<Field>, usize)> {
    let head = &output[..output.len().min(BLOCK_BYTES_MAX)];
    let mut fields = Vec::new();
    let mut begin = 0;
    loop {
        let end = begin + head[begin..].iter().position(|byte| *byte == b'\n')?;
        let line = head[begin..end].strip_suffix(b"\r").unwrap_or(&head[begin..end]);
        begin = end + 1;
        if line.is_empty() {
            break;
        }
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = std::str::from_utf8(&line[..colon]).ok().filter(|name| is_token(name))?;
        if fields.len() == FIELDS_MAX {
            return None;
        }
        fields.push((name.to_string(), line[colon + 1..].trim_ascii().to_vec()));
    }
    let is_known = |name: &str| {
        let name = name.to_ascii_lowercase();
        name.starts_with("x-") || FIELDS.contains(&name.as_str())
    };
    let is_cgi = |name: &str| FIELDS[..3].iter().any(|field| name.eq_ignore_ascii_case(field));
    let is_block =
        fields.iter().any(|(name, _)| is_cgi(name)) || fields.iter().all(|(name, _)| is_known(name));
    (!fields.is_empty() && is_block).then_some((fields, begin))
}

/// The value as text, if a response may have it.
fn check(name: &str, value: &[u8]) -> Result<String, String> {
    if is_hop_by_hop(name) {
        return Err(format!("header {name} concerns the connection, which is not the guest's"));
    }
    if let Some(byte) = value.iter().find(|byte| !matches!(byte, b'\t' | 0x20..=0x7e)) {
        return Err(format!("header {name} holds the byte {byte:#04x}"));
    }
    Ok(String::from_utf8_lossy(value).into_owned())
}

/// The content type, if browsers find no header fields in the body: cookies would come with these.
fn check_media(value: String) -> Result<String, String> {
    if value.to_ascii_lowercase().contains("multipart/x-mixed-replace") {
        return Err("Content-Type multipart/x-mixed-replace has headers that are not looked at".into());
    }
    Ok(value)
}

/// `Status: 404 Not Found`; the gateway has its own words for the number.
fn status_code(value: &str) -> Result<u16, String> {
    let digits = value.split(' ').next().unwrap_or_default();
    let code = digits.parse().ok().filter(|code| digits.len() == 3 && (200..=599).contains(code));
    code.ok_or_else(|| format!("Status `{value}` does not begin with a number from 200 to 599"))
}

/// A number of bytes, in digits alone.
fn length_of(value: &str) -> Result<u64, String> {
    let says = value.parse().ok().filter(|_| value.bytes().all(|b| b.is_ascii_digit()));
    says.ok_or_else(|| format!("Content-Length is `{value}`, which is no number of bytes"))
}

/// A length that is not that of the body would let a client take the next answer for a part of this one.
fn check_length(says: u64, length: usize, is_head: bool) -> Result<(), String> {
    if says == length as u64 || (is_head && length == 0) {
        return Ok(());
    }
    Err(format!("Content-Length is `{says}`, but {length} bytes follow"))
}
