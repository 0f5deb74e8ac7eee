//! What was found to break the interpreter, or to cost a server more than it should: with guests in processes, whose
//! interpreter nothing is done about, it is those guests' own matter.
//!
//! These processes load modules without the work-arounds (`Isolation::has_faults`). A module that the work-arounds would
//! refuse is run here, and its wrong results or its process's death are the proof of that. Modules whose cost is not the
//! interpreter's fault are bounded by the same limits as ever; the tests say so where they are refused.
//!
//! Times are printed and not asserted. FUELBOX_TEST_CROSS_SECONDS=60 makes the two loops long, and FUELBOX_ATTACK=full the
//! costly modules as large as they were found.

mod bounded;
mod costly;
mod faults;
mod loops;
mod modules;

use crate::guest::LONG;
use crate::support::{Client, Reply, Server, TempDir, deadline_ms, fuelbox_program, prebuilt, reload};
use fuelbox::base::limits::DoorLimits;
use fuelbox::{Isolation, Runner, RunnerConfig};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A word that a guest leaves in cells, and finds there.
const MARK: &[u8] = b"mArK<0>!";

/// Modules with calls that end at their deadline only, which is short.
const LONG_RUNNING: [&str; 3] = ["square", "zeroed", "log"];

/// Seconds of a loop.
fn seconds(default: f64) -> Duration {
    let asked = std::env::var("FUELBOX_TEST_CROSS_SECONDS").map(|seconds| seconds.parse().unwrap());
    Duration::from_secs_f64(asked.unwrap_or(default))
}

/// Whether the costly modules are as large as they were found.
fn is_full() -> bool {
    std::env::var("FUELBOX_ATTACK").is_ok_and(|size| size == "full")
}

/// A gateway with plug-ins of attackers and, of others, `greet` and `cgi-rust`.
struct Scene {
    dir: TempDir,
    server: Server,
}

impl Scene {
    /// `has_faults` as in [`Isolation`].
    fn new(has_faults: bool) -> Scene {
        let dir = TempDir::new();
        for name in ["greet.wasm", "cgi-rust.wasm"] {
            std::fs::copy(prebuilt(name), dir.0.join(name)).unwrap();
        }
        let isolation = Isolation { has_faults, ..Isolation::with_program(fuelbox_program()) };
        // Nobody else's call ends because this machine is busy.
        let limits = deadline_ms(30_000);
        let config = RunnerConfig { limits, isolation: Some(isolation), ..RunnerConfig::default() };
        let runner = Runner::new(config).unwrap();
        assert!(runner.load_plugins(&dir.0).unwrap().failed.is_empty());
        let door = DoorLimits { queue_timeout: 3 * LONG, ..DoorLimits::default() };
        Scene { dir, server: Server::with_door(runner, door) }
    }

    /// With these modules of attackers, none of which is refused.
    fn of(modules: &[(&str, Vec<u8>)]) -> Scene {
        let scene = Scene::new(true);
        assert_eq!(scene.load(modules), [""; 0]);
        scene
    }

    /// Loads modules, and gives why some are refused.
    fn load(&self, modules: &[(&str, Vec<u8>)]) -> Vec<String> {
        for (name, bytes) in modules {
            self.dir.write(&format!("{name}.wasm"), bytes);
            if LONG_RUNNING.contains(name) {
                self.dir.write(&format!("{name}.toml"), "limits.timeout = \"300ms\"\n");
            }
        }
        let mut failed: Vec<String> =
            reload(&self.server.runner).failed.iter().map(ToString::to_string).collect();
        failed.sort();
        failed.dedup();
        failed
    }

    fn call(&self, plugin: &str, func: &str, body: impl AsRef<[u8]>) -> Reply {
        self.server.send("POST", &format!("/execute/{plugin}?func={func}"), body.as_ref())
    }

    /// What a call gives that ends well.
    #[track_caller]
    fn text(&self, plugin: &str, func: &str, body: &str) -> String {
        let reply = self.call(plugin, func, body);
        assert_eq!(reply.status, 200, "{plugin} {func} {body}: {}", reply.text());
        reply.text().trim().to_string()
    }

    /// The gateway lives, and serves others. It is in the process of this test, so it is the same one as before.
    fn lives(&self) {
        assert_eq!(self.server.send("GET", "/healthz", b"").status, 200);
        assert_eq!(self.call("greet", "greet", "World").text(), "Hello, World");
    }
}

/// What a client of another plug-in saw.
#[derive(Default)]
struct Seen(Vec<Duration>);

impl Seen {
    /// Asks `greet` from an address of its own until it is to stop. Each answer must be right.
    fn greeting(host: u8, address: SocketAddr, stop: &AtomicBool) -> Seen {
        let mut client = Client::from(host, address);
        let mut seen = Seen::default();
        while !stop.load(Ordering::Relaxed) {
            let name = format!("{host} {}", "x".repeat(seen.0.len() * 37 % 3_000));
            let begin = Instant::now();
            let reply = client.send("POST", "/execute/greet", name.as_bytes());
            seen.0.push(begin.elapsed());
            assert_eq!((reply.status, reply.text()), (200, format!("Hello, {name}")));
            std::thread::sleep(Duration::from_millis(2));
        }
        seen
    }

    /// Prints what several saw.
    fn print(what: &str, seen: Vec<Seen>) {
        let mut times: Vec<Duration> = seen.into_iter().flat_map(|seen| seen.0).collect();
        assert!(!times.is_empty(), "{what}: nothing was asked");
        times.sort();
        let at = |part: usize| times[(times.len() * part / 100).min(times.len() - 1)];
        println!("{what}: {} answers, p50 {:?}, p99 {:?}, max {:?}", times.len(), at(50), at(99), at(100));
    }
}

/// Sets what threads look at when it is dropped, so that an assertion that fails ends them, too.
struct Stops<'a>(&'a AtomicBool);

impl Drop for Stops<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Does `what` while two clients of other plug-ins ask what `other` does with an address of their own, and prints what they
/// saw.
fn beside<T>(name: &str, other: impl Fn(u8, &AtomicBool) -> Seen + Sync, what: impl FnOnce() -> T) -> T {
    let (stop, other) = (AtomicBool::new(false), &other);
    std::thread::scope(|scope| {
        let stop = &stop;
        let others = [2, 3].map(|host| scope.spawn(move || other(host, stop)));
        let stops = Stops(stop);
        let done = what();
        drop(stops);
        Seen::print(name, others.into_iter().map(|other| other.join().unwrap()).collect());
        done
    })
}

/// As [`beside`], with clients of `greet`.
fn beside_greetings<T>(name: &str, address: SocketAddr, what: impl FnOnce() -> T) -> T {
    beside(name, |host, stop| Seen::greeting(host, address, stop), what)
}
