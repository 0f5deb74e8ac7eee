//! The gateway's log as text and as JSON: what each line holds, and that neither guests nor clients can add one, add a
//! field, or fill the disk.

use crate::support::{Client, Server, TempDir, fuelbox_program, wat};
use fuelbox::Runner;
use fuelbox::base::limits::{LOG_BURST_LINES, LOG_DROPS_SAID_EVERY, LOG_LINES_PER_S};
use fuelbox::host::guest_log::Bucket;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

struct Logged {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStderr>>,
    address: SocketAddr,
    /// The lines before the address was known.
    first: Vec<String>,
}

impl Logged {
    fn start(dir: &TempDir, format: &str) -> Logged {
        std::fs::create_dir_all(dir.0.join("plugins")).unwrap();
        let mut child = Command::new(fuelbox_program())
            .args(["serve", "--listen", "127.0.0.1:0", "--log-format", format])
            .args(crate::support::isolation_flags())
            .current_dir(&dir.0)
            .env("RUST_LOG", "info,tiny_http=off")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut first = Vec::new();
        let address = loop {
            let line = lines.next().expect("the gateway serves").unwrap();
            first.push(line.clone());
            if let Some((_, address)) = line.split_once("on http://") {
                break address.trim_end_matches(['"', '}']).parse().unwrap();
            }
        };
        Logged { child, lines, address, first }
    }

    fn next(&mut self) -> String {
        self.lines.next().expect("a line").unwrap()
    }

    fn next_json(&mut self) -> Value {
        object(&self.next())
    }

    fn send(&self, path: &str, id: &str, body: &str) -> u16 {
        let mut client = Client::connect(self.address);
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: a\r\nX-Request-Id: {id}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        client.0.write_all((head + body).as_bytes()).unwrap();
        client.reply(false).expect("an answer").status
    }

    /// All lines that are left, after a signal to end.
    fn rest(mut self) -> Vec<String> {
        drop(Terminate(self.child.id()));
        self.lines.by_ref().map(|line| line.unwrap()).collect()
    }
}

impl Drop for Logged {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Ends a process when it is dropped.
struct Terminate(u32);

impl Drop for Terminate {
    fn drop(&mut self) {
        assert!(Command::new("kill").args(["-TERM", &self.0.to_string()]).status().unwrap().success());
    }
}

#[track_caller]
fn object(line: &str) -> Value {
    let value: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    for field in ["time", "level", "target", "message"] {
        assert!(value[field].is_string(), "{field} in {line}");
    }
    assert!(line.chars().all(|c| !c.is_control()), "{line:?}");
    value
}

/// A program that writes `text` to standard error, `times` times.
fn says(text: &str, times: u32) -> Vec<u8> {
    writes(2, text, times)
}

/// The same to the descriptor `fd`.
fn writes(fd: u32, text: &str, times: u32) -> Vec<u8> {
    let bytes: String = text.bytes().map(|byte| format!("\\{byte:02x}")).collect();
    let length = text.len();
    wat(&format!(
        r#"(module
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1) (data (i32.const 64) "{bytes}")
        (func (export "_start") (local $n i32)
            (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const {length}))
            (local.set $n (i32.const {times}))
            (loop $l
                (drop (call $write (i32.const {fd}) (i32.const 0) (i32.const 1) (i32.const 8)))
                (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))"#
    ))
}

fn plugin(dir: &TempDir, name: &str, wasm: Vec<u8>) {
    std::fs::create_dir_all(dir.0.join("plugins")).unwrap();
    dir.write(&format!("plugins/{name}.wasm"), wasm);
}

#[test]
fn an_access_line_has_its_fields() {
    let dir = TempDir::new();
    plugin(&dir, "7", says("", 1));
    let mut server = Logged::start(&dir, "json");
    for line in &server.first {
        assert_eq!(object(line)["level"], "info");
    }
    assert_eq!(server.send("/execute/7?x=%22", "id-1", "body"), 200);
    let line = server.next_json();
    for (field, value) in [
        ("target", "fuelbox::access"),
        ("request_id", "id-1"),
        ("plugin", "7"),
        ("client", "127.0.0.1"),
        ("method", "POST"),
        ("path", "/execute/7?x=%22"),
        ("outcome", "ok"),
        ("message", "POST /execute/7?x=%22 200"),
    ] {
        assert_eq!(line[field], value, "{line}");
    }
    assert_eq!((&line["status"], &line["bytes"]), (&200.into(), &0.into()));
    assert!(line["fuel"].as_u64().unwrap() > 0 && line["ms"].as_f64().unwrap() >= 0.0, "{line}");

    assert_eq!(server.send("/execute/none", "id-2", ""), 404);
    let line = server.next_json();
    assert_eq!((&line["outcome"], &line["status"]), (&"no-such-plugin".into(), &404.into()));
    assert!(line.get("plugin").is_none() && line.get("fuel").is_none(), "{line}");

    // What is no request has a line and a name too.
    Client::connect(server.address).0.write_all(b"GET /\" x\x1b HTTP/1.1\r\n\r\n").unwrap();
    let line = server.next_json();
    assert_eq!((&line["outcome"], &line["path"]), (&"bad-request".into(), &"-".into()));
    assert_eq!(line["request_id"].as_str().unwrap().len(), 32);
    // Its last words are JSON as well.
    for line in server.rest() {
        object(&line);
    }
}

