//! Redeem, roll back, void: what may become of a code, under its holder's lock.

use super::{Trace, Work};
use crate::domain::act::{Act, PeerAnswer, Presented, Undo};
use crate::domain::creator::Commission;
use crate::domain::decision::changes::EventRow;
use crate::domain::decision::outcome::Outcome;
use crate::domain::ids::Spot;
use crate::domain::till::{TillRefusal, judge};
use crate::domain::world::{Event, EventKind, Held, HeldState, Whose};
use std::fmt::Write;

impl Work<'_> {
    /// A till accepts a code, once.
    pub(super) fn redeem(&mut self, act: &Act, spot: Spot, shown: &Presented, trace: &mut Trace) -> Outcome {
        trace.kind = "redeem";
        trace.campaign = Some(spot.campaign);
        let now = self.world.now;
        let Some((holder, held)) = self.held(act, spot) else {
            return Outcome::Declined(spot, TillRefusal::UnknownCode);
        };
        trace.from = Some(held.from.clone());
        match &shown.peer {
            Some(PeerAnswer::Accepted { peer, redemption }) => {
                return self.accepted((holder, &held), (peer, redemption), shown, trace);
            }
            Some(PeerAnswer::Refused(why)) => {
                self.in_vain(act, (holder, &held), shown, *why);
                return Outcome::Declined(spot, *why);
            }
            None => {}
        }
        let Some(campaign) = self.campaign(spot.campaign) else {
            return Outcome::Declined(spot, TillRefusal::UnknownCode);
        };
        if let Err(why) = judge(&campaign, &held, holder, shown, now) {
            self.in_vain(act, (holder, &held), shown, why);
            return Outcome::Declined(spot, why);
        }
        trace.amount = shown.amount;
        let commission = self.earned(holder, &held, shown.amount);
        trace.commission = commission.unwrap_or(0);
        let id = act_name("rd_", act);
        let mut row = EventRow::new(spot, held.next_step(), EventKind::Redeemed, now, id.clone());
        row.event.store.clone_from(&shown.store);
        row.event.amount = shown.amount;
        row.event.commission = commission;
        row.order.clone_from(&shown.order);
        row.currency.clone_from(&shown.currency);
        self.happen(holder, row);
        self.changes.outstand(&held, -1);
        Outcome::Redeemed(spot, id)
    }

    /// A till takes a redemption back; asked again, the answer is the same.
    pub(super) fn roll_back(&mut self, act: &Act, spot: Spot, undo: &Undo, trace: &mut Trace) -> Outcome {
        trace.kind = "rollback";
        trace.campaign = Some(spot.campaign);
        let now = self.world.now;
        let Some((holder, held)) = self.held(act, spot) else {
            return Outcome::Declined(spot, TillRefusal::UnknownCode);
        };
        trace.from = Some(held.from.clone());
        let back = Outcome::RolledBack(spot, undo.redemption.clone());
        if let Some(amount) = undo.refund {
            return self.refund(act, (holder, &held), (undo, amount), trace);
        }
        let Some(open) = held.open_redemption().filter(|event| event.provider_ref == undo.redemption) else {
            let known = held
                .events
                .iter()
                .any(|event| event.kind == EventKind::Redeemed && event.provider_ref == undo.redemption);
            return if known { back } else { Outcome::Declined(spot, TillRefusal::UnknownCode) };
        };
        let (amount, commission) = held.left(open);
        trace.amount = amount.map(|amount| -amount);
        trace.commission = -commission.unwrap_or(0);
        let step = held.next_step();
        let mut row = EventRow::new(spot, step, EventKind::RolledBack, now, undo.redemption.clone());
        row.event.reverses = Some(open.step);
        row.event.amount = amount;
        row.event.commission = commission;
        row.reason = Some(undo.reason.clone());
        row.provider.clone_from(&undo.provider);
        let mut after = held.clone();
        after.events.push(row.event.clone());
        self.happen(holder, row);
        if after.is_outstanding() {
            self.changes.outstand(&held, 1);
        }
        back
    }

    /// A till gave some of the money back: what a creator earned by it shrinks in proportion, and the code stays used.
    fn refund(
        &mut self,
        act: &Act,
        (holder, held): (Whose, &Held),
        (undo, amount): (&Undo, i64),
        trace: &mut Trace,
    ) -> Outcome {
        let spot = held.spot;
        let is_it = |event: &&Event| event.kind == EventKind::Redeemed && event.provider_ref == undo.redemption;
        let Some(sale) = held.events.iter().find(is_it) else {
            return Outcome::Declined(spot, TillRefusal::UnknownCode);
        };
        let is_open = held.open_redemption().is_some_and(|open| open.step == sale.step);
        let (left, kept) = held.left(sale);
        let (Some(all), Some(left)) = (sale.amount, left.filter(|left| is_open && amount <= *left)) else {
            return Outcome::Declined(spot, TillRefusal::ConditionsNotMet);
        };
        let refunded = all - left + amount;
        let lost = sale.commission.zip(kept).map(|(earned, kept)| kept - Commission::kept(earned, all, refunded));
        trace.kind = "refund";
        trace.amount = Some(-amount);
        trace.commission = -lost.unwrap_or(0);
        let id = act_name("rf_", act);
        let mut row = EventRow::new(spot, held.next_step(), EventKind::Refunded, self.world.now, id.clone());
        row.event.reverses = Some(sale.step);
        row.event.amount = Some(amount);
        row.event.commission = lost;
        row.reason = Some(undo.reason.clone());
        self.happen(holder, row);
        Outcome::Refunded(spot, id)
    }

    /// The house takes a code back, unless it was used.
    pub(super) fn void(&mut self, act: &Act, spot: Spot, reason: &str, trace: &mut Trace) -> Outcome {
        trace.kind = "void";
        trace.campaign = Some(spot.campaign);
        let now = self.world.now;
        let Some((holder, held)) = self.held(act, spot) else {
            return Outcome::Declined(spot, TillRefusal::UnknownCode);
        };
        trace.from = Some(held.from.clone());
        match held.state(now) {
            HeldState::Void => return Outcome::Voided(spot),
            HeldState::Redeemed => return Outcome::Declined(spot, TillRefusal::AlreadyRedeemed),
            HeldState::Unused | HeldState::Expired => {}
        }
        let mut row = EventRow::new(spot, held.next_step(), EventKind::Voided, now, act_name("rd_", act));
        row.reason = Some(reason.to_owned());
        self.happen(holder, row);
        if held.is_outstanding() {
            self.changes.outstand(&held, -1);
        }
        Outcome::Voided(spot)
    }

    pub(super) fn held(&self, act: &Act, spot: Spot) -> Option<(Whose, Held)> {
        if let Some(who) = &act.who {
            let held = self.world.persons.get(&who.subject)?.held.iter().find(|held| held.spot == spot)?;
            return Some((Whose::Person(who.subject), held.clone()));
        }
        let id = act.allocation?;
        let held = self.world.loose.get(&spot)?;
        // What its partner never confirmed is void when the time is over, written down or not.
        let is_void = held.open_redemption().is_none() && self.world.pulls.get(&id)?.is_ended;
        (!is_void).then(|| (Whose::Pull(id), held.clone()))
    }

    /// A code takes a step, and its partner hears of it.
    pub(super) fn happen(&mut self, holder: Whose, row: EventRow) {
        let held = match holder {
            Whose::Person(subject) => self.person(subject).held.iter_mut().find(|held| held.spot == row.spot),
            Whose::Pull(_) => self.world.loose.get_mut(&row.spot),
        };
        if let Some(held) = held {
            held.events.push(row.event.clone());
            let reversed = held.events.iter().find(|one| Some(one.step) == row.event.reverses);
            let (partner, sale) = (held.from.partner, reversed.map(|one| one.provider_ref.clone()));
            self.tell_of(partner, &row, sale);
        }
        self.changes.events.push(row);
    }
}

/// The act's draw in hexadecimal after a prefix: a redemption's id (`rd_`), a refund's (`rf_`), and its event's
/// `provider_ref`.
fn act_name(prefix: &str, act: &Act) -> String {
    act.id.iter().fold(prefix.to_owned(), |mut id, byte| {
        // Writing to a string cannot fail.
        let _ = write!(id, "{byte:02x}");
        id
    })
}
