//! Typed numbers and names of things, so that no two kinds can be mixed up.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;

pub use crate::domain::keyring::Subject;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u32);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number! {
    /// A campaign's number; 32 bits, because a coupon link's token carries it.
    CampaignId
}
number! {
    /// A short code or number of ours.
    SenderId
}
number! {
    /// Where a call to action stood; 0 is "nowhere said".
    PlacementId
}
number! {
    /// An affiliate partner's number.
    PartnerId
}
number! {
    /// A creator's number.
    CreatorId
}
number! {
    /// A cap's number, stable over the versions of its campaign.
    CapId
}

impl PlacementId {
    /// No placement was named.
    pub const NONE: Self = Self(0);
}

/// One code's place: campaign, pool, position. The ledger stores this, never the code's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Spot {
    /// The campaign.
    pub campaign: CampaignId,
    /// The pool's number in its campaign.
    pub pool: u16,
    /// The code's number in its pool, from 0, below 2^48.
    pub position: u64,
}

/// The name of an allocation: the draw of the act that made it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AllocationId(pub [u8; 16]);

impl AllocationId {
    /// `al_` and 32 hexadecimal digits, as answers and paths name it.
    #[must_use]
    pub fn text(self) -> String {
        format!("al_{:032x}", u128::from_be_bytes(self.0))
    }

    /// Reads [`AllocationId::text`] back.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let hex = text.strip_prefix("al_").filter(|hex| hex.len() == 32)?;
        u128::from_str_radix(hex, 16).ok().map(|number| Self(number.to_be_bytes()))
    }
}

impl fmt::Debug for AllocationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

/// The door and the key of one thing asked: the identity of a request, for ever.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId {
    /// `sms-12345`, `till-k3`, `engine`: lower case letters, digits and `-`; never a dot.
    pub door: String,
    /// What the caller named it: a carrier's message id or an Idempotency-Key.
    pub key: String,
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "dec_{}.{}", self.door, self.key)
    }
}

impl RequestId {
    /// The request that a text makes: to the sender of this address, under the name that its carrier gave the text.
    #[must_use]
    pub fn of_text(address: &str, message_id: &str) -> Self {
        Self { door: format!("sms-{}", address.trim_start_matches('+')), key: message_id.to_owned() }
    }

    /// Reads `dec_DOOR.KEY` back; `None` when it is not of that form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (door, key) = text.strip_prefix("dec_")?.split_once('.')?;
        Some(Self { door: door.to_owned(), key: key.to_owned() })
    }
}

/// Milliseconds since 1970 UTC, the form in which both databases keep a time (ADR 0007).
#[must_use]
pub fn millis(at: DateTime<Utc>) -> i64 {
    at.timestamp_millis()
}

/// The time of so many milliseconds since 1970 UTC; the nearest end of time where that is beyond it.
#[must_use]
pub fn from_millis(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms).unwrap_or(if ms < 0 {
        DateTime::<Utc>::MIN_UTC
    } else {
        DateTime::<Utc>::MAX_UTC
    })
}
