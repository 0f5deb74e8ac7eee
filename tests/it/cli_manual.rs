//! The manual page and the completions: every flag is in them, and the programs that read them do.

use crate::support::fuelbox;
use fuelbox::cli::args::values::KNOWN_FLAGS;
use fuelbox::cli::help::completions::{Shell, script};
use fuelbox::cli::help::manual::{flags, page};
use std::io::Write;
use std::process::{Command, Stdio};

/// Flags as the help lists them, over all commands.
fn listed() -> Vec<String> {
    let mut names = Vec::new();
    for command in ["run", "call", "serve", "list", "inspect", "check", "health", "help"] {
        let help = fuelbox(&[command, "--help"]).expect(0).text();
        for flag in flags(&help) {
            assert!(!flag.text.is_empty(), "{command}: {flag:?}");
            names.extend(flag.names().into_iter().filter(|name| name.len() > 1).map(str::to_string));
        }
    }
    names.sort();
    names.dedup();
    names
}

#[test]
fn every_flag_is_in_the_help_and_so_in_what_is_made_of_it() {
    let mut known: Vec<String> = KNOWN_FLAGS.iter().map(|name| name.to_string()).collect();
    known.sort();
    assert_eq!(listed(), known);
    let page = page();
    for name in &known {
        assert!(page.contains(&name.replace('-', "\\-")), "{name} is not in the manual page");
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let shown = if shell == Shell::Fish { format!("-l {}", &name[2..]) } else { name.clone() };
            assert!(script(shell).contains(&shown), "{name} is not in {shell:?}");
        }
    }
}

#[test]
fn a_flag_is_read_from_the_help_as_it_is_written() {
    let found = flags(
        "Text --not-one\n\nFlags:\n  --dir HOST[::GUEST][:ro]   open it, as\n                             GUEST (repeatable)\n  \
         --a, --b\n                             for both\n  --report                   print\nEnd --none\n",
    );
    let found: Vec<_> =
        found.iter().map(|flag| (flag.names(), flag.takes_value(), flag.text.as_str())).collect();
    let expected = [
        (vec!["--dir"], true, "open it, as GUEST (repeatable)"),
        (vec!["--a", "--b"], false, "for both"),
        (vec!["--report"], false, "print"),
    ];
    assert_eq!(found, expected);
}

/// What `program ARGS` says to `input`; none where it is not installed.
fn say(program: &str, args: &[&str], input: &str) -> Option<(bool, String)> {
    let mut command = Command::new(program);
    let spawned =
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = spawned.ok()?;
    child.stdin.take()?.write_all(input.as_bytes()).ok()?;
    let output = child.wait_with_output().ok()?;
    let text = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8_lossy(&text).into_owned()))
}

#[test]
fn bash_completes_commands_flags_and_values() {
    let complete = |words: &str| {
        let last = words.split(' ').count() - 1;
        let script = format!(
            "{}\nCOMP_WORDS=({words}); COMP_CWORD={last}; _fuelbox; echo \"${{COMPREPLY[*]}}\"",
            script(Shell::Bash)
        );
        // An empty word to complete is written as such.
        say("bash", &["--norc"], &script.replace("@", "''"))
    };
    let Some(first) = complete("fuelbox se") else { return eprintln!("there is no bash here") };
    assert_eq!(first, (true, "serve\n".into()));
    assert_eq!(complete("fuelbox serve --warm-m").unwrap().1, "--warm-memory\n");
    assert_eq!(complete("fuelbox serve --log-format j").unwrap().1, "json\n");
    assert_eq!(complete("fuelbox health --a").unwrap().1, "--address\n");
    assert!(complete("fuelbox call x f --abi @").unwrap().1.contains("packed"));
}

#[test]
fn the_other_programs_read_it_without_complaint() {
    for (program, args, text) in [
        ("zsh", &["-n"][..], script(Shell::Zsh)),
        ("fish", &["--no-execute"], script(Shell::Fish)),
        ("groff", &["-man", "-Tutf8", "-ww", "-z"], page()),
    ] {
        match say(program, args, &text) {
            Some((is_ok, said)) => assert!(is_ok && said.is_empty(), "{program}: {said}"),
            None => eprintln!("there is no {program} here"),
        }
    }
}

#[test]
fn one_thing_at_a_time_is_asked_for() {
    assert!(fuelbox(&["help", "--man"]).expect(0).text().starts_with(".TH FUELBOX 1"));
    assert!(fuelbox(&["help", "--completions", "fish"]).expect(0).text().starts_with("# fish"));
    for wrong in [
        &["help", "--man", "run"][..],
        &["help", "--man", "--completions", "zsh"],
        &["help", "--completions", "sh"],
        &["help", "--completions"],
        &["run", "--man"],
    ] {
        fuelbox(wrong).expect(2);
    }
}
