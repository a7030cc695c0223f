//! What was decided. A refusal is an outcome, written like one; errors are for what failed.

use crate::domain::act::Look;
use crate::domain::cap::Reached;
use crate::domain::hold::HoldId;
use crate::domain::ids::{AllocationId, CapId, Spot};
use crate::domain::partner::PartnerScope;
use crate::domain::till::TillRefusal;
use crate::domain::world::{EventKind, HeldState};
use chrono::{DateTime, Utc};

/// The decision on one act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A new code.
    Issued(Spot),
    /// No code yet, but the promise of one.
    Held(HoldId),
    /// The code she has, in the state it was in.
    Repeat(Spot, HeldState),
    /// No code, and why; with the newest unused one she has, where there is one.
    Refused(Refusal, Option<Spot>),
    /// The till may accept it; the redemption's id.
    Redeemed(Spot, String),
    /// The redemption of that id was taken back.
    RolledBack(Spot, String),
    /// Some of a redemption's money went back; the refund's id.
    Refunded(Spot, String),
    /// What another system says of a code was recorded, and what that counts as; `None` where it is known, or takes back
    /// what was never told.
    Recorded(Spot, Option<EventKind>),
    /// The house took the code back.
    Voided(Spot),
    /// The till must not, and why.
    Declined(Spot, TillRefusal),
    /// A text that asks for no code.
    Told(Told),
    /// A message of ours took a step, or a late report changed nothing.
    Noted,
    /// A partner has a pull of so many codes.
    Allocated(AllocationId, u64),
    /// A pull took its step; so many codes went back to stock or were taken back.
    Leased(AllocationId, u64),
    /// Somebody looked at a code, in this window for the first time.
    Looked(Spot, Look),
}

/// Why a partner may not ask at all. It leaves no trace: asked again, it may be otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bar {
    /// A person stopped the partner.
    Suspended,
    /// The partner may not ask for this.
    Scope(PartnerScope),
    /// The campaign is not the partner's: for it, there is none.
    NotGranted,
    /// The campaign has no number that could text the code.
    NoNumber,
}

/// Why there is no code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It opens then.
    NotStarted(DateTime<Utc>),
    /// It is over.
    Ended,
    /// A person holds it.
    Paused,
    /// Nothing is left.
    PoolEmpty,
    /// A cap is full.
    CapReached(Reached),
    /// Not for numbers of this country.
    CountryNotAllowed,
    /// Too many new phones of neighbouring numbers asked at once.
    NumberBurst,
    /// She has one already, by another way; who asked does not learn it.
    CustomerHasCode,
    /// The campaign's rules leave this asker out.
    NotEligible,
    /// The time of the pull is over.
    LeaseExpired,
    /// The partner counts other codes than were streamed; so many were.
    CountDiffers(u64),
    /// So many digits were sent to her phone in an hour that the next ones go out then.
    ProofsReached(DateTime<Utc>),
    /// Not the digits that were sent; she may try so many times more.
    WrongDigits(u64),
    /// Her digits are used up, replaced or too old.
    ProofOver,
}

impl Refusal {
    /// The stable word of API, tables and explanations.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::NotStarted(_) => "not_started",
            Self::Ended => "campaign_ended",
            Self::Paused => "campaign_paused",
            Self::PoolEmpty => "pool_empty",
            Self::CapReached(_) => "cap_reached",
            Self::CountryNotAllowed => "country_not_allowed",
            Self::NumberBurst => "number_burst",
            Self::CustomerHasCode => "customer_has_code",
            Self::NotEligible => "not_eligible",
            Self::LeaseExpired => "lease_expired",
            Self::CountDiffers(_) => "count_differs",
            Self::ProofsReached(_) => "proofs_reached",
            Self::WrongDigits(_) => "wrong_digits",
            Self::ProofOver => "proof_over",
        }
    }
}

