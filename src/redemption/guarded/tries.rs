//! The tries of one question: each waits for its turn, takes a seat, asks the breaker, and has its own time.

use super::breaker::{Permit, Verdict};
use super::pace::Share;
use super::{GuardLimits, Guarded};
use crate::redemption::{CallContext, Effect, PeerError, Reading, Verb};
use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};
use std::time::Duration;
use tokio::sync::SemaphorePermit;

/// An answer that took more than this share of its time was slow.
const SLOW_PERCENT: u32 = 80;

/// The tries of one question.
#[derive(Debug)]
pub(super) struct Tries<'g> {
    guard: &'g Guarded,
    verb: Verb,
    /// In passed time.
    end: Duration,
    /// The longest waits between tries.
    waits: ExponentialBackoff,
}

/// One try that may begin.
#[derive(Debug)]
pub(super) struct Turn<'g> {
    guard: &'g Guarded,
    limit: Duration,
    effect: Effect,
    permit: Permit<'g>,
    _seat: SemaphorePermit<'g>,
}

/// What an answer says of its peer's health.
pub(super) trait Answered {
    /// The failure in it, where it failed.
    fn failure(&self) -> Option<&PeerError>;
    /// What is answered when time is up.
    fn late(effect: Effect, asked: usize) -> Self;
}

impl<T> Answered for Result<T, PeerError> {
    fn failure(&self) -> Option<&PeerError> {
        self.as_ref().err()
    }

    fn late(effect: Effect, _: usize) -> Self {
        Err(PeerError::Timeout { effect })
    }
}

impl Answered for Vec<Result<Reading, PeerError>> {
    /// The first failure of the call itself: a refused code is an answer.
    fn failure(&self) -> Option<&PeerError> {
        let failed = |answer: &&Result<Reading, PeerError>| matches!(answer, Err(error) if error.is_passing() || matches!(error, PeerError::Auth { .. }));
        self.iter().find(failed).and_then(|answer| answer.as_ref().err())
    }

    fn late(effect: Effect, asked: usize) -> Self {
        (0..asked).map(|_| Err(PeerError::Timeout { effect })).collect()
    }
}

impl<'g> Tries<'g> {
    pub(super) fn new(guard: &'g Guarded, verb: Verb, context: &CallContext<'_>) -> Self {
        let limits = &guard.limits;
        let waits = ExponentialBuilder::new()
            .with_min_delay(limits.first_wait)
            .with_max_delay(limits.longest_wait)
            .with_max_times(limits.tries.saturating_sub(1))
            .build();
        Self { guard, verb, end: guard.surroundings.elapsed() + context.within, waits }
    }

    /// What is left of the caller's time.
    pub(super) fn left(&self) -> Duration {
        self.end.saturating_sub(self.guard.surroundings.elapsed())
    }

