//! The table of flags and the parser agree: names, values, ranges, commands. What is mistyped is told from what is near.

use fuelbox::base::limits::{DoorLimits, Limits, WarmLimits};
use fuelbox::cli::args::table::commands::COMMANDS;
use fuelbox::cli::args::table::flag::{Flag, Range, Unit};
use fuelbox::cli::args::table::lookup::{flags, flags_of, name_of};
use fuelbox::cli::args::{Command, Topic, parse};
use fuelbox::{Convention, cli::args::Serve};
use std::collections::BTreeSet;
use std::ffi::OsString;

fn parsed(words: &[&str]) -> Result<Command, String> {
    parse(words.iter().map(OsString::from).collect())
}

/// A command line of `topic` that is complete without flags.
fn complete(topic: Topic) -> Vec<&'static str> {
    let operands: &[&str] = match topic {
        Topic::Run | Topic::Inspect | Topic::Check => &["x"],
        Topic::Call | Topic::Deploy => &["x", "f"],
        Topic::Fleet => &["--nats", "nats://x", "--nats-plugins", "b"],
        _ => &[],
    };
    [&[name_of(topic)], operands].concat()
}

/// A value that the flag takes.
fn value_of(flag: &Flag) -> String {
    match (flag.name, flag.value.unwrap()) {
        (_, "ADDRESS:PORT") => "127.0.0.1:1".into(),
        (_, "ADDRESS[/BITS]") => "192.0.2.1/32".into(),
        ("--allow-http" | "--policy-http", _) => "https://a.example/*".into(),
        (_, "K=V" | "K[=V]") => "k=v".into(),
        _ if !flag.choices().is_empty() => {
            let usual = flag.default.map(|default| default());
            flag.choices().into_iter().find(|choice| Some(*choice) != usual.as_deref()).unwrap().into()
        }
        // It must not be larger than --max-input and --body-budget.
        ("--max-body", _) => "1KiB".into(),
        ("--nats", _) => "nats://y".into(),
        ("--canary", _) => "10%".into(),
        (_, "SIZE") => "2MiB".into(),
        (_, "N" | "PERCENT") => flag.range.map_or(0, |range| range.least).max(1).to_string(),
        (_, "TIME" | "TIME|none") => "7s".into(),
        _ => "text".into(),
    }
}

/// The command line of `topic` with the flag.
fn with(topic: Topic, flag: &Flag, value: Option<&str>) -> Vec<String> {
    let seeded = if flag.name == "--seed" { &["--deterministic"][..] } else { &[] };
    let flag: Vec<&str> = [flag.name].into_iter().chain(value).chain(seeded.iter().copied()).collect();
    let mut whole = complete(topic);
    if topic == Topic::Deploy && flag.contains(&"--all") {
        // Instead of a host.
        whole.remove(1);
    }
    if topic == Topic::Deploy && ["--rollback", "--to"].iter().any(|name| flag.contains(name)) {
        // Instead of a file.
        whole.truncate(2);
    }
    if flag.contains(&"--nats") || flag.contains(&"--nats-plugins") {
        // In the place of the usual one.
        let at = whole.iter().position(|word| *word == flag[0]);
        at.into_iter().for_each(|at| drop(whole.drain(at..at + 2)));
    }
    if topic == Topic::Fleet {
        let words: &[&str] = match flag[0] {
            "--policy" | "--signature" | "--name" | "--canary" | "--wait" => &["deploy", "x"],
            "--replicas" => &["init"],
            _ => &[],
        };
        whole.extend(words);
    }
    let of_fleet = table_of_fleet(flag[0]).filter(|_| topic == Topic::Serve);
    if of_fleet.is_some_and(|name| name != "--nats") {
        whole.extend(["--nats", "nats://x", "--plugins", "p"]);
    }
    let for_to = if flag.contains(&"--to") { &["--rollback", "n"][..] } else { &[] };
    whole.extend(for_to);
    // Behind the module, words of `run` are the guest's.
    let words = [&whole[..1], &flag, &whole[1..]].concat();
    words.into_iter().map(String::from).collect()
}

/// The flag, if it is one of those of `serve` that need `--nats`.
fn table_of_fleet(name: &str) -> Option<&str> {
    (name.starts_with("--nats") || name == "--spill").then_some(name)
}

/// Whether this build cannot know what is asked for.
fn needs_nats(topic: Topic, flag: Option<&Flag>) -> bool {
    !cfg!(feature = "nats")
        && (topic == Topic::Fleet || flag.is_some_and(|flag| table_of_fleet(flag.name).is_some()))
}

fn parsed_with(topic: Topic, flag: &Flag, value: Option<&str>) -> Result<Command, String> {
    parse(with(topic, flag, value).into_iter().map(OsString::from).collect())
}

