//! What a batch reads under its locks: the state that `decide` decides by.

mod proof;
mod pulled;

pub use proof::Proof;
pub use pulled::{Pulled, Whose};

use crate::domain::act::{MessageStatus, NumberRange};
use crate::domain::alert::AlertKind;
use crate::domain::campaign::Attribution;
use crate::domain::cap::Quota;
use crate::domain::decision::outcome::Outcome;
use crate::domain::hold::Hold;
use crate::domain::ids::{AllocationId, CampaignId, CapId, PartnerId, RequestId, SenderId, Spot, Subject};
use crate::domain::partner::PartnerTerms;
use crate::domain::sending::SpendKey;
use crate::domain::session::{Session, SessionKey};
use chrono::{DateTime, Utc};
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

/// Everything read under the locks of one batch.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// Taken at the begin of the transaction; every window and date comes from it.
    pub now: DateTime<Utc>,
    /// Requests of this batch that were answered before.
    pub requests: HashMap<RequestId, Stored>,
    /// The persons whose locks are held.
    pub persons: HashMap<Subject, Person>,
    /// The lowest ranges of positions that nobody has.
    pub stock: HashMap<(CampaignId, u16), VecDeque<Range>>,
    /// What is left of the pools of peers' campaigns: positions in stock, less open promises.
    pub in_stock: HashMap<(CampaignId, u16), i64>,
    /// The counters of this batch's caps in their windows.
    pub quotas: HashMap<(CapId, i64), Quota>,
    /// What messages have cost in the windows that this batch's messages are counted in.
    pub spend: HashMap<SpendKey, i64>,
    /// The messages that acts of this batch may change.
    pub messages: HashMap<[u8; 16], Message>,
    /// Phones of a range that got a first code of that number lately.
    pub bursts: HashMap<(SenderId, NumberRange), usize>,
    /// What is open between the persons who texted and our numbers.
    pub sessions: HashMap<SessionKey, Session>,
    /// What the partners of this batch may do; their locks are held.
    pub partners: HashMap<PartnerId, Arc<PartnerTerms>>,
    /// The numbers of the newest events of the partners who may hear of this batch.
    pub feeds: HashMap<PartnerId, i64>,
    /// The pulls that acts of this batch may change, or whose codes they are about.
    pub pulls: HashMap<AllocationId, Pulled>,
    /// Codes of those pulls: no person holds them.
    pub loose: HashMap<Spot, Held>,
    /// Who has tried a code in vain so far.
    pub attempts: HashMap<Spot, Vec<String>>,
    /// What the alerts that stand are about, of those that this batch asks for.
    pub standing: HashSet<(AlertKind, String)>,
}

/// A request that was answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// SHA-256 of what was asked.
    pub fingerprint: [u8; 32],
    /// When it was decided.
    pub at: DateTime<Utc>,
    /// What was decided.
    pub outcome: Outcome,
}

/// A run of positions, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The lowest that nobody has.
    pub first: u64,
    /// The highest; it names the range and never moves.
    pub last: u64,
}

/// A message that may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// Whose.
    pub subject: Subject,
    /// The number of ours that it leaves from; its brand decides whose STOP cancels it.
    pub sender: SenderId,
    /// Its state.
    pub status: MessageStatus,
    /// An answer that STOP does not cancel.
    pub is_compliance: bool,
    /// The code it carries.
    pub spot: Option<Spot>,
}

/// One person.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Person {
    /// Goes up when her number gets another holder.
    pub epoch: u32,
    /// Since when this holder has it, as far as we know.
    pub since: DateTime<Utc>,
    /// Every code she was given, of every epoch.
    pub held: Vec<Held>,
    /// What she is promised and has not got, of every epoch.
    pub holds: Vec<Hold>,
    /// What she asked in the last 24 hours and got a reply to.
    pub answered: Vec<Answered>,
    /// Digits that were sent to her in the last hour, in order.
    pub proofs: Vec<Proof>,
}

/// A request that was answered by a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// When.
    pub at: DateTime<Utc>,
    /// `keyword`, `stop`, `help`, …
    pub kind: String,
    /// The keyword, where it was one.
    pub word: Option<String>,
    /// The answer, as its request row says: outcome, rule and code.
    pub outcome: Outcome,
}

/// A code that was given to a person.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// Which.
    pub spot: Spot,
    /// In which epoch of her number.
    pub epoch: u32,
    /// Her how-manieth of the campaign, from 1.
    pub seq: u32,
    /// The promise.
    pub offer_no: u16,
    /// What it adds to a cap in money.
    pub weight: i64,
    /// Whose merit.
    pub from: Attribution,
    /// When.
    pub issued_at: DateTime<Utc>,
    /// When it was promised and counted, and under which version of its campaign, where that was before.
    pub promised: Option<(DateTime<Utc>, u32)>,
    /// Until when, exclusive.
    pub expires_at: Option<DateTime<Utc>>,
    /// What became of it, in order of steps.
    pub events: Vec<Event>,
}

/// A step in the life of a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// 1, 2, 3 …
    pub step: u32,
    /// What.
    pub kind: EventKind,
    /// When.
    pub at: DateTime<Utc>,
    /// The name that its source gave it: a redemption's id.
    pub provider_ref: String,
    /// Where.
    pub store: Option<String>,
    /// How much the sale was, minor units.
    pub amount: Option<i64>,
    /// What a creator earned by it, minor units; of a step that takes it back, what she loses.
    pub commission: Option<i64>,
    /// The step that it takes back, or of which it gives some back.
    pub reverses: Option<u32>,
}

