//! Extism's convention: which functions have it, how input, output and errors pass, what is called before, and
//! what does not load. What its own host does at the edges is in guests/extism/wat/edges.wat.

use crate::plain::PlainResults;
use crate::support::{TempDir, deadline_ms, fuelbox, fuelbox_in, job, prebuilt, program, wat};
use fuelbox::abi::{Job, call_bytes};
use fuelbox::base::limits::{
    BLOCK_OVERHEAD_BYTES, MESSAGE_BYTES_MAX, PAGE_BYTES, VAR_OVERHEAD_BYTES, WarmLimits,
};
use fuelbox::{
    Call, Convention, Error, GuestEnv, Limits, LoadProblem, Program, Report, Runner, RunnerConfig, Stop,
};

/// Imports of `functions`, each a name and a type.
pub fn imports(functions: &[(&str, &str)]) -> String {
    let import = |(name, ty): &(&str, &str)| {
        format!(r#"(import "extism:host/env" "{name}" (func ${name} {ty}))"#) + "\n"
    };
    functions.iter().map(import).collect()
}

const MEMORY: [(&str, &str); 5] = [
    ("alloc", "(param i64) (result i64)"),
    ("input_offset", "(result i64)"),
    ("input_length", "(result i64)"),
    ("output_set", "(param i64 i64)"),
    ("error_set", "(param i64)"),
];

type Ran = Result<Report<Vec<u8>>, Error>;

/// Runs `func` of a module of `body` with the imports of `MEMORY`.
fn run(body: &str, func: &str, input: &[u8]) -> Report<Vec<u8>> {
    run_under(&Limits::default(), GuestEnv::default(), body, func, input).unwrap()
}

fn run_under(limits: &Limits, guest_env: GuestEnv, body: &str, func: &str, input: &[u8]) -> Ran {
    let program = program(&format!("(module {} {body})", imports(&MEMORY)), limits);
    call_bytes(Job { guest_env, ..job(&program, limits) }, func, input, Some(Convention::Extism))
}

/// Gives its input as the output.
const ECHO: &str = r#"(func (export "f") (result i32)
    (call $output_set (call $input_offset) (call $input_length)) (i32.const 0))"#;

#[test]
fn it_is_told_by_imports_and_signature() {
    let import = imports(&MEMORY);
    let functions = r#"(func (export "code") (result i32) (i32.const 0)) (func (export "nothing"))
        (func (export "number") (result i64) (i64.const 0)) (func (export "add") (param i32) (result i32)
        (i32.const 0)) (func (export "_start")) (func (export "_initialize"))"#;
    let of = |source: &str, func: &str| Convention::of(program(source, &Limits::default()).info(), func);
    let plugin = format!("(module {import} {functions})");
    for (func, expected) in [
        ("code", Convention::Extism),
        ("nothing", Convention::Extism),
        ("number", Convention::Numeric),
        ("add", Convention::Numeric),
    ] {
        assert_eq!(of(&plugin, func), Some(expected), "{func}");
    }
    // Some compilers give a `_start` to every module; its functions are what it is for.
    assert_eq!((of(&plugin, "_start"), of(&plugin, "_initialize")), (None, None));
    let other = format!("(module {functions})");
    assert_eq!(of(&other, "code"), Some(Convention::Numeric));
    assert_eq!(of(&other, "_start"), Some(Convention::Command));
    assert_eq!(Convention::parse("extism"), Some(Convention::Extism));
}

#[test]
fn input_comes_and_output_goes_as_they_are() {
    let all: Vec<u8> = (0..=255).collect();
    for input in [&b""[..], b"x", &all, &vec![b'?'; 1024 * 1024]] {
        assert_eq!(run(ECHO, "f", input).result.unwrap(), input);
    }
    let less = Limits { output_bytes: 3, ..Limits::default() };
    let report = run_under(&less, GuestEnv::default(), ECHO, "f", b"123").unwrap();
    assert_eq!(report.result.unwrap(), b"123");
    let report = run_under(&less, GuestEnv::default(), ECHO, "f", b"1234").unwrap();
    assert_eq!(report.result, Err(Stop::OutputFull { stream: "result", limit: 3 }));
    let few = Limits { input_bytes: 3, ..Limits::default() };
    let error = run_under(&few, GuestEnv::default(), ECHO, "f", b"1234").unwrap_err();
    assert!(matches!(error, Error::InputTooLarge { size: 4, limit: 3 }), "{error:?}");
}

