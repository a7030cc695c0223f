//! What people write: senders, campaigns and caps as TOML, and the same as JSON in `campaign_version`.
//!
//! Reading is strict: an unknown key names the nearest one, a wrong value names its line. What a campaign means to the
//! engine is worked out in [`meaning`](self::CampaignDoc::starts_at).

mod caps;
mod creators;
mod meaning;
mod read;
#[cfg(test)]
mod tests;
mod values;

pub use caps::{AcrossScope, CapDoc, CapSpec, CapsDoc, MoneyCaps, Over, PersonCaps, Rolling, Total, WindowCaps};
pub use creators::{CommissionDoc, CreatorDoc};
pub use meaning::{LocalTimeError, OfferRecord};
pub use read::{Document, DocumentError, Located};
pub use values::{Country, IsoDuration, LocalTime, Major, PatternText, Zone};

use crate::domain::campaign::{PartnerPolicy, PoolKind, Repeat, Unverified};
use crate::domain::catalog::OptOutBy;
use crate::domain::keyword::Keyword;
use crate::domain::money::Currency;
use crate::domain::reply::ReplyId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A short code or number of ours: `[[sender]]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SenderDoc {
    /// What people text.
    pub address: String,
    /// Which carrier serves it.
    #[serde(default = "simulator")]
    pub carrier: String,
    /// Whose name stands in its texts, and whose opt-out list it obeys.
    pub brand: String,
    /// Where help is, in words: `acme.example/help or 800-555-0199`.
    pub help: String,
    /// Who answers STOP, START and HELP: `app` (we do), `provider` (the carrier does) or `both` (both keep lists, we
    /// answer).
    #[serde(default, skip_serializing_if = "is_default")]
    pub opt_out_handled_by: OptOutBy,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_default(by: &OptOutBy) -> bool {
    *by == OptOutBy::default()
}

fn simulator() -> String {
    "simulator".to_owned()
}

/// A campaign: `[[campaign]]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CampaignDoc {
    /// Its name, for ever.
    pub name: String,
    /// The zone of its dates and calendar windows.
    #[serde(default)]
    pub zone: Zone,
    /// It issues from here on, local time.
    #[serde(default)]
    pub start: Option<LocalTime>,
    /// It issues before this, local time.
    #[serde(default)]
    pub end: Option<LocalTime>,
    /// ISO 3166 alpha-2; empty is any.
    #[serde(default)]
    pub countries: Vec<Country>,
    /// The promise.
    pub offer: OfferDoc,
    /// What its codes look like and how long they are good.
    #[serde(default)]
    pub code: CodeDoc,
    /// Where its codes come from.
    pub pool: PoolDoc,
    /// The words that lead to it; none for a campaign without texts.
    #[serde(default)]
    pub keywords: Option<KeywordsDoc>,
    /// Its limits.
    #[serde(default)]
    pub caps: CapsDoc,
    /// What asking again brings.
    #[serde(default)]
    pub repeat: Repeat,
    /// Where a redemption counts.
    #[serde(default)]
    pub redemption: RedemptionDoc,
    /// How it lives with partners.
    #[serde(default, skip_serializing_if = "PartnersDoc::is_default")]
    pub partners: PartnersDoc,
    /// Creators who speak for it, by handle.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub creators: BTreeMap<String, CreatorDoc>,
    /// Links of the house that lead to its page, with the place where each stands: `poster7 = "billboard 7"`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub links: BTreeMap<String, PlacementDoc>,
    /// Replies in words of its own.
    #[serde(default)]
    pub texts: BTreeMap<ReplyId, String>,
    /// Whatever its owner wants to keep with it.
    #[serde(default)]
    pub meta: toml::Table,
}

/// What is promised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfferDoc {
    /// "$5 off"; worked out where it is not given.
    #[serde(default)]
    pub title: Option<String>,
    /// Which kind of promise.
    #[serde(rename = "type")]
    pub kind: OfferKind,
    /// Minor units for `amount_off`, per cent for `percent_off`.
    #[serde(default)]
    pub value: Option<i64>,
    /// ISO 4217.
    #[serde(default = "usd")]
    pub currency: Currency,
    /// The least sale, minor units; 0 is none.
    #[serde(default)]
    pub min_spend: i64,
    /// The most one code can cost us, minor units.
    #[serde(default)]
    pub max_discount: Option<i64>,
    /// The small print of the coupon page.
    #[serde(default)]
    pub terms: String,
}

fn usd() -> Currency {
    Currency::USD
}

/// The kinds of promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfferKind {
    /// So much money off.
    AmountOff,
    /// So many per cent off.
    PercentOff,
    /// Something for nothing.
    FreeItem,
    /// Said by its title alone.
    Other,
}

/// What codes look like and how long they are good.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CodeDoc {
    /// The pattern; none for imported codes.
    pub pattern: Option<PatternText>,
    /// How long they are good.
    pub expires: ExpiresDoc,
    /// They count from here on, local time.
    pub valid_from: Option<LocalTime>,
}

