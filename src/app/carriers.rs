//! The carriers of this process, from the configuration's accounts.

use crate::config::{CarrierConfig, Config, Origin};
use crate::net::{Client, ClientError, Limits};
use crate::sms::{Account, AccountError, Registry};
use std::time::Duration;

/// Name look-up, connection and TLS; carriers answer in well under a second, so this is an outage.
const CONNECT: Duration = Duration::from_secs(5);
/// A whole call: carriers hold a request for some seconds under load, and the sender's lease is longer.
const TOTAL: Duration = Duration::from_secs(15);
/// A page of 200 messages has some 200 kB.
const ANSWER_BYTES: usize = 2 * 1024 * 1024;

/// Why the configured carriers cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CarriersError {
    /// A row of `[[carriers]]`.
    #[error("{origin}: {source}")]
    Account {
        /// Where it stands.
        origin: Origin,
        /// What is wrong with it.
        source: AccountError,
    },
    /// There is no HTTP client.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// The carriers of `[[carriers]]`; the simulator is not among them.
///
/// # Errors
/// [`CarriersError`] for the first row that cannot be used.
pub fn open(config: &Config) -> Result<Registry, CarriersError> {
    let client = Client::new(Limits { connect: CONNECT, total: TOTAL, answer_bytes: ANSWER_BYTES })?;
    let mut registry = Registry::default();
    for row in &config.carriers {
        let carrier = Registry::open(&account(row), &client);
        let carrier = carrier.map_err(|source| CarriersError::Account { origin: row.origin.clone(), source })?;
        registry = registry.with(carrier);
    }
    Ok(registry)
}

fn account(row: &CarrierConfig) -> Account {
    let CarrierConfig { name, kind, base_url, keys, allowance: _, origin: _ } = row.clone();
    Account { name, kind, base_url, keys }
}
