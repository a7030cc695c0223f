//! Everything that is configured, as one immutable picture with a version.

use crate::domain::campaign::{Attribution, Campaign};
use crate::domain::cap::{Cap, Scope};
use crate::domain::ids::{CampaignId, SenderId};
use chrono::Duration;
use std::collections::HashMap;
use std::sync::Arc;

/// One picture of the configuration; every apply, pause and end makes a new one.
#[derive(Debug, Clone)]
pub struct Catalog {
    /// Raised by every change; a batch planned with another one starts again.
    pub version: i64,
    /// Every campaign, ended ones too.
    pub campaigns: HashMap<CampaignId, Arc<Campaign>>,
    /// Caps that count over all campaigns.
    pub caps_across: Vec<Cap>,
    /// Our numbers.
    pub senders: HashMap<SenderId, SenderRow>,
    /// How often a person is answered.
    pub limits: Limits,
}

/// A short code or number of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderRow {
    /// Its number in the tables.
    pub id: SenderId,
    /// What people text.
    pub address: String,
    /// Whose name stands in its texts, and whose opt-out list it obeys.
    pub brand: String,
}

/// How often a person is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Answers an hour to the same word.
    pub asks_per_hour: usize,
    /// The same answer goes out once in this time.
    pub same_answer: Duration,
    /// Replies in 24 hours, first issuances, STOP, HELP and START apart.
    pub replies_per_day: usize,
}

/// What a text asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// No more messages; how it was said.
    OptOut(&'static str),
    /// Messages again.
    OptIn,
    /// Help.
    Help,
    /// Her codes.
    MyCodes,
    /// A code of this campaign; `read` is what she typed where it was a near miss.
    Keyword {
        /// The campaign.
        campaign: CampaignId,
        /// Where the keyword belongs.
        from: Attribution,
        /// The word as typed.
        read: Option<String>,
    },
    /// A word we do not know.
    Unknown,
    /// Nothing to answer: a reaction, an empty text.
    Nothing,
}

impl Catalog {
    /// What a text to that number asks for.
    #[must_use]
    pub fn hear(&self, _sender: SenderId, _text: &str) -> Heard {
        Heard::Unknown
    }

    /// Every cap with a counter that a request may charge: the campaign's own and those across campaigns.
    pub fn counted<'a>(
        &'a self,
        campaign: &'a Campaign,
        from: &'a Attribution,
    ) -> impl Iterator<Item = &'a Cap> {
        campaign
            .caps
            .iter()
            .chain(&self.caps_across)
            .filter(|cap| cap.scope != Scope::Person && cap.scope.holds(from))
    }
}