/// How long codes are good: the earliest of what is given; never-ending where nothing is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExpiresDoc {
    /// So long after they were issued.
    pub after_issue: Option<IsoDuration>,
    /// At this local time.
    pub at: Option<LocalTime>,
    /// Not longer than the campaign, where that has an end; so it is unless the document says no.
    pub cap_at_campaign_end: bool,
}

impl Default for ExpiresDoc {
    fn default() -> Self {
        Self { after_issue: None, at: None, cap_at_campaign_end: true }
    }
}

/// Where codes come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolDoc {
    /// How they are made.
    pub source: PoolSource,
    /// How many; an imported pool has as many as its file.
    #[serde(default)]
    pub size: Option<u64>,
    /// The CSV file of an imported pool, relative to the document.
    #[serde(default)]
    pub file: Option<String>,
}

/// How codes are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PoolSource {
    /// Drawn by us and stored.
    Generate,
    /// Computed from a key, not stored.
    Derive,
    /// Made elsewhere.
    Import,
}

impl PoolSource {
    /// The pool's kind.
    #[must_use]
    pub fn kind(self) -> PoolKind {
        match self {
            Self::Generate => PoolKind::Generated,
            Self::Derive => PoolKind::Derived,
            Self::Import => PoolKind::Imported,
        }
    }
}

/// The words that lead to a campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeywordsDoc {
    /// The number they are texted to; may be left out where there is one.
    #[serde(default)]
    pub sender: Option<String>,
    /// The word in the advertisement.
    pub main: Keyword,
    /// Other words for the main one.
    #[serde(default)]
    pub aliases: Vec<Keyword>,
    /// Words of their own for places of their own: `PIZZA2 = "radio"`.
    #[serde(default)]
    pub placements: BTreeMap<Keyword, PlacementDoc>,
}

/// Where a call to action stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a name or { name = \"radio\", cost = 1200.00 }")]
pub enum PlacementDoc {
    /// Its name.
    Name(String),
    /// Its name and what it costs.
    Costed(CostedPlacement),
}

/// A place and what it costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CostedPlacement {
    /// Its name.
    pub name: String,
    /// In major units of the offer's currency.
    pub cost: Major,
}

impl PlacementDoc {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Name(name) => name,
            Self::Costed(costed) => &costed.name,
        }
    }

    /// What it costs, in major units.
    #[must_use]
    pub fn cost(&self) -> Option<&Major> {
        match self {
            Self::Name(_) => None,
            Self::Costed(costed) => Some(&costed.cost),
        }
    }
}

/// Where and how a redemption counts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RedemptionDoc {
    /// Where: `"any"`, `"stores"`, `"online"` or a list of stores.
    #[serde(alias = "locations")]
    pub places: PlacesDoc,
    /// Only for the person it was issued to.
    pub holder_only: bool,
    /// A pause or an end also stops redeeming.
    pub stops_with_campaign: bool,
    /// The system that honours its codes, by its name in the configuration; none is this house itself.
    pub peer: Option<String>,
    /// What an ask gets while none of its codes is verified: `"hold"` or `"issue_unverified"`.
    pub unverified: Unverified,
    /// How long a look at a code stays good; a day where it is not given.
    pub verify_max_age: Option<IsoDuration>,
    /// How many verified codes are kept ready; 500, or what the busiest quarter of an hour of the week needs, where it is
    /// not given.
    pub ready: Option<u64>,
}

/// How a campaign lives with partners: `[campaign.partners]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PartnersDoc {
    /// What a partner hears who asks for somebody that has a code by another way: `"hide"`, that she has one, or
    /// `"show"`, the code.
    pub served_before: ServedBefore,
    /// Whether it may give back codes that it pulled and that nobody saw, by its word.
    pub returns: bool,
}

/// What a partner hears of codes that others gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServedBefore {
    /// That there is one.
    #[default]
    Hide,
    /// The code.
    Show,
}

impl Default for PartnersDoc {
    fn default() -> Self {
        Self { served_before: ServedBefore::Hide, returns: true }
    }
}

impl PartnersDoc {
    /// The policy as the engine has it.
    #[must_use]
    pub fn policy(&self) -> PartnerPolicy {
        PartnerPolicy { shows_others_codes: self.served_before == ServedBefore::Show, takes_back: self.returns }
    }

    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Where a redemption counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected \"any\", \"stores\", \"online\" or a list of stores")]
pub enum PlacesDoc {
    /// One of three words.
    Word(PlaceWord),
    /// Only in these stores.
    Only(Vec<String>),
}

impl Default for PlacesDoc {
    fn default() -> Self {
        Self::Word(PlaceWord::Any)
    }
}

/// The words for many places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlaceWord {
    /// Everywhere.
    Any,
    /// In every store.
    Stores,
    /// Online.
    Online,
}
