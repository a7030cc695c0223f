//! Every redemption peer by its name, made of its row of the configuration.

use super::http::{BadMapping, HttpPeer};
use super::voucherify::Voucherify;
use super::wire::Wire;
use super::{GuardLimits, Guarded, Machine, Peer, Surroundings};
use crate::domain::secret::Secret;
use crate::net::{ClientError, Url};
use std::collections::BTreeMap;
use std::sync::Arc;
use thiserror::Error;

/// The kind of [`HttpPeer`].
pub(super) const HTTP: &str = "http";

/// The kind of [`Voucherify`].
pub(super) const VOUCHERIFY: &str = "voucherify";

/// One peer as the configuration has it.
#[derive(Debug, Clone)]
pub struct PeerSettings {
    /// Its name in campaigns and in the address of its webhook.
    pub name: String,
    /// Which adapter.
    pub kind: String,
    /// Where it is.
    pub base_url: Url,
    /// Our account there, where it has one.
    pub user: Option<String>,
    /// Our key there.
    pub secret: Option<Secret<String>>,
    /// What its webhooks are signed with: the current secret and, while it is being changed, the one before.
    pub webhook_secrets: Vec<Secret<String>>,
    /// Calls a minute that our account may make.
    pub quota_per_minute: Option<u32>,
    /// How its guard treats it.
    pub limits: GuardLimits,
    /// A mapping over the contract, or an adapter's own options, as TOML.
    pub mapping: Option<String>,
}

/// Why a peer cannot be had.
#[derive(Debug, Error)]
pub enum RegistryError {
    /// No adapter of that kind.
    #[error("peer {name}: there is no kind {kind:?}; there are {}", KINDS.join(", "))]
    Kind {
        /// The peer.
        name: String,
        /// What its row says.
        kind: String,
    },
    /// Its mapping.
    #[error("peer {name}")]
    Mapping {
        /// The peer.
        name: String,
        /// What is wrong with it.
        #[source]
        source: BadMapping,
    },
    /// It needs something its row does not have.
    #[error("peer {name}: {missing} is missing")]
    Missing {
        /// The peer.
        name: String,
        /// The key of its row.
        missing: &'static str,
    },
    /// The system has no usable certificate store.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// The kinds there are.
pub const KINDS: [&str; 2] = [HTTP, VOUCHERIFY];

/// The peers of this process, each behind its guard.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    peers: BTreeMap<String, Arc<Guarded>>,
}

impl Registry {
    /// The peers given; of two with one name the later stands.
    #[must_use]
    pub fn new(peers: impl IntoIterator<Item = Guarded>) -> Self {
        let named = peers.into_iter().map(|peer| (peer.name().to_owned(), Arc::new(peer)));
        Self { peers: named.collect() }
    }

    /// The peers of the configuration.
    ///
    /// # Errors
    /// [`RegistryError`] for the first that cannot be had.
    pub fn build(settings: &[PeerSettings]) -> Result<Self, RegistryError> {
        let surroundings: Arc<dyn Surroundings> = Arc::new(Machine::new());
        let guarded = settings.iter().map(|peer| {
            let adapter = adapter(peer, &surroundings)?;
            Ok(Guarded::with(adapter, peer.limits, Arc::clone(&surroundings)))
        });
        Ok(Self::new(guarded.collect::<Result<Vec<_>, RegistryError>>()?))
    }

    /// The peer of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<Guarded>> {
        self.peers.get(name)
    }

    /// Every peer, by name.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Guarded>> {
        self.peers.values()
    }

    /// The names, for messages that say what there is.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.peers.keys().map(String::as_str)
    }
}

/// The adapter of a kind: one line each.
///
/// # Errors
/// [`RegistryError`].
pub fn adapter(settings: &PeerSettings, surroundings: &Arc<dyn Surroundings>) -> Result<Arc<dyn Peer>, RegistryError> {
    let wire = Wire::new()?;
    let mapped = |source| RegistryError::Mapping { name: settings.name.clone(), source };
    match settings.kind.as_str() {
        HTTP => Ok(Arc::new(HttpPeer::new(settings, wire, Arc::clone(surroundings)).map_err(mapped)?)),
        VOUCHERIFY => {
            let missing = |missing| RegistryError::Missing { name: settings.name.clone(), missing };
            let app_id = settings.user.clone().ok_or_else(|| missing("user"))?;
            let token = settings.secret.clone().ok_or_else(|| missing("secret"))?;
            let downloads = Wire::for_exports()?;
            Ok(Arc::new(Voucherify::new(settings, (app_id, token), wire, downloads).map_err(mapped)?))
        }
        kind => Err(RegistryError::Kind { name: settings.name.clone(), kind: kind.to_owned() }),
    }
}
