//! A peer made worse, on order or by a seed: for tests of everything that stands on peers.

use super::{
    Authentic, CallContext, Capabilities, Effect, EventPage, Forged, Health, ImportPage, Peer, PeerError, PeerEvent,
    Reading, Redeem, Redemption, Rollback, Surroundings, Unreadable, Webhook,
};
use crate::domain::code::Code;
use chrono::{DateTime, Utc};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// One thing that goes wrong with one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// It is answered late.
    Latency(Duration),
    /// It is turned away with a 5xx.
    Unavailable,
    /// It is never answered, and nothing is done.
    Hang,
    /// It is done, and the answer makes no sense.
    Garbage,
    /// It is done, and the answer is lost.
    DoneUnanswered,
    /// It arrives twice; the second answer comes back.
    Duplicate,
    /// It is turned away for so long.
    RateLimited(Duration),
}

/// How long a call hangs: longer than anybody waits.
const FOR_EVER: Duration = Duration::from_hours(1);

#[derive(Debug)]
struct Plan {
    script: VecDeque<Fault>,
    /// State of a small generator, and how many of a thousand calls go wrong.
    seed: u64,
    per_mille: u64,
}

/// A peer made worse.
#[derive(Debug)]
pub struct Faulty {
    inner: Arc<dyn Peer>,
    surroundings: Arc<dyn Surroundings>,
    plan: Mutex<Plan>,
}

impl Faulty {
    /// The calls to come meet these faults, one each; later ones none.
    #[must_use]
    pub fn scripted(
        inner: Arc<dyn Peer>,
        surroundings: Arc<dyn Surroundings>,
        faults: impl IntoIterator<Item = Fault>,
    ) -> Self {
        let plan = Plan { script: faults.into_iter().collect(), seed: 0, per_mille: 0 };
        Self { inner, surroundings, plan: Mutex::new(plan) }
    }

    /// So many of a thousand calls go wrong, each way as likely; the same seed makes the same faults.
    #[must_use]
    pub fn seeded(inner: Arc<dyn Peer>, surroundings: Arc<dyn Surroundings>, seed: u64, per_mille: u64) -> Self {
        let plan = Plan { script: VecDeque::new(), seed, per_mille };
        Self { inner, surroundings, plan: Mutex::new(plan) }
    }

    fn next(&self) -> Fault {
        let mut plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(fault) = plan.script.pop_front() {
            return fault;
        }
        if plan.per_mille == 0 || plan.draw() % 1000 >= plan.per_mille {
            return Fault::None;
        }
        let some = Duration::from_millis(plan.draw() % 2000);
        let faults = [
            Fault::Latency(some),
            Fault::Unavailable,
            Fault::Hang,
            Fault::Garbage,
            Fault::DoneUnanswered,
            Fault::Duplicate,
            Fault::RateLimited(some),
        ];
        let place = plan.draw() % 7;
        faults.into_iter().nth(usize::try_from(place).unwrap_or_default()).unwrap_or(Fault::None)
    }

    /// What happens before a call is made: an answer in its place, or whether it is made twice and loses its answer.
    async fn before(&self) -> Result<(Times, Option<PeerError>), PeerError> {
        let lost = |error| Ok((Times::Once, Some(error)));
        match self.next() {
            Fault::None => Ok((Times::Once, None)),
            Fault::Latency(time) => {
                self.surroundings.sleep(time).await;
                Ok((Times::Once, None))
            }
            Fault::Unavailable => {
                let detail = "status 503".to_owned();
                Err(PeerError::Unavailable { retry_after: None, effect: Effect::None, detail })
            }
            Fault::Hang => {
                self.surroundings.sleep(FOR_EVER).await;
                Err(PeerError::Timeout { effect: Effect::Unknown })
            }
            Fault::Garbage => lost(PeerError::Protocol("no JSON at line 1 column 1".to_owned())),
            Fault::DoneUnanswered => lost(PeerError::Timeout { effect: Effect::Unknown }),
            Fault::Duplicate => Ok((Times::Twice, None)),
            Fault::RateLimited(retry_after) => Err(PeerError::RateLimited { retry_after }),
        }
    }
}

/// How often a call arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Times {
    Once,
    Twice,
}

