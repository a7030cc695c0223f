//! The one place that decides: a pure function from what was read under the locks to what is written.

pub mod changes;
mod claim;
mod conversation;
mod creator;
mod credit;
mod handover;
mod hold;
mod issue;
mod leak;
mod lease;
mod message;
pub mod outcome;
mod said;
mod sale;
#[cfg(test)]
mod tests;
mod text;

pub use issue::repeat_text;
pub use leak::STRANGERS;
pub use said::SIGHT;

use crate::domain::act::{Act, Ask, NumberRange};
use crate::domain::campaign::{Attribution, Campaign, Channel};
use crate::domain::catalog::Catalog;
use crate::domain::decision::changes::{AlertChange, Changes, RequestRow};
use crate::domain::decision::outcome::{Bar, Outcome, Told};
use crate::domain::ids::{CampaignId, SenderId, Subject};
use crate::domain::world::{Person, Stored, World};
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// The answer to one act.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Decided now, or at the first time it was asked; and when.
    Made(Outcome, DateTime<Utc>),
    /// The key was used for something else.
    KeyReused,
    /// The partner may not ask; nothing was written.
    Barred(Bar),
}

/// What one act leaves beside its outcome: the columns of its request row that only its path knows.
#[derive(Debug, Clone, Default, PartialEq)]
struct Trace {
    kind: &'static str,
    campaign: Option<CampaignId>,
    from: Option<Attribution>,
    word: Option<String>,
    replied: bool,
    amount: Option<i64>,
    commission: i64,
}

/// Decides a batch, in order of arrival.
///
/// Same key, same answer; every cap is checked before anything is counted; refusals consume nothing. What one act
/// takes, the next one finds taken.
#[must_use]
pub fn decide(catalog: &Catalog, world: World, acts: &[&Act]) -> (Vec<Decision>, Changes) {
    let mut work = Work { catalog, world, changes: Changes::default(), range: None };
    let decisions = acts.iter().map(|act| work.act(act)).collect();
    (decisions, work.changes)
}

struct Work<'a> {
    catalog: &'a Catalog,
    world: World,
    changes: Changes,
    /// The numbers that the text in hand came from, where bursts of neighbours matter.
    range: Option<(SenderId, NumberRange)>,
}

impl Work<'_> {
    fn act(&mut self, act: &Act) -> Decision {
        if self.note(act) {
            return Decision::Made(Outcome::Noted, self.world.now);
        }
        if let Some(stored) = self.world.requests.get(&act.request) {
            let same = stored.fingerprint == act.fingerprint;
            return if same { Decision::Made(stored.outcome.clone(), stored.at) } else { Decision::KeyReused };
        }
        if let Some(bar) = self.bar(&act.ask) {
            return Decision::Barred(bar);
        }
        let mut trace = Trace::default();
        self.range = None;
        let Some(outcome) = self.fresh(act, &mut trace) else {
            return Decision::Made(Outcome::Noted, self.world.now);
        };
        self.record(act, &outcome, trace);
        Decision::Made(outcome, self.world.now)
    }

    /// Writes down what has no request row; `false` for everything that has one.
    fn note(&mut self, act: &Act) -> bool {
        let now = self.world.now;
        match &act.ask {
            Ask::Message(step) => self.message(act, step),
            Ask::Raise(alert) => self.changes.raise(alert.clone(), now),
            Ask::Clear(kind, about) => {
                self.changes.alerts.insert((*kind, about.clone()), AlertChange::Cleared(now));
            }
            Ask::Opened(openings) => {
                for (key, n) in openings {
                    *self.changes.openings.entry(key.clone()).or_default() += n;
                }
            }
            Ask::Stray(stray) => self.stray(act, stray),
            Ask::RunsLow(low) => self.runs_low(low),
            Ask::Issue(..)
            | Ask::Allocate(..)
            | Ask::Lease(..)
            | Ask::Looked(..)
            | Ask::Prove(_)
            | Ask::Claim(_)
            | Ask::Text(_)
            | Ask::Redeem(..)
            | Ask::Rollback(..)
            | Ask::Void(..)
            | Ask::Said(..)
            | Ask::HandOver(_)
            | Ask::Fulfil(..)
            | Ask::Excuse(..) => return false,
        }
        true
    }

    /// Decides what was never asked; `None` leaves no trace and may be asked again.
    fn fresh(&mut self, act: &Act, trace: &mut Trace) -> Option<Outcome> {
        Some(match &act.ask {
            Ask::Issue(campaign, from, deliver) => {
                let from = &self.signed(from);
                trace.kind = "issue";
                trace.from = Some(from.clone());
                let Some(campaign) = self.campaign(*campaign) else {
                    return Some(Outcome::Told(Told::Unknown));
                };
                let Some(who) = &act.who else {
                    return Some(Outcome::Told(Told::Ignored));
                };
                trace.campaign = Some(campaign.id);
                let outcome = self.issue(act, &campaign, who, from);
                self.deliver(act, &campaign, *deliver, &outcome, trace);
                outcome
            }
            Ask::Allocate(campaign, pull) => self.allocate(act, *campaign, pull, trace),
            Ask::Lease(lease, step) => return self.lease(act, lease, step, trace),
            Ask::Looked(spot, look) => self.look(act, *spot, *look, trace),
            Ask::Prove(ask) => self.prove(act, ask, trace),
            Ask::Claim(claim) => self.claim(act, claim, trace),
            Ask::Text(text) => self.text(act, text, trace),
            Ask::Redeem(spot, shown) => self.redeem(act, *spot, shown, trace),
            Ask::Rollback(spot, undo) => self.roll_back(act, *spot, undo, trace),
            Ask::Void(spot, reason) => self.void(act, *spot, reason, trace),
            Ask::HandOver(over) => self.hand_over(act, over, trace),
            Ask::Said(spot, said) => self.said(act, *spot, said, trace),
            Ask::Fulfil(campaign, hold) => return self.fulfil(act, *campaign, *hold, trace),
            Ask::Excuse(campaign, hold) => return self.excuse(act, *campaign, *hold, trace),
            Ask::Message(_) | Ask::Raise(_) | Ask::Clear(..) | Ask::Opened(_) | Ask::Stray(..) | Ask::RunsLow(_) => {
                return None;
            }
        })
    }

    fn record(&mut self, act: &Act, outcome: &Outcome, trace: Trace) {
        let now = self.world.now;
        let stored = Stored { fingerprint: act.fingerprint, at: now, outcome: outcome.clone() };
        self.world.requests.insert(act.request.clone(), stored);
        let from = trace.from.unwrap_or_else(|| Attribution::by(Channel::Sms));
        let assists = self.assists(act, outcome, &from);
        let row = RequestRow {
            request: act.request.clone(),
            fingerprint: act.fingerprint,
            received_at: now,
            subject: act.who.as_ref().map(|who| who.subject),
            kind: trace.kind,
            record: outcome.record(),
            campaign: trace.campaign,
            from,
            word: trace.word,
            replied: trace.replied,
            amount: trace.amount,
            commission: trace.commission,
            assists,
        };
        self.changes.count(&row);
        self.changes.requests.push(row);
    }

    fn campaign(&self, id: CampaignId) -> Option<Arc<Campaign>> {
        self.catalog.campaigns.get(&id).cloned()
    }

    fn person(&mut self, subject: Subject) -> &mut Person {
        self.world.persons.entry(subject).or_default()
    }
}
