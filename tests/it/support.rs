//! What the tests share: guests from text, limits, servers on port 0, the CLI.

pub use crate::chance::Chance;
pub use crate::http::{Client, Reply, connect_from, socket_at};
use fuelbox::abi::Job;
use fuelbox::base::limits::DoorLimits;
use fuelbox::gateway::{Gateway, GatewayConfig};
use fuelbox::host::streams::SinkTo;
use fuelbox::plugins::folder::{Changes, SETTLE};
use fuelbox::{GuestEnv, Isolation, Limits, Program, Runner, RunnerConfig};
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Compiles a module from its text.
pub fn wat(source: &str) -> Vec<u8> {
    wat::parse_str(source).unwrap_or_else(|error| panic!("{error}\n{source}"))
}

/// Compiles a program from its text under `limits`.
pub fn program(source: &str, limits: &Limits) -> Program {
    Program::compile("test", &wat(source), limits).unwrap()
}

/// A job whose outputs are kept.
pub fn job<'a>(program: &'a Program, limits: &'a Limits) -> Job<'a> {
    let keep = || SinkTo::Buffer(Vec::new());
    Job {
        program,
        limits,
        stdout: keep(),
        stderr: keep(),
        guest_env: GuestEnv::default(),
        warm: None,
        when_long: None,
    }
}

/// The default limits with another deadline.
pub fn deadline_ms(ms: u64) -> Limits {
    Limits { deadline: Some(Duration::from_millis(ms)), ..Limits::default() }
}

/// A folder of its own, removed on drop.
pub struct TempDir(pub PathBuf);

impl TempDir {
    pub fn new() -> TempDir {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("fuelbox-test-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        TempDir(path)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Looks at the folder as often as it takes to believe what changed, which is twice.
pub fn reload(runner: &Runner) -> Changes {
    twice(|| runner.reload().unwrap())
}

/// Looks once, so long after a look before that what stood still since then is believed.
pub fn look(runner: &Runner) -> Changes {
    std::thread::sleep(SETTLE);
    runner.reload().unwrap()
}

/// What two looks found together, which are far enough from each other.
pub fn twice(mut look: impl FnMut() -> Changes) -> Changes {
    let mut first = look();
    std::thread::sleep(SETTLE);
    let second = look();
    first.loaded.extend(second.loaded);
    first.replaced.extend(second.replaced);
    first.removed.extend(second.removed);
    first.failed.extend(second.failed);
    first.unsettled = second.unsettled;
    first
}

/// Those of these paths that this build has.
pub fn built(paths: &[&'static str]) -> impl Iterator<Item = &'static str> {
    let is_built = |path: &&str| {
        (cfg!(feature = "console") || *path != "/") && (cfg!(feature = "openapi") || *path != "/openapi.json")
    };
    paths.iter().copied().filter(is_built)
}

/// A built guest of this repository.
pub fn prebuilt(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("guests/prebuilt").join(name)
}

/// The bytes that `text` stands for (RFC 4648, section 4).
pub fn from_base64(text: &str) -> Vec<u8> {
    let value = |c| match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        other => panic!("{other} in {text}"),
    };
    let digits = text.trim_end_matches('=').bytes();
    let bits: Vec<u8> = digits.flat_map(|c| (0..6).rev().map(move |bit| value(c) >> bit & 1)).collect();
    bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |all, bit| all << 1 | bit)).collect()
}

/// Whether guests of the gateways under test run in processes: FUELBOX_TEST_ISOLATION=process, as `.ci/run` does a second
/// time.
pub fn is_isolated() -> bool {
    std::env::var_os("FUELBOX_TEST_ISOLATION").is_some_and(|place| place == "process")
}

/// What a runner is made with here, where a test says nothing else.
pub fn runner_config() -> RunnerConfig {
    let isolation = is_isolated().then(|| Isolation::with_program(fuelbox_program()));
    RunnerConfig { isolation, ..RunnerConfig::default() }
}

/// The flags of `serve` for that.
pub fn isolation_flags() -> &'static [&'static str] {
    if is_isolated() { &["--isolation", "process"] } else { &["--isolation", "thread"] }
}

/// A gateway inside this process, stopped on drop.
pub struct Server {
    pub address: SocketAddr,
    pub runner: Arc<Runner>,
    gateway: Option<Gateway>,
}

impl Server {
    /// With the built-in guests.
    pub fn start(limits: Limits) -> Server {
        let runner = Runner::new(RunnerConfig { limits, ..runner_config() }).unwrap();
        runner.load_built_in().unwrap();
        Server::with(runner)
    }

    pub fn with(runner: Runner) -> Server {
        Server::with_door(runner, DoorLimits::default())
    }

    /// All places may be one client's.
    pub fn for_one_client(runner: Runner) -> Server {
        Server::with_door(runner, DoorLimits { client_share: 100, ..DoorLimits::default() })
    }

