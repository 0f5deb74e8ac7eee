//! One share of the log for all that a plug-in says, in lines and in bytes, and one for all plug-ins together.

use crate::support::{Client, TempDir, fuelbox_program, wat};
use fuelbox::base::limits::{
    LOG_BURST_BYTES, LOG_BURST_LINES, LOG_BYTES_PER_S, LOG_LINE_BYTES_MAX, LOG_LINES_PER_S, LOG_SHARES,
    LOG_TARGET_BYTES_MAX,
};
use fuelbox::host::guest_log::Bucket;
use std::fs::File;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

#[test]
fn a_share_has_so_many_bytes_at_once_and_so_many_a_second() {
    let begin = Instant::now();
    let at = |ms: u64| begin + Duration::from_millis(ms);
    let burst = LOG_BURST_BYTES as usize;
    for (first, second, fits) in [(burst - 1, 1, true), (burst, 0, true), (burst, 1, false)] {
        let bucket = Bucket::default();
        assert!(bucket.take(first, at(0)), "{first}");
        assert_eq!(bucket.take(second, at(0)), fits, "{first} and {second}");
    }
    let bucket = Bucket::default();
    assert!(!bucket.take(burst + 1, at(0)) && bucket.take(burst, at(0)), "what does not fit takes nothing");
    let second = LOG_BYTES_PER_S as usize;
    assert!(!bucket.take(second + 1, at(1000)) && bucket.take(second, at(1000)));
    assert!(!bucket.take(1, at(1000)) && bucket.take(second / 2, at(1500)));
    assert!(bucket.take(burst, at(1_000_000)) && !bucket.take(1, at(1_000_000)), "no more than the burst");
}

#[test]
fn all_plugins_together_have_a_share_too() {
    let now = Instant::now();
    for (bytes, most) in [(1, LOG_SHARES * LOG_BURST_LINES), (2048, LOG_SHARES * LOG_BURST_BYTES / 2048)] {
        let all = Arc::new(Bucket::of_all());
        let plugins: Vec<Bucket> = (0..LOG_SHARES + 5).map(|_| Bucket::under(&all)).collect();
        let took: Vec<u64> = plugins
            .iter()
            .map(|plugin| (0..2 * LOG_BURST_LINES).filter(|_| plugin.take(bytes, now)).count() as u64)
            .collect();
        assert_eq!(took.iter().sum::<u64>(), most, "{took:?}");
        assert_eq!(took[0], most / LOG_SHARES);
        if bytes > 1 {
            continue;
        }
        let later = now + Duration::from_secs(1);
        let took: u64 = plugins.iter().map(|p| (0..500).filter(|_| p.take(1, later)).count() as u64).sum();
        assert_eq!(took, LOG_SHARES * LOG_LINES_PER_S);
    }
}

const WRITE: &str =
    r#"(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))"#;

/// Calls `$write` for the text at 64, `length` bytes, `times` times.
fn writes(fd: u32, at: u32, length: usize, times: u32) -> String {
    format!(
        "(i32.store (i32.const 0) (i32.const {at})) (i32.store (i32.const 4) (i32.const {length}))
         (local.set $n (i32.const {times}))
         (loop $l (drop (call $write (i32.const {fd}) (i32.const 0) (i32.const 1) (i32.const 8)))
            (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))"
    )
}

/// A program that says as much as it can by its standard error, and answers with a header that is none.
fn program() -> Vec<u8> {
    let (line, header) =
        ("\\1b".repeat(4095) + "\\n", format!("Content-Length: {}\\n\\n", "\\1b".repeat(9000)));
    let out = "Content-Length: ".len() + 9000 + 2;
    wat(&format!(
        r#"(module {WRITE} (memory (export "memory") 1)
        (data (i32.const 64) "{line}") (data (i32.const 8192) "{header}")
        (func (export "_start") (local $n i32) {} {}))"#,
        writes(2, 64, 4096, 20),
        writes(1, 8192, out, 1),
    ))
}

