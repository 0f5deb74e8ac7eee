//! Functions of a calling convention or a language's runtime: no listing names them, and nobody calls them over HTTP or
//! by `fuelbox call`.

use crate::support::{Reply, Server, TempDir, fuelbox_in, prebuilt, reload, wat};
use fuelbox::base::limits::WarmLimits;
use fuelbox::{Runner, RunnerConfig};

/// Names with the types by which a convention or a runtime calls them, and some odd types.
const RESERVED: [&str; 41] = [
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
    "memcpy (param i32 i32 i32) (result i32)",
    "memmove (param i32 i32 i64)",
    "memset (param i32 i32 i32) (result i32)",
    "memcmp (param i32 i32 i32) (result i32)",
    "dynCall_vii (param i32 i32 i32)",
    "_ZdlPv (param i32)",
    "hs_free_fun_ptr (param i32)",
    "rts_eval (param i32)",
    "_malloc (param i32) (result i32)",
    "_free (param i32)",
    "wasm_malloc (param i32) (result i32)",
    "wasm_free (param i32 i32)",
    "memalign (param i32 i32) (result i32)",
    "sbrk (param i32) (result i32)",
    "setThrew (param i32 i32)",
    "stackSave (result i32)",
    "go_scheduler",
    "alloc (param i32 i32) (result i32)",
    "dealloc (param i32 i32 i32)",
];

/// Functions of a plug-in's own, whose names come near.
const OWN: [&str; 8] = [
    "add (param i32 i32) (result i32)",
    "allocate_seats (param i32) (result i32)",
    "free_seats (result i32)",
    "_private (result i32)",
    "initialize (result i32)",
    "abort_order (param i32) (result i32)",
    "memory_of_the_day (result i32)",
    "alloc_total (param i32) (result i32)",
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
    let runner = Runner::new(crate::support::runner_config()).unwrap();
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
            let expected = format!("`{name}` is reserved for the calling convention");
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
        ("functions = [\"add\", \"allocate\"]", "1:21: `allocate` is reserved for the calling convention"),
        (
            "functions = [\"free\"]\nconvention = \"numeric\"",
            "1:14: `free` is reserved for the calling convention",
        ),
        ("functions = [\"free_seats\"]", ""),
    ] {
        let dir = TempDir::new();
        dir.write("x.wasm", exporting(&[&OWN[..], &RESERVED[..]].concat(), ""));
        dir.write("x.toml", policy);
        let runner = Runner::new(crate::support::runner_config()).unwrap();
        let failed = runner.load_plugins(&dir.0).unwrap().failed;
        let told = failed.first().map(ToString::to_string).unwrap_or_default();
        assert_eq!(failed.is_empty(), expected.is_empty(), "{policy}: {told}");
        assert!(told.contains(expected), "{policy}: {told}");
    }
    let dir = TempDir::new();
    dir.write("x.wasm", exporting(&RESERVED[..1], ""));
    dir.write("x.toml", "convention = \"numeric\"");
    let runner = Runner::new(crate::support::runner_config()).unwrap();
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
    let runner = Runner::new(RunnerConfig { warm, ..crate::support::runner_config() }).unwrap();
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

/// A function of the conventions under another name is the same function.
#[test]
fn another_name_of_a_reserved_function_is_reserved_too() {
    let module = r#"(module (memory (export "memory") 1)
        (func (export "allocate") (param i32) (result i32) i32.const 64)
        (func $free (export "deallocate") (export "give_back") (param i32 i32))
        (func (export "like_it") (param i32 i32))
        (func (export "greet") (export "hail") (param i32 i32) (result i64) i64.const 0))"#;
    let (server, dir) = serving(&[("x.wasm", wat(module))]);
    let listing = server.send("GET", "/plugins", b"").text();
    for (func, body, status) in
        [("give_back", "1 2", 404), ("like_it", "1 2", 200), ("greet", "B", 200), ("hail", "B", 200)]
    {
        let reply = server.send("POST", &format!("/execute/x?func={func}"), body.as_bytes());
        assert_eq!(reply.status, status, "{func}: {}", reply.text());
        assert_eq!(listing.contains(&format!("\"{func}\"")), status == 200, "{func}: {listing}");
    }
    fuelbox_in(&dir.0, &["call", "x.wasm", "give_back", "--data", "1 2"], b"").expect(120);
    fuelbox_in(&dir.0, &["run", "x.wasm", "give_back", "1", "2"], b"").expect(0);
}

