//! The OpenAPI document: that it is one, names every route, and says of each what it can answer.

use crate::site::{CALL, DEPLOY, Site, giving};
use crate::support::{Client, Reply, Server, TempDir, prebuilt, reload, wat};
use fuelbox::base::limits::DoorLimits;
use fuelbox::gateway::http::problem;
use fuelbox::{Limits, Runner, RunnerConfig};
use serde_json::Value;
use std::collections::BTreeSet;

const OPERATIONS: [&str; 8] = ["get", "head", "post", "put", "patch", "delete", "options", "trace"];

fn document(client: &mut Client) -> Value {
    let reply = client.send("GET", "/openapi.json", b"");
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/json")));
    serde_json::from_slice(&reply.body).unwrap()
}

fn of_built_in() -> Value {
    document(&mut Client::connect(Server::start(Limits::default()).address))
}

fn paths(document: &Value) -> Vec<&str> {
    document["paths"].as_object().unwrap().keys().map(String::as_str).collect()
}

/// The value, following a reference within the document.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let Some(reference) = value["$ref"].as_str() else { return value };
    document.pointer(reference.strip_prefix('#').unwrap()).unwrap_or_else(|| panic!("nothing at {reference}"))
}

fn walk<'a>(value: &'a Value, see: &mut dyn FnMut(&'a Value)) {
    see(value);
    match value {
        Value::Object(map) => map.values().for_each(|inner| walk(inner, see)),
        Value::Array(list) => list.iter().for_each(|inner| walk(inner, see)),
        _ => {}
    }
}

/// Asserts that the document has this answer, with its problem and its headers.
#[track_caller]
fn expected(document: &Value, method: &str, path: &str, reply: &Reply) {
    let operation = &resolved(document, &document["paths"][path])[method.to_ascii_lowercase()];
    let response = resolved(document, &operation["responses"][reply.status.to_string()]);
    let what = format!("{method} {path} gives {} {}", reply.head, reply.text());
    assert!(response["description"].is_string(), "{what}");
    let empty = serde_json::Map::new();
    for (name, header) in response["headers"].as_object().unwrap_or(&empty) {
        let is_always = resolved(document, header)["required"] == true;
        assert!(!is_always || reply.header(name).is_some(), "{what} has no {name}");
    }
    let Some(media) = reply.header("content-type").filter(|_| !reply.body.is_empty()) else { return };
    let content = response["content"].as_object().unwrap_or_else(|| panic!("{what}: no content"));
    let Some(content) = content.get(media) else { panic!("{what}: {:?}", content.keys()) };
    if media == "application/problem+json" {
        let urn = format!("urn:fuelbox:problem:{}", reply.problem());
        let types = content["schema"]["properties"]["type"]["enum"].as_array().unwrap();
        assert!(types.contains(&urn.into()), "{what}: {types:?}");
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_operation_has_a_name_of_its_own() {
    let site = Site::new();
    for document in [of_built_in(), document(&mut site.client())] {
        assert_eq!(document["openapi"], "3.1.0");
        let (mut refs, mut ids) = (0, BTreeSet::new());
        walk(&document, &mut |value| {
            refs += usize::from(value["$ref"].is_string());
            resolved(&document, value);
            if let Some(id) = value["operationId"].as_str() {
                assert!(ids.insert(id), "{id} comes twice");
                let success = ["200", "204", "default"].iter().any(|s| value["responses"][s].is_object());
                assert!(success, "{value}");
            }
        });
        assert!(refs > 100 && ids.len() >= 14, "{refs} references, {ids:?}");
        let components = document["components"].as_object().unwrap();
        for name in components.values().flat_map(|section| section.as_object().unwrap().keys()) {
            assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)), "{name}");
        }
    }
}

