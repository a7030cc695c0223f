//! What reports have in common: the days they are of, and how what was counted becomes their figures.

use crate::domain::campaign::Campaign;
use chrono::{NaiveDate, TimeZone};
use chrono_tz::Tz;
use std::ops::{AddAssign, SubAssign};
use thiserror::Error;

/// Days of the longest report.
const MOST_DAYS: i64 = 92;
/// Seconds of a quarter of an hour.
pub(super) const QUARTER_S: i64 = 900;

/// The days of a report, both included, and the campaign where only one is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportAsk {
    from: NaiveDate,
    to: NaiveDate,
    campaign: Option<String>,
}

/// Days that no report is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadDays {
    /// They end before they begin.
    #[error("from, to: {from} comes after {to}; name the first day first")]
    Backwards {
        /// The first day, as it was asked for.
        from: NaiveDate,
        /// The last.
        to: NaiveDate,
    },
    /// More than are added up at once.
    #[error("from, to: {0} days together, at most {MOST_DAYS}; ask for fewer at a time")]
    TooMany(i64),
}

impl ReportAsk {
    /// Asks for these days, both included, of one campaign or of all.
    ///
    /// # Errors
    /// [`BadDays`] unless they are 1 to 92, the first one first.
    pub fn new(from: NaiveDate, to: NaiveDate, campaign: Option<String>) -> Result<Self, BadDays> {
        match (to - from).num_days() + 1 {
            ..=0 => Err(BadDays::Backwards { from, to }),
            1..=MOST_DAYS => Ok(Self { from, to, campaign }),
            many => Err(BadDays::TooMany(many)),
        }
    }

    /// Whether only one campaign is asked for.
    pub(super) fn is_of_one(&self) -> bool {
        self.campaign.is_some()
    }

    /// Whether this campaign is asked for.
    pub(super) fn wants(&self, campaign: &Campaign) -> bool {
        self.campaign.as_ref().is_none_or(|name| *name == campaign.name)
    }

    /// The quarters from the first local midnight to the one after the last day.
    pub(super) fn quarters(&self, zone: Tz) -> (i64, i64) {
        let after = self.to.succ_opt().unwrap_or(self.to);
        (midnight(self.from, zone).div_euclid(QUARTER_S), midnight(after, zone).div_euclid(QUARTER_S))
    }
}

/// The first second of a local day since 1970. A midnight that a change of the clocks skips begins an hour later.
fn midnight(day: NaiveDate, zone: Tz) -> i64 {
    let hour = |hour| day.and_hms_opt(hour, 0, 0).and_then(|at| zone.from_local_datetime(&at).earliest());
    let first = hour(0).or_else(|| hour(1)).map(|at| at.timestamp());
    first.unwrap_or_else(|| day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp())
}

/// The currency that the sales of a campaign are counted in.
pub(super) fn currency_of(campaign: &Campaign) -> String {
    campaign.offers.first().map(|offer| offer.currency.clone()).unwrap_or_default()
}

/// What was counted, as every report tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReportFigures {
    /// New codes, those streamed in bulk included.
    pub issued: i64,
    /// The customer had one.
    pub repeats: i64,
    /// The customer had one by another way.
    pub assists: i64,
    /// No code.
    pub refused: i64,
    /// Codes used.
    pub redeemed: i64,
    /// Uses given back.
    pub rolled_back: i64,
    /// Of the sales, less what was given back, minor units.
    pub revenue: i64,
}

impl ReportFigures {
    /// Adds `n` of an outcome, as the rollups name it, that came to `amount`.
    pub(super) fn count(&mut self, outcome: &str, n: i64, amount: i64) {
        // What another system told is its second word.
        let told = outcome.strip_prefix("recorded:").unwrap_or(outcome);
        match told.split(':').next().unwrap_or_default() {
            "issued" | "streamed" => self.issued += n,
            "repeat" => self.repeats += n,
            "assist" => self.assists += n,
            "refused" => self.refused += n,
            "redeemed" => {
                self.redeemed += n;
                self.revenue += amount;
            }
            "refunded" => self.revenue -= amount.abs(),
            "rolled_back" => {
                self.rolled_back += n;
                // Written as what it takes away or as what it was: either way it is taken away.
                self.revenue -= amount.abs();
            }
            _ => {}
        }
    }
}

impl AddAssign for ReportFigures {
    fn add_assign(&mut self, other: Self) {
        let Self { issued, repeats, assists, refused, redeemed, rolled_back, revenue } = other;
        self.issued += issued;
        self.repeats += repeats;
        self.assists += assists;
        self.refused += refused;
        self.redeemed += redeemed;
        self.rolled_back += rolled_back;
        self.revenue += revenue;
    }
}

impl SubAssign for ReportFigures {
    fn sub_assign(&mut self, other: Self) {
        let Self { issued, repeats, assists, refused, redeemed, rolled_back, revenue } = other;
        self.issued -= issued;
        self.repeats -= repeats;
        self.assists -= assists;
        self.refused -= refused;
        self.redeemed -= redeemed;
        self.rolled_back -= rolled_back;
        self.revenue -= revenue;
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn day(month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, month, day).unwrap()
    }

    #[test]
    fn a_day_has_as_many_quarters_as_its_zone_gives_it() {
        for (zone, at, wanted) in [
            (chrono_tz::UTC, day(11, 20), 96),
            (chrono_tz::America::New_York, day(3, 8), 92),
            (chrono_tz::America::New_York, day(11, 1), 100),
            (chrono_tz::Asia::Kolkata, day(11, 20), 96),
        ] {
            let (from, to) = ReportAsk::new(at, at, None).unwrap().quarters(zone);
            assert_eq!(to - from, wanted, "{zone} {at}");
        }
    }

    #[test]
    fn a_report_is_of_one_to_92_days_and_says_what_is_wrong_with_others() {
        for (from, to) in [(day(11, 20), day(11, 20)), (day(9, 1), day(12, 1))] {
            assert!(ReportAsk::new(from, to, None).is_ok(), "{from} {to}");
        }
        for (from, to, words) in [
            (day(11, 21), day(11, 20), "from, to: 2026-11-21 comes after 2026-11-20; name the first day first"),
            (day(9, 1), day(12, 2), "from, to: 93 days together, at most 92; ask for fewer at a time"),
        ] {
            let told = ReportAsk::new(from, to, None).unwrap_err().to_string();
            assert_eq!(told, words);
        }
        for edge in [NaiveDate::MIN, NaiveDate::MAX] {
            let (from, to) = ReportAsk::new(edge, edge, None).unwrap().quarters(chrono_tz::Asia::Kolkata);
            assert!(to >= from, "the ends of the calendar are days too");
        }
    }
}
