//! The partner API. A partner proves itself by its access token; what it may do is its scopes, its grants and its caps.

mod allocations;
pub mod auth;
mod campaigns;
mod create_issuance;
mod create_issuances;
mod etag;
mod events;
mod issuance;
mod show_daily_report;
mod show_issuance;
mod webhooks;

pub(super) use allocations::Api as AllocationsApi;
pub use auth::{PartnerDoor, requires};
pub(super) use webhooks::Api as WebhooksApi;
pub use webhooks::WebhookDoor;

use crate::engine::Engine;
use axum::Router;
use axum::extract::FromRef;
use axum::routing::{get, post};
use utoipa::OpenApi;

/// The description of these routes.
#[derive(OpenApi)]
#[openapi(
    paths(
        campaigns::list_campaigns,
        campaigns::show_campaign,
        create_issuance::create_issuance,
        create_issuances::create_issuances,
        show_issuance::show_issuance,
        show_daily_report::show_daily_report,
        events::list_events,
    ),
    components(schemas(crate::http::reports::FormatIn))
)]
pub(super) struct Api;

/// The routes of the partner API.
pub fn routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Engine: FromRef<S>,
    PartnerDoor: FromRef<S>,
    WebhookDoor: FromRef<S>,
{
    Router::new()
        .merge(allocations::routes())
        .route("/v1/campaigns", get(campaigns::list_campaigns))
        .route("/v1/campaigns/{id}", get(campaigns::show_campaign))
        .route("/v1/issuances", post(create_issuance::create_issuance))
        .route("/v1/issuances/batch", post(create_issuances::create_issuances))
        .route("/v1/issuances/{id}", get(show_issuance::show_issuance))
        .route("/v1/reports/daily", get(show_daily_report::show_daily_report))
        .merge(events::routes())
        .merge(webhooks::routes())
}
