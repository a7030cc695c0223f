//! `GET /v1/reports/daily`.

use super::requires;
use crate::domain::partner::PartnerScope;
use crate::engine::{DailyLine, Engine, Partner, ReportAsk};
use crate::http::problem::{Json, Problem, Query};
use crate::http::reports::{FormatIn, guarded, table};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which days, of what, and how.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DailyIn {
    /// The first day, in the zone of each campaign.
    #[param(example = "2026-11-01")]
    from: NaiveDate,
    /// The last day; at most 92 days together.
    #[param(example = "2026-11-30")]
    to: NaiveDate,
    /// Only this campaign.
    #[serde(default)]
    campaign: Option<String>,
    /// `json`, or `csv` for a table.
    #[serde(default)]
    format: FormatIn,
}

/// Daily figures.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DailyOut {
    data: Vec<DayOut>,
}

/// One day of one place in one campaign. Days without anything have no line.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DayOut {
    /// In the campaign's zone.
    date: NaiveDate,
    /// The campaign's name.
    #[schema(example = "PIZZA")]
    campaign: String,
    /// The place as you named it; empty where you named none.
    #[schema(example = "story1")]
    sub_id: String,
    /// New codes.
    #[schema(example = 39)]
    issued: i64,
    /// Customers who had your code.
    #[schema(example = 4)]
    repeats: i64,
    /// Customers who had a code by another way.
    assists: i64,
    /// Customers who got none.
    refused: i64,
    /// Codes used that day, whenever they were given.
    #[schema(example = 12)]
    redeemed: i64,
    /// Uses given back that day.
    #[schema(example = 1)]
    rolled_back: i64,
    /// Sales with your codes less what was given back, minor units.
    #[schema(example = 27_500)]
    revenue: i64,
    /// ISO 4217, of the revenue.
    #[schema(example = "USD")]
    currency: String,
}

impl From<DailyLine> for DayOut {
    fn from(line: DailyLine) -> Self {
        let DailyLine { date, campaign, sub_id, currency, figures } = line;
        Self {
            date,
            campaign,
            sub_id,
            issued: figures.issued,
            repeats: figures.repeats,
            assists: figures.assists,
            refused: figures.refused,
            redeemed: figures.redeemed,
            rolled_back: figures.rolled_back,
            revenue: figures.revenue,
            currency,
        }
    }
}

/// `GET /v1/reports/daily`: the figures of the calling partner by campaign, day and place.
///
/// # Errors
/// 404 for a campaign that is not the partner's; 400 for days that cannot be meant.
#[utoipa::path(
    get,
    path = "/v1/reports/daily",
    tag = "partners",
    summary = "Your figures by day and place",
    description = "By campaign, day of the campaign's zone and `sub_id`, counted with each fact. A use that is given \
                   back counts on the day it is given back.",
    security(("partner" = ["reports:read"])),
    params(DailyIn),
    responses(
        (status = 200, description = "The figures; with `format=csv` as text/csv", content(
            (DailyOut = "application/json"),
            (String = "text/csv"),
        )),
        (status = 400, description = "The query is wrong: `invalid_request`"),
        (status = 404, description = "No such campaign is yours: `not_found`"),
    )
)]
#[tracing::instrument(skip_all, fields(partner.id = partner.client().as_str()))]
pub(super) async fn show_daily_report(
    partner: Partner,
    Query(asked): Query<DailyIn>,
    State(engine): State<Engine>,
) -> Result<Response, Problem> {
    requires(&partner, PartnerScope::Reports)?;
    let DailyIn { from, to, campaign, format } = asked;
    let lines = engine.daily_of_partner(&partner, &ReportAsk::new(from, to, campaign)?).await?;
    let lines = lines.ok_or_else(|| Problem::not_found("campaign"))?;
    let data: Vec<_> = lines.into_iter().map(DayOut::from).collect();
    match format {
        FormatIn::Json => Ok(Json(DailyOut { data }).into_response()),
        FormatIn::Csv => table("daily", HEAD, data.into_iter().map(DayOut::cells)),
    }
}

/// The head of the table: the members of [`DayOut`], in their order.
const HEAD: [&str; 11] = [
    "date",
    "campaign",
    "sub_id",
    "issued",
    "repeats",
    "assists",
    "refused",
    "redeemed",
    "rolled_back",
    "revenue",
    "currency",
];

impl DayOut {
    /// As the cells of the table.
    fn cells(self) -> [String; HEAD.len()] {
        [
            self.date.to_string(),
            guarded(self.campaign),
            guarded(self.sub_id),
            self.issued.to_string(),
            self.repeats.to_string(),
            self.assists.to_string(),
            self.refused.to_string(),
            self.redeemed.to_string(),
            self.rolled_back.to_string(),
            self.revenue.to_string(),
            self.currency,
        ]
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[tokio::test]
    async fn a_table_has_its_head_and_no_formula() {
        let head = "date,campaign,sub_id,issued,repeats,assists,refused,redeemed,rolled_back,revenue,currency\n";
        let text = |response: Response| async {
            let bytes = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
            String::from_utf8(bytes.to_vec()).unwrap()
        };
        assert_eq!(text(table("daily", HEAD, []).unwrap()).await, head);
        let line = DailyLine {
            date: NaiveDate::from_ymd_opt(2026, 11, 20).unwrap(),
            campaign: "PIZZA".to_owned(),
            sub_id: "-1.2".to_owned(),
            currency: "USD".to_owned(),
            figures: crate::engine::ReportFigures { issued: 1, revenue: -500, ..Default::default() },
        };
        let shown = text(table("daily", HEAD, [DayOut::from(line).cells()]).unwrap()).await;
        assert_eq!(shown, format!("{head}2026-11-20,PIZZA,'-1.2,1,0,0,0,0,0,-500,USD\n"));
    }
}
