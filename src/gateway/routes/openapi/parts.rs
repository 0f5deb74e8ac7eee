//! What the operations of the OpenAPI document share: problems; schemas, headers and parameters from `components.json`.

use crate::abi::Convention;
use crate::gateway::http::problem::{BUSY, Kind};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What does not depend on plug-ins. As code that makes it, it takes 30 KB more of the binary.
const COMPONENTS: &str = include_str!("components.json");

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
            (status.to_string(), json!({ "$ref": reference }))
        };
        by_status.into_iter().map(refer).collect()
    }

    /// The document's components.
    pub fn components(self) -> Value {
        let mut components: Value = serde_json::from_str(COMPONENTS).unwrap_or_default();
        let conventions = Convention::ALL.iter().map(|convention| Value::from(convention.name()));
        components["schemas"]["Function"]["properties"]["convention"] =
            json!({ "enum": conventions.chain([Value::Null]).collect::<Vec<_>>() });
        components["responses"] = self.responses.into_iter().collect();
        components["pathItems"] = self.path_items.into_iter().collect();
        components
    }
}

fn problem(status: u16, kinds: &[Kind], or_guest: bool) -> Value {
    let types: Vec<String> = kinds.iter().map(|kind| kind.urn()).collect();
    let titles: Vec<&str> = kinds.iter().map(|kind| kind.title).collect();
    let schema = json!({
        "$ref": "#/components/schemas/Problem",
        "properties": { "type": { "enum": types }, "status": { "const": status } },
    });
    let mut answers = content("application/problem+json", schema);
    if or_guest {
        answers.extend(content("*/*", json!({})));
    }
    let headers: &[&str] = match status {
        status if status == BUSY.status => &["Retry-After"],
        _ => &["Fuel-Used", "Server-Timing"],
    };
    let headers = if status < 500 { header_refs(&[]) } else { header_refs(headers) };
    json!({ "description": titles.join("; "), "headers": headers, "content": answers })
}

/// The named headers, and the one that every response has.
pub fn header_refs(names: &[&str]) -> Value {
    let names = std::iter::once("X-Request-Id").chain(names.iter().copied());
    names.map(|name| (name.to_string(), json!({ "$ref": format!("#/components/headers/{name}") }))).collect()
}

/// What is of one media type.
pub fn content(media: &str, schema: Value) -> Map<String, Value> {
    Map::from_iter([(media.to_string(), json!({ "schema": schema }))])
}

/// Any text.
pub fn text() -> Value {
    json!({ "type": "string" })
}

/// Any bytes: in OpenAPI 3.1 they have no type.
pub fn bytes() -> Value {
    json!({})
}
