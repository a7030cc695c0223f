//! Network addresses that somebody else chose: which of them we call, and which exceptions the house makes.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address belongs to the public internet. Everything that could be a machine of the house, its neighbours
/// or its cloud is not, in whatever notation it comes (IANA special-purpose registries, 2026).
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let special = match address.octets() {
        // This network, private, loopback, multicast and all above it.
        [0 | 10 | 127 | 224..=255, ..]
        // Carrier-grade NAT; a cloud keeps its metadata at 100.100.100.200.
        | [100, 64..=127, ..]
        // Link-local, and with it 169.254.169.254.
        | [169, 254, ..]
        | [172, 16..=31, ..]
        // Protocol assignments, documentation, relays of 6to4, private.
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [192, 168, ..]
        // Benchmarks and documentation.
        | [198, 18..=19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _] => true,
        // A cloud's own server of settings, at an address that looks public.
        other => other == [168, 63, 129, 16],
    };
    !special
}

/// The internet proper is `2000::/3`; of the rest only a translated address counts, and by what it translates to.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let inner = |high: u16, low: u16| is_public_v4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)));
    match address.segments() {
        // Mapped, NAT64 by its well-known prefix, and 6to4 carry an address of version 4.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            inner(high, low)
        }
        // Teredo, ORCHID and their like are no servers; documentation.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
        [0x2000..=0x3fff, ..] => true,
        _ => false,
    }
}

/// The exceptions of a house: machines of its own that may be called although they are not public, also without TLS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed {
    hosts: BTreeSet<(String, u16)>,
    networks: Networks,
}

/// Networks, some of which may be one address each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Vec<Network>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    begin: IpAddr,
    bits: u32,
}

impl Allowed {
    /// Reads `host:port` (`hooks.internal:8443`, `127.0.0.1:9000`, `[::1]:9000`) and networks (`10.1.0.0/16`); `None`
    /// where one is neither.
    #[must_use]
    pub fn read<'a>(entries: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut allowed = Self::default();
        for entry in entries {
            if let Some((address, bits)) = entry.split_once('/') {
                allowed.networks.0.push(Network::read(address, bits)?);
            } else {
                let (host, port) = entry.rsplit_once(':')?;
                let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
                if host.is_empty() || !host.chars().all(is_plain) {
                    return None;
                }
                allowed.hosts.insert((host.to_ascii_lowercase(), port.parse().ok()?));
            }
        }
        Some(allowed)
    }

    /// Whether this very door is an exception; `host` as an address has it, brackets included.
    #[must_use]
    pub fn names(&self, host: &str, port: u16) -> bool {
        let by_name = self.hosts.contains(&(host.to_ascii_lowercase(), port));
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        by_name || bare.parse().is_ok_and(|address| self.holds(address))
    }

    /// Whether the address lies in a network that is an exception.
    #[must_use]
    pub fn holds(&self, address: IpAddr) -> bool {
        self.networks.holds(address)
    }

    /// Whether that address may be called, by the exceptions or as a public one.
    #[must_use]
    pub fn admits(&self, address: IpAddr) -> bool {
        is_public(address) || self.holds(address)
    }
}

impl Networks {
    /// Reads addresses (`127.0.0.1`) and networks (`10.1.0.0/16`); `None` where one is neither.
    #[must_use]
    pub fn read<'a>(entries: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let network = |entry: &str| match entry.split_once('/') {
            Some((address, bits)) => Network::read(address, bits),
            None => Network::read(entry, if entry.contains(':') { "128" } else { "32" }),
        };
        entries.into_iter().map(network).collect::<Option<_>>().map(Self)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an address lies in one of them.
    #[must_use]
    pub fn holds(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.holds(address.to_canonical()))
    }
}

impl Network {
    fn read(address: &str, bits: &str) -> Option<Self> {
        let begin = address.parse::<IpAddr>().ok()?;
        let bits = bits.parse().ok().filter(|bits| *bits <= if begin.is_ipv6() { 128 } else { 32 })?;
        Some(Self { begin, bits })
    }

    fn holds(self, address: IpAddr) -> bool {
        let differ = match (self.begin, address) {
            (IpAddr::V4(one), IpAddr::V4(other)) => u128::from(one.to_bits() ^ other.to_bits()) << 96,
            (IpAddr::V6(one), IpAddr::V6(other)) => one.to_bits() ^ other.to_bits(),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return false,
        };
        differ.leading_zeros() >= self.bits
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::{Allowed, is_public};

    const PUBLIC: [&str; 12] = [
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.1",
        "100.63.255.255",
        "100.128.0.1",
        "172.15.0.1",
        "172.32.0.1",
        "192.0.1.1",
        "223.255.255.255",
        "2606:4700::1111",
        "64:ff9b::1.1.1.1",
        "::ffff:1.1.1.1",
    ];

    const CLOSED: [&str; 46] = [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.100.100.200",
        "100.127.255.255",
        "127.0.0.1",
        "127.8.8.8",
        "168.63.129.16",
        "169.254.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:0:127.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1.1.1.1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "2002:a00:1::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "ff02::1",
    ];

    #[test]
    fn only_the_public_internet_is_public_in_whatever_notation() {
        for address in PUBLIC {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
        for address in CLOSED {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn an_exception_is_one_door_or_one_network() {
        let allowed = Allowed::read(["Hooks.internal:8443", "[::1]:9000", "127.0.0.1:80", "10.1.0.0/16", "fd00::/8"]);
        let allowed = allowed.unwrap();
        for (host, port, is_named) in [
            ("hooks.internal", 8443, true),
            ("HOOKS.INTERNAL", 8443, true),
            ("hooks.internal", 443, false),
            ("[::1]", 9000, true),
            ("[::1]", 9001, false),
            ("127.0.0.1", 80, true),
            ("10.1.2.3", 5, true),
            ("10.2.2.3", 5, false),
            ("[fd00::9]", 5, true),
            ("evil.example", 8443, false),
        ] {
            assert_eq!(allowed.names(host, port), is_named, "{host}:{port}");
        }
        for (address, is_admitted) in
            [("10.1.9.9", true), ("::ffff:10.1.9.9", true), ("10.2.0.1", false), ("1.1.1.1", true), ("::1", false)]
        {
            assert_eq!(allowed.admits(address.parse().unwrap()), is_admitted, "{address}");
        }
        for bad in ["", "host", "host:", ":80", "host:99999", "10.0.0.0/33", "x/8", "a b:80", "http://x:80"] {
            assert_eq!(Allowed::read([bad]), None, "{bad}");
        }
        assert_eq!(Allowed::read([]), Some(Allowed::default()));
        assert!(Allowed::read(["0.0.0.0/0"]).unwrap().holds("8.8.8.8".parse().unwrap()));
    }
}
