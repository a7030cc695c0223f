//! `/healthz`, `/readyz`: for those who start, stop and route to us.

use super::{Phase, Site};
use axum::extract::State;
use axum::http::StatusCode;

/// `GET /healthz`: the process lives. It asks nothing of the database: a restart would not bring that back.
pub(super) async fn show_health() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: send traffic here. 503 before the start is done, from the first moment of a stop, and while the
/// database does not answer.
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
