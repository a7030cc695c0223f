//! Every redemption peer by its name.

use super::{Guarded, Peer as _};
use std::collections::BTreeMap;
use std::sync::Arc;

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
