//! Components in several languages that export the same interface (`guests/wit/text.wit`): the same calls have the same
//! answers. And one that is composed of two, of which each is under the limits.

use crate::programs::large;
use crate::signatures::Signer;
use crate::site::Site;
use crate::support::{fuelbox, prebuilt, runner_config};
use fuelbox::base::limits::DoorLimits;
use fuelbox::component::Value;
use fuelbox::{Call, Error, Limits, Program, Report, Runner, RunnerConfig, Stop};
use std::path::PathBuf;
use std::time::Duration;

/// Enough for an interpreter within a component.
pub fn limits() -> Limits {
    Limits {
        module_bytes: 64 << 20,
        memory_pages: 400,
        deadline: Some(Duration::from_secs(60)),
        ..Limits::default()
    }
}

/// What exports the interface: small ones, and those that are built here.
fn texts() -> Vec<PathBuf> {
    let small = ["text-rust.wasm", "text-c.wasm"].map(prebuilt);
    small.into_iter().chain(["text-go", "text-js", "text-py"].into_iter().filter_map(large)).collect()
}

fn summaries() -> Vec<PathBuf> {
    [prebuilt("summary-c.wasm")].into_iter().chain(large("summary-js")).collect()
}

/// A program with a runner that has these limits.
struct Loaded {
    runner: Runner,
    program: Program,
}

impl Loaded {
    fn new(path: &PathBuf, limits: Limits) -> Loaded {
        let program = Program::compile("text", &std::fs::read(path).unwrap(), &limits).unwrap();
        Loaded { runner: Runner::new(RunnerConfig { limits, ..RunnerConfig::default() }).unwrap(), program }
    }

    fn report(&self, func: &str, input: &[u8]) -> Report<Vec<u8>> {
        self.runner.run(&self.program, Call::bytes(func, input)).unwrap()
    }

    /// The answer to a text, which is JSON but for a lone string.
    fn bytes(&self, func: &str, input: &str) -> String {
        String::from_utf8(self.report(func, input.as_bytes()).result.unwrap()).unwrap()
    }

    fn values(&self, func: &str, values: &[Value]) -> Value {
        self.runner.run(&self.program, Call::component(func, values)).unwrap().result.unwrap().unwrap()
    }

    /// Why this input is refused.
    fn refusal(&self, func: &str, input: &[u8]) -> String {
        match self.runner.run(&self.program, Call::bytes(func, input)) {
            Err(problem @ (Error::Input(_) | Error::NoFunction { .. })) => problem.to_string(),
            other => panic!("not refused: {other:?}"),
        }
    }
}