/// A text that asks for no code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Told {
    /// STOP.
    OptedOut,
    /// START.
    OptedIn,
    /// HELP.
    Helped,
    /// MYCODES.
    Listed,
    /// DESK, from a creator's own number.
    Desk,
    /// She was asked which of two campaigns she meant.
    Asked,
    /// A word we do not know.
    Unknown,
    /// Her number has another holder from now on.
    HandedOver,
    /// Her number changed hands before she came.
    Kept,
    /// Reactions, empty texts, machines.
    Ignored,
    /// A promise that cannot be kept any more.
    Lapsed,
    /// Digits are on their way to her phone.
    Proving,
}

impl Told {
    const ALL: [Self; 12] = [
        Self::OptedOut,
        Self::OptedIn,
        Self::Helped,
        Self::Listed,
        Self::Desk,
        Self::Asked,
        Self::Unknown,
        Self::HandedOver,
        Self::Kept,
        Self::Ignored,
        Self::Lapsed,
        Self::Proving,
    ];

    /// The word that tables and explanations use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::OptedOut => "opted_out",
            Self::OptedIn => "opted_in",
            Self::Helped => "helped",
            Self::Listed => "listed",
            Self::Desk => "desk",
            Self::Asked => "asked",
            Self::Unknown => "unknown_word",
            Self::HandedOver => "handed_over",
            Self::Kept => "kept",
            Self::Ignored => "ignored",
            Self::Lapsed => "lapsed",
            Self::Proving => "proving",
        }
    }
}

/// An outcome in the columns of its request row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record {
    /// The kind of outcome.
    pub outcome: String,
    /// The rule that refused or the state that was found; empty is none.
    pub rule: String,
    /// The cap that refused.
    pub cap_id: Option<u32>,
    /// Its limit.
    pub cap: Option<i64>,
    /// What was counted.
    pub used: Option<i64>,
    /// When there is room again, or when it opens.
    pub resets_at: Option<DateTime<Utc>>,
    /// The code.
    pub spot: Option<Spot>,
    /// A redemption's id.
    pub reference: Option<String>,
}

impl Outcome {
    /// The code it concerns.
    #[must_use]
    pub fn spot(&self) -> Option<Spot> {
        match self {
            Self::Issued(spot)
            | Self::Repeat(spot, _)
            | Self::Redeemed(spot, _)
            | Self::RolledBack(spot, _)
            | Self::Refunded(spot, _)
            | Self::Voided(spot)
            | Self::Recorded(spot, _)
            | Self::Looked(spot, _)
            | Self::Declined(spot, _) => Some(*spot),
            Self::Refused(_, spot) => *spot,
            Self::Held(_) | Self::Told(_) | Self::Noted | Self::Allocated(..) | Self::Leased(..) => None,
        }
    }

    /// The columns that say it.
    #[must_use]
    pub fn record(&self) -> Record {
        let (outcome, rule) = match self {
            Self::Issued(_) => ("issued", ""),
            Self::Held(_) => ("held", ""),
            Self::Repeat(_, state) => ("repeat", state.word()),
            Self::Refused(why, _) => ("refused", why.word()),
            Self::Redeemed(..) => ("redeemed", ""),
            Self::RolledBack(..) => ("rolled_back", ""),
            Self::Refunded(..) => ("refunded", ""),
            Self::Voided(_) => ("voided", ""),
            Self::Recorded(_, kind) => ("recorded", kind.map_or("", EventKind::word)),
            Self::Declined(_, why) => ("declined", why.word()),
            Self::Told(told) => (told.word(), ""),
            Self::Noted => ("noted", ""),
            Self::Allocated(..) => ("allocated", ""),
            Self::Leased(..) => ("leased", ""),
            Self::Looked(_, look) => (look.word(), ""),
        };
        let mut record =
            Record { outcome: outcome.to_owned(), rule: rule.to_owned(), spot: self.spot(), ..Record::default() };
        match self {
            Self::Refused(Refusal::CapReached(cap), _) => {
                record.cap_id = Some(cap.cap_id.0);
                record.cap = Some(cap.cap);
                record.used = Some(cap.used);
                record.resets_at = cap.resets_at;
            }
            Self::Refused(Refusal::NotStarted(at) | Refusal::ProofsReached(at), _) => record.resets_at = Some(*at),
            Self::Refused(Refusal::CountDiffers(n) | Refusal::WrongDigits(n), _) => {
                record.used = i64::try_from(*n).ok();
            }
            Self::Allocated(id, n) | Self::Leased(id, n) => {
                record.reference = Some(id.text());
                record.used = i64::try_from(*n).ok();
            }
            Self::Redeemed(_, id) | Self::RolledBack(_, id) | Self::Refunded(_, id) => {
                record.reference = Some(id.clone());
            }
            Self::Held(id) => record.reference = Some(id.hex()),
            Self::Issued(_)
            | Self::Repeat(..)
            | Self::Refused(..)
            | Self::Voided(_)
            | Self::Recorded(..)
            | Self::Declined(..)
            | Self::Looked(..)
            | Self::Told(_)
            | Self::Noted => {}
        }
        record
    }

