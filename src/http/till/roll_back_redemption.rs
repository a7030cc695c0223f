//! `POST /v1/redemptions/{id}/rollback`.

use super::shown::is_word;
use crate::domain::decision::outcome::Outcome;
use crate::engine::{Engine, Till};
use crate::http::idempotency::IdempotencyKey;
use crate::http::openapi::IdempotencyHeader;
use crate::http::problem::{Json, Path, Problem};
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a redemption is taken back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RollbackIn {
    /// In words or as a code: `order_cancelled`.
    #[schema(min_length = 1, max_length = 200, example = "order_cancelled")]
    reason: String,
}

/// A redemption that was taken back; the code is good again until its last day.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RollbackOut {
    #[schema(example = "rd_019ac0d2a9c87c7a9d0e3f2b1c4d5e6f")]
    redemption_id: String,
    /// Always `rolled_back`.
    #[schema(example = "rolled_back")]
    status: &'static str,
    rolled_back_at: DateTime<Utc>,
}

/// `POST /v1/redemptions/{id}/rollback`: gives the use of a code back. Asked again, the answer is the same.
///
/// # Errors
/// 404 when there is no such redemption; the caller's mistakes as 4xx.
#[utoipa::path(
    post,
    path = "/v1/redemptions/{id}/rollback",
    tag = "till",
    summary = "Give the use of a code back",
    description = "For an order that was cancelled: the code is good again until its last day. Asked again, the answer \
                   is the same.",
    security(("till_key" = [])),
    params(IdempotencyHeader, ("id" = String, Path, description = "The `redemption_id` of the answer to redeem")),
    request_body = RollbackIn,
    responses(
        (status = 200, description = "The use was given back", body = RollbackOut),
        (status = 404, description = "There is no such redemption: `not_found`"),
        (status = 422, description = "The key was used for another request: `idempotency_mismatch`"),
        (status = 503, description = "Send the same request again, with the same key: `busy`, `peer_unavailable`"),
    )
)]
#[tracing::instrument(skip_all, fields(till.id = till.id()))]
pub(super) async fn roll_back_redemption(
    till: Till,
    key: IdempotencyKey,
    Path(redemption): Path<String>,
    State(engine): State<Engine>,
    Json(ask): Json<RollbackIn>,
) -> Result<Json<RollbackOut>, Problem> {
    if !is_word(&ask.reason, 200) {
        return Err(Problem::invalid(&["reason: 1 to 200 characters, none of them a control character".to_owned()]));
    }
    if !is_word(&redemption, 200) {
        return Err(Problem::not_found("redemption"));
    }
    let settled = engine.roll_back(key.request(till.door()), redemption, ask.reason).await?;
    match settled.map(|settled| (settled.outcome, settled.at)) {
        Some((Outcome::RolledBack(_, id), rolled_back_at)) => {
            Ok(Json(RollbackOut { redemption_id: id, status: "rolled_back", rolled_back_at }))
        }
        Some(_) | None => Err(Problem::not_found("redemption")),
    }
}
