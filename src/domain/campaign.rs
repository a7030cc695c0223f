//! What is promised, when, to whom, with which caps: a campaign as the engine decides by it.

use crate::domain::cap::Cap;
use crate::domain::creator::{CreatorTerms, WhenEmpty};
use crate::domain::ids::{CampaignId, CreatorId, PartnerId, PlacementId, SenderId};
use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// Whether a campaign issues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It issues between its dates.
    Live,
    /// Held by a person; codes already out stay good.
    Paused,
    /// Over for ever; its unissued codes are retired.
    Ended,
}

impl Status {
    /// The word that tables and JSON use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Paused => "paused",
            Self::Ended => "ended",
        }
    }

    /// Reads [`Status::word`] back.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Live, Self::Paused, Self::Ended].into_iter().find(|status| status.word() == word)
    }
}

/// What a further request gets while the newest code is in some state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Again {
    /// The answer about the code she has.
    SameCode,
    /// A new code while every cap allows it.
    NextWithinCaps,
}

/// The repeat policy, by the state of her newest code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Repeat {
    /// Not used yet.
    pub unused: Again,
    /// Used.
    pub redeemed: Again,
    /// Past its date.
    pub expired: Again,
    /// Taken back by the house.
    pub void: Again,
}

impl Default for Repeat {
    fn default() -> Self {
        Self { unused: Again::SameCode, redeemed: Again::SameCode, expired: Again::SameCode, void: Again::SameCode }
    }
}

/// How long a code stays good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Expiry {
    /// So long after it was issued.
    pub after: Option<Duration>,
    /// At this instant.
    pub at: Option<DateTime<Utc>>,
}

impl Expiry {
    /// When a code issued at `now` ends: the earlier of both, `None` when neither is set.
    #[must_use]
    pub fn of(self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let relative = self.after.and_then(|life| now.checked_add_signed(life));
        match (relative, self.at) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (one, other) => one.or(other),
        }
    }
}

/// Where a redemption counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Places {
    /// In every store and online.
    Any,
    /// In every store, not online.
    Stores,
    /// Online only (`store = "online"`).
    Online,
    /// Only in these.
    Only(Vec<String>),
}

/// The store name by which a till says that it is a web shop.
pub const ONLINE: &str = "online";

impl Places {
    /// Whether a redemption at `store` counts; a till that names none is known to be neither store nor online.
    #[must_use]
    pub fn allow(&self, store: Option<&str>) -> bool {
        match self {
            Self::Any => true,
            Self::Stores => store.is_some_and(|name| name != ONLINE),
            Self::Online => store == Some(ONLINE),
            Self::Only(names) => store.is_some_and(|name| names.iter().any(|one| one == name)),
        }
    }
}

/// What the till checks, at validate and again at redeem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Where.
    pub places: Places,
    /// The least amount, in minor units of the offer's currency; 0 is none.
    pub min_spend: i64,
    /// Only for the person it was issued to.
    pub holder_only: bool,
    /// A pause or an end also stops redeeming.
    pub stops_with_campaign: bool,
    /// Codes count from this instant on.
    pub valid_from: Option<DateTime<Utc>>,
}

/// Who honours the codes of a campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authority {
    /// We do: what our ledger says of a code is so.
    Here,
    /// Another system does: its word on expiry and use outranks ours.
    Peer(PeerTerms),
}

/// How a campaign lives with the system that honours its codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerTerms {
    /// The system's name in the configuration.
    pub name: String,
    /// What an ask gets while no verified code is there.
    pub unverified: Unverified,
    /// How long a look at a code stays good.
    pub max_age: Duration,
    /// How many codes are kept ready; `None` is 500, or what the busiest quarter of an hour of the week needs.
    pub ready: Option<u64>,
}

/// What an ask gets while no verified code is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unverified {
    /// A promise: the code follows when one was verified.
    #[default]
    Hold,
    /// A code that was not looked at; it is looked at afterwards.
    IssueUnverified,
}

/// One promise; immutable once codes carry its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Its number in the campaign, from 1.
    pub offer_no: u16,
    /// "$5 off": what texts and pages say.
    pub title: String,
    /// The most one code can cost us, minor units; `None` where nobody can say.
    pub max_discount: Option<i64>,
    /// ISO 4217.
    pub currency: String,
    /// The small print of the coupon page.
    pub terms: String,
}

/// Where the codes of a pool come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PoolKind {
    /// Drawn by us, stored.
    Generated,
    /// Computed from the position, not stored.
    Derived,
    /// Made elsewhere, stored.
    Imported,
}

impl PoolKind {
    /// The word that tables and JSON use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Generated => "generated",
            Self::Derived => "derived",
            Self::Imported => "imported",
        }
    }

    /// Reads [`PoolKind::word`] back.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Generated, Self::Derived, Self::Imported].into_iter().find(|kind| kind.word() == word)
    }
}

