//! The command line's parser, which is pure: words in, a plain enum or a sentence out.

use fuelbox::Limits;
use fuelbox::abi::Convention;
use fuelbox::base::units::DirArg;
use fuelbox::cli::args::{Call, Command, Data, Inspect, List, Run, Shown, Source, Topic, parse};
use std::ffi::OsString;
use std::time::Duration;

fn words(line: &[&str]) -> Vec<OsString> {
    line.iter().map(OsString::from).collect()
}

pub fn ok(line: &[&str]) -> Command {
    parse(words(line)).unwrap_or_else(|error| panic!("{line:?}: {error}"))
}

#[track_caller]
pub fn refused(line: &[&str], expected: &str) {
    match parse(words(line)) {
        Err(error) => assert!(error.contains(expected), "{line:?}: {error}"),
        Ok(command) => panic!("{line:?} is {command:?}"),
    }
}

fn run(line: &[&str]) -> Run {
    match ok(&[&["run"], line].concat()) {
        Command::Run(run) => run,
        other => panic!("{other:?}"),
    }
}

fn call(line: &[&str]) -> Call {
    match ok(&[&["call"], line].concat()) {
        Command::Call(call) => call,
        other => panic!("{other:?}"),
    }
}

#[test]
fn help_is_given_for_every_command_in_every_way() {
    for line in [&[][..], &["help"], &["--help"], &["-h"]] {
        assert_eq!(ok(line), Command::Help(Topic::All), "{line:?}");
    }
    let topics = [Topic::Run, Topic::Call, Topic::Serve, Topic::List, Topic::Inspect, Topic::Health];
    for (name, topic) in ["run", "call", "serve", "list", "inspect", "health"].into_iter().zip(topics) {
        for line in [&[name, "--help"][..], &["-h", name], &["help", name]] {
            assert_eq!(ok(line), Command::Help(topic), "{line:?}");
        }
        if topic != Topic::Run {
            assert_eq!(ok(&[name, "a", "b", "-h"]), Command::Help(topic));
        }
    }
    refused(
        &["help", "fly"],
        "unknown command `fly`; the commands are run, call, serve, list, inspect, check, deploy, fleet, health and help",
    );
    refused(&["help", "run", "call"], "unexpected argument `call`");
}

