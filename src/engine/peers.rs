//! What the systems that honour our codes say of them: by their events, by their feeds, and when they are asked.

use super::sale::act_on;
use super::text::fingerprint;
use super::{Engine, EngineError, Found};
use crate::domain::act::{Ask, Said, Stray};
use crate::domain::alert::{Alert, AlertKind};
use crate::domain::campaign::{Authority, Campaign};
use crate::domain::code::Code;
use crate::domain::decision::changes::NewMessage;
use crate::domain::decision::{SIGHT, repeat_text};
use crate::domain::ids::{RequestId, Spot, from_millis, millis};
use crate::domain::reply::ReplyId;
use crate::domain::verdict::Verdict;
use crate::domain::world::{EventKind, Held};
use crate::redemption::{
    Authority as Word, CallContext, EventKind as Told, Guarded, Noted, Peer as _, PeerEvent, Reading, Status,
};
use crate::store::peers::{DueCheck, KeptEvent};
use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration as StdDuration;

/// Reports without a code are matched again for so long: an import of ours may be late.
const KEPT_DAYS: i64 = 30;
/// Reports matched again in one go.
const REMATCHED: u32 = 500;
/// Codes are asked about so long after their last day: late redemptions come in by then.
const AFTER_END: Duration = Duration::days(7);
/// Codes that never end are asked about for so long.
const AT_MOST: Duration = Duration::days(90);
/// A look while a text waits to be written, or a person for her page.
const BRIEF: StdDuration = StdDuration::from_millis(1500);
/// A look at one lot of codes.
const PATIENCE: StdDuration = StdDuration::from_secs(10);

/// A code as the system that honours it has it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The code, with what that system said recorded.
    pub found: Found,
    /// How it stands there, and as of when; `None` where it was not asked or did not answer.
    pub reading: Option<Reading>,
}

/// What became of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matched {
    /// It stands in the ledger.
    Recorded,
    /// No code that is out answers to it; it is kept and tried again.
    Kept,
}

/// A report as its row keeps it.
#[derive(Serialize, Deserialize)]
struct Written {
    kind: String,
    reference: String,
    at_ms: i64,
    store: Option<String>,
    order: Option<String>,
    amount: Option<i64>,
    currency: Option<String>,
}

impl Engine {
    /// The system that honours the codes of a campaign, where this process has it.
    #[must_use]
    pub fn peer_of(&self, campaign: &Campaign) -> Option<Arc<Guarded>> {
        match &campaign.authority {
            Authority::Here => None,
            Authority::Peer(terms) => self.parts().peers.get(&terms.name).cloned(),
        }
    }

    /// Asks the system that honours a code how it stands, for at most `within`, and records what we did not know. Its
    /// cache may answer; a system that does not answer changes nothing.
    ///
    /// # Errors
    /// As [`Engine::settle`].
    pub async fn see(&self, found: Found, within: StdDuration) -> Result<Seen, EngineError> {
        let spot = found.issued.held.spot;
        let Some(peer) = self.peer_of(&found.campaign) else {
            return Ok(Seen { found, reading: None });
        };
        let Some(code) = self.code_at(spot).await? else {
            return Ok(Seen { found, reading: None });
        };
        let trail = Noted::default();
        let readings = peer.validate(std::slice::from_ref(&code), &CallContext::new(self.now(), within, &trail)).await;
        self.remember((spot.campaign, spot.pool), &[(spot.position, code)], trail.take());
        let Some(Ok(reading)) = readings.into_iter().next() else {
            return Ok(Seen { found, reading: None });
        };
        let changed = self.believe(&found, peer.name(), &reading).await?;
        let found = if changed { self.find_spot(spot).await?.unwrap_or(found) } else { found };
        Ok(Seen { found, reading: Some(reading) })
    }

    /// A message that says "the same code again", as the system that honours the code has it by now.
    pub(super) async fn as_seen(&self, message: &NewMessage) -> Result<NewMessage, EngineError> {
        let mut message = message.clone();
        let spot = message.spot.filter(|_| message.reply == ReplyId::T02RepeatUnused);
        let Some(found) = (match spot {
            Some(spot) => self.find_spot(spot).await?,
            None => None,
        }) else {
            return Ok(message);
        };
        if self.peer_of(&found.campaign).is_none() {
            return Ok(message);
        }
        let held = self.see(found, BRIEF).await?.found.issued.held;
        message.reply = repeat_text(held.state(self.now()));
        message.params.at = held.open_redemption().map(|event| millis(event.at));
        Ok(message)
    }

    /// Records what a reading says and our ledger does not; whether there was anything.
    pub(super) async fn believe(&self, found: &Found, peer: &str, reading: &Reading) -> Result<bool, EngineError> {
        let held = &found.issued.held;
        let Some((kind, reference, at)) = news(held, reading) else {
            return Ok(false);
        };
        let Spot { campaign, pool, position } = held.spot;
        // The same news of the same state is one request, whoever sees it first.
        let key = format!("{SIGHT}{}-{pool}-{position}-{}", campaign.0, held.next_step());
        let said = Said {
            peer: peer.to_owned(),
            kind,
            reference: reference.unwrap_or_else(|| key.clone()),
            at,
            store: None,
            order: None,
            amount: None,
            currency: None,
        };
        self.record_said(found, key, said).await?;
        Ok(true)
    }

