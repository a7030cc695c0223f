//! What a batch writes: rows to insert, and one final value for each counter it touched.

mod credit;
mod params;

pub use credit::{Assists, CreditKey, FeedRow, NewPull, PullChange};
pub use params::Params;

use crate::domain::act::{MessageStep, Openings, ProofId};
use crate::domain::alert::{Alert, AlertKind};
use crate::domain::campaign::Attribution;
use crate::domain::decision::outcome::{Outcome, Record};
use crate::domain::hold::{Hold, HoldId, HoldStep};
use crate::domain::ids::{
    AllocationId, CampaignId, CapId, CreatorId, PartnerId, PlacementId, RequestId, SenderId, Spot, Subject, millis,
};
use crate::domain::language::Language;
use crate::domain::reply::ReplyId;
use crate::domain::sending::SpendKey;
use crate::domain::session::{Session, SessionKey};
use crate::domain::world::{Event, EventKind, Held, Proof, Range};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// Everything one batch writes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// One row an act.
    pub requests: Vec<RequestRow>,
    /// New codes: whose, and which.
    pub issuances: Vec<(Subject, Held)>,
    /// Steps of codes.
    pub events: Vec<EventRow>,
    /// Replies to send.
    pub messages: Vec<NewMessage>,
    /// Steps of messages.
    pub steps: Vec<Noted>,
    /// STOP and START, in order; the last one of a person stands.
    pub opt_outs: BTreeMap<(String, Subject), OptOut>,
    /// Evidence of what she said.
    pub consents: Vec<Consent>,
    /// The new first position of a range, by its last one; `None` when it is used up.
    pub stock: BTreeMap<(CampaignId, u16, u64), Option<u64>>,
    /// New promises: whose, and what.
    pub holds: Vec<(Subject, Hold)>,
    /// What became of promises.
    pub hold_steps: BTreeMap<HoldId, HoldChange>,
    /// Codes that another system honours and when it is asked about them.
    pub peer_checks: Vec<(Spot, DateTime<Utc>)>,
    /// How many positions left each pool's count: codes given without a promise, and promises.
    pub taken: BTreeMap<(CampaignId, u16), i64>,
    /// The new count of each quota.
    pub quotas: BTreeMap<(CapId, i64), i64>,
    /// The new sum of each count of what messages cost.
    pub spend: BTreeMap<SpendKey, i64>,
    /// How many requests had which outcome, and the money of their sales.
    pub channels: BTreeMap<ChannelKey, (i64, i64)>,
    /// What somebody must look at, by kind and what it is about.
    pub alerts: BTreeMap<(AlertKind, String), AlertChange>,
    /// Codes that are out and unused, and what they may cost, by the day they end.
    pub outstanding: BTreeMap<(CampaignId, i64), (i64, i64)>,
    /// What is open from now on; `None` when it has ended.
    pub sessions: BTreeMap<SessionKey, Option<Session>>,
    /// Numbers that have another holder.
    pub holders: BTreeMap<Subject, Holder>,
    /// What partners hear of, numbered.
    pub feed: Vec<FeedRow>,
    /// The numbers of their newest events.
    pub feeds: BTreeMap<PartnerId, i64>,
    /// How many requests of partners' and creators' had which outcome, the money of their sales, and what a creator
    /// earned by them.
    pub credits: BTreeMap<CreditKey, (i64, i64, i64)>,
    /// New pulls with their ranges.
    pub pulls: Vec<NewPull>,
    /// What became of pulls.
    pub pull_steps: BTreeMap<AllocationId, PullChange>,
    /// Ranges of positions that are in stock again.
    pub restocked: Vec<(CampaignId, u16, Range)>,
    /// Who tried a code in vain, for the first time.
    pub attempts: Vec<(Spot, String, DateTime<Utc>)>,
    /// Proofs that are new or took a step: whose, and how they are now.
    pub proofs: BTreeMap<ProofId, (Subject, Proof)>,
    /// How often claim pages were opened.
    pub openings: Openings,
    /// Links to creators' desks.
    pub desk_links: Vec<DeskLink>,
    /// How often which unknown words were texted to a number; empty words are all that is not kept.
    pub unknown: BTreeMap<(SenderId, String), i64>,
}

