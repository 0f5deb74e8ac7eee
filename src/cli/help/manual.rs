//! The manual page (`fuelbox help --man`).

use crate::cli::args::table::commands::{COMMANDS, CommandHelp};
use crate::cli::args::table::flag::{Flag, Group, Topic};
use crate::cli::args::table::lookup::{flags_of, operands};
use crate::cli::exit::MEANINGS;

/// The manual page in man(7).
pub fn page() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let mut page = format!(
        ".TH FUELBOX 1 \"\" \"fuelbox {version}\" \"User Commands\"\n\
         .SH NAME\nfuelbox \\- run untrusted WebAssembly under hard limits\n\
         .SH SYNOPSIS\n.B fuelbox\n.I COMMAND\n.RI [ FLAG ...]\n"
    );
    page.push_str(".SH DESCRIPTION\n");
    page.push_str(&paragraph(
        "Runs WebAssembly modules in an interpreter, each run with a budget of fuel, a deadline, and caps on memory \
         and output, from the command line and as an HTTP gateway.",
    ));
    page.push_str(".SH COMMANDS\n");
    COMMANDS.iter().for_each(|command| page.push_str(&of_command(command)));
    page.push_str(".SH \"LIMITS OF A RUN\"\n");
    page.push_str(&paragraph(
        "Flags of every command that loads modules. Sizes take KiB, MiB and GiB; times take ms, s and m.",
    ));
    flags_of(Topic::Run).filter(|flag| flag.group == Group::Limits).for_each(|flag| page += &entry(flag));
    page.push_str(".SH \"FLAGS OF EVERY COMMAND\"\n");
    flags_of(Topic::Run).filter(|flag| flag.group == Group::Every).for_each(|flag| page += &entry(flag));
    page.push_str(".SH \"EXIT STATUS\"\n");
    for (code, _, meaning) in MEANINGS {
        page.push_str(&format!(".TP\n.B {code}\n{}\n", escaped(meaning)));
    }
    page.push_str(".SH ENVIRONMENT\n.TP\n.B RUST_LOG\nwhat is logged to standard error: a level, or levels by part, such as\n.BR warn,fuelbox::access=info .\n");
    page.push_str(".TP\n.BR LISTEN_FDS \", \" NOTIFY_SOCKET \", \" WATCHDOG_USEC\nset by systemd for\n.BR \"fuelbox serve\" .\n");
    page.push_str(".SH FILES\n.TP\n.I plugins/NAME.wasm\na plug-in\n.TP\n.I plugins/NAME.toml\nits policy\n.TP\n.I plugins/NAME.wasm.minisig\nits signature\n");
    page
}

fn of_command(command: &CommandHelp) -> String {
    let usage = |form: &str| format!("fuelbox {} [FLAG...]{form}", command.name);
    let others = command.other_usage.iter().map(|other| usage(&format!(" {other}")));
    let forms: Vec<String> = [usage(&operands(command))].into_iter().chain(others).collect();
    let mut page = format!(".SS \"fuelbox {}\"\n", escaped(command.name));
    page += &lines(&forms.iter().map(String::as_str).collect::<Vec<_>>());
    page += &paragraph(command.about);
    page += &lines(command.details);
    page += &lines(command.examples);
    page += &paragraph(command.remark);
    let own = flags_of(command.topic).filter(|flag| !matches!(flag.group, Group::Limits | Group::Every));
    own.for_each(|flag| page += &entry(flag));
    if let Some(codes) = command.exit_codes {
        page += &paragraph(&format!("Exit codes: {codes}"));
    }
    page
}

fn entry(flag: &Flag) -> String {
    format!(".TP\n.B {}\n{}\n", escaped(&flag.synopsis()), escaped(&flag.description()))
}

fn paragraph(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(".PP\n{}\n", escaped(text)) }
}

/// Lines that stay as they are.
fn lines(lines: &[&str]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| escaped(line)).collect();
    if lines.is_empty() { String::new() } else { format!(".PP\n.nf\n{}\n.fi\n", lines.join("\n")) }
}

/// A line with what troff would act on escaped.
fn escaped(line: &str) -> String {
    let line = line.replace('\\', "\\e").replace('-', "\\-");
    if line.starts_with(['.', '\'']) { format!("\\&{line}") } else { line }
}
