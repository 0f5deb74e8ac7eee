//! Plug-ins that change under load: no request fails, and each is answered whole by one version.

use crate::support::{Client, Serve, Server, TempDir, wat};
use fuelbox::Runner;
use fuelbox::plugins::watch::Watch;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// A guest that answers this one letter.
fn letter(letter: char) -> Vec<u8> {
    wat(&format!(
        r#"(module (memory (export "memory") 1) (data (i32.const 0) "{letter}")
             (func (export "allocate") (param i32) (result i32) (i32.const 1024))
             (func (export "greet") (param i32 i32) (result i64) (i64.const 1)))"#
    ))
}

/// Waits until `done`, at most 10 s.
fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !done() {
        assert!(begin.elapsed() < Duration::from_secs(10), "{what} did not happen");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_replacement_under_load_fails_no_request() {
    let dir = TempDir::new();
    dir.write("letter.wasm", letter('A'));
    let runner = Runner::new(crate::support::runner_config()).unwrap();
    runner.load_plugins(&dir.0).unwrap();
    let server = Server::with(runner);
    let watch = Watch::start(Arc::clone(server.runner.catalog())).unwrap();
    let (stop, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut client = Client::connect(server.address);
                while !stop.load(Ordering::Relaxed) {
                    let reply = client.send("POST", "/execute/letter", b"");
                    assert_eq!(reply.status, 200, "{}", reply.text());
                    assert!("ABC".contains(&reply.text()), "{}", reply.text());
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for next in ['B', 'C'] {
            // Written beside it and renamed, as a careful deployer does; then badly, byte for byte.
            std::fs::rename(dir.write("new", letter(next)), dir.0.join("letter.wasm")).unwrap();
            eventually("the replacement", || {
                server.send("POST", "/execute/letter", b"").text() == next.to_string()
            });
            dir.write("letter.wasm", &letter('A')[..20]);
            std::thread::sleep(2 * fuelbox::plugins::watch::INTERVAL);
            assert_eq!(server.send("POST", "/execute/letter", b"").text(), next.to_string());
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(answered.load(Ordering::Relaxed) > 100);
    drop(watch);
}

#[test]
fn a_served_folder_is_followed() {
    let dir = TempDir::new();
    let plugins = TempDir::new();
    plugins.write("one.wasm", letter('1'));
    let serve = Serve::start(&dir.0, &["--plugins", plugins.0.to_str().unwrap()]);
    let status =
        |name: &str| Client::connect(serve.address).send("POST", &format!("/execute/{name}"), b"").status;
    assert_eq!((status("one"), status("two")), (200, 404));
    plugins.write("two.wasm", letter('2'));
    eventually("the new plug-in", || status("two") == 200);
    std::fs::remove_file(plugins.0.join("one.wasm")).unwrap();
    eventually("the removal", || status("one") == 404);
    assert_eq!(status("two"), 200);
}

#[test]
fn a_stop_lets_running_requests_end() {
    let dir = TempDir::new();
    let mut serve = Serve::start(&dir.0, &["--timeout", "700ms"]);
    let mut slow = Client::connect(serve.address);
    let mut idle = Client::connect(serve.address);
    assert_eq!(idle.send("GET", "/healthz", b"").status, 200);
    let answer = std::thread::spawn(move || slow.send("POST", "/execute/infinite-loop", b"x"));
    // The guest must have begun; a stop that comes first would refuse it, and the test would say so.
    std::thread::sleep(Duration::from_millis(200));
    let pid = serve.child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert!(idle.reply(false).is_none(), "an idle connection ends");
    let reply = answer.join().unwrap();
    assert_eq!((reply.status, reply.header("connection")), (504, Some("close")));
    assert_eq!(serve.child.wait().unwrap().code(), Some(0));
}
