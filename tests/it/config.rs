//! `serve --config`: a file that holds every flag of `serve`, and what is wrong with it.

use crate::support::{Client, Serve, TempDir, fuelbox_in};
use fuelbox::cli::args::Topic;
use fuelbox::cli::args::table::lookup::flags_of;

/// The names of the flags of `serve` that a file can set.
fn serve_flags() -> Vec<&'static str> {
    let flags = flags_of(Topic::Serve).filter(|flag| flag.in_file);
    let names: Vec<_> = flags.map(|flag| flag.name.trim_start_matches('-')).collect();
    assert!(names.len() > 25, "{names:?}");
    names
}

#[test]
fn every_flag_of_serve_is_known_to_the_file() {
    let dir = TempDir::new();
    for flag in serve_flags() {
        // The last line is wrong, so that nothing is served; the flag before it must not be what is wrong.
        dir.write("c.toml", format!("{flag} = \"x\"\nno-such-flag = 1"));
        let ran = fuelbox_in(&dir.0, &["serve", "--config", "c.toml"], b"").expect(2);
        assert!(
            ran.stderr.contains("c.toml:2:1: `no-such-flag` is not a flag of `fuelbox serve`"),
            "{flag}: {}",
            ran.stderr
        );
    }
    for flag in ["report", "data", "config", "help", "dir", "abi"] {
        dir.write("c.toml", format!("{flag} = \"x\""));
        fuelbox_in(&dir.0, &["serve", "--config", "c.toml"], b"").expect(2);
    }
}

#[test]
fn what_is_wrong_is_told_with_line_and_column() {
    let dir = TempDir::new();
    for (text, expected) in [
        ("\nfuel = 0", "c.toml:2:1: --fuel 0: less than 1"),
        ("# a\n timeout = \"soon\"", "c.toml:2:2: --timeout `soon`: not a time"),
        ("listen = 8080", "c.toml:1:1: --listen `8080`: not an address"),
        ("fuel = 1.5", "c.toml:1:8: --fuel takes a string or a number"),
        ("fuel = true", "c.toml:1:8: "),
        ("fuel = [1, 2]", "c.toml:1:1: --fuel "),
        ("fuel = 1\nfuel = 2", "c.toml:2:1: "),
        ("feul = 1", "c.toml:1:1: `feul` is not a flag of `fuelbox serve`; did you mean `fuel`?"),
        ("config = \"c.toml\"", "c.toml:1:1: `config` cannot be set in a configuration file"),
        ("dir = \"x\"", "c.toml:1:1: `dir` is not a flag of `fuelbox serve`"),
        ("fuel", "c.toml:1:"),
        ("max-body = \"32MiB\"", "c.toml:1:1: --max-body is 33554432, more than --body-budget"),
        ("plugins = \"none\"", "--plugins none: no such folder"),
    ] {
        dir.write("c.toml", text);
        let ran = fuelbox_in(&dir.0, &["serve", "--config", "c.toml"], b"");
        assert_ne!(ran.code, Some(0), "{text}");
        assert!(ran.stderr.contains(expected), "{text:?} gave {}", ran.stderr);
    }
    let missing = fuelbox_in(&dir.0, &["serve", "--config", "none.toml"], b"").expect(2);
    assert!(missing.stderr.contains("--config none.toml: "), "{}", missing.stderr);
    // What the command line got wrong is not the file's.
    dir.write("c.toml", "fuel = 5");
    let ran = fuelbox_in(&dir.0, &["serve", "--config", "c.toml", "--fuel", "0"], b"").expect(2);
    assert!(!ran.stderr.contains("c.toml:"), "{}", ran.stderr);
}

#[test]
fn the_command_line_comes_before_the_file() {
    let dir = TempDir::new();
    dir.write("c.toml", "listen = \"192.0.2.1:1\"\nfuel = 777\nmax-input = \"2MiB\"\nmax-body = \"2KiB\"\n");
    // `Serve` gives --listen.
    let server = Serve::start(&dir.0, &["--config", "c.toml"]);
    let mut client = Client::connect(server.address);
    let spun = client.send("POST", "/execute/infinite-loop?func=spin", b"");
    assert_eq!((spun.status, spun.header("fuel-used")), (504, Some("777")));
    assert_eq!(client.send("POST", "/execute/greet", &[b'x'; 2048]).status, 200);
    assert_eq!(Client::connect(server.address).send("POST", "/execute/greet", &[b'x'; 2049]).status, 413);
}
