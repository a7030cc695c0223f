//! A partner's daily figures.

use super::{Engine, EngineError, Partner};
use crate::domain::campaign::Campaign;
use crate::domain::window::local_date;
use crate::store::partner_reports::{Counted, campaigns, counted};
use chrono::{DateTime, NaiveDate, TimeZone, Utc};
use chrono_tz::Tz;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Seconds of a quarter of an hour.
const QUARTER_S: i64 = 900;

/// The days of a report, both included, and the campaign where only one is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DailyAsk {
    /// The first day.
    pub from: NaiveDate,
    /// The last day.
    pub to: NaiveDate,
    /// The campaign's name.
    pub campaign: Option<String>,
}

/// One day of one place in one campaign.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DayFigures {
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
    /// Of the sales, less those given back, minor units.
    pub revenue: i64,
}

/// A line of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DailyLine {
    /// The day in the campaign's zone.
    pub date: NaiveDate,
    /// The campaign's name.
    pub campaign: String,
    /// What the partner calls the place; empty is none.
    pub sub_id: String,
    /// ISO 4217, of the revenue.
    pub currency: String,
    /// The figures.
    pub figures: DayFigures,
}

impl Engine {
    /// The figures of a partner by campaign, day and place; days without anything have no line. `None` when the
    /// campaign is not the partner's.
    ///
    /// # Errors
    /// What the database says.
    pub async fn daily_of_partner(&self, by: &Partner, ask: &DailyAsk) -> Result<Option<Vec<DailyLine>>, EngineError> {
        let catalog = self.fresh_catalog().await?;
        let terms = self.partner_terms(by.id()).await?;
        // What it did in a campaign stays its own when it may not give codes of it any more.
        let mut known: BTreeSet<_> = campaigns(&self.parts().store, by.id()).await?.into_iter().collect();
        known.extend(terms.iter().flat_map(|terms| terms.grants.keys()));
        let wanted = |campaign: &&Arc<Campaign>| ask.campaign.as_ref().is_none_or(|name| *name == campaign.name);
        let found: Vec<_> = known.iter().filter_map(|id| catalog.campaigns.get(id)).filter(wanted).collect();
        if found.is_empty() && ask.campaign.is_some() {
            return Ok(None);
        }
        let mut lines = Vec::new();
        for campaign in found {
            let quarters = quarters(ask, campaign.zone);
            let rows = counted(&self.parts().store, by.id(), campaign.id, quarters).await?;
            lines.extend(days(campaign, &rows));
        }
        lines.sort_by(|one, other| {
            (one.date, &one.campaign, &one.sub_id).cmp(&(other.date, &other.campaign, &other.sub_id))
        });
        Ok(Some(lines))
    }
}

/// The quarters from the first local midnight to the one after the last day.
fn quarters(ask: &DailyAsk, zone: Tz) -> (i64, i64) {
    let after = ask.to.succ_opt().unwrap_or(ask.to);
    (midnight(ask.from, zone).div_euclid(QUARTER_S), midnight(after, zone).div_euclid(QUARTER_S))
}

/// The first second of a local day since 1970. A midnight that a change of the clocks skips begins an hour later.
fn midnight(day: NaiveDate, zone: Tz) -> i64 {
    let hour = |hour| day.and_hms_opt(hour, 0, 0).and_then(|at| zone.from_local_datetime(&at).earliest());
    let first = hour(0).or_else(|| hour(1)).map(|at| at.timestamp());
    first.unwrap_or_else(|| day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp())
}

fn days(campaign: &Campaign, rows: &[Counted]) -> Vec<DailyLine> {
    let mut days: BTreeMap<(NaiveDate, &str), DayFigures> = BTreeMap::new();
    for row in rows {
        let at: DateTime<Utc> = DateTime::from_timestamp(row.quarter * QUARTER_S, 0).unwrap_or_default();
        let day = days.entry((local_date(at, campaign.zone), &row.sub_id)).or_default();
        add(day, row);
    }
    let currency = campaign.offers.first().map(|offer| offer.currency.clone()).unwrap_or_default();
    let line = |((date, sub_id), figures): ((NaiveDate, &str), DayFigures)| DailyLine {
        date,
        campaign: campaign.name.clone(),
        sub_id: sub_id.to_owned(),
        currency: currency.clone(),
        figures,
    };
    days.into_iter().filter(|(_, figures)| *figures != DayFigures::default()).map(line).collect()
}

fn add(day: &mut DayFigures, row: &Counted) {
    // What another system told is its second word.
    let told = row.outcome.strip_prefix("recorded:").unwrap_or(&row.outcome);
    let kind = told.split(':').next().unwrap_or_default();
    match kind {
        "issued" | "streamed" => day.issued += row.n,
        "repeat" => day.repeats += row.n,
        "assist" => day.assists += row.n,
        "refused" => day.refused += row.n,
        "redeemed" => {
            day.redeemed += row.n;
            day.revenue += row.amount;
        }
        "rolled_back" => {
            day.rolled_back += row.n;
            // Written as what it takes away or as what it was: either way it is taken away.
            day.revenue -= row.amount.abs();
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_day_has_as_many_quarters_as_its_zone_gives_it() {
        let day = |month, day| NaiveDate::from_ymd_opt(2026, month, day).unwrap();
        for (zone, at, wanted) in [
            (chrono_tz::UTC, day(11, 20), 96),
            (chrono_tz::America::New_York, day(3, 8), 92),
            (chrono_tz::America::New_York, day(11, 1), 100),
            (chrono_tz::Asia::Kolkata, day(11, 20), 96),
        ] {
            let (from, to) = quarters(&DailyAsk { from: at, to: at, campaign: None }, zone);
            assert_eq!(to - from, wanted, "{zone} {at}");
        }
    }
}
