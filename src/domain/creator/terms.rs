//! A creator's part in a campaign, as the engine decides by it.

use super::Commission;
use crate::domain::ids::CreatorId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A creator's part in a campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatorTerms {
    /// Who.
    pub id: CreatorId,
    /// She speaks for it from here on.
    pub starts_at: Option<DateTime<Utc>>,
    /// She speaks for it before this.
    pub ends_at: Option<DateTime<Utc>>,
    /// What follows when the codes with her name are gone.
    pub when_empty: WhenEmpty,
    /// What a redemption earns her.
    pub commission: Option<Commission>,
}

/// What follows when the codes with a creator's name are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenEmpty {
    /// Codes of the house, which stay her merit.
    #[default]
    HousePool,
    /// Nothing: her followers hear that it is sold out.
    SoldOut,
}
