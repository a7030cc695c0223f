//! A partner's feed, as it reads it and as it is sent: events rendered from rows that never change, and the word that
//! there are new ones.

use super::{Engine, EngineError};
use crate::domain::code::Code;
use crate::domain::feed::{Codes, Cursor, FeedEvent, FeedRow, event_id};
use crate::domain::ids::{PartnerId, Spot};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use tokio::sync::Notify;

/// The most events of one page.
pub const FEED_PAGE: u32 = 500;

/// A page of a feed.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedPage {
    /// The events, the oldest first.
    pub events: Vec<FeedEvent>,
    /// Where the next page begins.
    pub next: Cursor,
    /// Whether there was more already.
    pub has_more: bool,
}

/// Whose feeds this process has written to since somebody looked.
#[derive(Debug, Default)]
pub(super) struct FeedNews {
    partners: Mutex<BTreeSet<PartnerId>>,
    news: Notify,
}

impl FeedNews {
    /// Says that these feeds have new events, after their commit.
    pub(super) fn written(&self, partners: impl IntoIterator<Item = PartnerId>) {
        let mut known = self.partners.lock().unwrap_or_else(PoisonError::into_inner);
        let before = known.len();
        known.extend(partners);
        if known.len() > before {
            self.news.notify_one();
        }
    }
}

impl Engine {
    /// Says that these feeds have new events, after their commit: whoever sends them looks at once.
    pub fn feed_written(&self, partners: impl IntoIterator<Item = PartnerId>) {
        self.shared.feed.written(partners);
    }

    /// Waits until this process has written to a feed; answers with whose. For the one who sends.
    pub async fn feed_news(&self) -> BTreeSet<PartnerId> {
        loop {
            let heard = self.shared.feed.news.notified();
            let partners =
                std::mem::take(&mut *self.shared.feed.partners.lock().unwrap_or_else(PoisonError::into_inner));
            if !partners.is_empty() {
                return partners;
            }
            heard.await;
        }
    }

    /// A partner's events after a cursor, at most `limit` and [`FEED_PAGE`].
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn feed(&self, partner: PartnerId, after: Cursor, limit: u32) -> Result<FeedPage, EngineError> {
        let limit = limit.clamp(1, FEED_PAGE);
        let mut rows = self.parts().store.feed_after(partner, after.0, limit + 1).await?;
        let has_more = rows.len() > usize::try_from(limit).unwrap_or(usize::MAX);
        if has_more {
            rows.pop();
        }
        let next = rows.last().map_or(after, |row| Cursor(row.no));
        let events = rows.iter().map(|row| self.feed_event(row, Codes::Ending)).collect();
        Ok(FeedPage { events, next, has_more })
    }

    /// An event as partners read it.
    #[must_use]
    pub fn feed_event(&self, row: &FeedRow, codes: Codes) -> FeedEvent {
        let mut data = row.data.clone();
        let catalog = self.catalog();
        if let Some(campaign) = row.campaign.and_then(|id| catalog.campaigns.get(&id)) {
            data.insert("campaign".to_owned(), campaign.name.clone().into());
        }
        if let Some(spot) = row.spot {
            let id = self.parts().keys.issuance_ids().seal(spot);
            data.insert("issuance".to_owned(), id.expose().into());
            if let Some(code) = self.shown_code(spot, row.code.as_deref()) {
                match codes {
                    Codes::Ending => data.insert("code_ending".to_owned(), code.ending().into()),
                    Codes::Full => data.insert("code".to_owned(), code.expose().into()),
                };
            }
        }
        if let Some(sub_id) = &row.sub_id {
            data.insert("sub_id".to_owned(), sub_id.as_str().into());
        }
        echo(&mut data, &row.note);
        FeedEvent { id: event_id(&row.client, row.no), kind: row.kind.word(), timestamp: row.happened_at, data }
    }

    fn shown_code(&self, spot: Spot, stored: Option<&str>) -> Option<Code> {
        let catalog = self.catalog();
        let pool = catalog.code_pools.iter().find(|pool| pool.campaign == spot.campaign && pool.pool_no == spot.pool);
        match pool.and_then(|pool| pool.derived.as_ref()) {
            Some(derived) => derived.code_at(spot.position),
            None => Code::parse(stored?).ok(),
        }
    }
}

/// What a partner wanted echoed, as it gave it.
fn echo(data: &mut Map<String, Value>, note: &Map<String, Value>) {
    for name in ["click_id", "publisher_id", "metadata"] {
        if let Some(value) = note.get(name) {
            data.insert(name.to_owned(), value.clone());
        }
    }
}
