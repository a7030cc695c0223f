//! `[server]`: where we listen, how the outside calls us, where our files are.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use super::error::ConfigError;
use super::layers::Settings;

/// `[server]`.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// The address the outside sees; `None` in development only. [`ServerConfig::public_url_at`] fills it in.
    pub public_url: Option<PublicUrl>,
    /// Directory of keyring and embedded database.
    pub data_dir: PathBuf,
}

impl ServerConfig {
    pub(super) fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let address = "an address and a port such as 127.0.0.1:8080";
        Ok(Self {
            listen: settings.text("server.listen", address, |text| text.parse().ok())?,
            public_url: settings.text("server.public_url", PublicUrl::EXPECTED, |text| {
                if text.is_empty() { Some(None) } else { PublicUrl::parse(text).map(Some) }
            })?,
            data_dir: settings
                .text("server.data_dir", "a directory", |text| (!text.is_empty()).then(|| PathBuf::from(text)))?,
        })
    }

    /// The configured public address, or `http://` and the address that was bound (it may differ from `listen` when
    /// that port was taken). An unspecified address (`0.0.0.0`, `[::]`) becomes loopback, which a browser can open.
    #[must_use]
    pub fn public_url_at(&self, bound: SocketAddr) -> PublicUrl {
        let ip = if bound.ip().is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { bound.ip() };
        let local = || PublicUrl(format!("http://{}", SocketAddr::new(ip, bound.port())));
        self.public_url.clone().unwrap_or_else(local)
    }
}

/// `http://` or `https://` and a host with an optional port; never a path, a query or a trailing slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    pub(super) const EXPECTED: &str = "http:// or https:// and a host, without a path";

    /// Reads one; a trailing slash is dropped. `None` when it is anything else than scheme, host and port.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, Some(port)),
            _ => (authority, None),
        };
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let host_fits = match bare {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => is_host_name(host),
        };
        let port_fits = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
        let fits = matches!(scheme, "http" | "https") && host_fits && port_fits;
        fits.then(|| Self(format!("{scheme}://{}", authority.to_ascii_lowercase())))
    }

    /// Whether it is `https://`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// Scheme, host and port, without a trailing slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_host_name(host: &str) -> bool {
    host.len() <= 253
        && host.split('.').all(|label| {
            let inner = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            inner && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
        })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_public_url_is_scheme_host_and_port_and_nothing_else() {
        for (given, kept) in [
            ("https://c.example.com", Some("https://c.example.com")),
            ("https://C.example.com/", Some("https://c.example.com")),
            ("http://127.0.0.1:8080", Some("http://127.0.0.1:8080")),
            ("http://[::1]:8080", Some("http://[::1]:8080")),
            ("https://c.example.com/coupons", None),
            ("https://c.example.com?a=b", None),
            ("https://user@c.example.com", None),
            ("https://c.example.com:0", None),
            ("https://-c.example.com", None),
            ("https://c..example.com", None),
            ("https://", None),
            ("ftp://c.example.com", None),
            ("c.example.com", None),
        ] {
            assert_eq!(PublicUrl::parse(given).as_ref().map(PublicUrl::as_str), kept, "{given}");
        }
    }

    #[test]
    fn a_missing_public_url_is_the_bound_address_and_never_an_unspecified_one() {
        let server = |public_url: Option<&str>| ServerConfig {
            listen: "0.0.0.0:8080".parse().unwrap(),
            public_url: public_url.and_then(PublicUrl::parse),
            data_dir: PathBuf::from("data"),
        };
        let bound = "0.0.0.0:8081".parse().unwrap();
        assert_eq!(server(None).public_url_at(bound).as_str(), "http://127.0.0.1:8081");
        assert_eq!(server(Some("https://c.example.com")).public_url_at(bound).as_str(), "https://c.example.com");
    }
}
