//! Calls a minute: a peer's quota, of which reads leave a share to redeems, and the rest that a peer asked for.

use super::super::Surroundings;
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Percent of the quota that reads may use; the rest waits for redeems.
const READS_PERCENT: u32 = 70;

/// Which share of the quota a call takes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Share {
    Reads,
    Redeems,
}

#[derive(Debug, Clone)]
struct Passing(Arc<dyn Surroundings>);

impl Clock for Passing {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

type Bucket = RateLimiter<NotKeyed, InMemoryState, Passing, NoOpMiddleware<Duration>>;

/// The pace of one peer.
#[derive(Debug)]
pub(super) struct Pace {
    surroundings: Arc<dyn Surroundings>,
    /// All calls, then reads alone; `None` when nobody counts.
    buckets: Option<(Bucket, Bucket)>,
    /// No call before this: the peer asked for it.
    rest: Mutex<Duration>,
}

impl Pace {
    pub(super) fn new(per_minute: Option<u32>, surroundings: Arc<dyn Surroundings>) -> Self {
        let bucket = |calls: u32| RateLimiter::direct_with_clock(quota(calls), Passing(Arc::clone(&surroundings)));
        let buckets = per_minute.map(|calls| (bucket(calls), bucket(calls.saturating_mul(READS_PERCENT) / 100)));
        Self { surroundings, buckets, rest: Mutex::new(Duration::ZERO) }
    }

    /// The peer asked to wait.
    pub(super) fn rest(&self, time: Duration) {
        let until = self.surroundings.elapsed() + time;
        let mut rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        *rest = until.max(*rest);
    }

    /// Waits for a call's turn if that is before `end`.
    ///
    /// # Errors
    /// How long it would take.
    pub(super) async fn turn(&self, share: Share, end: Duration) -> Result<(), Duration> {
        loop {
            let now = self.surroundings.elapsed();
            let Some(wait) = self.wait(share, now) else {
                return Ok(());
            };
            if now + wait >= end {
                return Err(wait);
            }
            self.surroundings.sleep(wait).await;
        }
    }

    fn wait(&self, share: Share, now: Duration) -> Option<Duration> {
        let rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner).checked_sub(now);
        if let Some(rest) = rest.filter(|rest| !rest.is_zero()) {
            return Some(rest);
        }
        let (all, reads) = self.buckets.as_ref()?;
        if share == Share::Reads
            && let Err(early) = reads.check()
        {
            return Some(early.wait_time_from(now));
        }
        all.check().err().map(|early| early.wait_time_from(now))
    }
}

/// At most so many calls in any minute: a tenth at once, the rest evenly.
fn quota(per_minute: u32) -> Quota {
    let burst = NonZeroU32::new(per_minute / 10).unwrap_or(NonZeroU32::MIN);
    let even = per_minute.saturating_sub(burst.get()).max(1);
    let period = Duration::from_mins(1) / even;
    Quota::with_period(period).unwrap_or(Quota::per_minute(NonZeroU32::MIN)).allow_burst(burst)
}
