//! `fuelbox run` and `fuelbox call` confine themselves, unless `--confine off` says otherwise. That all else works as
//! without is what the other tests of the command line show.

use crate::support::{fuelbox_program, prebuilt};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The lines `NoNewPrivs` and `Seccomp` of a process that runs a guest and waits for stdin, once they are `expected`, or
/// as they are after a while.
fn status(args: &[&str], expected: [&str; 2]) -> [String; 2] {
    let mut command = Command::new(fuelbox_program());
    command.args(["run", "--timeout", "none"]).args(args).arg(prebuilt("wordcount.wasm"));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let end = Instant::now() + Duration::from_secs(5);
    let found = loop {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        let value = |key: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
            line.unwrap_or_default().trim().to_string()
        };
        // The thread that reads stdin: the guest runs.
        let is_waiting = value("Threads") != "1";
        let found = [value("NoNewPrivs"), value("Seccomp")];
        if is_waiting && found == expected || Instant::now() > end {
            break found;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
    found
}

#[test]
fn a_run_has_filters_and_gets_no_privileges() {
    let confined = ["1", "2"];
    assert_eq!(status(&[], confined), confined);
    assert_eq!(status(&["--confine", "on"], confined), confined);
    // As the tests themselves.
    let own = std::fs::read_to_string("/proc/self/status").unwrap();
    let of_own = |key: &str| own.lines().find_map(|line| line.strip_prefix(key)).unwrap().trim().to_string();
    let own = [of_own("NoNewPrivs:"), of_own("Seccomp:")];
    assert_eq!(status(&["--confine", "off"], [&own[0], &own[1]]), own);
}

#[test]
fn the_log_says_what_the_kernel_enforces() {
    let says = |args: &[&str]| {
        let mut command = Command::new(fuelbox_program());
        let ran = command.args(args).env("RUST_LOG", "debug").stdin(Stdio::null()).output().unwrap();
        assert!(ran.status.success(), "{ran:?}");
        String::from_utf8(ran.stderr).unwrap()
    };
    let (add, greet) = (prebuilt("add.wasm"), prebuilt("greet.wasm"));
    let (add, greet) = (add.to_str().unwrap(), greet.to_str().unwrap());
    for args in [&["run", add, "add", "1", "2"][..], &["call", greet, "greet"]] {
        let said = says(args);
        assert!(said.contains("Landlock") && said.contains("seccomp filters: true"), "{said}");
    }
    let said = says(&["call", "--confine", "off", greet, "greet"]);
    assert!(!said.contains("Landlock"), "{said}");
}
