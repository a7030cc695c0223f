//! A phone that is being proved to a page.

use crate::domain::act::ProofId;
use chrono::{DateTime, Duration, Utc};

/// Wrong digits that close a proof.
const TRIES: u32 = 5;

/// A phone that is being proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Its name.
    pub id: ProofId,
    /// The page.
    pub slug: String,
    /// What the page's address said of the post it stood in.
    pub sub_id: Option<String>,
    /// When its digits were sent.
    pub created_at: DateTime<Utc>,
    /// Until when they count, exclusive; earlier where others were sent.
    pub expires_at: DateTime<Utc>,
    /// How often other digits were given.
    pub tries: u32,
    /// When the right ones were given first.
    pub proved_at: Option<DateTime<Utc>>,
}

impl Proof {
    /// How long digits count.
    pub const LIFE: Duration = Duration::minutes(10);

    /// Whether its digits still count.
    #[must_use]
    pub fn is_open(&self, now: DateTime<Utc>) -> bool {
        now < self.expires_at && self.tries < TRIES
    }

    /// How often she may still try.
    #[must_use]
    pub fn tries_left(&self) -> u32 {
        TRIES.saturating_sub(self.tries)
    }
}
