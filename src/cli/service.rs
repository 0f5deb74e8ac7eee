//! What a service manager (systemd) and `fuelbox serve` tell each other: the socket to serve on, that it serves,
//! that it stops. Without one, nothing of this happens.
//!
//! The protocols are those of sd_listen_fds(3) and sd_notify(3).

use super::{Failure, exit};
use listenfd::ListenFd;
use sd_notify::NotifyState;
use std::net::TcpListener;

/// The TCP socket that this process was started with, if it was (LISTEN_FDS, and LISTEN_PID is this process).
///
/// Takes the variables out of the environment, and must come before anything that opens a descriptor.
pub fn passed_listener() -> Result<Option<TcpListener>, Failure> {
    let failed = |what: String| Failure::new(exit::FAILURE, format!("LISTEN_FDS: {what}"));
    let mut passed = ListenFd::from_env();
    match passed.len() {
        0 => Ok(None),
        1 => passed.take_tcp_listener(0).map_err(|error| failed(error.to_string())),
        // Serving one of them would leave the clients of the others waiting for ever.
        more => Err(failed(format!("{more} sockets were passed; fuelbox serves on one"))),
    }
}

/// Says that requests are answered from now on.
pub fn say_ready(plugins: usize) {
    say(&[NotifyState::Ready, NotifyState::Status(&format!("serving {plugins} plug-ins"))]);
}

/// Says that no more requests are taken, and that those under way are let end.
pub fn say_stopping() {
    say(&[NotifyState::Stopping, NotifyState::Status("letting requests end")]);
}

/// Does nothing unless NOTIFY_SOCKET names somebody to tell.
fn say(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        log::warn!("cannot tell the service manager (NOTIFY_SOCKET): {error}");
    }
}
