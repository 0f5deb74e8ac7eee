//! The connection to a NATS system.

use super::config::Access;
use crate::base::escape::{cut, printable};
use crate::base::lock::lock;
use async_nats::{Client, ConnectOptions, Event, ServerAddr};
use log::Level;
use percent_encoding::percent_decode_str;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// A connection.
#[derive(Debug, Clone)]
pub struct Connection {
    /// What it is used by.
    pub client: Client,
    /// Changes each time that it is lost. The library makes it again, and all subscriptions with it.
    pub lost: watch::Receiver<()>,
}

/// The longest pause between two attempts to connect again. A node that lost its server is to be back within two seconds.
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// A connection of which nothing is heard for two of these is given up.
const PING_INTERVAL: Duration = Duration::from_secs(5);

/// The longest time for one attempt to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Messages of a subscription that wait in this process: they are taken at once, or given to others.
const WAITING_MESSAGES: usize = 1024;

/// Lines of the log about the connection in such a time, at most.
const LINES_MAX: u64 = 20;
const LINES_TIME: Duration = Duration::from_secs(10);

/// Bytes of what a server says, in a line of the log.
const TEXT_BYTES_MAX: usize = 512;

/// Bytes of a file of secrets, at most.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// Connects as `name`. With `waits`, what cannot be reached now is tried again for ever; otherwise it is an error.
///
/// # Errors
/// A sentence: an address that is none, a file that cannot be read, or (without `waits`) no connection.
pub async fn connect(access: &Access, name: &str, waits: bool) -> Result<Connection, String> {
    let (losing, lost) = watch::channel(());
    let addresses = access.servers.iter().map(|server| address(server)).collect::<Result<Vec<_>, _>>()?;
    let mut options = ConnectOptions::new()
        .name(name)
        .custom_inbox_prefix(inbox_prefix(name))
        .connection_timeout(CONNECT_TIMEOUT)
        .ping_interval(PING_INTERVAL)
        .subscription_capacity(WAITING_MESSAGES)
        .reconnect_delay_callback(pause)
        .event_callback(events(losing));
    // The library reads these in an address, and does not use them.
    if let Some((user, password)) = addresses.iter().find_map(user_of) {
        options = options.user_and_password(user, password);
    }
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
    let connected = options.connect(addresses).await;
    connected
        .map(|client| Connection { client, lost })
        .map_err(|error| format!("cannot connect to NATS: {error}"))
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

/// The user and the password that an address has, decoded (RFC 3986, section 2.1).
fn user_of(address: &ServerAddr) -> Option<(String, String)> {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let user = address.username().filter(|user| !user.is_empty())?;
    Some((decoded(user), address.password().map(decoded).unwrap_or_default()))
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

/// What has each event said in the log, and tells `losing` of each connection that is lost.
fn events(losing: watch::Sender<()>) -> impl Fn(Event) -> std::future::Ready<()> + Send + Sync + 'static {
    let lines = Mutex::new(Lines::default());
    let link = Mutex::new(Link::default());
    move |event| {
        if lock(&link).is_lost_by(&event) {
            losing.send_replace(());
        }
        let (level, what) = sentence(&event);
        let (is_told, left_out) = lock(&lines).one(Instant::now());
        if left_out > 0 {
            log::warn!("NATS: {left_out} more such messages were left out");
        }
        log::log!(if is_told { level } else { Level::Trace }, "NATS: {what}");
        std::future::ready(())
    }
}

/// Whether there is a connection. The library leaves out events that come too fast.
#[derive(Debug, Default)]
struct Link {
    is_up: bool,
}

impl Link {
    /// Whether a connection was lost, by what this event says.
    fn is_lost_by(&mut self, event: &Event) -> bool {
        let is_up = match event {
            Event::Connected => true,
            Event::Disconnected => false,
            _ => return false,
        };
        // One that is there twice was lost in between.
        std::mem::replace(&mut self.is_up, is_up)
    }
}

/// Bounds the lines of the log: whoever sends a message has a server complain about the answer to it.
#[derive(Debug, Default)]
struct Lines {
    since: Option<Instant>,
    count: u64,
}

impl Lines {
    /// One more: whether it is told, and how many were not before it.
    fn one(&mut self, now: Instant) -> (bool, u64) {
        let mut left_out = 0;
        if self.since.is_none_or(|since| now.saturating_duration_since(since) >= LINES_TIME) {
            left_out = self.count.saturating_sub(LINES_MAX);
            (self.since, self.count) = (Some(now), 0);
        }
        self.count += 1;
        (self.count <= LINES_MAX, left_out)
    }
}

fn sentence(event: &Event) -> (Level, String) {
    let text = match event {
        Event::Connected => return (Level::Info, "connected".into()),
        Event::LameDuckMode => return (Level::Info, "the server is about to stop".into()),
        Event::Disconnected => "the connection is lost; trying again".into(),
        Event::SlowConsumer(_) => "messages came faster than they were taken; some are lost".into(),
        // A server's text may hold anything.
        Event::ServerError(error) => format!("the server says: {}", told(&error.to_string())),
        Event::ClientError(error) => told(&error.to_string()),
        other => return (Level::Debug, told(&other.to_string())),
    };
    (Level::Warn, text)
}

fn told(text: &str) -> String {
    printable(&cut(text, TEXT_BYTES_MAX))
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
    fn a_user_and_a_password_may_be_in_an_address() {
        let of = |text: &str| user_of(&address(text).unwrap());
        assert_eq!(of("nats://me:secret@127.0.0.1:4222"), Some(("me".into(), "secret".into())));
        assert_eq!(of("tls://me:s%40%3Ac@127.0.0.1"), Some(("me".into(), "s@:c".into())));
        assert_eq!(of("nats://me@127.0.0.1"), Some(("me".into(), String::new())));
        assert_eq!(of("nats://127.0.0.1:4222"), None);
    }

    #[test]
    fn a_loss_is_seen_once_whichever_event_tells_it() {
        use Event::{Connected, Disconnected, LameDuckMode};
        let mut link = Link::default();
        let events =
            [Connected, LameDuckMode, Disconnected, Connected, Connected, Disconnected, Disconnected];
        let seen = events.map(|event| link.is_lost_by(&event));
        assert_eq!(seen, [false, false, true, false, true, true, false]);
    }

    #[test]
    fn lines_of_the_log_are_bounded() {
        let (mut lines, begin) = (Lines::default(), Instant::now());
        let mut told = |after: Duration| lines.one(begin + after);
        (0..LINES_MAX).for_each(|n| assert_eq!(told(Duration::ZERO), (true, 0), "{n}"));
        (0..3).for_each(|n| assert_eq!(told(LINES_TIME / 2), (false, 0), "{n}"));
        assert_eq!(told(LINES_TIME), (true, 3));
        assert_eq!(told(3 * LINES_TIME), (true, 0));
        let (_, text) = sentence(&Event::Disconnected);
        assert!(text.contains("lost"), "{text}");
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
