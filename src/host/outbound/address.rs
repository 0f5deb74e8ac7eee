//! Which addresses are the public Internet's. All others are of this machine, its networks, or nobody's.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Networks of IPv4 that are not public (IANA, "IPv4 Special-Purpose Address Registry"), by address and bits.
const NOT_PUBLIC_V4: &[([u8; 4], u32)] = &[
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    // Behind the NAT of a provider.
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    // Link-local; clouds have their metadata there.
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    // Multicast, reserved, broadcast.
    ([224, 0, 0, 0], 3),
];

/// Networks within 2000::/3 that are not public: protocols (with Teredo, 2001::/32), documentation.
const NOT_PUBLIC_V6: &[([u16; 8], u32)] = &[
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),
];

/// Whether `address` is of the public Internet.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let own = u32::from(address);
    !NOT_PUBLIC_V4
        .iter()
        .any(|(network, bits)| (own ^ u32::from(Ipv4Addr::from(*network))) >> (32 - bits) == 0)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(inner) = within(address) {
        return is_public_v4(inner);
    }
    let own = u128::from(address);
    let is_in = |network: Ipv6Addr, bits: u32| (own ^ u128::from(network)) >> (128 - bits) == 0;
    is_in(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3)
        && !NOT_PUBLIC_V6.iter().any(|(network, bits)| is_in(Ipv6Addr::from(*network), *bits))
}

/// The IPv4 address that an IPv6 address leads to: a mapped one, by NAT64's well-known prefix, by 6to4.
fn within(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let of = |high: u16, low: u16| Some(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)));
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => of(high, low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::is_public;

    #[rustfmt::skip]
    const PUBLIC: &[&str] = &[
        "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
        "126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0",
        "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "192.0.1.0",
        "192.0.3.0", "2606:4700::1111", "2a00:1450:4001::1", "2001:200::", "2001:4860:4860::8888",
        "::ffff:1.1.1.1", "64:ff9b::1.1.1.1", "2002:101:101::1", "2001:db9::", "3ffe::",
    ];

    #[rustfmt::skip]
    const OTHERS: &[&str] = &[
        "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1",
        "127.255.255.255", "169.254.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1",
        "192.0.2.1", "192.88.99.1", "192.168.0.1", "192.168.255.255", "198.18.0.1", "198.19.255.255",
        "198.51.100.7", "203.0.113.7", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "::",
        "::1", "::2", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
        "64:ff9b::127.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::1", "2002:7f00:1::", "2002:a00:1::1",
        "2002:a9fe:a9fe::1", "2001::1", "2001:1::1", "2001:db8::1", "3fff::1", "fc00::1", "fd12:3456::1",
        "fe80::1", "febf::1", "fec0::1", "ff02::1", "ff0e::1", "100::1", "5f00::1", "4000::1", "1fff::1",
    ];

    #[test]
    fn only_the_public_internet_is() {
        for (list, expected) in [(PUBLIC, true), (OTHERS, false)] {
            for text in list {
                assert_eq!(is_public(text.parse().unwrap()), expected, "{text}");
            }
        }
    }
}
