//! The completions of fish.

use crate::cli::args::table::commands::COMMANDS;
use crate::cli::args::table::flag::{Completes, Flag, Group, Topic};
use crate::cli::args::table::lookup::flags_of;
use crate::cli::help::completions::words::with_value;
use std::fmt::Write;

/// What follows `__fuelbox_with_value`. fish quotes what it puts into the command line, so that each name is one word, whatever
/// its characters are.
const FUNCTIONS: &str = r#"
# Prints the command and the operands before the cursor.
function __fuelbox_operands
    set -l words (commandline -opc)
    set -l is_value no
    for word in $words[2..]
        if test $is_value = yes
            set is_value no
        else if contains -- $word (__fuelbox_with_value)
            set is_value yes
        else if not string match -q -- '-?*' $word
            printf '%s\n' $word
        end
    end
end

# Whether the command is $argv[1] and, if $argv[2] is given, follows that many operands.
function __fuelbox_at
    set -l operands (__fuelbox_operands)
    test "$operands[1]" = $argv[1]
    and test (count $argv) -eq 1 -o (count $operands) -eq (math 0$argv[2] + 1)
end

# Prints the names that fuelbox prints, with the plug-in folder of the command line.
function __fuelbox_names
    set -l words (commandline -opc)
    set -l program $words[1]
    set -l folder
    set -l is_folder no
    for word in $words
        if test $is_folder = yes
            set folder --plugins $word
        else if string match -q -- '--plugins=*' $word
            set folder $word
        end
        test $word = --plugins; and set is_folder yes; or set is_folder no
    end
    command $program $argv $folder 2>/dev/null </dev/null
end

function __fuelbox_targets
    __fuelbox_names list --names
    __fish_complete_path (commandline -ct) | string match -r -- '^[^-].*(?:\.wasm|\.wat|/)(?:\t.*)?$'
end

function __fuelbox_functions
    set -l operands (__fuelbox_operands)
    __fuelbox_names inspect --names $operands[2]
end

complete -c fuelbox -f
"#;

/// The script.
pub fn script() -> String {
    let mut out = String::from("# fish completion for fuelbox\n\nfunction __fuelbox_with_value\n");
    // Writing to a String does not fail, so what it gives is not looked at.
    let _ = writeln!(out, "    printf '%s\\n' {}\nend", with_value().join(" "));
    out += FUNCTIONS;
    for command in COMMANDS {
        let (name, summary) = (command.name, quoted(command.summary));
        let _ = writeln!(out, "complete -c fuelbox -n __fish_use_subcommand -a {name} -d {summary}");
        for (at, operand) in command.operands.iter().enumerate() {
            let words = match operand.completes {
                Completes::Target => "(__fuelbox_targets)".into(),
                Completes::Function => "(__fuelbox_functions)".into(),
                Completes::Directory => "(__fish_complete_directories)".into(),
                Completes::File => "(__fish_complete_path)".into(),
                Completes::Command => {
                    COMMANDS.iter().map(|command| command.name).collect::<Vec<_>>().join(" ")
                }
                Completes::Choice | Completes::Nothing => continue,
            };
            let _ = writeln!(out, "complete -c fuelbox -n '__fuelbox_at {name} {at}' -a '{words}'");
        }
        for flag in flags_of(command.topic) {
            let _ = writeln!(out, "complete -c fuelbox -n '__fuelbox_at {name}' {}", of_flag(flag));
        }
    }
    for flag in flags_of(Topic::Help).filter(|flag| flag.group == Group::Every) {
        let _ = writeln!(out, "complete -c fuelbox -n __fish_use_subcommand {}", of_flag(flag));
    }
    // The arguments of a program may be files.
    out + "complete -c fuelbox -n '__fuelbox_at run; and contains -- -- (commandline -opc)' -F\n"
}

fn of_flag(flag: &Flag) -> String {
    let short = flag.short.map(|short| format!("-s {} ", short.trim_start_matches('-'))).unwrap_or_default();
    let value = match flag.completes {
        _ if flag.value.is_none() => String::new(),
        Completes::Choice => format!(" -x -a '{}'", flag.choices().join(" ")),
        Completes::File => " -r -F".into(),
        Completes::Directory => " -x -a '(__fish_complete_directories)'".into(),
        _ => " -x".into(),
    };
    let name = flag.name.trim_start_matches('-');
    format!("{short}-l {name} -d {}{value}", quoted(&flag.description()))
}

/// In single quotes, as fish reads them.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}
