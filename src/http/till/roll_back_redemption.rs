//! `POST /v1/redemptions/{id}/rollback`.

use crate::domain::decision::outcome::Outcome;
use crate::engine::{Engine, Till};
use crate::http::idempotency::IdempotencyKey;
use crate::http::problem::{Json, Problem};
use axum::extract::{Path, State};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Why a redemption is taken back.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RollbackIn {
    /// In words or as a code: `order_cancelled`.
    reason: String,
}

/// A redemption that was taken back; the code is good again until its last day.
#[derive(Debug, Serialize)]
pub(super) struct RollbackOut {
    redemption_id: String,
    status: &'static str,
    rolled_back_at: DateTime<Utc>,
}

/// `POST /v1/redemptions/{id}/rollback`: gives the use of a code back. Asked again, the answer is the same.
///
/// # Errors
/// 404 when there is no such redemption; the caller's mistakes as 4xx.
#[tracing::instrument(skip_all, fields(till.id = till.id()))]
pub(super) async fn roll_back_redemption(
    till: Till,
    key: IdempotencyKey,
    Path(redemption): Path<String>,
    State(engine): State<Engine>,
    Json(ask): Json<RollbackIn>,
) -> Result<Json<RollbackOut>, Problem> {
    if ask.reason.is_empty() || ask.reason.chars().count() > 200 {
        return Err(Problem::invalid(&["reason: 1 to 200 characters".to_owned()]));
    }
    let settled = engine.roll_back(key.request(till.door()), redemption, ask.reason).await?;
    match settled.map(|settled| (settled.outcome, settled.at)) {
        Some((Outcome::RolledBack(_, id), rolled_back_at)) => {
            Ok(Json(RollbackOut { redemption_id: id, status: "rolled_back", rolled_back_at }))
        }
        Some(_) | None => Err(Problem::not_found("redemption")),
    }
}
