//! Many codes at once: leased, streamed, acknowledged or given back.

mod acknowledge_allocation;
mod create_allocation;
mod return_allocation;
mod show_allocation;
mod stream;
mod stream_allocation;

use crate::domain::ids::AllocationId;
use crate::engine::{AllocationView, Engine, EngineError, Partner};
use crate::http::problem::Problem;
use axum::Router;
use axum::extract::FromRef;
use axum::routing::{get, post};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

/// The description of these routes.
#[derive(OpenApi)]
#[openapi(
    paths(
        create_allocation::create_allocation,
        show_allocation::show_allocation,
        stream_allocation::stream_allocation,
        acknowledge_allocation::acknowledge_allocation,
        return_allocation::return_allocation,
    ),
    components(schemas(stream::Format))
)]
pub(in crate::http) struct Api;

/// The routes of pulls.
pub(super) fn routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Engine: FromRef<S>,
    super::PartnerDoor: FromRef<S>,
{
    Router::new()
        .route("/v1/allocations", post(create_allocation::create_allocation))
        .route("/v1/allocations/{id}", get(show_allocation::show_allocation))
        .route("/v1/allocations/{id}/codes", get(stream_allocation::stream_allocation))
        .route("/v1/allocations/{id}/ack", post(acknowledge_allocation::acknowledge_allocation))
        .route("/v1/allocations/{id}/return", post(return_allocation::return_allocation))
}

/// A pull of codes.
#[derive(Debug, Serialize, ToSchema)]
struct AllocationOut {
    /// Its name.
    #[schema(example = "al_019ac0d2a9c87c7a9d0e3f2b1c4d5e6f")]
    id: String,
    /// The campaign's name.
    #[schema(example = "PIZZA")]
    campaign: String,
    /// `leased`, `acknowledged` or `expired`.
    #[schema(example = "leased")]
    status: &'static str,
    /// How many codes it has.
    #[schema(example = 500)]
    count: u64,
    /// How many of them were streamed to you.
    #[schema(example = 0)]
    streamed: u64,
    /// How many went back to stock, never streamed.
    #[schema(example = 0)]
    returned: u64,
    allocated_at: DateTime<Utc>,
    /// Stream and acknowledge before this: then what was not streamed goes back to stock, and what was is void.
    lease_until: DateTime<Utc>,
    /// Its codes are good before this.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<DateTime<Utc>>,
    /// SHA-256 in hexadecimal over each code and a line feed, in order; there once all were streamed.
    #[serde(skip_serializing_if = "Option::is_none")]
    codes_digest: Option<String>,
    /// Where its codes are.
    #[schema(example = "/v1/allocations/al_019ac0d2a9c87c7a9d0e3f2b1c4d5e6f/codes")]
    codes_url: String,
}

impl From<AllocationView> for AllocationOut {
    fn from(view: AllocationView) -> Self {
        let AllocationView { pull, campaign, digest } = view;
        let id = pull.id.text();
        let status = match (pull.acked_at, pull.ended_at) {
            (Some(_), _) => "acknowledged",
            (None, Some(_)) => "expired",
            (None, None) => "leased",
        };
        Self {
            codes_url: format!("/v1/allocations/{id}/codes"),
            id,
            campaign,
            status,
            count: pull.count,
            streamed: pull.exposed,
            returned: pull.restocked,
            allocated_at: pull.allocated_at,
            lease_until: pull.lease_until,
            expires_at: pull.expires_at,
            codes_digest: digest,
        }
    }
}

/// A pull of the caller's own; any other is as absent.
async fn find(engine: &Engine, partner: &Partner, id: &str) -> Result<AllocationView, Problem> {
    let absent = || Problem::not_found("allocation");
    let id = AllocationId::parse(id).ok_or_else(absent)?;
    let found: Result<_, EngineError> = engine.allocation_of_partner(partner, id).await;
    found?.ok_or_else(absent)
}
