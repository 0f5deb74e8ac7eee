//! The completions of shells: what is offered where, and that no name which a module or a file chose is more than a word.

use crate::skip::skip;
use crate::support::{TempDir, fuelbox, fuelbox_in, fuelbox_program, prebuilt, wat};
use fuelbox::cli::args::Shell;
use fuelbox::cli::args::table::commands::COMMANDS;
use fuelbox::cli::args::table::lookup::flags;
use fuelbox::cli::help::completions::script::script;
use std::io::Write;
use std::process::{Command, Stdio};

/// Names that would do something if a shell read them as code. `touch` would leave a file behind.
const HOSTILE: &[&str] = &[
    "plain",
    "it's",
    "\"q",
    "$(touch pwned)",
    "`touch pwned`",
    "a;touch pwned",
    "a & touch pwned",
    "a|touch pwned",
    "';touch pwned;'",
    "\");touch pwned;(\"",
    "a b",
    "*",
    "!!",
    "a\\b",
    "~/x",
    "${IFS}",
    "{a,b}",
    "[desc]:x",
    "#x",
    "a=b",
    "<(touch pwned)",
    "ü",
];

/// Names that are left out: they are not on one line, a terminal would act on them, or they would be taken for a flag.
const LEFT_OUT: &[&str] =
    &["a\ntouch pwned", "\u{1b}]0;x\u{7}", "a\rb", "t\tt", "\u{202e}x", "\u{7f}", "-x", "--fuel=1", ""];

/// A directory with a plug-in folder, some files, and a module that exports all these names.
fn place() -> TempDir {
    let dir = TempDir::new();
    let escaped = |name: &str| name.bytes().map(|byte| format!("\\{byte:02x}")).collect::<String>();
    let names = HOSTILE.iter().chain(LEFT_OUT).map(|name| format!("(export \"{}\" (func 0))", escaped(name)));
    let module = format!("(module (func (result i32) i32.const 1) {})", names.collect::<String>());
    dir.write("hostile.wasm", wat(&module));
    dir.write("notes.txt", "");
    std::fs::create_dir(dir.0.join("plugins")).unwrap();
    for name in HOSTILE.iter().chain(LEFT_OUT).filter(|name| !name.contains('/') && !name.is_empty()) {
        std::fs::copy(prebuilt("add.wasm"), dir.0.join("plugins").join(format!("{name}.wasm"))).unwrap();
    }
    dir
}

/// What `program ARGS` says to `input` in `dir`, and whether it ended well; none where it is not
/// installed, which is said.
fn say_in(dir: &TempDir, program: &str, args: &[&str], input: &str) -> Option<(bool, String)> {
    let mut command = Command::new(program);
    command.args(args).current_dir(&dir.0).env("HOME", &dir.0);
    let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let Ok(mut child) = spawned else {
        skip(&format!("{program} is not installed"));
        return None;
    };
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8_lossy(&text).into_owned()))
}

/// The same in a directory of its own.
pub fn say(program: &str, args: &[&str], input: &str) -> Option<(bool, String)> {
    say_in(&TempDir::new(), program, args, input)
}

/// What bash offers after these words, each as it is when the line is run: the number of words, and the first of them.
fn bash(dir: &TempDir, words: &[&str]) -> Option<Vec<String>> {
    let quoted: Vec<String> = words.iter().map(|word| format!("'{}'", word.replace('\'', "'\\''"))).collect();
    let input = format!(
        "{}\nCOMP_WORDS=('{}' {}); COMP_CWORD={}; _fuelbox\n\
         for reply in \"${{COMPREPLY[@]}}\"; do eval \"set -- $reply\"; printf '%s:%s\\n' \"$#\" \"$1\"; done",
        script(Shell::Bash),
        fuelbox_program().display(),
        quoted.join(" "),
        words.len()
    );
    let (is_ok, said) = say_in(dir, "bash", &["--norc"], &input)?;
    assert!(is_ok, "{words:?}: {said}");
    Some(said.lines().map(String::from).collect())
}

