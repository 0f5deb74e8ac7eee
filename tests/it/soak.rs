//! Long life: a mixed load with deployments, bad modules, spinning and leaking guests and slow clients, after which the
//! process is as it was. Seconds in `cargo test`; `scripts/soak.sh` makes them minutes (FUELBOX_SOAK_SECONDS).

use crate::site::{DEPLOY, token_file};
use crate::support::{Client, Reply, Serve, TempDir, Vitals, prebuilt, wat};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Threads of well-behaved clients for each kind of request.
const CLIENTS: usize = 2;

/// Guests at once.
const WORKERS: usize = 4;

/// One for each worker (one more for the door and one for the desk) and its lane, the main one, the one that watches
/// the folder, and the one that writes the log.
const THREADS: usize = 2 * (WORKERS + 2) + 3;

/// Memory that may be left more than after a tenth of the time, in kB: an allocator's holes, no growth. In a short
/// run, not every worker has done everything once by then.
fn memory_spare_kb(seconds: f64) -> usize {
    if seconds < 60.0 { 16_384 } else { 2_048 }
}

#[derive(Default)]
struct Counts {
    right: AtomicU64,
    busy: AtomicU64,
    stopped: AtomicU64,
    deployed: AtomicU64,
    refused: AtomicU64,
    slow: AtomicU64,
}

impl Counts {
    fn all(&self) -> Vec<(&str, u64)> {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        vec![
            ("right answers", of(&self.right)),
            ("told to come again", of(&self.busy)),
            ("guests stopped", of(&self.stopped)),
            ("deployments", of(&self.deployed)),
            ("bad modules refused", of(&self.refused)),
            ("slow or vanishing clients", of(&self.slow)),
        ]
    }
}

