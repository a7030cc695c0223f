//! `/admin/v1/alerts`: what somebody must look at, and that somebody has.

use crate::domain::alert::AlertKind;
use crate::engine::{Admin, AlertCursor, AlertRecord, Engine, Which};
use crate::http::problem::{Json, Problem, Query};
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

/// Alerts on one page, unless asked otherwise.
const PAGE: u16 = 100;
/// Alerts on the longest page.
const LONGEST_PAGE: u16 = 500;

/// Which page.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PageIn {
    /// Those that are over, too.
    #[serde(default)]
    all: bool,
    cursor: Option<String>,
    limit: Option<u16>,
}

/// A page of alerts, newest first.
#[derive(Debug, Serialize)]
pub(super) struct AlertsOut {
    data: Vec<AlertOut>,
    next_cursor: Option<String>,
}

#[derive(Debug, Serialize)]
struct AlertOut {
    #[serde(flatten)]
    alert: AlertRecord,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_step: Option<&'static str>,
}

/// Which alert is over.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClearIn {
    kind: String,
    about: String,
}

impl From<AlertRecord> for AlertOut {
    fn from(alert: AlertRecord) -> Self {
        let kind = AlertKind::parse(&alert.kind).filter(|_| alert.cleared_at.is_none());
        Self { next_step: kind.map(AlertKind::next_step), alert }
    }
}

/// `GET /admin/v1/alerts`: what stands, newest first, from page to page; with `all=true` what is over, too.
///
/// # Errors
/// 400 for a page that cannot be.
pub(super) async fn list_alerts(
    _admin: Admin,
    State(engine): State<Engine>,
    Query(page): Query<PageIn>,
) -> Result<Json<AlertsOut>, Problem> {
    let limit = page.limit.unwrap_or(PAGE);
    if !(1..=LONGEST_PAGE).contains(&limit) {
        return Err(Problem::invalid(&[format!("limit is a number from 1 to {LONGEST_PAGE}")]));
    }
    let after = page.cursor.as_deref().map(|cursor| {
        AlertCursor::parse(cursor).ok_or_else(|| Problem::invalid(&["cursor is not one of ours".to_owned()]))
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
#[tracing::instrument(skip_all, fields(admin.id = admin.id()))]
pub(super) async fn clear_alert(
    admin: Admin,
    State(engine): State<Engine>,
    Json(ask): Json<ClearIn>,
) -> Result<StatusCode, Problem> {
    let kind = AlertKind::parse(&ask.kind).ok_or_else(|| Problem::not_found("alert"))?;
    if engine.clear_standing(kind, &ask.about).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::not_found("alert"))
    }
}
