//! Who called, where proxies of the house stand before us.

use super::address::Networks;
use std::net::{IpAddr, SocketAddr};

/// The proxies whose word on where a call comes from is believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies(Networks);

impl Proxies {
    /// Reads addresses (`127.0.0.1`) and networks (`10.1.0.0/16`); `None` where one is neither.
    #[must_use]
    pub fn read<'a>(entries: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        Networks::read(entries).map(Self)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Where a call comes from. Each proxy adds whom it was called by at the end of `X-Forwarded-For`; what stands left
    /// of the last one that is not ours is the caller's own invention, and so is all of it where a stranger calls.
    #[must_use]
    pub fn origin<'a>(&self, peer: IpAddr, forwarded: impl DoubleEndedIterator<Item = &'a str>) -> IpAddr {
        let mut origin = peer.to_canonical();
        for hop in forwarded.flat_map(|line| line.split(',')).rev() {
            if !self.0.holds(origin) {
                break;
            }
            let Some(before) = address(hop.trim()) else { break };
            origin = before.to_canonical();
        }
        origin
    }
}

/// An address, also with its port, as some proxies write it.
fn address(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(hop);
    bare.parse().ok().or_else(|| hop.parse().ok().map(|with_port: SocketAddr| with_port.ip()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::Proxies;

    #[test]
    fn a_proxy_of_ours_is_believed_and_nobody_else() {
        let ours = Proxies::read(["127.0.0.1", "10.1.0.0/16", "::1"]).unwrap();
        for (peer, forwarded, origin) in [
            ("127.0.0.1", vec!["203.0.113.7"], "203.0.113.7"),
            ("::ffff:127.0.0.1", vec!["203.0.113.7"], "203.0.113.7"),
            ("::1", vec!["2001:db8::7"], "2001:db8::7"),
            // Two of ours, one behind the other, in one line or in two.
            ("127.0.0.1", vec!["203.0.113.7, 10.1.2.3"], "203.0.113.7"),
            ("127.0.0.1", vec!["203.0.113.7", "10.1.2.3"], "203.0.113.7"),
            // The caller wrote the first ones itself.
            ("127.0.0.1", vec!["1.1.1.1, 203.0.113.7"], "203.0.113.7"),
            ("127.0.0.1", vec!["10.1.9.9, 203.0.113.7, 10.1.2.3"], "203.0.113.7"),
            ("203.0.113.7", vec!["1.1.1.1"], "203.0.113.7"),
            ("203.0.113.7", vec!["127.0.0.1"], "203.0.113.7"),
            // With a port, with brackets, mapped.
            ("127.0.0.1", vec!["203.0.113.7:4711"], "203.0.113.7"),
            ("127.0.0.1", vec!["[2001:db8::7]:4711"], "2001:db8::7"),
            ("127.0.0.1", vec!["[2001:db8::7]"], "2001:db8::7"),
            ("127.0.0.1", vec!["::ffff:203.0.113.7"], "203.0.113.7"),
            // What cannot be read ends the way.
            ("127.0.0.1", vec![], "127.0.0.1"),
            ("127.0.0.1", vec![""], "127.0.0.1"),
            ("127.0.0.1", vec!["unknown"], "127.0.0.1"),
            ("127.0.0.1", vec!["203.0.113.7, unknown, 10.1.2.3"], "10.1.2.3"),
        ] {
            let found = ours.origin(peer.parse().unwrap(), forwarded.iter().copied());
            assert_eq!(found, origin.parse::<std::net::IpAddr>().unwrap(), "{peer} {forwarded:?}");
        }
        let nobody = Proxies::default();
        assert_eq!(nobody.origin("127.0.0.1".parse().unwrap(), ["1.1.1.1"].into_iter()).to_string(), "127.0.0.1");
        for wrong in ["", "proxy.internal", "10.0.0.0/33", "1.2.3.4:80"] {
            assert_eq!(Proxies::read([wrong]), None, "{wrong}");
        }
    }
}
