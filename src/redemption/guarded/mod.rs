//! A peer behind its guard: times, tries, the breaker, seats, the pace and the memory. Whoever asks a peer asks its
//! guard; a question is answered in the caller's time or refused with how long to wait.

mod batches;
mod breaker;
mod memory;
mod pace;
mod redeem;
#[cfg(test)]
mod tests;
mod tries;

pub use breaker::{BreakerLimits, BreakerState};

use super::{
    Authentic, CallContext, Capabilities, Effect, EventPage, Forged, Health, ImportPage, Machine, Observed, Peer,
    PeerError, PeerEvent, Reading, Redeem, Redemption, Rollback, Surroundings, Unreadable, Verb, Webhook,
};
use crate::domain::code::Code;
use breaker::Breaker;
use chrono::{DateTime, Utc};
use memory::Memory;
use pace::Pace;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tries::Tries;

/// Batches of one question under way at once: half the seats, so that a long list leaves room for people.
const AT_ONCE: usize = 8;
/// Such rounds that make a lot.
const ROUNDS: usize = 4;
/// The most codes of a lot: they are settled in one transaction.
const LARGEST_LOT: usize = 256;

/// How a guard treats its peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GuardLimits {
    /// One try at a question about single codes.
    pub read: Duration,
    /// One try at a redeem or at taking one back.
    pub redeem: Duration,
    /// One try at a page of codes or events.
    pub bulk: Duration,
    /// Tries of one question.
    pub tries: usize,
    /// The longest wait before the second try; it doubles.
    pub first_wait: Duration,
    /// The longest wait before any try.
    pub longest_wait: Duration,
    /// Calls under way at once.
    pub seats: usize,
    /// How long a call waits for a seat.
    pub seat_wait: Duration,
    /// When calls are stopped altogether.
    pub breaker: BreakerLimits,
}

impl Default for GuardLimits {
    /// 1.5 s, 4 s and 30 s a try; 3 tries 100 ms to 2 s apart; 16 calls at once, 50 ms for a seat.
    fn default() -> Self {
        Self {
            read: Duration::from_millis(1500),
            redeem: Duration::from_secs(4),
            bulk: Duration::from_secs(30),
            tries: 3,
            first_wait: Duration::from_millis(100),
            longest_wait: Duration::from_secs(2),
            seats: 16,
            seat_wait: Duration::from_millis(50),
            breaker: BreakerLimits::default(),
        }
    }
}

/// A peer behind its guard.
#[derive(Debug)]
pub struct Guarded {
    inner: Arc<dyn Peer>,
    limits: GuardLimits,
    surroundings: Arc<dyn Surroundings>,
    breaker: Breaker,
    pace: Pace,
    seats: Semaphore,
    memory: Memory,
}

impl Guarded {
    /// Puts the usual guard before a peer.
    #[must_use]
    pub fn new(inner: Arc<dyn Peer>) -> Self {
        Self::with(inner, GuardLimits::default(), Arc::new(Machine::new()))
    }

    /// Puts a guard before a peer.
    #[must_use]
    pub fn with(inner: Arc<dyn Peer>, limits: GuardLimits, surroundings: Arc<dyn Surroundings>) -> Self {
        let quota = inner.capabilities().quota_per_minute;
        Self {
            breaker: Breaker::new(limits.breaker),
            pace: Pace::new(quota, Arc::clone(&surroundings)),
            seats: Semaphore::new(limits.seats),
            memory: Memory::new(Arc::clone(&surroundings)),
            inner: Arc::new(Observed::new(inner, Arc::clone(&surroundings))),
            limits,
            surroundings,
        }
    }

    /// Whether calls go through.
    #[must_use]
    pub fn breaker(&self) -> BreakerState {
        self.breaker.state()
    }

    /// The same whenever it changes, for alerts.
    #[must_use]
    pub fn breaker_changes(&self) -> watch::Receiver<BreakerState> {
        self.breaker.changes()
    }

    /// Forgets how a code stood: an event told that it changed.
    pub async fn forget(&self, code: &Code) {
        self.memory.forget(code).await;
    }

    /// Codes that are best handed to `validate` at once: some rounds of calls, so that neither the peer nor the caller
    /// waits for the other.
    #[must_use]
    pub fn lot(&self) -> usize {
        (self.capabilities().batch_max.max(1) * ROUNDS * AT_ONCE).min(LARGEST_LOT)
    }
}

