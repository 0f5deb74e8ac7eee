//! What the gateway offers, as an OpenAPI 3.1 document: its own routes, and a path for each plug-in that is loaded at
//! that moment. The parts that do not depend on plug-ins are in `openapi/parts.rs`.

pub(crate) mod deployment;
pub(crate) mod parts;

use super::execute::DEFAULT_FUNCTION;
use super::metrics;
use crate::abi::Convention;
use crate::base::escape::json_line;
use crate::base::heap;
use crate::base::heap::NoMemory;
use crate::base::limits::LISTED_BYTES_MAX;
use crate::gateway::http::message::{BYTES, JSON, TEXT};
use crate::gateway::http::problem;
use crate::gateway::http::problem::Kind;
use crate::gateway::http::route::{Documentation, Route};
use crate::module::reader::Signature;
use crate::plugins::policy::Access;
use crate::plugins::registry::Plugin;
use crate::runner::Runner;
use deployment::deployment_paths;
use parts::{
    ANY, BEARER, CONDITIONS, ENTRY, Parts, UNCHANGED, bytes, content, fixed, header_refs, object, operation,
    response, text,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

/// What a name may have in a path as it is (RFC 3986, section 2.3); braces would be taken for a template's.
const IN_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The methods that OpenAPI knows, all of which a program may be asked by.
const METHODS: [&str; 8] = ["get", "head", "post", "put", "patch", "delete", "options", "trace"];

/// Problems of a run, whatever runs.
const RUN: &[Kind] = &[
    problem::NO_PLUGIN,
    problem::TRAP,
    problem::MEMORY,
    problem::OUTPUT,
    problem::EXIT,
    problem::CONVENTION,
    problem::PLUGIN_ERROR,
    problem::GUEST_DIED,
    problem::BUSY,
    problem::FUEL,
    problem::DEADLINE,
];

/// Problems of a call of a function.
const CALL: &[Kind] = &[problem::INPUT_MISMATCH, problem::NO_FUNCTION, problem::NO_ROUTE];

/// The headers of a response that a run made.
const MEASURED: &[&str] = &["Fuel-Used", "Server-Timing"];

/// The parameter of all that runs something.
const TIMEOUT: &str = r##"{"$ref": "#/components/parameters/Timeout"}"##;

/// The parameters of what is below a program.
const PATH_INFO: &str = r#"[{
    "name": "path", "in": "path", "required": true, "schema": {"type": "string"},
    "description": "The program's PATH_INFO; it may have slashes"
}]"#;

/// The description as text.
///
/// # Errors
/// The system has no memory for it.
pub fn written(runner: &Runner, has_deployment: bool) -> Result<String, NoMemory> {
    // It is made as one value, which takes some times its text.
    heap::check(runner.plugins().all().len() * 4 * LISTED_BYTES_MAX)?;
    Ok(json_line(&document(runner, has_deployment).to_string()) + "\n")
}

/// The document; `has_deployment` if plug-ins can be changed.
pub fn document(runner: &Runner, has_deployment: bool) -> Value {
    let mut parts = Parts::default();
    let mut paths = own_paths(&mut parts);
    if has_deployment {
        paths.extend(deployment_paths(&mut parts));
    }
    for plugin in runner.plugins().all() {
        let at = format!("{}{}", Route::Execute.path(), utf8_percent_encode(&plugin.name, IN_PATH));
        if plugin.is_command() {
            paths.insert(at.clone(), program(&mut parts, plugin.policy.access, false));
            paths.insert(at + "/{path}", program(&mut parts, plugin.policy.access, true));
        } else if let Some(item) = function(&mut parts, &plugin) {
            paths.insert(at, item);
        }
    }
    parts.document(paths)
}

