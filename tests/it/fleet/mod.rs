//! The gateway as a node of a fleet. Needs a `nats-server`, which FUELBOX_NATS_SERVER names; without it these tests are left out.

mod jobs;
mod queue;

use crate::support::TempDir;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long anything here may take.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A server with JetStream, killed on drop.
pub struct Nats {
    child: Child,
    pub url: String,
    _store: TempDir,
}

impl Nats {
    /// None without FUELBOX_NATS_SERVER.
    pub fn start() -> Option<Nats> {
        let Some(program) = std::env::var_os("FUELBOX_NATS_SERVER") else {
            println!("left out: FUELBOX_NATS_SERVER names no nats-server");
            return None;
        };
        let store = TempDir::new();
        // Free a moment ago; tests that race for it are told by the server's end.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut child = Command::new(program)
            .args(["-a", "127.0.0.1", "-p", &port.to_string(), "-js", "-sd"])
            .arg(&store.0)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let until = Instant::now() + PATIENCE;
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(child.try_wait().unwrap().is_none(), "nats-server ended");
            assert!(Instant::now() < until, "nats-server does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(Nats { child, url: format!("nats://127.0.0.1:{port}"), _store: store })
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs what a client does.
pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(PATIENCE, work).await.expect("it ends in time") })
}
