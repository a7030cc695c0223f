//! `/healthz`, `/readyz`: for those who start, stop and route to us.

use super::{Phase, Site};
use axum::extract::State;
use axum::http::StatusCode;
use utoipa::OpenApi;

/// The description of these routes.
#[derive(OpenApi)]
#[openapi(paths(show_health, show_readiness, super::openapi::show_openapi))]
pub(super) struct Api;

/// `GET /healthz`: the process lives. It asks nothing of the database: a restart would not bring that back.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "machines",
    summary = "Does the process live?",
    description = "It asks nothing of the database: a restart would not bring that back.",
    responses((status = 200, description = "The process lives", body = String, content_type = "text/plain"))
)]
pub(super) async fn show_health() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: send traffic here. 503 before the start is done, from the first moment of a stop, and while the
/// database does not answer.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "machines",
    summary = "May traffic come here?",
    description = "Not before the start is done, from the first moment of a stop, and while the database is silent.",
    responses(
        (status = 200, description = "Send traffic here", body = String, content_type = "text/plain"),
        (status = 503, description = "Not now: it starts, stops, or its database does not answer", body = String,
         content_type = "text/plain"),
    )
)]
pub(super) async fn show_readiness(State(site): State<Site>) -> (StatusCode, &'static str) {
    let phase = *site.phase.borrow();
    match phase {
        Phase::Starting => (StatusCode::SERVICE_UNAVAILABLE, "starting\n"),
        Phase::Stopping | Phase::Drained => (StatusCode::SERVICE_UNAVAILABLE, "stopping\n"),
        Phase::Ready => match site.engine.fresh_catalog().await {
            Ok(_) => (StatusCode::OK, "ready\n"),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "not ready: the database does not answer");
                let why = "the database does not answer\n";
                (StatusCode::SERVICE_UNAVAILABLE, why)
            }
        },
    }
}
