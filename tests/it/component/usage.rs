//! Components by every way in: the command line, HTTP, warm instances, policies, processes.

use crate::support::{Server, TempDir, fuelbox, fuelbox_in, is_isolated, prebuilt, runner_config};
use fuelbox::component::Value;
use fuelbox::{Call, Invocation, Preopen, Program, Runner, RunnerConfig, Stdin, WarmLimits};

fn shapes() -> String {
    prebuilt("shapes.wasm").to_str().unwrap().into()
}

#[test]
fn functions_are_called_with_wave() {
    let shapes = shapes();
    for (args, expected) in [
        (vec!["call", &shapes, "greet", r#""World""#], "\"Hello, World\"\n"),
        (vec!["run", &shapes, "greet", r#""World""#], "\"Hello, World\"\n"),
        (vec!["run", "--invoke", r#"greet("World")"#, &shapes], "\"Hello, World\"\n"),
        (vec!["run", "--invoke", "shapes/sum([{x: 1, y: -2}])", &shapes], "(1, -2)\n"),
        (vec!["run", "--invoke", "demo:shapes/shapes#sum([])", &shapes], "(0, 0)\n"),
        (
            vec!["call", &shapes, "shapes/describe", "empty", "red", "{}"],
            "err(\"there is nothing to see\")\n",
        ),
        (vec!["call", &shapes, "greet", "--data", "World"], "Hello, World"),
        (vec!["call", &shapes, "shapes/sum", "--data", r#"{"points": [{"x": 1, "y": 2}]}"#], "[1,2]"),
    ] {
        assert_eq!(fuelbox(&args).expect(0).text(), expected, "{args:?}");
    }
    for (args, expected) in [
        (vec!["call", &shapes, "greet"], ""),
        (vec!["call", &shapes, "greet", "World"], "expected a string"),
        (vec!["call", &shapes, "greet", "\"a\"", "\"b\""], "takes 1 arguments, but was called with 2"),
        (vec!["call", &shapes, "greet", "\"a\"", "--data", "b"], "give the input once"),
        (vec!["run", "--invoke", "greet(1)", &shapes], "--invoke: column 7: expected a string"),
        (vec!["run", "--invoke", "greet(\"a\"", &shapes], "--invoke: column"),
        (vec!["run", "--invoke", "none()", &shapes], "none"),
        (vec!["run", "--invoke", "greet(\"a\")", &shapes, "greet"], "give the arguments once"),
        (vec!["run", &shapes], "is not a program"),
    ] {
        let ran = fuelbox(&args);
        assert!(
            ran.code == Some(0) && expected.is_empty() || ran.stderr.contains(expected),
            "{args:?} {ran:#?}"
        );
    }
    // Core modules are called in the same words.
    let add = prebuilt("add.wasm");
    let add = add.to_str().unwrap();
    assert_eq!(fuelbox(&["run", "--invoke", "add(10, 20)", add]).expect(0).text(), "30\n");
    assert_eq!(fuelbox(&["run", "--invoke", "add", add, "1", "2"]).expect(0).text(), "3\n");
    assert!(fuelbox(&["run", "--invoke", "add(1, 2", add]).stderr.contains("there is no `)`"));
    assert!(fuelbox(&["call", add, "add", "1", "2"]).stderr.contains("unexpected argument `1`"));
}

#[test]
fn a_component_is_shown_as_its_world() {
    let text = fuelbox(&["inspect", &shapes()]).expect(0).text();
    for line in [
        "  import wasi:cli/environment@0.2",
        "  export greet: func(name: string) -> string;",
        "    type point = record { x: s32, y: s32, label: option<string> };",
        "    describe: func(shape: shape, color: color, access: access) -> result<string, string>;",
        "    [method]counter.add: func(self: borrow<counter>, n: u32) -> u32;",
        "  component: shapes/sum",
        "loads under these limits: yes",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    // What takes or gives a resource has no text, and is not offered.
    let names = fuelbox(&["inspect", "--names", &shapes()]).expect(0).text();
    assert_eq!(names, "greet\nupper\nshapes/describe\nshapes/sum\n");
}

#[test]
fn programs_of_both_wasis_print_the_same() {
    let text = "one two\nthree \u{e9}\n\u{ff}";
    for args in [&[][..], &["-w"], &["-l", "-c"]] {
        let of = |name: &str| {
            let module = prebuilt(name);
            let all = [&["run", module.to_str().unwrap(), "--"], args].concat();
            fuelbox_in(&TempDir::new().0, &all, text.as_bytes()).expect(0).text()
        };
        assert_eq!(of("wordcount.wasm"), of("wordcount-p2.wasm"), "{args:?}");
    }
    let runner = Runner::new(RunnerConfig::default()).unwrap();
    let stdin = Stdin::Bytes(b"a b".to_vec());
    let report = runner.run(&*prebuilt("wordcount-p2.wasm"), Invocation { stdin, ..Invocation::default() });
    assert_eq!(report.unwrap().result.unwrap(), b"0 2 3\n");
}

#[test]
fn the_same_limits_hold_for_files() {
    let dir = TempDir::new();
    dir.write("file", "text");
    let run = |args: &[&str]| fuelbox_in(&dir.0, args, b"");
    let tree = prebuilt("treehash-p2.wasm");
    let tree = tree.to_str().unwrap();
    let read = run(&["run", "--dir", ".::/data:ro", tree, "--", "/data"]).expect(0);
    assert!(read.text().ends_with("  /data/file\n"));
    assert!(run(&["run", tree, "--", "/data"]).code != Some(0));
    let outside = run(&["run", "--dir", ".::/data", tree, "--", "/data/../.."]);
    assert_eq!(outside.text(), "", "{outside:#?}");
    // A reproducible run prints and uses the same, whatever the machine.
    let twice =
        || run(&["run", "--deterministic", "--report", "--dir", ".::/data", tree, "--", "/data"]).expect(0);
    let fuel = |text: &str| text.split(" fuel").next().unwrap().to_string();
    assert_eq!(fuel(&twice().stderr), fuel(&twice().stderr));
}

#[test]
fn functions_are_served() {
    let dir = TempDir::new();
    std::fs::copy(prebuilt("shapes.wasm"), dir.0.join("shapes.wasm")).unwrap();
    std::fs::copy(prebuilt("wordcount-p2.wasm"), dir.0.join("words.wasm")).unwrap();
    std::fs::copy(prebuilt("shapes.wasm"), dir.0.join("few.wasm")).unwrap();
    dir.write("few.toml", "functions = [\"shapes/sum\"]\n");
    let runner = Runner::new(runner_config()).unwrap();
    runner.load_plugins(&dir.0).unwrap();
    let server = Server::with(runner);
    let post = |target: &str, body: &str| server.send("POST", target, body.as_bytes());
    let greeting = post("/execute/shapes", "World");
    assert_eq!((greeting.status, greeting.text()), (200, "Hello, World".into()));
    assert_eq!(greeting.header("content-type"), Some("text/plain; charset=utf-8"));
    let sum = post("/execute/shapes?func=shapes/sum", r#"[[{"x": 1, "y": 2}]]"#);
    assert_eq!((sum.text(), sum.header("content-type")), ("[1,2]".into(), Some("application/json")));
    let named = post("/execute/few", r#"{"points": []}"#);
    assert_eq!(named.text(), "[0,0]");
    assert_eq!(post("/execute/few?func=greet", "x").status, 404);
    assert_eq!(post("/execute/words", "a b c").text(), "0 3 5\n");
    for (body, expected) in [
        ("", "`points` is missing"),
        ("[[{\"x\": 1}]]", "`y`"),
        ("[[{\"x\": 1, \"y\": 2147483648}]]", "expected s32"),
        ("[[], []]", "1"),
        ("\u{0}", "expected"),
    ] {
        let answer = post("/execute/shapes?func=shapes/sum", body);
        assert_eq!(answer.status, 400, "{body:?}");
        assert!(
            answer.text().contains("input-mismatch") && answer.text().contains(expected),
            "{}",
            answer.text()
        );
    }
    assert_eq!(server.send("POST", "/execute/shapes", b"\xff").status, 400, "a string is UTF-8");
    assert_eq!(server.send("POST", "/execute/shapes?func=upper", b"a\xff\0").body, b"A\xff\0");
    let listing = server.send("GET", "/plugins", b"").text();
    assert!(listing.contains(r#""signature":"func(points: list<record { x: s32"#), "{listing}");
    let document = server.send("GET", "/openapi.json", b"").text();
    assert!(document.contains(r#""contentEncoding""#) || document.contains(r#""anyOf""#));
}

#[test]
fn warm_instances_are_kept_and_poisoned_ones_are_not() {
    let dir = TempDir::new();
    let counter = r#"(component
      (core module $m (global $n (mut i32) (i32.const 0))
        (func (export "count") (result i32) (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n))
        (func (export "fail") unreachable))
      (core instance $i (instantiate $m))
      (func (export "count") (result u32) (canon lift (core func $i "count")))
      (func (export "fail") (canon lift (core func $i "fail"))))"#;
    dir.write("counter.wasm", crate::support::wat(counter));
    let warm = WarmLimits { instances: 1, ..WarmLimits::default() };
    let runner = Runner::new(RunnerConfig { warm, ..RunnerConfig::default() }).unwrap();
    runner.load_plugins(&dir.0).unwrap();
    let count = || {
        let report = runner.run("counter", Call::component("count", &[])).unwrap();
        report.result.unwrap().unwrap()
    };
    assert_eq!([count(), count(), count()], [1, 2, 3].map(Value::U32));
    assert!(runner.run("counter", Call::component("fail", &[])).unwrap().result.is_err());
    assert_eq!(count(), Value::U32(1));
}

#[test]
fn values_are_for_components_in_this_process() {
    if is_isolated() {
        return;
    }
    let runner = Runner::new(runner_config()).unwrap();
    let program = Program::compile("shapes", &std::fs::read(shapes()).unwrap(), runner.limits()).unwrap();
    let call = |func: &str, values: &[Value]| runner.run(&program, Call::component(func, values));
    assert_eq!(
        call("upper", &[Value::Bytes(vec![b'a', 0xff])]).unwrap().result.unwrap(),
        Some(Value::Bytes(vec![b'A', 0xff]))
    );
    assert!(call("upper", &[]).is_err() && call("none", &[]).is_err());
    // A value of another type stops the run; it is the caller's mistake.
    assert!(call("upper", &[Value::U8(1)]).unwrap().result.is_err());
    let env = fuelbox::GuestEnv {
        dirs: vec![Preopen::open(".".as_ref(), "/", true).unwrap()],
        ..Default::default()
    };
    let name = [Value::String("x".into())];
    let given = Call::component("greet", &name).guest_env(env);
    assert!(runner.run(&program, given).unwrap().result.is_ok());
}