#[test]
fn the_same_call_uses_the_same_fuel() {
    let fuel = |input: &[u8]| run(ECHO, "f", input).usage.fuel;
    assert_eq!(fuel(b"abc"), fuel(b"abc"));
    let (small, large) = (fuel(b"abc"), fuel(&vec![0; 640_000]));
    assert!(large >= small + 10_000, "{small} and {large}: the bytes of the input are not charged");
    // Nor are they free for one that does not ask for them.
    let none = r#"(func (export "f") (result i32) (i32.const 0))"#;
    let fuel = |input: &[u8]| run(none, "f", input).usage.fuel;
    assert!(fuel(&vec![0; 640_000]) >= fuel(b"") + 10_000);
}

#[test]
fn it_does_not_take_functions_with_parameters() {
    let body = r#"(func (export "f") (param i32) (result i32) (i32.const 0))
        (func (export "g") (result i64) (i64.const 0))"#;
    for func in ["f", "g"] {
        let error = run_under(&Limits::default(), GuestEnv::default(), body, func, b"").unwrap_err();
        assert!(matches!(&error, Error::Input(what) if what.contains("extism convention")), "{error:?}");
    }
    let error = run_under(&Limits::default(), GuestEnv::default(), body, "h", b"").unwrap_err();
    assert!(matches!(error, Error::NoFunction { .. }));
}

#[test]
fn the_edges_are_as_with_extisms_own_host() {
    let runner = Runner::new(crate::support::runner_config()).unwrap();
    let path = prebuilt("extism-edges.wasm");
    let call = |func: &str, input: &str| runner.run(&path, Call::bytes(func, input)).unwrap().result;
    for (func, input, output) in [
        ("blocks", "", &[1; 16][..]),
        ("nowhere", "", &[1; 7]),
        ("input", "0123456789", &[1; 12]),
        ("empty_input", "", &[1; 4]),
        ("state", "", &[1; 17]),
        ("output_nowhere", "", b""),
        ("output_kept", "", b"abc"),
        ("output_none", "", b""),
        ("output_part", "", b"b"),
        ("output_length_0", "", b""),
        ("output_at_an_end", "", b""),
        ("output_changed_later", "", b"Abc"),
        ("output_freed", "", b"abc"),
        ("output_without_code", "", b"abc"),
        ("error_taken_back", "", b"abc"),
        ("values_many", "", b""),
    ] {
        assert_eq!(call(func, input).as_deref(), Ok(output), "{func}");
    }
    for (func, code, message) in [
        ("error_and_0", 0, "abc"),
        ("error_and_1", 1, "abc"),
        ("error_without_code", 0, "abc"),
        ("error_freed", 0, ""),
        ("error_inside", 0, ""),
        ("code_only", 7, ""),
        ("code_negative", -1, ""),
    ] {
        assert_eq!(call(func, ""), Err(Stop::Failed { code, message: message.into() }), "{func}");
    }
    for func in ["key_nowhere", "value_nowhere", "key_not_text"] {
        let stop = call(func, "").unwrap_err();
        assert!(matches!(stop, Stop::Convention(_)), "{func}: {stop:?}");
    }
    for (func, said) in [
        ("trap", "unreachable"),
        ("trap_with_error", "told of an error: abc"),
        ("values_too_many", "more than the 1048576 allowed"),
    ] {
        let stop = call(func, "").unwrap_err();
        assert!(matches!(&stop, Stop::Trap(what) if what.contains(said)), "{func}: {stop:?}");
    }
}

#[test]
fn the_edges_are_what_their_text_says() {
    let folder = prebuilt("").join("../extism/wat/edges.wat");
    let source = fuelbox::module::reader::read(&wat(&std::fs::read_to_string(folder).unwrap())).unwrap();
    let built =
        fuelbox::module::reader::read(&std::fs::read(prebuilt("extism-edges.wasm")).unwrap()).unwrap();
    assert_eq!(built.exports, source.exports);
}

