//! The breaker: after too many failures calls are answered here for a while, then a few try the peer out.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// Whether calls go through to a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// They do.
    Closed,
    /// It failed too often: calls are answered here until the pause is over.
    Open,
    /// The pause is over and a few calls try it out.
    HalfOpen,
}

/// When a breaker opens and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerLimits {
    /// The latest calls that are looked at; with fewer it never opens.
    pub window: usize,
    /// Percent of them that failed, or that were slow, at which it opens.
    pub percent: usize,
    /// How long it stays open.
    pub pause: Duration,
    /// Calls that then try the peer out; all must be good.
    pub probes: usize,
}

impl Default for BreakerLimits {
    /// 20 calls, 50 %, 15 s, 2 probes: a slow peer costs at most 20 time-outs, and a short restart one pause.
    fn default() -> Self {
        Self { window: 20, percent: 50, pause: Duration::from_secs(15), probes: 2 }
    }
}

/// How a call went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Answered in good time, also with a no.
    Good,
    /// Answered, but nearly too late.
    Slow,
    /// Not answered, or not readably.
    Bad,
    /// Our key is not accepted: nothing else will be answered either.
    Fatal,
    /// Says nothing of the peer's health.
    Silent,
}

#[derive(Debug)]
enum Phase {
    Closed,
    Open { until: Duration },
    Trying { under_way: usize, good: usize },
}

#[derive(Debug)]
struct Inner {
    phase: Phase,
    /// Goes up with each change of phase: a call that began before it says nothing any more.
    phase_no: u64,
    calls: VecDeque<Verdict>,
}

/// The breaker of one peer. Times are [`Surroundings::elapsed`](super::Surroundings::elapsed).
#[derive(Debug)]
pub(super) struct Breaker {
    limits: BreakerLimits,
    inner: Mutex<Inner>,
    told: watch::Sender<BreakerState>,
}

/// Leave to make one call. Dropped without a verdict (the caller gave up) it makes room for another.
#[derive(Debug)]
pub(super) struct Permit<'a> {
    breaker: &'a Breaker,
    phase_no: u64,
    judged: bool,
}

impl Breaker {
    pub(super) fn new(limits: BreakerLimits) -> Self {
        let inner = Inner { phase: Phase::Closed, phase_no: 0, calls: VecDeque::new() };
        Self { limits, inner: Mutex::new(inner), told: watch::Sender::new(BreakerState::Closed) }
    }

    pub(super) fn state(&self) -> BreakerState {
        *self.told.borrow()
    }

    pub(super) fn changes(&self) -> watch::Receiver<BreakerState> {
        self.told.subscribe()
    }