fn add(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// A module whose `f` gives `n`.
fn version(n: u64) -> Vec<u8> {
    wat(&format!(r#"(module (func (export "f") (result i64) (i64.const {n})))"#))
}

struct Load {
    address: SocketAddr,
    stop: AtomicBool,
    counts: Counts,
    /// The version whose deployment has begun, and the one whose has ended.
    begun: AtomicU64,
    ended: AtomicU64,
}

impl Load {
    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }

    /// Sends, and again while it is told to; the answer must be `expected`.
    fn ask(&self, client: &mut Client, target: &str, body: &[u8], expected: impl Fn(&Reply) -> bool) {
        let reply = client.send("POST", target, body);
        if reply.status == 503 && reply.header("retry-after").is_some() {
            return add(&self.counts.busy);
        }
        assert!(expected(&reply), "{target} gave {} {}", reply.status, reply.text());
        add(&self.counts.right);
    }

    fn greet(&self) {
        let mut client = Client::connect(self.address);
        let mut n = 0_u64;
        while self.goes_on() {
            n += 1;
            let name = format!("{n} {}", "x".repeat((n * 37 % 3_000) as usize));
            self.ask(&mut client, "/execute/greet", name.as_bytes(), |reply| {
                reply.text() == format!("Hello, {name}")
            });
            // Others come anew each time.
            if n.is_multiple_of(50) {
                client = Client::connect(self.address);
            }
        }
    }

    fn add(&self) {
        let mut client = Client::connect(self.address);
        let mut n = 0_i64;
        while self.goes_on() {
            n += 1;
            let body = format!("{n} {}", n * 3);
            self.ask(&mut client, "/execute/add?func=add", body.as_bytes(), |reply| {
                reply.text() == format!("{}\n", n * 4)
            });
        }
    }

    fn count_words(&self) {
        let mut client = Client::connect(self.address);
        while self.goes_on() {
            self.ask(&mut client, "/execute/wordcount", b"one two\nthree", |reply| {
                reply.text() == "1 3 13\n"
            });
        }
    }

    /// An answer is that of a version that was there at some time between question and answer.
    fn versions(&self) {
        let mut client = Client::connect(self.address);
        while self.goes_on() {
            let least = self.ended.load(Ordering::SeqCst);
            self.ask(&mut client, "/execute/version?func=f", b"", |reply| {
                let most = self.begun.load(Ordering::SeqCst);
                reply.text().trim_end().parse().is_ok_and(|n: u64| (least..=most).contains(&n))
            });
        }
    }

    fn deploy(&self) {
        let bearer = format!("Bearer {DEPLOY}");
        let fields = [("Authorization", bearer.as_str())];
        let mut client = Client::connect(self.address);
        let mut send =
            |method: &str, target: &str, body: &[u8]| client.ask(method, target, &fields, body).status;
        let mut n = 1;
        while self.goes_on() {
            n += 1;
            self.begun.store(n, Ordering::SeqCst);
            assert_eq!(send("PUT", "/plugins/version", &version(n)), 204);
            self.ended.store(n, Ordering::SeqCst);
            let policy = format!("limits.fuel = {}\n", 1_000 + n);
            assert!(matches!(send("PUT", "/plugins/version/policy", policy.as_bytes()), 201 | 204));
            let name = format!("/plugins/passing-{}", n % 7);
            assert!(matches!(send("PUT", &name, &version(n)), 201 | 204));
            add(&self.counts.deployed);
            assert_eq!(send("PUT", "/plugins/version", &version(n)[..20]), 422);
            assert_eq!(send("PUT", "/plugins/version/policy", b"limits.fule = 1"), 422);
            add(&self.counts.refused);
            assert_eq!(send("DELETE", &name, b""), 204);
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Guests that spin until their deadline, and that take all memory they can get.
    fn misbehave(&self) {
        let mut client = Client::connect(self.address);
        while self.goes_on() {
            for target in ["/execute/infinite-loop?func=spin", "/execute/memory-hog?func=hog"] {
                let reply = client.send("POST", target, b"");
                assert!(
                    matches!(reply.status, 500 | 503 | 504),
                    "{target}: {} {}",
                    reply.status,
                    reply.text()
                );
                add(&self.counts.stopped);
            }
        }
    }

    /// Clients that send a byte now and then, do not read, or are gone.
    fn dawdle(&self) {
        let request = b"POST /execute/greet HTTP/1.1\r\nHost: t\r\nContent-Length: 100000\r\n\r\n";
        while self.goes_on() {
            let mut streams: Vec<TcpStream> = Vec::new();
            for i in 0..8 {
                let Ok(mut stream) = TcpStream::connect(self.address) else { continue };
                let most = [1, 20, request.len(), request.len()][i % 4];
                // The server may have closed it to make room.
                let _ = stream.write_all(&request[..most]);
                if i % 4 == 3 {
                    let _ = stream.write_all(&[b'x'; 100_000]);
                }
                streams.push(stream);
                add(&self.counts.slow);
            }
            std::thread::sleep(Duration::from_millis(200));
            for stream in &mut streams {
                let _ = stream.write_all(b"x").and_then(|()| stream.set_nonblocking(true));
                let _ = stream.read(&mut [0; 10]);
            }
        }
    }
}

/// Waits until only the process's own connections are left.
fn settled(server: &Serve, descriptors: usize, threads: usize) -> Vitals {
    let begin = Instant::now();
    loop {
        let now = server.vitals();
        if (now.descriptors <= descriptors && now.threads <= threads)
            || begin.elapsed() > Duration::from_secs(20)
        {
            return now;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Waits until descriptors stay as they are: a process for guests that is being ended is counted as a process still, but
/// its connections are closed.
fn steady(server: &Serve) -> Vitals {
    let mut last = server.vitals();
    let mut same = 0;
    for _ in 0..100 {
        std::thread::sleep(Duration::from_millis(50));
        let now = server.vitals();
        same = if now.descriptors == last.descriptors { same + 1 } else { 0 };
        last = now;
        if same == 5 {
            return last;
        }
    }
    panic!("descriptors come and go though there is no load: {last:?}");
}

#[test]
fn a_mixed_load_leaves_nothing_behind() {
    let seconds = std::env::var("FUELBOX_SOAK_SECONDS").ok().map_or(6.0, |seconds| seconds.parse().unwrap());
    let (dir, plugins) = (TempDir::new(), TempDir::new());
    for name in ["greet", "add", "wordcount", "infinite-loop", "memory-hog"] {
        std::fs::copy(prebuilt(&format!("{name}.wasm")), plugins.0.join(format!("{name}.wasm"))).unwrap();
    }
    plugins.write("infinite-loop.toml", "limits.timeout = \"50ms\"\nworkers = 1");
    plugins.write("version.wasm", version(1));
    let tokens = token_file(&dir, DEPLOY);
    let args = [
        "--plugins",
        plugins.0.to_str().unwrap(),
        "--token-file",
        tokens.to_str().unwrap(),
        "--workers",
        "4",
    ];
    let more =
        ["--head-timeout", "1s", "--body-timeout", "1s", "--idle-timeout", "2s", "--write-timeout", "1s"];
    let server = Serve::start(&dir.0, &[&args[..], &more].concat());
    let before = steady(&server);
    let load = Load {
        address: server.address,
        stop: AtomicBool::new(false),
        counts: Counts::default(),
        begun: AtomicU64::new(1),
        ended: AtomicU64::new(1),
    };
    let warm = std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            for kind in [Load::greet, Load::add, Load::count_words, Load::versions, Load::dawdle] {
                let load = &load;
                scope.spawn(move || kind(load));
            }
        }
        scope.spawn(|| load.deploy());
        scope.spawn(|| load.misbehave());
        // A thread whose assertion fails ends the test only when all have been told to stop.
        std::thread::sleep(Duration::from_secs_f64(seconds / 10.0));
        let warm = server.vitals();
        std::thread::sleep(Duration::from_secs_f64(seconds * 0.9));
        load.stop.store(true, Ordering::Relaxed);
        warm
    });
    // Before, there are still threads that tiny_http has begun with, does not need, and ends after 5 s.
    let threads = THREADS + usize::from(crate::support::is_isolated());
    let after = settled(&server, before.descriptors, threads);
    println!("soak | {seconds} s | before {before:?} | under load {warm:?} | after {after:?}");
    for (what, count) in load.counts.all() {
        println!("soak | {what} | {count}");
        assert!(count > 0 || what == "told to come again", "{what}");
    }
    assert_eq!((after.threads, after.descriptors), (threads, before.descriptors));
    let most = warm.rss_kb + memory_spare_kb(seconds);
    assert!(after.rss_kb <= most, "{} kB are more than {most}", after.rss_kb);
    nothing_is_left_in(&plugins);
}

/// But the plug-ins, and versions of the one that was replaced all the time.
fn nothing_is_left_in(plugins: &TempDir) {
    let mut left: Vec<_> =
        std::fs::read_dir(&plugins.0).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    let expected = [
        ".fuelbox-versions",
        "add.wasm",
        "greet.wasm",
        "infinite-loop.toml",
        "infinite-loop.wasm",
        "memory-hog.wasm",
        "version.toml",
        "version.wasm",
        "wordcount.wasm",
    ];
    assert_eq!(left, expected);
    // Three, and perhaps one that is as the one in place.
    let kept = std::fs::read_dir(plugins.0.join(".fuelbox-versions/version")).unwrap().count();
    assert!((1..=4).contains(&kept), "{kept}");
}
