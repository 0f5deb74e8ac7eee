//! What the operations of the OpenAPI document share: problems; what never changes, from `document.json`.
//!
//! Fixed parts are text that is parsed. Code that makes them (`json!`) takes a multiple of the space in the binary.

use crate::abi::Convention;
use crate::gateway::http::problem::{self, BUSY, Kind};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Problems of any request: the door's, and the gateway's own faults.
pub const ANY: &[Kind] = &[
    problem::BAD_REQUEST,
    problem::METHOD,
    problem::SLOW,
    problem::TOO_LARGE,
    problem::TARGET_TOO_LONG,
    problem::EXPECTATION,
    problem::HEAD_TOO_LARGE,
    problem::INTERNAL,
    problem::LANE,
    problem::NO_MEMORY,
    problem::VERSION,
];

/// Problems of whoever has no token, or one that allows less.
pub const ENTRY: &[Kind] = &[problem::TOKEN_NEEDED, problem::FORBIDDEN];

/// What a 304 says.
pub const UNCHANGED: &str = "The client has it";

/// The security of what needs a token.
pub const BEARER: &str = r#"[{"bearer": []}]"#;

/// The parameters of a request that may have conditions.
pub const CONDITIONS: &str =
    r##"[{"$ref": "#/components/parameters/IfMatch"}, {"$ref": "#/components/parameters/IfNoneMatch"}]"##;

/// What does not depend on plug-ins.
const DOCUMENT: &str = include_str!("document.json");

/// What more than one path has, by name.
#[derive(Default)]
pub struct Parts {
    /// Paths that are alike.
    pub path_items: BTreeMap<String, Value>,
    responses: BTreeMap<String, Value>,
}

impl Parts {
    /// The responses for the problems in `groups`, by status; `or_guest` if a guest may answer with that status too.
    pub fn problems(&mut self, groups: &[&[Kind]], or_guest: bool) -> Map<String, Value> {
        let mut by_status: BTreeMap<u16, Vec<Kind>> = BTreeMap::new();
        for kind in groups.iter().copied().flatten() {
            by_status.entry(kind.status).or_default().push(*kind);
        }
        let refer = |(status, kinds): (u16, Vec<Kind>)| {
            let slugs: Vec<&str> = kinds.iter().map(|kind| kind.slug).collect();
            let name = format!("{status}.{}{}", slugs.join("."), if or_guest { ".guest" } else { "" });
            let reference = format!("#/components/responses/{name}");
            self.responses.entry(name).or_insert_with(|| problem(status, &kinds, or_guest));
            (status.to_string(), object(vec![("$ref", reference.into())]))
        };
        by_status.into_iter().map(refer).collect()
    }

    /// The document with these paths.
    pub fn document(self, paths: Map<String, Value>) -> Value {
        let mut document = fixed(DOCUMENT);
        document["info"]["version"] = env!("CARGO_PKG_VERSION").into();
        document["paths"] = paths.into();
        let components = &mut document["components"];
        let conventions = Convention::ALL.iter().map(|convention| Value::from(convention.name()));
        components["schemas"]["Function"]["properties"]["convention"]["enum"] =
            conventions.chain([Value::Null]).collect();
        components["responses"] = self.responses.into_iter().collect();
        components["pathItems"] = self.path_items.into_iter().collect();
        document
    }
}

fn problem(status: u16, kinds: &[Kind], or_guest: bool) -> Value {
    let types: Vec<String> = kinds.iter().map(|kind| kind.urn()).collect();
    let titles: Vec<&str> = kinds.iter().map(|kind| kind.title).collect();
    let mut schema =
        fixed(r##"{"$ref": "#/components/schemas/Problem", "properties": {"type": {}, "status": {}}}"##);
    schema["properties"]["type"]["enum"] = types.into();
    schema["properties"]["status"]["const"] = status.into();
    let mut answers = content("application/problem+json", schema);
    if or_guest {
        answers.extend(content("*/*", bytes()));
    }
    let headers: &[&str] = match status {
        status if status == BUSY.status => &["Retry-After"],
        _ => &["Fuel-Used", "Server-Timing"],
    };
    response(&titles.join("; "), if status < 500 { &[] } else { headers }, Some(&answers))
}

/// A part that never changes, from its text.
pub fn fixed(json: &'static str) -> Value {
    // The tests see each of them in a document.
    serde_json::from_str(json).unwrap_or_default()
}

/// An object with these members.
pub fn object(members: Vec<(&str, Value)>) -> Value {
    members.into_iter().map(|(name, value)| (name.to_string(), value)).collect()
}

/// A response with these headers, and with content if there is any.
pub fn response(description: &str, headers: &[&str], content: Option<&Map<String, Value>>) -> Value {
    let mut members = vec![("description", description.into()), ("headers", header_refs(headers))];
    members.extend(content.map(|content| ("content", content.clone().into())));
    object(members)
}

/// The named headers, and the one that every response has.
pub fn header_refs(names: &[&str]) -> Value {
    let names = std::iter::once("X-Request-Id").chain(names.iter().copied());
    let reference = |name: &str| object(vec![("$ref", format!("#/components/headers/{name}").into())]);
    object(names.map(|name| (name, reference(name))).collect())
}

/// What is of one media type.
pub fn content(media: &str, schema: Value) -> Map<String, Value> {
    Map::from_iter([(media.to_string(), object(vec![("schema", schema)]))])
}

/// Any text.
pub fn text() -> Value {
    fixed(r#"{"type": "string"}"#)
}

/// Any bytes: in OpenAPI 3.1 they have no type.
pub fn bytes() -> Value {
    fixed("{}")
}

/// An operation, without parameters.
pub fn operation(id: &str, tag: &str, summary: &str, responses: Map<String, Value>) -> Value {
    object(vec![
        ("operationId", id.into()),
        ("tags", vec![tag].into()),
        ("summary", summary.into()),
        ("responses", responses.into()),
    ])
}
