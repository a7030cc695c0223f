//! How often digits are sent and tried: per network address and per country of the number. Per number the engine counts.

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

/// Callers remembered before those that are full again are forgotten.
const REMEMBERED: usize = 50_000;

type Limiter<K> = Option<Arc<DefaultKeyedRateLimiter<K>>>;

/// Budgets of claim pages; clones share them.
#[derive(Debug, Clone)]
pub struct ClaimLimits {
    sends: Limiter<IpAddr>,
    sends_to: Limiter<String>,
    tries: Limiter<IpAddr>,
}

impl ClaimLimits {
    /// Texts with digits an hour for one address, a minute to one country, and digits tried a minute from one address;
    /// 0 is no limit.
    #[must_use]
    pub fn new(sends_per_address_hour: u32, sends_per_country_minute: u32, tries_per_address_minute: u32) -> Self {
        Self {
            sends: limiter(sends_per_address_hour, Quota::per_hour),
            sends_to: limiter(sends_per_country_minute, Quota::per_minute),
            tries: limiter(tries_per_address_minute, Quota::per_minute),
        }
    }

    /// Counts a text; when it may be asked for again, where it is not now: "in 3 minutes".
    pub(super) fn may_send(&self, address: Option<IpAddr>, country: &str) -> Option<String> {
        let by_address = address.and_then(|address| wait(self.sends.as_ref(), &network(address)));
        by_address.or_else(|| wait(self.sends_to.as_ref(), &country.to_owned()))
    }

    /// Counts a try.
    pub(super) fn may_try(&self, address: Option<IpAddr>) -> Option<String> {
        address.and_then(|address| wait(self.tries.as_ref(), &network(address)))
    }
}

fn limiter<K: Hash + Eq + Clone>(most: u32, quota: impl Fn(NonZeroU32) -> Quota) -> Limiter<K> {
    NonZeroU32::new(most).map(|most| Arc::new(RateLimiter::keyed(quota(most))))
}

fn wait<K: Hash + Eq + Clone>(limiter: Option<&Arc<DefaultKeyedRateLimiter<K>>>, key: &K) -> Option<String> {
    let limiter = limiter?;
    if limiter.len() > REMEMBERED {
        limiter.retain_recent();
    }
    let full = limiter.check_key(key).err()?;
    let seconds = full.wait_time_from(DefaultClock::default().now()).as_secs() + 1;
    Some(match (seconds / 60, seconds) {
        (0, 1) => "in a second".to_owned(),
        (0, seconds) => format!("in {seconds} seconds"),
        (_, seconds) => format!("in {} minutes", seconds.div_ceil(60)),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_and_a_country_have_budgets_of_their_own() {
        let limits = ClaimLimits::new(2, 3, 1);
        let (one, other) = (Some(IpAddr::from([192, 0, 2, 1])), Some(IpAddr::from([192, 0, 2, 2])));
        assert_eq!(limits.may_send(one, "US"), None);
        assert_eq!(limits.may_send(one, "US"), None);
        assert_eq!(limits.may_send(one, "US").as_deref(), Some("in 30 minutes"));
        assert_eq!(limits.may_send(other, "US"), None);
        assert!(limits.may_send(other, "US").is_some(), "the country is full");
        assert_eq!(limits.may_try(one), None);
        assert!(limits.may_try(one).is_some());
        let open = ClaimLimits::new(0, 0, 0);
        assert!((0..100).all(|_| open.may_send(one, "US").is_none() && open.may_try(one).is_none()));
    }
}
