//! `GET /admin/v1/reports/credit`: who brought what.

use crate::engine::{Admin, CreditLine, CreditReport, Engine, Grouping, Party, ReportAsk};
use crate::http::problem::{Json, Problem, Query};
use crate::http::reports::{FormatIn, guarded, table};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which days, of what, by whom, and how.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct CreditIn {
    /// The first day, in the zone of each campaign.
    #[param(example = "2026-11-01")]
    from: NaiveDate,
    /// The last day; at most 92 days together.
    #[param(example = "2026-11-30")]
    to: NaiveDate,
    /// Only this campaign.
    #[serde(default)]
    campaign: Option<String>,
    /// Who has a line each: `party` is every partner, every creator and the house; `partner` adds the creators up,
    /// `creator` the partners; `channel` is by door.
    #[serde(default)]
    by: ByIn,
    /// `json`, or `csv` for a table.
    #[serde(default)]
    format: FormatIn,
}

/// Who has a line each.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ByIn {
    /// Every partner, every creator and the house.
    #[default]
    Party,
    /// Every partner; the creators together.
    Partner,
    /// Every creator; the partners together.
    Creator,
    /// Every door.
    Channel,
}

/// Who brought what.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CreditReportOut {
    /// Who brought nothing has no line.
    data: Vec<CreditOut>,
    /// The sums of the lines, to the unit; one a currency.
    totals: Vec<CreditOut>,
}

/// What one party brought in the campaigns of one currency.
#[derive(Debug, Serialize, ToSchema)]
struct CreditOut {
    /// Whose line it is.
    kind: KindOut,
    /// The client id of a partner, the handle of a creator, the word of a channel; left out for all others.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "acme-deals")]
    name: Option<String>,
    /// New codes.
    #[schema(example = 39)]
    issued: i64,
    /// Customers who had a code by the same party; by channel, whoever had one.
    #[schema(example = 4)]
    repeats: i64,
    /// Customers who had a code by another party; left out by channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 2)]
    assists: Option<i64>,
    /// Customers who got none.
    refused: i64,
    /// Codes used in these days, whenever they were given.
    #[schema(example = 12)]
    redeemed: i64,
    /// Uses given back in these days.
    #[schema(example = 1)]
    rolled_back: i64,
    /// Sales less what was given back, minor units.
    #[schema(example = 27_500)]
    revenue: i64,
    /// What creators earned less what was taken back, minor units; left out for who earns none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 2_750)]
    commission: Option<i64>,
    /// ISO 4217, of the money.
    #[schema(example = "USD")]
    currency: String,
}

/// Whose a line is.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum KindOut {
    /// A partner.
    Partner,
    /// All partners.
    Partners,
    /// A creator.
    Creator,
    /// All creators.
    Creators,
    /// A door.
    Channel,
    /// What is no partner's and no creator's merit.
    House,
    /// The sum of the other lines.
    Total,
}

impl KindOut {
    fn word(self) -> &'static str {
        match self {
            Self::Partner => "partner",
            Self::Partners => "partners",
            Self::Creator => "creator",
            Self::Creators => "creators",
            Self::Channel => "channel",
            Self::House => "house",
            Self::Total => "total",
        }
    }
}

impl From<CreditReport> for CreditReportOut {
    fn from(CreditReport { by, lines, totals }: CreditReport) -> Self {
        let all = |lines: Vec<CreditLine>| lines.into_iter().map(|line| CreditOut::of(line, by)).collect();
        Self { data: all(lines), totals: all(totals) }
    }
}

impl CreditOut {
    fn of(line: CreditLine, by: Grouping) -> Self {
        let CreditLine { party, currency, figures, commission } = line;
        let (kind, name) = match party {
            Party::Partner(client) => (KindOut::Partner, Some(client)),
            Party::Partners => (KindOut::Partners, None),
            Party::Creator(handle) => (KindOut::Creator, Some(handle)),
            Party::Creators => (KindOut::Creators, None),
            Party::Channel(channel) => (KindOut::Channel, Some(channel.word().to_owned())),
            Party::House => (KindOut::House, None),
            Party::Total => (KindOut::Total, None),
        };
        Self {
            kind,
            name,
            issued: figures.issued,
            repeats: figures.repeats,
            assists: (by != Grouping::Channel).then_some(figures.assists),
            refused: figures.refused,
            redeemed: figures.redeemed,
            rolled_back: figures.rolled_back,
            revenue: figures.revenue,
            commission,
            currency,
        }
    }

    /// As the cells of the table; what is left out is empty.
    fn cells(self) -> [String; HEAD.len()] {
        let number = |one: Option<i64>| one.map(|n| n.to_string()).unwrap_or_default();
        [
            self.kind.word().to_owned(),
            guarded(self.name.unwrap_or_default()),
            self.issued.to_string(),
            self.repeats.to_string(),
            number(self.assists),
            self.refused.to_string(),
            self.redeemed.to_string(),
            self.rolled_back.to_string(),
            self.revenue.to_string(),
            number(self.commission),
            self.currency,
        ]
    }
}

/// The head of the table: the members of [`CreditOut`], in their order.
const HEAD: [&str; 11] = [
    "kind",
    "name",
    "issued",
    "repeats",
    "assists",
    "refused",
    "redeemed",
    "rolled_back",
    "revenue",
    "commission",
    "currency",
];

/// `GET /admin/v1/reports/credit`: what partners, creators and the house brought, and all of it together.
///
/// # Errors
/// 404 for a campaign that there is not; 400 for days that cannot be meant.
#[utoipa::path(
    get,
    path = "/admin/v1/reports/credit",
    tag = "house",
    summary = "Who brought what",
    description = "By partner, creator and house, or by channel, counted with each fact. The lines add up to the totals \
                   to the unit: a partner's line is the sum of its own daily report, a creator's what her desk shows, \
                   and the house's is all that is neither. A use that is given back counts on the day it is given back.",
    security(("admin_key" = [])),
    params(CreditIn),
    responses(
        (status = 200, description = "The figures; with `format=csv` as text/csv, the totals last", content(
            (CreditReportOut = "application/json"),
            (String = "text/csv"),
        )),
        (status = 400, description = "The query is wrong, `errors` say where and how to mend it: `invalid_request`"),
        (status = 404, description = "No such campaign: `not_found`"),
    )
)]
#[tracing::instrument(skip_all, fields(admin.id = admin.id()))]
pub(super) async fn show_credit_report(
    admin: Admin,
    Query(asked): Query<CreditIn>,
    State(engine): State<Engine>,
) -> Result<Response, Problem> {
    let CreditIn { from, to, campaign, by, format } = asked;
    let report = engine.credit_report(&ReportAsk::new(from, to, campaign)?, by.into()).await?;
    let report = CreditReportOut::from(report.ok_or_else(|| Problem::not_found("campaign"))?);
    match format {
        FormatIn::Json => Ok(Json(report).into_response()),
        FormatIn::Csv => table("credit", HEAD, report.data.into_iter().chain(report.totals).map(CreditOut::cells)),
    }
}

impl From<ByIn> for Grouping {
    fn from(by: ByIn) -> Self {
        match by {
            ByIn::Party => Self::Party,
            ByIn::Partner => Self::Partner,
            ByIn::Creator => Self::Creator,
            ByIn::Channel => Self::Channel,
        }
    }
}
