//! What can be asked of the engine, whoever asks: an act with a request key, the subject and its draw of chance.

mod claim;
mod lease;
mod message;

pub use claim::{Claim, Digits, ProofId, Prove, Seeks};
pub use lease::{Lease, LeaseStep, Pull, PullMode};
pub use message::{MessageStatus, MessageStep};

use crate::domain::alert::{Alert, AlertKind};
use crate::domain::campaign::Attribution;
use crate::domain::hold::HoldId;
use crate::domain::ids::{AllocationId, CampaignId, PartnerId, RequestId, SenderId, Spot, Subject};
use crate::domain::till::TillRefusal;
use crate::domain::world::EventKind;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One thing asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Act {
    /// Drawn by the door: names the message or redemption this act makes, the same at every try.
    pub id: [u8; 16],
    /// The identity of the request: asked twice, answered once.
    pub request: RequestId,
    /// SHA-256 of what was asked; another one under the same key is a mistake of the caller.
    pub fingerprint: [u8; 32],
    /// Whom it concerns; her lock is taken first.
    pub who: Option<Who>,
    /// The partner who hears of it: who asks, or whose merit the code is.
    pub partner: Option<PartnerId>,
    /// The pull that it changes, or that its code belongs to; it is locked like a person.
    pub allocation: Option<AllocationId>,
    /// What.
    pub ask: Ask,
}

impl Act {
    /// An act that concerns no partner.
    #[must_use]
    pub fn new(id: [u8; 16], request: RequestId, fingerprint: [u8; 32], who: Option<Who>, ask: Ask) -> Self {
        Self { id, request, fingerprint, who, partner: None, allocation: None, ask }
    }
}

/// The person an act concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// The person.
    pub subject: Subject,
    /// Her number, sealed at the door; `None` where the door does not know it.
    pub sealed_phone: Option<Vec<u8>>,
    /// ISO 3166 alpha-2 of her number, where it has one.
    pub country: Option<String>,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// A code of a campaign.
    Issue(CampaignId, Attribution, Deliver),
    /// A partner pulls many codes.
    Allocate(CampaignId, Pull),
    /// A partner has them, or gives some back, or its time is over.
    Lease(Lease, LeaseStep),
    /// Somebody looked at a code: her page was open, or a till asked about it.
    Looked(Spot, Look),
    /// Digits to prove a phone with.
    Prove(Prove),
    /// A code of a page, for digits.
    Claim(Claim),
    /// A text message was received.
    Text(Text),
    /// A till accepts a code.
    Redeem(Spot, Presented),
    /// A till takes a redemption back.
    Rollback(Spot, Undo),
    /// The house takes a code back, for a reason.
    Void(Spot, String),
    /// The system that honours a code says what became of it.
    Said(Spot, Said),
    /// Keep a promise, if a verified code is there; writes a request row only when it is kept or lapses.
    Fulfil(CampaignId, HoldId),
    /// Tell somebody once that her code takes longer.
    Excuse(CampaignId, HoldId),
    /// A person's number has another holder.
    HandOver(HandOver),
    /// What became of a message of ours; writes no request row.
    Message(MessageStep),
    /// Somebody must look at something; writes no request row.
    Raise(Alert),
    /// That is over; writes no request row.
    Clear(AlertKind, String),
    /// Pages were opened so often; writes no request row.
    Opened(Openings),
    /// A code was shown in vain: nobody was given it, or somebody else; writes no request row.
    Stray(Stray),
    /// A campaign runs out of codes; writes no request row.
    RunsLow(RunsLow),
}

/// How often claim pages were opened: by slug, sub id (empty is none) and quarter hour since 1970 UTC.
pub type Openings = BTreeMap<(String, String, i64), i64>;

/// A code that was shown in vain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stray {
    /// Which.
    pub spot: Spot,
    /// The customer who showed it, or the till.
    pub who: String,
    /// The pull in which it waits to be streamed.
    pub pull: Option<(PartnerId, AllocationId)>,
}

/// A campaign that runs out of codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunsLow {
    /// Which.
    pub campaign: CampaignId,
    /// What people of the house are told.
    pub alert: Alert,
    /// How many codes are left, what its partners are told.
    pub left: u64,
    /// The partners who may give out its codes.
    pub partners: Vec<PartnerId>,
}

