//! What tests of this wing stand on: virtual time, and a peer that keeps books and fails on order.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

use super::{
    Authentic, Authority, CallContext, Capabilities, Effect, EventPage, Forged, Health, Idempotency, ImportPage, Peer,
    PeerError, PeerEvent, Reading, Redeem, Redemption, Rollback, Status, Surroundings, Unreadable, Wait, Webhook,
};
use crate::domain::code::Code;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, VecDeque};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

#[derive(Debug, Default)]
struct Sleepers {
    now: Duration,
    waiting: Vec<(Duration, Waker)>,
}

/// Time that moves only when nobody can go on otherwise: to the next sleeper, at once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Virtual(Arc<Mutex<Sleepers>>);

struct Sleep {
    time: Virtual,
    until: Duration,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut sleepers = self.time.0.lock().unwrap();
        if sleepers.now >= self.until {
            return Poll::Ready(());
        }
        sleepers.waiting.push((self.until, context.waker().clone()));
        Poll::Pending
    }
}

impl Surroundings for Virtual {
    fn elapsed(&self) -> Duration {
        self.0.lock().unwrap().now
    }

    fn sleep(&self, time: Duration) -> Wait {
        Box::pin(Sleep { time: self.clone(), until: self.elapsed() + time })
    }

    fn chance(&self) -> u64 {
        u64::MAX
    }
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

impl Virtual {
    /// Runs a future to its end in virtual time.
    pub(crate) fn run<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&woken));
        loop {
            while woken.0.swap(false, Ordering::AcqRel) {
                if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                    return done;
                }
            }
            self.advance_to_next();
        }
    }

    /// Lets time pass.
    pub(crate) fn pass(&self, time: Duration) {
        self.0.lock().unwrap().now += time;
    }

    fn advance_to_next(&self) {
        let mut sleepers = self.0.lock().unwrap();
        let next = sleepers.waiting.iter().map(|(until, _)| *until).min();
        sleepers.now = next.expect("somebody waits for time, else nothing would ever happen").max(sleepers.now);
        let now = sleepers.now;
        let (due, later) = std::mem::take(&mut sleepers.waiting).into_iter().partition(|(until, _)| *until <= now);
        sleepers.waiting = later;
        drop(sleepers);
        let due: Vec<(Duration, Waker)> = due;
        for (_, waker) in due {
            waker.wake();
        }
    }
}

/// Runs futures together, each to its end.
pub(crate) async fn together<T>(futures: Vec<Pin<Box<dyn Future<Output = T> + '_>>>) -> Vec<T> {
    let mut open: Vec<_> = futures.into_iter().map(|future| (Some(future), None)).collect();
    std::future::poll_fn(move |context| {
        for (future, done) in &mut open {
            if let Some(Poll::Ready(value)) = future.as_mut().map(|future| future.as_mut().poll(context)) {
                (*future, *done) = (None, Some(value));
            }
        }
        if open.iter().any(|(future, _)| future.is_some()) {
            return Poll::Pending;
        }
        Poll::Ready(std::mem::take(&mut open).into_iter().filter_map(|(_, done)| done).collect())
    })
    .await
}

/// What a call to the books does instead of succeeding.
#[derive(Debug, Clone)]
pub(crate) enum Mishap {
    /// Fails before anything is done.
    Fails(PeerError),
    /// Takes that long first.
    Takes(Duration),
    /// Does it, and the answer is lost.
    DoneUnanswered,
}

/// A peer in memory: its books, what it was asked, and the mishaps to come.
#[derive(Debug)]
pub(crate) struct Books {
    pub(crate) capabilities: Capabilities,
    pub(crate) states: Mutex<BTreeMap<String, Status>>,
    pub(crate) redemptions: Mutex<BTreeMap<String, Vec<String>>>,
    pub(crate) asked: Mutex<Vec<String>>,
    pub(crate) mishaps: Mutex<VecDeque<Mishap>>,
    pub(crate) time: Virtual,
}

pub(crate) fn code(text: &str) -> Code {
    Code::parse(text).unwrap()
}

pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_000_000, 0).unwrap()
}

impl Books {
    pub(crate) fn new(time: &Virtual) -> Self {
        let capabilities = Capabilities {
            can_redeem: true,
            can_rollback: true,
            can_find_redemption: true,
            can_import: false,
            pushes_events: false,
            polls_events: false,
            rollback_rearms: true,
            batch_max: 30,
            quota_per_minute: None,
            authority: Authority::Strong,
            idempotency: Idempotency::ByReference,
        };
        Self {
            capabilities,
            states: Mutex::default(),
            redemptions: Mutex::default(),
            asked: Mutex::default(),
            mishaps: Mutex::default(),
            time: time.clone(),
        }
    }