#[test]
fn what_ends_the_command_is_json_too() {
    let dir = TempDir::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let args = ["serve", "--log-format", "json", "--listen", &address];
    let output = Command::new(fuelbox_program()).args(args).current_dir(&dir.0).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let last = object(stderr.lines().next_back().unwrap());
    assert_eq!(last["level"], "error");
    assert!(last["message"].as_str().unwrap().contains("--listen"), "{stderr}");
}

#[test]
fn an_unknown_format_is_usage() {
    let ran = crate::support::fuelbox(&["serve", "--log-format", "xml"]).expect(2);
    assert!(ran.stderr.contains("--log-format `xml`: use text or json"), "{ran:?}");
}

const FORGERY: &str = "{\"time\":\"x\",\"level\":\"error\",\"target\":\"fuelbox::access\",\"message\":\"forged\"}\",\"plugin\":\"other\"\r\u{1b}[31m\u{85}\u{2028}\u{202e}\u{7f}\\";

#[test]
fn a_guest_cannot_forge_a_line_or_a_field() {
    let dir = TempDir::new();
    plugin(&dir, "forger", says(&format!("{FORGERY}\nsecond\n"), 1));
    let mut server = Logged::start(&dir, "json");
    assert_eq!(server.send("/execute/forger", "mine", ""), 200);
    let raw = server.next();
    let line = object(&raw);
    for (field, value) in
        [("target", "fuelbox::guest"), ("level", "info"), ("plugin", "forger"), ("request_id", "mine")]
    {
        assert_eq!(line[field], value, "{line}");
    }
    // The value is what the guest wrote, all of it; the characters that a terminal acts on are escaped.
    assert_eq!(line["message"], FORGERY);
    assert_eq!(line.as_object().unwrap().len(), 6, "{line}");
    assert!(!raw.contains(['\u{85}', '\u{2028}', '\u{202e}', '\u{7f}']), "{raw:?}");
    assert_eq!(server.next_json()["message"], "second");
    assert_eq!(server.next_json()["target"], "fuelbox::access");

    let mut server = Logged::start(&dir, "text");
    assert_eq!(server.send("/execute/forger", "mine", ""), 200);
    let line = server.next();
    let (_, said) = line.split_once(" INFO  fuelbox::guest: ").expect("whose line it is");
    assert!(said.starts_with("forger mine: {\"time\""), "{line}");
    assert!(said.chars().all(|c| !c.is_control() && !"\u{2028}\u{202e}".contains(c)), "{line:?}");
    assert!(server.next().ends_with("fuelbox::guest: forger mine: second"));
    assert!(server.next().contains(" fuelbox::access: 127.0.0.1 POST /execute/forger 200 0 bytes "));
}

#[test]
fn names_cannot_forge_either() {
    let dir = TempDir::new();
    let name = "a\n\"},{ x=1 \u{1b}[31m";
    plugin(&dir, name, says("hello\n", 1));
    let path = "/execute/a%0A%22%7D%2C%7B%20x%3D1%20%1B%5B31m";
    let mut server = Logged::start(&dir, "json");
    assert!(server.first.iter().any(|line| object(line)["message"] == format!("plug-in {name} loaded")));
    assert_eq!(server.send(path, "mine", ""), 200);
    let guest = server.next_json();
    assert_eq!((&guest["plugin"], &guest["message"]), (&name.into(), &"hello".into()));
    assert_eq!(server.next_json()["plugin"], name);

    let mut server = Logged::start(&dir, "text");
    assert_eq!(server.send(path, "mine", ""), 200);
    let line = server.next();
    assert!(line.ends_with(": hello") && line.chars().all(|c| !c.is_control()), "{line:?}");
}