    /// Waits until a try may begin.
    ///
    /// # Errors
    /// [`PeerError::Unavailable`] while the breaker is open or every seat is taken, [`PeerError::RateLimited`] when
    /// its turn would come too late, [`PeerError::Timeout`] without any time; nothing was asked then.
    pub(super) async fn turn(&mut self) -> Result<Turn<'g>, PeerError> {
        let Guarded { breaker, pace, seats, surroundings, limits, .. } = self.guard;
        let open = |wait| busy(Some(wait), "our breaker is open");
        if let Some(wait) = breaker.wait(surroundings.elapsed()) {
            return Err(open(wait));
        }
        if self.left().is_zero() {
            return Err(PeerError::Timeout { effect: Effect::None });
        }
        let (share, effect) = match self.verb {
            Verb::Redeem | Verb::RollBack => (Share::Redeems, Effect::Unknown),
            Verb::Validate | Verb::FindRedemption | Verb::PollEvents | Verb::Import | Verb::Health => {
                (Share::Reads, Effect::None)
            }
        };
        pace.turn(share, self.end).await.map_err(|retry_after| PeerError::RateLimited { retry_after })?;
        let seat = tokio::select! {
            biased;
            seat = seats.acquire() => seat.ok(),
            () = surroundings.sleep(limits.seat_wait) => None,
        };
        let seat = seat.ok_or_else(|| busy(Some(limits.seat_wait), "too many calls are under way"))?;
        let permit = breaker.enter(surroundings.elapsed()).map_err(open)?;
        let limit = limits.of(self.verb).min(self.left());
        Ok(Turn { guard: self.guard, limit, effect, permit, _seat: seat })
    }

    /// Waits before the next try, at least `asked_for` and with full jitter; false when there is none in time.
    pub(super) async fn again(&mut self, asked_for: Option<Duration>) -> bool {
        let Some(longest) = self.waits.next() else {
            return false;
        };
        let surroundings = &self.guard.surroundings;
        let jitter = up_to(longest, surroundings.chance());
        let wait = asked_for.unwrap_or_default() + jitter;
        if wait >= self.left() {
            return false;
        }
        surroundings.sleep(wait).await;
        true
    }

    /// The answer to give, or `None` when it is asked once more.
    pub(super) async fn settle<T>(&mut self, answer: Result<T, PeerError>) -> Option<Result<T, PeerError>> {
        match answer {
            Err(error) if error.is_passing() && self.again(error.retry_after()).await => None,
            done => Some(done),
        }
    }
}

impl Turn<'_> {
    /// What the try is made with.
    pub(super) fn context<'a>(&self, context: &CallContext<'a>) -> CallContext<'a> {
        context.at_most(self.limit)
    }

    /// Makes the try. `asked` is how many answers are due.
    pub(super) async fn make<T: Answered>(self, asked: usize, call: impl Future<Output = T>) -> T {
        let surroundings = &self.guard.surroundings;
        let begun = surroundings.elapsed();
        let answer = tokio::select! {
            biased;
            answer = call => answer,
            () = surroundings.sleep(self.limit) => T::late(self.effect, asked),
        };
        let now = surroundings.elapsed();
        let is_slow = now.saturating_sub(begun) > self.limit * SLOW_PERCENT / 100;
        let verdict = verdict(answer.failure(), is_slow);
        if let Some(PeerError::RateLimited { retry_after }) = answer.failure() {
            self.guard.pace.rest(*retry_after);
        }
        self.permit.leave(verdict, now);
        answer
    }
}

impl GuardLimits {
    /// The time of one try.
    fn of(&self, verb: Verb) -> Duration {
        match verb {
            Verb::Validate | Verb::FindRedemption | Verb::Health => self.read,
            Verb::Redeem | Verb::RollBack => self.redeem,
            Verb::PollEvents | Verb::Import => self.bulk,
        }
    }
}

fn verdict(failure: Option<&PeerError>, is_slow: bool) -> Verdict {
    match failure {
        Some(PeerError::Unavailable { .. } | PeerError::Timeout { .. } | PeerError::Protocol(_)) => Verdict::Bad,
        Some(PeerError::Auth { .. }) => Verdict::Fatal,
        Some(PeerError::RateLimited { .. } | PeerError::OutcomeUnknown) => Verdict::Silent,
        Some(PeerError::Rejected { .. } | PeerError::Unsupported) | None if is_slow => Verdict::Slow,
        Some(PeerError::Rejected { .. } | PeerError::Unsupported) | None => Verdict::Good,
    }
}

fn busy(retry_after: Option<Duration>, why: &str) -> PeerError {
    PeerError::Unavailable { retry_after, effect: Effect::None, detail: why.to_owned() }
}

/// A time up to `longest` in whole milliseconds, as far up as `chance` stands to the largest number.
fn up_to(longest: Duration, chance: u64) -> Duration {
    let ms = (longest.as_millis() * (u128::from(chance) + 1)) >> 64;
    Duration::from_millis(u64::try_from(ms).unwrap_or_default())
}
