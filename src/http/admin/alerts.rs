//! `/admin/v1/alerts`: what somebody must look at, and that somebody has.

use super::page::rows;
use crate::domain::alert::AlertKind;
use crate::engine::{Admin, AlertCursor, AlertRecord, Engine, Which};
use crate::http::problem::{Json, Problem, Query};
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PageIn {
    /// Those that are over, too.
    #[serde(default)]
    all: bool,
    /// The `next_cursor` of the page before.
    #[serde(default)]
    after: Option<String>,
    /// How many at most; 100 where it is left out.
    #[param(minimum = 1, maximum = 500)]
    #[serde(default)]
    limit: Option<u16>,
}

/// A page of alerts, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AlertsOut {
    data: Vec<AlertOut>,
    /// Ask for the next page with it; left out on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// What somebody must look at. At most one of a kind stands about one thing; raised again, it is counted.
#[derive(Debug, Serialize, ToSchema)]
struct AlertOut {
    /// What is wrong.
    #[schema(example = "low_stock")]
    kind: String,
    /// With what.
    #[schema(example = "campaign PIZZA")]
    about: String,
    /// In words.
    #[schema(example = "500 of 50,000 codes are left")]
    detail: String,
    /// How often it was raised.
    #[schema(example = 1)]
    times: i64,
    /// When first.
    raised_at: DateTime<Utc>,
    /// When last.
    last_at: DateTime<Utc>,
    /// When it was over; left out while it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    cleared_at: Option<DateTime<Utc>>,
    /// What to do about it; left out where it is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_step: Option<&'static str>,
}

/// Which alert is over.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ClearIn {
    /// Its `kind`.
    #[schema(example = "low_stock")]
    kind: String,
    /// What it is about, word for word.
    #[schema(example = "campaign PIZZA")]
    about: String,
}

impl From<AlertRecord> for AlertOut {
    fn from(AlertRecord { kind, about, detail, times, raised_at, last_at, cleared_at }: AlertRecord) -> Self {
        let known = AlertKind::parse(&kind).filter(|_| cleared_at.is_none());
        let next_step = known.map(AlertKind::next_step);
        Self { kind, about, detail, times, raised_at, last_at, cleared_at, next_step }
    }
}

/// `GET /admin/v1/alerts`: what stands, newest first, from page to page; with `all=true` what is over, too.
///
/// # Errors
/// 400 for a page that cannot be.
#[utoipa::path(
    get,
    path = "/admin/v1/alerts",
    tag = "house",
    summary = "What somebody must look at",
    description = "Newest first, from page to page.",
    security(("admin_key" = [])),
    params(PageIn),
    responses(
        (status = 200, description = "A page", body = AlertsOut),
        (status = 400, description = "The request is wrong, `errors` say where and how to mend it: `invalid_request`"),
    )
)]
pub(super) async fn list_alerts(
    _admin: Admin,
    State(engine): State<Engine>,
    Query(page): Query<PageIn>,
) -> Result<Json<AlertsOut>, Problem> {
    let limit = rows(page.limit)?;
    let after = page.after.as_deref().map(|cursor| {
        AlertCursor::parse(cursor).ok_or_else(|| Problem::invalid(&["after is a next_cursor of ours".to_owned()]))
    });
    let which = if page.all { Which::All } else { Which::Open };
    let mut found = engine.alerts_after(which, after.transpose()?, u32::from(limit) + 1).await?;
    let is_more = found.len() > usize::from(limit);
    found.truncate(usize::from(limit));
    let next_cursor = found.last().filter(|_| is_more).map(|last| AlertCursor::of(last).text());
    Ok(Json(AlertsOut { data: found.into_iter().map(AlertOut::from).collect(), next_cursor }))
}

/// `POST /admin/v1/alerts/clear`: what it told is over. It stands again when it is seen again.
///
/// # Errors
/// 404 where no such alert stands.
#[utoipa::path(
    post,
    path = "/admin/v1/alerts/clear",
    tag = "house",
    summary = "An alert is over",
    description = "It stands again when it is seen again.",
    security(("admin_key" = [])),
    request_body = ClearIn,
    responses(
        (status = 204, description = "It is over"),
        (status = 404, description = "No such alert stands: `not_found`"),
    )
)]
#[tracing::instrument(skip_all, fields(admin.id = admin.id()))]
pub(super) async fn clear_alert(
    admin: Admin,
    State(engine): State<Engine>,
    Json(ask): Json<ClearIn>,
) -> Result<StatusCode, Problem> {
    let about = Some(&ask.about).filter(|about| !about.chars().any(char::is_control));
    let (kind, about) = AlertKind::parse(&ask.kind).zip(about).ok_or_else(|| Problem::not_found("alert"))?;
    if engine.clear_standing(kind, about).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::not_found("alert"))
    }
}
