//! The machines that may call us.

use std::net::IpAddr;

/// A list of networks; an empty one lets everybody in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Networks(Vec<Network>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    /// The first bits of it, as the first bits of 128.
    begin: u128,
    /// How many.
    bits: u32,
    is_v6: bool,
}

impl Networks {
    /// Reads addresses and networks (`10.0.0.0/8`) between commas; `None` for anything else, and for an empty list.
    pub(super) fn read(text: &str) -> Option<Self> {
        text.split(',').map(|part| Network::read(part.trim())).collect::<Option<_>>().map(Self)
    }

    /// Whether that machine may call. Who cannot be seen may not where there is a list.
    pub(super) fn allow(&self, remote: Option<IpAddr>) -> bool {
        self.0.is_empty() || remote.is_some_and(|address| self.0.iter().any(|network| network.holds(address)))
    }
}

impl Network {
    fn read(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address = address.parse::<IpAddr>().ok()?;
        let all = if address.is_ipv6() { 128 } else { 32 };
        let bits = bits.map_or(Some(all), |bits| bits.parse().ok()).filter(|bits| *bits <= all)?;
        Some(Self { begin: first(address, bits), bits, is_v6: address.is_ipv6() })
    }

    fn holds(self, address: IpAddr) -> bool {
        // A listener on [::] sees IPv4 as ::ffff:127.0.0.1.
        let address = address.to_canonical();
        address.is_ipv6() == self.is_v6 && first(address, self.bits) == self.begin
    }
}

/// The first bits of an address, the rest zero.
fn first(address: IpAddr, bits: u32) -> u128 {
    let whole = match address {
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    };
    let mask = u128::MAX.checked_shl(128 - bits).unwrap_or_default();
    whole & mask
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn allows(list: &str, address: &str) -> bool {
        Networks::read(list).unwrap().allow(Some(address.parse().unwrap()))
    }

    #[test]
    fn an_address_is_allowed_by_itself_and_by_its_network() {
        for (list, address, wanted) in [
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "::ffff:127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false),
            ("10.0.0.0/8, 192.168.1.0/24", "192.168.1.77", true),
            ("10.0.0.0/8, 192.168.1.0/24", "192.168.2.77", false),
            ("10.1.2.3/8", "10.9.9.9", true),
            ("0.0.0.0/0", "8.8.8.8", true),
            ("0.0.0.0/0", "::1", false),
            ("::1", "::1", true),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
        ] {
            assert_eq!(allows(list, address), wanted, "{address} in {list}");
        }
    }

    #[test]
    fn what_is_no_list_of_networks_is_refused() {
        for list in ["", "10.0.0.0/33", "10.0.0/8", "localhost", "10.0.0.1,,10.0.0.2", "::/129", "10.0.0.0/x"] {
            assert_eq!(Networks::read(list), None, "{list:?}");
        }
    }

    #[test]
    fn without_a_list_everybody_may_call_and_with_one_nobody_unseen() {
        assert!(Networks::default().allow(None));
        assert!(!Networks::read("0.0.0.0/0").unwrap().allow(None));
    }
}