/// A row of `creator_link`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeskLink {
    /// Its name.
    pub id: [u8; 16],
    /// Whose desk it opens.
    pub creator: CreatorId,
    /// When it was made.
    pub at: DateTime<Utc>,
    /// Until when it opens.
    pub expires_at: DateTime<Utc>,
}

/// A row of `request`.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestRow {
    /// Its identity.
    pub request: RequestId,
    /// SHA-256 of what was asked.
    pub fingerprint: [u8; 32],
    /// When it was decided.
    pub received_at: DateTime<Utc>,
    /// Who asked.
    pub subject: Option<Subject>,
    /// `issue`, `keyword`, `stop`, `redeem`, …
    pub kind: &'static str,
    /// The outcome.
    pub record: Record,
    /// The campaign it was about.
    pub campaign: Option<CampaignId>,
    /// Where it came from; for a sale, whose merit the code is.
    pub from: Attribution,
    /// The keyword, where it was one.
    pub word: Option<String>,
    /// A text goes out for it.
    pub replied: bool,
    /// The money of the sale, minor units.
    pub amount: Option<i64>,
    /// What the creator earned by it; negative where that was taken back.
    pub commission: i64,
    /// The code is another's merit: this request only helped.
    pub assists: Assists,
}

/// A row of `code_event`.
#[derive(Debug, Clone, PartialEq)]
pub struct EventRow {
    /// Which code.
    pub spot: Spot,
    /// What happened.
    pub event: Event,
    /// The till's number of the sale.
    pub order: Option<String>,
    /// ISO 4217.
    pub currency: Option<String>,
    /// Why, in a person's words.
    pub reason: Option<String>,
    /// Who says so: `till`, `house`, or another system by its name.
    pub provider: String,
}

/// A row of `outbox_message`.
#[derive(Debug, Clone, PartialEq)]
pub struct NewMessage {
    /// Its name: the act's draw.
    pub id: [u8; 16],
    /// To whom.
    pub subject: Subject,
    /// From which number.
    pub sender: SenderId,
    /// Which text.
    pub reply: ReplyId,
    /// The campaign whose words are used.
    pub campaign: Option<CampaignId>,
    /// The code it carries.
    pub spot: Option<Spot>,
    /// What else the text needs.
    pub params: Params,
    /// The request it answers.
    pub request: RequestId,
    /// When it was decided.
    pub created_at: DateTime<Utc>,
}

/// A step of a message, and when it was taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Noted {
    /// The step.
    pub step: MessageStep,
    /// When.
    pub at: DateTime<Utc>,
}

/// The present holder of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// Her how-manieth holder she is, from 0.
    pub epoch: u32,
    /// Since when.
    pub since: DateTime<Utc>,
}

/// What a person's last word on messages was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptOut {
    /// No more.
    Out(DateTime<Utc>),
    /// Again.
    In,
}

/// What becomes of one promise in a batch; what is not set stays as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HoldChange {
    /// Nothing is sent for it, or again.
    pub is_muted: Option<bool>,
    /// When its person was told that it takes longer.
    pub late_at: Option<DateTime<Utc>>,
    /// When it was over.
    pub ended_at: Option<DateTime<Utc>>,
    /// The position that kept it.
    pub position: Option<u64>,
}

impl HoldChange {
    /// Adds a step.
    pub(super) fn step(&mut self, step: HoldStep) {
        match step {
            HoldStep::Fulfilled(spot, at) => {
                self.ended_at = Some(at);
                self.position = Some(spot.position);
            }
            HoldStep::Lapsed(at) => self.ended_at = Some(at),
            HoldStep::Late(at) => self.late_at = Some(at),
            HoldStep::Muted => self.is_muted = Some(true),
            HoldStep::Unmuted => self.is_muted = Some(false),
        }
    }
}

/// What becomes of one alert in a batch; the last word stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlertChange {
    /// It stands, raised so many times in this batch, last with this detail.
    Raised {
        /// In words.
        detail: String,
        /// How often.
        times: i64,
        /// When last.
        at: DateTime<Utc>,
    },
    /// It is over.
    Cleared(DateTime<Utc>),
}

/// Evidence of consent or of its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Consent {
    /// The request it was said in.
    pub request: RequestId,
    /// The brand; empty is every brand.
    pub brand: String,
    /// Who.
    pub subject: Subject,
    /// `opt_out`, `opt_in`, `help`, `request`, `reassigned`.
    pub kind: &'static str,
    /// `exact`, `intent`, `carrier`, the keyword, or what became of the number.
    pub matched: String,
    /// The language of the word or sentence; keywords have none.
    pub language: Option<Language>,
    /// When.
    pub at: DateTime<Utc>,
}

