//! A served process under attack, and a well-behaved client beside it that must not notice.
//!
//! Small unless `FUELBOX_ATTACK=full` (see `scripts/attack.sh`). Times are printed, and asserted only in
//! full size: a test machine may be busy with other things.

mod busy;
mod fair;
mod flood;
mod framing;
mod honest;
mod hostile;
mod lanes;
mod matrix;
mod pipeline;
mod reset;
mod slow;
mod smuggle;

use crate::http::{self, set_up};
use crate::support::{Reply, Serve, TempDir, Vitals, connect_from, prebuilt, wat};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

/// Whether the attacks have the size that issue 3 gives them.
fn full() -> bool {
    std::env::var("FUELBOX_ATTACK").is_ok_and(|size| size == "full")
}

fn scale<T>(small: T, full_size: T) -> T {
    if full() { full_size } else { small }
}

/// Attacks take turns: each needs the machine, and the descriptors of the test process, for itself.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Guests at once in every target.
const WORKERS: usize = 4;

/// One for each worker and its lane, the main one, the one that watches the folder of plug-ins, and the one that writes the
/// log.
const THREADS: usize = 2 * (WORKERS + 1) + 3;

/// A guest that answers with 1 MiB.
const MEGABYTE: &str = r#"(module (memory (export "memory") 17)
    (func (export "allocate") (param i32) (result i32) (i32.const 0))
    (func (export "greet") (param i32 i32) (result i64) (i64.const 1048576)))"#;

/// A served process.
struct Target {
    serve: Serve,
    _dir: TempDir,
}

impl Target {
    /// Limits suit the size of the attack; `flags` come after and replace them.
    fn start(flags: &[&str]) -> Target {
        Target::start_under(None, flags)
    }

    /// Under a shell that first does `setup`, such as setting a resource limit.
    fn start_under(setup: Option<&str>, flags: &[&str]) -> Target {
        let dir = TempDir::new();
        for name in ["greet.wasm", "add.wasm", "infinite-loop.wasm"] {
            dir.write(name, std::fs::read(prebuilt(name)).unwrap());
        }
        dir.write("megabyte.wasm", wat(MEGABYTE));
        let serve = Serve::spawn(Target::command(setup, &dir.0, flags));
        Target { serve, _dir: dir }
    }

    /// `fuelbox serve` with the plug-ins in `dir`.
    fn command(setup: Option<&str>, dir: &Path, flags: &[&str]) -> Command {
        let mut command = Command::new("sh");
        let script = format!("{}; exec \"$@\"", setup.unwrap_or(":"));
        let workers = WORKERS.to_string();
        let program = env!("CARGO_BIN_EXE_fuelbox");
        command.args(["-c", &script, "sh", program, "serve", "--listen=127.0.0.1:0"]);
        command.args(["--plugins=.", "--workers", &workers]).args(crate::support::isolation_flags());
        command.args(flags).current_dir(dir).env_remove("RUST_LOG");
        // glibc keeps freed memory, some megabytes for each thread that once held a large body. That is the
        // system's affair; here it would hide a leak. Large blocks go back at once with this.
        command.env("MALLOC_MMAP_THRESHOLD_", "131072").env("MALLOC_ARENA_MAX", "2");
        command
    }

    fn address(&self) -> SocketAddr {
        self.serve.address
    }

    fn vitals(&self) -> Vitals {
        self.serve.vitals()
    }

    /// Brings the process to where it is in use: every worker has served, small bodies and larger ones (the
    /// allocator keeps some memory for each thread), and (in full size) the threads that tiny_http keeps for
    /// 5 s after a start are gone.
    fn warm_up(&self) {
        let address = self.address();
        let clients: Vec<_> = (0..2 * WORKERS).map(|_| spawn(move || keep_posting(address, 50))).collect();
        clients.into_iter().for_each(|client| client.join().unwrap());
        let begin = Instant::now();
        while full() && self.vitals().threads != THREADS {
            assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", self.vitals());
            sleep(Duration::from_millis(50));
        }
        // The connections of the warm-up are closed when the count of descriptors stays the same.
        let mut same = (0, 0);
        while same.1 < 5 && begin.elapsed() < Duration::from_secs(20) {
            let now = self.vitals().descriptors;
            same = (now, if now == same.0 { same.1 + 1 } else { 0 });
            sleep(Duration::from_millis(20));
        }
    }

