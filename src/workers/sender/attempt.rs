//! One attempt to hand over one message, from its words to what became of it.

use crate::config::SenderConfig;
use crate::domain::act::{MessageStatus, MessageStep};
use crate::domain::decision::changes::NewMessage;
use crate::domain::phone::SenderAddress;
use crate::engine::{
    ComposeError, Composed, Due, EarlyReports, Engine, EngineError, IN_DOUBT, MaySend, THROTTLED, step,
};
use crate::sms::{Accepted, Hooks, Outgoing, Pace, Refused, Registry, Retry, SendError, SmsProvider};
use chrono::{DateTime, TimeDelta, Utc};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

/// A code asked for is worth half an hour; later it only puzzles (sms.md of the design, section 6.1).
const LIFE: TimeDelta = TimeDelta::minutes(30);
/// An answer to STOP or HELP is owed at once.
const COMPLIANCE_LIFE: TimeDelta = TimeDelta::minutes(5);
/// The first wait before a step is written again when the queue is full or the database away; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(20);
/// The longest such wait.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Everything an attempt needs; shared by all of them.
#[derive(Debug)]
pub(super) struct Hands {
    pub(super) engine: Engine,
    pub(super) config: SenderConfig,
    carriers: Registry,
    early: EarlyReports,
    /// Messages at one carrier that it has not answered.
    open_calls: HashMap<String, Arc<Semaphore>>,
    rates: Mutex<HashMap<String, Arc<DefaultDirectRateLimiter>>>,
}

/// Why an attempt ends before the carrier's answer.
enum Ended {
    /// The message is in its final state, or in somebody else's hands.
    Done,
    /// It is queued until then.
    Again(DateTime<Utc>),
}

type Flow<T> = Result<T, Ended>;

impl Hands {
    pub(super) fn new(engine: Engine, carriers: Registry, early: EarlyReports, config: SenderConfig) -> Self {
        let calls = |name: &str| (name.to_owned(), Arc::new(Semaphore::new(config.in_flight)));
        Self {
            open_calls: carriers.names().map(calls).collect(),
            rates: Mutex::default(),
            engine,
            config,
            carriers,
            early,
        }
    }

    pub(super) fn lease(&self) -> TimeDelta {
        TimeDelta::from_std(self.config.lease).unwrap_or(TimeDelta::MAX)
    }

    /// Hands a message over, or finds out why not. Says when the table is to be looked at again for it.
    pub(super) async fn attempt(&self, mut due: Due) -> Option<DateTime<Utc>> {
        match self.steps(&mut due).await {
            Ok(()) | Err(Ended::Done) => None,
            Err(Ended::Again(at)) => Some(at),
        }
    }

    async fn steps(&self, due: &mut Due) -> Flow<()> {
        self.still_ours(due)?;
        let found_in_doubt = due.status == MessageStatus::Submitting;
        if found_in_doubt && !may_repeat(due) {
            let note = format!("{IN_DOUBT} not sent again");
            return self.finish(due, MessageStatus::Failed, &note).await;
        }
        if self.engine.now() - due.message.created_at > life(&due.message) {
            return self.finish(due, MessageStatus::Failed, "expired").await;
        }
        let carrier = self.carrier(due).await?;
        let composed = self.compose(due).await?;
        self.keep_pace(&*carrier, &composed).await;
        let call = match self.open_calls.get(carrier.name()) {
            Some(calls) => calls.acquire().await.ok(),
            None => None,
        };
        self.still_ours(due)?;
        let mark = MessageStep {
            note: found_in_doubt.then(|| IN_DOUBT.to_owned()),
            ..step(due.message.id, MessageStatus::Submitting)
        };
        let before = self.engine.now();
        self.write(due, mark).await?;
        // The mark begins a new lease; it counts from before, to be on the safe side.
        due.lease_until = before + self.lease();
        match self.engine.may_send(&due.message).await {
            Ok(MaySend::Yes) => {}
            Ok(MaySend::OptedOut) => {
                return self.finish(due, MessageStatus::Suppressed, "opted_out").await;
            }
            Ok(MaySend::Over) => return Err(Ended::Done),
            // Nothing left the house, so this is no attempt in doubt; unless even that cannot be written down.
            Err(error) => return self.later(due, LONGEST_WAIT, &error.to_string()).await,
        }
        let answer = self.call(&*carrier, due, &composed).await;
        drop(call);
        match answer {
            Ok(accepted) => self.submitted(due, &composed, accepted).await,
            Err(error) => self.refused(due, found_in_doubt, &error).await,
        }
    }

