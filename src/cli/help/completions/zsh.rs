//! The completions of zsh.

use crate::cli::args::table::commands::{COMMANDS, CommandHelp, Operand};
use crate::cli::args::table::flag::{Completes, Flag, Group, Topic};
use crate::cli::args::table::lookup::flags_of;
use crate::cli::help::completions::words::{names, quoted};
use std::fmt::Write;

/// What does not depend on the table. `program`, `line` and `opt_args` are variables of `_fuelbox`.
const FUNCTIONS: &str = r#"#compdef fuelbox
# zsh completion for fuelbox

# Offers the names that fuelbox prints. compadd quotes them, so that each is one word, whatever its characters are.
_fuelbox_names() {
    local folder=$(_fuelbox_unquoted "$opt_args[--plugins]")
    local -a names
    names=("${(@f)$("$program" "$@" ${folder:+--plugins} ${folder:+"$folder"} 2>/dev/null </dev/null)}")
    names=("${(@)names:#}")
    compadd -a names
}

# Prints a word of the command line without its quotes; nothing in it is expanded but `~/`.
_fuelbox_unquoted() {
    local word=${(Q)1}
    print -rn -- "${word/#\~\//$HOME/}"
}

_fuelbox_targets() {
    _fuelbox_names list --names
    _files -g '*.(wasm|wat)'
}

_fuelbox_functions() {
    _fuelbox_names inspect --names "$(_fuelbox_unquoted "$line[1]")"
}
"#;

/// The script.
pub fn script() -> String {
    let mut out = String::from(FUNCTIONS);
    out += "\n_fuelbox_commands() {\n    local -a commands\n    commands=(\n";
    for command in COMMANDS {
        // Writing to a String does not fail, so what it gives is not looked at.
        let _ =
            writeln!(out, "        {}", quoted(&format!("{}:{}", command.name, escaped(command.summary))));
    }
    out += "    )\n    _describe command commands\n}\n\n";
    out += "_fuelbox() {\n    local program=${(Q)words[1]} curcontext=$curcontext context state state_descr line\n";
    out += "    typeset -A opt_args\n    if (( CURRENT == 2 )); then\n";
    let every = flags_of(Topic::Help).filter(|flag| flag.group == Group::Every).flat_map(names);
    let every: Vec<&str> = every.collect();
    let _ =
        writeln!(out, "        [[ $PREFIX == -* ]] && compadd -- {} || _fuelbox_commands", every.join(" "));
    out += "        return\n    fi\n";
    out += "    shift words\n    (( CURRENT-- ))\n    case $words[1] in\n";
    for command in COMMANDS {
        let _ = writeln!(out, "        {}) _arguments -C \\", command.name);
        let flags = flags_of(command.topic).flat_map(of_flag);
        let specs: Vec<String> = flags.chain(of_operands(command)).collect();
        let _ = writeln!(out, "            {} ;;", specs.join(" \\\n            "));
    }
    out += "    esac\n    case $state in\n";
    out += "        target) _fuelbox_targets ;;\n        function) _fuelbox_functions ;;\n";
    out + "        command) _fuelbox_commands ;;\n    esac\n}\n_fuelbox \"$@\"\n"
}

/// What `_arguments` is told of a flag.
fn of_flag(flag: &'static Flag) -> Vec<String> {
    let help = escaped(&flag.description());
    let star = if flag.repeats { "*" } else { "" };
    let Some(value) = flag.value else {
        return names(flag).map(|name| quoted(&format!("{star}{name}[{help}]"))).collect();
    };
    let action = match flag.completes {
        Completes::Choice => format!("({})", flag.choices().join(" ")),
        Completes::File => "_files".into(),
        Completes::Directory => "_files -/".into(),
        _ => " ".into(),
    };
    vec![quoted(&format!("{star}{}=[{help}]:{}:{action}", flag.name, escaped(value)))]
}

/// What `_arguments` is told of a command's operands.
fn of_operands(command: &CommandHelp) -> impl Iterator<Item = String> {
    let of = |(at, operand): (usize, &Operand)| {
        let place = if operand.shown.ends_with("...") { "*".to_string() } else { (at + 1).to_string() };
        let colons = if operand.is_optional && place != "*" { "::" } else { ":" };
        let action = match operand.completes {
            Completes::Target => "->target",
            Completes::Function => "->function",
            Completes::Command => "->command",
            Completes::Directory => "_files -/",
            Completes::File => "_files",
            // The arguments of a program may be files.
            Completes::Choice | Completes::Nothing => "_files",
        };
        quoted(&format!("{place}{colons}{}:{action}", escaped(operand.shown)))
    };
    command.operands.iter().enumerate().map(of)
}

/// `text` without what `_arguments` and `_describe` would act on.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace(['[', ']'], "").replace(':', "\\:")
}
