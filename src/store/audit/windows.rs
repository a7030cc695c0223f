//! Windows of caps, told by arithmetic on days: another way than the engine's, on purpose.

use chrono::{DateTime, Datelike, Offset, TimeZone};
use chrono_tz::Tz;

/// The stretch of time in which a cap counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Span {
    Lifetime,
    Minute,
    Day,
    Week,
    Month,
    /// The last so many milliseconds.
    Rolling(i64),
}

impl Span {
    pub(super) fn parse(kind: &str, ms: i64) -> Option<Self> {
        Some(match kind {
            "lifetime" => Self::Lifetime,
            "minute" => Self::Minute,
            "day" => Self::Day,
            "week" => Self::Week,
            "month" => Self::Month,
            "rolling" => Self::Rolling(ms),
            _ => return None,
        })
    }

    /// The window of an instant: 0, the minute since 1970, or the first local day as days since 1970.
    pub(super) fn key(self, at_ms: i64, zone: Tz) -> i64 {
        let today = || local_day(at_ms, zone);
        match self {
            Self::Lifetime | Self::Rolling(_) => 0,
            Self::Minute => at_ms.div_euclid(60_000),
            Self::Day => today(),
            // 1 January 1970 was a Thursday: three days after a Monday.
            Self::Week => today() - (today() + 3).rem_euclid(7),
            Self::Month => today() - day_of_month(today()),
        }
    }
}

/// Days from 1970-01-01 to the local date of an instant.
fn local_day(at_ms: i64, zone: Tz) -> i64 {
    let Some(utc) = DateTime::from_timestamp_millis(at_ms) else {
        return at_ms.div_euclid(86_400_000);
    };
    let ahead = zone.offset_from_utc_datetime(&utc.naive_utc()).fix().local_minus_utc();
    (at_ms.div_euclid(1_000) + i64::from(ahead)).div_euclid(86_400)
}

/// How many days of its month are over at the begin of that day.
fn day_of_month(day: i64) -> i64 {
    day.checked_mul(86_400)
        .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
        .map_or(0, |at| i64::from(at.day0()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::Span;
    use chrono::{DateTime, NaiveDate};
    use chrono_tz::Tz;

    fn key(span: Span, at: &str, zone: Tz) -> i64 {
        span.key(DateTime::parse_from_rfc3339(at).unwrap().timestamp_millis(), zone)
    }

    fn date(text: &str) -> i64 {
        text.parse::<NaiveDate>().unwrap().signed_duration_since(NaiveDate::default()).num_days()
    }

    #[test]
    fn a_window_is_named_by_its_first_local_day_whatever_the_clocks_do() {
        for (span, at, zone, first) in [
            (Span::Day, "2026-03-08T04:59:59Z", Tz::America__New_York, "2026-03-07"),
            (Span::Day, "2026-03-08T05:00:00Z", Tz::America__New_York, "2026-03-08"),
            (Span::Day, "2026-03-09T03:59:59Z", Tz::America__New_York, "2026-03-08"),
            (Span::Day, "2026-11-02T04:59:59Z", Tz::America__New_York, "2026-11-01"),
            (Span::Day, "2026-06-30T18:14:59Z", Tz::Asia__Kathmandu, "2026-06-30"),
            (Span::Day, "2026-06-30T18:15:00Z", Tz::Asia__Kathmandu, "2026-07-01"),
            (Span::Week, "2026-11-22T23:59:59Z", Tz::Europe__London, "2026-11-16"),
            (Span::Week, "2026-11-23T00:00:00Z", Tz::Europe__London, "2026-11-23"),
            (Span::Month, "2026-03-01T04:59:59Z", Tz::America__New_York, "2026-02-01"),
            (Span::Month, "2028-02-29T12:00:00Z", Tz::Europe__London, "2028-02-01"),
            (Span::Month, "2026-12-31T11:00:00Z", Tz::Pacific__Kiritimati, "2027-01-01"),
        ] {
            assert_eq!(key(span, at, zone), date(first), "{span:?} at {at} in {zone}");
        }
    }

    #[test]
    fn a_minute_is_one_of_utc_and_a_lifetime_has_one_window() {
        assert_eq!(key(Span::Minute, "1970-01-01T00:02:59.999Z", Tz::Asia__Kathmandu), 2);
        assert_eq!(key(Span::Lifetime, "2026-01-01T00:00:00Z", Tz::UTC), 0);
    }
}