/// The schemas are written by hand, so a field that the list has and they have not is seen here.
#[test]
fn the_list_has_what_its_schemas_say() {
    let server = Server::start(Limits { fuel: 1_000, ..Limits::default() });
    let document = document(&mut Client::connect(server.address));
    let list: Value = serde_json::from_slice(&server.send("GET", "/plugins", b"").body).unwrap();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let plugin = &list["plugins"][0];
    server.send("POST", "/execute/infinite-loop?func=spin", b"");
    let failures: Value = serde_json::from_slice(&server.send("GET", "/failures", b"").body).unwrap();
    for (name, value) in [
        ("Plugins", &list),
        ("Plugin", plugin),
        ("Limits", &plugin["limits"]),
        ("Function", &plugin["functions"][0]),
        ("Failures", &failures),
        ("Failure", &failures["failures"][0]),
    ] {
        let schema = &document["components"]["schemas"][name];
        let required =
            schema["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().into());
        assert_eq!(keys(value), required.collect(), "{name}");
        assert_eq!(keys(value), keys(&schema["properties"]), "{name}");
    }
    let conventions = &document["components"]["schemas"]["Function"]["properties"]["convention"]["enum"];
    assert!(conventions.as_array().unwrap().contains(&plugin["functions"][0]["convention"]));
}

/// Whatever the sources of the gateway take for a path. A route that is not in the document is seen here.
#[test]
fn every_route_is_in_it() {
    let site = Site::new();
    let document = document(&mut site.client());
    let known = paths(&document);
    let mut seen = BTreeSet::new();
    for source in [
        include_str!("../../src/gateway/routes/execute.rs"),
        include_str!("../../src/gateway/http/route.rs"),
        include_str!("../../src/gateway/routes/deployment.rs"),
        include_str!("../../src/gateway/routes/console.rs"),
        include_str!("../../src/gateway/routes/openapi/mod.rs"),
    ] {
        let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
        let literals = code.flat_map(|line| line.split('"').skip(1).step_by(2));
        seen.extend(literals.filter(|text| text.starts_with('/') && !text.contains(['{', ' '])));
    }
    for path in ["/", "/execute/", "/healthz", "/metrics", "/openapi.json", "/plugins/", "/policy", "/readyz"]
    {
        assert!(seen.contains(path), "the sources have {seen:?}");
    }
    for path in seen {
        let is_known = match path {
            "/execute" => known.contains(&"/execute/greet"),
            "/" | "/plugins" => known.contains(&path),
            _ => known.iter().any(|known| known.starts_with(path) || known.ends_with(path)),
        };
        assert!(is_known, "{path} is not among {known:?}");
    }
}

#[test]
fn what_it_names_is_there_and_nothing_else() {
    let site = Site::new();
    let document = document(&mut site.client());
    for path in paths(&document).into_iter().filter(|path| !path.starts_with("/execute/")) {
        let target = path.replace("{name}", "greet");
        let methods: BTreeSet<&str> =
            document["paths"][path].as_object().unwrap().keys().map(String::as_str).collect();
        for method in OPERATIONS.iter().filter(|method| **method != "delete" || !methods.contains("delete")) {
            let reply = site.send(&method.to_ascii_uppercase(), &target, b"");
            assert_eq!(reply.status != 405, methods.contains(method), "{method} {path}: {}", reply.text());
            if methods.contains(method) {
                expected(&document, method, path, &reply);
            }
        }
    }
}

/// A site with guests that come to every end.
fn of_all_ends() -> Site {
    let config =
        RunnerConfig { limits: Limits { fuel: 1_000_000, ..Limits::default() }, ..Default::default() };
    let site = Site::with(
        config,
        DoorLimits { body_timeout: std::time::Duration::from_millis(200), ..Default::default() },
    );
    for name in ["add", "infinite-loop", "memory-hog", "cgi-rust"] {
        std::fs::copy(prebuilt(&format!("{name}.wasm")), site.plugins.0.join(format!("{name}.wasm")))
            .unwrap();
    }
    let broken = r#"(module (memory (export "memory") 1) (func (export "allocate") (param i32) (result i32) (i32.const 0))
        (func (export "far") (param i32 i32) (result i64) (i64.const -1))
        (func (export "trap") (param i32 i32) (result i64) (unreachable)))"#;
    site.plugins.write("broken.wasm", wat(broken));
    site.plugins.write("locked.wasm", giving(1));
    site.plugins.write("locked.toml", "access = \"token\"\n");
    assert!(reload(&site.runner).failed.is_empty());
    site
}