#[test]
fn many_runs_cannot_flood_the_log() {
    let dir = TempDir::new();
    plugin(&dir, "loud", says("x\n", 900));
    plugin(&dir, "quiet", says("x\n", 1));
    let mut server = Logged::start(&dir, "json");
    let (address, id) = (server.address, server.child.id());
    let begin = Instant::now();
    // What is logged is read meanwhile, or the gateway would wait for its reader.
    let work = std::thread::spawn(move || {
        // Also if this fails, so that the lines end.
        let _end = Terminate(id);
        let mut client = Client::connect(address);
        for _ in 0..5 {
            assert_eq!(client.send("POST", "/execute/loud", b"").status, 200);
        }
        assert_eq!(client.send("POST", "/execute/quiet", b"").status, 200);
        client.send("GET", "/metrics", b"").text()
    });
    let all: Vec<Value> = server.lines.by_ref().map(|line| object(&line.unwrap())).collect();
    let metrics = work.join().unwrap();
    let passed = begin.elapsed() + Duration::from_secs(1);
    let earned = (passed.as_secs() + 1) * LOG_LINES_PER_S;
    let of = |name: &str| {
        all.iter().filter(|line| line["target"] == "fuelbox::guest" && line["plugin"] == name).count() as u64
    };
    assert!(of("loud") >= LOG_BURST_LINES && of("loud") <= LOG_BURST_LINES + earned, "{}", of("loud"));
    assert_eq!(of("quiet"), 1, "one plug-in's noise is not another's");
    let dropped = |name: &str| {
        let name = format!("fuelbox_guest_log_lines_dropped_total{{plugin=\"{name}\"}} ");
        metrics.lines().find_map(|line| line.strip_prefix(&name)?.parse::<u64>().ok()).unwrap()
    };
    assert_eq!((dropped("loud"), dropped("quiet")), (5 * 900 - of("loud"), 0));
    let said = all.iter().filter(|line| line["message"].as_str().unwrap().contains("dropped")).count();
    // Once at first, and then once in each interval.
    let most = 2 + passed.as_secs() / LOG_DROPS_SAID_EVERY.as_secs();
    assert!((1..=most as usize).contains(&said), "{said}");
}

#[test]
fn a_bucket_gives_a_burst_and_then_so_much_a_second() {
    let bucket = Bucket::default();
    let begin = Instant::now();
    let at = |ms: u64| begin + Duration::from_millis(ms);
    let take = |now: Instant| (0..10 * LOG_BURST_LINES).take_while(|_| bucket.take(1, now)).count() as u64;
    assert_eq!((take(at(0)), take(at(0))), (LOG_BURST_LINES, 0));
    assert_eq!(take(at(1000)), LOG_LINES_PER_S);
    assert_eq!((take(at(1009)), take(at(1010))), (0, LOG_LINES_PER_S / 100));
    assert_eq!(take(at(1_000_000)), LOG_BURST_LINES);
    // A clock that goes back gives nothing.
    assert_eq!(take(at(0)), 0);

    assert_eq!((bucket.to_say(at(0)), bucket.dropped()), (None, 0));
    bucket.drop_lines(3, at(0));
    assert_eq!((bucket.to_say(at(0)), bucket.to_say(at(0))), (Some(3), None));
    bucket.drop_lines(4, at(1));
    let interval = LOG_DROPS_SAID_EVERY.as_millis() as u64;
    assert_eq!((bucket.to_say(at(interval - 1)), bucket.to_say(at(interval))), (None, Some(4)));
    assert_eq!((bucket.to_say(at(9 * interval)), bucket.dropped()), (None, 7));
}

/// What fuelbox says of a plug-in's answers is the plug-in's to have caused.
#[test]
fn warnings_that_a_plug_in_causes_come_out_of_its_share() {
    let bucket = Bucket::default();
    for _ in 0..LOG_BURST_LINES + 500 {
        bucket.tell(log::Level::Warn, "loud", "it answers with nonsense");
    }
    // Some 100 more each second may be logged.
    assert!((300..=500).contains(&bucket.dropped()), "{} dropped", bucket.dropped());
}

/// As the plug-in's own lines do.
#[test]
fn such_a_warning_names_its_plug_in_in_a_field() {
    let dir = TempDir::new();
    plugin(&dir, "odd", writes(1, "Status: 1\n\n", 1));
    let mut server = Logged::start(&dir, "json");
    assert_eq!(server.send("/execute/odd", "one", ""), 500);
    let line = server.next_json();
    assert!(line["message"].as_str().unwrap().contains("Status `1`"), "{line}");
    assert_eq!((&line["plugin"], &line["level"]), (&Value::from("odd"), &Value::from("warn")), "{line}");
}

#[test]
fn what_is_said_of_an_answer_is_cut() {
    let dir = TempDir::new();
    let header = format!("Content-Length: {}\n\n", "A".repeat(9_000));
    let source = format!(
        r#"(module
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1) (data (i32.const 64) "{}")
        (func (export "_start")
            (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const {}))
            (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#,
        header.replace('\n', "\\n"),
        header.len(),
    );
    dir.write("odd.wasm", wat(&source));
    let runner = Runner::new(crate::support::runner_config()).unwrap();
    runner.load_plugins(&dir.0).unwrap();
    let reply = Server::with(runner).send("POST", "/execute/odd", b"");
    assert_eq!(reply.status, 500);
    assert!(reply.body.len() < 2_000, "{} bytes", reply.body.len());
}
