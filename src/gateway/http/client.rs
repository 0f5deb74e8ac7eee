//! Clients: whom a connection and its requests belong to, and whom shares are counted for.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Bits of an IPv6 address that tell one client from another: a customer has a /64 at least (RFC 6177), and could
/// use each of its addresses.
const IPV6_CLIENT_BITS: u32 = 64;

/// Stands for what is asked from inside of this process. No connection comes from it (RFC 1122, section 3.2.1.3).
const INSIDE: IpAddr = IpAddr::V4(Ipv4Addr::new(0, 0, 0, 1));

/// The part of an address that stands for a client: an IPv4 address, or the /64 of an IPv6 address. A trusted proxy's is
/// its whole address, and no client's: it has neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientKey {
    /// As an IPv6 address, which hashes fast.
    address: u128,
    is_proxy: bool,
}

impl ClientKey {
    /// The key of the client at `address`.
    pub fn of(address: IpAddr) -> ClientKey {
        match address.to_canonical() {
            IpAddr::V6(address) => ClientKey::whole(first_bits_v6(address, IPV6_CLIENT_BITS).into(), false),
            address => ClientKey::whole(address, false),
        }
    }

    /// Whether it is a trusted proxy's.
    pub fn is_proxy(&self) -> bool {
        self.is_proxy
    }

    fn whole(address: IpAddr, is_proxy: bool) -> ClientKey {
        let address = match address {
            IpAddr::V4(address) => address.to_ipv6_mapped(),
            IpAddr::V6(address) => address,
        };
        ClientKey { address: address.into(), is_proxy }
    }
}

/// A client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    /// Its address; of an IPv6 socket's IPv4 client, the IPv4 address.
    pub address: IpAddr,
    /// What its shares are counted under.
    pub key: ClientKey,
    /// Whether it is a trusted proxy: it stands for many clients, and no share limits it.
    pub is_proxy: bool,
}

impl Client {
    /// The client at `address`, where `proxies` are trusted.
    pub fn new(address: IpAddr, proxies: &[Network]) -> Client {
        let address = address.to_canonical();
        let is_proxy = proxies.iter().any(|network| network.contains(address));
        let key = if is_proxy { ClientKey::whole(address, true) } else { ClientKey::of(address) };
        Client { address, key, is_proxy }
    }

    /// Who asks from inside of this process, by another protocol: for many clients, so that no share limits it.
    pub fn inside() -> Client {
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Client { address, key: ClientKey::whole(INSIDE, true), is_proxy: true }
    }

    /// Whether this is [`Client::inside`].
    pub fn is_inside(&self) -> bool {
        self.key == Client::inside().key
    }

    /// Nobody: what the gateway does for itself.
    pub fn nobody() -> Client {
        let address = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        Client { address, key: ClientKey::whole(address, true), is_proxy: true }
    }
}

impl Default for Client {
    fn default() -> Client {
        Client::nobody()
    }
}

/// The addresses that begin with the same bits: `10.0.0.0/8`, `fd00::/8`, `192.0.2.1`.
///
/// ```
/// use fuelbox::{GatewayConfig, Network};
///
/// let proxies = vec![Network::parse("10.0.0.0/8").unwrap()];
/// let config = GatewayConfig { trusted_proxies: proxies, ..GatewayConfig::default() };
/// # assert_eq!(config.trusted_proxies.len(), 1);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    /// The network that `text` names: an address, and behind a slash how many of its bits count; without, all.
    ///
    /// # Errors
    /// A sentence about what is wrong.
    pub fn parse(text: &str) -> Result<Network, String> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(a, bits)| (a, Some(bits)));
        let address: IpAddr =
            address.parse().map_err(|_| "use ADDRESS or ADDRESS/BITS, such as 10.0.0.0/8".to_string())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let is_number = |bits: &&str| !bits.is_empty() && bits.bytes().all(|byte| byte.is_ascii_digit());
        let bits = match bits {
            None => most,
            Some(bits) => (Some(bits).filter(is_number).and_then(|bits| bits.parse().ok()))
                .filter(|bits| *bits <= most)
                .ok_or_else(|| format!("this address has 0 to {most} BITS"))?,
        };
        let network = Network { address: first_bits(address, bits), bits };
        if network.address != address {
            return Err(format!("it has bits set beyond the first {bits}; use {network}"));
        }
        Ok(network)
    }

    /// Whether `address` is in it.
    #[doc(hidden)]
    pub fn contains(&self, address: IpAddr) -> bool {
        address.is_ipv4() == self.address.is_ipv4() && first_bits(address, self.bits) == self.address
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

fn first_bits(address: IpAddr, bits: u32) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            IpAddr::V4((u32::from(address) & mask).into())
        }
        IpAddr::V6(address) => IpAddr::V6(first_bits_v6(address, bits)),
    }
}

fn first_bits_v6(address: Ipv6Addr, bits: u32) -> Ipv6Addr {
    let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
    (u128::from(address) & mask).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_as_many_bits_as_its_address_and_no_stray_ones() {
        for good in
            ["10.0.0.0/8", "192.0.2.1", "192.0.2.1/32", "0.0.0.0/0", "fd00::/8", "::1", "::/0", "::1/128"]
        {
            assert!(Network::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "/8",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "::/129",
            "10.0.0.1/8",
            "ten/8",
            "10.0.0.0/8/8",
        ] {
            assert!(Network::parse(bad).is_err(), "{bad}");
        }
        assert!(Network::parse("10.0.0.1/8").unwrap_err().contains("10.0.0.0/8"));
    }

    #[test]
    fn a_network_holds_what_begins_as_it_does() {
        let holds = |network: &str, address: &str| {
            Network::parse(network).unwrap().contains(address.parse().unwrap())
        };
        assert!(holds("10.0.0.0/8", "10.255.255.255") && !holds("10.0.0.0/8", "11.0.0.0"));
        assert!(holds("192.0.2.1", "192.0.2.1") && !holds("192.0.2.1", "192.0.2.0"));
        assert!(holds("0.0.0.0/0", "255.1.2.3") && !holds("0.0.0.0/0", "::1"));
        assert!(holds("fd00::/8", "fdff::1") && !holds("fd00::/8", "fe00::1"));
    }

    #[test]
    fn a_client_is_an_ipv4_address_or_half_of_an_ipv6_address() {
        let key = |address: &str| ClientKey::of(address.parse().unwrap());
        assert_eq!(key("192.0.2.1"), key("::ffff:192.0.2.1"));
        assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff::"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        let proxy = [Network::parse("2001:db8:1:2::1").unwrap()];
        let client = |address: &str| Client::new(address.parse().unwrap(), &proxy);
        assert_ne!(client("2001:db8:1:2::1").key, client("2001:db8:1:2::2").key, "a neighbour is another");
        assert!(client("2001:db8:1:2::1").is_proxy && !client("2001:db8:1:2::2").is_proxy);
    }
}
