//! The part of the document on changes of plug-ins.

use super::parts::{
    self, ANY, BEARER, CONDITIONS, ENTRY, Parts, UNCHANGED, bytes, content, fixed, object, operation,
    response, text,
};
use crate::gateway::http::message::JSON;
use crate::gateway::http::problem::{self, Kind};
use crate::gateway::http::route::Route;
use serde_json::{Map, Value};

/// Problems of a change to the folder, or a look at it.
const FOLDER: &[Kind] = &[problem::NO_FOLDER, problem::PRECONDITION, problem::NO_ROUTE];

/// Problems of a new version.
const PUT: &[Kind] = &[problem::WOULD_NOT_SERVE, problem::STORAGE_FULL, problem::BUSY];

/// The parameter of all paths of a plug-in.
const NAME: &str = r##"[{"$ref": "#/components/parameters/Name"}]"##;

/// The parameter of a change that keeps no version.
const KEEP: &str = r#"{
    "name": "keep", "in": "query", "schema": {"enum": ["no"]},
    "description": "With `no`, the version before is not kept"
}"#;

/// The parameter of a rollback.
const VERSION: &str = r#"{
    "name": "version", "in": "query", "schema": {"type": "string", "pattern": "^([0-9]{1,20}|[0-9a-f]{64})$"},
    "description": "The number of a version, or the SHA-256 of its module; without, the newest that is not in place"
}"#;

/// The paths where plug-ins are changed.
pub fn deployment_paths(parts: &mut Parts) -> Map<String, Value> {
    let wasm = content("application/wasm", bytes());
    let toml = content("application/toml", text());
    let signature = content("text/plain", text());
    let all: &[&str] = &["get", "head", "put", "delete"];
    let kinds = [
        ("", "module", "the module", wasm, all),
        ("/policy", "policy", "the policy", toml, all),
        ("/signature", "signature", "the signature of a module that is to follow", signature, &["put"]),
    ];
    let mut paths = Map::new();
    for (end, id, what, content, methods) in kinds {
        let mut item = Map::new();
        item.insert("parameters".into(), fixed(NAME));
        for method in methods {
            let is_put = *method == "put";
            let more = if is_put { PUT } else { &[problem::NO_PLUGIN, problem::BUSY] };
            let mut responses = parts.problems(&[ANY, ENTRY, FOLDER, more], false);
            responses.extend(done(method, &content, end != "/signature"));
            let verb = match *method {
                "get" => "Read",
                "head" => "Look at",
                "put" => "Put",
                _ => "Delete",
            };
            let mut operation =
                operation(&format!("{id}-{method}"), "deployment", &format!("{verb} {what}"), responses);
            operation["security"] = fixed(BEARER);
            operation["parameters"] = fixed(CONDITIONS);
            if is_put
                && end != "/signature"
                && let Some(parameters) = operation["parameters"].as_array_mut()
            {
                parameters.push(fixed(KEEP));
            }
            if is_put {
                let content = content.clone().into();
                operation["requestBody"] = object(vec![("required", true.into()), ("content", content)]);
            }
            item.insert((*method).into(), operation);
        }
        paths.insert(format!("{}{{name}}{end}", Route::Deployment.path()), item.into());
    }
    paths.insert(format!("{}{{name}}/versions", Route::Deployment.path()), versions(parts));
    paths.insert(format!("{}{{name}}/rollback", Route::Deployment.path()), rollback(parts));
    paths
}

/// The path of what is kept.
fn versions(parts: &mut Parts) -> Value {
    let listed = content(JSON, fixed(r##"{"$ref": "#/components/schemas/Versions"}"##));
    let of_kept = [
        (
            "get",
            "List the versions",
            response("The one in place, and those that are kept", &[], Some(&listed)),
        ),
        ("head", "Look at the versions", response("There are some", &[], None)),
        ("delete", "Delete the former versions", response("They are gone", &[], None)),
    ];
    let mut item = Map::new();
    item.insert("parameters".into(), fixed(NAME));
    for (method, summary, done) in of_kept {
        let mut responses =
            parts.problems(&[ANY, ENTRY, FOLDER, &[problem::NO_PLUGIN, problem::BUSY]], false);
        responses.insert(if method == "delete" { "204" } else { "200" }.into(), done);
        let mut operation = operation(&format!("versions-{method}"), "deployment", summary, responses);
        operation["security"] = fixed(BEARER);
        item.insert(method.into(), operation);
    }
    item.into()
}

/// The path where one of them is put back.
fn rollback(parts: &mut Parts) -> Value {
    let mut responses = parts.problems(&[ANY, ENTRY, FOLDER, PUT, &[problem::NO_VERSION]], false);
    responses.extend(done("put", &Map::new(), true));
    let mut operation = operation("rollback-post", "deployment", "Put a former version back", responses);
    operation["security"] = fixed(BEARER);
    let mut parameters = fixed(CONDITIONS);
    if let Some(parameters) = parameters.as_array_mut() {
        parameters.push(fixed(VERSION));
    }
    operation["parameters"] = parameters;
    object(vec![("parameters", fixed(NAME)), ("post", operation)])
}

/// The responses of a method that did as it was asked.
fn done(method: &str, content: &Map<String, Value>, has_version: bool) -> Map<String, Value> {
    let tagged: &[&str] = if has_version { &["ETag"] } else { &[] };
    let responses = match method {
        "get" => vec![
            ("200", response("As it is in the folder", tagged, Some(content))),
            ("304", response(UNCHANGED, tagged, None)),
        ],
        "head" => {
            vec![("200", response("It is there", tagged, None)), ("304", response(UNCHANGED, tagged, None))]
        }
        "put" if has_version => {
            let created = parts::content(JSON, fixed(r##"{"$ref": "#/components/schemas/Created"}"##));
            vec![
                ("201", response("It is there now", &["ETag", "Location"], Some(&created))),
                ("204", response("It is in the place of what was there", tagged, None)),
            ]
        }
        "put" => vec![("204", response("It is put down", tagged, None))],
        _ => vec![("204", response("It is gone", &[], None))],
    };
    responses.into_iter().map(|(status, response)| (status.to_string(), response)).collect()
}