#[test]
fn messages_are_bounded_and_fit_to_be_shown() {
    let body = r#"(func (export "f") (result i32) (call $error_set (call $input_offset)) (i32.const 1))"#;
    let message = |input: &[u8]| match run(body, "f", input).result {
        Err(Stop::Failed { code: 1, message }) => message,
        other => panic!("{other:?}"),
    };
    assert_eq!(message(b"two\nlines"), "two\nlines");
    assert_eq!(message(b"\x1b[31m\xff"), "\\u{1b}[31m\u{fffd}");
    let (most, more) = (vec![b'x'; MESSAGE_BYTES_MAX], vec![b'x'; MESSAGE_BYTES_MAX + 1]);
    assert_eq!(message(&most).as_bytes(), most);
    assert_eq!(message(&more), format!("{}…", "x".repeat(MESSAGE_BYTES_MAX)));
    // Cut within a character.
    let cut = "x".repeat(MESSAGE_BYTES_MAX - 1) + "é";
    assert_eq!(message(cut.as_bytes()), format!("{}…", "x".repeat(MESSAGE_BYTES_MAX - 1)));
}

/// Writes a digit for each of its initializers that was called, in their order.
fn initialized_by(exports: &[&str]) -> String {
    let note = "(i32.store8 (global.get $n) (i32.const DIGIT))
        (global.set $n (i32.add (global.get $n) (i32.const 1)))";
    let function = |(i, head): (usize, &&str)| {
        let (name, types) = head.split_once(' ').unwrap_or((head, ""));
        let note = note.replace("DIGIT", &(b'1' as usize + i).to_string());
        let result = if types.contains("result") { "(i32.const 0)" } else { "" };
        format!(r#"(func (export "{name}") {types} {note} {result})"#)
    };
    let body: String = exports.iter().enumerate().map(function).collect();
    let source = format!(
        r#"(module {} (import "extism:host/env" "store_u8" (func $store_u8 (param i64 i32))) (memory 1)
        (global $n (mut i32) (i32.const 0)) {body}
        (func (export "f") (result i32) (local $out i64) (local $i i32)
          (local.set $out (call $alloc (i64.const 9)))
          (loop $l
            (call $store_u8 (i64.add (local.get $out) (i64.extend_i32_u (local.get $i)))
              (i32.load8_u (local.get $i)))
            (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 9))))
          (call $output_set (local.get $out) (i64.extend_i32_u (global.get $n))) (i32.const 0)))"#,
        imports(&MEMORY)
    );
    let limits = Limits::default();
    let program = program(&source, &limits);
    let output = call_bytes(job(&program, &limits), "f", b"", None).unwrap().result.unwrap();
    String::from_utf8(output).unwrap()
}

#[test]
fn runtimes_of_languages_are_made_ready_first() {
    let haskell = "hs_init (param i32 i32)";
    assert_eq!(initialized_by(&["_initialize"]), "1");
    assert_eq!(initialized_by(&["__wasm_call_ctors"]), "1");
    // The constructors are called by `_initialize` as well, and not twice.
    assert_eq!(initialized_by(&["_initialize", "__wasm_call_ctors"]), "2");
    assert_eq!(initialized_by(&[haskell]), "1");
    assert_eq!(initialized_by(&[haskell, "_initialize", "__wasm_call_ctors"]), "21");
    assert_eq!(initialized_by(&["hs_init (param i32 i32) (result i32)"]), "1");
    // Those of other types are none.
    assert_eq!(initialized_by(&["_initialize (param i32)", "hs_init"]), "");
    assert_eq!(initialized_by(&["__wasm_call_ctors (param i32)", "_initialize"]), "");
}

