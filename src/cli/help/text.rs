//! The help texts (`fuelbox help`, `--help`).

use crate::cli::args::table::commands::{COMMANDS, CommandHelp};
use crate::cli::args::table::flag::{Flag, Group, Topic};
use crate::cli::args::table::lookup::{command, flags_of, operands};
use crate::cli::exit::MEANINGS;

/// Columns of a line.
const WIDTH: usize = 96;

/// The column at which descriptions of flags begin.
const FLAG_COLUMN: usize = 29;

const RUST_LOG: &str = "RUST_LOG sets what is logged to stderr, for example RUST_LOG=debug.";

/// The help about `topic`.
pub fn text(topic: Topic) -> String {
    match command(topic) {
        Some(command) => of_command(command),
        None => overview(),
    }
}

fn overview() -> String {
    let mut text = String::from(
        "fuelbox runs untrusted WebAssembly under hard fuel, time, memory and output limits.\n\n\
         Usage: fuelbox COMMAND [FLAG...] ...\n\nCommands:\n",
    );
    let synopsis = |command: &CommandHelp| format!("{}{}", command.name, operands(command));
    let column = COMMANDS.iter().map(|command| synopsis(command).len() + 5).max().unwrap_or(0);
    for command in COMMANDS {
        text += &entry(&synopsis(command), command.summary, column);
    }
    text += &group(Group::Every, flags_of(Topic::Help));
    text +=
        &format!("\n`fuelbox help COMMAND` shows the flags and examples of a command.\n\n{}", exit_codes());
    text + "\n" + RUST_LOG + "\n"
}

fn of_command(command: &CommandHelp) -> String {
    let mut text = wrapped(command.about, 0) + "\n\nUsage: ";
    let main = operands(command);
    let others = command.other_usage.iter().map(|other| format!(" {other}"));
    let forms: Vec<String> = [main].into_iter().chain(others).collect();
    let flags = if command.topic == Topic::Help { "" } else { " [FLAG...]" };
    for (i, form) in forms.iter().enumerate() {
        let indent = if i == 0 { "" } else { "       " };
        text += &format!("{indent}fuelbox {}{flags}{form}\n", command.name);
    }
    text += &block("", command.details);
    text += &block("Examples:\n", command.examples);
    if !command.remark.is_empty() {
        text += &format!("\n{}\n", wrapped(command.remark, 0));
    }
    for of in Group::ALL.into_iter().filter(|of| *of != Group::Every) {
        text += &group(of, flags_of(command.topic));
    }
    match command.exit_codes {
        Some(codes) => text + &format!("\nExit codes: {codes}\n"),
        None => format!("{text}\n{}\n{RUST_LOG}\n", exit_codes()),
    }
}

/// Lines as they are, indented, under `heading`.
fn block(heading: &str, lines: &[&str]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let lines: String = lines.iter().map(|line| format!("  {line}\n")).collect();
    format!("\n{heading}{lines}")
}

/// The flags of a group under its heading; nothing if there are none.
fn group(of: Group, flags: impl Iterator<Item = &'static Flag>) -> String {
    let entries: String = flags
        .filter(|flag| flag.group == of)
        .map(|flag| entry(&flag.synopsis(), &flag.description(), FLAG_COLUMN))
        .collect();
    if entries.is_empty() { entries } else { format!("\n{}:\n{entries}", of.heading()) }
}

/// A name and what it does, which begins at `column`.
fn entry(synopsis: &str, text: &str, column: usize) -> String {
    let first = format!("  {synopsis}");
    let gap = match column.checked_sub(first.len() + 1) {
        Some(gap) => " ".repeat(gap + 1),
        None => format!("\n{}", " ".repeat(column)),
    };
    format!("{first}{gap}{}\n", wrapped(text, column))
}

fn exit_codes() -> String {
    let codes: Vec<String> = MEANINGS.iter().map(|(code, short, _)| format!("{code} {short}")).collect();
    wrapped(&format!("Exit codes: {}.", codes.join(", ")), 0) + "\n"
}

/// `text` in lines, of which all but the first are indented by `indent`. Words in brackets stay together.
fn wrapped(text: &str, indent: usize) -> String {
    let mut out = String::new();
    let mut column = indent;
    for word in words(text) {
        if column > indent && column + 1 + word.len() > WIDTH {
            out += &format!("\n{}", " ".repeat(indent));
            column = indent;
        } else if column > indent {
            out.push(' ');
            column += 1;
        }
        out += word;
        column += word.len();
    }
    out
}

/// The words of `text`; what is between `[` and `]`, or two backticks, is one.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let (mut from, mut depth, mut is_quoted) = (0, 0usize, false);
    for (at, c) in text.char_indices() {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            '`' => is_quoted = !is_quoted,
            ' ' if depth == 0 && !is_quoted => {
                words.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    words.push(&text[from..]);
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use crate::cli::help::text::{WIDTH, entry, words, wrapped};

    #[test]
    fn lines_end_before_the_width_and_keep_what_belongs_together() {
        assert_eq!(words("a  b [c d] `e f` g"), ["a", "b", "[c d]", "`e f`", "g"]);
        for (more, lines) in [(WIDTH - 1, 1), (WIDTH, 1), (WIDTH + 1, 2)] {
            let text = format!("{} b", "a".repeat(more - 2));
            assert_eq!(wrapped(&text, 0).lines().count(), lines, "{more}");
        }
        assert_eq!(wrapped(&format!("{} bb", "a".repeat(90)), 4).lines().nth(1), Some("    bb"));
    }

    #[test]
    fn a_name_that_is_too_long_has_its_text_on_the_next_line() {
        assert_eq!(entry("--ab", "text", 7), "  --ab text\n");
        assert_eq!(entry("--abc", "text", 7), "  --abc\n       text\n");
    }
}