/// The gateway's own routes, each only to be read.
fn own_paths(parts: &mut Parts) -> Map<String, Value> {
    let mut paths = Map::new();
    for route in Route::read() {
        let Some(Documentation { id, summary, is_versioned }) = route.documentation() else { continue };
        let content = match route {
            Route::Console => content("text/html; charset=utf-8", text()),
            Route::Plugins => content(JSON, fixed(r##"{"$ref": "#/components/schemas/Plugins"}"##)),
            Route::OpenApi => content(JSON, fixed(r#"{"type": "object", "required": ["openapi", "paths"]}"#)),
            Route::Failures => content(JSON, fixed(r##"{"$ref": "#/components/schemas/Failures"}"##)),
            Route::Metrics => {
                let mut scrape = content(metrics::CLASSIC, text());
                scrape.extend(content(metrics::OPEN_METRICS, text()));
                scrape
            }
            _ => content(TEXT, text()),
        };
        let headers: &[&str] = if is_versioned { &["ETag", "Cache-Control"] } else { &[] };
        let more: &[Kind] = match route {
            Route::Ready => &[problem::NOT_READY],
            _ if is_versioned => &[problem::PRECONDITION],
            _ => &[],
        };
        let mut item = Map::new();
        for method in ["get", "head"] {
            let mut responses = parts.problems(&[ANY, more], false);
            let content = (method == "get").then_some(&content);
            responses.insert("200".into(), response(summary, headers, content));
            let mut operation = operation(&format!("{id}-{method}"), "gateway", summary, responses);
            if is_versioned {
                operation["parameters"] = fixed(CONDITIONS);
                operation["responses"]["304"] = response(UNCHANGED, headers, None);
            }
            item.insert(method.into(), operation);
        }
        paths.insert(route.path().into(), item.into());
    }
    paths
}

/// What whoever may call a plug-in must show, and the problems of whoever does not.
fn entry(access: Access) -> (Value, &'static [Kind]) {
    match access {
        Access::Open => (fixed("[]"), &[]),
        Access::Token => (fixed(BEARER), &ENTRY[..1]),
    }
}

/// The path of a plug-in's functions; none if none can be called.
fn function(parts: &mut Parts, plugin: &Plugin) -> Option<Value> {
    let listed = plugin.functions();
    let called = listed.shown.into_iter().filter_map(|(name, signature, convention)| {
        convention.map(|convention| (name, signature, convention))
    });
    let functions: Vec<(&str, &Signature, Convention)> = called.collect();
    // Those that the document has no room for may be of any convention.
    let is_whole = listed.more == 0;
    if functions.is_empty() && is_whole {
        return None;
    }
    let of_numbers = |(.., convention): &(&str, &Signature, Convention)| *convention == Convention::Numeric;
    let (all_of_numbers, some_of_numbers) =
        (is_whole && functions.iter().all(of_numbers), !is_whole || functions.iter().any(of_numbers));

    let mut input = Map::new();
    if !all_of_numbers {
        input.extend(content(BYTES, bytes()));
    }
    input.extend(content("text/plain", text()));
    let (mut arguments, results) = of_components(plugin, &functions);
    if some_of_numbers {
        arguments.push(fixed(r#"{"type": "array", "items": {"type": ["number", "string"]}}"#));
    }
    input.extend(any_of(arguments).into_iter().flat_map(|schema| content(JSON, schema)));
    let mut output = match &plugin.policy.content_type {
        Some(usual) => content(usual, bytes()),
        None if all_of_numbers => content(TEXT, text()),
        None => content(TEXT, text()).into_iter().chain(content(BYTES, bytes())).collect(),
    };
    if plugin.policy.content_type.is_none() {
        output.extend(any_of(results).into_iter().flat_map(|schema| content(JSON, schema)));
    }
    let described = functions.iter().map(|(name, signature, convention)| {
        format!("- `{}{}{signature}`, {}", name.escape_debug(), signature.separator(), convention.name())
    });
    let rest = (!is_whole).then(|| format!("- and {} more", listed.more));
    let description = described.chain(rest).collect::<Vec<_>>().join("\n");
    let default = plugin.only_function.as_deref().unwrap_or(DEFAULT_FUNCTION);
    let has_default = plugin.convention(default).is_some();
    let mut schema = text();
    if is_whole {
        schema["enum"] = functions.iter().map(|(name, ..)| *name).collect();
    }
    if let Some(default) = Some(default).filter(|_| has_default).or(functions.first().map(|(name, ..)| *name))
    {
        schema["default"] = default.into();
    }
    let (security, refusals) = entry(plugin.policy.access);
    let mut responses = parts.problems(&[ANY, RUN, CALL, refusals], false);
    responses.insert("200".into(), response("It ran", MEASURED, Some(&output)));
    let mut operation =
        operation(&format!("execute {}", plugin.name), "plug-ins", "Call a function", responses);
    operation["description"] = description.into();
    let mut parameter = fixed(r#"{"name": "func", "in": "query"}"#);
    parameter["required"] = (!has_default).into();
    parameter["schema"] = schema;
    operation["parameters"] = vec![parameter, fixed(TIMEOUT)].into();
    operation["requestBody"] = object(vec![("content", input.into())]);
    operation["security"] = security;
    Some(object(vec![("post", operation)]))
}

/// Schemas of the arguments and of the results of a component's functions, where these are JSON. Arguments are an object, or an
/// array in the same order.
fn of_components(plugin: &Plugin, functions: &[(&str, &Signature, Convention)]) -> (Vec<Value>, Vec<Value>) {
    let (mut arguments, mut results) = (Vec::new(), Vec::new());
    let Ok(mut schemas) = serde_json::from_str::<Map<String, Value>>(&plugin.code.schemas()) else {
        return (arguments, results);
    };
    for (name, ..) in functions.iter().filter(|(.., convention)| *convention == Convention::Component) {
        let Some(Value::Object(mut schema)) = schemas.remove(*name) else { continue };
        arguments.extend(schema.remove("arguments"));
        results.extend(schema.remove("result"));
    }
    if !arguments.is_empty() {
        arguments.push(fixed(r#"{"type": "array"}"#));
    }
    (arguments, results)
}

/// The schema of what fits one of `schemas`; none without any.
fn any_of(mut schemas: Vec<Value>) -> Option<Value> {
    if schemas.len() > 1 {
        return Some(object(vec![("anyOf", schemas.into())]));
    }
    schemas.pop()
}

/// The path of a program, or what is below it: a reference, for all programs are alike.
fn program(parts: &mut Parts, access: Access, is_below: bool) -> Value {
    let name = format!("program-{}{}", access.name(), if is_below { "-below" } else { "" });
    if !parts.path_items.contains_key(&name) {
        let item = any_program(parts, access, is_below);
        parts.path_items.insert(name.clone(), item);
    }
    object(vec![("$ref", format!("#/components/pathItems/{name}").into())])
}

fn any_program(parts: &mut Parts, access: Access, is_below: bool) -> Value {
    let (security, refusals) = entry(access);
    // What it answers may have any status and be anything, whatever the gateway means by that status.
    let mut responses = parts.problems(&[ANY, RUN, refusals], true);
    let mut ran =
        fixed(r#"{"description": "What the program answers", "headers": {}, "content": {"*/*": {}}}"#);
    ran["headers"] = header_refs(MEASURED);
    responses.insert("default".into(), ran);
    let mut run = fixed(r#"{"tags": ["plug-ins"], "summary": "Run the program"}"#);
    run["security"] = security;
    run["parameters"] = vec![fixed(TIMEOUT)].into();
    run["responses"] = responses.into();
    let mut item = Map::new();
    for method in METHODS {
        let mut operation = run.clone();
        // The others have no body to speak of (RFC 9110, section 9.3).
        if ["post", "put", "patch"].contains(&method) {
            operation["requestBody"] = fixed(r#"{"content": {"*/*": {}}}"#);
        }
        item.insert(method.into(), operation);
    }
    if is_below {
        item.insert("parameters".into(), fixed(PATH_INFO));
    }
    item.into()
}
