//! `fuelbox serve` under a service manager: it serves on the socket that it is passed, and says when it serves
//! and when it stops. These tests are the manager.
#![cfg(unix)]

use crate::support::{Client, Serve, TempDir, fuelbox_program};
use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// Starts `fuelbox serve` with `passed` as descriptor 3, as systemd does it: with the same process id that
/// LISTEN_PID names. What the test passes reaches the shell as its standard output.
fn serve_with(passed: impl Into<OwnedFd>, setting: &str, address: &str) -> Command {
    let mut command = Command::new("sh");
    let script = format!("exec 3>&1 1>&2; export {setting}; exec \"$0\" serve --listen \"$1\"");
    command.args(["-c", &script]).arg(fuelbox_program()).arg(address);
    command.stdout(Stdio::from(passed.into())).env_remove("RUST_LOG");
    command
}

fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// A manager, and where it is to be told.
fn manager(dir: &TempDir) -> (UnixDatagram, PathBuf) {
    let name = dir.0.join("notify");
    let manager = UnixDatagram::bind(&name).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    (manager, name)
}

/// What the manager is told next, one assignment on a line.
fn told(manager: &UnixDatagram) -> String {
    let mut message = [0; 512];
    let n = loop {
        // A signal that is for another test interrupts this one, too.
        match manager.recv(&mut message) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            received => break received.unwrap(),
        }
    };
    String::from_utf8(message[..n].to_vec()).unwrap()
}

#[test]
fn a_passed_socket_is_served_also_who_came_before() {
    let (listener, address) = listener();
    let mut early = Client::connect(address);
    // The address of --listen is not looked at: it could not be listened on.
    let serve = Serve::spawn(serve_with(listener, "LISTEN_PID=$$ LISTEN_FDS=1", "192.0.2.1:1"));
    assert_eq!(serve.address, address);
    assert_eq!(early.send("POST", "/execute/greet", b"World").text(), "Hello, World");
    assert_eq!(Client::connect(address).send("GET", "/healthz", b"").text(), "ok\n");
}

#[test]
fn what_was_meant_for_another_process_is_not_taken() {
    let (other, address) = listener();
    let serve = Serve::spawn(serve_with(other, "LISTEN_PID=1 LISTEN_FDS=1", "127.0.0.1:0"));
    assert_ne!(serve.address, address);
    assert_eq!(Client::connect(serve.address).send("GET", "/healthz", b"").text(), "ok\n");
}

#[test]
fn what_cannot_be_served_on_is_one_line_and_a_code() {
    let dir = TempDir::new();
    let refused = |passed: OwnedFd, setting: &str, expected: &str| {
        let output = serve_with(passed, setting, "127.0.0.1:0").stdin(Stdio::null()).output().unwrap();
        let Output { status, stderr, .. } = output;
        let text = String::from_utf8_lossy(&stderr);
        assert_eq!(status.code(), Some(125), "{text}");
        assert!(text.contains(expected) && !text.contains("panicked"), "{text}");
    };
    let file = File::create(dir.0.join("file")).unwrap();
    refused(file.into(), "LISTEN_PID=$$ LISTEN_FDS=1", "LISTEN_FDS: fd 3 is not a socket");
    let (_, datagrams) = UnixDatagram::pair().unwrap();
    refused(datagrams.into(), "LISTEN_PID=$$ LISTEN_FDS=1", "LISTEN_FDS: fd 3 is not a valid tcp socket");
    let (two, _) = listener();
    refused(two.into(), "LISTEN_PID=$$ LISTEN_FDS=2", "2 sockets were passed; fuelbox serves on one");
}

