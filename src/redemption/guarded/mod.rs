//! A peer behind its guard: times, tries, the breaker, seats, the pace and the memory. Whoever asks a peer asks its
//! guard; a question is answered in the caller's time or refused with how long to wait.

mod breaker;
mod memory;
mod pace;
#[cfg(test)]
mod tests;
mod tries;

pub use breaker::{BreakerLimits, BreakerState};

use super::{
    Authentic, CallContext, Capabilities, Effect, EventPage, Forged, Health, Idempotency, ImportPage, Machine,
    Observed, Peer, PeerError, PeerEvent, Reading, Reason, Redeem, Redemption, Rollback, Surroundings, Unreadable,
    Verb, Webhook,
};
use crate::domain::code::Code;
use breaker::Breaker;
use chrono::{DateTime, Utc};
use memory::Memory;
use pace::Pace;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tries::Tries;

/// After an unanswered redeem the peer's books are looked at twice, so far apart: it may still be at work.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

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

/// What a look into a peer's books told.
enum Look {
    Found(Redemption),
    NotThere,
    CannotSay,
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

    /// Asks for codes of which nothing is remembered, in batches of the peer's size, some at a time.
    async fn ask(&self, codes: &[Code], context: &CallContext<'_>) -> Vec<Result<Reading, PeerError>> {
        let end = self.surroundings.elapsed() + context.within;
        let batches: Vec<&[Code]> = codes.chunks(self.capabilities().batch_max.max(1)).collect();
        let mut answers = Vec::with_capacity(codes.len());
        for round in batches.chunks(AT_ONCE) {
            let left = context.at_most(end.saturating_sub(self.surroundings.elapsed()));
            let asked = round.iter().map(|batch| Box::pin(self.ask_batch(batch, &left)));
            answers.extend(together(asked.collect()).await.into_iter().flatten());
        }
        answers
    }

    /// One batch; codes that failed in passing are asked again, alone.
    async fn ask_batch(&self, codes: &[Code], context: &CallContext<'_>) -> Vec<Result<Reading, PeerError>> {
        let mut tries = Tries::new(self, Verb::Validate, context);
        let mut answers: Vec<Option<Result<Reading, PeerError>>> = vec![None; codes.len()];
        loop {
            let open = |answer: &Option<Result<Reading, PeerError>>| {
                answer.as_ref().is_none_or(|answer| answer.as_ref().is_err_and(PeerError::is_passing))
            };
            let (places, asked): (Vec<usize>, Vec<Code>) =
                codes.iter().enumerate().filter(|(at, _)| answers.get(*at).is_some_and(open)).map(own).unzip();
            let told = match tries.turn().await {
                Ok(turn) => {
                    let context = turn.context(context);
                    turn.make(asked.len(), self.inner.validate(&asked, &context)).await
                }
                Err(error) => {
                    let unasked = answers.into_iter().map(|answer| answer.unwrap_or_else(|| Err(error.clone())));
                    return unasked.collect();
                }
            };
            let mut told = told.into_iter();
            let mut failed: Option<PeerError> = None;
            for place in places {
                let answer = told.next().unwrap_or_else(|| Err(PeerError::Protocol("an answer is missing".to_owned())));
                failed = failed.or_else(|| answer.as_ref().err().filter(|error| error.is_passing()).cloned());
                if let Some(slot) = answers.get_mut(place) {
                    *slot = Some(answer);
                }
            }
            let again = match failed {
                Some(error) => tries.again(error.retry_after()).await,
                None => false,
            };
            if !again {
                let missing = || Err(PeerError::Protocol("an answer is missing".to_owned()));
                return answers.into_iter().map(|answer| answer.unwrap_or_else(missing)).collect();
            }
        }
    }

    /// Redeems, and looks before it asks again whenever nobody knows what a try did.
    async fn redeem_once(&self, ask: &Redeem, context: &CallContext<'_>) -> Result<Redemption, PeerError> {
        let idempotency = self.capabilities().idempotency;
        let mut tries = Tries::new(self, Verb::Redeem, context);
        let mut in_doubt = false;
        loop {
            let turn = match tries.turn().await {
                Ok(turn) => turn,
                Err(_) if in_doubt => return Err(PeerError::OutcomeUnknown),
                Err(error) => return Err(error),
            };
            let asked = turn.context(context);
            let error = match turn.make(1, self.inner.redeem(ask, &asked)).await {
                Ok(redemption) => return Ok(redemption),
                Err(error) => error,
            };
            in_doubt |= error.effect() == Effect::Unknown;
            // A code that a sale under way holds may be held by our own try.
            let open = error.is_passing() || in_doubt && is_locked(&error);
            if !in_doubt || idempotency == Idempotency::Native && open {
                if !open || !tries.again(error.retry_after()).await {
                    return self.last_word(ask, &tries, in_doubt, error, context).await;
                }
                continue;
            }
            match self.look(ask, &tries, context).await {
                Look::Found(redemption) => return Ok(redemption),
                // It answered this try, and none before it stands in its books.
                Look::NotThere if !open => return Err(error),
                // The same key would have got the first answer, so the no is meant.
                Look::CannotSay if idempotency == Idempotency::Native && !open => return Err(error),
                Look::NotThere if idempotency == Idempotency::ByReference && tries.again(None).await => {}
                Look::NotThere | Look::CannotSay => return Err(PeerError::OutcomeUnknown),
            }
        }
    }

    /// No try is left: what a peer's books say, else the error, else that nobody knows.
    async fn last_word(
        &self,
        ask: &Redeem,
        tries: &Tries<'_>,
        in_doubt: bool,
        error: PeerError,
        context: &CallContext<'_>,
    ) -> Result<Redemption, PeerError> {
        if !in_doubt {
            return Err(error);
        }
        match self.look(ask, tries, context).await {
            Look::Found(redemption) => Ok(redemption),
            Look::NotThere | Look::CannotSay => Err(PeerError::OutcomeUnknown),
        }
    }

    /// Looks twice for our reference: one look that finds nothing may have come before the peer was done.
    async fn look(&self, ask: &Redeem, tries: &Tries<'_>, context: &CallContext<'_>) -> Look {
        if !self.capabilities().can_find_redemption {
            return Look::CannotSay;
        }
        for is_last in [false, true] {
            let left = context.at_most(tries.left());
            match self.find_redemption(&ask.code, &ask.reference, &left).await {
                Ok(Some(redemption)) => return Look::Found(redemption),
                Ok(None) if is_last => return Look::NotThere,
                Ok(None) if LOOK_AGAIN < tries.left() => self.surroundings.sleep(LOOK_AGAIN).await,
                Ok(None) | Err(_) => return Look::CannotSay,
            }
        }
        Look::CannotSay
    }
}

/// Runs futures side by side, each to its end; their answers in their order.
async fn together<F: Future + Unpin>(futures: Vec<F>) -> Vec<F::Output> {
    let mut open: Vec<(Option<F>, Option<F::Output>)> =
        futures.into_iter().map(|future| (Some(future), None)).collect();
    poll_fn(|context| {
        for (future, answer) in &mut open {
            if let Some(Poll::Ready(done)) = future.as_mut().map(|future| Pin::new(future).poll(context)) {
                (*future, *answer) = (None, Some(done));
            }
        }
        if open.iter().all(|(future, _)| future.is_none()) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    open.into_iter().filter_map(|(_, answer)| answer).collect()
}

fn is_locked(error: &PeerError) -> bool {
    matches!(error, PeerError::Rejected { reason: Reason::Locked, .. })
}

fn own((place, code): (usize, &Code)) -> (usize, Code) {
    (place, code.clone())
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
