//! Promises without a position: made when no verified code is there, kept in order as codes come.

use super::issue::Fit;
use super::{Trace, Work};
use crate::domain::act::{Act, Who};
use crate::domain::campaign::{Attribution, Authority, Campaign, Status};
use crate::domain::decision::changes::{NewMessage, Params};
use crate::domain::decision::outcome::{Outcome, Told};
use crate::domain::hold::{Hold, HoldId, HoldStep};
use crate::domain::ids::CampaignId;
use crate::domain::reply::ReplyId;
use crate::domain::world::Person;

impl Work<'_> {
    /// The open promise of a person in a campaign.
    pub(super) fn open_hold(&self, who: &Who, campaign: CampaignId) -> Option<Hold> {
        let person = self.world.persons.get(&who.subject)?;
        person.holds.iter().find(|hold| hold.campaign == campaign && hold.epoch == person.epoch).cloned()
    }

    /// She asks while a promise is open: it is kept now if it can be, else it stands.
    pub(super) fn asked_again(&mut self, campaign: &Campaign, who: &Who, hold: &Hold) -> Outcome {
        if hold.is_muted {
            self.step_hold(who, hold.id, HoldStep::Unmuted);
        }
        if campaign.status == Status::Live
            && let Some(outcome) = self.keep(campaign, who, hold)
        {
            return outcome;
        }
        Outcome::Held(hold.id)
    }

    /// Makes a promise and counts it; everything was checked.
    pub(super) fn hold(
        &mut self,
        act: &Act,
        campaign: &Campaign,
        who: &Who,
        from: &Attribution,
        fit: &Fit<'_>,
    ) -> Outcome {
        let now = self.world.now;
        self.charge(&fit.charges);
        let key = (campaign.id, fit.pool.pool_no);
        self.leave_stock(key);
        let person = self.person(who.subject);
        let hold = Hold {
            id: HoldId(act.id),
            campaign: campaign.id,
            pool_no: fit.pool.pool_no,
            epoch: person.epoch,
            seq: next_seq(person, campaign.id),
            offer_no: fit.offer.offer_no,
            version: campaign.version,
            weight: fit.offer.max_discount.unwrap_or(0),
            from: from.clone(),
            held_at: now,
            is_muted: false,
            late_at: None,
        };
        person.holds.push(hold.clone());
        let id = hold.id;
        self.changes.holds.push((who.subject, hold));
        Outcome::Held(id)
    }

    /// Keeps a promise if it can be kept now; `None` writes nothing, and it is tried again later.
    pub(super) fn fulfil(&mut self, act: &Act, campaign: CampaignId, id: HoldId, trace: &mut Trace) -> Option<Outcome> {
        let who = act.who.as_ref()?;
        let campaign = self.campaign(campaign)?;
        let person = self.world.persons.get(&who.subject)?;
        let (epoch, hold) = (person.epoch, person.holds.iter().find(|hold| hold.id == id)?.clone());
        trace.kind = "fulfil";
        trace.campaign = Some(campaign.id);
        trace.from = Some(hold.from.clone());
        trace.word.clone_from(&hold.from.keyword);
        if hold.epoch != epoch || campaign.status == Status::Ended {
            self.lapse(who, &hold);
            return Some(Outcome::Told(Told::Lapsed));
        }
        if hold.is_muted || campaign.status == Status::Paused {
            return None;
        }
        let outcome = self.keep(&campaign, who, &hold)?;
        self.tell(act, &hold, ReplyId::T01FirstIssue, &outcome, trace);
        Some(outcome)
    }

    /// Tells a person once that her code takes longer; the promise stands. `None` when there is nothing to tell.
    pub(super) fn excuse(&mut self, act: &Act, campaign: CampaignId, id: HoldId, trace: &mut Trace) -> Option<Outcome> {
        let who = act.who.as_ref()?;
        let person = self.world.persons.get(&who.subject)?;
        let hold = person.holds.iter().find(|hold| hold.id == id && hold.late_at.is_none())?.clone();
        trace.kind = "late";
        trace.campaign = Some(campaign);
        trace.from = Some(hold.from.clone());
        trace.word.clone_from(&hold.from.keyword);
        self.step_hold(who, id, HoldStep::Late(self.world.now));
        let outcome = Outcome::Held(id);
        if !hold.is_muted {
            self.tell(act, &hold, ReplyId::T17Late, &outcome, trace);
        }
        Some(outcome)
    }

    /// STOP: nothing that she is promised is sent until she asks again.
    pub(super) fn mute_holds(&mut self, who: &Who, brand: &str) {
        let senders = &self.catalog.senders;
        let is_of_brand = |hold: &&Hold| {
            let sender = hold.from.sender.and_then(|sender| senders.get(&sender));
            !hold.is_muted && sender.is_some_and(|sender| sender.brand == brand)
        };
        let holds = self.world.persons.get(&who.subject).map_or(&[][..], |person| &person.holds);
        let open: Vec<_> = holds.iter().filter(is_of_brand).map(|hold| hold.id).collect();
        for id in open {
            self.step_hold(who, id, HoldStep::Muted);
        }
    }

    fn keep(&mut self, campaign: &Campaign, who: &Who, hold: &Hold) -> Option<Outcome> {
        self.lowest(campaign.id, hold.pool_no)?;
        let now = self.world.now;
        let position = self.next_position(campaign.id, hold.pool_no);
        let code = hold.issued(position, now, campaign.expiry.of(now));
        let spot = code.spot;
        self.give(campaign, who.subject, code);
        self.step_hold(who, hold.id, HoldStep::Fulfilled(spot, now));
        Some(Outcome::Issued(spot))
    }

    fn lapse(&mut self, who: &Who, hold: &Hold) {
        let key = (hold.campaign, hold.pool_no);
        if let Some(in_stock) = self.world.in_stock.get_mut(&key) {
            *in_stock += 1;
        }
        *self.changes.taken.entry(key).or_default() -= 1;
        self.step_hold(who, hold.id, HoldStep::Lapsed(self.world.now));
    }

    fn step_hold(&mut self, who: &Who, id: HoldId, step: HoldStep) {
        let holds = &mut self.person(who.subject).holds;
        match step {
            HoldStep::Fulfilled(..) | HoldStep::Lapsed(_) => holds.retain(|hold| hold.id != id),
            HoldStep::Late(at) => {
                holds.iter_mut().filter(|hold| hold.id == id).for_each(|hold| hold.late_at = Some(at));
            }
            HoldStep::Muted | HoldStep::Unmuted => {
                let is_muted = step == HoldStep::Muted;
                holds.iter_mut().filter(|hold| hold.id == id).for_each(|hold| hold.is_muted = is_muted);
            }
        }
        self.changes.hold_steps.entry(id).or_default().step(step);
    }

    fn tell(&mut self, act: &Act, hold: &Hold, reply: ReplyId, outcome: &Outcome, trace: &mut Trace) {
        let (Some(who), Some(sender)) = (&act.who, hold.from.sender) else {
            return;
        };
        trace.replied = true;
        self.send(NewMessage {
            id: act.id,
            subject: who.subject,
            sender,
            reply,
            campaign: Some(hold.campaign),
            spot: outcome.spot(),
            params: Params { word: hold.from.keyword.clone(), ..Params::default() },
            request: act.request.clone(),
            created_at: self.world.now,
        });
    }
}

/// Whether the codes of a campaign are another system's.
pub(super) fn is_peers(campaign: &Campaign) -> bool {
    match campaign.authority {
        Authority::Here => false,
        Authority::Peer(_) => true,
    }
}

/// Her next number in a campaign, promises counted.
pub(super) fn next_seq(person: &Person, campaign: CampaignId) -> u32 {
    let held = person.held.iter().filter(|held| held.spot.campaign == campaign && held.epoch == person.epoch);
    let holds = person.holds.iter().filter(|hold| hold.campaign == campaign && hold.epoch == person.epoch);
    held.map(|held| held.seq).chain(holds.map(|hold| hold.seq)).max().unwrap_or(0) + 1
}
