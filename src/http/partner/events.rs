//! `GET /v1/events`.

use super::auth::{PartnerDoor, requires};
use crate::domain::feed::{Cursor, FeedEvent};
use crate::domain::partner::PartnerScope;
use crate::engine::{Engine, FEED_PAGE, Partner};
use crate::http::problem::{Json, Problem, Query};
use axum::Router;
use axum::extract::{FromRef, State};
use axum::routing::get;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

/// Events of a page where none is said.
const USUAL: u32 = 100;

/// Which events.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct EventsIn {
    /// A cursor, or the id of the last event that was read; from the beginning where it is left out.
    #[serde(default)]
    after: Option<String>,
    /// How many at most; 100 where it is left out.
    #[param(minimum = 1, maximum = 500)]
    #[serde(default)]
    limit: Option<u32>,
}

/// A page of the feed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EventsOut {
    data: Vec<EventOut>,
    /// Where to go on, also when there is nothing yet.
    #[schema(example = "fc_0000000000000002")]
    next_cursor: String,
    /// Whether there is more already.
    has_more: bool,
}

/// What happened, as webhooks tell it too.
#[derive(Debug, Serialize, ToSchema)]
struct EventOut {
    /// The same for ever, here and in `webhook-id`.
    #[schema(example = "evt_acme-deals_1")]
    id: String,
    /// `issued`, `redeemed` and their like; expect new ones.
    #[serde(rename = "type")]
    #[schema(example = "redeemed")]
    kind: &'static str,
    timestamp: DateTime<Utc>,
    /// What it is about.
    #[schema(value_type = Object, example = json!({"campaign": "PIZZA", "code_ending": "HZFE", "sub_id": "story1"}))]
    data: Map<String, Value>,
}

impl From<FeedEvent> for EventOut {
    fn from(FeedEvent { id, kind, timestamp, data }: FeedEvent) -> Self {
        Self { id, kind, timestamp, data }
    }
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
#[utoipa::path(
    get,
    path = "/v1/events",
    tag = "partners",
    summary = "What happened, in order",
    description = "Go on at `next_cursor` and you miss nothing. Webhooks bring the same events to you.",
    security(("partner" = ["events:read"])),
    params(EventsIn),
    responses(
        (status = 200, description = "A page, the oldest event first", body = EventsOut),
        (status = 400, description = "The request is wrong, `errors` say where and how to mend it: `invalid_request`"),
    )
)]
#[tracing::instrument(skip_all, fields(partner.id = partner.client().as_str()))]
pub(super) async fn list_events(
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
    Ok(Json(EventsOut {
        data: page.events.into_iter().map(EventOut::from).collect(),
        next_cursor,
        has_more: page.has_more,
    }))
}

/// A cursor as a caller names it.
pub(super) fn cursor(text: Option<&str>, name: &str) -> Result<Cursor, Problem> {
    let Some(text) = text else { return Ok(Cursor::default()) };
    let wrong = || Problem::invalid(&[format!("{name}: a next_cursor of ours, or the id of an event")]);
    Cursor::parse(text).ok_or_else(wrong)
}
