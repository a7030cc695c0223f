//! Codes that lie with a partner instead of a person.

use super::Range;
use crate::domain::ids::{AllocationId, CampaignId, PartnerId, Subject};
use chrono::{DateTime, Utc};

/// Whose a code is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Whose {
    /// A person's.
    Person(Subject),
    /// It lies with a partner, who pulled it.
    Pull(AllocationId),
}

impl Whose {
    /// The person, where it is one's.
    #[must_use]
    pub fn person(self) -> Option<Subject> {
        match self {
            Self::Person(subject) => Some(subject),
            Self::Pull(_) => None,
        }
    }
}

/// A partner's pull, as its locked row says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulled {
    /// Whose.
    pub partner: PartnerId,
    /// Of which campaign and pool.
    pub pool: (CampaignId, u16),
    /// What one of its codes adds to a cap in money.
    pub weight: i64,
    /// How many codes were pulled.
    pub count: u64,
    /// How many were streamed.
    pub exposed: u64,
    /// How many went back to stock.
    pub restocked: u64,
    /// Of those that were streamed, how many are redeemed; read only where its time may end.
    pub used: u64,
    /// Until when it may be streamed and acknowledged.
    pub lease_until: DateTime<Utc>,
    /// The partner has its codes.
    pub is_acked: bool,
    /// Its time was over before that.
    pub is_ended: bool,
    /// What was not streamed yet; read only where its time may end.
    pub left: Vec<Range>,
}
