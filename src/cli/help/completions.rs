//! Completions for shells (`help --completions SHELL`), made of the help texts.

use super::manual::{Flag, flags};
use crate::cli::help;
use std::fmt::Write;

/// A shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Shell {
    /// The shell called `name`.
    pub fn parse(name: &str) -> Result<Shell, String> {
        match name {
            "bash" => Ok(Shell::Bash),
            "zsh" => Ok(Shell::Zsh),
            "fish" => Ok(Shell::Fish),
            _ => Err("use bash, zsh or fish".into()),
        }
    }
}

/// What a command completes: its name, what it does, its flags.
type Completed = (&'static str, &'static str, Vec<Flag>);

fn commands() -> Vec<Completed> {
    help::COMMANDS
        .iter()
        .map(|(topic, name, summary)| (*name, *summary, flags(&help::text(*topic))))
        .collect()
}

/// The values that a flag can have, if they are few.
fn choices(flag: &str) -> Option<String> {
    match flag {
        "--abi" => Some(crate::abi::Convention::ALL.iter().map(|c| c.name()).collect::<Vec<_>>().join(" ")),
        "--log-format" => Some("text json".into()),
        "--access-log" => Some("on off".into()),
        "--completions" => Some("bash zsh fish".into()),
        _ => None,
    }
}

/// The script for `shell`.
pub fn script(shell: Shell) -> String {
    match shell {
        Shell::Bash => bash(),
        Shell::Zsh => zsh(),
        Shell::Fish => fish(),
    }
}

/// Writing to a String does not fail, so what it gives is not looked at below.
fn bash() -> String {
    let commands = commands();
    let names: Vec<&str> = commands.iter().map(|(name, ..)| *name).collect();
    let mut out = String::from("# bash completion for fuelbox\n_fuelbox() {\n");
    out.push_str(
        "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} flags=\n    COMPREPLY=()\n",
    );
    out.push_str("    case $prev in\n");
    let mut seen = Vec::new();
    for flag in commands.iter().flat_map(|(.., flags)| flags).flat_map(Flag::names) {
        if let Some(choices) = choices(flag).filter(|_| !seen.contains(&flag)) {
            let _ =
                writeln!(out, "        {flag}) COMPREPLY=($(compgen -W '{choices}' -- \"$cur\")); return ;;");
            seen.push(flag);
        }
    }
    out.push_str("    esac\n    if [ \"$COMP_CWORD\" -eq 1 ]; then\n");
    let _ =
        writeln!(out, "        COMPREPLY=($(compgen -W '{} --help --version' -- \"$cur\"))", names.join(" "));
    out.push_str("        return\n    fi\n    case ${COMP_WORDS[1]} in\n");
    for (name, _, flags) in &commands {
        let flags: Vec<&str> = flags.iter().flat_map(Flag::names).collect();
        let _ = writeln!(out, "        {name}) flags='{}' ;;", flags.join(" "));
    }
    out.push_str(
        "    esac\n    case $cur in\n        -*) COMPREPLY=($(compgen -W \"$flags\" -- \"$cur\")) ;;\n",
    );
    out.push_str("        *) COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n    esac\n}\n");
    out.push_str("complete -o filenames -o bashdefault -F _fuelbox fuelbox\n");
    out
}

/// In single quotes, as all three shells read them.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

fn zsh() -> String {
    let mut out = String::from("#compdef fuelbox\n_fuelbox() {\n    local -a commands\n    commands=(\n");
    let commands = commands();
    for (name, summary, _) in &commands {
        let _ = writeln!(out, "        {}", quoted(&format!("{name}:{}", summary.replace(':', "\\:"))));
    }
    out.push_str("    )\n    if (( CURRENT == 2 )); then\n        _describe command commands\n        return\n    fi\n");
    out.push_str("    case ${words[2]} in\n");
    for (name, _, flags) in &commands {
        let _ = writeln!(out, "        {name}) _arguments \\");
        for flag in flags {
            for known in flag.names() {
                let what = flag.text.replace(['[', ']'], "").replace(':', "\\:");
                let value = match choices(known) {
                    Some(choices) => format!(":value:({choices})"),
                    None if flag.takes_value() => ":value:_files".into(),
                    None => String::new(),
                };
                let _ = writeln!(out, "            {} \\", quoted(&format!("*{known}[{what}]{value}")));
            }
        }
        out.push_str("            '*:file:_files' ;;\n");
    }
    out.push_str("    esac\n}\n_fuelbox \"$@\"\n");
    out
}

fn fish() -> String {
    let mut out =
        String::from("# fish completion for fuelbox\ncomplete -c fuelbox -n __fish_use_subcommand -f\n");
    for (name, summary, flags) in commands() {
        let summary = quoted(summary).replace("'\\''", "\\'");
        let _ = writeln!(out, "complete -c fuelbox -n __fish_use_subcommand -a {name} -d {summary}");
        for flag in &flags {
            for known in flag.names() {
                let Some(long) = known.strip_prefix("--") else { continue };
                let text = quoted(&flag.text).replace("'\\''", "\\'");
                let value = match choices(known) {
                    Some(choices) => format!(" -x -a '{choices}'"),
                    None if flag.takes_value() => " -r".into(),
                    None => String::new(),
                };
                let _ = writeln!(
                    out,
                    "complete -c fuelbox -n '__fish_seen_subcommand_from {name}' -l {long} -d {text}{value}"
                );
            }
        }
    }
    out
}