    /// Leave for a call, or how long there is none.
    pub(super) fn enter(&self, now: Duration) -> Result<Permit<'_>, Duration> {
        let mut inner = self.inner();
        if let Phase::Open { until } = inner.phase {
            if now < until {
                return Err(until.saturating_sub(now));
            }
            self.change(&mut inner, Phase::Trying { under_way: 0, good: 0 });
        }
        if let Phase::Trying { under_way, good } = &mut inner.phase {
            if *under_way + *good >= self.limits.probes {
                return Err(self.limits.pause);
            }
            *under_way += 1;
        }
        Ok(Permit { breaker: self, phase_no: inner.phase_no, judged: false })
    }

    /// How long no call goes through, or none; takes no leave.
    pub(super) fn wait(&self, now: Duration) -> Option<Duration> {
        match self.inner().phase {
            Phase::Open { until } if now < until => Some(until.saturating_sub(now)),
            Phase::Closed | Phase::Open { .. } | Phase::Trying { .. } => None,
        }
    }

    fn judge(&self, verdict: Verdict, phase_no: u64, now: Duration) {
        let mut inner = self.inner();
        if inner.phase_no != phase_no {
            return;
        }
        if verdict == Verdict::Fatal {
            return self.open(&mut inner, now);
        }
        match &mut inner.phase {
            Phase::Open { .. } => {}
            Phase::Trying { under_way, good } => {
                *under_way = under_way.saturating_sub(1);
                match verdict {
                    Verdict::Good => *good += 1,
                    Verdict::Silent => {}
                    Verdict::Slow | Verdict::Bad | Verdict::Fatal => return self.open(&mut inner, now),
                }
                if *good >= self.limits.probes {
                    self.change(&mut inner, Phase::Closed);
                }
            }
            Phase::Closed if verdict == Verdict::Silent => {}
            Phase::Closed => {
                inner.calls.push_back(verdict);
                if inner.calls.len() > self.limits.window {
                    inner.calls.pop_front();
                }
                let of = |kind| inner.calls.iter().filter(|call| **call == kind).count();
                let share = |count: usize| count * 100 >= self.limits.percent * self.limits.window;
                if inner.calls.len() >= self.limits.window && (share(of(Verdict::Bad)) || share(of(Verdict::Slow))) {
                    self.open(&mut inner, now);
                }
            }
        }
    }

    fn open(&self, inner: &mut Inner, now: Duration) {
        self.change(inner, Phase::Open { until: now + self.limits.pause });
    }

    fn change(&self, inner: &mut Inner, phase: Phase) {
        let state = match phase {
            Phase::Closed => BreakerState::Closed,
            Phase::Open { .. } => BreakerState::Open,
            Phase::Trying { .. } => BreakerState::HalfOpen,
        };
        inner.phase = phase;
        inner.phase_no += 1;
        inner.calls.clear();
        self.told.send_replace(state);
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Nothing in here panics half-way, so what a poisoned lock holds is whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit<'_> {
    /// Says how the call went.
    pub(super) fn leave(mut self, verdict: Verdict, now: Duration) {
        self.judged = true;
        self.breaker.judge(verdict, self.phase_no, now);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if !self.judged {
            self.breaker.judge(Verdict::Silent, self.phase_no, Duration::ZERO);
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn feed(breaker: &Breaker, verdicts: &[Verdict], now: Duration) {
        for verdict in verdicts {
            breaker.enter(now).unwrap().leave(*verdict, now);
        }
    }

    fn opened() -> Breaker {
        let breaker = Breaker::new(BreakerLimits::default());
        feed(&breaker, &[Verdict::Bad; 20], secs(0));
        breaker
    }

    #[test]
    fn it_opens_at_half_of_a_full_window_and_not_before() {
        for (one, two) in [(Verdict::Bad, Verdict::Good), (Verdict::Slow, Verdict::Bad)] {
            let breaker = Breaker::new(BreakerLimits::default());
            feed(&breaker, &[two; 10], secs(0));
            feed(&breaker, &[one; 9], secs(1));
            assert_eq!(breaker.state(), BreakerState::Closed);
            feed(&breaker, &[one], secs(2));
            assert_eq!(breaker.state(), BreakerState::Open);
            assert_eq!(breaker.enter(secs(3)).unwrap_err(), secs(14));
        }
    }

    #[test]
    fn a_window_of_mostly_good_calls_slides_and_stays_closed() {
        let breaker = Breaker::new(BreakerLimits::default());
        for _ in 0..50 {
            feed(&breaker, &[Verdict::Good, Verdict::Good, Verdict::Bad, Verdict::Silent], secs(0));
        }
        assert_eq!(breaker.state(), BreakerState::Closed);
    }

    #[test]
    fn two_good_probes_close_it_and_a_third_call_waits_for_them() {
        let breaker = opened();
        let (one, two) = (breaker.enter(secs(15)).unwrap(), breaker.enter(secs(15)).unwrap());
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
        assert!(breaker.enter(secs(15)).is_err());
        one.leave(Verdict::Good, secs(16));
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
        two.leave(Verdict::Good, secs(16));
        assert_eq!(breaker.state(), BreakerState::Closed);
    }

    #[test]
    fn one_bad_probe_opens_it_for_another_pause() {
        let breaker = opened();
        feed(&breaker, &[Verdict::Good, Verdict::Slow], secs(15));
        assert_eq!(breaker.state(), BreakerState::Open);
        assert_eq!(breaker.wait(secs(20)), Some(secs(10)));
        assert_eq!(breaker.wait(secs(30)), None);
    }

    #[test]
    fn a_probe_that_was_given_up_makes_room_for_another() {
        let breaker = opened();
        for _ in 0..5 {
            drop(breaker.enter(secs(15)).unwrap());
        }
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
    }

    #[test]
    fn a_call_from_before_the_pause_does_not_count_as_a_probe() {
        let breaker = Breaker::new(BreakerLimits::default());
        let old = breaker.enter(secs(0)).unwrap();
        feed(&breaker, &[Verdict::Bad; 20], secs(0));
        let probe = breaker.enter(secs(15)).unwrap();
        old.leave(Verdict::Bad, secs(16));
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
        probe.leave(Verdict::Good, secs(16));
    }

    #[test]
    fn a_refused_key_opens_it_at_once() {
        let breaker = Breaker::new(BreakerLimits::default());
        feed(&breaker, &[Verdict::Fatal], secs(0));
        assert_eq!(breaker.state(), BreakerState::Open);
        assert!(breaker.changes().has_changed().is_ok());
    }
}
