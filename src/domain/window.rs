//! The windows in which a cap counts, and when they start again.
//!
//! A calendar window is named by its *local date*, computed from UTC, which is never ambiguous; local midnight as
//! an instant is needed only to say when the next window opens (days of 23, 25 and, once, 0 hours exist).

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, Offset, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// Seconds before and after midnight, as the offset of now has it, between which a gap ends: no offset has ever changed
/// by more than a day.
const AROUND_A_GAP_S: i64 = 26 * 3_600;

/// A stretch of time in which a cap counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// Once and for ever.
    Lifetime,
    /// A minute of UTC.
    Minute,
    /// A local calendar day.
    Day,
    /// A local calendar week, from Monday.
    Week,
    /// A local calendar month.
    Month,
    /// The last so many milliseconds; only for caps of a person.
    Rolling(i64),
}

impl Window {
    /// The key of the window that holds `now`: 0, minutes since 1970, or the first local date as days since 1970.
    ///
    /// A rolling window has no key (its cap is counted from the person's own issuances) and answers 0.
    #[must_use]
    pub fn key(self, now: DateTime<Utc>, zone: Tz) -> i64 {
        match self {
            Self::Lifetime | Self::Rolling(_) => 0,
            Self::Minute => now.timestamp().div_euclid(60),
            Self::Day | Self::Week | Self::Month => self.first_date(local_date(now, zone)).map_or(0, days),
        }
    }

    /// Whether it begins at a midnight, which each zone has at another time.
    #[must_use]
    pub fn is_calendar(self) -> bool {
        match self {
            Self::Day | Self::Week | Self::Month => true,
            Self::Lifetime | Self::Minute | Self::Rolling(_) => false,
        }
    }

    /// The first instant after `now` of a later window, or `None` when there is none.
    ///
    /// For a rolling window this is no property of the clock alone; see [`crate::domain::cap`].
    #[must_use]
    pub fn next_start(self, now: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        match self {
            Self::Lifetime | Self::Rolling(_) => None,
            Self::Minute => {
                DateTime::from_timestamp(now.timestamp().div_euclid(60).checked_add(1)?.checked_mul(60)?, 0)
            }
            Self::Day | Self::Week | Self::Month => {
                let first = self.first_date(local_date(now, zone))?;
                first_instant_from(self.following(first)?, now, zone)
            }
        }
    }

    fn first_date(self, date: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Week => date.checked_sub_days(Days::new(date.weekday().num_days_from_monday().into())),
            Self::Month => date.with_day(1),
            Self::Lifetime | Self::Minute | Self::Day | Self::Rolling(_) => Some(date),
        }
    }

    fn following(self, first: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Week => first.checked_add_days(Days::new(7)),
            Self::Month => first.checked_add_months(Months::new(1)),
            Self::Lifetime | Self::Minute | Self::Day | Self::Rolling(_) => first.checked_add_days(Days::new(1)),
        }
    }

    /// The word that tables, JSON and explanations use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Lifetime => "lifetime",
            Self::Minute => "minute",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Rolling(_) => "rolling",
        }
    }
}

/// The local calendar date at an instant.
#[must_use]
pub fn local_date(at: DateTime<Utc>, zone: Tz) -> NaiveDate {
    at.with_timezone(&zone).date_naive()
}

fn days(date: NaiveDate) -> i64 {
    date.signed_duration_since(NaiveDate::default()).num_days()
}

/// The first instant after `now` whose local date is `date` or later.
///
/// Local midnight may be skipped (clocks go forward at 0:00), come twice (they go back over it), or its whole day
/// may be missing (Samoa, 30 December 2011); each candidate is checked against the rule itself.
fn first_instant_from(date: NaiveDate, now: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
    let midnight = date.and_time(NaiveTime::MIN);
    let local = zone.from_local_datetime(&midnight);
    let exact = [local.earliest(), local.latest()];
    let found = exact.into_iter().flatten().map(|at| at.with_timezone(&Utc)).find(|at| *at > now);
    found.or_else(|| first_after_gap(date, now, zone))
}

/// Binary search for the end of a gap that swallowed midnight: before it the local date is earlier, after it not.
///
/// Clocks change at whole seconds, so whole seconds are halved: the answer is exact, whatever the fraction of `now`.
fn first_after_gap(date: NaiveDate, now: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
    let shift = i64::from(now.with_timezone(&zone).offset().fix().local_minus_utc());
    let guess = date.and_time(NaiveTime::MIN).and_utc().timestamp() - shift;
    let at = |second: i64| DateTime::from_timestamp(second, 0);
    let is_there = |second| Some(local_date(at(second)?, zone) >= date);
    let mut early = (guess - AROUND_A_GAP_S).max(now.timestamp());
    let mut late = guess + AROUND_A_GAP_S;
    if is_there(early)? || !is_there(late)? {
        return None;
    }
    while late - early > 1 {
        let middle = i64::midpoint(early, late);
        if is_there(middle)? {
            late = middle;
        } else {
            early = middle;
        }
    }
    at(late)
}

#[cfg(test)]
mod tests;
