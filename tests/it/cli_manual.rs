//! The help and the manual page: every flag is in them, and the programs that read the page accept it.

use crate::cli_completions::say;
use crate::support::fuelbox;
use fuelbox::cli::args::Topic;
use fuelbox::cli::args::table::commands::COMMANDS;
use fuelbox::cli::args::table::flag::{Flag, Group};
use fuelbox::cli::args::table::lookup::{flags, flags_of};
use fuelbox::cli::help::manual::page;
use fuelbox::cli::help::text::text;

/// The flag as the help lists it: at the beginning of a line, with its value.
fn lists(help: &str, flag: &Flag) -> bool {
    let entry = format!("  {}", flag.synopsis());
    help.lines().any(|line| {
        line.strip_prefix(&entry)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with("  ") || rest.starts_with(" "))
    })
}

#[test]
fn the_help_of_a_command_lists_its_flags_and_no_others() {
    for command in COMMANDS {
        let help = text(command.topic);
        for flag in flags().filter(|flag| flag.group != Group::Every) {
            let takes = flag.commands.contains(&command.topic);
            assert_eq!(lists(&help, flag), takes, "{} {}", command.name, flag.name);
        }
        assert_eq!(fuelbox(&[command.name, "--help"]).expect(0).text(), help);
        let is_short = help.lines().all(|line| line.chars().count() <= 96);
        assert!(is_short, "{help}");
    }
    let overview = text(Topic::All);
    for command in COMMANDS {
        assert!(overview.contains(&format!("\n  {}", command.name)) && overview.contains(command.summary));
    }
    for flag in flags_of(Topic::Help).filter(|flag| flag.group == Group::Every) {
        assert!(lists(&overview, flag), "{}", flag.name);
    }
}

#[test]
fn help_shows_ranges_defaults_and_what_may_be_repeated() {
    let serve = text(Topic::Serve);
    let run = text(Topic::Run);
    for (help, part) in [
        (&serve, "--workers N                number of workers; each runs one guest at a time; 1 to 512"),
        (&serve, "open connections [256]"),
        (&serve, "share of the workers that one client may use; 1% to 100% [50]"),
        (&serve, "size of the request line and the headers; 256 or more [16KiB]"),
        (&run, "memory in pages of 64 KiB; 0 to 65536 [320, 20MiB]"),
        (&run, "fuel units [1000000000000]"),
        (&run, "`none` sets no deadline [5s]"),
        (&run, "set a key of an Extism plug-in's configuration (repeatable)"),
    ] {
        assert!(help.contains(part), "{part}\n{help}");
    }
}

#[test]
fn every_command_and_flag_is_in_the_manual_page() {
    let page = page();
    for name in flags().map(|flag| flag.name) {
        assert!(page.contains(&name.replace('-', "\\-")), "{name} is not in the manual page");
    }
    for command in COMMANDS {
        assert!(page.contains(&format!(".SS \"fuelbox {}\"", command.name)), "{}", command.name);
    }
}

#[test]
fn groff_reads_the_manual_page_without_complaint() {
    let Some((is_ok, said)) = say("groff", &["-man", "-Tutf8", "-ww", "-z"], &page()) else { return };
    assert!(is_ok && said.is_empty(), "{said}");
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