#[test]
fn every_language_has_the_same_answers() {
    let lines = |count: usize| format!("[[{}\"x\"]]", "\"x\",".repeat(count - 1));
    let all: String = (1..=1000).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    let thousand = format!(r#"{{"ok":[{{"text":"x","times":1000,"lines":[{all}]}}]}}"#);
    for path in texts() {
        let loaded = Loaded::new(&path, limits());
        for name in ["World", "", "Zoë 🦀 \u{10ffff}", "a\0b", "\"", &"x".repeat(100_000)] {
            assert_eq!(loaded.bytes("text/greet", name), format!("Hello, {name}"), "{}", path.display());
        }
        for (input, expected) in [
            (
                r#"[["a b a", "", "  a c"]]"#,
                r#"{"ok":[{"text":"a","times":3,"lines":[1,3]},{"text":"b","times":1,"lines":[1]},{"text":"c","times":1,"lines":[3]}]}"#,
            ),
            (r#"{"lines": ["é 🦀", "🦀"], "least": 2}"#, r#"{"ok":[{"text":"🦀","times":2,"lines":[1,2]}]}"#),
            (r#"[["a"], 4294967295]"#, r#"{"ok":[]}"#),
            (r#"[["a"], null]"#, r#"{"ok":[{"text":"a","times":1,"lines":[1]}]}"#),
            ("[[]]", r#"{"err":"no-words"}"#),
            (r#"[["", " "], 0]"#, r#"{"err":"no-words"}"#),
            (&lines(1000), &thousand),
            (&lines(1001), r#"{"err":{"too-many-lines":1001}}"#),
        ] {
            assert_eq!(loaded.bytes("text/count", input), expected, "{}", path.display());
        }
        let (line, least) = (Value::String("b a b".into()), Value::some(Value::U32(2)));
        let word =
            Value::Record(vec![Value::String("b".into()), Value::U32(2), Value::List(vec![Value::U32(1)])]);
        assert_eq!(
            loaded.values("text/count", &[Value::List(vec![line]), least]),
            Value::ok(Some(Value::List(vec![word])))
        );
    }
}

#[test]
fn every_language_is_called_with_wave() {
    for path in texts() {
        let path = path.to_str().unwrap();
        for (call, code, out, err) in [
            (r#"text/greet("World")"#, 0, "\"Hello, World\"\n", ""),
            (
                r#"demo:text/text@1.0.0#count(["a b", "a"], some(2))"#,
                0,
                "ok([{text: \"a\", times: 2, lines: [1, 2]}])\n",
                "",
            ),
            ("text/count([])", 0, "err(no-words)\n", ""),
            ("text/count([1])", 2, "", "expected a string"),
            ("text/count", 2, "", "takes 2 arguments, but was called with 0"),
            ("text/none()", 120, "", "no exported function `text/none`"),
            ("greet(\"x\")", 120, "", "no exported function `greet`"),
        ] {
            let flags = ["--max-module", "64MiB", "--memory-pages", "400", "--timeout", "60s"];
            let ran = fuelbox(&[&["run"], &flags[..], &["--invoke", call, path]].concat());
            assert_eq!((ran.code, &*ran.text()), (Some(code), out), "{path} {call} {ran:#?}");
            assert!(ran.stderr.contains(err), "{path} {call} {ran:#?}");
        }
    }
}

#[test]
fn rubbish_does_not_reach_a_guest() {
    for path in texts() {
        let loaded = Loaded::new(&path, limits());
        for (func, input, expected) in [
            ("text/greet", &b"\xff"[..], "UTF-8"),
            ("text/count", b"", "`lines` is missing"),
            ("text/count", b"[[1]]", "expected string"),
            ("text/count", br#"[["a"], -1]"#, "expected u32"),
            ("text/count", br#"[["a"], 4294967296]"#, "expected u32"),
            ("text/count", br#"{"lines": [], "more": 1}"#, "more"),
            ("text/count", br#"[["\ud800"]]"#, "$[0][0] (column 4)"),
            ("text/count", b"[[", "column 3"),
        ] {
            let why = loaded.refusal(func, input);
            assert!(why.contains(expected), "{}: {why}", path.display());
        }
    }
}

#[test]
fn deterministic_runs_use_the_same_fuel() {
    for path in texts().into_iter().chain(summaries()) {
        let path = path.to_str().unwrap();
        let call = if path.contains("summary") { "summarize(\"a b a\")" } else { "text/count([\"a b a\"])" };
        let run = |seed: &str| {
            let flags = [
                "--max-module",
                "64MiB",
                "--memory-pages",
                "400",
                "--timeout",
                "60s",
                "--deterministic",
                "--seed",
                seed,
            ];
            let ran =
                fuelbox(&[&["run", "--report"], &flags[..], &["--invoke", call, path]].concat()).expect(0);
            (ran.text(), ran.stderr.split(" fuel").next().unwrap().to_string())
        };
        assert_eq!(run("1"), run("1"), "{path}");
        // The answer depends on no chance.
        assert_eq!(run("1").0, run("2").0, "{path}");
    }
}

#[test]
fn a_component_calls_one_in_another_language() {
    for path in summaries() {
        let loaded = Loaded::new(&path, limits());
        for (text, expected) in [
            ("a b\nb c", r#"{"ok":"3 words; b is there 2 times, in lines [1, 2]"}"#),
            ("a b\nb a", r#"{"ok":"2 words; a is there 2 times, in lines [1, 2]"}"#),
            // The error of one is made into that of the other, by its own function.
            (" \n", r#"{"err":"Hello, whoever has nothing to say"}"#),
            (&"x\n".repeat(1001), r#"{"err":"1001 lines are too many"}"#),
        ] {
            assert_eq!(loaded.bytes("summarize", text), expected, "{}", path.display());
        }
        // Only what the outer one exports is there.
        assert!(loaded.refusal("text/greet", b"x").contains("text/greet"));
    }
}

/// Lines with so many words each, of which none is like another.
fn words(lines: usize, each: usize) -> String {
    let line = |line| (0..each).map(move |word| format!("{line}-{word} ")).collect::<String>() + "\n";
    (0..lines).map(line).collect()
}

#[test]
fn limits_hold_within_a_composed_component() {
    let path = prebuilt("summary-c.wasm");
    let text = words(30, 3);
    let whole = Loaded::new(&path, limits()).report("summarize", text.as_bytes());
    let (fuel, pages) = (whole.usage.fuel, whole.usage.peak_pages);
    assert!(whole.result.is_ok());
    let run = |limits: Limits| Loaded::new(&path, limits).report("summarize", text.as_bytes()).result;
    // Wherever the fuel ends, in the one or in the other or on the way between them.
    for part in 1..40 {
        let limit = fuel * part / 40;
        assert_eq!(run(Limits { fuel: limit, ..limits() }), Err(Stop::OutOfFuel { limit }));
    }
    assert_eq!(run(Limits { fuel: fuel - 1, ..limits() }), Err(Stop::OutOfFuel { limit: fuel - 1 }));
    assert!(run(Limits { fuel, ..limits() }).is_ok());
    // The memories of both count, and what the host keeps of the values.
    let pages_of = |pages| run_or_refusal(&path, Limits { memory_pages: pages, ..limits() }, &text);
    let enough =
        (pages..pages + 4).find(|&pages| pages_of(pages).is_ok()).expect("little more than the memories");
    for fewer in [enough - 1, pages - 1, pages / 2, 1] {
        let why = pages_of(fewer).unwrap_err();
        assert!(why.contains("memory"), "{fewer}: {why}");
    }
    // The inner one needs more memory for many words, and is told that there is none.
    let many = words(1000, 20);
    let limit = Limits { memory_pages: enough + 2, ..limits() };
    let denied = run_or_refusal(&path, limit, &many).unwrap_err();
    assert!(denied.contains("memory"), "{denied}");
    // It compares each word with each one, for seconds.
    let deadline = Duration::from_millis(50);
    let late = Loaded::new(&path, Limits { deadline: Some(deadline), ..limits() });
    let stop = late.report("summarize", many.as_bytes()).result;
    assert!(matches!(stop, Err(Stop::Deadline { .. })), "{stop:?}");
}

/// What stopped a run, or why it could not begin.
fn run_or_refusal(path: &PathBuf, limits: Limits, text: &str) -> Result<(), String> {
    Program::compile("text", &std::fs::read(path).unwrap(), &limits).map_err(|error| error.to_string())?;
    let report = Loaded::new(path, limits).report("summarize", text.as_bytes());
    report.result.map(|_| ()).map_err(|stop| stop.to_string())
}

#[test]
fn a_signed_component_is_deployed_under_its_policy() {
    let signer = Signer::new();
    let config = RunnerConfig { trusted_keys: vec![signer.key()], ..runner_config() };
    let site = Site::with(config, DoorLimits::default());
    site.plugins.write("text.toml", "functions = [\"text/greet\"]\n");
    let [c, rust] = ["text-c.wasm", "text-rust.wasm"].map(|name| std::fs::read(prebuilt(name)).unwrap());
    let sign = |wasm: &[u8]| site.send("PUT", "/plugins/text/signature", signer.sign(wasm).as_bytes()).status;
    assert_eq!(site.send("PUT", "/plugins/text", &c).status, 422);
    assert_eq!((sign(&rust), site.send("PUT", "/plugins/text", &c).status), (204, 422));
    assert_eq!((sign(&c), site.send("PUT", "/plugins/text", &c).status), (204, 201));
    let post = |func: &str, body: &str| {
        site.client().send("POST", &format!("/execute/text?func={func}"), body.as_bytes())
    };
    assert_eq!(post("text/greet", "World").text(), "Hello, World");
    assert_eq!(post("text/count", "[[]]").status, 404);
    let [listing, document] =
        ["/plugins", "/openapi.json"].map(|path| site.client().send("GET", path, b"").text());
    for text in [&listing, &document] {
        assert!(text.contains("text/greet") && !text.contains("text/count"), "{text}");
    }
    assert!(listing.contains(r#""signature":"func(name: string) -> string""#), "{listing}");
    // Another language serves the same function.
    assert_eq!((sign(&rust), site.send("PUT", "/plugins/text", &rust).status), (204, 204));
    assert_eq!(post("text/greet", "World").text(), "Hello, World");
    assert_eq!(site.send("GET", "/plugins/text", b"").body, rust);
    // What imports more than WASI is no plug-in.
    let alone = crate::support::wat(
        r#"(component (import "demo:text/text@1.0.0" (instance (export "greet" (func)))))"#,
    );
    let signature = signer.sign(&alone);
    assert_eq!(site.send("PUT", "/plugins/alone/signature", signature.as_bytes()).status, 204);
    let refused = site.send("PUT", "/plugins/alone", &alone);
    assert!(refused.status == 422 && refused.text().contains("demo:text/text"), "{}", refused.text());
}
