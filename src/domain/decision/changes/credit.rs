//! What a batch writes of partners and creators: what they hear, what they are credited with, what partners pulled.

use crate::domain::campaign::Attribution;
use crate::domain::ids::{AllocationId, CampaignId, PartnerId, PlacementId, Spot};
use crate::domain::world::Range;
use chrono::{DateTime, Utc};

/// Whose merit the code of a repeat is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Assists {
    /// Not of the partner who asked.
    pub partner: bool,
    /// Not of the creator whose word it was.
    pub creator: bool,
    /// She asked by her own word: nobody's merit.
    pub own: bool,
}

/// A row of `feed`.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedRow {
    /// Who hears of it.
    pub partner: PartnerId,
    /// Its number there.
    pub event_no: i64,
    /// `issued`, `redeemed`, …
    pub kind: &'static str,
    /// When.
    pub at: DateTime<Utc>,
    /// The campaign.
    pub campaign: CampaignId,
    /// The code, where it is about one.
    pub spot: Option<Spot>,
    /// What else there is to say, a JSON object.
    pub data: String,
}

/// The key of `rollup_credit`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CreditKey {
    /// `creator` or `partner`.
    pub kind: &'static str,
    /// Its number.
    pub id: u32,
    /// The campaign.
    pub campaign: u32,
    /// Quarter hours since 1970 UTC.
    pub quarter: i64,
    /// The placement.
    pub placement: PlacementId,
    /// The place as the partner or link calls it; empty is none.
    pub sub_id: String,
    /// The outcome, as in `ChannelKey`; a repeat of a code that is another's merit is `assist`, and what
    /// a creator asked by her own word is `self`.
    pub outcome: String,
}

/// A row of `allocation`, with its ranges.
#[derive(Debug, Clone, PartialEq)]
pub struct NewPull {
    /// Its name.
    pub id: AllocationId,
    /// Whose merit.
    pub from: Attribution,
    /// Of which campaign and version.
    pub campaign: (CampaignId, u32),
    /// The pool.
    pub pool_no: u16,
    /// The promise.
    pub offer_no: u16,
    /// What one code adds to a cap in money.
    pub weight: i64,
    /// How many.
    pub count: u64,
    /// When.
    pub at: DateTime<Utc>,
    /// When its codes end.
    pub expires_at: Option<DateTime<Utc>>,
    /// Until when it may be streamed and acknowledged.
    pub lease_until: DateTime<Utc>,
    /// Which positions.
    pub ranges: Vec<Range>,
}

/// What becomes of one pull in a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PullChange {
    /// So many more went back to stock.
    pub restocked: u64,
    /// So many more were given back to the caps.
    pub given_back: u64,
    /// Nothing of it can be streamed any more.
    pub closes: bool,
    /// The partner has its codes.
    pub acked_at: Option<DateTime<Utc>>,
    /// Its time was over.
    pub ended_at: Option<DateTime<Utc>>,
}