/// Where no bytes are passed, these are names like others.
#[test]
fn common_names_are_reserved_only_where_bytes_are_passed() {
    let common = [
        "alloc (param i32) (result i32)",
        "dealloc (param i32 i32)",
        "free (param i32 i32) (result i32)",
        "malloc (result i32)",
    ];
    let (server, _dir) = serving(&[
        ("extism.wasm", exporting(&common, EXTISM)),
        ("numbers.wasm", exporting(&common, "")),
        ("packed.wasm", exporting(&[&common[..], &["allocate (param i32) (result i32)"]].concat(), PACKED)),
    ]);
    for function in common {
        for (plugin, status) in [("numbers", 200), ("packed", 404), ("extism", 404)] {
            let zeroes =
                vec!["0"; function.split("(result").next().unwrap().matches("i32").count()].join(" ");
            let target = format!("/execute/{plugin}?func={}", name(function));
            let reply = server.send("POST", &target, zeroes.as_bytes());
            assert_eq!(reply.status, status, "{target}: {}", reply.text());
        }
    }
}

/// What names do not tell: a function of numbers that moves memory. Where instances are kept and bytes are passed, a
/// policy has to name such functions.
#[test]
fn a_warm_plugin_that_is_passed_bytes_offers_numbers_only_by_its_policy() {
    let functions = ["allocate (param i32) (result i32)", "shift (param i32 i32) (result i32)"];
    let dir = TempDir::new();
    dir.write("numbers.wasm", exporting(&functions[1..], ""));
    for (plugin, more) in [("extism", EXTISM), ("packed", PACKED)] {
        for (ending, policy) in [
            ("", ""),
            ("-cold", "warm = 0"),
            ("-named", "functions = [\"shift\"]"),
            ("-numeric", "convention = \"numeric\""),
        ] {
            dir.write(&format!("{plugin}{ending}.wasm"), exporting(&functions, more));
            if !policy.is_empty() {
                dir.write(&format!("{plugin}{ending}.toml"), policy);
            }
        }
    }
    let warm = WarmLimits { instances: 1, ..WarmLimits::default() };
    let runner = Runner::new(RunnerConfig { warm, ..crate::support::runner_config() }).unwrap();
    let changes = runner.load_plugins(&dir.0).unwrap();
    assert!(changes.failed.is_empty(), "{changes:?}");
    let server = Server::with(runner);
    let listing: serde_json::Value =
        serde_json::from_slice(&server.send("GET", "/plugins", b"").body).unwrap();
    for plugin in listing["plugins"].as_array().unwrap() {
        let name = plugin["name"].as_str().unwrap();
        let is_offered = name == "numbers" || name.ends_with("-cold") || name.ends_with("-named");
        let functions = plugin["functions"].as_array().unwrap();
        assert_eq!(functions.iter().any(|f| f["name"] == "shift"), is_offered, "{plugin}");
        let reply = server.send("POST", &format!("/execute/{name}?func=shift"), b"1 2");
        assert_eq!(reply.status == 200, is_offered, "{name}: {}", reply.text());
        if !is_offered {
            assert_eq!((reply.status, reply.problem()), (404, "no-such-function".into()), "{name}");
            let absent = server.send("POST", &format!("/execute/{name}?func=nothing"), b"0").text();
            assert_eq!(reply.text(), absent.replace("nothing", "shift"));
        }
    }
    let openapi = server.send("GET", "/openapi.json", b"").text();
    assert_eq!(openapi.matches("`shift(").count(), 5, "{openapi}");
    assert_eq!(server.send("POST", "/execute/packed", b"B").status, 200);
}
