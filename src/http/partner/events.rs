//! `GET /v1/events`.

use super::auth::{PartnerDoor, requires};
use crate::domain::feed::{Cursor, FeedEvent};
use crate::domain::partner::PartnerScope;
use crate::engine::{Engine, FEED_PAGE, Partner};
use crate::http::problem::{Json, Problem, Query};
use axum::Router;
use axum::extract::{FromRef, State};
use axum::routing::get;
use serde::{Deserialize, Serialize};

/// Events of a page where none is said.
const USUAL: u32 = 100;

/// Which events.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EventsIn {
    /// A cursor, or the id of the last event that was read; from the beginning where it is left out.
    #[serde(default)]
    after: Option<String>,
    /// The most events, 1 to 500.
    #[serde(default)]
    limit: Option<u32>,
}

/// A page of the feed.
#[derive(Debug, Serialize)]
struct EventsOut {
    data: Vec<FeedEvent>,
    /// Where to go on, also when there is nothing yet.
    next_cursor: String,
    /// Whether there is more already.
    has_more: bool,
}

/// The route of the feed.
pub(super) fn routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Engine: FromRef<S>,
    PartnerDoor: FromRef<S>,
{
    Router::new().route("/v1/events", get(list_events))
}

/// `GET /v1/events`: what happened to the partner's codes, in order and without gaps. Whoever goes on at `next_cursor`
/// misses nothing.
///
/// # Errors
/// 403 without the scope `events:read`; the caller's mistakes as 4xx.
#[tracing::instrument(skip_all, fields(partner.id = partner.client().as_str()))]
async fn list_events(
    partner: Partner,
    State(engine): State<Engine>,
    Query(ask): Query<EventsIn>,
) -> Result<Json<EventsOut>, Problem> {
    requires(&partner, PartnerScope::Events)?;
    let limit = ask.limit.unwrap_or(USUAL);
    if !(1..=FEED_PAGE).contains(&limit) {
        return Err(Problem::invalid(&[format!("limit: 1 to {FEED_PAGE}")]));
    }
    let page = engine.feed(partner.id(), cursor(ask.after.as_deref(), "after")?, limit).await?;
    let next_cursor = page.next.to_string();
    Ok(Json(EventsOut { data: page.events, next_cursor, has_more: page.has_more }))
}

/// A cursor as a caller names it.
pub(super) fn cursor(text: Option<&str>, name: &str) -> Result<Cursor, Problem> {
    let Some(text) = text else { return Ok(Cursor::default()) };
    let wrong = || Problem::invalid(&[format!("{name}: a next_cursor of ours, or the id of an event")]);
    Cursor::parse(text).ok_or_else(wrong)
}
