//! How often tokens are asked for: per address before anything is looked at, per client once it proved itself, so that
//! nobody can use up another's budget.

use super::error::OAuthError;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

/// Callers remembered before those that are full again are forgotten.
const REMEMBERED: usize = 50_000;

/// Budgets a minute.
#[derive(Debug, Clone)]
pub struct TokenLimits {
    per_client: Option<Arc<DefaultKeyedRateLimiter<String>>>,
    per_address: Option<Arc<DefaultKeyedRateLimiter<IpAddr>>>,
}

impl TokenLimits {
    /// Requests a minute of one client and of one address; 0 is no limit.
    #[must_use]
    pub fn new(per_client: u32, per_address: u32) -> Self {
        let quota = |most| NonZeroU32::new(most).map(Quota::per_minute);
        Self {
            per_client: quota(per_client).map(|quota| Arc::new(RateLimiter::keyed(quota))),
            per_address: quota(per_address).map(|quota| Arc::new(RateLimiter::keyed(quota))),
        }
    }

    /// Counts a request of an address.
    pub(super) fn address(&self, address: Option<IpAddr>) -> Result<(), OAuthError> {
        match (&self.per_address, address) {
            (Some(limiter), Some(address)) => check(limiter, &network(address)),
            (None, _) | (_, None) => Ok(()),
        }
    }

    /// Counts a token of a client.
    pub(super) fn client(&self, client: &str) -> Result<(), OAuthError> {
        self.per_client.as_ref().map_or(Ok(()), |limiter| check(limiter, &client.to_owned()))
    }
}

fn check<K: std::hash::Hash + Eq + Clone>(limiter: &DefaultKeyedRateLimiter<K>, key: &K) -> Result<(), OAuthError> {
    if limiter.len() > REMEMBERED {
        limiter.retain_recent();
    }
    limiter.check_key(key).map_err(|full| {
        let wait = full.wait_time_from(DefaultClock::default().now());
        OAuthError::too_many(u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1))
    })
}

/// Whoever has one address of IPv6 has the 64 bits behind it.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(six) => {
            let [a, b, c, d, ..] = six.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
    }
}
