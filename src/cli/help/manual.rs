//! The manual page (`help --man`), made of the help texts, so that there is one source of what each flag does.

use crate::cli::help;

/// A flag as the help has it: its names with their values, and what it does.
#[derive(Debug, PartialEq, Eq)]
pub struct Flag {
    /// As written: `--dir HOST[::GUEST][:ro]`.
    pub synopsis: String,
    /// What it does.
    pub text: String,
}

impl Flag {
    /// Its names, `--dir` and the like.
    pub fn names(&self) -> Vec<&str> {
        let words = self.synopsis.split([' ', ',']);
        let mut names: Vec<_> = words.filter(|word| word.starts_with('-') && *word != "-").collect();
        names.dedup();
        names
    }

    /// Whether it is followed by a value.
    pub fn takes_value(&self) -> bool {
        let words = self.synopsis.split([' ', ',']).filter(|word| !word.is_empty());
        words.into_iter().any(|word| !word.starts_with('-'))
    }
}

/// The column at which the help's descriptions begin.
const TEXT_COLUMN: usize = 29;

/// The flags in a help text, in its order.
pub fn flags(help: &str) -> Vec<Flag> {
    let mut flags: Vec<Flag> = Vec::new();
    let mut is_open = false;
    for line in help.lines() {
        let indent = line.len() - line.trim_start().len();
        if indent == 2 && line.trim_start().starts_with('-') {
            // Two spaces end the synopsis; one that is too long for its column has its text on the next line.
            let (synopsis, text) = line[2..].split_once("  ").unwrap_or((&line[2..], ""));
            flags.push(Flag { synopsis: synopsis.into(), text: text.trim().into() });
            is_open = true;
        } else if indent >= TEXT_COLUMN && is_open {
            if let Some(flag) = flags.last_mut() {
                flag.text = format!("{} {}", flag.text, line.trim()).trim_start().into();
            }
        } else {
            is_open = false;
        }
    }
    // Where several columns of spaces stood before a default, one is enough.
    for flag in &mut flags {
        flag.text = flag.text.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    flags
}

/// The part of a help text before its first list, without the usage lines.
fn description(help: &str) -> String {
    let mut paragraphs = Vec::new();
    for paragraph in help.split("\n\n") {
        if paragraph.starts_with("Flags:")
            || paragraph.starts_with("Limits")
            || paragraph.starts_with("Exit codes")
        {
            break;
        }
        paragraphs.push(paragraph);
    }
    paragraphs.join("\n\n")
}

/// The manual page in man(7).
pub fn page() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let mut page = format!(
        ".TH FUELBOX 1 \"\" \"fuelbox {version}\" \"User Commands\"\n\
         .SH NAME\nfuelbox \\- run untrusted WebAssembly under hard limits\n\
         .SH SYNOPSIS\n.B fuelbox\n.I COMMAND\n.RI [ FLAG ...]\n"
    );
    page.push_str(".SH DESCRIPTION\n");
    page.push_str(&text(
        "Runs WebAssembly modules in an interpreter, each run with a budget of fuel, a deadline, and caps on memory \
         and output, from the command line and as an HTTP gateway.",
    ));
    page.push_str(".SH COMMANDS\n");
    for (topic, name, summary) in help::COMMANDS {
        page.push_str(&format!(".SS \"fuelbox {}\"\n", escaped(name)));
        let help = help::text(*topic);
        page.push_str(&text(&format!("{summary}.\n\n{}", description(&help))));
        let shared = help::shared();
        for flag in flags(&help).into_iter().filter(|flag| !shared.contains(flag)) {
            page.push_str(&entry(&flag));
        }
    }
    page.push_str(".SH LIMITS\nFlags of every command that loads modules. Sizes take KiB, MiB and GiB; times take ms, s and m.\n");
    help::shared().iter().for_each(|flag| page.push_str(&entry(flag)));
    page.push_str(".SH \"EXIT STATUS\"\n");
    for (code, meaning) in help::EXIT_CODES {
        page.push_str(&format!(".TP\n.B {code}\n{}\n", escaped(meaning)));
    }
    page.push_str(".SH ENVIRONMENT\n.TP\n.B RUST_LOG\nwhat is logged to standard error: a level, or levels by part, such as\n.BR warn,fuelbox::access=info .\n");
    page.push_str(".TP\n.BR LISTEN_FDS \", \" NOTIFY_SOCKET \", \" WATCHDOG_USEC\nset by systemd for\n.BR \"fuelbox serve\" .\n");
    page.push_str(".SH FILES\n.TP\n.I plugins/NAME.wasm\na plug-in\n.TP\n.I plugins/NAME.toml\nits policy\n.TP\n.I plugins/NAME.wasm.minisig\nits signature\n");
    page
}

fn entry(flag: &Flag) -> String {
    format!(".TP\n.B {}\n{}\n", escaped(&flag.synopsis), escaped(&flag.text))
}

/// Paragraphs; what is indented in the help stays as it is.
fn text(help: &str) -> String {
    let mut out = String::new();
    for paragraph in help.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty()) {
        let is_example = paragraph.lines().any(|line| line.starts_with("  ") || line.starts_with("Usage:"));
        let lines: Vec<String> = paragraph.trim_end().lines().map(escaped).collect();
        match is_example {
            true => out.push_str(&format!(".PP\n.nf\n{}\n.fi\n", lines.join("\n"))),
            false => out.push_str(&format!(".PP\n{}\n", lines.join("\n"))),
        }
    }
    out
}

/// A line with what troff would act on escaped.
fn escaped(line: &str) -> String {
    let line = line.replace('\\', "\\e").replace('-', "\\-");
    if line.starts_with(['.', '\'']) { format!("\\&{line}") } else { line }
}
