//! Segments a second, saved up for a moment only.
//!
//! Not the `governor` of the till's door: who leaves next is chosen by urgency among all that two meters allow, so a
//! meter must be asked before anything is taken from it (ADR 0011).

use std::time::Duration;
use tokio::time::Instant;

/// The share of a rate that messages in no hurry may use.
const LOW_SHARE: f64 = 0.8;
/// How long an unused rate is saved up: no second ever sees more than a tenth above the rate.
const SAVED: Duration = Duration::from_millis(100);
/// Rounding of a sum of floats.
const NEARLY: f64 = 1e-6;

/// One rate and the share of it for messages in no hurry.
#[derive(Debug)]
pub(super) struct Meter {
    all: Level,
    low: Level,
}

#[derive(Debug)]
struct Level {
    segments: f64,
    at: Instant,
}

impl Meter {
    pub(super) fn new(now: Instant) -> Self {
        let full = || Level { segments: f64::MAX, at: now };
        Self { all: full(), low: full() }
    }

    /// How long until so many segments may leave; `rate` is in segments a second.
    pub(super) fn wait(&mut self, rate: Option<f64>, is_urgent: bool, segments: u16, now: Instant) -> Duration {
        let Some(rate) = rate else { return Duration::ZERO };
        let all = self.all.wait(rate, segments, now);
        let low = self.low.wait(rate * LOW_SHARE, segments, now);
        if is_urgent { all } else { all.max(low) }
    }

    /// Takes them. A message of more than is ever saved up leaves a debt that time pays.
    pub(super) fn take(&mut self, is_urgent: bool, segments: u16) {
        self.all.segments -= f64::from(segments);
        if !is_urgent {
            self.low.segments -= f64::from(segments);
        }
    }
}

impl Level {
    fn wait(&mut self, rate: f64, segments: u16, now: Instant) -> Duration {
        let most = (rate * SAVED.as_secs_f64()).max(1.0);
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.segments = (self.segments + passed * rate).min(most);
        self.at = now;
        let missing = f64::from(segments).min(most) - self.segments;
        if missing <= NEARLY { Duration::ZERO } else { Duration::from_secs_f64(missing / rate) }
    }
}

#[cfg(test)]
mod tests {
    use super::Meter;
    use std::time::Duration;
    use tokio::time::Instant;

    /// How many messages of so many segments leave in that time, when always another one waits.
    fn sent(rate: f64, is_urgent: bool, segments: u16, time: Duration) -> u32 {
        let start = Instant::now();
        let (mut meter, mut now, mut count) = (Meter::new(start), start, 0);
        while now < start + time {
            let wait = meter.wait(Some(rate), is_urgent, segments, now);
            if wait.is_zero() {
                meter.take(is_urgent, segments);
                count += 1;
            } else {
                now += wait;
            }
        }
        count
    }

    #[test]
    fn a_rate_is_kept_to_a_tenth_from_the_first_second_on() {
        let second = Duration::from_secs(1);
        assert!((100..=110).contains(&sent(100.0, true, 1, second)));
        assert!((1000..=1010).contains(&sent(100.0, true, 1, second * 10)));
        assert!((1..=2).contains(&sent(1.0, true, 1, second)));
    }

    #[test]
    fn a_long_message_counts_whole_however_slow_the_number_is() {
        let sent = sent(1.0, true, 3, Duration::from_mins(1));
        assert!((20..=21).contains(&sent), "{sent}");
    }

    #[test]
    fn a_fifth_is_kept_free_for_who_is_in_a_hurry() {
        let sent = sent(100.0, false, 1, Duration::from_secs(10));
        assert!((800..=810).contains(&sent), "{sent}");
    }

    #[test]
    fn what_has_no_rate_never_waits() {
        let now = Instant::now();
        let mut meter = Meter::new(now);
        for _ in 0..1000 {
            assert_eq!(meter.wait(None, false, 9, now), Duration::ZERO);
        }
    }
}
