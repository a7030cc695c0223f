//! What a carrier's answer makes of a message, and of its number's account.

use super::attempt::{Hands, Over, Prepared};
use super::lanes::News;
use crate::domain::act::{MessageStatus, MessageStep};
use crate::domain::alert::AlertKind;
use crate::domain::decision::changes::NewMessage;
use crate::domain::ids::SenderId;
use crate::domain::phone::SenderAddress;
use crate::domain::sending::Charge;
use crate::engine::{Composed, Due, IN_DOUBT, STILL_IN_DOUBT, THROTTLED, draw, step};
use crate::sms::{Accepted, Grade, Hooks, Lookup, Refused, Retry, SendError};
use std::time::Duration;

/// The shortest wait that a carrier may ask for.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);

impl Hands {
    /// The carrier has it. A report that overtook its answer is written down then.
    pub(super) async fn submitted(&self, due: &Due, composed: &Composed, accepted: Accepted) -> Over {
        let taken = MessageStep {
            provider_id: accepted.provider_id.clone(),
            segments: Some(accepted.segments),
            body_hash: Some(composed.body_hash.to_vec()),
            ..step(due.message.id, MessageStatus::Submitted)
        };
        if let Err(over) = self.write(due, taken).await {
            return over.with(News::Works);
        }
        let early = accepted.provider_id.and_then(|id| self.early.take(due.message.sender, &id));
        if let Some(report) = early {
            if let Err(over) = self.write(due, report.step(due.message.id)).await {
                return over.with(News::Works);
            }
            if let Some(class) = report.refused {
                let code = report.note.as_deref().unwrap_or_default();
                self.refused_for_good(due, class, code).await;
            }
        }
        Over::done().with(News::Works)
    }

    /// The carrier did not take it, or nobody knows.
    pub(super) async fn refused(&self, prepared: &Prepared, error: &SendError) -> Over {
        let Prepared { due, composed, charged, .. } = prepared;
        let why = error.to_string();
        // What was surely not taken is not billed.
        let back = || charged.iter().map(|charge| Charge { cost: -charge.cost, ..charge.clone() }).collect();
        match error.retry() {
            Retry::Later => {
                let wait = due.message.reply.priority().wait(&self.config.retry_steps, due.attempts);
                self.later(due, wait, &why, back()).await
            }
            Retry::After(wait) => {
                let wait = wait.max(SHORTEST_WAIT) + jitter(wait);
                let over = self.later(due, wait, &format!("{THROTTLED} {why}"), back()).await;
                over.with(News::Slow(wait))
            }
            Retry::OnceIfHarmless => self.in_doubt(due, &format!("{IN_DOUBT} {why}")).await,
            // Nothing is wrong with the message, so this is no attempt of it.
            Retry::WhenRepaired => {
                self.engine.raise(AlertKind::CarrierAccount, &about(&composed.from), why.clone()).await;
                let over = self.later(due, self.config.lease, &format!("{THROTTLED} {why}"), back()).await;
                over.with(News::Broken)
            }
            Retry::Never => {
                let ended =
                    MessageStep { note: Some(why), charges: back(), ..step(due.message.id, MessageStatus::Failed) };
                let over = self.write(due, ended).await.err().unwrap_or_else(Over::done);
                if let Some(class) = error.refused() {
                    self.refused_for_good(due, class, &error.to_string()).await;
                }
                over.with(News::Works)
            }
        }
    }

    /// Asks the carrier about a message that it may have. Nobody's second copy leaves without this.
    pub(super) async fn ask_carrier(&self, prepared: Prepared) -> Result<Prepared, Over> {
        let Prepared { due, composed, carrier, .. } = &prepared;
        let at = due.marked_at.unwrap_or(due.message.created_at);
        let told = match self.outgoing(due, composed, at) {
            Ok(out) => tokio::time::timeout(self.config.lease / 4, carrier.lookup(&out))
                .await
                .unwrap_or_else(|_| Err(SendError::Ambiguous { detail: "no answer in time".to_owned() })),
            Err(error) => Err(error),
        };
        let is_late = self.is_late(due);
        let goes_again = !is_late && due.doubts <= 1 && due.message.reply.priority().may_repeat();
        match told {
            Ok(Lookup::Taken(accepted)) => Err(self.submitted(due, composed, accepted).await),
            Ok(Lookup::NotTaken | Lookup::CannotSay) if goes_again => Ok(prepared),
            Ok(Lookup::NotTaken) if is_late => Err(self.refuse(due, MessageStatus::Expired, "not taken").await),
            Ok(Lookup::NotTaken) => Err(self.finish(due, MessageStatus::Failed, "not taken, not sent again").await),
            Ok(Lookup::CannotSay) => {
                let why = format!("{IN_DOUBT} not sent again");
                Err(self.finish(due, MessageStatus::Failed, &why).await)
            }
            Err(error) if is_late => {
                let why = format!("{IN_DOUBT} not sent again: {error}");
                Err(self.finish(due, MessageStatus::Failed, &why).await)
            }
            Err(error) => {
                // A lost attempt is counted once, when it is first found.
                let is_found = due.status == MessageStatus::Submitting;
                let word = if is_found { IN_DOUBT } else { STILL_IN_DOUBT };
                Err(self.in_doubt(due, &format!("{word} {error}")).await)
            }
        }
    }

    /// Looks at the account of a number that sends nothing at the moment.
    pub(super) async fn check(&self, sender: SenderId) -> News {
        let catalog = self.engine.catalog();
        let Some(row) = catalog.senders.get(&sender) else { return News::Slow(SHORTEST_WAIT) };
        let address = SenderAddress::parse(&row.address).ok();
        let (Some(carrier), Some(address)) = (self.carriers.get(&row.carrier), address) else {
            return News::Slow(SHORTEST_WAIT);
        };
        let hooks = Hooks::of(&self.engine.parts().public_url, address.as_str());
        let asked = tokio::time::timeout(self.config.lease / 4, carrier.check(&address, &hooks)).await;
        let found = asked.unwrap_or_default();
        if found.is_empty() || found.iter().any(|finding| finding.grade == Grade::Fail) {
            return News::Slow(SHORTEST_WAIT);
        }
        self.say_works(&row.address).await;
        News::Works
    }

    /// Takes back what was said of a number's account.
    pub(super) async fn say_works(&self, address: &str) {
        self.engine.clear(AlertKind::CarrierAccount, &about(address)).await;
    }

    async fn refused_for_good(&self, due: &Due, class: Refused, code: &str) {
        let NewMessage { id, subject, sender, created_at, reply, .. } = &due.message;
        self.engine.tell_refusal(*sender, reply.priority(), class, code).await;
        if class != Refused::OptedOut {
            return;
        }
        // The carrier says that she said STOP there.
        if let Err(error) = self.engine.opted_out_at_carrier(*sender, *subject, *id, *created_at).await {
            // The next message to her will be refused again, and say so again.
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a STOP that a carrier told us of cannot be written down now"
            );
        }
    }
}

/// What an alert about a number's account is about.
fn about(address: &str) -> String {
    format!("sender {address}")
}

/// Up to a tenth more than the carrier asks, so that what it refused at once does not come back at once.
fn jitter(wait: Duration) -> Duration {
    let [chance] = draw::<1>();
    wait.max(SHORTEST_WAIT).mul_f64(f64::from(chance) / 2560.0)
}