    async fn record_said(&self, found: &Found, key: String, said: Said) -> Result<(), EngineError> {
        let spot = found.issued.held.spot;
        let request = RequestId { door: format!("peer-{}", said.peer), key };
        // A report that comes again with other words is still that report: the first one stands.
        let fingerprint = fingerprint(&[request.key.as_bytes()]);
        let act = act_on(&found.issued, request, fingerprint, Ask::Said(spot, said));
        self.settle(act).await.map(drop)
    }

    /// Takes a report of a system.
    ///
    /// # Errors
    /// As [`Engine::settle`]; it may then be sent again.
    pub async fn take_peer_event(&self, peer: &Guarded, event: &PeerEvent) -> Result<Matched, EngineError> {
        peer.forget(&event.code).await;
        let Some(said) = said(peer.name(), event) else {
            return Ok(Matched::Recorded);
        };
        let taken = self.take_said(&event.event_id, &event.code, said.clone()).await?;
        if taken == Matched::Kept {
            let kept = KeptEvent {
                peer: said.peer.clone(),
                event_id: event.event_id.clone(),
                code_norm: event.code.norm().expose().to_owned(),
                event: written(&said),
            };
            self.parts().store.keep_peer_event(&kept, self.now()).await?;
        }
        Ok(taken)
    }

    async fn take_said(&self, event_id: &str, code: &Code, said: Said) -> Result<Matched, EngineError> {
        let Some(spot) = self.spot_of(&code.norm()).await? else {
            return Ok(Matched::Kept);
        };
        let catalog = self.catalog();
        let campaign = catalog.campaigns.get(&spot.campaign);
        let is_theirs = campaign.is_some_and(|campaign| match &campaign.authority {
            Authority::Here => false,
            Authority::Peer(terms) => terms.name == said.peer,
        });
        let (Some(campaign), true) = (campaign, is_theirs) else {
            return Ok(Matched::Kept);
        };
        let Some(found) = self.find_spot(spot).await? else {
            if said.kind == EventKind::Redeemed {
                self.leaked(campaign, spot, &said.peer).await?;
            }
            return Ok(Matched::Kept);
        };
        self.record_said(&found, event_id.to_owned(), said).await?;
        Ok(Matched::Recorded)
    }

    /// A code that nobody was given was used: it is put aside, so that nobody is given it now. One that waits in a pull
    /// is its partner's trouble too.
    async fn leaked(&self, campaign: &Campaign, spot: Spot, peer: &str) -> Result<(), EngineError> {
        let pull = self.parts().store.pull_that_waits(spot).await?;
        if pull.is_some() {
            return self.tell(Ask::Stray(Stray { spot, who: peer.to_owned(), pull })).await;
        }
        let verdict = [(spot.position, Verdict::Dead("already_redeemed".to_owned()))].into();
        let detail = format!("the code at position {} was used and never given out", spot.position);
        let leak = Alert { kind: AlertKind::LeakSuspected, about: format!("campaign {}", campaign.name), detail };
        self.settle_verdicts((spot.campaign, spot.pool), &verdict, Some(&leak)).await.map(drop)
    }

    /// Tries reports again whose code was not known; how many found it.
    ///
    /// # Errors
    /// As [`Engine::settle`].
    pub async fn match_kept_events(&self) -> Result<u64, EngineError> {
        let now = self.now();
        let store = &self.parts().store;
        let mut matched = 0;
        for kept in store.kept_peer_events(now - Duration::days(KEPT_DAYS), REMATCHED).await? {
            let said = read(&kept.peer, &kept.event);
            let (Some(said), Ok(code)) = (said, Code::parse(&kept.code_norm)) else {
                continue;
            };
            if self.take_said(&kept.event_id, &code, said).await? == Matched::Recorded {
                store.settle_peer_event(&kept.peer, &kept.event_id, now).await?;
                matched += 1;
            }
        }
        Ok(matched)
    }

    /// Reads one page of a system's feed; whether there is more.
    ///
    /// # Errors
    /// As [`Engine::settle`]; what the system answers is no error, it is asked again later.
    pub async fn poll_peer(&self, peer: &Guarded) -> Result<bool, EngineError> {
        let store = &self.parts().store;
        let after = store.peer_cursor(peer.name()).await?;
        let context = CallContext::unrecorded(self.now(), PATIENCE);
        let Ok(page) = peer.poll_events(after.as_deref(), &context).await else {
            return Ok(false);
        };
        for event in page.events.iter().flatten() {
            self.take_peer_event(peer, event).await?;
        }
        if let Some(next) = &page.next {
            store.move_peer_cursor(peer.name(), next, self.now()).await?;
        }
        Ok(page.more)
    }

