//! `POST /v1/allocations/{id}/ack`.

use super::{AllocationOut, find};
use crate::domain::act::LeaseStep;
use crate::domain::partner::PartnerScope;
use crate::engine::{Engine, LeaseAnswer, Partner};
use crate::http::idempotency::IdempotencyKey;
use crate::http::openapi::IdempotencyHeader;
use crate::http::partner::issuance::refused;
use crate::http::partner::requires;
use crate::http::problem::{Json, Path, Problem};
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

/// What the partner has.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AckIn {
    /// How many codes you have: all that were streamed.
    #[schema(minimum = 0, example = 500)]
    count: u64,
}

/// `POST /v1/allocations/{id}/ack`: the partner has all codes that were streamed; they are its own from now on, and what
/// was not streamed goes back.
///
/// # Errors
/// 409 when the lease is over, or when another number was streamed.
#[utoipa::path(
    post,
    path = "/v1/allocations/{id}/ack",
    tag = "partners",
    summary = "I have them",
    description = "Says that you have every code that was streamed. From then on they are yours. The pull is over: what \
                   was not streamed goes back, and out of your caps.",
    security(("partner" = ["codes:bulk"])),
    params(IdempotencyHeader, ("id" = String, Path, description = "The allocation")),
    request_body = AckIn,
    responses(
        (status = 200, description = "They are yours", body = AllocationOut),
        (status = 404, description = "No such allocation is yours: `not_found`"),
        (status = 409, description = "The lease is over: `lease_expired`; or you count other codes than were streamed \
         (`streamed` says how many): `count_differs`"),
        (status = 422, description = "The key was used for another request: `idempotency_mismatch`"),
    )
)]
#[tracing::instrument(skip_all, fields(partner.id = partner.client().as_str()))]
pub(super) async fn acknowledge_allocation(
    partner: Partner,
    key: IdempotencyKey,
    Path(id): Path<String>,
    State(engine): State<Engine>,
    Json(body): Json<AckIn>,
) -> Result<Json<AllocationOut>, Problem> {
    requires(&partner, PartnerScope::Bulk)?;
    let view = find(&engine, &partner, &id).await?;
    let step = LeaseStep::Acknowledged(body.count);
    match engine.step_for_partner(&partner, key.request(partner.door()), &view, step).await? {
        LeaseAnswer::Done(view, _) => Ok(Json(AllocationOut::from(*view))),
        LeaseAnswer::Refused(why) => Err(refused(why, None)),
    }
}