    /// Lets a message go whose lease leaves no time for a carrier's answer.
    fn still_ours(&self, due: &Due) -> Flow<()> {
        if self.engine.now() + self.lease() / 4 < due.lease_until {
            Ok(())
        } else {
            Err(Ended::Again(due.lease_until + TimeDelta::milliseconds(1)))
        }
    }

    async fn carrier(&self, due: &Due) -> Flow<Arc<dyn SmsProvider>> {
        let catalog = self.engine.catalog();
        let sender = catalog.senders.get(&due.message.sender);
        let carrier = sender.and_then(|sender| self.carriers.get(&sender.carrier));
        match carrier {
            Some(carrier) => Ok(Arc::clone(carrier)),
            // Another process may have it; within the message's life it is worth asking again.
            None => Err(self.requeue(due, self.lease(), "no carrier here").await),
        }
    }

    async fn compose(&self, due: &Due) -> Flow<Composed> {
        let mut told = self.engine.compose(&due.message).await;
        if matches!(told, Err(ComposeError::NoText)) && self.engine.fresh_catalog().await.is_ok() {
            // Another process may have written it for a campaign that this one has not heard of.
            told = self.engine.compose(&due.message).await;
        }
        match told {
            Ok(composed) => Ok(composed),
            Err(error @ (ComposeError::NoPhone | ComposeError::NoText)) => {
                let status = MessageStatus::Failed;
                tracing::error!(error = &error as &dyn std::error::Error, "a message cannot be written");
                Err(self.finish(due, status, &error.to_string()).await.err().unwrap_or(Ended::Done))
            }
            Err(ComposeError::Store(error)) => {
                warn(&error);
                Err(Ended::Again(due.lease_until + TimeDelta::milliseconds(1)))
            }
        }
    }

    async fn keep_pace(&self, carrier: &dyn SmsProvider, composed: &Composed) {
        match carrier.pace() {
            Pace::Unlimited => {}
            Pace::PerSender => {
                let rate = NonZeroU32::new(self.config.rate_of(&composed.from));
                let rate = rate.unwrap_or(NonZeroU32::MIN);
                let limiter = self.limiter(&composed.from, rate);
                let segments = NonZeroU32::new(composed.segments.into());
                // More segments than a second allows wait for a whole second's worth.
                let segments = segments.unwrap_or(NonZeroU32::MIN).min(rate);
                // Fails only above the burst, which is `rate`.
                let _ = limiter.until_n_ready(segments).await;
            }
        }
    }

    fn limiter(&self, address: &str, rate: NonZeroU32) -> Arc<DefaultDirectRateLimiter> {
        let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(RateLimiter::direct(Quota::per_second(rate)));
        Arc::clone(rates.entry(address.to_owned()).or_insert_with(new))
    }

    async fn call(&self, carrier: &dyn SmsProvider, due: &Due, composed: &Composed) -> Result<Accepted, SendError> {
        let from = SenderAddress::parse(&composed.from)
            .map_err(|error| SendError::Config { code: "sender".to_owned(), detail: error.to_string() })?;
        let hooks = Hooks::of(&self.engine.parts().public_url, from.as_str());
        let out = Outgoing {
            message_id: due.message.id,
            attempt: due.attempts,
            from,
            to: composed.to.clone(),
            body: composed.body.clone(),
            segments: composed.segments,
            reference: due.message.request.to_string(),
            status_url: hooks.status,
            at: self.engine.now(),
        };
        // The answer must be written down while the message is still ours.
        let patience = self.config.lease / 2;
        tokio::time::timeout(patience, carrier.send(&out))
            .await
            .unwrap_or_else(|_| Err(SendError::Ambiguous { detail: "no answer in time".to_owned() }))
    }

    async fn submitted(&self, due: &Due, composed: &Composed, accepted: Accepted) -> Flow<()> {
        let taken = MessageStep {
            provider_id: accepted.provider_id.clone(),
            segments: Some(accepted.segments),
            body_hash: Some(composed.body_hash.to_vec()),
            ..step(due.message.id, MessageStatus::Submitted)
        };
        self.write(due, taken).await?;
        let early = accepted.provider_id.and_then(|id| self.early.take(due.message.sender, &id));
        if let Some(report) = early {
            self.write(due, report.step(due.message.id)).await?;
            if report.refused == Some(Refused::OptedOut) {
                self.opted_out(due).await;
            }
        }
        Ok(())
    }

