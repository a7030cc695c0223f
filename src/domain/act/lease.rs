//! A partner's pull of many codes, and what becomes of it.

use crate::domain::campaign::Attribution;
use crate::domain::ids::{AllocationId, CampaignId};
use chrono::{DateTime, Duration, Utc};

/// A pull of codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pull {
    /// How many.
    pub count: u64,
    /// Whether fewer will do.
    pub mode: PullMode,
    /// How long it may be streamed and acknowledged.
    pub lease: Duration,
    /// Whose.
    pub from: Attribution,
}

/// Whether fewer codes than asked for will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullMode {
    /// All of them, or none.
    AllOrNothing,
    /// As many as caps and stock allow.
    Partial,
}

impl PullMode {
    /// The word that JSON uses.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::AllOrNothing => "all_or_nothing",
            Self::Partial => "partial",
        }
    }

    /// Reads [`PullMode::word`] back.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::AllOrNothing, Self::Partial].into_iter().find(|mode| mode.word() == word)
    }
}

/// What of a pull never changes: read before its lock is taken, so that its counters can be locked too.
#[derive(Debug, Clone, PartialEq)]
pub struct Lease {
    /// Its name.
    pub id: AllocationId,
    /// Of which campaign.
    pub campaign: CampaignId,
    /// Of which of its pools.
    pub pool_no: u16,
    /// Whose merit, and whose caps it counts in.
    pub from: Attribution,
    /// When it was counted.
    pub allocated_at: DateTime<Utc>,
}

/// What becomes of a pull.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaseStep {
    /// The partner has so many codes: all that were streamed.
    Acknowledged(u64),
    /// What was not streamed goes back to stock.
    Returned,
    /// The partner says that nobody saw these positions; they are taken back, and why.
    Withdrawn(Vec<u64>, String),
    /// Its time is over: what was not streamed goes back to stock, what was is taken back.
    Expired,
}
