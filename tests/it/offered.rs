//! Functions of a calling convention or a language's runtime: no listing names them, and nobody calls them over HTTP or
//! by `fuelbox call`.

use crate::support::{Reply, Server, TempDir, fuelbox_in, prebuilt, reload, wat};
use fuelbox::limits::WarmLimits;
use fuelbox::{Runner, RunnerConfig};

/// Names with the types by which a convention or a runtime calls them, and some odd types.
const RESERVED: [&str; 22] = [
    "allocate (param i32) (result i32)",
    "deallocate (param i32 i32)",
    "_initialize",
    "_start (param i32)",
    "hs_init (param i32 i32)",
    "hs_exit",
    "__wasm_call_ctors",
    "__wasm_apply_data_relocs",
    "__wbindgen_malloc (param i32 i32) (result i32)",
    "__new (param i32 i32) (result i32)",
    "__main_void (result i32)",
    "extism_alloc (param i64) (result i64)",
    "cabi_realloc (param i32 i32 i32 i32) (result i32)",
    "asyncify_start_unwind (param i32)",
    "emscripten_stack_init",
    "_emscripten_stack_restore (param i32)",
    "stackRestore (param i32)",
    "malloc (param i32) (result i32)",
    "calloc (param i32 i32) (result i32)",
    "realloc (param i32 i32) (result i32)",
    "free (param i32)",
    "abort (param i32 i32 i32 i32)",
];

/// Functions of a plug-in's own, whose names come near.
const OWN: [&str; 6] = [
    "add (param i32 i32) (result i32)",
    "allocate_seats (param i32) (result i32)",
    "free_seats (result i32)",
    "_private (result i32)",
    "initialize (result i32)",
    "abort_order (param i32) (result i32)",
];

fn name(function: &str) -> &str {
    function.split(' ').next().unwrap()
}

/// A module that exports these, each of which gives zeroes; with `more` in it.
fn exporting(functions: &[&str], more: &str) -> Vec<u8> {
    let function = |function: &&str| {
        let (name, ty) = function.split_once(' ').unwrap_or((function, ""));
        let body = if ty.contains("result i64") {
            "i64.const 0"
        } else if ty.contains("result") {
            "i32.const 0"
        } else {
            ""
        };
        format!("(func (export \"{name}\") {ty} {body})")
    };
    let functions: String = functions.iter().map(function).collect();
    wat(&format!("(module {more} (memory (export \"memory\") 1) {functions})"))
}

const EXTISM: &str = r#"(import "extism:host/env" "input_length" (func (result i64)))"#;
const PACKED: &str = r#"(func (export "greet") (param i32 i32) (result i64) i64.const 0)"#;

fn serving(files: &[(&str, Vec<u8>)]) -> (Server, TempDir) {
    let dir = TempDir::new();
    for (name, bytes) in files {
        dir.write(name, bytes);
    }
    let runner = Runner::new(RunnerConfig::default()).unwrap();
    let changes = runner.load_plugins(&dir.0).unwrap();
    assert!(changes.failed.is_empty(), "{changes:?}");
    (Server::with(runner), dir)
}

#[test]
fn no_listing_names_them_and_http_does_not_know_them() {
    let all = [&OWN[..], &RESERVED[..]].concat();
    let (server, dir) = serving(&[
        ("numbers.wasm", exporting(&all, "")),
        ("packed.wasm", exporting(&all, PACKED)),
        ("extism.wasm", exporting(&all, EXTISM)),
    ]);
    let listing: serde_json::Value =
        serde_json::from_slice(&server.send("GET", "/plugins", b"").body).unwrap();
    let openapi = server.send("GET", "/openapi.json", b"").text();
    let list = fuelbox_in(&dir.0, &["list", "--plugins", "."], b"").expect(0).text();
    for (at, plugin) in ["extism", "numbers", "packed"].into_iter().enumerate() {
        let listed = &listing["plugins"][at];
        assert_eq!(listed["name"], plugin);
        let functions = listed["functions"].as_array().unwrap();
        let named: Vec<&str> = functions.iter().map(|function| function["name"].as_str().unwrap()).collect();
        for function in OWN {
            assert!(named.contains(&name(function)), "{plugin} {function}: {named:?}");
            let target = format!("/execute/{plugin}?func={}", name(function));
            let zeroes = vec!["0"; function.matches("i32").count() - 1].join(" ");
            let reply = server.send("POST", &target, zeroes.as_bytes());
            assert_eq!((reply.status, reply.body.len() <= 2), (200, true), "{target}: {}", reply.text());
        }
        for function in RESERVED {
            let name = name(function);
            assert!(!named.contains(&name), "{plugin} {function}: {named:?}");
            let reply = server.send("POST", &format!("/execute/{plugin}?func={name}"), b"0");
            assert_eq!((reply.status, reply.problem()), (404, "no-such-function".into()), "{plugin} {name}");
            // As if it were not there: what there is does not name it either.
            let absent = server.send("POST", &format!("/execute/{plugin}?func=nothing"), b"0").text();
            assert_eq!(reply.text(), absent.replace("nothing", name));
            assert!(!absent.contains(&format!(" {name},")), "{absent}");
        }
    }
    for function in RESERVED {
        let name = name(function);
        assert!(
            !openapi.contains(&format!("`{name}(")) && !openapi.contains(&format!("\"{name}\"")),
            "{name}"
        );
        assert!(!list.contains(&format!(" {name}(")), "{name}: {list}");
    }
    for text in [&openapi, &list] {
        assert!(text.contains("allocate_seats(i32)"), "{text}");
    }
}

