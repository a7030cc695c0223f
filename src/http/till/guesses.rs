//! The guess budget: who names too many wrong codes waits, right codes or not.

use crate::http::problem::Problem;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use moka::sync::Cache;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Callers remembered as waiting.
const WAITING: u64 = 100_000;
/// The first wait; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_mins(1);
/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_hours(1);
/// Who named no wrong code too many for so long begins with the first wait again.
const FORGOTTEN: Duration = Duration::from_hours(2);

/// Wrong codes per key and per address, each with a budget a minute.
#[derive(Debug, Clone)]
pub struct Guesses {
    shared: Arc<Budgets>,
}

#[derive(Debug)]
struct Budgets {
    per_key: Option<DefaultKeyedRateLimiter<String>>,
    per_address: Option<DefaultKeyedRateLimiter<String>>,
    waiting: Cache<String, Wait>,
}

/// A caller who waits, or did.
#[derive(Debug, Clone, Copy)]
struct Wait {
    until: Instant,
    length: Duration,
}

impl Guesses {
    /// Budgets a minute; 0 is no limit.
    #[must_use]
    pub fn new(per_key: u32, per_address: u32) -> Self {
        let limiter = |most| NonZeroU32::new(most).map(|most| RateLimiter::keyed(Quota::per_minute(most)));
        let waiting = Cache::builder().max_capacity(WAITING).time_to_live(FORGOTTEN).build();
        let budgets = Budgets { per_key: limiter(per_key), per_address: limiter(per_address), waiting };
        Self { shared: Arc::new(budgets) }
    }

    /// Whether this caller may ask at all.
    ///
    /// # Errors
    /// 429 while it waits, with how long.
    pub fn check(&self, key: &str, address: Option<IpAddr>) -> Result<(), Problem> {
        match self.left(key, address, Instant::now()) {
            Some(left) => Err(Problem::rate_limited("too many wrong codes; wait before the next one", left)),
            None => Ok(()),
        }
    }

    /// Counts a wrong code against the caller's budgets; the one that empties a budget is still answered.
    pub fn wrong(&self, key: &str, address: Option<IpAddr>) {
        self.wrong_at(key, address, Instant::now());
    }

    /// Whole seconds that this caller still waits.
    fn left(&self, key: &str, address: Option<IpAddr>, now: Instant) -> Option<u32> {
        let waits = names(key, address).filter_map(|name| self.shared.waiting.get(&name));
        let longest = waits.map(|wait| wait.until.saturating_duration_since(now)).max()?;
        let seconds = longest.as_secs() + u64::from(longest.subsec_nanos() > 0);
        u32::try_from(seconds).ok().filter(|seconds| *seconds > 0)
    }

    fn wrong_at(&self, key: &str, address: Option<IpAddr>, now: Instant) {
        let limiters = [&self.shared.per_key, &self.shared.per_address];
        for (limiter, name) in limiters.into_iter().zip(names(key, address)) {
            let Some(limiter) = limiter else { continue };
            if limiter.check_key(&name).is_ok() {
                continue;
            }
            let before = self.shared.waiting.get(&name);
            // Those that were on their way when the wait began do not make it longer.
            if before.is_some_and(|wait| wait.until > now) {
                continue;
            }
            let length = before.map_or(FIRST_WAIT, |wait| (wait.length * 2).min(LONGEST_WAIT));
            tracing::warn!(wait_s = length.as_secs(), "too many wrong codes");
            self.shared.waiting.insert(name, Wait { until: now + length, length });
        }
    }
}

fn names(key: &str, address: Option<IpAddr>) -> impl Iterator<Item = String> {
    let by_key = format!("key {key}");
    std::iter::once(by_key).chain(address.map(|address| format!("address {address}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_with_too_many_wrong_codes_waits_and_others_do_not() {
        let guesses = Guesses::new(3, 0);
        for _ in 0..3 {
            guesses.wrong("k1", None);
            assert!(guesses.check("k1", None).is_ok());
        }
        guesses.wrong("k1", None);
        assert!(guesses.check("k1", None).is_err());
        assert!(guesses.check("k2", None).is_ok());
    }

    #[test]
    fn an_address_that_guesses_with_many_keys_waits() {
        let guesses = Guesses::new(0, 2);
        let address = Some(IpAddr::from([192, 0, 2, 1]));
        for key in ["a", "b", "c"] {
            guesses.wrong(key, address);
        }
        assert!(guesses.check("d", address).is_err());
        assert!(guesses.check("d", None).is_ok());
    }

    #[test]
    fn each_further_wait_is_twice_as_long_up_to_an_hour() {
        let guesses = Guesses::new(1, 0);
        let mut now = Instant::now();
        guesses.wrong_at("k", None, now);
        assert_eq!(guesses.left("k", None, now), None, "one a minute is allowed");
        for seconds in [60, 120, 240, 480, 960, 1_920, 3_600, 3_600] {
            guesses.wrong_at("k", None, now);
            guesses.wrong_at("k", None, now);
            assert_eq!(guesses.left("k", None, now), Some(seconds));
            assert_eq!(guesses.left("k", None, now + Duration::from_millis(500)), Some(seconds));
            now += Duration::from_secs(seconds.into());
            assert_eq!(guesses.left("k", None, now), None);
        }
    }

    #[test]
    fn a_budget_of_0_is_no_limit() {
        let guesses = Guesses::new(0, 0);
        for _ in 0..1_000 {
            guesses.wrong("k", Some(IpAddr::from([192, 0, 2, 1])));
        }
        assert!(guesses.check("k", Some(IpAddr::from([192, 0, 2, 1]))).is_ok());
    }
}