    pub fn with_door(runner: Runner, door: DoorLimits) -> Server {
        let runner = Arc::new(runner);
        let listen = "127.0.0.1:0".parse().unwrap();
        let config = GatewayConfig { listen, workers: 4, door, ..GatewayConfig::default() };
        let gateway = Gateway::start(&config, Arc::clone(&runner)).unwrap();
        Server { address: gateway.address(), runner, gateway: Some(gateway) }
    }

    /// Open connections.
    pub fn connections(&self) -> usize {
        self.gateway.as_ref().unwrap().connections()
    }

    pub fn heartbeat(&self) -> fuelbox::gateway::server::Heartbeat {
        self.gateway.as_ref().unwrap().heartbeat()
    }

    /// One request on a connection of its own.
    pub fn send(&self, method: &str, target: &str, body: &[u8]) -> Reply {
        Client::connect(self.address).send(method, target, body)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(gateway) = self.gateway.take() {
            gateway.stop();
        }
    }
}

/// What a `fuelbox` process did.
#[derive(Debug)]
pub struct Ran {
    pub command: String,
    pub code: Option<i32>,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Ran {
    /// Asserts the exit code; a failure shows everything.
    #[track_caller]
    pub fn expect(self, code: i32) -> Ran {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}

/// The `fuelbox` program: the one built with the tests, unless FUELBOX_TEST_PROGRAM names another, such as one
/// built for another machine that an emulator runs (`scripts/test-arm.sh`).
pub fn fuelbox_program() -> PathBuf {
    let other = std::env::var_os("FUELBOX_TEST_PROGRAM");
    other.map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_fuelbox")), PathBuf::from)
}

pub fn fuelbox_command(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(fuelbox_program());
    command.args(args).current_dir(dir).env_remove("RUST_LOG");
    command
}

/// Runs `fuelbox ARGS` in `dir` with `stdin`.
pub fn fuelbox_in(dir: &Path, args: &[&str], stdin: &[u8]) -> Ran {
    let mut child = fuelbox_command(dir, args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A guest may end without reading all of it.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&stderr).into_owned();
    Ran {
        command: format!("fuelbox {} (in {})", args.join(" "), dir.display()),
        code: status.code(),
        stdout,
        stderr,
    }
}

/// Runs `fuelbox ARGS` in an empty folder, without input.
pub fn fuelbox(args: &[&str]) -> Ran {
    fuelbox_in(&TempDir::new().0, args, b"")
}

/// What a process takes.
#[derive(Debug, Clone, Copy)]
pub struct Vitals {
    pub rss_kb: usize,
    pub peak_kb: usize,
    pub threads: usize,
    pub descriptors: usize,
}

/// The ids of the processes for guests of a process, which has two connections to each.
pub fn children(id: u32) -> Vec<String> {
    let tasks = std::fs::read_dir(format!("/proc/{id}/task")).unwrap();
    let of_task = |task: std::fs::DirEntry| {
        let listed = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        listed.split_whitespace().map(str::to_string).collect::<Vec<_>>()
    };
    tasks.flat_map(|task| of_task(task.unwrap())).collect()
}

/// A `fuelbox serve` process on port 0, killed on drop.
pub struct Serve {
    pub child: Child,
    pub address: SocketAddr,
}

impl Serve {
    pub fn start(dir: &Path, args: &[&str]) -> Serve {
        let all = [&["serve", "--listen", "127.0.0.1:0"], isolation_flags(), args].concat();
        Serve::spawn(fuelbox_command(dir, &all))
    }

    /// Any command that becomes `fuelbox serve`.
    pub fn spawn(mut command: Command) -> Serve {
        let mut child = command.stderr(Stdio::piped()).stdin(Stdio::null()).spawn().unwrap();
        let mut stderr = std::io::BufReader::new(child.stderr.take().unwrap());
        let mut seen = String::new();
        let address = loop {
            let mut line = String::new();
            let read = std::io::BufRead::read_line(&mut stderr, &mut line).unwrap();
            assert!(read > 0, "fuelbox serve ended: {seen}");
            seen.push_str(&line);
            if let Some((_, address)) = line.trim_end().split_once("on http://") {
                break address.parse().unwrap();
            }
        };
        // Keep reading, so that the server never waits for room in the pipe.
        std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
        Serve { child, address }
    }

    /// What the process takes now.
    pub fn vitals(&self) -> Vitals {
        let proc = format!("/proc/{}", self.child.id());
        let status = std::fs::read_to_string(format!("{proc}/status")).expect("the server lives");
        let number = |key: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(key)).expect(key);
            line.split_whitespace().next().unwrap().parse().unwrap()
        };
        Vitals {
            rss_kb: number("VmRSS:"),
            peak_kb: number("VmHWM:"),
            threads: number("Threads:"),
            descriptors: std::fs::read_dir(format!("{proc}/fd")).unwrap().count()
                - children(self.child.id()).len(),
        }
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