#[test]
fn answers_are_those_that_it_names() {
    let site = of_all_ends();
    let document = document(&mut site.client());
    let deploy = format!("Bearer {DEPLOY}");
    let call = format!("Bearer {CALL}");
    let (as_deployer, as_caller) = ([("Authorization", &*deploy)], [("Authorization", &*call)]);
    let long = "9".repeat(2 << 20);
    let (in_name, of_rollback) = ("/plugins/{name}", "/plugins/{name}/rollback");
    for (method, path, target, fields, body, outcome) in [
        ("POST", "/execute/greet", "/execute/greet", &[][..], "World", "ok"),
        ("POST", "/execute/greet", "/execute/greet?func=", &[], "", "bad-request"),
        ("POST", "/execute/greet", "/execute/greet?func=nope", &[], "", "no-such-function"),
        ("POST", "/execute/greet", "/execute/greet/more", &[], "", "no-such-route"),
        ("POST", "/execute/greet", "/execute/greet", &[], &long, "input-too-large"),
        ("POST", "/execute/greet", "/execute/greet", &[("Expect", "x")], "", "expectation-failed"),
        ("POST", "/execute/greet", "/execute/greet", &[("X", &long[..20_000])], "", "head-too-large"),
        ("GET", "/plugins", "/plugins", &[("Content-Length", "9")], "", "bad-request"),
        ("POST", "/execute/add", "/execute/add?func=add", &[], "[1, \"2\"]", "ok"),
        ("POST", "/execute/add", "/execute/add?func=add", &[], "1", "input-mismatch"),
        ("POST", "/execute/infinite-loop", "/execute/infinite-loop?func=spin", &[], "", "out-of-fuel"),
        ("POST", "/execute/memory-hog", "/execute/memory-hog?func=hog", &[], "", "memory-denied"),
        ("POST", "/execute/broken", "/execute/broken?func=far", &[], "", "convention"),
        ("POST", "/execute/broken", "/execute/broken?func=trap", &[], "", "trap"),
        ("POST", "/execute/locked", "/execute/locked?func=f", &[], "", "token-needed"),
        ("POST", "/execute/locked", "/execute/locked?func=f", &as_caller, "", "ok"),
        ("GET", in_name, "/plugins/greet", &[], "", "token-needed"),
        ("GET", in_name, "/plugins/greet", &as_caller, "", "forbidden"),
        ("GET", in_name, "/plugins/nope", &as_deployer, "", "no-such-plugin"),
        ("GET", in_name, "/plugins/greet/nope", &as_deployer, "", "no-such-route"),
        ("PUT", in_name, "/plugins/new", &as_deployer, "rubbish", "would-not-serve"),
        (
            "PUT",
            in_name,
            "/plugins/greet",
            &[as_deployer[0], ("If-None-Match", "*")],
            "",
            "precondition-failed",
        ),
        (
            "DELETE",
            in_name,
            "/plugins/greet",
            &[as_deployer[0], ("If-Match", "\"x\"")],
            "",
            "precondition-failed",
        ),
        ("POST", of_rollback, "/plugins/greet/rollback", &as_deployer, "", "no-such-version"),
        ("POST", of_rollback, "/plugins/greet/rollback?version=x", &as_deployer, "", "bad-request"),
        ("POST", of_rollback, "/plugins/greet/rollback", &as_caller, "", "forbidden"),
        ("GET", "/plugins/{name}/versions", "/plugins/greet/versions", &as_deployer, "", "ok"),
        ("GET", "/plugins/{name}/versions", "/plugins/nope/versions", &as_deployer, "", "no-such-plugin"),
        ("DELETE", in_name, "/plugins/greet", &as_deployer, "", "ok"),
        ("PUT", "/plugins/{name}/policy", "/plugins/x/policy", &as_deployer, "limits.fuel = 1", "ok"),
    ] {
        let reply = site.client().ask(method, target, fields, body.as_bytes());
        let was = if reply.status < 300 { "ok".into() } else { reply.problem() };
        assert_eq!(was, outcome, "{method} {target}");
        expected(&document, method, path, &reply);
    }
}

#[test]
fn every_problem_is_some_operation_s() {
    let site = Site::new();
    let document = document(&mut site.client());
    let text = document["components"]["responses"].to_string();
    // That a client has gone is told to nobody.
    assert!(!text.contains(&problem::CLIENT_GONE.urn()));
    for kind in problem::ALL.iter().filter(|kind| **kind != problem::CLIENT_GONE) {
        assert!(text.contains(&format!("\"{}\"", kind.urn())), "{}", kind.slug);
    }
    let types = |path: &str, method: &str, status: &str| {
        let response = resolved(&document, &document["paths"][path][method]["responses"][status]).clone();
        response["content"]["application/problem+json"]["schema"]["properties"]["type"]["enum"].to_string()
    };
    assert!(types("/readyz", "get", "503").contains("not-ready"));
    assert!(!types("/healthz", "get", "503").contains("not-ready"));
    assert!(types("/plugins/{name}", "put", "507").contains("storage-full"));
    assert!(types("/plugins/{name}", "put", "409").contains("no-folder"));
}