/// An Extism plug-in that does so by both streams, by messages, and by a trap in the end.
fn plugin() -> Vec<u8> {
    wat(&format!(
        r#"(module {WRITE}
        (import "extism:host/env" "log_warn" (func $log (param i64)))
        (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
        (memory (export "memory") 1) (data (i32.const 64) "{}\n")
        (func (export "greet") (result i32) (local $n i32) (local $m i64) {} {}
            (local.set $m (call $alloc (i64.const 4000))) (local.set $n (i32.const 20))
            (loop $l (call $log (local.get $m))
                (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
            (unreachable)))"#,
        "\\1b".repeat(4095),
        writes(2, 64, 4096, 20),
        writes(1, 64, 4096, 20),
    ))
}

/// A gateway whose log is a file.
struct Logged {
    child: Child,
    dir: TempDir,
    address: SocketAddr,
}

impl Logged {
    fn start(flags: &[&str]) -> Logged {
        let dir = TempDir::new();
        std::fs::create_dir(dir.0.join("plugins")).unwrap();
        dir.write("plugins/program.wasm", program());
        dir.write("plugins/plugin.wasm", plugin());
        let log = File::create(dir.0.join("log")).unwrap();
        let mut command = Command::new(fuelbox_program());
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--max-output", "4MiB"])
            .args(crate::support::isolation_flags())
            .args(flags);
        let child =
            command.current_dir(&dir.0).env_remove("RUST_LOG").stdin(Stdio::null()).stderr(log).spawn();
        let mut logged = Logged { child: child.unwrap(), dir, address: "127.0.0.1:0".parse().unwrap() };
        let begin = Instant::now();
        loop {
            let said = logged.log();
            let address = said.lines().find_map(|line| line.split_once("on http://")?.1.split('"').next());
            if let Some(address) = address {
                logged.address = address.parse().unwrap();
                return logged;
            }
            assert!(begin.elapsed() < Duration::from_secs(20), "it serves: {said}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn log(&self) -> String {
        String::from_utf8(std::fs::read(self.dir.0.join("log")).unwrap()).unwrap()
    }

    /// The log when all is said: what is asked for now comes after it.
    fn whole_log(&mut self) -> String {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
        self.log()
    }
}

impl Drop for Logged {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn whatever_it_is_said_by_a_plugin_has_one_share() {
    // JSON may take twice the text, for quotes.
    for (format, factor) in [("text", 1), ("json", 2)] {
        let mut server = Logged::start(&["--log-format", format]);
        let begin = Instant::now();
        for name in ["program", "plugin"] {
            let mut client = Client::connect(server.address);
            for _ in 0..30 {
                assert_eq!(client.send("POST", &format!("/execute/{name}"), b"").status, 500);
            }
        }
        let metrics = Client::connect(server.address).send("GET", "/metrics", b"").text();
        let log = server.whole_log();
        let seconds = begin.elapsed().as_secs() + 2;
        for name in ["program", "plugin"] {
            let by = [format!(" {name} "), format!(" {name}:"), format!("\"{name}\"")];
            let of = |line: &&str| by.iter().any(|by| line.contains(by));
            let lines: Vec<&str> = log.lines().filter(of).collect();
            let bytes: usize = lines.iter().map(|line| line.len()).sum();
            // Time, level and names come before the text.
            let most = LOG_BURST_BYTES + seconds * LOG_BYTES_PER_S + 250 * lines.len() as u64;
            assert!(lines.len() > 100 && bytes as u64 <= factor * most, "{format} {name}: {bytes} of {most}");
            let longest = lines.iter().map(|line| line.len()).max().unwrap();
            assert!(longest <= factor as usize * LOG_LINE_BYTES_MAX + 250, "{format} {name}: {longest}");
            let dropped = format!("fuelbox_guest_log_lines_dropped_total{{plugin=\"{name}\"}} ");
            let dropped = metrics.lines().find_map(|line| line.strip_prefix(&dropped)).unwrap();
            assert!(dropped.parse::<u64>().unwrap() > 100, "{dropped}");
            let said = lines.iter().filter(|line| line.contains("lines of its output dropped")).count();
            let most = 2 + seconds / 10;
            assert!((1..=most as usize).contains(&said), "{format} {name}: {said}");
        }
    }
}

#[test]
fn an_access_line_shows_no_more_of_a_target_than_there_is_room_for() {
    for format in ["text", "json"] {
        let mut server = Logged::start(&["--log-format", format, "--access-log", "on"]);
        let target = |length: usize| format!("/{}", "x".repeat(length - 1));
        let lengths = [LOG_TARGET_BYTES_MAX - 1, LOG_TARGET_BYTES_MAX, LOG_TARGET_BYTES_MAX + 1, 14_000];
        for length in lengths {
            Client::connect(server.address).send("GET", &target(length), b"");
        }
        let method = "M".repeat(10_000);
        Client::connect(server.address).send(&method, "/", b"");
        let log = server.whole_log();
        let lines: Vec<&str> = log.lines().filter(|line| line.contains("fuelbox::access")).collect();
        assert_eq!(lines.len(), 5, "{log}");
        for (length, line) in lengths.into_iter().zip(&lines) {
            let shown = target(length.min(LOG_TARGET_BYTES_MAX));
            let cut = if length > LOG_TARGET_BYTES_MAX { "…" } else { "" };
            let end = if format == "text" { " " } else { "\"" };
            assert!(line.contains(&format!("{shown}{cut}{end}")), "{length}: {line}");
            assert!(line.len() < 2 * LOG_TARGET_BYTES_MAX + 500, "{length}: {}", line.len());
        }
        assert!(lines[4].len() < 600, "{}", lines[4].len());
    }
}