fn refused(import: &str) -> LoadProblem {
    let wasm = wat(&format!("(module {import})"));
    match Program::compile("x", &wasm, &Limits::default()) {
        Err(Error::Load { problem, .. }) => problem,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_another_host_would_provide_is_named() {
    let problem = refused(
        r#"(import "extism:host/env" "alloc" (func (param i64) (result i64)))
        (import "extism:host/user" "one" (func)) (import "extism:host/user" "two" (func (param i64)))
        (import "extism:host/user" "one" (func))"#,
    );
    let text = problem.to_string();
    assert!(text.ends_with("fuelbox does not: one, two") && text.contains("`extism:host/user`"), "{text}");
    let text = refused(r#"(import "extism:host/env" "fly" (func))"#).to_string();
    assert_eq!(text, "the module imports `extism:host/env.fly`, which fuelbox does not provide");
    let text = refused(r#"(import "extism:host/env" "alloc" (func (param i32) (result i32)))"#).to_string();
    assert!(text.ends_with("as (i32) -> i32, but it is (i64) -> i64"), "{text}");
}

#[test]
fn http_is_refused_without_a_right() {
    let body = r#"(import "extism:host/env" "http_request" (func $http (param i64 i64) (result i64)))
        (func (export "f") (result i32) (drop (call $http (call $input_offset) (i64.const 0))) (i32.const 0))"#;
    let ask = |request: &str| {
        let report =
            run_under(&Limits::default(), GuestEnv::default(), body, "f", request.as_bytes()).unwrap();
        match report.result {
            Err(Stop::Trap(what)) => what,
            other => panic!("{other:?}"),
        }
    };
    let refused = ask(r#"{"url": "https://example.org/"}"#);
    assert!(refused.starts_with("HTTP requests are not allowed: no URL is"), "{refused}");
    for rubbish in ["", "{", "[1]", r#"{"url": 1}"#, &" ".repeat(100_000), &"[".repeat(60_000)] {
        let refused = ask(rubbish);
        assert!(refused.starts_with("http_request: "), "{refused}");
    }
}

#[test]
fn a_call_leaves_nothing_but_variables_in_a_warm_instance() {
    let source = format!(
        r#"(module {} {}
        (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
        (func (export "set") (result i32) (call $var_set (call $input_offset) (call $alloc (i64.const 5)))
          (call $output_set (call $alloc (i64.const 3)) (i64.const 3)) (i32.const 0))
        (func (export "get") (result i32) (local $v i64)
          (if (i64.ne (call $error_get) (i64.const 0)) (then (unreachable)))
          (local.set $v (call $var_get (call $input_offset)))
          (call $output_set (local.get $v) (call $length (local.get $v))) (i32.const 0))
        (func (export "all") (result i32) (drop (call $alloc (i64.const 100000))) (i32.const 0))
        (func (export "unset") (result i32) (call $var_set (call $input_offset) (i64.const 0)) (i32.const 0))
        (func (export "room") (param i64) (result i64) (call $length (call $alloc (local.get 0))))
        (func (export "ends") (result i32) (call $output_set (call $alloc (i64.const 2)) (i64.const 1))
          (call $proc_exit (i32.const 0)) (i32.const 0))
        (func (export "exits") (result i32) (call $proc_exit (i32.const 9)) (i32.const 0)))"#,
        imports(&[
            ("var_set", "(param i64 i64)"),
            ("var_get", "(param i64) (result i64)"),
            ("length", "(param i64) (result i64)"),
            ("error_get", "(result i64)")
        ]),
        imports(&MEMORY)
    );
    let dir = TempDir::new();
    dir.write("p.wasm", wat(&source));
    // A function of numbers is offered by a warm plug-in only if it is named.
    dir.write("p.toml", r#"functions = ["set", "get", "all", "unset", "room", "ends", "exits"]"#);
    let limits = Limits { memory_pages: 2, ..deadline_ms(20_000) };
    let warm = WarmLimits { instances: 1, ..WarmLimits::default() };
    let runner = Runner::new(RunnerConfig { limits, warm, ..fuelbox::RunnerConfig::default() }).unwrap();
    runner.load_plugins(&dir.0).unwrap();
    let call = |func: &str, input: &str| runner.run("p", Call::bytes(func, input)).unwrap().result;
    let kept = || runner.plugins().get("p").unwrap().warm.as_ref().unwrap().len();
    assert_eq!(call("set", "key"), Ok(vec![0; 3]));
    assert_eq!((call("get", "key"), kept()), (Ok(vec![0; 5]), 1));
    assert_eq!(call("get", "another"), Ok(vec![]), "no output is left of the call before");
    // Each of these takes most of what there is, and gives it back; also to a function that is no plug-in's.
    let room = |bytes: usize| runner.values("p", "room", &[(bytes as i64).into()]).unwrap();
    let most = 2 * PAGE_BYTES - (VAR_OVERHEAD_BYTES + "key".len() + 5) - BLOCK_OVERHEAD_BYTES;
    for _ in 0..3 {
        assert_eq!((call("all", ""), kept()), (Ok(vec![]), 1));
        assert_eq!((room(most), kept()), (vec![(most as i64).into()], 1));
    }
    assert_eq!(call("get", "key"), Ok(vec![0; 5]));
    // A variable counts in later calls too, until it is taken away.
    assert_eq!((room(most + 1), kept()), (vec![0_i64.into()], 0));
    assert_eq!((call("set", "key"), call("unset", "key")), (Ok(vec![0; 3]), Ok(vec![])));
    let all = 2 * PAGE_BYTES - BLOCK_OVERHEAD_BYTES;
    assert_eq!((room(all), kept()), (vec![(all as i64).into()], 1));
    assert_eq!(call("set", "key"), Ok(vec![0; 3]));
    // What has ended is not called again, and its variables are gone with it.
    assert_eq!((call("ends", ""), kept()), (Ok(vec![0]), 0));
    assert_eq!(call("get", "key"), Ok(vec![]));
    assert_eq!((call("exits", ""), kept()), (Err(Stop::Exit(9)), 0));
}

#[test]
fn the_command_line_passes_configuration_and_tells_errors() {
    let dir = TempDir::new();
    let path = prebuilt("extism-c.wasm");
    let module = path.to_str().unwrap();
    let call = |args: &[&str]| fuelbox(&[&["call", module], args].concat());
    let ran = call(&["count_vowels", "--data", "Hello, World!"]).expect(0);
    assert_eq!(ran.text(), r#"{"count": 3, "total": 3, "vowels": "aeiouAEIOU"}"#);
    let config = ["--extism-config", "x=1", "--extism-config", "vowels=o", "--extism-config=vowels=l=W"];
    let ran = call(&[&["count_vowels", "--data", "Hello, World!"], &config[..]].concat()).expect(0);
    assert_eq!(ran.text(), r#"{"count": 4, "total": 4, "vowels": "l=W"}"#, "the last one counts");
    let ran = call(&["fail", "--data", "this"]).expect(1);
    assert_eq!(
        (ran.text().as_str(), ran.stderr.as_str()),
        ("", "fuelbox: plug-in failed: no use for: this\n")
    );
    for (wrong, said) in [("vowels", "give K=V"), ("=x", "give K=V")] {
        let ran = call(&["count_vowels", "--extism-config", wrong]).expect(2);
        assert!(ran.stderr.contains(said), "{ran:?}");
    }
    // Forced on a module that imports nothing.
    dir.write("n.wasm", wat(r#"(module (func (export "f") (result i32) (i32.const 0)))"#));
    assert_eq!(fuelbox_in(&dir.0, &["call", "n.wasm", "f", "--abi", "extism"], b"").expect(0).text(), "");
    assert_eq!(fuelbox_in(&dir.0, &["call", "n.wasm", "f"], b"").expect(0).text(), "0\n");
    // As a program runs only what is one: `_start` is not what was asked for.
    let started = wat(&format!(
        r#"(module {} (func (export "_start") unreachable) (func (export "f") (result i32) (i32.const 0)))"#,
        r#"(import "extism:host/env" "input_length" (func (result i64)))"#
    ));
    dir.write("s.wasm", started);
    let ran = fuelbox_in(&dir.0, &["call", "s.wasm", "f", "--abi", "command"], b"").expect(2);
    assert!(ran.stderr.contains("`f` is () -> i32, which does not fit the command convention"), "{ran:?}");
    let shown = fuelbox(&["inspect", module]).expect(0).text();
    assert!(shown.contains("\n  extism: count_vowels, reverse, fail, tell\n"), "{shown}");
}