    /// Asks a system about codes of a campaign that are out: 1, 6 and 24 hours after they were given, then daily. How
    /// many were asked about.
    ///
    /// # Errors
    /// As [`Engine::settle`]; what the system answers is no error, it is asked again later.
    pub async fn check_issued(&self, campaign: &Campaign, peer: &Guarded) -> Result<usize, EngineError> {
        let now = self.now();
        let store = &self.parts().store;
        let due = store.due_checks(campaign.id, now, peer.lot()).await?;
        let mut asked = Vec::with_capacity(due.len());
        for check in due {
            match (self.find_spot(check.spot).await?, self.code_at(check.spot).await?) {
                (Some(found), Some(code)) => asked.push((check, found, code)),
                _ => store.next_check(check.spot, None).await?,
            }
        }
        let codes: Vec<_> = asked.iter().map(|(_, _, code)| code.clone()).collect();
        if codes.is_empty() {
            return Ok(0);
        }
        let readings = peer.validate(&codes, &CallContext::unrecorded(now, PATIENCE)).await;
        let mut answered = 0;
        for ((check, found, _), reading) in asked.iter().zip(readings) {
            let Ok(reading) = reading else { continue };
            self.believe(found, peer.name(), &reading).await?;
            store.next_check(check.spot, next_check(check, &found.issued.held, now)).await?;
            answered += 1;
        }
        Ok(answered)
    }
}

/// When a code is asked about again.
fn next_check(check: &DueCheck, held: &Held, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let wait = match check.looks {
        0 => Duration::hours(5),
        1 => Duration::hours(18),
        _ => Duration::hours(24),
    };
    let last = held.expires_at.map_or(held.issued_at + AT_MOST, |end| end + AFTER_END);
    Some(now + wait).filter(|next| *next <= last)
}

/// What a reading says that our ledger does not: what became of the code, under which name, and when.
fn news(held: &Held, reading: &Reading) -> Option<(EventKind, Option<String>, DateTime<Utc>)> {
    let open = held.open_redemption();
    let has = |kind| held.events.iter().any(|one| one.kind == kind);
    match &reading.status {
        Status::Redeemed { at, redemption_id } if open.is_none() => {
            Some((EventKind::Redeemed, redemption_id.clone(), at.unwrap_or(reading.as_of)))
        }
        Status::Expired(at) if !has(EventKind::Expired) && !held.is_past(reading.as_of) => {
            Some((EventKind::Expired, None, at.unwrap_or(reading.as_of)))
        }
        Status::Disabled if !has(EventKind::Voided) => Some((EventKind::Voided, None, reading.as_of)),
        // Only a system that is never behind can say that a use was taken back.
        Status::Valid if reading.authority == Word::Strong => {
            let open = open.filter(|open| open.at < reading.as_of)?;
            Some((EventKind::RolledBack, Some(open.provider_ref.clone()), reading.as_of))
        }
        Status::Valid
        | Status::Conditional(_)
        | Status::NotYetActive(_)
        | Status::Expired(_)
        | Status::Redeemed { .. }
        | Status::Disabled
        | Status::Unknown
        | Status::Locked
        | Status::IssuedElsewhere => None,
    }
}

/// What a report says, in our words; `None` when it says nothing of use or end.
fn said(peer: &str, event: &PeerEvent) -> Option<Said> {
    let kind = match &event.kind {
        Told::Redeemed | Told::StateChanged(Some(Status::Redeemed { .. })) => EventKind::Redeemed,
        Told::RolledBack => EventKind::RolledBack,
        Told::StateChanged(Some(Status::Expired(_))) => EventKind::Expired,
        Told::StateChanged(Some(Status::Disabled)) => EventKind::Voided,
        Told::StateChanged(_) => return None,
    };
    let money = event.amount.as_ref();
    Some(Said {
        peer: peer.to_owned(),
        kind,
        reference: event.redemption_id.clone().unwrap_or_else(|| event.event_id.clone()),
        at: event.at,
        store: event.store.clone(),
        order: event.order.clone(),
        amount: money.map(|money| money.minor),
        currency: money.map(|money| money.currency.as_str().to_owned()),
    })
}

fn written(said: &Said) -> String {
    let Said { peer: _, kind, reference, at, store, order, amount, currency } = said.clone();
    let written =
        Written { kind: kind.word().to_owned(), reference, at_ms: millis(at), store, order, amount, currency };
    serde_json::to_string(&written).unwrap_or_default()
}

fn read(peer: &str, event: &str) -> Option<Said> {
    let Written { kind, reference, at_ms, store, order, amount, currency } = serde_json::from_str(event).ok()?;
    let (kind, at) = (EventKind::parse(&kind)?, from_millis(at_ms));
    Some(Said { peer: peer.to_owned(), kind, reference, at, store, order, amount, currency })
}
