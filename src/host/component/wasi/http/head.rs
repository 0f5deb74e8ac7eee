//! The head of a request, made of the environment of a CGI program (RFC 3875, section 4.1).

use super::map::Map;
use crate::host::component::account::Account;
use std::sync::Arc;

/// The variable that says that there is a request.
const METHOD: &str = "REQUEST_METHOD";

/// Variables of a request, beside those that begin with `HTTP_`. Some are of servers and not of RFC 3875.
const VARIABLES: [&str; 25] = [
    "AUTH_TYPE",
    "CONTENT_LENGTH",
    "CONTENT_TYPE",
    "DOCUMENT_ROOT",
    "GATEWAY_INTERFACE",
    "HTTPS",
    "PATH_INFO",
    "PATH_TRANSLATED",
    "QUERY_STRING",
    "REMOTE_ADDR",
    "REMOTE_HOST",
    "REMOTE_IDENT",
    "REMOTE_PORT",
    "REMOTE_USER",
    METHOD,
    "REQUEST_SCHEME",
    "REQUEST_URI",
    "SCRIPT_NAME",
    "SERVER_NAME",
    "SERVER_PORT",
    "SERVER_PROTOCOL",
    "SERVER_SOFTWARE",
    "X_FULL_URL",
    "X_MATCHED_ROUTE",
    "X_RAW_PATH_INFO",
];

/// Names and values.
pub type Variables = Vec<(Vec<u8>, Vec<u8>)>;

/// The head of a request.
#[derive(Clone)]
pub struct Head {
    /// The method.
    pub method: String,
    /// The path below the program, as the client wrote it, and the query.
    pub path: String,
    /// `http` or `https`.
    pub scheme: &'static str,
    /// The host, and the port if it was given. Guests made by componentize-js trap without one.
    pub authority: String,
    /// The header fields.
    pub headers: Arc<Map>,
    /// Bytes of the body; none if it ends where standard input does.
    pub length: Option<u64>,
}

/// Whether there is a request among these variables.
pub fn is_request(variables: &Variables) -> bool {
    variables.iter().any(|(name, _)| name == METHOD.as_bytes())
}

impl Head {
    /// Takes the request out of `variables`. The others stay: they are the guest's own. Without a request it is `GET /`.
    pub fn take(variables: &mut Variables) -> Head {
        if !is_request(variables) {
            return Head::of(&[]);
        }
        let (request, own) = std::mem::take(variables).into_iter().partition::<Vec<_>, _>(is_of_request);
        *variables = own;
        Head::of(&request)
    }

    /// Bytes that it takes, at a rough guess.
    pub fn bytes(&self) -> usize {
        self.method.len() + self.path.len() + self.authority.len() + self.headers.kept_bytes()
    }

    fn of(variables: &[(Vec<u8>, Vec<u8>)]) -> Head {
        let find = |name: &str| variables.iter().find(|(own, _)| own == name.as_bytes());
        let var = |name: &str| find(name).map(|(_, value)| &**value).filter(|value| !value.is_empty());
        let text = |name: &str| var(name).map(|value| String::from_utf8_lossy(value).into_owned());
        let is_secure = matches!(var("HTTPS"), Some(b"on" | b"ON" | b"1"))
            || var("REQUEST_SCHEME").is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"https"));
        Head {
            method: text(METHOD).unwrap_or_else(|| "GET".into()),
            path: target(var("X_RAW_PATH_INFO"), var("PATH_INFO"), var("QUERY_STRING")),
            scheme: if is_secure { "https" } else { "http" },
            authority: text("HTTP_HOST")
                .or_else(|| text("SERVER_NAME"))
                .unwrap_or_else(|| "localhost".into()),
            headers: Arc::new(headers(variables)),
            length: text("CONTENT_LENGTH").and_then(|length| length.parse().ok()),
        }
    }
}

fn is_of_request((name, _): &(Vec<u8>, Vec<u8>)) -> bool {
    name.starts_with(b"HTTP_") || VARIABLES.into_iter().any(|word| word.as_bytes() == &**name)
}

/// A request's target in origin form, by the `raw` path or else by one without escapes (`PATH_INFO`).
fn target(raw: Option<&[u8]>, path: Option<&[u8]>, query: Option<&[u8]>) -> String {
    let mut target = String::new();
    let text = raw.or(path).unwrap_or(b"/");
    if !text.starts_with(b"/") {
        target.push('/');
    }
    escape(text, if raw.is_some() { b"?#" } else { b"?#%" }, &mut target);
    if let Some(query) = query {
        target.push('?');
        escape(query, b"#", &mut target);
    }
    target
}

/// Escapes what is `reserved`, and what never stands in a target.
fn escape(text: &[u8], reserved: &[u8], out: &mut String) {
    for byte in text {
        match byte {
            0x21..=0x7e if !reserved.contains(byte) => out.push(char::from(*byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
}

/// What is in `HTTP_*`, and the two fields that have variables of their own.
fn headers(variables: &[(Vec<u8>, Vec<u8>)]) -> Map {
    // Whoever gave the environment has limited it.
    let mut map = Map::new(&Account::default(), usize::MAX);
    for (name, value) in variables {
        let field = match &**name {
            b"CONTENT_TYPE" => "content-type".into(),
            b"CONTENT_LENGTH" => "content-length".into(),
            _ => match name.strip_prefix(b"HTTP_") {
                Some(field) => String::from_utf8_lossy(field).to_ascii_lowercase().replace('_', "-"),
                None => continue,
            },
        };
        // It cannot be full.
        let _ = map.receive(&field, value);
    }
    map
}