#[test]
fn health_asks_where_serve_listens_unless_told() {
    let health = |line: &[&str]| match ok(&[&["health"], line].concat()) {
        Command::Health(address) => address.to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!(health(&[]), "127.0.0.1:8080");
    assert_eq!(health(&["--address=[::1]:80"]), "[::1]:80");
    assert_eq!(health(&["--address", ":9"]), "127.0.0.1:9");
    refused(&["health", "--address", "http://x"], "--address `http://x`: not an address");
}

#[test]
fn version_is_given_anywhere() {
    for line in [&["--version"][..], &["-V"], &["run", "--version"], &["call", "x", "--version"]] {
        assert_eq!(ok(line), Command::Version, "{line:?}");
    }
}

#[test]
fn unknown_words_and_flags_are_errors() {
    refused(&["fly"], "unknown command `fly`");
    refused(&["--fly"], "the command comes first, before `--fly`");
    refused(&["--fuel", "5", "run"], "--fuel");
    refused(&["-5", "run"], "the command comes first, before `-5`");
    for name in ["run", "call", "serve", "list", "inspect", "health"] {
        refused(&[name, "--fly"], "unknown flag --fly");
        refused(&[name, "-x"], "unknown flag -x");
        refused(&[name, "--fly=high"], "unknown flag --fly;");
    }
    refused(&["list", "extra"], "unexpected argument `extra`");
    refused(&["serve", "extra"], "unexpected argument `extra`");
    refused(&["inspect", "a", "b"], "unexpected argument `b`");
    refused(&["health", "extra"], "unexpected argument `extra`");
    refused(&["health", "--listen=:1"], "--listen is not a flag of `fuelbox health`; it belongs to serve");
    refused(&["call", "a", "b", "c", "--data", "d"], "give the input once");
    refused(&["run", "--data", "x", "a"], "--data is not a flag of `fuelbox run`; it belongs to call");
    refused(&["list", "--listen", "x"], "--listen is not a flag of `fuelbox list`");
}

#[test]
fn what_is_missing_is_asked_for() {
    refused(&["run"], "FILE|PLUGIN is missing");
    refused(&["call"], "FILE|PLUGIN is missing");
    refused(&["inspect"], "FILE|PLUGIN is missing");
    for (flag, value) in [
        ("--fuel", "5"),
        ("--timeout", "5s"),
        ("--memory-pages", "5"),
        ("--max-input", "5"),
        ("--max-output", "5"),
        ("--max-module", "5"),
        ("--max-recursion", "5"),
        ("--max-stack", "5KiB"),
        ("--max-table-elements", "5"),
        ("--plugins", "dir"),
    ] {
        refused(&["run", flag], &format!("{flag} needs a value"));
        refused(&["run", flag, value, flag, value, "x"], &format!("{flag} is given twice"));
        refused(&["run", &format!("{flag}={value}"), flag, value, "x"], &format!("{flag} is given twice"));
    }
    for flag in ["--data", "--data-file", "--abi"] {
        refused(&["call", "x", "f", flag], &format!("{flag} needs a value"));
    }
}

/// The limits without flags. That of a module follows the system's memory.
fn usual() -> Limits {
    let module_bytes = run(&["x"]).limits.module_bytes;
    assert!((16 << 20..=64 << 20).contains(&module_bytes), "{module_bytes}");
    Limits { module_bytes, ..Limits::default() }
}

#[test]
fn limits_are_flags_of_every_command() {
    let flags = [
        "--fuel=7_000",
        "--timeout",
        "250ms",
        "--memory-pages",
        "3",
        "--max-input=1KiB",
        "--max-output",
        "2MiB",
        "--max-module=3GiB",
        "--max-recursion",
        "11",
        "--max-stack=64KiB",
        "--max-table-elements",
        "12",
        "--dir-quota=1KiB",
        "--max-descriptors",
        "13",
        "--http-calls",
        "14",
    ];
    let limits = Limits {
        fuel: 7_000,
        deadline: Some(Duration::from_millis(250)),
        memory_pages: 3,
        input_bytes: 1 << 10,
        output_bytes: 2 << 20,
        module_bytes: 3 << 30,
        recursion: 11,
        stack_bytes: 64 << 10,
        table_elements: 12,
        dir_quota: 1 << 10,
        descriptors: 13,
        http_calls: 14,
    };
    assert_eq!(run(&[&flags[..], &["x"]].concat()).limits, limits);
    assert_eq!(call(&[&flags[..], &["x", "f"]].concat()).limits, limits);
    let list = ok(&[&["list"], &flags[..]].concat());
    assert_eq!(
        list,
        Command::List(List { limits: limits.clone(), source: Source::Default, shown: Shown::Text })
    );
    let inspect = ok(&[&["inspect", "x"], &flags[..]].concat());
    assert_eq!(
        inspect,
        Command::Inspect(Inspect { target: "x".into(), limits, source: Source::Default, shown: Shown::Text })
    );
    assert_eq!(run(&["x"]).limits, usual());
    assert_eq!(run(&["--timeout", "none", "x"]).limits.deadline, None);
}

#[test]
fn limits_that_nothing_could_run_under_are_refused() {
    for (flag, value) in [
        ("--fuel", "0"),
        ("--timeout", "0s"),
        ("--memory-pages", "65537"),
        ("--max-recursion", "0"),
        ("--max-stack", "4095"),
        ("--max-descriptors", "2"),
        ("--max-descriptors", "65537"),
        ("--fuel", "-1"),
        ("--fuel", "18446744073709551616"),
        ("--fuel", "1e9"),
        ("--memory-pages", "4294967296"),
        ("--timeout", "5"),
        ("--timeout", "fast"),
        ("--max-input", "1KB"),
        ("--max-input", "1.5MiB"),
        ("--max-input", "KiB"),
    ] {
        refused(&["run", &format!("{flag}={value}"), "x"], flag);
    }
    assert_eq!(run(&["--fuel", "18446744073709551615", "x"]).limits.fuel, u64::MAX);
    assert_eq!(run(&["--memory-pages", "65536", "x"]).limits.memory_pages, 65_536);
    assert_eq!(run(&["--memory-pages", "0", "x"]).limits.memory_pages, 0);
}

#[test]
fn flags_of_run_come_before_the_module() {
    let it = run(&["a.wasm", "f", "-1", "2.5", "-3e7", "-inf", "0x10"]);
    assert_eq!((it.target, it.words), ("a.wasm".into(), words(&["f", "-1", "2.5", "-3e7", "-inf", "0x10"])));
    assert!(!it.report && it.guest_env.env.is_empty() && it.source == Source::Default);
    let it = run(&["--report", "--env", "A=1", "--env=B", "--plugins", "dir", "a.wasm", "f"]);
    assert!(it.report && it.source == Source::Folder("dir".into()));
    assert_eq!(it.guest_env.env, ["A=1", "B"]);
    assert_eq!((it.target, it.words), ("a.wasm".into(), words(&["f"])));
    assert!(it.confine && !run(&["--confine", "off", "a.wasm", "f"]).confine);
    refused(&["run", "--confine", "no", "a.wasm"], "--confine");
    // A value is no module, whatever it looks like.
    let it = run(&["--env", "b.wasm", "--env", "--", "--env=--", "a.wasm"]);
    assert_eq!((it.target, it.guest_env.env), ("a.wasm".into(), words(&["b.wasm", "--", "--"])));
    assert_eq!(run(&["--invoke", "add(1, 2)", "a.wasm"]).invoke.as_deref(), Some("add(1, 2)"));
}

#[test]
fn what_follows_the_module_is_the_guests() {
    for line in [
        &["a.wasm", "--fuel", "-x", "--", "--help"][..],
        &["a.wasm", "--", "--fuel", "-x", "--", "--help"],
        &["--", "a.wasm", "--fuel", "-x", "--", "--help"],
    ] {
        let it = run(line);
        assert_eq!((it.target, it.limits), ("a.wasm".into(), usual()), "{line:?}");
        assert_eq!(it.words, ["--fuel", "-x", "--", "--help"], "{line:?}");
    }
    for last in ["--version", "--help", "-h", "-V", "--fuel=1", "--invoke"] {
        assert_eq!(run(&["a.wasm", last]).words, [last]);
        assert_eq!(run(&["a.wasm", "--", last]).words, [last]);
        assert_eq!(run(&["--report", "--", "a.wasm", last]).words, [last]);
    }
    assert_eq!(run(&["--", "--odd.wasm", "--"]).words, ["--"]);
    assert_eq!(run(&["--", "--odd.wasm"]).target, "--odd.wasm");
    refused(&["run", "--"], "FILE|PLUGIN is missing");
    for name in ["call", "serve", "list", "inspect"] {
        refused(&[name, "x", "--", "y"], "`--` belongs to `fuelbox run`");
    }
}

#[test]
fn a_module_in_the_place_of_a_command_is_run() {
    for (line, target) in [
        (&["a.wasm", "x", "--fuel"][..], "a.wasm"),
        (&["a.wat", "x", "--fuel"], "a.wat"),
        (&["./a", "x", "--fuel"], "./a"),
        (&["/bin/a", "--", "x", "--fuel"], "/bin/a"),
    ] {
        let Command::Run(it) = ok(line) else { panic!("{line:?}") };
        assert_eq!((it.target, it.words), (target.into(), words(&["x", "--fuel"])));
    }
    for word in ["wasm", ".wasmx", "a", "awasm", "--a.wasm", "-x/y"] {
        assert!(parse(words(&[word])).is_err(), "{word}");
    }
}

#[test]
fn call_takes_its_input_once() {
    assert_eq!(call(&["x", "f"]).data, Data::Piped);
    let lone = call(&["x", "-"]);
    assert_eq!((lone.func, lone.data), (None, Data::Stdin));
    assert_eq!(call(&["x"]).func, None);
    assert_eq!(call(&["x", "f", "--data", ""]).data, Data::Text("".into()));
    for text in ["", "-", "a=b", "=", "\"quoted\"", "'", "{\"a\": 1}"] {
        assert_eq!(call(&["x", "f", &format!("--data={text}")]).data, Data::Text(text.into()), "{text}");
        assert_eq!(call(&["x", "f", "--data", text]).data, Data::Text(text.into()), "{text}");
    }
    assert_eq!(call(&["x", "f", "--data", "--abi=packed"]).data, Data::Text("--abi=packed".into()));
    assert_eq!(call(&["x", "f", "--data-file", "-x"]).data, Data::File("-x".into()));
    assert_eq!(call(&["x", "f", "-"]).data, Data::Stdin);
    let module = call(&["-", "f"]);
    assert_eq!((module.target, module.func, module.data), ("-".into(), Some("f".into()), Data::Piped));
    assert_eq!(call(&["x", "-", "f"]).data, Data::Stdin);
    for line in [["--data", "a", "-", ""], ["--data", "a", "--data-file", "b"], ["-", "--data-file", "b", ""]]
    {
        let line: Vec<&str> = ["call", "x", "f"].into_iter().chain(line).filter(|w| !w.is_empty()).collect();
        refused(&line, "give the input once");
    }
    assert_eq!(call(&["x", "f", "--abi", "packed"]).convention, Some(Convention::Packed));
    assert_eq!(call(&["x", "f", "--abi", "extism"]).convention, Some(Convention::Extism));
    refused(&["call", "x", "f", "--abi", "magic"], "use command, packed, numeric, extism or component");
}

#[test]
#[cfg(unix)]
fn words_that_are_no_utf_8_are_bytes_or_refused() {
    use std::os::unix::ffi::OsStringExt;
    let odd = || OsString::from_vec(b"\xff".to_vec());
    let Ok(Command::Run(run)) = parse(vec!["run".into(), odd(), "--".into(), odd()]) else { panic!() };
    assert_eq!((run.target, run.words), (odd(), vec![odd()]));
    let Ok(Command::Call(call)) = parse(vec!["call".into(), "x".into(), "f".into(), "--data".into(), odd()])
    else {
        panic!()
    };
    assert_eq!(call.data, Data::Text(odd()));
    for line in
        [vec!["call".into(), "x".into(), odd()], vec![odd()], vec!["run".into(), "--fuel".into(), odd()]]
    {
        assert!(parse(line.clone()).is_err(), "{line:?}");
    }
}

#[test]
fn a_value_that_looks_like_a_flag_is_a_value() {
    for text in ["-V", "--version", "-h", "--help", "--report", "--fuel", "--deterministic", "--env", "-"] {
        let it = call(&["greet", "greet", &format!("--data={text}")]);
        assert_eq!(it.data, Data::Text(text.into()), "{text}");
        assert!(!it.report && it.guest_env.seed.is_none());
        let it = call(&["greet", "greet", "--data", text]);
        assert_eq!(it.data, Data::Text(text.into()), "{text}");
    }
    assert_eq!(run(&["--env", "--report", "x"]).guest_env.env, ["--report"]);
}

#[test]
fn directories_are_host_guest_and_read_only() {
    let dir = |text: &str| run(&["--dir", text, "x"]).guest_env.dirs.remove(0);
    let expected =
        |host: &str, guest: &str, read_only| DirArg { host: host.into(), guest: guest.into(), read_only };
    assert_eq!(dir("a"), expected("a", "a", false));
    assert_eq!(dir("a:ro"), expected("a", "a", true));
    assert_eq!(dir("/a/b::/c"), expected("/a/b", "/c", false));
    assert_eq!(dir("a::b:ro"), expected("a", "b", true));
    assert_eq!(dir("a:b::c"), expected("a:b", "c", false));
    assert_eq!(run(&["--dir=a", "--dir", "b::c", "x"]).guest_env.dirs.len(), 2);
    for wrong in ["", "::", "::b", "a::", ":ro", "a:::ro", "a:b", "a:r0", "a::b:r0", "a::b:RO", "a::b::c"] {
        refused(&["run", "--dir", wrong, "x"], "--dir");
    }
    refused(&["run", "--dir", "a::c", "--dir", "b::c", "x"], "two directories the same name `c`");
    refused(&["run", "--dir"], "--dir needs a value");
    refused(&["serve", "--dir", "a"], "--dir");
}

#[test]
fn a_seed_is_for_reproducible_runs() {
    assert_eq!(run(&["x"]).guest_env.seed, None);
    assert_eq!(run(&["--deterministic", "x"]).guest_env.seed, Some(0));
    assert_eq!(run(&["--seed=7", "--deterministic", "x"]).guest_env.seed, Some(7));
    refused(&["run", "--seed", "7", "x"], "--seed needs --deterministic");
    refused(&["run", "--deterministic", "--seed", "-1", "x"], "--seed -1: less than 0");
}
