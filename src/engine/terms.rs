//! What partners may do, as this process read it last.

use super::Shared;
use crate::domain::act::{Act, Ask};
use crate::domain::ids::PartnerId;
use crate::domain::partner::PartnerTerms;
use crate::store::StoreError;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

impl Shared {
    /// The terms of the partners who ask in these acts, from memory where this process has read them.
    pub(super) async fn terms_of(&self, acts: &[&Act]) -> Result<BTreeMap<PartnerId, Arc<PartnerTerms>>, StoreError> {
        let mut terms = BTreeMap::new();
        for partner in asking(acts) {
            if let Some(known) = self.terms.get(&partner) {
                terms.insert(partner, known);
            } else if let Some(read) = crate::store::partners::terms(&self.parts.store, partner).await? {
                let read = Arc::new(read);
                self.terms.insert(partner, Arc::clone(&read));
                terms.insert(partner, read);
            }
        }
        Ok(terms)
    }

    /// Reads the terms of these acts' partners anew next time.
    pub(super) fn forget_terms(&self, acts: &[&Act]) {
        for partner in asking(acts) {
            self.terms.invalidate(&partner);
        }
    }
}

/// The partners whose terms these acts are judged by.
fn asking(acts: &[&Act]) -> BTreeSet<PartnerId> {
    let partner = |act: &&Act| match &act.ask {
        Ask::Issue(_, from, _) => from.partner,
        Ask::Allocate(_, pull) => pull.from.partner,
        Ask::Lease(lease, _) => lease.from.partner,
        Ask::Looked(..)
        | Ask::Prove(_)
        | Ask::Claim(_)
        | Ask::Text(_)
        | Ask::Redeem(..)
        | Ask::Rollback(..)
        | Ask::Void(..)
        | Ask::Said(..)
        | Ask::HandOver(_)
        | Ask::Fulfil(..)
        | Ask::Excuse(..)
        | Ask::Message(_)
        | Ask::Raise(_)
        | Ask::Opened(_)
        | Ask::Stray(..)
        | Ask::RunsLow(_)
        | Ask::Clear(..) => None,
    };
    acts.iter().filter_map(partner).map(|by| by.id).collect()
}
