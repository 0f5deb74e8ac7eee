//! The interface to a service manager (systemd): the passed socket, and reports that the service is ready,
//! reloading, alive, and stopping. Without a service manager, it does nothing.
//!
//! The protocols are those of sd_listen_fds(3) and sd_notify(3).

use crate::cli::exit;
use crate::cli::failure::Failure;
use crate::gateway::server::Heartbeat;
use listenfd::ListenFd;
use sd_notify::NotifyState;
use std::net::TcpListener;

const STACK_BYTES: usize = 256 * 1024;

/// The TCP socket that the service manager passed, if any (LISTEN_FDS, and LISTEN_PID is this process).
///
/// Removes the variables from the environment. Must run before anything opens a descriptor.
pub fn passed_listener() -> Result<Option<TcpListener>, Failure> {
    let failed = |what: String| Failure::new(exit::FAILURE, format!("LISTEN_FDS: {what}"));
    let mut passed = ListenFd::from_env();
    match passed.len() {
        0 => Ok(None),
        1 => passed.take_tcp_listener(0).map_err(|error| failed(error.to_string())),
        // Serving only one would leave the clients of the others waiting for ever.
        more => Err(failed(format!("{more} sockets were passed; fuelbox serves on one"))),
    }
}

/// Reports that the gateway answers requests.
pub fn say_ready(plugins: usize) {
    say(&[NotifyState::Ready, NotifyState::Status(&format!("serving {plugins} plug-ins"))]);
}

/// Reports that the gateway takes no more requests, and drains.
pub fn say_stopping() {
    say(&[NotifyState::Stopping, NotifyState::Status("waiting for running requests to end")]);
}

/// Reports a reload; [`say_ready`] must follow.
pub fn say_reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => say(&[NotifyState::Reloading, now]),
        Err(error) => log::warn!("cannot send the time to the service manager: {error}"),
    }
}

/// Reports that the gateway works, as long as it does, if the manager asks for that (WATCHDOG_USEC), twice as
/// often as required. The manager restarts a silent service.
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

/// Does nothing without NOTIFY_SOCKET.
fn say(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        log::warn!("cannot notify the service manager (NOTIFY_SOCKET): {error}");
    }
}