    pub(crate) fn put(&self, text: &str, status: Status) {
        self.states.lock().unwrap().insert(text.to_owned(), status);
    }

    pub(crate) fn plan(&self, mishaps: impl IntoIterator<Item = Mishap>) {
        self.mishaps.lock().unwrap().extend(mishaps);
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }

    /// The uses of a code, by our references.
    pub(crate) fn uses(&self, text: &str) -> usize {
        self.redemptions.lock().unwrap().get(text).map_or(0, Vec::len)
    }

    async fn mishap(&self, verb: &str) -> Result<bool, PeerError> {
        self.asked.lock().unwrap().push(verb.to_owned());
        let mishap = self.mishaps.lock().unwrap().pop_front();
        match mishap {
            None => Ok(false),
            Some(Mishap::Fails(error)) => Err(error),
            Some(Mishap::DoneUnanswered) => Ok(true),
            Some(Mishap::Takes(time)) => {
                self.time.sleep(time).await;
                Ok(false)
            }
        }
    }
}

#[async_trait::async_trait]
impl Peer for Books {
    fn name(&self) -> &'static str {
        "books"
    }

    fn kind(&self) -> &'static str {
        "books"
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn validate(&self, codes: &[Code], context: &CallContext<'_>) -> Vec<Result<Reading, PeerError>> {
        if let Err(error) = self.mishap(&format!("validate {}", codes.len())).await {
            return codes.iter().map(|_| Err(error.clone())).collect();
        }
        let states = self.states.lock().unwrap();
        let reading = |code: &Code| Reading {
            status: states.get(code.expose()).cloned().unwrap_or(Status::Unknown),
            as_of: context.now,
            authority: Authority::Strong,
            reason: None,
        };
        codes.iter().map(|code| Ok(reading(code))).collect()
    }

    async fn redeem(&self, ask: &Redeem, _: &CallContext<'_>) -> Result<Redemption, PeerError> {
        let lost = self.mishap("redeem").await?;
        let mut redemptions = self.redemptions.lock().unwrap();
        let uses = redemptions.entry(ask.code.expose().to_owned()).or_default();
        let is_replay = self.capabilities.idempotency == Idempotency::Native && uses.contains(&ask.reference);
        if !uses.is_empty() && !is_replay {
            return Err(PeerError::Rejected { reason: super::Reason::AlreadyRedeemed, at: None, detail: None });
        }
        if !is_replay {
            uses.push(ask.reference.clone());
        }
        if lost {
            return Err(PeerError::Timeout { effect: Effect::Unknown });
        }
        Ok(Redemption { redemption_id: format!("r_{}", ask.reference), at: None, discount: None })
    }

    async fn find_redemption(
        &self,
        code: &Code,
        reference: &str,
        _: &CallContext<'_>,
    ) -> Result<Option<Redemption>, PeerError> {
        self.mishap("find").await?;
        let redemptions = self.redemptions.lock().unwrap();
        let found = redemptions.get(code.expose()).is_some_and(|uses| uses.iter().any(|known| known == reference));
        Ok(found.then(|| Redemption { redemption_id: format!("r_{reference}"), at: None, discount: None }))
    }

    async fn rollback(&self, ask: &Rollback, _: &CallContext<'_>) -> Result<(), PeerError> {
        self.mishap("rollback").await?;
        self.redemptions.lock().unwrap().remove(ask.code.expose());
        Ok(())
    }

    async fn poll_events(&self, _: Option<&str>, _: &CallContext<'_>) -> Result<EventPage, PeerError> {
        Err(PeerError::Unsupported)
    }

    async fn import(&self, _: Option<&str>, _: &CallContext<'_>) -> Result<ImportPage, PeerError> {
        Err(PeerError::Unsupported)
    }

    async fn health(&self, _: &CallContext<'_>) -> Result<Health, PeerError> {
        self.mishap("health").await?;
        Ok(Health { calls_left: None })
    }

    fn authenticate<'a>(&self, _: &'a Webhook<'a>, _: DateTime<Utc>) -> Result<Authentic<'a>, Forged> {
        Err(Forged::Unsigned)
    }

    fn parse(&self, _: Authentic<'_>) -> Vec<Result<PeerEvent, Unreadable>> {
        Vec::new()
    }
}