    /// Reads [`Outcome::record`] back; `None` when the columns say nothing that exists.
    #[must_use]
    pub fn from_record(record: &Record) -> Option<Self> {
        let spot = record.spot;
        Some(match record.outcome.as_str() {
            "issued" => Self::Issued(spot?),
            "held" => Self::Held(HoldId::parse(record.reference.as_deref()?)?),
            "repeat" => Self::Repeat(spot?, HeldState::parse(&record.rule)?),
            "refused" => Self::Refused(Self::refusal(record)?, spot),
            "redeemed" => Self::Redeemed(spot?, record.reference.clone()?),
            "rolled_back" => Self::RolledBack(spot?, record.reference.clone()?),
            "refunded" => Self::Refunded(spot?, record.reference.clone()?),
            "voided" => Self::Voided(spot?),
            "recorded" if record.rule.is_empty() => Self::Recorded(spot?, None),
            "recorded" => Self::Recorded(spot?, Some(EventKind::parse(&record.rule)?)),
            "declined" => Self::Declined(spot?, TillRefusal::parse(&record.rule)?),
            "noted" => Self::Noted,
            "viewed" => Self::Looked(spot?, Look::Viewed),
            "validated" => Self::Looked(spot?, Look::Validated),
            "allocated" => Self::Allocated(Self::pull(record)?, count(record)?),
            "leased" => Self::Leased(Self::pull(record)?, count(record)?),
            word => Self::Told(Told::ALL.into_iter().find(|told| told.word() == word)?),
        })
    }

    fn pull(record: &Record) -> Option<AllocationId> {
        AllocationId::parse(record.reference.as_deref()?)
    }

    fn refusal(record: &Record) -> Option<Refusal> {
        Some(match record.rule.as_str() {
            "not_started" => Refusal::NotStarted(record.resets_at?),
            "campaign_ended" => Refusal::Ended,
            "campaign_paused" => Refusal::Paused,
            "pool_empty" => Refusal::PoolEmpty,
            "country_not_allowed" => Refusal::CountryNotAllowed,
            "number_burst" => Refusal::NumberBurst,
            "customer_has_code" => Refusal::CustomerHasCode,
            "not_eligible" => Refusal::NotEligible,
            "lease_expired" => Refusal::LeaseExpired,
            "count_differs" => Refusal::CountDiffers(count(record)?),
            "proofs_reached" => Refusal::ProofsReached(record.resets_at?),
            "wrong_digits" => Refusal::WrongDigits(count(record)?),
            "proof_over" => Refusal::ProofOver,
            "cap_reached" => Refusal::CapReached(Reached {
                cap_id: CapId(record.cap_id?),
                cap: record.cap?,
                used: record.used?,
                resets_at: record.resets_at,
            }),
            _ => return None,
        })
    }
}

/// The number that an outcome counts.
fn count(record: &Record) -> Option<u64> {
    record.used.and_then(|n| u64::try_from(n).ok())
}
