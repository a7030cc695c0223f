//! How fast a partner may call, and how it is told: `RateLimit-Policy` and `RateLimit` as draft 11 of the IETF's
//! httpapi group has them (May 2026), the only place that knows this form. It is a hint of this process; what has value
//! is capped in the database.

use super::Site;
use super::problem::Problem;
use crate::domain::partner::Rate;
use crate::engine::Partner;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use moka::sync::Cache;
use std::num::NonZeroU32;
use std::sync::Arc;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STATE: HeaderName = HeaderName::from_static("ratelimit");
/// Where a partner has no rate of its own.
const DEFAULT: Rate = Rate { per_second: 50, burst: 100 };
/// Partners remembered; who is forgotten begins with a full bucket.
const REMEMBERED: u64 = 10_000;

type Bucket = RateLimiter<NotKeyed, InMemoryState, DefaultClock, StateInformationMiddleware>;

/// A bucket a partner.
#[derive(Debug, Clone)]
pub(super) struct PartnerRates {
    buckets: Cache<(String, u32, u32), Arc<Bucket>>,
}

impl Default for PartnerRates {
    fn default() -> Self {
        Self { buckets: Cache::new(REMEMBERED) }
    }
}

/// What is left of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Left {
    rate: Rate,
    /// Calls that may be made at once.
    calls: u32,
    /// Seconds until a call may be made, where none may now.
    wait_s: Option<u32>,
}

impl PartnerRates {
    fn take(&self, client: &str, rate: Rate) -> Left {
        let rate = Rate { per_second: rate.per_second.max(1), burst: rate.burst.max(1) };
        let one = NonZeroU32::MIN;
        let quota = Quota::per_second(NonZeroU32::new(rate.per_second).unwrap_or(one));
        let quota = quota.allow_burst(NonZeroU32::new(rate.burst).unwrap_or(one));
        // A changed rate is another bucket.
        let key = (client.to_owned(), rate.per_second, rate.burst);
        let bucket = self.buckets.get_with(key, || Arc::new(RateLimiter::direct(quota).with_middleware()));
        match bucket.check() {
            Ok(state) => Left { rate, calls: state.remaining_burst_capacity(), wait_s: None },
            Err(full) => {
                let wait = full.wait_time_from(DefaultClock::default().now());
                let seconds = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
                Left { rate, calls: 0, wait_s: Some(seconds) }
            }
        }
    }
}

impl Left {
    fn say(self, response: &mut Response) {
        let Rate { per_second, burst } = self.rate;
        let window = burst.div_ceil(per_second);
        let full = (burst - self.calls.min(burst)).div_ceil(per_second);
        let headers = response.headers_mut();
        let policy = format!("\"calls\";q={burst};w={window}");
        let state = format!("\"calls\";r={};t={full}", self.calls);
        for (name, value) in [(POLICY, policy), (STATE, state)] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
    }
}

/// Lets a partner in at its pace, and tells it how much is left. Who it is was proved here: the handler finds it among
/// the extensions of the request.
pub(super) async fn pace(State((site, rates)): State<(Site, PartnerRates)>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let partner = match Partner::from_request_parts(&mut parts, &site).await {
        Ok(partner) => partner,
        Err(problem) => return problem.into_response(),
    };
    let left = rates.take(partner.client().as_str(), partner.rate().unwrap_or(DEFAULT));
    let mut response = if let Some(wait) = left.wait_s {
        Problem::rate_limited("you call faster than agreed; wait before the next call", wait).into_response()
    } else {
        parts.extensions.insert(partner);
        next.run(Request::from_parts(parts, body)).await
    };
    left.say(&mut response);
    response
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_bucket_of_three_lets_three_calls_in_and_says_what_is_left() {
        let rates = PartnerRates::default();
        let rate = Rate { per_second: 1, burst: 3 };
        let calls: Vec<_> = (0..3).map(|_| rates.take("acme", rate).calls).collect();
        assert_eq!(calls, [2, 1, 0]);
        let full = rates.take("acme", rate);
        assert!(full.wait_s.is_some_and(|wait| (1..=2).contains(&wait)));
        assert_eq!(rates.take("other", rate).calls, 2);
        let mut response = Response::new(axum::body::Body::empty());
        full.say(&mut response);
        let header = |name| response.headers().get(name).unwrap().to_str().unwrap();
        assert_eq!(header("ratelimit-policy"), "\"calls\";q=3;w=3");
        assert_eq!(header("ratelimit"), "\"calls\";r=0;t=3");
    }
}
