//! What costs more than it pays, is loud or takes much: it ends at its limits, whatever the interpreter does.

use super::{Scene, beside_greetings, costly, is_full, modules};
use crate::support::{Client, TempDir, fuelbox_program, prebuilt, wat};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

/// Modules that cost much, by name.
fn costly_modules() -> Vec<(&'static str, Vec<u8>)> {
    let size = if is_full() { 2_000_000 } else { 150_000 };
    let (height, blocks) = if is_full() { (65_000, 630_000) } else { (20_000, 40_000) };
    let segments = if is_full() { 100_000 } else { 10_000 };
    let mut modules = costly::full_of(size);
    modules.extend([
        ("square", costly::square(height, blocks)),
        ("copies", costly::copies(size, 1)),
        ("copies-by-many", costly::copies(size, 100)),
        ("copies-of-locals", costly::copies_of_locals(size)),
        ("zeroed", costly::zeroed(4_096, 31)),
        ("data", modules::segments(segments, r#"(data (i32.const 0) "")"#)),
        ("passive", modules::segments(segments, r#"(data "x")"#)),
    ]);
    modules
}

/// Whether a limit refuses a module, for this reason. Only the translation of `square` is a fault of the interpreter's: it
/// takes time that is quadratic in the size, and was 26 s for two megabytes.
fn is_refused_for(name: &str, why: &str) -> bool {
    let reason = match name {
        name if name.starts_with("copies") => "values copied by branches",
        // By a slow machine.
        "square" if is_full() => "loading it takes more than",
        _ => return false,
    };
    why.contains(reason)
}

#[test]
fn code_that_costs_much_delays_nobody_else() {
    let modules = costly_modules();
    let square = modules.iter().position(|(name, _)| *name == "square").unwrap();
    // With the work-arounds, it is not even translated.
    let refused = Scene::new(false).load(&modules[square..=square]);
    assert!(refused[0].contains("takes parameters"), "{refused:?}");

    let scene = Scene::new(true);
    let address = scene.server.address;
    let begin = Instant::now();
    let refused = beside_greetings("while costly code loads", address, || scene.load(&modules));
    println!("{} modules are looked at in {:?}: {refused:#?}", modules.len(), begin.elapsed());
    for (name, bytes) in modules {
        let file = format!("/{name}.wasm: ");
        if let Some(why) = refused.iter().find(|why| why.contains(&file)) {
            assert!(is_refused_for(name, why), "{why}");
            continue;
        }
        assert!(!name.starts_with("copies"), "{name} is loaded");
        // The first call of a process has the function translated, which nothing interrupts but the end of the process.
        let what = format!("while {name} runs, {} bytes", bytes.len());
        let reply = beside_greetings(&what, address, || scene.call(name, "f", ""));
        println!("{name}: {}", reply.status);
        match name {
            // How fast that is translated, the machine decides.
            "square" => assert!([200, 504].contains(&reply.status), "{}", reply.text()),
            "zeroed" => assert_eq!(reply.status, 504, "{}", reply.text()),
            _ => assert_eq!(reply.status, 200, "{name}: {}", reply.text()),
        }
    }
    scene.lives();
}

#[test]
fn guests_that_are_loud_or_large_delay_nobody_else() {
    let scene = Scene::of(&[
        ("stderr", wat(modules::STDERR)),
        ("log", wat(modules::LOG)),
        ("hold", wat(modules::HOLD)),
        ("denied", wat(modules::DENIED)),
    ]);
    let address = scene.server.address;
    for (target, statuses, bytes) in [
        ("stderr", [200, 200], 0),
        // How fast the text is there, the machine decides.
        ("log?func=one", [200, 504], 0),
        ("log?func=all", [504, 504], 0),
        ("hold", [200, 200], 1 << 20),
        ("denied", [200, 200], 1_000_000),
    ] {
        let send = || scene.server.send("POST", &format!("/execute/{target}"), b"");
        let reply = beside_greetings(&format!("while {target} runs"), address, send);
        println!("{target}: {} with {} bytes", reply.status, reply.body.len());
        assert!(statuses.contains(&reply.status), "{target}: {}", reply.text());
        assert!(reply.status == 504 || reply.body.len() == bytes, "{target}: {} bytes", reply.body.len());
    }
    scene.lives();
}

/// Nothing reads the log of this server, which has the work-arounds: what is loud needs no fault.
#[test]
fn a_log_that_nobody_reads_holds_up_no_processes() {
    let dir = TempDir::new();
    dir.write("loud.wasm", wat(modules::STDERR));
    std::fs::copy(prebuilt("greet.wasm"), dir.0.join("greet.wasm")).unwrap();
    let mut server = Command::new(fuelbox_program())
        .args(["serve", "--listen=127.0.0.1:0", "--plugins=.", "--isolation=process"])
        .current_dir(&dir.0)
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(server.stderr.take().unwrap()).lines();
    let address = loop {
        let line = log.next().expect("the server lives").unwrap();
        if let Some((_, address)) = line.split_once("on http://") {
            break address.parse().unwrap();
        }
    };
    beside_greetings("with a log that nobody reads", address, || {
        for _ in 0..8 {
            assert_eq!(Client::connect(address).send("POST", "/execute/loud", b"").status, 200);
        }
    });
    assert_eq!(Client::connect(address).send("GET", "/healthz", b"").status, 200);
    assert_eq!(server.try_wait().unwrap(), None, "the server lives");
    server.kill().unwrap();
    server.wait().unwrap();
}