/// The key of `rollup_channel`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChannelKey {
    /// 0 where there is none.
    pub campaign: u32,
    /// Quarter hours since 1970 UTC.
    pub quarter: i64,
    /// The door.
    pub channel: &'static str,
    /// The placement.
    pub placement: PlacementId,
    /// The outcome, with the rule of a refusal: `issued`, `refused:cap_reached`.
    pub outcome: String,
}

/// Milliseconds of a quarter hour.
pub const QUARTER_MS: i64 = 900_000;
/// Milliseconds of a day.
pub const DAY_MS: i64 = 86_400_000;
/// The bucket of codes that never end: 31 December 9999 in days since 1970.
pub const NEVER_DAY: i64 = 2_932_896;

impl Changes {
    /// Raises an alert, once more where it stands already.
    pub(super) fn raise(&mut self, alert: Alert, at: DateTime<Utc>) {
        let Alert { kind, about, detail } = alert;
        let before = self.alerts.get(&(kind, about.clone()));
        let times = match before {
            Some(AlertChange::Raised { times, .. }) => times + 1,
            Some(AlertChange::Cleared(_)) | None => 1,
        };
        self.alerts.insert((kind, about), AlertChange::Raised { detail, times, at });
    }

    /// Counts a request in its rollup.
    pub(super) fn count(&mut self, row: &RequestRow) {
        let record = &row.record;
        let outcome =
            if record.rule.is_empty() { record.outcome.clone() } else { format!("{}:{}", record.outcome, record.rule) };
        let key = ChannelKey {
            campaign: row.campaign.map_or(0, |id| id.0),
            quarter: millis(row.received_at).div_euclid(QUARTER_MS),
            channel: row.from.channel.word(),
            placement: row.from.placement,
            outcome,
        };
        let credits = [
            row.from.creator.map(|id| ("creator", id.0, row.assists.creator, row.assists.own)),
            row.from.partner.map(|by| ("partner", by.id.0, row.assists.partner, false)),
        ];
        for (kind, id, assists, own) in credits.into_iter().flatten() {
            let outcome = match (own, assists) {
                (true, _) => "self".to_owned(),
                (false, true) => "assist".to_owned(),
                (false, false) => key.outcome.clone(),
            };
            let ChannelKey { campaign, quarter, placement, .. } = key;
            let sub_id = row.from.sub_id.clone().unwrap_or_default();
            let key = CreditKey { kind, id, campaign, quarter, placement, sub_id, outcome };
            let cell = self.credits.entry(key).or_default();
            cell.0 += 1;
            cell.1 += row.amount.unwrap_or(0);
            cell.2 += row.commission;
        }
        let cell = self.channels.entry(key).or_default();
        cell.0 += 1;
        cell.1 += row.amount.unwrap_or(0);
    }

    /// Moves a code into (+1) or out of (-1) what is outstanding.
    pub(super) fn outstand(&mut self, held: &Held, n: i64) {
        let day = held.expires_at.map_or(NEVER_DAY, |end| millis(end).div_euclid(DAY_MS));
        let cell = self.outstanding.entry((held.spot.campaign, day)).or_default();
        cell.0 += n;
        cell.1 += n * held.weight;
    }

    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty() && self.steps.is_empty() && self.alerts.is_empty()
    }
}

impl EventRow {
    /// A plain step of a code.
    #[must_use]
    pub fn new(spot: Spot, step: u32, kind: EventKind, at: DateTime<Utc>, provider_ref: String) -> Self {
        let provider = match kind {
            EventKind::Redeemed | EventKind::RolledBack | EventKind::Refunded => "till",
            EventKind::Voided | EventKind::Expired => "house",
            EventKind::Returned => "partner",
        };
        let event = Event { step, kind, at, provider_ref, store: None, amount: None, commission: None, reverses: None };
        let provider = provider.to_owned();
        Self { spot, event, order: None, currency: None, reason: None, provider }
    }
}

impl Outcome {
    /// Whether a new code was given.
    #[must_use]
    pub fn is_first_issuance(&self) -> bool {
        matches!(self, Self::Issued(_))
    }
}
