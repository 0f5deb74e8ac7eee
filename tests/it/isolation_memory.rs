//! Guests in processes, in a cgroup that has too little memory for them: the kernel kills those that take it.

use crate::skip::skip;
use crate::support::{Client, Serve, TempDir, fuelbox_program, prebuilt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Takes 300 pages and keeps them until the deadline.
const HOG: &str = r#"(module (memory (export "memory") 1)
  (func (export "hold") (result i32) (local $at i32)
    (drop (memory.grow (i32.const 299)))
    (loop $fill
      (i32.store8 (local.get $at) (i32.const 1))
      (local.set $at (i32.add (local.get $at) (i32.const 4096)))
      (br_if $fill (i32.lt_u (local.get $at) (i32.const 19660800))))
    (loop $spin (br $spin))
    (i32.const 0)))"#;

const LIMIT: &str = "67108864";

/// A cgroup of 64 MB, removed on drop.
struct Group(PathBuf);

impl Group {
    /// With the memory controller of either version, where it is there and this user may.
    fn new() -> Option<Group> {
        let name = format!("fuelbox-test-{}", std::process::id());
        for (parent, limit) in
            [("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")]
        {
            let group = Group(Path::new(parent).join(&name));
            if std::fs::create_dir(&group.0).is_err() {
                continue;
            }
            if std::fs::write(group.0.join(limit), LIMIT).is_ok() {
                // Without swap, if that is counted.
                let _ = std::fs::write(group.0.join("memory.swap.max"), "0");
                let _ = std::fs::write(group.0.join("memory.memsw.limit_in_bytes"), LIMIT);
                return Some(group);
            }
        }
        None
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        for _ in 0..100 {
            // It works once all processes have ended.
            if std::fs::remove_dir(&self.0).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn of_eight_hogs_and_others_only_hogs_die() {
    let Some(group) = Group::new() else { return skip("there is no memory cgroup to be had") };
    let dir = TempDir::new();
    dir.write("hog.wat", HOG);
    std::fs::copy(prebuilt("greet.wasm"), dir.0.join("greet.wasm")).unwrap();
    let mut command = Command::new("sh");
    let script = format!("echo $$ > {}/cgroup.procs && exec \"$@\"", group.0.display());
    command.args(["-c", &script, "sh"]).arg(fuelbox_program());
    command.args(["serve", "--listen=127.0.0.1:0", "--plugins=.", "--isolation=process", "--workers=10"]);
    command.args(["--client-share=100", "--timeout=3s", "--fuel=100000000000"]).current_dir(&dir.0);
    let server = Serve::spawn(command);
    let address = server.address;
    let greet = || Client::connect(address).send("POST", "/execute/greet", b"World").text();
    assert_eq!(greet(), "Hello, World");
    let hogs: Vec<_> = (0..8)
        .map(|_| {
            std::thread::spawn(move || Client::connect(address).send("POST", "/execute/hog?func=hold", b""))
        })
        .collect();
    while !hogs.iter().all(std::thread::JoinHandle::is_finished) {
        assert_eq!(greet(), "Hello, World");
        std::thread::sleep(Duration::from_millis(50));
    }
    let mut problems: Vec<String> = hogs.into_iter().map(|hog| hog.join().unwrap().problem()).collect();
    problems.sort();
    println!("{problems:?}");
    let died = problems.iter().filter(|problem| *problem == "guest-died").count();
    assert!(
        died > 0
            && problems.iter().all(|problem| ["guest-died", "deadline", "no-memory"].contains(&&**problem))
    );
    assert_eq!(greet(), "Hello, World");
    let metrics = Client::connect(address).send("GET", "/metrics", b"").text();
    let line = format!(r#"fuelbox_guest_deaths_total{{plugin="hog",reason="killed"}} {died}"#);
    assert!(metrics.contains(&line), "{metrics}");
}
