//! What a service manager (systemd) and `fuelbox serve` tell each other: the socket to serve on, that it serves,
//! that it reads its files again, that it is well, that it stops. Without one, nothing of this happens.
//!
//! The protocols are those of sd_listen_fds(3) and sd_notify(3).

use crate::cli::exit;
use crate::cli::failure::Failure;
use crate::gateway::server::Heartbeat;
use listenfd::ListenFd;
use sd_notify::NotifyState;
use std::net::TcpListener;

const STACK_BYTES: usize = 256 * 1024;

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
    say(&[NotifyState::Stopping, NotifyState::Status("waiting for running requests to end")]);
}

/// Says that what can be changed while serving is read again; to be followed by [`say_ready`].
pub fn say_reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => say(&[NotifyState::Reloading, now]),
        Err(error) => log::warn!("cannot send the time to the service manager: {error}"),
    }
}

/// Says that the gateway is at work, for as long as it is, if the manager wants to know (WATCHDOG_USEC): twice as
/// often as it asks for. It restarts a service that is silent.
pub fn start_watchdog(heartbeat: Heartbeat) {
    let Some(asked) = sd_notify::watchdog_enabled() else { return };
    let interval = asked / 2;
    let thread = std::thread::Builder::new().name("watchdog".into()).stack_size(STACK_BYTES);
    let started = thread.spawn(move || {
        loop {
            std::thread::sleep(interval);
            if heartbeat.beats(interval / 2) {
                say(&[NotifyState::Watchdog]);
            } else {
                log::error!(
                    "the gateway does not handle events any more; the service manager gets no watchdog notification"
                );
            }
        }
    });
    if let Err(error) = started {
        log::error!("no thread for the service manager's watchdog: {error}");
    }
}

/// Does nothing unless NOTIFY_SOCKET names somebody to tell.
fn say(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        log::warn!("cannot notify the service manager (NOTIFY_SOCKET): {error}");
    }
}
