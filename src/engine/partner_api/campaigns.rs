//! The campaigns that a partner may give codes of, with what it has left.

use super::cap_words;
use crate::domain::campaign::{Campaign, Status};
use crate::domain::cap::Cap;
use crate::engine::{Engine, EngineError, Partner};
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// Whether a campaign gives codes now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// It does.
    Live,
    /// It will.
    NotStarted,
    /// Not now.
    Paused,
    /// No more.
    Ended,
}

impl Opening {
    /// The word that JSON uses.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::NotStarted => "not_started",
            Self::Paused => "paused",
            Self::Ended => "ended",
        }
    }
}

/// A cap of the partner's own, as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapView {
    /// `partner_day`.
    pub cap: String,
    /// The most.
    pub limit: i64,
    /// How much of it is used.
    pub used: i64,
    /// When it opens again.
    pub resets_at: Option<DateTime<Utc>>,
}

/// A campaign as a partner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CampaignView {
    /// The campaign.
    pub campaign: Arc<Campaign>,
    /// Whether it gives codes now.
    pub opening: Opening,
    /// The partner's caps.
    pub caps: Vec<CapView>,
    /// Codes that the partner can get: nobody's, and without a creator's name.
    pub stock: u64,
}

impl Engine {
    /// What a partner may give codes of, in the order of the names.
    ///
    /// # Errors
    /// What the database says.
    pub async fn campaigns_of_partner(&self, by: &Partner) -> Result<Vec<CampaignView>, EngineError> {
        let Some(terms) = self.partner_terms(by.id()).await? else {
            return Ok(Vec::new());
        };
        let (catalog, now) = (self.fresh_catalog().await?, self.parts().clock.now());
        let used = self.partner_used(&terms).await?;
        let stock = crate::store::counts::house_stock(&self.parts().store).await?;
        let view = |campaign: &Arc<Campaign>| {
            let counts = |cap: &Cap| used.iter().find(|(one, _)| one.id == cap.id).map_or(0, |(_, used)| *used);
            let caps = terms.caps(campaign.id).map(|cap| CapView {
                cap: cap_words(cap),
                limit: cap.cap,
                used: counts(cap),
                resets_at: cap.window.next_start(now, cap.zone),
            });
            CampaignView {
                campaign: Arc::clone(campaign),
                opening: opening(campaign, now),
                caps: caps.collect(),
                stock: stock.get(&campaign.id).copied().unwrap_or(0),
            }
        };
        let granted = terms.grants.keys().filter_map(|id| catalog.campaigns.get(id));
        let mut views: Vec<_> = granted.map(view).collect();
        views.sort_by(|one, other| one.campaign.name.cmp(&other.campaign.name));
        Ok(views)
    }
}

fn opening(campaign: &Campaign, now: DateTime<Utc>) -> Opening {
    let is_over = campaign.ends_at.is_some_and(|ends| ends <= now);
    match campaign.status {
        Status::Ended => Opening::Ended,
        Status::Live | Status::Paused if is_over => Opening::Ended,
        Status::Paused => Opening::Paused,
        Status::Live if campaign.starts_at.is_some_and(|starts| starts > now) => Opening::NotStarted,
        Status::Live => Opening::Live,
    }
}
