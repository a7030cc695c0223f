//! What can be asked of the engine, whoever asks: an act with a request key, the subject and its draw of chance.

use crate::domain::alert::{Alert, AlertKind};
use crate::domain::campaign::Attribution;
use crate::domain::hold::HoldId;
use crate::domain::ids::{CampaignId, RequestId, SenderId, Spot, Subject};
use crate::domain::sending::Charge;
use crate::domain::till::TillRefusal;
use crate::domain::world::EventKind;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

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
    /// What.
    pub ask: Ask,
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
    Issue(CampaignId, Attribution),
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
    /// Who took the redemption, and has taken it back by now: `till`, or another system by its name.
    pub provider: String,
}

/// The state of a message of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MessageStatus {
    /// Written, not yet tried.
    Queued,
    /// About to be handed to the carrier; after a crash nobody knows whether it was.
    Submitting,
    /// The carrier has it.
    Submitted,
    /// The carrier says that it is on its way.
    Sent,
    /// Its time ran out, here or on its way.
    Expired,
    /// The carrier had it and gave it up.
    Undelivered,
    /// The carrier refused it for good, or nobody knows whether it took it and it must not go out twice.
    Failed,
    /// We kept it back: the person said STOP before it went out, or it was for a country that we do not text.
    Suppressed,
    /// The phone has it.
    Delivered,
}

impl MessageStatus {
    const ALL: [Self; 9] = [
        Self::Queued,
        Self::Submitting,
        Self::Submitted,
        Self::Sent,
        Self::Expired,
        Self::Undelivered,
        Self::Failed,
        Self::Suppressed,
        Self::Delivered,
    ];

    /// The word that tables and JSON use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Submitting => "submitting",
            Self::Submitted => "submitted",
            Self::Sent => "sent",
            Self::Expired => "expired",
            Self::Undelivered => "undelivered",
            Self::Failed => "failed",
            Self::Suppressed => "suppressed",
            Self::Delivered => "delivered",
        }
    }

    /// Reads [`MessageStatus::word`] back.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.word() == word)
    }

    /// Whether the sender still has work to do.
    #[must_use]
    pub fn is_open(self) -> bool {
        self.rank() == 0
    }

    /// Whether a report of `next` may follow: late and doubled reports never turn a message back, so that in whatever
    /// order they come, the same one stands at the end.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        next.rank() > self.rank() || (self.is_open() && next.is_open())
    }

    /// How far it has come. That the phone has it outranks all: then it went out, whatever we thought.
    fn rank(self) -> u8 {
        match self {
            Self::Queued | Self::Submitting => 0,
            Self::Submitted => 1,
            Self::Sent => 2,
            Self::Expired => 3,
            Self::Undelivered => 4,
            Self::Failed => 5,
            Self::Suppressed => 6,
            Self::Delivered => 7,
        }
    }
}

/// One step of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageStep {
    /// Which message.
    pub message: [u8; 16],
    /// Its new state; `Queued` puts it back for a later try.
    pub status: MessageStatus,
    /// When to try again.
    pub due_at: Option<DateTime<Utc>>,
    /// The carrier's id of it.
    pub provider_id: Option<String>,
    /// How many segments it took.
    pub segments: Option<u16>,
    /// SHA-256 of its body.
    pub body_hash: Option<Vec<u8>>,
    /// The carrier's words on a failure.
    pub note: Option<String>,
    /// What it adds to what messages cost. A step to [`MessageStatus::Submitting`] that one of them does not allow is
    /// not taken: the message stays queued until that window is over.
    pub charges: Vec<Charge>,
}

#[cfg(test)]
mod tests {
    use super::MessageStatus;
    use proptest::prelude::*;

    fn after(reports: &[MessageStatus]) -> MessageStatus {
        reports.iter().fold(MessageStatus::Submitting, |now, next| if now.may_become(*next) { *next } else { now })
    }

    proptest! {
        #[test]
        fn six_reports_in_any_order_end_in_one_state_and_never_turn_back(
            reports in prop::sample::subsequence(&MessageStatus::ALL[2..], 1..=6)
                .prop_flat_map(|some| prop::collection::vec(prop::sample::select(some), 6))
                .prop_flat_map(|six| (Just(six.clone()), Just(six).prop_shuffle())),
        ) {
            let (one, other) = reports;
            prop_assert_eq!(after(&one), after(&other));
            let mut now = MessageStatus::Submitting;
            for next in other {
                let was = now;
                now = if now.may_become(next) { next } else { now };
                prop_assert!(now >= was, "{was:?} became {now:?}");
                prop_assert!(!now.is_open());
            }
        }
    }

    #[test]
    fn every_order_of_six_different_reports_ends_in_the_same_state() {
        use MessageStatus::{Delivered, Expired, Failed, Sent, Submitted, Undelivered};
        let mut orders = vec![Vec::new()];
        for next in [Submitted, Sent, Delivered, Undelivered, Failed, Expired] {
            let insert = |order: &Vec<MessageStatus>| {
                let places = 0..=order.len();
                let order = order.clone();
                places.map(move |place| {
                    let mut longer = order.clone();
                    longer.insert(place, next);
                    longer
                })
            };
            orders = orders.iter().flat_map(insert).collect();
        }
        assert_eq!(orders.len(), 720);
        assert!(orders.iter().all(|order| after(order) == Delivered));
    }

    #[test]
    fn every_state_is_read_back_from_its_word() {
        for status in MessageStatus::ALL {
            assert_eq!(MessageStatus::parse(status.word()), Some(status));
        }
    }
}

impl MessageStep {
    /// A step to that state, with nothing else to say.
    #[must_use]
    pub fn to(message: [u8; 16], status: MessageStatus) -> Self {
        Self {
            message,
            status,
            due_at: None,
            provider_id: None,
            segments: None,
            body_hash: None,
            note: None,
            charges: Vec::new(),
        }
    }
}
