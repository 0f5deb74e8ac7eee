//! The gateway as a node of a fleet. These tests need a NATS server: FUELBOX_NATS_SERVER names the program. Without it they
//! are left out.

mod attack;
mod execute;
mod jobs;
mod metrics;
mod permissions;
mod plugins;
mod queue;
mod rollout;

use crate::support::TempDir;
use async_nats::jetstream;
use std::future::Future;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long something may take that takes a moment.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A NATS server with JetStream on a loopback port, ended on drop.
pub struct Nats {
    program: PathBuf,
    store: TempDir,
    port: u16,
    child: Option<Child>,
}

impl Nats {
    /// Starts one; none, with a note, where there is no program for it.
    pub fn start() -> Option<Nats> {
        let Some(program) = std::env::var_os("FUELBOX_NATS_SERVER") else {
            eprintln!("left out: FUELBOX_NATS_SERVER names no NATS server");
            return None;
        };
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut nats = Nats { program: program.into(), store: TempDir::new(), port, child: None };
        nats.begin();
        Some(nats)
    }

    /// Starts it again, with what it had stored.
    pub fn begin(&mut self) {
        self.begin_with(&[]);
    }

    /// The same, with more flags.
    pub fn begin_with(&mut self, more: &[&str]) {
        let port = self.port.to_string();
        let child = Command::new(&self.program)
            .args(["-a", "127.0.0.1", "-p", &port, "-js", "-sd"])
            .arg(&self.store.0)
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.child = Some(child);
        until("the NATS server listens", || TcpStream::connect(("127.0.0.1", self.port)).is_ok());
    }

    /// Ends it.
    pub fn end(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// A client of it.
    pub fn client(&self) -> Client {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.unwrap();
        let (nats, context) = runtime.block_on(async {
            let nats = async_nats::connect(self.url()).await.unwrap();
            let context = jetstream::new(nats.clone());
            (nats, context)
        });
        Client { nats, context, runtime }
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.end();
    }
}

/// A client of a NATS server.
pub struct Client {
    pub nats: async_nats::Client,
    pub context: jetstream::Context,
    runtime: tokio::runtime::Runtime,
}

impl Client {
    /// Waits for `work`.
    pub fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(async {
            tokio::time::timeout(PATIENCE, work).await.expect("the NATS server answers in time")
        })
    }
}

/// Waits until `is_so`, and fails if it is never.
#[track_caller]
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Runs what a client does.
pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(PATIENCE, work).await.expect("it ends in time") })
}
