//! `POST /v1/codes/redeem`.

use super::guesses::Guesses;
use super::shown::{CodeIn, refused};
use super::validate_code::PromiseOut;
use crate::domain::decision::outcome::Outcome;
use crate::domain::till::TillRefusal;
use crate::engine::{Engine, Till};
use crate::http::caller::Caller;
use crate::http::idempotency::IdempotencyKey;
use crate::http::problem::{Json, Problem};
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::Serialize;

/// An accepted code.
#[derive(Debug, Serialize)]
pub(super) struct RedemptionOut {
    redemption_id: String,
    redeemed_at: DateTime<Utc>,
    #[serde(flatten)]
    promise: PromiseOut,
}

/// `POST /v1/codes/redeem`: accepts a code, once. The same Idempotency-Key gets the first answer again.
///
/// # Errors
/// 409 with the reason as `code` when the code is not good; the caller's mistakes as 4xx.
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
