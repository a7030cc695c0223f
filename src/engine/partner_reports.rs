//! A partner's daily figures.

use super::reports::{QUARTER_S, ReportAsk, ReportFigures, currency_of};
use super::{Engine, EngineError, Partner};
use crate::domain::campaign::Campaign;
use crate::domain::window::local_date;
use crate::store::partner_reports::{Counted, campaigns, counted};
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

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
    pub figures: ReportFigures,
}

impl Engine {
    /// The figures of a partner by campaign, day and place; days without anything have no line. `None` when the
    /// campaign is not the partner's.
    ///
    /// # Errors
    /// What the database says.
    pub async fn daily_of_partner(&self, by: &Partner, ask: &ReportAsk) -> Result<Option<Vec<DailyLine>>, EngineError> {
        let catalog = self.fresh_catalog().await?;
        let terms = self.partner_terms(by.id()).await?;
        // What it did in a campaign stays its own when it may not give codes of it any more.
        let mut known: BTreeSet<_> = campaigns(&self.parts().store, by.id()).await?.into_iter().collect();
        known.extend(terms.iter().flat_map(|terms| terms.grants.keys()));
        let wanted = |campaign: &&Arc<Campaign>| ask.wants(campaign);
        let found: Vec<_> = known.iter().filter_map(|id| catalog.campaigns.get(id)).filter(wanted).collect();
        if found.is_empty() && ask.is_of_one() {
            return Ok(None);
        }
        let mut lines = Vec::new();
        for campaign in found {
            let rows = counted(&self.parts().store, by.id(), campaign.id, ask.quarters(campaign.zone)).await?;
            lines.extend(days(campaign, &rows));
        }
        lines.sort_by(|one, other| {
            (one.date, &one.campaign, &one.sub_id).cmp(&(other.date, &other.campaign, &other.sub_id))
        });
        Ok(Some(lines))
    }
}

fn days(campaign: &Campaign, rows: &[Counted]) -> Vec<DailyLine> {
    let mut days: BTreeMap<(NaiveDate, &str), ReportFigures> = BTreeMap::new();
    for row in rows {
        let at: DateTime<Utc> = DateTime::from_timestamp(row.quarter * QUARTER_S, 0).unwrap_or_default();
        let day = days.entry((local_date(at, campaign.zone), &row.sub_id)).or_default();
        day.count(&row.outcome, row.n, row.amount);
    }
    let currency = currency_of(campaign);
    let line = |((date, sub_id), figures): ((NaiveDate, &str), ReportFigures)| DailyLine {
        date,
        campaign: campaign.name.clone(),
        sub_id: sub_id.to_owned(),
        currency: currency.clone(),
        figures,
    };
    days.into_iter().filter(|(_, figures)| *figures != ReportFigures::default()).map(line).collect()
}