/// How a code reaches its person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deliver {
    /// In the answer to whoever asks.
    Here,
    /// By a text of the campaign's number too, the first time.
    BySms,
}

/// How somebody looked at a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Look {
    /// Its page was open in a browser.
    Viewed,
    /// A till asked whether it is good.
    Validated,
}

impl Look {
    /// The word that tables and feeds use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Viewed => "viewed",
            Self::Validated => "validated",
        }
    }
}

/// A number that changed hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HandOver {
    /// How.
    pub event: NumberEvent,
    /// When.
    pub at: DateTime<Utc>,
}

/// What became of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NumberEvent {
    /// Nobody has it; somebody will.
    Disconnected,
    /// Somebody else has it.
    Reassigned,
    /// Another network serves it; its holder is the same.
    Ported,
}

impl NumberEvent {
    /// The word that feeds and tables use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Disconnected => "disconnected",
            Self::Reassigned => "reassigned",
            Self::Ported => "ported",
        }
    }

    /// Reads [`NumberEvent::word`] back.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Disconnected, Self::Reassigned, Self::Ported].into_iter().find(|event| event.word() == word)
    }
}

/// A received text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The number that was texted.
    pub sender: SenderId,
    /// The words as received; kept in memory only.
    pub text: String,
    /// It came from a short code, a toll-free number or a number of ours: never answered, never served.
    pub from_machine: bool,
    /// The range of numbers it came from; `None` where bursts of neighbours are no matter.
    pub range: Option<NumberRange>,
    /// The carrier took it for one of its own opt-out words and has answered it: written down, not answered again.
    pub carrier_said: Option<CarrierSaid>,
}

/// The first seven digits of a number with its calling code: ten thousand neighbours in North America.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NumberRange(pub u32);

/// What a carrier with an opt-out list of its own took a text for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CarrierSaid {
    /// No more messages; it will refuse ours.
    Stop,
    /// Messages again.
    Start,
    /// Help.
    Help,
}

/// Why a carrier refuses a message for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refused {
    /// No phone that takes texts has this number.
    InvalidRecipient,
    /// The person said STOP to the carrier; its list is ours too.
    OptedOut,
    /// A filter of a network took it for spam; another way around it is forbidden.
    Filtered,
    /// It waited too long there.
    Expired,
    /// Something else about this message.
    Other,
}

impl Refused {
    /// The word in histories and logs.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::InvalidRecipient => "invalid_recipient",
            Self::OptedOut => "opted_out",
            Self::Filtered => "filtered",
            Self::Expired => "expired",
            Self::Other => "refused",
        }
    }
}

/// What a till says of a sale.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Presented {
    /// The store's name, or `online`.
    pub store: Option<String>,
    /// The till's own number of the sale.
    pub order: Option<String>,
    /// Who presents the code, where the till knows.
    pub customer: Option<Subject>,
    /// The amount of the sale, minor units.
    pub amount: Option<i64>,
    /// ISO 4217.
    pub currency: Option<String>,
    /// What the system that honours the code has answered already.
    pub peer: Option<PeerAnswer>,
}

/// What the system that honours a code answered when a till of ours asked it to accept it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerAnswer {
    /// It has accepted the code.
    Accepted {
        /// The system's name.
        peer: String,
        /// Its name of the redemption.
        redemption: String,
    },
    /// It has not, and why.
    Refused(TillRefusal),
}

/// What the system that honours a code says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The system's name in the configuration.
    pub peer: String,
    /// What became of the code.
    pub kind: EventKind,
    /// Its name of the redemption, or of the event where it is none.
    pub reference: String,
    /// When it happened there.
    pub at: DateTime<Utc>,
    /// The store's name.
    pub store: Option<String>,
    /// The till's own number of the sale.
    pub order: Option<String>,
    /// The amount of the sale, minor units.
    pub amount: Option<i64>,
    /// ISO 4217.
    pub currency: Option<String>,
}

/// Which redemption to take back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undo {
    /// The redemption's id.
    pub redemption: String,
    /// Why.
    pub reason: String,
    /// How much of the money went back, minor units, where the code stays used; `None` takes the redemption back.
    pub refund: Option<i64>,
    /// Who took the redemption, and has taken it back by now: `till`, or another system by its name.
    pub provider: String,
}
