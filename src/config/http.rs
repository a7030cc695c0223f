//! `[http]`: how long a connection may take for each thing, how much it may send, how many there may be.

use std::sync::Arc;
use std::time::Duration;

use super::error::ConfigError;
use super::layers::Settings;
use super::read::texts;
use crate::domain::proxies::Proxies;

/// `[http]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpConfig {
    /// Connections at one time; further ones wait in the system's queue.
    pub connections: usize,
    /// Connections at one time of one address; 0 is no limit.
    pub connections_per_address: usize,
    /// Whose word on where a call comes from is believed.
    pub trusted_proxies: Arc<Proxies>,
    /// Longest silence after the connection was made.
    pub first_byte_timeout: Duration,
    /// Longest time from the first byte of a request to the end of its head.
    pub head_timeout: Duration,
    /// Largest head of a request, bytes.
    pub head_max_bytes: usize,
    /// Longest time for a request's body.
    pub body_timeout: Duration,
    /// Largest body of a request, bytes.
    pub body_max_bytes: usize,
    /// Longest silence between two requests of a connection.
    pub idle_timeout: Duration,
    /// Longest time in which a caller takes nothing of an answer.
    pub write_timeout: Duration,
    /// Requests under way on one HTTP/2 connection.
    pub streams: u32,
    /// How long new connections are still taken after `/readyz` has said that we stop.
    pub stop_notice: Duration,
    /// How long requests under way may take once no new connections are taken.
    pub drain: Duration,
}

impl HttpConfig {
    pub(super) fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let connections = 1..=1_000_000;
        let wait = 1..=600;
        Ok(Self {
            connections: settings.integer("http.connections", "connections", &connections)?,
            connections_per_address: settings.integer(
                "http.connections_per_address",
                "connections",
                &(0..=1_000_000),
            )?,
            trusted_proxies: Arc::new(settings.list(
                "http.trusted_proxies",
                "a list of addresses and networks, such as 127.0.0.1 or 10.1.0.0/16",
                |value| Proxies::read(texts(value)?),
            )?),
            first_byte_timeout: settings.seconds("http.first_byte_timeout_s", &wait)?,
            head_timeout: settings.seconds("http.head_timeout_s", &wait)?,
            // The parser keeps at least so much; a cookie and a signature fit into 4 kB.
            head_max_bytes: settings.integer("http.head_max_bytes", "bytes", &(8192..=1_048_576))?,
            body_timeout: settings.seconds("http.body_timeout_s", &wait)?,
            body_max_bytes: settings.integer("http.body_max_bytes", "bytes", &(16_384..=67_108_864))?,
            idle_timeout: settings.seconds("http.idle_timeout_s", &wait)?,
            write_timeout: settings.seconds("http.write_timeout_s", &wait)?,
            streams: settings.integer("http.streams_per_connection", "requests", &(1..=10_000))?,
            stop_notice: settings.seconds("http.stop_notice_s", &(0..=300))?,
            drain: settings.seconds("http.drain_s", &(1..=300))?,
        })
    }
}

/// The values of `config/default.toml`, for servers that are built without a file.
impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            connections: 4096,
            connections_per_address: 1024,
            trusted_proxies: Arc::default(),
            first_byte_timeout: Duration::from_secs(5),
            head_timeout: Duration::from_secs(5),
            head_max_bytes: 16 * 1024,
            body_timeout: Duration::from_secs(8),
            body_max_bytes: 64 * 1024,
            idle_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            streams: 64,
            stop_notice: Duration::ZERO,
            drain: Duration::from_secs(10),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn the_defaults_in_code_are_those_of_the_file() {
        let settings = Settings::defaults().unwrap();
        assert_eq!(HttpConfig::read(&settings).unwrap(), HttpConfig::default());
    }
}
