//! Routes of policies, and the modules of a deislabs/wagi `modules.toml`.

use crate::http::Client;
use crate::support::{Serve, prebuilt};
use crate::support::{Server, TempDir, fuelbox_in, isolation_flags, runner_config, wat};
use fuelbox::Runner;

/// A program that says `name` of whatever function is called. `_routes` prints `routes`.
fn said(routes: &str) -> Vec<u8> {
    let answer = |name: &str| format!("content-type: text/plain\\0a\\0a{name}\\0a");
    let len = |name: &str| 27 + name.len();
    let own = if routes.is_empty() {
        String::new()
    } else {
        let escaped: String = routes.bytes().map(|byte| format!("\\{byte:02x}")).collect();
        format!(
            r#"(data (i32.const 1000) "{escaped}")
               (func (export "_routes") (call $say (i32.const 1000) (i32.const {})))"#,
            routes.len()
        )
    };
    wat(&format!(
        r#"(module
          (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
          (memory (export "memory") 1)
          (data (i32.const 100) "{}") (data (i32.const 200) "{}") (data (i32.const 300) "{}")
          (func $say (param i32 i32)
            (i32.store (i32.const 0) (local.get 0)) (i32.store (i32.const 4) (local.get 1))
            (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 20))))
          (func (export "_start") (call $say (i32.const 100) (i32.const {})))
          (func (export "hello") (call $say (i32.const 200) (i32.const {})))
          (func (export "bye") (call $say (i32.const 300) (i32.const {})))
          {own})"#,
        answer("main"),
        answer("hello"),
        answer("bye"),
        len("main"),
        len("hello"),
        len("bye"),
    ))
}

fn server(files: &[(&str, &[u8])]) -> Server {
    let dir = TempDir::new();
    for (name, bytes) in files {
        dir.write(name, bytes);
    }
    let runner = Runner::new(runner_config()).unwrap();
    let changes = runner.load_plugins(&dir.0).unwrap();
    assert!(changes.failed.is_empty(), "{:?}", changes.failed);
    Server::with(runner)
}

/// The answer at `target`; `None` if nobody answers there.
fn at(server: &Server, target: &str) -> Option<String> {
    let reply = server.send("GET", target, b"");
    match reply.status {
        200 => Some(reply.text().trim_end().into()),
        404 => None,
        status => panic!("{target}: {status} {}", reply.text()),
    }
}