/// What happened to a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// A till accepted it.
    Redeemed,
    /// A till took that back.
    RolledBack,
    /// A till gave some of the money back; the code stays used.
    Refunded,
    /// The house took the code back.
    Voided,
    /// The system that honours it says that its time is over.
    Expired,
    /// Its partner gave it back and said that nobody saw it.
    Returned,
}

impl EventKind {
    const ALL: [Self; 6] =
        [Self::Redeemed, Self::RolledBack, Self::Refunded, Self::Voided, Self::Expired, Self::Returned];

    /// The word that tables and JSON use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Redeemed => "redeemed",
            Self::RolledBack => "rolled_back",
            Self::Refunded => "refunded",
            Self::Voided => "voided",
            Self::Expired => "expired",
            Self::Returned => "returned",
        }
    }

    /// Whether the code is nobody's any more.
    #[must_use]
    pub fn takes_back(self) -> bool {
        matches!(self, Self::Voided | Self::Returned)
    }

    /// Reads [`EventKind::word`] back.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// The state of a code: the fold of its events and its last day, never a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HeldState {
    /// Good.
    Unused,
    /// Used.
    Redeemed,
    /// Past its last day, never used.
    Expired,
    /// Taken back.
    Void,
}

impl HeldState {
    /// The word that tables and JSON use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Unused => "unused",
            Self::Redeemed => "redeemed",
            Self::Expired => "expired",
            Self::Void => "void",
        }
    }

    /// Reads [`HeldState::word`] back.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Unused, Self::Redeemed, Self::Expired, Self::Void].into_iter().find(|state| state.word() == word)
    }
}

impl Hold {
    /// The code that keeps this promise.
    #[must_use]
    pub fn issued(&self, position: u64, now: DateTime<Utc>, expires_at: Option<DateTime<Utc>>) -> Held {
        Held {
            spot: Spot { campaign: self.campaign, pool: self.pool_no, position },
            epoch: self.epoch,
            seq: self.seq,
            offer_no: self.offer_no,
            weight: self.weight,
            from: self.from.clone(),
            issued_at: now,
            promised: Some((self.held_at, self.version)),
            expires_at,
            events: Vec::new(),
        }
    }
}

impl Held {
    /// When it was counted: at its promise, where there was one, else when it was issued.
    #[must_use]
    pub fn charged_at(&self) -> DateTime<Utc> {
        self.promised.map_or(self.issued_at, |(at, _)| at)
    }

    /// Whether it may still cost us something, its last day apart: neither used nor taken back.
    #[must_use]
    pub fn is_outstanding(&self) -> bool {
        let over = |one: &Event| one.kind.takes_back() || one.kind == EventKind::Expired;
        self.open_redemption().is_none() && !self.events.iter().any(over)
    }

    /// Whether its last day is over, used or not.
    #[must_use]
    pub fn is_past(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_some_and(|end| now >= end) || self.events.iter().any(|one| one.kind == EventKind::Expired)
    }

    /// When its last day is over: as it was issued, or earlier, when the system that honours it says so.
    #[must_use]
    pub fn ends_at(&self) -> Option<DateTime<Utc>> {
        let said = self.events.iter().find(|one| one.kind == EventKind::Expired).map(|one| one.at);
        match (self.expires_at, said) {
            (Some(ours), Some(theirs)) => Some(ours.min(theirs)),
            (one, other) => one.or(other),
        }
    }

    /// Its state at `now`: void before used, used before expired.
    #[must_use]
    pub fn state(&self, now: DateTime<Utc>) -> HeldState {
        let redeemed = self.open_redemption().is_some();
        if self.events.iter().any(|event| event.kind.takes_back()) {
            HeldState::Void
        } else if redeemed {
            HeldState::Redeemed
        } else if self.is_past(now) {
            HeldState::Expired
        } else {
            HeldState::Unused
        }
    }

    /// The redemption that stands: the last one that was not taken back. Another system may tell both in either order.
    #[must_use]
    pub fn open_redemption(&self) -> Option<&Event> {
        let taken_back = |one: &&Event| {
            let same = |other: &Event| other.kind == EventKind::RolledBack && other.provider_ref == one.provider_ref;
            self.events.iter().any(same)
        };
        self.events.iter().rev().find(|event| event.kind == EventKind::Redeemed && !taken_back(event))
    }

    /// What is left of a redemption's amount, and of what a creator earned by it, after what was refunded.
    #[must_use]
    pub fn left(&self, redemption: &Event) -> (Option<i64>, Option<i64>) {
        let refunds =
            self.events.iter().filter(|one| one.kind == EventKind::Refunded && one.reverses == Some(redemption.step));
        let (amount, commission) = refunds.fold((0, 0), |(amount, commission), one| {
            (amount + one.amount.unwrap_or(0), commission + one.commission.unwrap_or(0))
        });
        (redemption.amount.map(|all| all - amount), redemption.commission.map(|all| all - commission))
    }

    /// The number of its next step.
    #[must_use]
    pub fn next_step(&self) -> u32 {
        self.events.last().map_or(1, |event| event.step + 1)
    }
}