    /// Waits, at most 10 s, until the vitals are right.
    fn settle(&self, right: impl Fn(&Vitals) -> bool) -> Vitals {
        let begin = Instant::now();
        loop {
            let now = self.vitals();
            if right(&now) || begin.elapsed() > Duration::from_secs(10) {
                return now;
            }
            sleep(Duration::from_millis(20));
        }
    }
}

fn keep_posting(address: SocketAddr, count: usize) {
    let mut stream = connect(address);
    for number in 0..count {
        let body = vec![b'x'; if number % 5 == 0 { 90_000 } else { 5 }];
        let reply = post(&mut stream, "/execute/greet", &body).unwrap();
        assert_eq!((reply.status, reply.body.len()), (200, "Hello, ".len() + body.len()));
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    set_up(TcpStream::connect(address).unwrap(), Duration::from_secs(10))
}

/// A whole POST.
fn message(target: &str, body: &[u8]) -> Vec<u8> {
    http::message("POST", target, &[], body)
}

fn post(stream: &mut TcpStream, target: &str, body: &[u8]) -> io::Result<Reply> {
    stream.write_all(&message(target, body))?;
    read_reply(stream)
}

fn read_reply(stream: &mut impl Read) -> io::Result<Reply> {
    http::read_reply(stream, false)
}

/// All responses to `bytes`, which may be refused before they are all sent; then the connection must end,
/// and not with a reset.
fn exchange(address: SocketAddr, bytes: &[u8]) -> Vec<Reply> {
    let mut stream = connect(address);
    // The server may end the connection meanwhile; what it answered is what counts.
    let _ = stream.write_all(bytes);
    all_replies(&mut stream, bytes)
}

fn all_replies(stream: &mut TcpStream, sent: &[u8]) -> Vec<Reply> {
    let mut received = Vec::new();
    if let Err(error) = stream.read_to_end(&mut received) {
        panic!("{error} instead of an end, after {:?} to {:?}", text(&received), text(sent));
    }
    let mut rest = &received[..];
    let mut replies = Vec::new();
    while !rest.is_empty() {
        replies.push(read_reply(&mut rest).unwrap_or_else(|error| panic!("{error}: {:?}", text(&received))));
    }
    replies
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(300)]).into_owned()
}

/// What the well-behaved client saw.
#[derive(Debug, Default)]
struct Seen {
    ok: usize,
    busy: usize,
    /// Connections that were closed between two requests, to make room, and opened again.
    reopened: usize,
    wrong: Vec<String>,
    latencies: Vec<Duration>,
}

impl Seen {
    fn percentile(&self, part: f64) -> Duration {
        let mut sorted = self.latencies.clone();
        sorted.sort();
        sorted.get(((sorted.len() as f64 * part) as usize).min(sorted.len() - 1)).copied().unwrap()
    }

    fn note(&mut self, outcome: io::Result<Reply>) {
        match outcome {
            Ok(reply) if reply.status == 200 && reply.body == b"Hello, World" => self.ok += 1,
            Ok(reply) if reply.status == 503 && reply.header("retry-after").is_some() => self.busy += 1,
            Ok(reply) => self.wrong.push(format!("{} {}", reply.status, reply.text())),
            Err(error) => self.wrong.push(format!("{:?} {error}", error.kind())),
        }
    }
}

/// The well-behaved client: a request every 20 ms, one on a kept connection, the next on a fresh one.
struct GoodClient {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Seen>,
}

impl GoodClient {
    const PERIOD: Duration = Duration::from_millis(20);

