//! `fuelbox serve` with guests in processes, seen from outside.

use crate::guest::LONG;
use crate::site::{DEPLOY, token_file};
use crate::support::{Client, Serve, TempDir, children, fuelbox_command, fuelbox_program, prebuilt, wat};
use std::io::{BufRead, BufReader};
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
    // One that loaded a module may be at its end, and the next spare at its start.
    let mut before = processes(&server);
    for _ in 0..50 {
        std::thread::sleep(Duration::from_millis(100));
        let now = processes(&server);
        if std::mem::replace(&mut before, now) == before && before.len() == 2 {
            break;
        }
    }
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

/// Sends a module with the token that may deploy.
fn put(server: &Serve, name: &str, module: &[u8]) -> crate::support::Reply {
    let bearer = format!("Bearer {DEPLOY}");
    let target = format!("/plugins/{name}");
    Client::connect(server.address).ask("PUT", &target, &[("Authorization", bearer.as_str())], module)
}

/// A server of one worker, with `greet` and a token that may deploy.
fn one_worker(flags: &[&str]) -> (TempDir, Serve) {
    let dir = TempDir::new();
    std::fs::create_dir(dir.0.join("plugins")).unwrap();
    dir.write("plugins/greet.wasm", std::fs::read(prebuilt("greet.wasm")).unwrap());
    dir.write("plugins/spin.wasm", std::fs::read(prebuilt("infinite-loop.wasm")).unwrap());
    let tokens = token_file(&dir, DEPLOY);
    let tokens = format!("--token-file={}", tokens.display());
    let own = ["serve", "--listen=127.0.0.1:0", "--plugins=plugins", "--workers=1", &tokens];
    let server = Serve::spawn(fuelbox_command(&dir.0, &[&own[..], flags].concat()));
    (dir, server)
}

#[test]
fn a_module_that_is_tried_takes_no_guest_s_place() {
    let (_dir, server) = one_worker(&["--timeout=3s"]);
    let spins = wat("(module (func $f (loop $l (br $l))) (start $f))");
    std::thread::scope(|scope| {
        let refused = scope.spawn(|| put(&server, "spins", &spins));
        let mut client = Client::connect(server.address);
        let mut greeted = 0;
        while !refused.is_finished() {
            let reply = client.send("POST", "/execute/greet", b"World");
            assert_eq!((reply.status, reply.text().as_str()), (200, "Hello, World"));
            greeted += 1;
        }
        assert_eq!(refused.join().unwrap().status, 422);
        // One that waited for the place would have been the only one.
        assert!(greeted > 3, "{greeted}");
    });
}

#[test]
fn guests_in_all_places_keep_no_module_from_being_deployed() {
    let (_dir, server) = one_worker(&["--timeout=20s"]);
    let mut spinning = std::net::TcpStream::connect(server.address).unwrap();
    let request = b"POST /execute/spin?func=spin HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n";
    std::io::Write::write_all(&mut spinning, request).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    let reply = put(&server, "seven", &wat(r#"(module (func (export "greet") (result i32) i32.const 7))"#));
    assert_eq!(reply.status, 201, "{}", reply.text());
}

#[test]
fn modules_take_no_descriptors_of_the_server() {
    let (_dir, server) = one_worker(&[]);
    let before = server.vitals().descriptors;
    for n in 0..40 {
        let module = wat(&format!(r#"(module (func (export "f") (result i32) i32.const {n}))"#));
        assert_eq!(put(&server, &format!("p{n}"), &module).status, 201, "{n}");
    }
    // Some come and go with connections.
    assert!(server.vitals().descriptors < before + 20, "{before}: {:?}", server.vitals());
}

#[test]
fn without_the_means_for_processes_guests_run_in_threads_unless_processes_are_asked_for() {
    let started = |flags: &str| {
        let dir = TempDir::new();
        let program = fuelbox_program();
        let line = format!("ulimit -f 0; exec '{}' serve --listen 127.0.0.1:0 {flags}", program.display());
        let mut command = Command::new("sh");
        command.args(["-c", &line]).current_dir(&dir.0).env_remove("RUST_LOG");
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        for line in BufReader::new(child.stderr.take().unwrap()).lines() {
            said += &(line.unwrap() + "\n");
            if said.contains("on http://") {
                break;
            }
        }
        let _ = (child.kill(), child.wait());
        said
    };
    let said = started("");
    assert!(said.contains("WARN") && said.contains("guests run in threads of this process: "), "{said}");
    assert!(said.contains("File too large") && said.contains("on http://"), "{said}");
    let said = started("--isolation process");
    assert!(said.contains("File too large") && !said.contains("on http://"), "{said}");
}

#[test]
fn what_processes_for_guests_use_is_told() {
    let server = serve(&["--workers=1"]);
    let told = || {
        let page = Client::connect(server.address).send("GET", "/metrics", b"").text();
        let of = |name: &str| {
            let line = page.lines().find(|line| line.starts_with(&format!("{name} ")))?;
            line.rsplit(' ').next()?.parse::<f64>().ok()
        };
        let names = ["processes", "memory_bytes", "cpu_seconds_total"];
        names.map(|name| of(&format!("fuelbox_guest_{name}")))
    };
    let [before, memory, cpu] = told().map(Option::unwrap);
    assert!((1.0..=10.0).contains(&before) && memory > 100_000.0 && cpu > 0.0, "{before} {memory} {cpu}");
    for _ in 0..3 {
        assert_eq!(Client::connect(server.address).send("POST", "/execute/greet", b"World").status, 200);
    }
    // What they have used stays, when they are gone.
    signal("-KILL", &processes(&server));
    let [_, _, after] = told().map(|value| value.unwrap_or(0.0));
    assert!(after >= cpu, "{after} {cpu}");
    assert_eq!(Client::connect(server.address).send("POST", "/execute/greet", b"World").status, 200);
    let [again, _, later] = told().map(|value| value.unwrap_or(0.0));
    assert!(again >= 1.0 && later >= after, "{again} {later} {after}");
}