/// A numbered sequence of codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// Its number in the campaign, from 1.
    pub pool_no: u16,
    /// The promise its codes carry.
    pub offer_no: u16,
    /// Where its codes come from.
    pub kind: PoolKind,
    /// The pattern's text; empty for imported pools.
    pub pattern: String,
    /// Positions run from 0 to this, exclusive.
    pub size: u64,
    /// The creator whose codes these are; `None`: the house's.
    pub creator: Option<CreatorId>,
}

/// A campaign, ready to decide by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Campaign {
    /// Its number.
    pub id: CampaignId,
    /// Its name, which people use.
    pub name: String,
    /// The version of its document.
    pub version: u32,
    /// Whether it issues.
    pub status: Status,
    /// The zone of its calendar windows and dates.
    pub zone: Tz,
    /// It issues from here on.
    pub starts_at: Option<DateTime<Utc>>,
    /// It issues before this.
    pub ends_at: Option<DateTime<Utc>>,
    /// ISO 3166 alpha-2; empty is any.
    pub countries: Vec<String>,
    /// The promises, by number.
    pub offers: Vec<Offer>,
    /// The pools, in the order in which they are used.
    pub pools: Vec<Pool>,
    /// Every cap of the campaign; those across campaigns stand in the catalog.
    pub caps: Vec<Cap>,
    /// What asking again brings.
    pub repeat: Repeat,
    /// How long its codes stay good.
    pub expiry: Expiry,
    /// What the till checks.
    pub terms: Terms,
    /// Who honours its codes.
    pub authority: Authority,
    /// How it lives with partners.
    pub partners: PartnerPolicy,
    /// Creators who speak for it.
    pub creators: Vec<CreatorTerms>,
}

/// How a campaign lives with partners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartnerPolicy {
    /// A partner who asks for somebody that has a code by another way gets that code; else it learns only that she has
    /// one.
    pub shows_others_codes: bool,
    /// A partner may give back codes that were streamed to it and that nobody saw, by its word.
    pub takes_back: bool,
}

impl Default for PartnerPolicy {
    fn default() -> Self {
        Self { shows_others_codes: false, takes_back: true }
    }
}

impl Campaign {
    /// The pools that a code may come from, in order: a creator's own first, and alone where she gives no others.
    pub fn pools_of(&self, creator: Option<CreatorId>) -> impl Iterator<Item = &Pool> {
        let own = self.pools.iter().filter(move |pool| creator.is_some() && pool.creator == creator);
        let terms = creator.and_then(|id| self.creator(id));
        let only_own = terms.is_some_and(|terms| terms.when_empty == WhenEmpty::SoldOut);
        own.chain(self.pools.iter().filter(move |pool| pool.creator.is_none() && !only_own))
    }

    /// A creator's part in it.
    #[must_use]
    pub fn creator(&self, id: CreatorId) -> Option<&CreatorTerms> {
        self.creators.iter().find(|terms| terms.id == id)
    }

    /// The offer of that number.
    #[must_use]
    pub fn offer(&self, offer_no: u16) -> Option<&Offer> {
        self.offers.iter().find(|offer| offer.offer_no == offer_no)
    }

    /// The pool of that number.
    #[must_use]
    pub fn pool(&self, pool_no: u16) -> Option<&Pool> {
        self.pools.iter().find(|pool| pool.pool_no == pool_no)
    }
}

/// The door a request came through, as reports and caps name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A text message.
    Sms,
    /// A page.
    Web,
    /// A program that calls the engine.
    Api,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 3] = [Self::Sms, Self::Web, Self::Api];

    /// The word that tables, documents and JSON use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Web => "web",
            Self::Api => "api",
        }
    }

    /// Reads [`Channel::word`] back.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.word() == word)
    }
}

/// A partner, and the version of its terms that it acted under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Partnership {
    /// Which partner.
    pub id: PartnerId,
    /// The version of its terms; the batch puts in the one it holds the lock of.
    pub version: u32,
}

/// Where a request came from; frozen in the issuance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribution {
    /// The door.
    pub channel: Channel,
    /// The number that was texted.
    pub sender: Option<SenderId>,
    /// The keyword as configured, not as typed.
    pub keyword: Option<String>,
    /// Where the call to action stood.
    pub placement: PlacementId,
    /// The affiliate partner who asked.
    pub partner: Option<Partnership>,
    /// The creator whose word or link it was.
    pub creator: Option<CreatorId>,
    /// What the partner or the link calls the place it came from: at most 64 of `[A-Za-z0-9._-]`.
    pub sub_id: Option<String>,
    /// What a partner wants echoed (click id, publisher id, metadata), as a JSON object.
    pub note: Option<String>,
}

impl Attribution {
    /// Somebody who came by that door, and nothing else is known.
    #[must_use]
    pub fn by(channel: Channel) -> Self {
        Self {
            channel,
            sender: None,
            keyword: None,
            placement: PlacementId::NONE,
            partner: None,
            creator: None,
            sub_id: None,
            note: None,
        }
    }
}
