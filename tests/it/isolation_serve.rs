//! `fuelbox serve` with guests in processes, seen from outside.

use crate::guest::LONG;
use crate::support::{Client, Serve, TempDir, children, fuelbox_command};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// `fuelbox serve` as it is without a flag, guests in processes, with the built-in ones.
fn serve(flags: &[&str]) -> Serve {
    let all = [&["serve", "--listen=127.0.0.1:0"], flags].concat();
    Serve::spawn(fuelbox_command(&TempDir::new().0, &all))
}

/// The processes of a server.
fn processes(server: &Serve) -> Vec<String> {
    children(server.child.id())
}

fn signal(name: &str, processes: &[String]) {
    // One that loaded a module may just have ended.
    let told = Command::new("kill").arg(name).args(processes).stderr(Stdio::null()).status();
    told.unwrap();
}

#[test]
fn guests_run_in_processes_unless_told_otherwise() {
    assert!(!processes(&serve(&[])).is_empty());
    assert_eq!(processes(&serve(&["--isolation=thread"])), [""; 0]);
}

#[test]
fn a_process_has_no_more_than_it_needs() {
    let server = serve(&[]);
    for id in processes(&server) {
        let limits = std::fs::read_to_string(format!("/proc/{id}/limits"));
        // One that loaded a module may just have ended.
        let Ok(limits) = limits else { continue };
        for (limit, most) in [("Max core file size", 0), ("Max file size", 0), ("Max open files", 64)] {
            let line = limits.lines().find_map(|line| line.strip_prefix(limit)).expect(limit);
            let hard = line.split_whitespace().nth(1).unwrap();
            assert!(hard.parse::<u64>().unwrap() <= most, "{limit}: {line}");
        }
    }
}

#[test]
fn a_process_that_somebody_kills_is_nobody_s_matter() {
    let server = serve(&[]);
    let greet = || Client::connect(server.address).send("POST", "/execute/greet", b"World").text();
    assert_eq!(greet(), "Hello, World");
    for round in 0..6 {
        // The one that waits for calls, and the spare one.
        signal("-KILL", &processes(&server));
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(greet(), "Hello, World", "{round}");
    }
}

#[test]
fn what_ends_a_server_s_group_ends_none_of_its_processes_first() {
    let server = serve(&[]);
    let greet = || Client::connect(server.address).send("POST", "/execute/greet", b"World").text();
    assert_eq!(greet(), "Hello, World");
    let before = processes(&server);
    for name in ["-TERM", "-INT", "-HUP"] {
        signal(name, &before);
    }
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(greet(), "Hello, World");
    let after = processes(&server);
    assert!(before.iter().all(|process| after.contains(process)), "{before:?} became {after:?}");
}

#[test]
fn a_process_that_loads_delays_nobody_else() {
    let server = serve(&["--workers=1"]);
    // It is bound, and does not go on.
    let stopped = processes(&server);
    signal("-STOP", &stopped);
    let address = server.address;
    let late =
        std::thread::spawn(move || Client::connect(address).send("POST", "/execute/greet", b"World").text());
    std::thread::sleep(Duration::from_millis(50));
    for _ in 0..20 {
        let begin = Instant::now();
        assert_eq!(Client::connect(server.address).send("GET", "/healthz", b"").status, 200);
        assert!(begin.elapsed() < LONG / 8, "{:?}", begin.elapsed());
    }
    signal("-CONT", &stopped);
    assert_eq!(late.join().unwrap(), "Hello, World");
}
