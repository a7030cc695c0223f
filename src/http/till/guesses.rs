//! The guess budget: who names too many wrong codes waits, right codes or not.

use crate::http::problem::Problem;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use moka::sync::Cache;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

/// Callers remembered as waiting; each is forgotten after a minute.
const WAITING: u64 = 100_000;

/// Wrong codes per key and per address, each with a budget a minute.
#[derive(Debug, Clone)]
pub struct Guesses {
    shared: Arc<Budgets>,
}

#[derive(Debug)]
struct Budgets {
    per_key: Option<DefaultKeyedRateLimiter<String>>,
    per_address: Option<DefaultKeyedRateLimiter<String>>,
    waiting: Cache<String, ()>,
}

impl Guesses {
    /// Budgets a minute; 0 is no limit.
    #[must_use]
    pub fn new(per_key: u32, per_address: u32) -> Self {
        let limiter = |most| NonZeroU32::new(most).map(|most| RateLimiter::keyed(Quota::per_minute(most)));
        let waiting = Cache::builder().max_capacity(WAITING).time_to_live(Duration::from_mins(1)).build();
        let budgets = Budgets { per_key: limiter(per_key), per_address: limiter(per_address), waiting };
        Self { shared: Arc::new(budgets) }
    }

    /// Whether this caller may ask at all.
    ///
    /// # Errors
    /// 429 while its budget is used up.
    pub fn check(&self, key: &str, address: Option<IpAddr>) -> Result<(), Problem> {
        let blocked = names(key, address).any(|name| self.shared.waiting.contains_key(&name));
        if blocked {
            return Err(Problem::rate_limited("too many wrong codes; wait a minute", 60));
        }
        Ok(())
    }

    /// Counts a wrong code against the caller's budgets; the one that empties a budget is still answered.
    pub fn wrong(&self, key: &str, address: Option<IpAddr>) {
        let limiters = [&self.shared.per_key, &self.shared.per_address];
        for (limiter, name) in limiters.into_iter().zip(names(key, address)) {
            let Some(limiter) = limiter else { continue };
            if let Err(full) = limiter.check_key(&name) {
                tracing::warn!(
                    wait_s = full.wait_time_from(DefaultClock::default().now()).as_secs(),
                    "too many wrong codes"
                );
                self.shared.waiting.insert(name, ());
            }
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
    fn a_budget_of_0_is_no_limit() {
        let guesses = Guesses::new(0, 0);
        for _ in 0..1_000 {
            guesses.wrong("k", Some(IpAddr::from([192, 0, 2, 1])));
        }
        assert!(guesses.check("k", Some(IpAddr::from([192, 0, 2, 1]))).is_ok());
    }
}
