//! What the operations of the OpenAPI document share: problems, schemas, headers, parameters.

use crate::abi::Convention;
use crate::gateway::problem::{BUSY, Kind};
use crate::policy::Access;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Headers of responses: name, what it says, schema, and whether every response that names it has it.
const HEADERS: [(&str, &str, &str, bool); 7] = [
    (
        "X-Request-Id",
        "The name of the request",
        r#"{"type":"string","pattern":"^[A-Za-z0-9._-]{1,64}$"}"#,
        true,
    ),
    ("Fuel-Used", "Fuel units that the run used", r#"{"type":"integer","minimum":0}"#, false),
    ("Server-Timing", "Milliseconds to make the instance and to run it", r#"{"type":"string"}"#, false),
    ("Retry-After", "Seconds after which to try again", r#"{"type":"integer","minimum":0}"#, false),
    ("ETag", "The version: a SHA-256", r#"{"type":"string","pattern":"^\"[0-9a-f]{64}\"$"}"#, true),
    ("Cache-Control", "To be asked for again each time", r#"{"const":"no-cache"}"#, true),
    ("Location", "Where it is", r#"{"type":"string"}"#, true),
];

/// Responses that more than one operation has, by name.
#[derive(Default)]
pub struct Parts {
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
        let headers: Map<String, Value> = HEADERS
            .iter()
            .map(|(name, description, schema, is_always)| {
                let schema: Value = serde_json::from_str(schema).unwrap_or_default();
                let header = json!({ "description": description, "required": is_always, "schema": schema });
                ((*name).into(), header)
            })
            .collect();
        let tags = |name: &str, description: &str| json!({ "name": name, "in": "header", "description": description, "schema": { "type": "string" } });
        let name = "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$";
        json!({
            "schemas": schemas(),
            "responses": self.responses,
            "headers": headers,
            "parameters": {
                "Name": {
                    "name": "name", "in": "path", "required": true, "description": "The plug-in's name",
                    "schema": { "type": "string", "pattern": name },
                },
                "IfMatch": tags("If-Match", "Entity tags, one of which what is there must have, or `*`"),
                "IfNoneMatch": tags("If-None-Match", "Entity tags that what is there must not have, or `*`"),
            },
            "securitySchemes": { "bearer": { "type": "http", "scheme": "bearer" } },
        })
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
        status if status == BUSY.status && kinds.contains(&BUSY) => &["Retry-After"],
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

/// An object that has all of `properties`, and may have more in versions to come.
fn object(properties: Value) -> Value {
    let required: Vec<String> =
        properties.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
    json!({ "type": "object", "required": required, "properties": properties })
}

fn schemas() -> Value {
    let or_null = |ty: &str| json!({ "type": [ty, "null"] });
    let (string, integer, boolean) =
        (text(), json!({ "type": "integer", "minimum": 0 }), json!({ "type": "boolean" }));
    let digest = json!({ "type": "string", "pattern": "^[0-9a-f]{64}$" });
    let conventions: Vec<Value> = Convention::ALL.iter().map(|convention| convention.name().into()).collect();
    let conventions: Vec<Value> = conventions.into_iter().chain([Value::Null]).collect();
    let list_of =
        |name: &str| json!({ "type": "array", "items": { "$ref": format!("#/components/schemas/{name}") } });
    json!({
        "Problem": object(json!({ "type": string, "title": string, "status": integer, "detail": string })),
        "Created": object(json!({ "name": string, "sha256": digest })),
        "Plugins": object(json!({ "plugins": list_of("Plugin"), "refused": list_of("Refused") })),
        "Refused": object(json!({ "file": or_null("string"), "reason": string })),
        "Function": object(json!({ "name": string, "signature": string, "convention": { "enum": conventions } })),
        "Limits": object(json!({
            "fuel": integer, "timeout_ms": or_null("integer"), "memory_pages": integer,
            "input_bytes": integer, "output_bytes": integer,
        })),
        "Plugin": object(json!({
            "name": string, "bytes": integer, "sha256": digest, "memory_pages": or_null("integer"),
            "built_in": boolean, "access": { "enum": [Access::Open.name(), Access::Token.name()] },
            "has_policy": boolean, "program": boolean, "limits": { "$ref": "#/components/schemas/Limits" },
            "workers": or_null("integer"), "warm": or_null("integer"), "content_type": or_null("string"),
            "functions": list_of("Function"),
        })),
    })
}