#[test]
fn the_manager_is_told_of_serving_and_of_stopping() {
    let dir = TempDir::new();
    let (manager, name) = manager(&dir);
    let mut command = Command::new(fuelbox_program());
    command
        .args(["serve", "--listen", "127.0.0.1:0"])
        .args(crate::support::isolation_flags())
        .current_dir(&dir.0)
        .env_remove("RUST_LOG");
    let mut serve = Serve::spawn({
        command.env("NOTIFY_SOCKET", &name);
        command
    });
    let ready = told(&manager);
    assert_eq!(ready.lines().next(), Some("READY=1"));
    assert!(ready.contains("STATUS=serving 9 plug-ins\n"), "{ready}");
    assert_eq!(Client::connect(serve.address).send("GET", "/healthz", b"").status, 200);
    let pid = serve.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert!(told(&manager).starts_with("STOPPING=1\n"));
    assert_eq!(serve.child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_manager_that_is_gone_stops_nothing() {
    let mut command = Command::new(fuelbox_program());
    command
        .args(["serve", "--listen", "127.0.0.1:0"])
        .args(crate::support::isolation_flags())
        .env_remove("RUST_LOG");
    let serve = Serve::spawn({
        command.env("NOTIFY_SOCKET", "/nowhere/notify");
        command
    });
    assert_eq!(Client::connect(serve.address).send("GET", "/healthz", b"").text(), "ok\n");
}

/// `fuelbox serve` that tells `manager`, with WATCHDOG_USEC set.
fn watched(manager: &std::path::Path, watchdog_us: u64) -> Serve {
    let mut command = Command::new(fuelbox_program());
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--workers", "2", "--timeout", "20s"])
        .args(crate::support::isolation_flags());
    command.env_remove("RUST_LOG").env("NOTIFY_SOCKET", manager);
    Serve::spawn({
        command.env("WATCHDOG_USEC", watchdog_us.to_string());
        command
    })
}

#[test]
fn the_manager_is_told_of_reading_again() {
    let dir = TempDir::new();
    let (manager, name) = manager(&dir);
    let serve = watched(&name, 3_600_000_000);
    assert!(told(&manager).starts_with("READY=1\n"));
    let pid = serve.child.id().to_string();
    assert!(Command::new("kill").args(["-HUP", &pid]).status().unwrap().success());
    let reloading = told(&manager);
    // systemd 253 and later ask for the time with it, and stop a service that does not give it.
    let time =
        reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap_or_else(|| panic!("{reloading}"));
    assert!(time.trim_end().parse::<u64>().unwrap() > 0);
    assert!(told(&manager).starts_with("READY=1\n"));
    assert_eq!(Client::connect(serve.address).send("GET", "/healthz", b"").text(), "ok\n");
}

#[test]
fn a_gateway_at_work_tells_so_as_often_as_it_is_asked_to() {
    use std::io::Write;
    let dir = TempDir::new();
    let (manager, name) = manager(&dir);
    let serve = watched(&name, 400_000);
    assert!(told(&manager).starts_with("READY=1\n"));
    assert_eq!(told(&manager), "WATCHDOG=1\n");
    // Guests in all places are no reason to be restarted.
    let mut spinning: Vec<Client> = (0..2).map(|_| Client::connect(serve.address)).collect();
    for client in &mut spinning {
        client.0.write_all(b"POST /execute/infinite-loop?func=spin HTTP/1.1\r\nHost: t\r\n\r\n").unwrap();
    }
    for _ in 0..5 {
        assert_eq!(told(&manager), "WATCHDOG=1\n");
    }
    // A process that does not run says nothing.
    let pid = serve.child.id().to_string();
    assert!(Command::new("kill").args(["-STOP", &pid]).status().unwrap().success());
    manager.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    let is_over = |error: &std::io::Error| error.kind() != std::io::ErrorKind::Interrupted;
    while !manager.recv(&mut [0; 512]).as_ref().is_err_and(is_over) {}
    assert!(Command::new("kill").args(["-CONT", &pid]).status().unwrap().success());
}

#[test]
fn an_address_that_is_not_used_is_a_warning() {
    let (listener, address) = listener();
    let mut command = serve_with(listener, "LISTEN_PID=$$ LISTEN_FDS=1", "192.0.2.1:1");
    let dir = TempDir::new();
    let log = dir.0.join("log");
    command.stderr(Stdio::from(File::create(&log).unwrap()));
    let mut child = command.spawn().unwrap();
    let mut client = Client::connect(address);
    assert_eq!(client.send("GET", "/healthz", b"").text(), "ok\n");
    child.kill().unwrap();
    child.wait().unwrap();
    let said = std::fs::read_to_string(log).unwrap();
    let expected = format!(
        "--listen 192.0.2.1:1: not used, because the service manager passed a socket, which listens on {address}"
    );
    assert!(said.contains(&expected), "{said}");
}