    fn start(address: SocketAddr) -> GoodClient {
        let stop = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&stop);
        let thread = spawn(move || {
            let mut seen = Seen::default();
            let mut kept = GoodClient::connect(address).unwrap();
            let mut next = Instant::now();
            while !until.load(Ordering::SeqCst) {
                GoodClient::once(address, &mut kept, &mut seen);
                next += GoodClient::PERIOD;
                sleep(next.saturating_duration_since(Instant::now()));
            }
            seen
        });
        GoodClient { stop, thread }
    }

    /// From an address of its own: attacks come from 127.0.0.1.
    fn connect(address: SocketAddr) -> io::Result<TcpStream> {
        let stream = connect_from(3, address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        Ok(stream)
    }

    fn once(address: SocketAddr, kept: &mut TcpStream, seen: &mut Seen) {
        let begin = Instant::now();
        let fresh =
            GoodClient::connect(address).and_then(|mut stream| post(&mut stream, "/execute/greet", b"World"));
        seen.latencies.push(begin.elapsed());
        seen.note(fresh);
        sleep(GoodClient::PERIOD.saturating_sub(begin.elapsed()));
        let begin = Instant::now();
        let mut outcome = post(kept, "/execute/greet", b"World");
        if outcome.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::WouldBlock) {
            // Closed while idle, as any server may: a client then asks again on another connection.
            seen.reopened += 1;
            match GoodClient::connect(address) {
                Ok(stream) => *kept = stream,
                Err(error) => return seen.note(Err(error)),
            }
            outcome = post(kept, "/execute/greet", b"World");
        }
        seen.latencies.push(begin.elapsed());
        seen.note(outcome);
    }

    fn end(self) -> Seen {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.join().unwrap()
    }
}

/// Runs `attack` against `target` with a well-behaved client beside it, and checks that the client was
/// served (503 with `Retry-After` only if `may_be_busy`) and that the process is then as it was before.
fn under_attack(name: &str, target: &Target, may_be_busy: bool, attack: impl FnOnce(SocketAddr)) {
    target.warm_up();
    let before = target.vitals();
    let good = GoodClient::start(target.address());
    sleep(scale(Duration::from_millis(100), Duration::from_millis(500)));
    let begin = Instant::now();
    attack(target.address());
    let took = begin.elapsed();
    sleep(scale(Duration::from_millis(100), Duration::from_millis(500)));
    let seen = good.end();
    // In small size, tiny_http's spare threads may still have been there before.
    let threads_right = |now: usize| if full() { now == before.threads } else { now <= before.threads };
    // In small size the process is young: an arena of the allocator more or less is 2 MiB.
    let tolerated_kb = if full() { 2048 } else { 4096 };
    let is_back = |now: &Vitals| {
        now.descriptors == before.descriptors
            && threads_right(now.threads)
            && now.rss_kb <= before.rss_kb + tolerated_kb
    };
    let after = target.settle(is_back);
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    println!(
        "attack | {name} | {:.1} s | {} | {} | {} | {:.1} | {:.1} | {:.1} | {} -> {} ({}) | {} -> {} | {} -> {} |",
        took.as_secs_f64(),
        seen.ok,
        seen.busy,
        seen.reopened,
        ms(seen.percentile(0.5)),
        ms(seen.percentile(0.99)),
        ms(seen.percentile(1.0)),
        before.rss_kb,
        after.rss_kb,
        after.peak_kb,
        before.threads,
        after.threads,
        before.descriptors,
        after.descriptors,
    );
    assert!(seen.wrong.is_empty(), "{name}: the well-behaved client saw {:?}", seen.wrong);
    assert!(seen.ok > 0 && (may_be_busy || seen.busy == 0), "{name}: {} refused as busy", seen.busy);
    assert!(is_back(&after), "{name}: before {before:?}, after {after:?}");
    // Where guests take every place, a request may wait its time for one.
    if full() && !may_be_busy {
        assert!(
            seen.percentile(0.99) < Duration::from_millis(100),
            "{name}: p99 {:?}",
            seen.percentile(0.99)
        );
    }
}