#[test]
fn a_command_takes_the_flags_that_the_table_gives_it_and_no_others() {
    for topic in COMMANDS.iter().map(|command| command.topic) {
        assert!(parsed(&complete(topic)).is_ok() || needs_nats(topic, None), "{topic:?}");
        for flag in flags() {
            let value = flag.value.map(|_| value_of(flag));
            let taken = parsed_with(topic, flag, value.as_deref());
            if ["--allow-http", "--policy-http"].contains(&flag.name)
                && !cfg!(feature = "http")
                && flag.commands.contains(&topic)
            {
                assert!(taken.unwrap_err().contains("without the cargo feature `http`"));
            } else if flag.commands.contains(&topic) && needs_nats(topic, Some(flag)) {
                let is_alone = ["--help", "--version"].contains(&flag.name);
                assert!(is_alone || taken.unwrap_err().contains("without the cargo feature `nats`"));
            } else if flag.commands.contains(&topic) {
                assert!(taken.is_ok(), "{topic:?} {}: {taken:?}", flag.name);
                assert_ne!(taken, parsed(&complete(topic)), "{topic:?} {} changes nothing", flag.name);
            } else {
                let error = taken.unwrap_err();
                assert!(error.starts_with(&format!("{} is not a flag of", flag.name)), "{error}");
            }
        }
    }
}