#[track_caller]
fn bash_offers(dir: &TempDir, words: &[&str], expected: &[&str]) {
    let Some(offered) = bash(dir, words) else { return };
    let expected: Vec<String> = expected.iter().map(|word| format!("1:{word}")).collect();
    assert_eq!(offered, expected, "{words:?}");
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

/// The names of `HOSTILE` as `prefix` puts them, sorted.
fn expected(prefix: &str) -> Vec<String> {
    sorted(HOSTILE.iter().map(|name| format!("{prefix}{name}")).collect())
}

#[test]
fn names_are_printed_one_on_a_line_and_without_those_that_do_not_fit() {
    let dir = place();
    let ran = fuelbox_in(&dir.0, &["inspect", "--names", "hostile.wasm"], b"").expect(0);
    assert_eq!(ran.text().lines().collect::<Vec<_>>(), HOSTILE);
    assert!(ran.stderr.is_empty(), "{ran:?}");
    let ran = fuelbox_in(&dir.0, &["list", "--names"], b"").expect(0);
    let files = HOSTILE.iter().filter(|name| !name.contains('/')).map(|name| name.to_string());
    assert_eq!(sorted(ran.text().lines().map(String::from).collect()), sorted(files.collect()));
    // Nothing is loaded: a file that is no module has a name as well.
    dir.write("plugins/rubbish.wasm", "rubbish");
    assert!(fuelbox_in(&dir.0, &["list", "--names"], b"").expect(0).text().contains("\nrubbish\n"));
    fuelbox_in(&dir.0, &["inspect", "--names", "rubbish"], b"").expect(120);
    let built_in = fuelbox(&["list", "--names"]).expect(0);
    assert!(built_in.text().contains("greet\n") && built_in.stderr.contains("built into fuelbox"));
    assert_eq!(fuelbox(&["inspect", "--names", "greet"]).expect(0).text(), "greet\n");
}

#[test]
fn every_flag_and_command_is_in_every_script() {
    for (shell, before) in [(Shell::Bash, "--"), (Shell::Zsh, "--"), (Shell::Fish, "-l ")] {
        let script = script(shell);
        for flag in flags() {
            assert!(script.contains(&format!("{before}{}", &flag.name[2..])), "{} {shell:?}", flag.name);
        }
        for command in COMMANDS {
            assert!(script.contains(command.name), "{} {shell:?}", command.name);
        }
    }
}

#[test]
fn bash_completes_commands_flags_and_values() {
    let dir = place();
    std::fs::create_dir(dir.0.join("of mine")).unwrap();
    bash_offers(&dir, &["se"], &["serve"]);
    bash_offers(&dir, &["--v"], &["--version"]);
    bash_offers(&dir, &["help", "ca"], &["call"]);
    bash_offers(&dir, &["serve", "--warm-m"], &["--warm-memory"]);
    bash_offers(&dir, &["health", "--a"], &["--address"]);
    bash_offers(&dir, &["health", "--l"], &[]);
    bash_offers(&dir, &["serve", "--log-format", "j"], &["json"]);
    bash_offers(&dir, &["serve", "--log-format", "=", "j"], &["json"]);
    bash_offers(&dir, &["serve", "--log-format", "="], &["text", "json"]);
    bash_offers(
        &dir,
        &["call", "x", "f", "--abi", ""],
        &["command", "packed", "numeric", "extism", "component"],
    );
    bash_offers(&dir, &["serve", "--workers", ""], &[]);
    bash_offers(&dir, &["check", "of"], &["of mine/"]);
    bash_offers(&dir, &["check", "of\\ "], &["of mine/"]);
    bash_offers(&dir, &["serve", "--plugins", "plug"], &["plugins/"]);
    bash_offers(&dir, &["call", "x", "f", "--data-file", "no"], &["notes.txt"]);
    bash_offers(&dir, &["run", "x", "--", "no"], &["notes.txt"]);
    // bash is left alone within quotes.
    bash_offers(&dir, &["call", "'pl"], &[]);
}

#[test]
fn bash_completes_plugins_modules_and_functions() {
    let dir = place();
    bash_offers(&dir, &["call", "pl"], &["plain", "plugins/"]);
    bash_offers(&dir, &["inspect", "ho"], &["hostile.wasm"]);
    bash_offers(&dir, &["run", "no"], &[]);
    bash_offers(&dir, &["run", "--fuel", "5", "plain", "a"], &["add"]);
    bash_offers(&dir, &["run", "--env", "A", "=", "1", "--report", "plain", ""], &["add"]);
    bash_offers(&dir, &["call", "it\\'s", "a"], &["add"]);
    bash_offers(&dir, &["call", "'it'\\''s'", "a"], &[]);
    bash_offers(&dir, &["call", "\"a b\"", "a"], &["add"]);
    bash_offers(&dir, &["call", "hostile.wasm", "pl"], &["plain"]);
    // What cannot be told is not told, and nothing is said of it.
    bash_offers(&dir, &["call", "notes.txt", ""], &[]);
    bash_offers(&dir, &["call", "none.wasm", ""], &[]);
    bash_offers(&dir, &["call", "--plugins", "none", "pl"], &["plugins/"]);
    let other = TempDir::new();
    bash_offers(
        &other,
        &["call", "--plugins", &dir.0.join("plugins").display().to_string(), "pl"],
        &["plain"],
    );
    bash_offers(&other, &["call", "ad"], &["add"]);
}

#[test]
fn hostile_names_are_words_in_bash() {
    let dir = place();
    let Some(offered) = bash(&dir, &["call", "hostile.wasm", ""]) else { return };
    assert_eq!(sorted(offered), expected("1:"));
    let plugins = bash(&dir, &["call", ""]).unwrap();
    for name in HOSTILE.iter().filter(|name| !name.contains('/')) {
        assert!(plugins.contains(&format!("1:{name}")), "{name}: {plugins:?}");
    }
    for name in HOSTILE.iter().filter(|name| !name.contains('/')) {
        // The names as what is typed, and as the target.
        bash(&dir, &["call", name]).unwrap();
        bash(&dir, &["call", name, ""]).unwrap();
        bash(&dir, &["call", "hostile.wasm", name]).unwrap();
    }
    assert!(!dir.0.join("pwned").exists(), "a name was run");
}

#[test]
fn hostile_names_are_words_in_zsh() {
    let dir = place();
    // Outside of a completion there is no compadd; this one quotes as the real one does.
    let script = script(Shell::Zsh).replace("_fuelbox \"$@\"\n", "");
    let input = format!(
        "compadd() {{ for name in \"${{(@P)2}}\"; do eval \"set -- ${{(q)name}}\"; print -r -- \"$#:$1\"; done }}\n\
         _files() {{ }}\n{script}\nprogram='{}'; typeset -A opt_args; line=(hostile.wasm)\n_fuelbox_functions\n\
         print -r -- ---\n_fuelbox_targets",
        fuelbox_program().display()
    );
    let Some((is_ok, said)) = say_in(&dir, "zsh", &["-f"], &input) else { return };
    assert!(is_ok, "{said}");
    let (functions, plugins) = said.split_once("---\n").unwrap();
    assert_eq!(sorted(functions.lines().map(String::from).collect()), expected("1:"));
    assert!(plugins.contains("1:$(touch pwned)\n"), "{plugins}");
    assert!(!dir.0.join("pwned").exists(), "a name was run");
}

#[test]
fn hostile_names_are_words_in_fish() {
    let dir = place();
    let program = fuelbox_program();
    let input = format!(
        "{}\ncomplete -C '{program} call hostile.wasm '\necho ---\ncomplete -C '{program} call it'\n\
         echo ---\ncomplete -C '{program} serve --log-format '\necho ---\ncomplete -C '{program} se'\n",
        script(Shell::Fish),
        program = program.display()
    );
    let Some((is_ok, said)) = say_in(&dir, "fish", &["--no-config"], &input) else { return };
    assert!(is_ok, "{said}");
    let parts: Vec<Vec<String>> = said
        .split("---\n")
        .map(|part| sorted(part.lines().map(|line| line.split('\t').next().unwrap().into()).collect()))
        .collect();
    assert_eq!(parts[0], expected(""));
    assert_eq!(
        parts[1..],
        [vec!["it's".to_string()], vec!["json".into(), "text".into()], vec!["serve".into()]]
    );
    assert!(!dir.0.join("pwned").exists(), "a name was run");
}

#[test]
fn the_shells_read_their_scripts_without_complaint() {
    for (program, args, shell) in [
        ("bash", &["-n"][..], Shell::Bash),
        ("zsh", &["-n"], Shell::Zsh),
        ("fish", &["--no-execute"], Shell::Fish),
    ] {
        let Some((is_ok, said)) = say(program, args, &script(shell)) else { continue };
        assert!(is_ok && said.is_empty(), "{program}: {said}");
    }
}