impl Plan {
    /// `SplitMix64` (Steele, Lea, Flood 2014).
    fn draw(&mut self) -> u64 {
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// Makes a call as its fault says.
macro_rules! made {
    ($self:ident, $call:expr) => {{
        let (times, lost) = $self.before().await?;
        if times == Times::Twice {
            let _ = $call.await;
        }
        let answer = $call.await;
        lost.map_or(answer, Err)
    }};
}

#[async_trait::async_trait]
impl Peer for Faulty {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn kind(&self) -> &'static str {
        self.inner.kind()
    }

    fn capabilities(&self) -> &Capabilities {
        self.inner.capabilities()
    }

    async fn validate(&self, codes: &[Code], context: &CallContext<'_>) -> Vec<Result<Reading, PeerError>> {
        match self.before().await {
            Ok((_, None)) => self.inner.validate(codes, context).await,
            Ok((_, Some(error))) | Err(error) => codes.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    async fn redeem(&self, ask: &Redeem, context: &CallContext<'_>) -> Result<Redemption, PeerError> {
        made!(self, self.inner.redeem(ask, context))
    }

    async fn find_redemption(
        &self,
        code: &Code,
        reference: &str,
        context: &CallContext<'_>,
    ) -> Result<Option<Redemption>, PeerError> {
        made!(self, self.inner.find_redemption(code, reference, context))
    }

    async fn rollback(&self, ask: &Rollback, context: &CallContext<'_>) -> Result<(), PeerError> {
        made!(self, self.inner.rollback(ask, context))
    }

    async fn poll_events(&self, after: Option<&str>, context: &CallContext<'_>) -> Result<EventPage, PeerError> {
        made!(self, self.inner.poll_events(after, context))
    }

    async fn import(&self, after: Option<&str>, context: &CallContext<'_>) -> Result<ImportPage, PeerError> {
        made!(self, self.inner.import(after, context))
    }

    async fn health(&self, context: &CallContext<'_>) -> Result<Health, PeerError> {
        made!(self, self.inner.health(context))
    }

    fn authenticate<'a>(&self, hook: &'a Webhook<'a>, now: DateTime<Utc>) -> Result<Authentic<'a>, Forged> {
        self.inner.authenticate(hook, now)
    }

    fn parse(&self, hook: Authentic<'_>) -> Vec<Result<PeerEvent, Unreadable>> {
        self.inner.parse(hook)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Books, Virtual, code, now};
    use super::super::{GuardLimits, Guarded, Idempotency};
    use super::*;

    /// What a till is told and what the books say, over many redeems through a peer of which a third of calls fail.
    fn tell(idempotency: Idempotency, seed: u64) -> (usize, usize) {
        let time = Virtual::default();
        let mut books = Books::new(&time);
        books.capabilities.idempotency = idempotency;
        let books = Arc::new(books);
        let faulty = Faulty::seeded(Arc::clone(&books) as _, Arc::new(time.clone()), seed, 300);
        let guard = Guarded::with(Arc::new(faulty), GuardLimits::default(), Arc::new(time.clone()));
        let (mut done, mut unknown) = (0, 0);
        for n in 0..200 {
            let (code, reference) = (code(&format!("AAA-{n}")), format!("till-1.k{n}"));
            let ask = Redeem { code: code.clone(), reference, store: None, order: None, amount: None };
            let told = time.run(guard.redeem(&ask, &CallContext::unrecorded(now(), Duration::from_secs(20))));
            let uses = books.uses(code.expose());
            assert!(uses <= 1, "{idempotency:?}, seed {seed}: {code:?} used {uses} times");
            match &told {
                Ok(_) => done += 1,
                Err(PeerError::OutcomeUnknown) => unknown += 1,
                Err(error) => assert_eq!(uses, 0, "{idempotency:?}, seed {seed}: {error}"),
            }
            if told.is_ok() {
                assert_eq!(uses, 1, "{idempotency:?}, seed {seed}: told used, and it is not");
            }
            time.pass(Duration::from_secs(20));
        }
        (done, unknown)
    }

    #[test]
    fn whatever_goes_wrong_no_code_is_used_twice_and_no_till_is_told_wrong() {
        for (idempotency, most) in
            [(Idempotency::Native, 190), (Idempotency::ByReference, 180), (Idempotency::None, 150)]
        {
            for seed in 0..5 {
                let (done, unknown) = tell(idempotency, seed);
                assert!(done >= most, "{idempotency:?}, seed {seed}: {done} of 200 done, {unknown} unknown");
            }
        }
    }

    #[test]
    fn the_same_seed_makes_the_same_faults() {
        assert_eq!(tell(Idempotency::Native, 7), tell(Idempotency::Native, 7));
    }
}
