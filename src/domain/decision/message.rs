//! What becomes of messages on their way out, and what they cost.

use super::Work;
use crate::domain::act::{Act, MessageStatus, MessageStep};
use crate::domain::alert::{Alert, AlertKind};
use crate::domain::decision::changes::{AlertChange, Noted};
use crate::domain::ids::{Spot, from_millis};
use crate::domain::sending::{Charge, SPEND_CAP};

impl Work<'_> {
    /// Takes a step of a message, as far as it has not come further already.
    pub(super) fn message(&mut self, act: &Act, step: &MessageStep) {
        let Some(mut message) = self.world.messages.get(&step.message).copied() else {
            return;
        };
        let mut step = step.clone();
        if message.status.may_become(step.status) {
            // What is owed to everyone is counted and never held back.
            let held_back = if message.is_compliance { None } else { self.over_cap(&step.charges) };
            match held_back {
                Some(full) => step = self.held_back(&step, &full),
                None => self.count_cost(&step.charges),
            }
            message.status = step.status;
            if step.status == MessageStatus::Delivered {
                self.tell_delivered(act, message.spot);
            }
        } else if step.status == MessageStatus::Submitted && step.body_hash.is_some() {
            // A report overtook our own note of the hand-over: what the note knows is kept, the state stays.
            step.status = message.status;
        } else {
            return;
        }
        self.world.messages.insert(step.message, message);
        self.changes.steps.push(Noted { step, at: self.world.now });
    }

    /// The code reached its phone: its partner hears of it.
    fn tell_delivered(&mut self, act: &Act, spot: Option<Spot>) {
        let Some((spot, (_, held))) = spot.and_then(|spot| Some((spot, self.held(act, spot)?))) else {
            return;
        };
        self.tell_partner(held.from.partner, "delivered", spot.campaign, Some(spot), "{}".to_owned());
    }

    fn spent(&self, charge: &Charge) -> i64 {
        self.world.spend.get(&charge.key).copied().unwrap_or_default()
    }

    /// The first charge that its cap does not allow.
    fn over_cap(&self, charges: &[Charge]) -> Option<Charge> {
        let is_over = |charge: &&Charge| charge.cost > 0 && self.spent(charge).saturating_add(charge.cost) > charge.cap;
        charges.iter().find(is_over).cloned()
    }

    fn count_cost(&mut self, charges: &[Charge]) {
        for charge in charges {
            let before = self.spent(charge);
            if before == 0 && charge.cost > 0 {
                // The first message of a window that goes out: what held messages back is over.
                let about = (AlertKind::SpendCap, charge.key.scope.clone());
                self.changes.alerts.entry(about).or_insert(AlertChange::Cleared(self.world.now));
            }
            let spent = before.saturating_add(charge.cost).max(0);
            self.world.spend.insert(charge.key.clone(), spent);
            self.changes.spend.insert(charge.key.clone(), spent);
        }
    }

    /// The step back into the queue, until the window is over.
    fn held_back(&mut self, step: &MessageStep, full: &Charge) -> MessageStep {
        let Charge { key, cap, .. } = full;
        let (scope, span) = (&key.scope, key.window.word());
        let (spent, cap) = (amount(self.spent(full)), amount(*cap));
        let detail = format!("messages of {scope} have cost {spent} of the {cap} allowed in this {span}; others wait");
        self.changes.raise(Alert { kind: AlertKind::SpendCap, about: scope.clone(), detail }, self.world.now);
        MessageStep {
            status: MessageStatus::Queued,
            due_at: Some(from_millis(key.start) + key.window.length()),
            note: Some(format!("{SPEND_CAP} {scope} {span}")),
            charges: Vec::new(),
            ..step.clone()
        }
    }
}

/// Millionths as money, two digits behind the point.
fn amount(millionths: i64) -> String {
    let cents = millionths / 10_000;
    format!("{}.{:02}", cents / 100, cents % 100)
}