#[async_trait::async_trait]
impl Peer for Guarded {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn kind(&self) -> &'static str {
        self.inner.kind()
    }

    fn capabilities(&self) -> &Capabilities {
        self.inner.capabilities()
    }

    /// Any number of codes; what was said not long ago is said again, with its time in
    /// [`Reading::as_of`](super::Reading::as_of).
    async fn validate(&self, codes: &[Code], context: &CallContext<'_>) -> Vec<Result<Reading, PeerError>> {
        if let [code] = codes {
            let one = async { self.ask(codes, context).await.pop().unwrap_or(Err(PeerError::Unsupported)) };
            let answer = tokio::select! {
                biased;
                answer = self.memory.get_or_ask(code, context.now, one) => answer,
                // Somebody with more time asks; this caller has no more.
                () = self.surroundings.sleep(context.within) => Err(PeerError::Timeout { effect: Effect::None }),
            };
            return vec![answer];
        }
        let mark = self.memory.mark();
        let mut answers = Vec::with_capacity(codes.len());
        for code in codes {
            answers.push(self.memory.get(code).await);
        }
        let unknown = codes.iter().zip(&answers).filter(|(_, answer)| answer.is_none());
        let unknown: Vec<Code> = unknown.map(|(code, _)| code.clone()).collect();
        let mut told = unknown.iter().zip(self.ask(&unknown, context).await);
        for answer in answers.iter_mut().filter(|answer| answer.is_none()) {
            if let Some((code, fresh)) = told.next() {
                self.memory.keep(code, fresh.clone(), context.now, mark).await;
                *answer = Some(fresh);
            }
        }
        answers.into_iter().flatten().collect()
    }

    /// Redeems once: a try nobody knows the end of is looked up first, never repeated blindly.
    ///
    /// # Errors
    /// [`PeerError::OutcomeUnknown`] when looking up did not tell either: to be settled later by
    /// [`Peer::find_redemption`] or an event, with the same reference.
    async fn redeem(&self, ask: &Redeem, context: &CallContext<'_>) -> Result<Redemption, PeerError> {
        let answer = self.redeem_once(ask, context).await;
        self.memory.forget(&ask.code).await;
        answer
    }

    async fn find_redemption(
        &self,
        code: &Code,
        reference: &str,
        context: &CallContext<'_>,
    ) -> Result<Option<Redemption>, PeerError> {
        let mut tries = Tries::new(self, Verb::FindRedemption, context);
        loop {
            let turn = tries.turn().await?;
            let asked = turn.context(context);
            let answer = turn.make(1, self.inner.find_redemption(code, reference, &asked)).await;
            if let Some(answer) = tries.settle(answer).await {
                return answer;
            }
        }
    }

    async fn rollback(&self, ask: &Rollback, context: &CallContext<'_>) -> Result<(), PeerError> {
        let mut tries = Tries::new(self, Verb::RollBack, context);
        let answer = loop {
            let turn = tries.turn().await?;
            let asked = turn.context(context);
            // Taking back twice is taking back once, so a try in doubt is simply repeated.
            let answer = turn.make(1, self.inner.rollback(ask, &asked)).await;
            if let Some(answer) = tries.settle(answer).await {
                break answer;
            }
        };
        self.memory.forget(&ask.code).await;
        answer
    }

    async fn poll_events(&self, after: Option<&str>, context: &CallContext<'_>) -> Result<EventPage, PeerError> {
        let mut tries = Tries::new(self, Verb::PollEvents, context);
        loop {
            let turn = tries.turn().await?;
            let asked = turn.context(context);
            let answer = turn.make(1, self.inner.poll_events(after, &asked)).await;
            if let Some(answer) = tries.settle(answer).await {
                return answer;
            }
        }
    }

    async fn import(&self, after: Option<&str>, context: &CallContext<'_>) -> Result<ImportPage, PeerError> {
        let mut tries = Tries::new(self, Verb::Import, context);
        loop {
            let turn = tries.turn().await?;
            let asked = turn.context(context);
            let answer = turn.make(1, self.inner.import(after, &asked)).await;
            if let Some(answer) = tries.settle(answer).await {
                return answer;
            }
        }
    }

    async fn health(&self, context: &CallContext<'_>) -> Result<Health, PeerError> {
        let mut tries = Tries::new(self, Verb::Health, context);
        loop {
            let turn = tries.turn().await?;
            let asked = turn.context(context);
            let answer = turn.make(1, self.inner.health(&asked)).await;
            if let Some(answer) = tries.settle(answer).await {
                return answer;
            }
        }
    }

    fn authenticate<'a>(&self, hook: &'a Webhook<'a>, now: DateTime<Utc>) -> Result<Authentic<'a>, Forged> {
        self.inner.authenticate(hook, now)
    }

    fn parse(&self, hook: Authentic<'_>) -> Vec<Result<PeerEvent, Unreadable>> {
        self.inner.parse(hook)
    }
}
