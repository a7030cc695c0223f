//! A promise without a position: somebody asked, everything allowed it, and no verified code was there yet.
//!
//! It counts in every cap and against stock from the moment it is made; fulfilling it charges nothing again.

use crate::domain::campaign::Attribution;
use crate::domain::ids::{CampaignId, Spot};
use chrono::{DateTime, Utc};

/// The name of a hold: the draw of the act that made it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HoldId(pub [u8; 16]);

impl HoldId {
    /// In hexadecimal, as request keys and records name it.
    #[must_use]
    pub fn hex(self) -> String {
        format!("{:032x}", u128::from_be_bytes(self.0))
    }

    /// Reads [`HoldId::hex`] back.
    #[must_use]
    pub fn parse(hex: &str) -> Option<Self> {
        let number = u128::from_str_radix(hex, 16).ok().filter(|_| hex.len() == 32)?;
        Some(Self(number.to_be_bytes()))
    }
}

impl std::fmt::Debug for HoldId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HoldId({})", self.hex())
    }
}

/// An open promise.
#[derive(Debug, Clone, PartialEq)]
pub struct Hold {
    /// Its name.
    pub id: HoldId,
    /// Of which campaign.
    pub campaign: CampaignId,
    /// The pool whose stock it counts against.
    pub pool_no: u16,
    /// In which epoch of her number.
    pub epoch: u32,
    /// Her how-manieth code of the campaign it will be.
    pub seq: u32,
    /// The promise.
    pub offer_no: u16,
    /// The campaign's version it was made under.
    pub version: u32,
    /// What it adds to a cap in money.
    pub weight: i64,
    /// Whose merit.
    pub from: Attribution,
    /// When it was made, and counted.
    pub held_at: DateTime<Utc>,
    /// She said STOP since: nothing is sent until she asks again.
    pub is_muted: bool,
    /// She was told that it takes longer.
    pub late_at: Option<DateTime<Utc>>,
}

/// What becomes of a hold in a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldStep {
    /// It got its code.
    Fulfilled(Spot, DateTime<Utc>),
    /// Its person is another one by now, or its campaign is over: it goes back to stock.
    Lapsed(DateTime<Utc>),
    /// She was told that it takes longer.
    Late(DateTime<Utc>),
    /// She said STOP.
    Muted,
    /// She asked again.
    Unmuted,
}

#[cfg(test)]
mod tests {
    use super::HoldId;

    #[test]
    fn a_name_is_read_back_from_its_hexadecimal() {
        let id = HoldId([0xA7; 16]);
        assert_eq!(HoldId::parse(&id.hex()), Some(id));
        assert_eq!(HoldId::parse("a7"), None);
        assert_eq!(HoldId::parse(&"g".repeat(32)), None);
    }
}
