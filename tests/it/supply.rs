//! More workers than a gateway can have, or than the system gives, are an error that names `--workers`.

use crate::support::{TempDir, fuelbox, fuelbox_program};
use fuelbox::Runner;
use fuelbox::base::limits::WORKERS_MAX;
use fuelbox::cli::args::{Command as Parsed, parse};
use fuelbox::gateway::{Gateway, GatewayConfig};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;

#[test]
fn the_most_is_a_limit_of_the_flag() {
    let parsed = |workers: usize| parse(vec!["serve".into(), "--workers".into(), workers.to_string().into()]);
    for workers in [1, WORKERS_MAX - 1, WORKERS_MAX] {
        assert!(matches!(parsed(workers), Ok(Parsed::Serve(serve)) if serve.workers == workers), "{workers}");
    }
    let expected = |workers: usize| format!("--workers {workers}: not in 1 to 512");
    for workers in [WORKERS_MAX + 1, 5000, 40_000, usize::MAX] {
        assert_eq!(parsed(workers), Err(expected(workers)));
    }
    assert_eq!(parsed(0), Err(expected(0)));
    let ran = fuelbox(&["serve", "--listen", "127.0.0.1:0", "--workers", "5000"]).expect(2);
    assert_eq!(ran.stderr, format!("fuelbox: {}\n", expected(5000)));
    assert!(fuelbox::gateway::server::default_workers() <= WORKERS_MAX);
    let help = fuelbox(&["serve", "--help"]).expect(0).text();
    assert!(help.contains(&format!("each runs one guest at a time; 1 to {WORKERS_MAX}")), "{help}");

    // In the library, too.
    for (workers, is_ok) in [(0, false), (1, true), (WORKERS_MAX + 1, false)] {
        let listen = "127.0.0.1:0".parse().unwrap();
        let config = GatewayConfig { workers, listen, ..GatewayConfig::default() };
        let runner = Arc::new(Runner::new(crate::support::runner_config()).unwrap());
        let started = Gateway::start(&config, runner);
        assert_eq!(started.is_ok(), is_ok, "{workers}");
        match started {
            Ok(gateway) => gateway.stop(),
            Err(error) => assert!(error.to_string().starts_with("--workers is "), "{error}"),
        }
    }
}

/// What `fuelbox serve` says to its end, or to where it serves, under a limit of the shell's `ulimit`.
fn limited(limit: &str, flags: &str) -> String {
    let dir = TempDir::new();
    let program = fuelbox_program();
    let line = format!("ulimit {limit}; exec '{}' serve --listen 127.0.0.1:0 {flags}", program.display());
    let mut child = Command::new("sh")
        .args(["-c", &line])
        .current_dir(&dir.0)
        .env_remove("RUST_LOG")
        .env("MALLOC_ARENA_MAX", "1")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        said += &(line.unwrap() + "\n");
        if said.contains("on http://") {
            break;
        }
    }
    let _ = child.kill();
    let _ = child.wait();
    said
}

#[test]
fn what_the_system_does_not_give_is_named_with_the_flag() {
    for (limit, flags, expected) in [
        ("-v 65536", "--workers 8", "the address space is used up (ulimit -v)"),
        ("-v 200000", "--workers 512", "the address space is used up (ulimit -v)"),
        ("-n 64", "--workers 20", "descriptors, and the limit is 64 (ulimit -n)"),
        ("-n 256", "--workers 512", "descriptors, and the limit is 256 (ulimit -n)"),
    ] {
        let said = limited(limit, flags);
        let workers = format!("{} is {}, which takes ", &flags[..9], &flags[10..]);
        assert!(said.contains(&workers) && said.contains(expected), "{limit} {flags}: {said}");
        assert!(!said.contains("panicked") && !said.contains("tiny_http"), "{said}");
    }
    // No thread at all, not even the one that watches the folder: that error would name no flag.
    for limit in (14_000..20_000).step_by(1_000) {
        let said = limited(&format!("-v {limit}"), "--workers 8");
        assert!(!said.contains("watching: "), "{limit}: {said}");
    }
    for (limit, flags) in [
        ("-v 163840", "--workers 8"),
        ("-n 64", "--workers 8 --isolation thread"),
        // Processes for guests take some, too.
        ("-n 96", "--workers 8"),
    ] {
        let said = limited(limit, flags);
        assert!(said.contains("on http://"), "{limit} {flags}: {said}");
    }
}
