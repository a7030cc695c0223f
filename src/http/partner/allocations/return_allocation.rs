//! `POST /v1/allocations/{id}/return`.

use super::{AllocationOut, find};
use crate::domain::act::LeaseStep;
use crate::domain::partner::PartnerScope;
use crate::engine::{AllocationView, Engine, LeaseAnswer, Partner};
use crate::http::idempotency::IdempotencyKey;
use crate::http::openapi::IdempotencyHeader;
use crate::http::partner::issuance::refused;
use crate::http::partner::requires;
use crate::http::problem::{Json, Path, Problem};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Codes of one call.
const MOST: usize = 1_000;
/// Characters of the longest statement.
const WORDS: usize = 200;

/// What the partner gives back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReturnIn {
    /// Codes that were streamed and that nobody saw; they are void from then on. Left out: all that was not streamed,
    /// which goes back to stock.
    #[serde(default)]
    #[schema(max_items = 1000, example = json!(["PZA-7KMQ-4XTD2"]))]
    codes: Option<Vec<String>>,
    /// Your word that nobody saw them, for the record; it must stand beside `codes`.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200, example = "printed and shredded unseen")]
    statement: Option<String>,
}

/// What was given back.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReturnOut {
    /// How many codes this call gave back.
    #[schema(example = 1)]
    given_back: u64,
    allocation: AllocationOut,
}

async fn read(engine: &Engine, partner: &Partner, view: &AllocationView, body: ReturnIn) -> Result<LeaseStep, Problem> {
    let (codes, statement) = match (body.codes, body.statement) {
        (None, None) => return Ok(LeaseStep::Returned),
        (Some(codes), Some(statement)) => (codes, statement),
        (None, Some(_)) | (Some(_), None) => {
            return Err(Problem::invalid(&["codes and statement: both, or neither".to_owned()]));
        }
    };
    let mut errors = Vec::new();
    if codes.is_empty() || codes.len() > MOST {
        errors.push(format!("codes: 1 to {MOST}"));
    }
    if statement.trim().is_empty() || statement.chars().count() > WORDS {
        errors.push(format!("statement: 1 to {WORDS} characters"));
    }
    if !errors.is_empty() {
        return Err(Problem::invalid(&errors));
    }
    let positions = engine.positions_in(partner, &view.pull, &codes).await?;
    let strange = |at: usize| Problem::invalid(&[format!("codes[{at}]: no code of this allocation")]);
    Ok(LeaseStep::Withdrawn(positions.map_err(strange)?, statement))
}

/// `POST /v1/allocations/{id}/return`: gives codes back before the lease ends.
///
/// # Errors
/// 409 when the lease is over, or when the campaign takes no streamed codes back.
#[utoipa::path(
    post,
    path = "/v1/allocations/{id}/return",
    tag = "partners",
    summary = "Give codes back",
    description = "Without `codes`, all that was not streamed goes back to stock and to your caps. With `codes` and a \
                   `statement` that nobody saw them, those are void. Nothing that was streamed is ever given to \
                   anybody else.",
    security(("partner" = ["codes:bulk"])),
    params(IdempotencyHeader, ("id" = String, Path, description = "The allocation")),
    request_body = ReturnIn,
    responses(
        (status = 200, description = "They are given back", body = ReturnOut),
        (status = 404, description = "No such allocation is yours: `not_found`"),
        (status = 409, description = "The lease is over: `lease_expired`; or the campaign takes no streamed codes back: \
         `not_eligible`"),
        (status = 422, description = "The key was used for another request: `idempotency_mismatch`"),
    )
)]
#[tracing::instrument(skip_all, fields(partner.id = partner.client().as_str()))]
pub(super) async fn return_allocation(
    partner: Partner,
    key: IdempotencyKey,
    Path(id): Path<String>,
    State(engine): State<Engine>,
    Json(body): Json<ReturnIn>,
) -> Result<Json<ReturnOut>, Problem> {
    requires(&partner, PartnerScope::Bulk)?;
    let view = find(&engine, &partner, &id).await?;
    let step = read(&engine, &partner, &view, body).await?;
    match engine.step_for_partner(&partner, key.request(partner.door()), &view, step).await? {
        LeaseAnswer::Done(view, given_back) => {
            Ok(Json(ReturnOut { given_back, allocation: AllocationOut::from(*view) }))
        }
        LeaseAnswer::Refused(why) => Err(refused(why, None)),
    }
}
