//! Programs as HTTP functions, the way in: a request as CGI/1.1 has it (RFC 3875, section 4).

use super::cgi_response::is_hop_by_hop;
use super::execute_target::ExecuteTarget;
use crate::abi::command::Invocation;
use crate::gateway::http::authority::{Authority, PORT, split_absolute};
use crate::gateway::http::head::HEADERS_MAX;
use crate::gateway::http::message::Request;
use crate::gateway::http::print::SERVER;
use crate::host::streams::Stdin;
use crate::host::wasi::ctx::GuestEnv;
use percent_encoding::percent_decode_str;

/// Header fields that are not passed on as `HTTP_*`, beside those between two hops only. The ones that have a
/// variable of their own (`X-Request-Id` too, which the gateway may have made, and `Host`, which an absolute target replaces); `Expect`, which the door has met; `Proxy`, which as `HTTP_PROXY` would set the proxy
/// of an HTTP client in the guest (CVE-2016-5385); and credentials (section 4.1.18), as every plug-in behind
/// this gateway is a stranger.
const NOT_PASSED: [&str; 7] =
    ["authorization", "content-length", "content-type", "expect", "host", "proxy", "x-request-id"];

/// The invocation for `request` to the plug-in `name`: the body as standard input, the meta-variables of
/// section 4.1 as environment. There are no arguments but the script's name: a query without `=` is not
/// made into some, as by them strangers could switch on what a program was not meant to do. With `is_wagi`, a policy wants
/// them all the same, each part of the query between `&` as one, and the variables that deislabs/wagi sets beside.
pub fn invocation(request: &mut Request, path_info: Vec<u8>, is_wagi: bool) -> Invocation {
    let target = ExecuteTarget::of(request);
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut parsed = httparse::Request::new(&mut headers);
    let head = request.head.strip_prefix(b"\r\n").unwrap_or(&request.head);
    // The door has parsed it before.
    let is_1_0 = parsed.parse(head).is_ok() && parsed.version == Some(0);
    // Not encoded (section 4.1.13). A route of a policy has nothing to decode.
    let script_name: String = percent_decode_str(target.script).decode_utf8_lossy().into();
    let matched_route = match &request.mount {
        Some(mount) => mount.route.clone(),
        None => format!("{script_name}/..."),
    };
    let authority = authority(parsed.path.unwrap_or_default(), parsed.headers);
    let server_name = authority.map_or("localhost", |authority| usual_host(&authority));
    let server_port = authority.map_or(PORT, |authority| authority.port).to_string();
    let address = request.client.address.to_string();

    let mut env: Vec<(Vec<u8>, Vec<u8>)> = Vec::with_capacity(24);
    let mut set = |name: &str, value: &[u8]| env.push((name.into(), value.into()));
    set("GATEWAY_INTERFACE", b"CGI/1.1");
    set("SERVER_SOFTWARE", SERVER.as_bytes());
    set("SERVER_PROTOCOL", if is_1_0 { b"HTTP/1.0" } else { b"HTTP/1.1" });
    set("SERVER_NAME", server_name.as_bytes());
    set("SERVER_PORT", server_port.as_bytes());
    set("REQUEST_METHOD", request.method.as_bytes());
    set("SCRIPT_NAME", script_name.as_bytes());
    set("PATH_INFO", &path_info);
    set("QUERY_STRING", target.query.as_bytes());
    set("REMOTE_ADDR", address.as_bytes());
    // The address where there is no name (section 4.1.9).
    set("REMOTE_HOST", address.as_bytes());
    if !request.body.is_empty() || request.content_type.is_some() {
        set("CONTENT_LENGTH", request.body.len().to_string().as_bytes());
    }
    if let Some(content_type) = &request.content_type {
        set("CONTENT_TYPE", content_type.as_bytes());
    }
    // What modules made for deislabs/wagi find beside these.
    set("X_FULL_URL", format!("http://{server_name}:{server_port}{}", request.target).as_bytes());
    set("X_MATCHED_ROUTE", matched_route.as_bytes());
    set("X_RAW_PATH_INFO", target.path_info.as_bytes());
    if is_wagi {
        for name in ["AUTH_TYPE", "REMOTE_USER"] {
            set(name, b"");
        }
        set("PATH_TRANSLATED", &path_info);
        if request.body.is_empty() && request.content_type.is_none() {
            set("CONTENT_LENGTH", b"0");
        }
        if request.content_type.is_none() {
            set("CONTENT_TYPE", b"");
        }
    }
    if !request.id.is_empty() {
        set("HTTP_X_REQUEST_ID", request.id.as_bytes());
    }
    if let Some(authority) = &authority {
        set("HTTP_HOST", authority.text.as_bytes());
    }
    pass_headers(parsed.headers, &mut env);
    let parts = target.query.split('&').filter(|part| is_wagi && !part.is_empty());
    let parts = parts.map(|part| part.as_bytes().to_vec());
    Invocation {
        args: std::iter::once(script_name.into_bytes()).chain(parts).collect(),
        entry: None,
        stdin: Stdin::Bytes(std::mem::take(&mut request.body)),
        guest_env: GuestEnv { env, ..GuestEnv::default() },
    }
}

/// The other header fields as `HTTP_*` (section 4.1.18), those that come again joined.
fn pass_headers(headers: &[httparse::Header<'_>], env: &mut Vec<(Vec<u8>, Vec<u8>)>) {
    let own = env.len();
    for header in headers {
        // Two names must not become one variable: `-` and `_` would.
        let is_kept_back = NOT_PASSED.iter().any(|name| header.name.eq_ignore_ascii_case(name));
        if header.name.contains('_') || is_kept_back || is_hop_by_hop(header.name) {
            continue;
        }
        let name = format!("HTTP_{}", header.name.to_ascii_uppercase().replace('-', "_")).into_bytes();
        // A name may hold what no variable's name can, `=` not among it (RFC 9110, section 5.6.2).
        match env[own..].iter_mut().find(|(known, _)| *known == name) {
            Some((name, value)) => {
                let between: &[u8] = if name == b"HTTP_COOKIE" { b"; " } else { b", " };
                value.extend_from_slice(between);
                value.extend_from_slice(header.value);
            }
            None => env.push((name, header.value.to_vec())),
        }
    }
}

/// Whom the request is for; none if it does not say so, as HTTP/1.0 need not. `http1.rs` has refused what is malformed.
fn authority<'a>(target: &'a str, headers: &[httparse::Header<'a>]) -> Option<Authority<'a>> {
    let host = headers.iter().find(|header| header.name.eq_ignore_ascii_case("host"));
    let host = host.and_then(|header| std::str::from_utf8(header.value).ok());
    Authority::parse(split_absolute(target).map(|(absolute, _)| absolute).or(host)?)
}

/// The host, if it is a name as hosts have them, or an address: programs make URLs of it.
fn usual_host<'a>(authority: &Authority<'a>) -> &'a str {
    let is_usual = |byte: u8| byte.is_ascii_alphanumeric() || b".-_[]:".contains(&byte);
    if authority.host.bytes().all(is_usual) { authority.host } else { "localhost" }
}
