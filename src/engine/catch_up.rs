//! Texts that came while we were away: known by a mark that each number's watcher moves along.

use super::{Engine, EngineError};
use crate::domain::ids::{RequestId, SenderId};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, HashSet};
use std::sync::PoisonError;

impl Engine {
    /// Until when the texts to that number are known to have come in.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn seen_until(&self, sender: SenderId) -> Result<Option<DateTime<Utc>>, EngineError> {
        Ok(self.parts().store.seen_until(sender).await?)
    }

    /// Says that every text to that number until then has come in.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn note_seen(&self, sender: SenderId, until: DateTime<Utc>) -> Result<(), EngineError> {
        Ok(self.parts().store.note_seen(sender, until).await?)
    }

    /// Of those texts to an address, by their carrier's names, the ones that were settled.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn settled_texts(&self, address: &str, names: &[&str]) -> Result<HashSet<String>, EngineError> {
        let asked: Vec<_> = names.iter().map(|name| RequestId::of_text(address, name)).collect();
        let found = self.parts().store.request_records(&asked).await?;
        Ok(found.into_keys().map(|request| request.key).collect())
    }

    /// Remembers that a webhook of that number got no 2xx: not every carrier sends it again.
    pub fn refused_webhook(&self, sender: SenderId) {
        let now = self.now();
        let mut missed = self.shared.missed.lock().unwrap_or_else(PoisonError::into_inner);
        missed.entry(sender).or_insert(now);
    }

    /// The numbers with refused webhooks and when the first one was; they are forgotten here.
    #[must_use]
    pub fn take_refused(&self) -> BTreeMap<SenderId, DateTime<Utc>> {
        std::mem::take(&mut *self.shared.missed.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