#[test]
fn the_parser_names_no_flag_that_the_table_does_not_have() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli/args");
    let mut named = BTreeSet::new();
    for file in ["parse.rs", "flags.rs", "serve.rs", "fleet.rs"] {
        let source = std::fs::read_to_string(folder.join(file)).unwrap();
        let literals = source.split("(\"--").chain(source.split(", \"--")).skip(1);
        named.extend(literals.map(|rest| format!("--{}", rest.split('"').next().unwrap())));
    }
    named.retain(|name| {
        name.len() > 2 && name[2..].bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
    });
    let known: BTreeSet<String> = flags().map(|flag| flag.name.to_string()).collect();
    assert_eq!(named.difference(&known).collect::<Vec<_>>(), Vec::<&String>::new());
    assert_eq!(known.difference(&named).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn the_table_is_sound() {
    let mut names = BTreeSet::new();
    for flag in flags() {
        assert!(flag.name.starts_with("--") && flag.name.len() > 3, "{}", flag.name);
        assert!(names.insert(flag.name), "{} is there twice", flag.name);
        assert!(!flag.commands.is_empty() && !flag.help.is_empty(), "{}", flag.name);
        assert!(!flag.in_file || flag.commands.contains(&Topic::Serve), "{}", flag.name);
        assert!(flag.value.is_some() || flag.default.is_none() && flag.range.is_none(), "{}", flag.name);
        for choice in flag.choices() {
            let taken = parsed_with(flag.commands[0], flag, Some(choice));
            assert!(
                taken.is_ok() || needs_nats(flag.commands[0], Some(flag)),
                "{} {choice}: {taken:?}",
                flag.name
            );
        }
    }
    let abi = flags().find(|flag| flag.name == "--abi").unwrap();
    assert_eq!(abi.choices(), Convention::ALL.map(Convention::name));
}

#[test]
fn the_defaults_of_the_table_are_those_of_the_program() {
    let usual = parsed(&["serve"]).unwrap();
    let mut seen = 0;
    for flag in flags_of(Topic::Serve) {
        let Some(default) = flag.default.map(|default| default()) else { continue };
        let value = default.split(',').next().unwrap();
        let is_told_in_words = value.contains(' ') || value == "none" || flag.name == "--plugins";
        if is_told_in_words {
            continue;
        }
        assert_eq!(
            parsed_with(Topic::Serve, flag, Some(value)).as_ref(),
            Ok(&usual),
            "{} {value}",
            flag.name
        );
        seen += 1;
    }
    assert!(seen > 25, "{seen}");
    let Command::Serve(Serve { limits, door, warm, .. }) = usual else { panic!() };
    // This one follows the system's memory.
    let module_bytes = limits.module_bytes;
    assert!((16 << 20..=64 << 20).contains(&module_bytes), "{module_bytes}");
    let usual = Limits { module_bytes, ..Limits::default() };
    assert_eq!((limits, door, warm), (usual, DoorLimits::default(), WarmLimits::default()));
}

fn shown(value: u64, unit: Unit) -> String {
    if unit == Unit::Time { format!("{value}ns") } else { value.to_string() }
}

/// Whether `value` is taken; an error names the flag, the value and the range.
#[track_caller]
fn takes(topic: Topic, flag: &Flag, range: Range, value: u64) -> bool {
    let text = shown(value, range.unit);
    match parsed_with(topic, flag, Some(&text)) {
        Ok(_) => true,
        Err(error) => {
            let expected = format!("{} {text}: {}", flag.name, range.refusal());
            assert!(error.starts_with(&expected), "{topic:?} {error}");
            false
        }
    }
}

#[test]
fn a_range_ends_where_the_table_says() {
    let mut seen = 0;
    for flag in flags() {
        let Some(range) = flag.range else { continue };
        for topic in flag.commands.iter().filter(|topic| !needs_nats(**topic, None)) {
            if let Some(below) = range.least.checked_sub(1) {
                assert!(!takes(*topic, flag, range, below), "{}", flag.name);
            }
            assert!(takes(*topic, flag, range, range.least), "{}", flag.name);
            assert!(takes(*topic, flag, range, range.least + 1), "{}", flag.name);
            if let Some(most) = range.most {
                assert!(takes(*topic, flag, range, most - 1), "{}", flag.name);
                assert!(takes(*topic, flag, range, most), "{}", flag.name);
                assert!(!takes(*topic, flag, range, most + 1), "{}", flag.name);
            }
            seen += 1;
        }
    }
    assert!(seen > 40, "{seen}");
}

#[test]
fn a_number_that_no_type_holds_is_out_of_range_too() {
    for (words, expected) in [
        (
            ["serve", "--workers", "99999999999999999999999"],
            "--workers 99999999999999999999999: not in 1 to 512",
        ),
        (["serve", "--workers", "-1"], "--workers -1: not in 1 to 512"),
        (["list", "--fuel", "-1"], "--fuel -1: less than 1"),
        (
            ["list", "--fuel", "18446744073709551616"],
            "--fuel 18446744073709551616: not in 1 to 18446744073709551615",
        ),
        (["list", "--memory-pages", "4294967296"], "--memory-pages 4294967296: not in 0 to 65536"),
        (["serve", "--client-share", "0"], "--client-share 0: not in 1% to 100%"),
        (["serve", "--client-share", "101%"], "--client-share 101%: not in 1% to 100%"),
        (["list", "--timeout", "0s"], "--timeout 0s: less than 1ns; `none` sets no limit"),
        (["list", "--fuel", "1e9"], "--fuel `1e9`: not a whole number in range"),
        (["list", "--timeout", "5"], "--timeout `5`: not a time: give one like 500ms, 5s or 2m, or `none`"),
        (["serve", "--log-format", "xml"], "--log-format `xml`: use text or json"),
        (["serve", "--access-log", "yes"], "--access-log `yes`: use on or off"),
        (["help", "--completions", "sh"], "--completions `sh`: use bash, zsh or fish"),
    ] {
        assert_eq!(parsed(&words), Err(expected.into()));
    }
}

#[test]
fn what_is_mistyped_is_told_from_what_is_near() {
    for (words, expected) in [
        (&["srve"][..], "unknown command `srve`; did you mean `serve`?"),
        (&["help", "cal"], "unknown command `cal`; did you mean `call`?"),
        (&["instpect", "x"], "unknown command `instpect`; did you mean `inspect`?"),
        (&["run", "--fule", "1", "x"], "unknown flag --fule; did you mean --fuel?"),
        (&["run", "--fule=1", "x"], "unknown flag --fule; did you mean --fuel?"),
        (&["run", "-fuel", "1", "x"], "unknown flag -fuel; did you mean --fuel?"),
        (
            &["serve", "--max-connection", "1"],
            "unknown flag --max-connection; did you mean --max-connections?",
        ),
        (&["serve", "--acces-log=on"], "unknown flag --acces-log; did you mean --access-log?"),
        (&["list", "--time", "1s"], "unknown flag --time; did you mean --timeout?"),
        (&["run", "--hlep"], "unknown flag --hlep; did you mean --help?"),
        (&["--hlep"], "unknown flag --hlep; did you mean --help?"),
        (&["--verison"], "unknown flag --verison; did you mean --version?"),
        // Only what the command takes is offered.
        (&["health", "--lsten", ":1"], "unknown flag --lsten; `fuelbox health --help` lists the flags"),
        (&["run", "--fly", "x"], "unknown flag --fly; the arguments of a program follow the module"),
        (&["list", "--report"], "--report is not a flag of `fuelbox list`; it belongs to run and call"),
        (&["run", "--report=yes", "x"], "--report takes no value"),
        (&["run", "--report", "--report", "x"], "--report is given twice"),
        (&["call", "x", "f", "--data"], "--data needs a value: --data TEXT"),
        (&["run", "--fuel", "--report", "x"], "--fuel needs a value: --fuel N"),
        (&["list", "x"], "unexpected argument `x`; see `fuelbox list --help`"),
        (&["--fly"], "the command comes first, before `--fly`: fuelbox COMMAND [FLAG...]"),
        (&["check"], "DIR is missing; see `fuelbox check --help`"),
    ] {
        assert_eq!(parsed(words), Err(expected.into()), "{words:?}");
    }
}