#[test]
fn a_plug_in_has_a_path_while_it_is_loaded() {
    let dir = TempDir::new();
    let runner = Runner::new(crate::support::runner_config()).unwrap();
    runner.load_plugins(&dir.0).unwrap();
    let server = Server::with(runner);
    let mut client = Client::connect(server.address);
    let without = client.send("GET", "/openapi.json", b"");
    assert!(!without.text().contains("/execute/"), "{}", without.text());
    dir.write("n.wasm", giving(1));
    dir.write("only.wasm", wat(r#"(module (func (export "f")) (func (export "g") (param f64)))"#));
    dir.write("only.toml", "functions = [\"g\"]\ncontent-type = \"text/csv\"\n");
    dir.write("nothing.wasm", wat("(module)"));
    reload(&server.runner);
    let with = document(&mut client);
    let post = &with["paths"]["/execute/n"]["post"];
    let func = &post["parameters"][0];
    assert_eq!((&func["schema"]["enum"], &func["required"]), (&serde_json::json!(["f"]), &false.into()));
    assert_eq!(post["security"], serde_json::json!([]));
    assert!(post["requestBody"]["content"]["application/octet-stream"].is_null(), "numbers are text");
    let only = &with["paths"]["/execute/only"]["post"];
    let func = &only["parameters"][0];
    assert_eq!((&func["schema"]["enum"], &func["required"]), (&serde_json::json!(["g"]), &false.into()));
    assert!(only["responses"]["200"]["content"]["text/csv"].is_object(), "{only}");
    assert!(with["paths"]["/execute/nothing"].is_null(), "nothing of it can be called");
    for name in ["n.wasm", "only.wasm", "nothing.wasm", "only.toml"] {
        std::fs::remove_file(dir.0.join(name)).unwrap();
    }
    reload(&server.runner);
    let again = client.send("GET", "/openapi.json", b"");
    assert_eq!(again.text(), without.text());
    let tag = again.header("etag").unwrap();
    assert_eq!(client.ask("GET", "/openapi.json", &[("If-None-Match", tag)], b"").status, 304);
    assert_eq!(client.send("POST", "/openapi.json", b"").header("allow"), Some("GET, HEAD"));
}

#[test]
fn names_are_written_so_that_a_client_finds_them() {
    let dir = TempDir::new();
    let names = ["a b", "a{b}", "100%", "q?x#y", "~tilde", "ümlaut", "\"quoted\"\n"];
    for name in names {
        dir.write(&format!("{name}.wasm"), giving(1));
    }
    let runner = Runner::new(crate::support::runner_config()).unwrap();
    assert!(runner.load_plugins(&dir.0).unwrap().failed.is_empty());
    let server = Server::with(runner);
    let mut client = Client::connect(server.address);
    let document = document(&mut client);
    let found: Vec<&str> =
        paths(&document).into_iter().filter(|path| path.starts_with("/execute/")).collect();
    assert_eq!(found.len(), names.len(), "{found:?}");
    for path in found {
        assert!(path.is_ascii() && !path.contains(['{', ' ', '?', '#', '"']), "{path}");
        assert_eq!(client.send("POST", &format!("{path}?func=f"), b"").text(), "1\n", "{path}");
    }
}

#[test]
fn programs_take_any_method_and_path_and_locked_ones_a_token() {
    let site = Site::new();
    std::fs::copy(prebuilt("cgi-rust.wasm"), site.plugins.0.join("cgi.wasm")).unwrap();
    site.plugins.write("cgi.toml", "access = \"token\"\n");
    assert!(reload(&site.runner).failed.is_empty());
    let document = document(&mut site.client());
    for path in ["/execute/cgi", "/execute/cgi/{path}"] {
        for method in OPERATIONS {
            let operation = &resolved(&document, &document["paths"][path])[method];
            assert!(operation["responses"]["default"]["content"]["*/*"].is_object(), "{method} {path}");
            assert_eq!(operation["security"], serde_json::json!([{ "bearer": [] }]));
            let refused = site.client().send(&method.to_ascii_uppercase(), "/execute/cgi/x", b"");
            assert_eq!(refused.status, 401, "{method}");
            expected(&document, method, path, &refused);
        }
    }
    assert_eq!(document["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
}

#[test]
fn deployment_is_in_it_only_where_there_are_tokens() {
    let document = of_built_in();
    assert!(!paths(&document).iter().any(|path| path.starts_with("/plugins/")));
    assert!(document["paths"]["/execute/greet"]["post"]["parameters"][0]["required"] == false);
}
