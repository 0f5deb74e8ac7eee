//! The connection to a NATS system.

use super::config::Access;
use async_nats::{Client, ConnectOptions, Event, ServerAddr};
use std::path::Path;
use std::time::Duration;

/// The longest pause between two attempts to connect again. A node that lost its server is to be back within two seconds.
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// A connection of which nothing is heard for two of these is given up.
const PING_INTERVAL: Duration = Duration::from_secs(5);

/// The longest time for one attempt to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Messages of a subscription that wait in this process: they are taken at once, or given to others.
const WAITING_MESSAGES: usize = 1024;

/// Bytes of a file of secrets, at most.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// Connects as `name`. With `waits`, what cannot be reached now is tried again for ever; otherwise it is an error.
///
/// # Errors
/// A sentence: an address that is none, a file that cannot be read, or (without `waits`) no connection.
pub async fn connect(access: &Access, name: &str, waits: bool) -> Result<Client, String> {
    let addresses = access.servers.iter().map(|server| address(server)).collect::<Result<Vec<_>, _>>()?;
    let mut options = ConnectOptions::new()
        .name(name)
        .custom_inbox_prefix(inbox_prefix(name))
        .connection_timeout(CONNECT_TIMEOUT)
        .ping_interval(PING_INTERVAL)
        .subscription_capacity(WAITING_MESSAGES)
        .reconnect_delay_callback(pause)
        .event_callback(|event| async move { tell(&event) });
    if let Some(file) = &access.credentials {
        let text = secret(file, "--nats-credentials")?;
        let failed = |error| format!("--nats-credentials {}: {error}", file.display());
        options = options.credentials(&text).map_err(failed)?;
    }
    if let Some(file) = &access.nkey {
        options = options.nkey(secret(file, "--nats-nkey")?.trim().to_string());
    }
    if let Some(file) = &access.ca {
        options = options.add_root_certificates(file.clone());
    }
    if waits {
        options = options.retry_on_initial_connect();
    }
    options.connect(addresses).await.map_err(|error| format!("cannot connect to NATS: {error}"))
}

/// What the subjects begin with that answers to `node` come to: its own, so that no node can read another's.
pub fn inbox_prefix(node: &str) -> String {
    format!("_INBOX_{node}")
}

/// The address of a server.
///
/// # Errors
/// A sentence that says what is wrong. It does not repeat the text: a password may be in it.
pub fn address(text: &str) -> Result<ServerAddr, String> {
    let usage = "use nats://HOST:PORT or tls://HOST:PORT";
    if !["nats://", "tls://"].iter().any(|scheme| text.starts_with(scheme)) {
        return Err(format!("--nats: {usage}"));
    }
    let address: ServerAddr = text.parse().map_err(|error| format!("--nats: {usage}: {error}"))?;
    if address.host().is_empty() { Err(format!("--nats: {usage}")) } else { Ok(address) }
}

fn secret(file: &Path, flag: &str) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("{flag} {}: {error}", file.display());
    let bytes = std::fs::metadata(file).map_err(failed)?.len();
    if bytes > SECRET_BYTES_MAX {
        return Err(format!("{flag} {}: {bytes} bytes, more than {SECRET_BYTES_MAX}", file.display()));
    }
    std::fs::read_to_string(file).map_err(failed)
}

/// Longer and longer, and not the same on all nodes of a fleet that lost a server at once.
fn pause(attempt: usize) -> Duration {
    let mut random = [0; 1];
    let _ = getrandom::fill(&mut random);
    let most = PAUSE_MAX.min(Duration::from_millis(50 * attempt as u64));
    most * (128 + u32::from(random[0]) / 2) / 256
}

fn tell(event: &Event) {
    match event {
        Event::Connected => log::info!("NATS: connected"),
        Event::Disconnected => log::warn!("NATS: the connection is lost; trying again"),
        Event::SlowConsumer(_) => {
            log::warn!("NATS: messages came faster than they were taken; some are lost")
        }
        Event::ServerError(error) => log::warn!("NATS: the server says: {error}"),
        Event::ClientError(error) => log::warn!("NATS: {error}"),
        Event::LameDuckMode => log::info!("NATS: the server is about to stop"),
        other => log::debug!("NATS: {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_scheme_that_is_known() {
        for good in ["nats://127.0.0.1:4222", "tls://nats.example.com", "nats://me:secret@127.0.0.1"] {
            assert!(address(good).is_ok(), "{good}");
        }
        for bad in ["", "127.0.0.1:4222", "http://127.0.0.1", "ws://127.0.0.1", "nats://", "nats://[:1"] {
            let error = address(bad).unwrap_err();
            assert!(error.starts_with("--nats: use nats://HOST:PORT"), "{bad}: {error}");
        }
        assert!(!address("ws://me:secret@127.0.0.1").unwrap_err().contains("secret"));
    }

    #[test]
    fn pauses_grow_to_a_second() {
        assert!(pause(0).is_zero());
        for attempt in 1..1000 {
            assert!(pause(attempt) <= PAUSE_MAX && !pause(attempt).is_zero(), "{attempt}");
        }
        assert!(pause(usize::MAX / 64) >= PAUSE_MAX / 2);
    }
}
