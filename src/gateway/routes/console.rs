//! The console: one page that shows the gateway to a person. It is made of the files in `console/`, is part of the
//! binary, and asks the gateway what any other client may ask.
//!
//! What guests and folders say is text to it. Should a mistake ever let some of it be markup, the policy that comes
//! with the page lets no script run and no style apply but the page's own, which it names by their hashes, and
//! nothing be fetched or sent from and to elsewhere.

use crate::base::base64;
use crate::base::digest::Digest;
use crate::gateway::http::conditions::versioned;
use crate::gateway::http::message::{Request, Response};
use std::sync::LazyLock;

/// The page.
pub const PAGE: &str = concat!(
    include_str!("console/head.html"),
    "<style>",
    include_str!("console/style.css"),
    "</style>\n</head>\n",
    include_str!("console/body.html"),
    "<script type=\"module\">",
    include_str!("console/page.js"),
    include_str!("console/plugins.js"),
    include_str!("console/run.js"),
    include_str!("console/load.js"),
    include_str!("console/deploy.js"),
    include_str!("console/versions.js"),
    include_str!("console/failures.js"),
    include_str!("console/start.js"),
    "</script>\n</html>\n"
);

/// What the page may do, made once: the page is always the same.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let script = source_hash("<script type=\"module\">", "</script>");
    let style = source_hash("<style>", "</style>");
    format!(
        "default-src 'none'; script-src {script}; style-src {style}; connect-src 'self'; form-action 'none'; \
         base-uri 'none'; frame-ancestors 'none'"
    )
});

/// The answer to a request for the page.
pub fn page(request: &Request) -> Response {
    let response = Response::new(200, "text/html; charset=utf-8", PAGE)
        .with("Content-Security-Policy", POLICY.as_str())
        .with("X-Content-Type-Options", "nosniff")
        .with("Referrer-Policy", "no-referrer")
        .with("Cross-Origin-Opener-Policy", "same-origin");
    versioned(request, response)
}

/// What a Content-Security-Policy calls what is between these tags of the page (CSP Level 3, section 2.3.1).
fn source_hash(begin: &str, end: &str) -> String {
    let rest = PAGE.split_once(begin).map_or("", |(_, rest)| rest);
    let text = rest.split_once(end).map_or("", |(text, _)| text);
    format!("'sha256-{}'", base64::encode(Digest::of(text.as_bytes()).bytes()))
}
