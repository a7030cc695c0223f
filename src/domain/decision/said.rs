//! What the system that honours a code says of it: recorded even where our ledger thinks it impossible.

use super::{Trace, Work};
use crate::domain::act::{Act, Presented, Said};
use crate::domain::alert::{Alert, AlertKind};
use crate::domain::decision::changes::EventRow;
use crate::domain::decision::outcome::Outcome;
use crate::domain::ids::Spot;
use crate::domain::till::TillRefusal;
use crate::domain::world::{Event, EventKind, Held, Whose};

/// How a reference begins that we made ourselves: a use was seen, and nobody told its name.
pub const SIGHT: &str = "seen-";

impl Work<'_> {
    /// Records what became of a code elsewhere; told again, or told by our own till before, nothing changes.
    pub(super) fn said(&mut self, act: &Act, spot: Spot, said: &Said, trace: &mut Trace) -> Outcome {
        trace.kind = "peer";
        trace.campaign = Some(spot.campaign);
        let Some((holder, held)) = self.held(act, spot) else {
            return Outcome::Declined(spot, TillRefusal::UnknownCode);
        };
        trace.from = Some(held.from.clone());
        let counts = self.record_said(holder, &held, said, trace);
        Outcome::Recorded(spot, counts)
    }

    /// Our till sold through that system, which has accepted the code.
    pub(super) fn accepted(
        &mut self,
        (holder, held): (Whose, &Held),
        (peer, reference): (&str, &str),
        shown: &Presented,
        trace: &mut Trace,
    ) -> Outcome {
        let said = Said {
            peer: peer.to_owned(),
            kind: EventKind::Redeemed,
            reference: reference.to_owned(),
            at: self.world.now,
            store: shown.store.clone(),
            order: shown.order.clone(),
            amount: shown.amount,
            currency: shown.currency.clone(),
        };
        self.record_said(holder, held, &said, trace);
        Outcome::Redeemed(held.spot, said.reference)
    }

    /// Records it; answers with what it counts as.
    fn record_said(&mut self, holder: Whose, held: &Held, said: &Said, trace: &mut Trace) -> Option<EventKind> {
        let same = |kind| held.events.iter().find(move |one| one.kind == kind && one.provider_ref == said.reference);
        let is_sight = |reference: &str| reference.starts_with(SIGHT);
        let open = held.open_redemption();
        // A use that was seen and a use that was told are one use.
        let seen_and_told = |open: &Event| {
            is_sight(&open.provider_ref) || (is_sight(&said.reference) && said.kind == EventKind::Redeemed)
        };
        let is_known = said.kind == EventKind::Redeemed && open.is_some_and(seen_and_told);
        if same(said.kind).is_some() || is_known {
            return None;
        }
        let reference = match open.filter(|_| said.kind == EventKind::RolledBack && same(EventKind::Redeemed).is_none())
        {
            Some(open) if is_sight(&open.provider_ref) => open.provider_ref.clone(),
            Some(_) | None => said.reference.clone(),
        };
        if let Some(why) = impossible(held, said.kind) {
            let about = format!("peer {}", said.peer);
            let detail = format!("{why} (campaign {}, position {})", held.spot.campaign.0, held.spot.position);
            self.changes.raise(Alert { kind: AlertKind::ImpossibleEvent, about, detail }, self.world.now);
        }
        let mut row = EventRow::new(held.spot, held.next_step(), said.kind, said.at, reference.clone());
        row.provider.clone_from(&said.peer);
        row.event.store.clone_from(&said.store);
        row.event.amount = said.amount;
        row.order.clone_from(&said.order);
        row.currency.clone_from(&said.currency);
        let counts = match said.kind {
            // Told after it was taken back: there is nothing to earn, and nothing to count.
            EventKind::Redeemed if same_back(held, &reference) => None,
            EventKind::Redeemed => {
                trace.amount = said.amount;
                row.event.commission = self.earned(holder, held, said.amount);
                trace.commission = row.event.commission.unwrap_or(0);
                Some(said.kind)
            }
            EventKind::RolledBack => {
                let is_it = |one: &&Event| one.kind == EventKind::Redeemed && one.provider_ref == reference;
                let redeemed = held.events.iter().find(is_it);
                row.event.reverses = redeemed.map(|one| one.step);
                let (amount, commission) = redeemed.map_or((None, None), |one| held.left(one));
                row.event.amount = amount.or(said.amount);
                row.event.commission = commission;
                trace.commission = -commission.unwrap_or(0);
                trace.amount = amount.map(|amount| -amount);
                redeemed.map(|_| said.kind)
            }
            EventKind::Refunded | EventKind::Voided | EventKind::Expired | EventKind::Returned => Some(said.kind),
        };
        let mut after = held.clone();
        after.events.push(row.event.clone());
        let n = i64::from(after.is_outstanding()) - i64::from(held.is_outstanding());
        self.happen(holder, row);
        if n != 0 {
            self.changes.outstand(held, n);
        }
        counts
    }
}

/// Whether the redemption of that name was taken back before it was told.
fn same_back(held: &Held, reference: &str) -> bool {
    held.events.iter().any(|one| one.kind == EventKind::RolledBack && one.provider_ref == reference)
}

/// Why an event cannot be, by our ledger.
fn impossible(held: &Held, kind: EventKind) -> Option<&'static str> {
    let voided = held.events.iter().any(|one| one.kind.takes_back());
    match kind {
        EventKind::Redeemed if voided => Some("a code that was taken back was redeemed"),
        EventKind::Redeemed if held.open_redemption().is_some() => Some("a used code was redeemed again"),
        EventKind::Redeemed
        | EventKind::RolledBack
        | EventKind::Refunded
        | EventKind::Voided
        | EventKind::Expired
        | EventKind::Returned => None,
    }
}
