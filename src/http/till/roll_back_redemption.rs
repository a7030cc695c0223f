//! `POST /v1/redemptions/{id}/rollback`.

use super::shown::is_word;
use crate::domain::decision::outcome::Outcome;
use crate::domain::till::TillRefusal;
use crate::engine::{Engine, Till};
use crate::http::idempotency::IdempotencyKey;
use crate::http::openapi::IdempotencyHeader;
use crate::http::problem::{Json, Path, Problem};
use axum::extract::State;
use axum::http::StatusCode;
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
    /// How much of the money went back, in minor units: the code stays used, and what it earned shrinks in proportion.
    /// Without it the whole redemption is taken back.
    #[schema(minimum = 1, example = 500)]
    amount: Option<i64>,
}

/// A redemption that was taken back: the code is good again until its last day; or some of its money.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RollbackOut {
    #[schema(example = "rd_019ac0d2a9c87c7a9d0e3f2b1c4d5e6f")]
    redemption_id: String,
    /// `rolled_back`, or `refunded` where an `amount` was given.
    #[schema(example = "rolled_back")]
    status: &'static str,
    rolled_back_at: DateTime<Utc>,
    /// The refund, where an `amount` was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "rf_019ac0d2a9c87c7a9d0e3f2b1c4d5e6f")]
    refund_id: Option<String>,
    /// How much of the money went back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 500)]
    amount: Option<i64>,
}

/// `POST /v1/redemptions/{id}/rollback`: gives the use of a code back, or some of its money. Asked again, the answer is
/// the same.
///
/// # Errors
/// 409 when more is to go back than is left; 404 when there is no such redemption; the caller's mistakes as 4xx.
#[utoipa::path(
    post,
    path = "/v1/redemptions/{id}/rollback",
    tag = "till",
    summary = "Give the use of a code back",
    description = "For an order that was cancelled: the code is good again until its last day. With an `amount` some of \
                   the money went back: the code stays used. Asked again, the answer is the same.",
    security(("till_key" = [])),
    params(IdempotencyHeader, ("id" = String, Path, description = "The `redemption_id` of the answer to redeem")),
    request_body = RollbackIn,
    responses(
        (status = 200, description = "The use was given back", body = RollbackOut),
        (status = 404, description = "There is no such redemption: `not_found`"),
        (status = 409, description = "More than is left of the sale is to go back: `conditions_not_met`"),
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
    if ask.amount.is_some_and(|amount| amount < 1) {
        return Err(Problem::invalid(&["amount: 1 or more, in minor units".to_owned()]));
    }
    if !is_word(&redemption, 200) {
        return Err(Problem::not_found("redemption"));
    }
    let request = key.request(till.door());
    let settled = match ask.amount {
        None => engine.roll_back(request, redemption.clone(), ask.reason).await?,
        Some(amount) => engine.refund(request, redemption.clone(), (amount, ask.reason)).await?,
    };
    match settled.map(|settled| (settled.outcome, settled.at)) {
        Some((Outcome::RolledBack(_, redemption_id), rolled_back_at)) => {
            let status = "rolled_back";
            Ok(Json(RollbackOut { redemption_id, status, rolled_back_at, refund_id: None, amount: None }))
        }
        Some((Outcome::Refunded(_, id), rolled_back_at)) => {
            let (status, refund_id, amount) = ("refunded", Some(id), ask.amount);
            Ok(Json(RollbackOut { redemption_id: redemption, status, rolled_back_at, refund_id, amount }))
        }
        Some((Outcome::Declined(_, TillRefusal::ConditionsNotMet), _)) => {
            let detail = "no more can go back than is left of the sale, as it was told when the code was redeemed";
            Err(Problem::new(StatusCode::CONFLICT, "conditions_not_met", detail))
        }
        Some(_) | None => Err(Problem::not_found("redemption")),
    }
}
