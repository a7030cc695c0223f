//! `POST /v1/codes/redeem`.

use super::guesses::Guesses;
use super::shown::{CodeIn, refused};
use super::validate_code::PromiseOut;
use crate::domain::decision::outcome::Outcome;
use crate::domain::till::TillRefusal;
use crate::engine::{Engine, Till};
use crate::http::caller::Caller;
use crate::http::idempotency::IdempotencyKey;
use crate::http::openapi::IdempotencyHeader;
use crate::http::problem::{Json, Problem};
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// An accepted code.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RedemptionOut {
    /// Give the use back by this.
    #[schema(example = "rd_019ac0d2a9c87c7a9d0e3f2b1c4d5e6f")]
    redemption_id: String,
    redeemed_at: DateTime<Utc>,
    #[serde(flatten)]
    promise: PromiseOut,
}

/// `POST /v1/codes/redeem`: accepts a code, once. The same Idempotency-Key gets the first answer again.
///
/// # Errors
/// 409 with the reason as `code` when the code is not good; the caller's mistakes as 4xx.
#[utoipa::path(
    post,
    path = "/v1/codes/redeem",
    tag = "till",
    summary = "Take this code, once",
    description = "Accepts a code for a sale. The same Idempotency-Key with the same body gets the first answer again, \
                   whatever became of the code since.",
    security(("till_key" = [])),
    params(IdempotencyHeader),
    request_body = CodeIn,
    responses(
        (status = 201, description = "The code was taken", body = RedemptionOut),
        (status = 409, description = "The code is not good; the first reason that holds: `unknown_code`, \
         `campaign_inactive`, `not_yet_active`, `expired`, `wrong_store`, `wrong_recipient`, `conditions_not_met`, \
         `already_redeemed`"),
        (status = 422, description = "The key was used for another request: `idempotency_mismatch`"),
        (status = 429, description = "Too many wrong codes from this key or address: `rate_limited`"),
        (status = 503, description = "Send the same request again, with the same key: `busy`, `peer_unavailable`"),
    )
)]
#[tracing::instrument(skip_all, fields(till.id = till.id()))]
pub(super) async fn redeem_code(
    till: Till,
    caller: Caller,
    key: IdempotencyKey,
    State(engine): State<Engine>,
    State(guesses): State<Guesses>,
    Json(ask): Json<CodeIn>,
) -> Result<(StatusCode, Json<RedemptionOut>), Problem> {
    guesses.check(till.id(), caller.0)?;
    let shown = ask.presented(&engine)?;
    let settled = engine.redeem(key.request(till.door()), &ask.code, shown).await?;
    let outcome = settled.as_ref().map(|settled| &settled.outcome);
    if let (Some(settled), Some(Outcome::Redeemed(spot, id))) = (&settled, outcome) {
        let found = engine.find_spot(*spot).await?.ok_or_else(|| refused(TillRefusal::UnknownCode))?;
        let promise = PromiseOut::from(&found);
        let out = RedemptionOut { redemption_id: id.clone(), redeemed_at: settled.at, promise };
        return Ok((StatusCode::CREATED, Json(out)));
    }
    let why = if let Some(Outcome::Declined(_, why)) = outcome { *why } else { TillRefusal::UnknownCode };
    if why == TillRefusal::UnknownCode {
        guesses.wrong(till.id(), caller.0);
    }
    Err(refused(why))
}