#[test]
fn a_program_answers_at_the_routes_of_its_policy() {
    let policy = b"routes = [\"/main\", \"/deep/er/...\", \"/deep/...\"]";
    let other = b"convention = \"command\"\n[routes]\n\"/deep/er/still\" = \"hello\"\n\"/\" = \"bye\"";
    let module = said("");
    let files = [("a.wasm", &*module), ("a.toml", policy), ("b.wasm", &module), ("b.toml", other)];
    let server = server(&files);
    for (target, expected) in [
        ("/main", Some("main")),
        ("/main?x=1", Some("main")),
        ("/main/", None),
        ("/mainx", None),
        ("/Main", None),
        ("/deep", Some("main")),
        ("/deep/a/b", Some("main")),
        ("/deep/er/still", Some("hello")),
        ("/deep/er/still/more", Some("main")),
        ("/deeper", None),
        ("/", Some("bye")),
        ("/?", Some("bye")),
        ("//", None),
        ("/execute/a", Some("main")),
        ("/execute/b", Some("main")),
    ] {
        assert_eq!(at(&server, target).as_deref(), expected, "{target}");
    }
    // The gateway's own paths stay its own.
    assert_eq!(at(&server, "/healthz").as_deref(), Some("ok"));
    let listing = server.send("GET", "/plugins", b"").text();
    assert!(listing.contains(r#""routes":["/main","/deep/er/...","/deep/..."]"#), "{listing}");
}

#[test]
fn the_route_of_everything_takes_nothing_of_the_gateways_own() {
    let server = server(&[("all.wasm", &said("")), ("all.toml", b"routes = [\"/...\"]")]);
    for target in ["/", "/else", "/a/metrics", "/metricsx"] {
        assert_eq!(at(&server, target).as_deref(), Some("main"), "{target}");
    }
    for target in ["/execute", "/execute/", "/metrics", "/metrics/x", "/plugins", "/plugins/all", "/healthz/"]
    {
        let reply = server.send("GET", target, b"");
        assert_ne!(reply.text().trim_end(), "main", "{target}");
    }
}

#[test]
fn functions_answer_at_routes_too() {
    let greet = std::fs::read(prebuilt("greet.wasm")).unwrap();
    let policy = b"access = \"token\"\nroutes = [\"/greet\"]";
    let server = server(&[
        ("greet.wasm", &greet),
        ("greet.toml", b"[routes]\n\"/hi\" = \"greet\""),
        ("closed.wasm", &greet),
        ("closed.toml", policy),
    ]);
    let reply = server.send("POST", "/hi", b"Ada");
    assert_eq!((reply.status, reply.text()), (200, "Hello, Ada".into()));
    // What the client asks for does not count there.
    assert_eq!(server.send("POST", "/hi?func=allocate", b"Ada").text(), "Hello, Ada");
    assert_eq!(server.send("GET", "/hi", b"").status, 405);
    assert_eq!(server.send("POST", "/hi/there", b"").status, 404);
    assert_eq!(server.send("POST", "/greet", b"Ada").status, 401, "the policy holds at its route");
}

#[test]
fn a_listed_function_of_a_program_is_asked_for_by_name() {
    let module = said("");
    let listed = b"convention = \"command\"\nfunctions = [\"_start\", \"hello\"]";
    let one = b"convention = \"command\"\nfunctions = [\"bye\"]";
    let files = [("all.wasm", &*module), ("two.wasm", &module), ("two.toml", listed)];
    let server = server(&[&files[..], &[("one.wasm", &module), ("one.toml", one)]].concat());
    // Without a list, the query is the program's.
    assert_eq!(at(&server, "/execute/all?func=hello").as_deref(), Some("main"));
    assert_eq!(at(&server, "/execute/two").as_deref(), Some("main"));
    assert_eq!(at(&server, "/execute/two?func=hello").as_deref(), Some("hello"));
    assert_eq!(at(&server, "/execute/two?func=_start").as_deref(), Some("main"));
    assert_eq!(at(&server, "/execute/two?func=bye"), None);
    assert_eq!(at(&server, "/execute/one").as_deref(), Some("bye"));
    assert_eq!(at(&server, "/execute/one?func=bye").as_deref(), Some("bye"));
    assert_eq!(at(&server, "/execute/one?func=hello"), None);
    assert_eq!(at(&server, "/execute/one?func=_start"), None);
}

#[test]
fn wrong_routes_are_errors_of_the_policy() {
    let module = said("");
    for (policy, why) in [
        ("routes = [\"/a\", \"/a\"]", "1:17: the route `/a` comes twice"),
        ("routes = [\"a\"]", "1:11: the route `a` does not begin with a slash"),
        ("routes = [\"/metrics\"]", "the route `/metrics` is the gateway's own"),
        ("routes = \"/a\"", "expected a list of strings"),
        ("routes = [1]", "expected a string"),
        ("[routes]\n\"/a\" = 1", "expected a string"),
        ("[routes]\n\"/a\" = \"nobody\"", "2:8: the module exports no function `nobody`"),
        ("[routes]\n\"/a\" = \"_start\"\n\"/b\" = \"\"", "the module exports no function ``"),
        (
            "convention = \"command\"\nfunctions = [\"hello\"]\n[routes]\n\"/a\" = \"bye\"",
            "not among the functions",
        ),
        ("wagi = 1", "expected true or false"),
    ] {
        let dir = TempDir::new();
        dir.write("a.wasm", &module);
        dir.write("a.toml", policy);
        let runner = Runner::new(runner_config()).unwrap();
        let changes = runner.load_plugins(&dir.0).unwrap();
        let [error] = &changes.failed[..] else { panic!("{policy}") };
        assert!(error.to_string().contains(why), "{policy}: {error}");
    }
    let many = |n: usize| {
        let list: Vec<String> = (0..n).map(|i| format!("\"/{i}\"")).collect();
        format!("routes = [{}]", list.join(", "))
    };
    for (count, loads) in [(1_000, true), (1_001, false)] {
        let dir = TempDir::new();
        dir.write("a.wasm", &module);
        dir.write("a.toml", many(count));
        let runner = Runner::new(runner_config()).unwrap();
        assert_eq!(runner.load_plugins(&dir.0).unwrap().failed.is_empty(), loads, "{count}");
    }
}

#[test]
fn of_two_plugins_with_a_route_the_first_answers_until_it_goes() {
    let (module, greet) = (said(""), std::fs::read(prebuilt("greet.wasm")).unwrap());
    let dir = TempDir::new();
    for (name, bytes) in [("b.wasm", &module), ("a.wasm", &greet)] {
        dir.write(name, bytes);
    }
    dir.write("b.toml", "routes = [\"/x\"]");
    dir.write("a.toml", "routes = [\"/x\"]");
    let runner = Runner::new(runner_config()).unwrap();
    runner.load_plugins(&dir.0).unwrap();
    let server = Server::with(runner);
    assert_eq!(server.send("POST", "/x", b"you").text(), "Hello, you");
}

#[test]
fn a_program_made_for_wagi_gets_what_wagi_gives() {
    let module = env_printer();
    let server = server(&[
        ("plain.wasm", &module),
        ("wagi.wasm", &module),
        ("wagi.toml", b"wagi = true\nroutes = [\"/env/...\"]"),
    ]);
    let lines = |target: &str| {
        let text = server.send("GET", target, b"").text();
        text.split('\0').map(String::from).collect::<Vec<_>>()
    };
    let plain = lines("/execute/plain/a?greet=matt&foo");
    assert_eq!(plain[0], "/execute/plain");
    assert!(plain.iter().all(|line| *line != "foo" && !line.starts_with("AUTH_TYPE=")), "{plain:?}");
    let wagi = lines("/env/a/b?greet=matt&foo&&x=%20y");
    assert_eq!(wagi[..4], ["/env", "greet=matt", "foo", "x=%20y"], "{wagi:?}");
    for expected in [
        "X_MATCHED_ROUTE=/env/...",
        "SCRIPT_NAME=/env",
        "PATH_INFO=/a/b",
        "PATH_TRANSLATED=/a/b",
        "QUERY_STRING=greet=matt&foo&&x=%20y",
        "AUTH_TYPE=",
        "REMOTE_USER=",
        "CONTENT_LENGTH=0",
        "CONTENT_TYPE=",
    ] {
        assert!(wagi.iter().any(|line| line == expected), "{expected}: {wagi:?}");
    }
}

/// Prints its arguments and then its variables, each with a NUL at its end.
fn env_printer() -> Vec<u8> {
    wat(r#"(module
      (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes (param i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "environ_sizes_get" (func $env_sizes (param i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "environ_get" (func $env (param i32 i32) (result i32)))
      (memory (export "memory") 2)
      (data (i32.const 100) "content-type: text/plain\0a\0a")
      (func $say (param i32 i32)
        (i32.store (i32.const 0) (local.get 0)) (i32.store (i32.const 4) (local.get 1))
        (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 20))))
      (func (export "_start")
        (call $say (i32.const 100) (i32.const 26))
        (drop (call $args_sizes (i32.const 8) (i32.const 12)))
        (drop (call $args (i32.const 1000) (i32.const 8000)))
        (call $say (i32.const 8000) (i32.load (i32.const 12)))
        (drop (call $env_sizes (i32.const 8) (i32.const 12)))
        (drop (call $env (i32.const 1000) (i32.const 8000)))
        (call $say (i32.const 8000) (i32.load (i32.const 12)))))"#)
}

#[test]
fn a_modules_toml_is_served_at_its_routes() {
    let dir = TempDir::new();
    dir.write("hello.wasm", said("/hello hello\n\n  /bye/...   bye  \n/main _start\n"));
    dir.write("env.wasm", env_printer());
    dir.write(
        "modules.toml",
        r#"
        [[module]]
        route = "/example"
        module = "hello.wasm"
        [[module]]
        route = "/"
        module = "file://hello.wasm"
        entrypoint = "hello"
        [[module]]
        route = "/env/..."
        module = "env.wasm"
        environment = { "NAME" = "a \"quoted\" value" }
        volumes = { "/data" = "." }
        "#
        .replace("file://", &format!("file://{}/", dir.0.display())),
    );
    let served = Serve::start(&dir.0, &["--wagi", "modules.toml"]);
    let get = |target: &str| Client::connect(served.address).send("GET", target, b"");
    for (target, expected) in [
        ("/example", "main\n"),
        ("/example/hello", "hello\n"),
        ("/example/bye", "bye\n"),
        ("/example/bye/a/b", "bye\n"),
        ("/example/main", "main\n"),
        ("/", "hello\n"),
    ] {
        assert_eq!(get(target).text(), expected, "{target}");
    }
    assert_eq!(get("/example/other").status, 404);
    let env = get("/env/x?a=b").text();
    assert!(env.starts_with("/env\0a=b\0") && env.contains("NAME=a \"quoted\" value\0"), "{env}");
}

#[test]
fn what_is_wrong_with_a_modules_toml_is_told_with_line_and_column() {
    let dir = TempDir::new();
    dir.write("a.wasm", said(""));
    dir.write("odd.wasm", said("/a\n"));
    dir.write("many.wasm", said(&(0..1000).map(|n| format!("/{n} hello\n")).collect::<String>()));
    for (text, code, why) in [
        ("", 120, "m.toml:1:1: there is no [[module]]"),
        ("module = 1", 120, "modules are [[module]]"),
        ("[[modules]]\nroute = \"/\"", 120, "unknown key `modules`"),
        ("[[module]]\nroute = \"/a\"", 120, "the key `module` is missing"),
        ("[[module]]\nmodule = \"a.wasm\"", 120, "the key `route` is missing"),
        ("[[module]]\nroute = \"/a\"\nmodule = \"gone.wasm\"", 120, "gone.wasm"),
        (
            "[[module]]\nroute = \"/a\"\nmodule = \"oci:a/b:1\"",
            120,
            "3:10: modules of `oci:` are not fetched",
        ),
        (
            "[[module]]\nroute = \"/a\"\nmodule = \"a.wasm\"\nbindle_server = \"x\"",
            120,
            "4:1: unknown key `bindle_server`",
        ),
        ("[[module]]\nroute = 7\nmodule = \"a.wasm\"", 120, "2:9: expected a string"),
        (
            "[[module]]\nroute = \"/a\"\nmodule = \"a.wasm\"\n[[module]]\nroute = \"/a\"\nmodule = \"a.wasm\"",
            120,
            "the route `/a` comes twice",
        ),
        (
            "[[module]]\nroute = \"/a\"\nmodule = \"odd.wasm\"",
            120,
            "`_routes`: `/a` is not a route and a function",
        ),
        (
            "[[module]]\nroute = \"/a\"\nmodule = \"many.wasm\"",
            120,
            "`_routes`: it printed more routes than the 1000 supported",
        ),
        ("rubbish", 120, "m.toml:1:"),
    ] {
        dir.write("m.toml", text);
        let flags = [&["serve", "--wagi", "m.toml", "--listen", "127.0.0.1:0"], isolation_flags()].concat();
        let ran = fuelbox_in(&dir.0, &flags, b"").expect(code);
        assert!(ran.stderr.contains(why), "{text}: {}", ran.stderr);
    }
    let both = fuelbox_in(&dir.0, &["serve", "--wagi", "m.toml", "--plugins", "."], b"").expect(2);
    assert!(both.stderr.contains("--wagi and --plugins cannot be used together"), "{}", both.stderr);
}
