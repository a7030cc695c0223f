//! The redemption peers of this process, from the configuration's rows.

use crate::config::{Config, Origin, PeerConfig};
use crate::net::Url;
use crate::redemption::{GuardLimits, PeerSettings, Registry, RegistryError};

/// Why the configured peers cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PeersError {
    /// A row's address.
    #[error("{origin}: peer {name}: base_url is no address")]
    Address {
        /// Where the row stands.
        origin: Origin,
        /// The peer.
        name: String,
    },
    /// A row.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

/// The peers of `[[peers]]`, each behind its guard.
///
/// # Errors
/// [`PeersError`] for the first row that cannot be used.
pub fn open(config: &Config) -> Result<Registry, PeersError> {
    let settings = config.peers.iter().map(settings).collect::<Result<Vec<_>, _>>()?;
    Ok(Registry::build(&settings)?)
}

fn settings(row: &PeerConfig) -> Result<PeerSettings, PeersError> {
    let base_url = Url::parse(&row.base_url)
        .map_err(|_| PeersError::Address { origin: row.origin.clone(), name: row.name.clone() })?;
    let limits = GuardLimits {
        read: row.read_timeout,
        redeem: row.redeem_timeout,
        bulk: row.bulk_timeout,
        ..GuardLimits::default()
    };
    Ok(PeerSettings {
        name: row.name.clone(),
        kind: row.kind.clone(),
        base_url,
        user: row.user.clone(),
        secret: row.secret.clone(),
        webhook_secrets: row.webhook_secrets.clone(),
        quota_per_minute: row.quota_per_minute,
        limits,
        mapping: row.mapping.clone(),
    })
}
