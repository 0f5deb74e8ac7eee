//! Finds the addresses of a host once, and keeps those that the guest may reach. What is connected to comes from here: no name
//! is looked up a second time, so an answer that changes (DNS rebinding) changes nothing.

use super::address::is_public;
use super::allow_list::Addresses;
use super::calls::Exchange;
use super::counts::Counts;
use super::message::{Refusal, Why};
use super::url::Host;
use crate::base::cancel::{Cancel, LOOK_EVERY};
use crate::base::limits::{HTTP_ADDRESSES_MAX, HTTP_LOOKUPS_MAX, HTTP_LOOKUPS_OF_LIST_MAX};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Lookups that are under way.
static LOOKUPS: AtomicUsize = AtomicUsize::new(0);

/// The addresses that a call may connect to; at least one.
///
/// # Errors
/// There is none.
pub fn addresses(exchange: &Exchange<'_>) -> Result<Vec<IpAddr>, Refusal> {
    match &exchange.url.host {
        Host::V4(address) => Ok(vec![(*address).into()]),
        Host::V6(address) => Ok(vec![(*address).into()]),
        // RFC 6761, section 6.3: nobody is asked.
        Host::Name(_) if exchange.addresses == Addresses::Loopback => {
            Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()])
        }
        Host::Name(name) => {
            let found = look_up(name, exchange.counts, (exchange.until, exchange.cancel))?;
            allowed(name, found, exchange.addresses)
        }
    }
}

/// Those of `found` that a name may lead to.
fn allowed(name: &str, found: Vec<IpAddr>, which: Addresses) -> Result<Vec<IpAddr>, Refusal> {
    if found.is_empty() {
        return Err(Refusal::new(Why::Name, format!("{name} has no address")));
    }
    let mut kept = found;
    kept.retain(|address| which == Addresses::Public && is_public(*address));
    kept.truncate(HTTP_ADDRESSES_MAX);
    if kept.is_empty() {
        let what = format!(
            "{name} has no public address; others must be named themselves, as in http://192.168.0.7/*"
        );
        return Err(Refusal::new(Why::Address, what));
    }
    Ok(kept)
}

/// A lookup that counts, of all and for its list.
struct Counted(Counts);

impl Counted {
    fn new(counts: &Counts) -> Option<Counted> {
        let below = |most: usize| move |count: usize| (count < most).then_some(count + 1);
        let own = counts.lookups();
        own.fetch_update(SeqCst, SeqCst, below(HTTP_LOOKUPS_OF_LIST_MAX)).ok()?;
        if LOOKUPS.fetch_update(SeqCst, SeqCst, below(HTTP_LOOKUPS_MAX)).is_err() {
            own.fetch_sub(1, SeqCst);
            return None;
        }
        Some(Counted(counts.clone()))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        LOOKUPS.fetch_sub(1, SeqCst);
        self.0.lookups().fetch_sub(1, SeqCst);
    }
}

/// Asks the system's resolver in a thread of its own, as it cannot be interrupted.
fn look_up(
    name: &str,
    counts: &Counts,
    (until, cancel): (Instant, Option<&Cancel>),
) -> Result<Vec<IpAddr>, Refusal> {
    let busy = || Refusal::new(Why::Host, "too many names are looked up at once");
    let counted = Counted::new(counts).ok_or_else(busy)?;
    let (send, receive) = channel();
    let asked = name.to_string();
    let thread = std::thread::Builder::new().name("lookup".into()).spawn(move || {
        let found = (asked.as_str(), 0).to_socket_addrs();
        drop(counted);
        // The run may be over.
        let _ = send.send(found.map(|found| found.map(|address| address.ip()).collect::<Vec<_>>()));
    });
    thread.map_err(|error| Refusal::new(Why::Host, format!("no thread for a lookup: {error}")))?;
    let not_found = |error: io::Error| Refusal::new(Why::Name, format!("{name} is not found: {error}"));
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let look = if cancel.is_some() { left.min(LOOK_EVERY) } else { left };
        match receive.recv_timeout(look) {
            Ok(found) => return found.map_err(not_found),
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Refusal::new(Why::Host, "a lookup ended without an answer"));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        if left == Duration::ZERO || cancel.is_some_and(Cancel::is_cancelled) {
            return Err(Refusal::new(Why::Time, format!("looking {name} up took too long")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(addresses: &[&str]) -> Result<Vec<String>, Why> {
        let found = addresses.iter().map(|address| address.parse().unwrap()).collect();
        let kept = allowed("a.example", found, Addresses::Public);
        kept.map(|kept| kept.iter().map(IpAddr::to_string).collect()).map_err(|refusal| refusal.why)
    }

    #[test]
    fn only_public_addresses_of_a_name_are_kept() {
        assert_eq!(
            kept(&["1.1.1.1", "127.0.0.1", "2606:4700::1111", "::1"]),
            Ok(vec!["1.1.1.1".into(), "2606:4700::1111".into()])
        );
        for private in [
            "127.0.0.1",
            "10.0.0.1",
            "169.254.169.254",
            "::1",
            "fd00::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
        ] {
            assert_eq!(kept(&[private]), Err(Why::Address), "{private}");
        }
        assert_eq!(kept(&[]), Err(Why::Name));
        let many: Vec<String> = (1..=20).map(|n| format!("1.1.1.{n}")).collect();
        assert_eq!(
            kept(&many.iter().map(String::as_str).collect::<Vec<_>>()).unwrap().len(),
            HTTP_ADDRESSES_MAX
        );
    }

    #[test]
    fn a_lookup_ends_in_time() {
        let cancel = Cancel::default();
        cancel.cancel();
        // Whether there is a resolver here or not.
        for (until, cancel) in
            [(Instant::now(), None), (Instant::now() + Duration::from_secs(3600), Some(&cancel))]
        {
            let error = look_up("name.invalid", &Counts::default(), (until, cancel)).unwrap_err();
            assert!(matches!(error.why, Why::Time | Why::Name), "{error}");
        }
    }

    #[test]
    fn lookups_are_limited_for_each_list() {
        let (one, other) = (Counts::default(), Counts::default());
        let mut held: Vec<_> = (0..HTTP_LOOKUPS_OF_LIST_MAX).map(|_| Counted::new(&one).unwrap()).collect();
        assert!(Counted::new(&one).is_none() && Counted::new(&other).is_some());
        held.pop();
        assert!(Counted::new(&one).is_some());
    }
}
