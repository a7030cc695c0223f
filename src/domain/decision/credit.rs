//! Whose merit a code is: what a partner may ask for, what it hears of, and who only helped.

use super::{Trace, Work};
use crate::domain::act::{Act, Ask, Deliver, Look};
use crate::domain::campaign::{Attribution, Campaign, Partnership};
use crate::domain::decision::changes::{Assists, EventRow, FeedRow, NewMessage, Params};
use crate::domain::decision::outcome::{Bar, Outcome};
use crate::domain::ids::{CampaignId, PartnerId, Spot};
use crate::domain::partner::{PartnerScope, PartnerStatus};
use crate::domain::reply::ReplyId;
use crate::domain::till::TillRefusal;
use crate::domain::world::{EventKind, Held};
use serde::Serialize;

/// What a partner is told of a step of a code, beside its name.
#[derive(Serialize)]
struct StepData<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    redemption_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    store: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<&'a str>,
}

impl Work<'_> {
    /// Whether the partner who asks may not, by its terms as they are under its lock.
    pub(super) fn bar(&self, ask: &Ask) -> Option<Bar> {
        let (campaign, from, scope) = match ask {
            Ask::Issue(campaign, from, _) => (*campaign, from, PartnerScope::Issue),
            Ask::Allocate(campaign, pull) => (*campaign, &pull.from, PartnerScope::Bulk),
            Ask::Lease(..)
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
            | Ask::Excuse(..)
            | Ask::Message(_)
            | Ask::Raise(_)
            | Ask::Opened(_)
            | Ask::Stray(..)
            | Ask::RunsLow(_)
            | Ask::Clear(..) => return None,
        };
        let by = from.partner?;
        let Some(terms) = self.world.partners.get(&by.id) else {
            return Some(Bar::NotGranted);
        };
        match terms.status {
            PartnerStatus::Suspended => Some(Bar::Suspended),
            PartnerStatus::Active if !terms.allows(scope) => Some(Bar::Scope(scope)),
            PartnerStatus::Active if !terms.grants.contains_key(&campaign) => Some(Bar::NotGranted),
            PartnerStatus::Active => None,
        }
    }

    /// The attribution with the version of the partner's terms that this batch holds the lock of.
    pub(super) fn signed(&self, from: &Attribution) -> Attribution {
        let version = |by: Partnership| self.world.partners.get(&by.id).map_or(by.version, |terms| terms.version);
        let partner = from.partner.map(|by| Partnership { version: version(by), ..by });
        Attribution { partner, ..from.clone() }
    }

    /// Whether a code that a person has may be shown to whoever asks: to everybody, but a partner sees what it did not
    /// give only where the campaign says so.
    pub(super) fn may_see(campaign: &Campaign, from: &Attribution, theirs: &Attribution) -> bool {
        let Some(by) = from.partner else {
            return true;
        };
        theirs.partner.is_some_and(|other| other.id == by.id) || campaign.partners.shows_others_codes
    }

    /// Whose merit the code of a repeat is not.
    pub(super) fn assists(&self, act: &Act, outcome: &Outcome, from: &Attribution) -> Assists {
        let own = act.who.as_ref().is_some_and(|who| self.is_own(from.creator, who.subject));
        let Outcome::Repeat(spot, _) = outcome else {
            return Assists { own, ..Assists::default() };
        };
        let person = act.who.as_ref().and_then(|who| self.world.persons.get(&who.subject));
        let Some(held) = person.and_then(|person| person.held.iter().find(|held| held.spot == *spot)) else {
            return Assists { own, ..Assists::default() };
        };
        let id = |by: Option<Partnership>| by.map(|by| by.id);
        Assists { partner: id(held.from.partner) != id(from.partner), creator: held.from.creator != from.creator, own }
    }

    /// Sends a partner's customer her new code by text, from the campaign's number.
    pub(super) fn deliver(
        &mut self,
        act: &Act,
        campaign: &Campaign,
        deliver: Deliver,
        outcome: &Outcome,
        trace: &mut Trace,
    ) {
        let (Deliver::BySms, Outcome::Issued(spot), Some(who)) = (deliver, outcome, &act.who) else {
            return;
        };
        let Some((sender, word)) = self.catalog.word_of(campaign.id) else {
            return;
        };
        trace.replied = true;
        self.send(NewMessage {
            id: act.id,
            subject: who.subject,
            sender,
            reply: ReplyId::T01FirstIssue,
            campaign: Some(campaign.id),
            spot: Some(*spot),
            params: Params { word: Some(word), ..Params::default() },
            request: act.request.clone(),
            created_at: self.world.now,
        });
    }

    /// Somebody looked at a code: counted once a window, which its request key names.
    pub(super) fn look(&mut self, act: &Act, spot: Spot, look: Look, trace: &mut Trace) -> Outcome {
        trace.kind = look.word();
        trace.campaign = Some(spot.campaign);
        let Some((_, held)) = self.held(act, spot) else {
            return Outcome::Declined(spot, TillRefusal::UnknownCode);
        };
        trace.from = Some(held.from.clone());
        self.tell_partner(held.from.partner, look.word(), spot.campaign, Some(spot), "{}".to_owned());
        Outcome::Looked(spot, look)
    }

    /// A new code is its partner's news.
    pub(super) fn tell_issued(&mut self, held: &Held) {
        self.tell_partner(held.from.partner, "issued", held.spot.campaign, Some(held.spot), "{}".to_owned());
    }

    /// A code took a step, which may undo some of a `sale`: its partner hears of it.
    pub(super) fn tell_of(&mut self, partner: Option<Partnership>, row: &EventRow, sale: Option<String>) {
        let own = || Some(row.event.provider_ref.clone());
        let (kind, redemption) = match row.event.kind {
            EventKind::Redeemed => ("redeemed", own()),
            EventKind::RolledBack => ("rolled_back", own()),
            EventKind::Refunded => ("refunded", sale),
            EventKind::Voided | EventKind::Expired => ("voided", None),
            EventKind::Returned => ("returned", None),
        };
        let data = StepData {
            redemption_id: redemption.as_deref(),
            store: row.event.store.as_deref(),
            order: row.order.as_deref(),
            amount: row.event.amount,
            currency: row.currency.as_deref(),
        };
        let data = serde_json::to_string(&data).unwrap_or_else(|_| "{}".to_owned());
        self.tell_partner(partner, kind, row.spot.campaign, Some(row.spot), data);
    }

    /// Adds a numbered event to a partner's feed, whose counter this batch has locked.
    pub(super) fn tell_partner(
        &mut self,
        partner: Option<Partnership>,
        kind: &'static str,
        campaign: CampaignId,
        spot: Option<Spot>,
        data: String,
    ) {
        if let Some(by) = partner {
            self.tell_id(by.id, kind, campaign, spot, data);
        }
    }

    /// As [`Work::tell_partner`], by number.
    pub(super) fn tell_id(
        &mut self,
        partner: PartnerId,
        kind: &'static str,
        campaign: CampaignId,
        spot: Option<Spot>,
        data: String,
    ) {
        let Some(last) = self.world.feeds.get_mut(&partner) else {
            return;
        };
        *last += 1;
        let event_no = *last;
        self.changes.feeds.insert(partner, event_no);
        let at = self.world.now;
        self.changes.feed.push(FeedRow { partner, event_no, kind, at, campaign, spot, data });
    }
}