    async fn refused(&self, due: &Due, was_in_doubt: bool, error: &SendError) -> Flow<()> {
        let why = error.to_string();
        match error.retry() {
            Retry::Later => {
                let tried = usize::try_from(due.attempts).unwrap_or(usize::MAX);
                match self.config.retry_steps.get(tried) {
                    Some(wait) => self.later(due, *wait, &why).await,
                    None => self.finish(due, MessageStatus::Failed, &why).await,
                }
            }
            Retry::After(wait) => self.later(due, wait, &format!("{THROTTLED} {why}")).await,
            Retry::OnceIfHarmless => {
                let note = format!("{IN_DOUBT} {why}");
                if was_in_doubt || !may_repeat(due) {
                    return self.finish(due, MessageStatus::Failed, &note).await;
                }
                self.later(due, self.config.lease, &note).await
            }
            // Nothing is wrong with the message, so this is no attempt of it.
            Retry::WhenRepaired => self.later(due, self.config.lease, &format!("{THROTTLED} {why}")).await,
            Retry::Never => {
                let ended = self.finish(due, MessageStatus::Failed, &why).await;
                if error.refused() == Some(Refused::OptedOut) {
                    self.opted_out(due).await;
                }
                ended
            }
        }
    }

    /// The carrier says that she said STOP there.
    async fn opted_out(&self, due: &Due) {
        let NewMessage { id, subject, sender, created_at, .. } = due.message;
        if let Err(error) = self.engine.opted_out_at_carrier(sender, subject, id, created_at).await {
            // The next message to her will be refused again, and say so again.
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a STOP that a carrier told us of cannot be written down now"
            );
        }
    }

    async fn later(&self, due: &Due, wait: Duration, why: &str) -> Flow<()> {
        let wait = TimeDelta::from_std(wait).unwrap_or(LIFE);
        Err(self.requeue(due, wait, why).await)
    }

    /// Queues a message for later, unless its life ends before.
    async fn requeue(&self, due: &Due, wait: TimeDelta, why: &str) -> Ended {
        let at = self.engine.now() + wait;
        if at > due.message.created_at + life(&due.message) {
            let ended = self.finish(due, MessageStatus::Failed, why).await;
            return ended.err().unwrap_or(Ended::Done);
        }
        let queued =
            MessageStep { due_at: Some(at), note: Some(why.to_owned()), ..step(due.message.id, MessageStatus::Queued) };
        match self.write(due, queued).await {
            Ok(()) => Ended::Again(at),
            Err(ended) => ended,
        }
    }

    async fn finish(&self, due: &Due, status: MessageStatus, why: &str) -> Flow<()> {
        let last = MessageStep { note: Some(why.to_owned()), ..step(due.message.id, status) };
        self.write(due, last).await
    }

    /// Writes a step down, again and again while the message is ours: a full queue passes.
    async fn write(&self, due: &Due, step: MessageStep) -> Flow<()> {
        let mut wait = FIRST_WAIT;
        loop {
            let Err(error) = self.engine.note(due.message.subject, step.clone()).await else {
                return Ok(());
            };
            match error {
                EngineError::Stopped | EngineError::KeyReused => {
                    warn(&error);
                    return Err(Ended::Done);
                }
                EngineError::Busy | EngineError::Store(_) | EngineError::Peer(_) => {}
            }
            let left = due.lease_until - self.engine.now();
            if left < TimeDelta::from_std(wait).unwrap_or(TimeDelta::MAX) {
                warn(&error);
                return Err(Ended::Again(due.lease_until + TimeDelta::milliseconds(1)));
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }
}

/// Whether a message that may have gone out goes out again: a coupon arrives twice with the same code, which is
/// harmless, once; an answer to STOP that arrives twice is a complaint.
fn may_repeat(due: &Due) -> bool {
    due.doubts == 0 && !due.message.reply.is_compliance()
}

fn life(message: &NewMessage) -> TimeDelta {
    if message.reply.is_compliance() { COMPLIANCE_LIFE } else { LIFE }
}

fn warn(error: &EngineError) {
    tracing::warn!(
        error = error as &dyn std::error::Error,
        "what became of a message cannot be written down; its lease decides"
    );
}
