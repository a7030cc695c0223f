//! Who else speaks for a campaign: creators with their words, limits and terms, and links that lead to its page.

use super::meaning::{LocalTimeError, earliest, latest};
use super::values::{IsoDuration, LocalTime, Major};
use super::{CampaignDoc, CapSpec, Over};
use crate::domain::cap::Unit;
use crate::domain::creator::{Commission, CreatorTerms, Rate, WhenEmpty};
use crate::domain::ids::CreatorId;
use crate::domain::keyword::Keyword;
use crate::domain::window::Window;
use chrono::Duration;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How long what a redemption earned can be taken back unless the document says otherwise.
const HOLD: Duration = Duration::days(30);

/// A creator's part in a campaign: `[campaign.creators.emma]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreatorDoc {
    /// The most codes that are her merit, for ever.
    pub cap: u64,
    /// The most a local day.
    #[serde(default, alias = "daily", skip_serializing_if = "Option::is_none")]
    pub day: Option<u64>,
    /// How many codes begin with her name; as many as `cap` where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// What follows when those are gone.
    #[serde(default)]
    pub when_empty: WhenEmpty,
    /// Her word; her handle where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyword: Option<Keyword>,
    /// Words for posts of hers: `EMMA7 = "reel7"`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub posts: BTreeMap<Keyword, String>,
    /// The last part of her link; her handle where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// She speaks for it from here on, local time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<LocalTime>,
    /// She speaks for it before this, local time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<LocalTime>,
    /// What a redemption earns her; nothing where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commission: Option<CommissionDoc>,
}

/// What a redemption earns a creator: `{ percent = 10 }` or `{ flat = 100 }`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommissionDoc {
    /// Per cent of the sale, at most two decimals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<Major>,
    /// The same for every redemption, minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flat: Option<u32>,
    /// How long it can be taken back; thirty days where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<IsoDuration>,
}

impl CommissionDoc {
    /// The terms; `None` unless exactly one rate is given, of at most 100 per cent and two decimals.
    #[must_use]
    pub fn terms(&self) -> Option<Commission> {
        let rate = match (&self.percent, self.flat) {
            (Some(percent), None) => {
                let basis_points = u32::try_from(percent.minor(2)?).ok().filter(|points| *points <= 10_000)?;
                Rate::Percent { basis_points }
            }
            (None, Some(minor)) => Rate::Flat { minor: i64::from(minor) },
            (Some(_), Some(_)) | (None, None) => return None,
        };
        Some(Commission { rate, hold: self.hold.as_ref().map_or(HOLD, IsoDuration::duration) })
    }
}

impl CreatorDoc {
    /// A part with a cap and nothing else said.
    #[must_use]
    pub fn with_cap(cap: u64) -> Self {
        Self {
            cap,
            day: None,
            size: None,
            when_empty: WhenEmpty::default(),
            keyword: None,
            posts: BTreeMap::new(),
            link: None,
            start: None,
            end: None,
            commission: None,
        }
    }

    /// How many codes begin with her name.
    #[must_use]
    pub fn codes(&self) -> u64 {
        self.size.unwrap_or(self.cap)
    }

    /// Her word: the one given, else her handle in capitals; `None` when that is no word.
    #[must_use]
    pub fn word(&self, handle: &str) -> Option<Keyword> {
        self.keyword.clone().or_else(|| Keyword::parse(&handle.to_ascii_uppercase()).ok())
    }

    /// The last part of her link.
    #[must_use]
    pub fn slug<'a>(&'a self, handle: &'a str) -> &'a str {
        self.link.as_deref().unwrap_or(handle)
    }
}

impl CampaignDoc {
    /// Every word of creators, with the handle it belongs to and the post it stands in.
    #[must_use]
    pub fn creator_words(&self) -> Vec<(Keyword, &str, Option<&str>)> {
        let mut words = Vec::new();
        for (handle, creator) in &self.creators {
            words.extend(creator.word(handle).map(|word| (word, handle.as_str(), None)));
            words.extend(creator.posts.iter().map(|(word, post)| (word.clone(), handle.as_str(), Some(post.as_str()))));
        }
        words
    }

    /// Every cap: the campaign's own, then its creators'.
    #[must_use]
    pub fn all_caps(&self) -> Vec<CapSpec> {
        let mut specs = self.caps.specs(self.offer.currency);
        for (handle, creator) in &self.creators {
            let windows = [(Window::Lifetime, Some(creator.cap)), (Window::Day, creator.day)];
            specs.extend(windows.into_iter().filter_map(|(window, cap)| {
                let cap = Some(i64::try_from(cap?).unwrap_or(i64::MAX));
                Some(CapSpec { over: Over::Creator(handle.clone()), unit: Unit::Count, window, cap })
            }));
        }
        specs
    }

    /// What the engine decides by for one of its creators; `None` when the document has no such handle.
    ///
    /// # Errors
    /// [`LocalTimeError`].
    pub fn creator_terms(&self, handle: &str, id: CreatorId) -> Result<Option<CreatorTerms>, LocalTimeError> {
        let Some(doc) = self.creators.get(handle) else {
            return Ok(None);
        };
        Ok(Some(CreatorTerms {
            id,
            starts_at: doc.start.map(|time| earliest(time, self.zone)).transpose()?,
            ends_at: doc.end.map(|time| latest(time, self.zone)).transpose()?,
            when_empty: doc.when_empty,
            commission: doc.commission.as_ref().and_then(CommissionDoc::terms),
        }))
    }
}