#[test]
fn call_says_whose_they_are_and_run_calls_them() {
    let dir = TempDir::new();
    dir.write("x.wasm", exporting(&RESERVED, PACKED));
    for function in RESERVED {
        let name = name(function);
        for abi in [&[][..], &["--abi", "numeric"]] {
            let args = [&["call", "x.wasm", name, "--data", "0"], abi].concat();
            let ran = fuelbox_in(&dir.0, &args, b"").expect(120);
            let expected = format!("`{name}` belongs to the calling convention");
            assert!(ran.stderr.contains(&expected) && ran.stderr.contains("`fuelbox run FILE "), "{ran:#?}");
        }
        let params = function
            .split_once("(param")
            .map_or(0, |(_, rest)| rest.split(')').next().unwrap().split_whitespace().count());
        let args = [&["run", "x.wasm", name][..], &vec!["0"; params]].concat();
        fuelbox_in(&dir.0, &args, b"").expect(0);
    }
    // A program is called as one, and not as a function of no numbers.
    let words = prebuilt("wordcount.wasm");
    let words = words.to_str().unwrap();
    assert_eq!(fuelbox_in(&dir.0, &["call", words, "_start", "-"], b"a b").expect(0).text(), "0 2 3\n");
    fuelbox_in(&dir.0, &["call", words, "_start", "--abi", "numeric"], b"").expect(120);
}

#[test]
fn a_policy_that_names_one_is_an_error() {
    for (policy, expected) in [
        ("functions = [\"add\", \"allocate\"]", "1:21: `allocate` belongs to the calling convention"),
        (
            "functions = [\"free\"]\nconvention = \"numeric\"",
            "1:14: `free` belongs to the calling convention",
        ),
        ("functions = [\"free_seats\"]", ""),
    ] {
        let dir = TempDir::new();
        dir.write("x.wasm", exporting(&[&OWN[..], &RESERVED[..]].concat(), ""));
        dir.write("x.toml", policy);
        let runner = Runner::new(RunnerConfig::default()).unwrap();
        let failed = runner.load_plugins(&dir.0).unwrap().failed;
        let told = failed.first().map(ToString::to_string).unwrap_or_default();
        assert_eq!(failed.is_empty(), expected.is_empty(), "{policy}: {told}");
        assert!(told.contains(expected), "{policy}: {told}");
    }
    let dir = TempDir::new();
    dir.write("x.wasm", exporting(&RESERVED[..1], ""));
    dir.write("x.toml", "convention = \"numeric\"");
    let runner = Runner::new(RunnerConfig::default()).unwrap();
    let failed = runner.load_plugins(&dir.0).unwrap().failed;
    assert!(failed[0].to_string().contains("no function of the module fits"), "{failed:?}");
}

/// A program is no function, whatever its policy says.
#[test]
fn a_policy_makes_no_function_of_a_program() {
    let words = std::fs::read(prebuilt("wordcount.wasm")).unwrap();
    let (server, dir) = serving(&[("words.wasm", words)]);
    dir.write("words.toml", "convention = \"numeric\"");
    for _ in 0..3 {
        reload(&server.runner);
    }
    let reply = server.send("POST", "/execute/words?func=_start", b"");
    assert!(matches!(reply.status, 200 | 404), "{}", reply.text());
    assert!(reply.status == 404 || reply.text().contains("0 0 0"), "{}", reply.text());
}

/// The attack that this is about: a stranger frees memory of a warm instance where it likes.
#[test]
fn a_stranger_does_not_free_memory_of_a_warm_instance() {
    let dir = TempDir::new();
    std::fs::copy(prebuilt("greet-rust.wasm"), dir.0.join("greet.wasm")).unwrap();
    let warm = WarmLimits { instances: 1, ..WarmLimits::default() };
    let runner = Runner::new(RunnerConfig { warm, ..RunnerConfig::default() }).unwrap();
    runner.load_plugins(&dir.0).unwrap();
    let server = Server::with(runner);
    let send = |func: &str, body: &[u8]| -> Reply {
        server.send("POST", &format!("/execute/greet?func={func}"), body)
    };
    assert_eq!(send("greet", b"B").text(), "Hello, B");
    for (func, body) in [("allocate", "200"), ("deallocate", "1114120 200"), ("allocate", "[200]")] {
        assert_eq!(send(func, body.as_bytes()).status, 404, "{func}");
    }
    assert_eq!(send("greet", b"B").text(), "Hello, B");
}
