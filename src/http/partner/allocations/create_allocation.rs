//! `POST /v1/allocations`.

use super::AllocationOut;
use crate::domain::act::PullMode;
use crate::domain::creator::SubId;
use crate::domain::document::IsoDuration;
use crate::domain::partner::PartnerScope;
use crate::engine::{AllocationAnswer, AllocationAsk, Engine, Partner};
use crate::http::idempotency::IdempotencyKey;
use crate::http::openapi::IdempotencyHeader;
use crate::http::partner::issuance::refused;
use crate::http::partner::requires;
use crate::http::problem::{Json, Problem};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::Duration;
use serde::Deserialize;
use utoipa::ToSchema;

/// Codes of the largest pull.
const MOST: u64 = 100_000;
/// Where nothing is said.
const LEASE: Duration = Duration::days(1);
/// Long enough to begin to stream.
const SHORTEST: Duration = Duration::minutes(1);
/// Codes that nobody used for so long are stranded.
const LONGEST: Duration = Duration::days(90);

/// Many codes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AllocationIn {
    /// The campaign's name.
    #[schema(example = "PIZZA")]
    campaign: String,
    /// How many.
    #[schema(minimum = 1, maximum = 100_000, example = 500)]
    count: u64,
    /// Whether fewer will do.
    #[serde(default)]
    mode: ModeIn,
    /// How long you have to stream and acknowledge them, `PT1M` to `P90D`; a day where it is left out.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "P14D")]
    lease: Option<String>,
    /// The place, for your reports: letters, digits, `.`, `_` and `-`.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9._-]+$", example = "story1")]
    sub_id: Option<String>,
}

/// Whether fewer codes than asked for will do.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ModeIn {
    /// All of them, or none.
    #[default]
    AllOrNothing,
    /// As many as caps and stock allow.
    Partial,
}

fn read(body: &AllocationIn) -> Result<AllocationAsk, Problem> {
    let mut errors = Vec::new();
    if !(1..=MOST).contains(&body.count) {
        errors.push(format!("count: 1 to {MOST}"));
    }
    let lease = match body.lease.as_deref().map(IsoDuration::parse) {
        None => LEASE,
        Some(Some(lease)) if (SHORTEST..=LONGEST).contains(&lease.duration()) => lease.duration(),
        Some(_) => {
            errors.push("lease: a duration from PT1M to P90D, such as P14D".to_owned());
            LEASE
        }
    };
    if body.sub_id.as_deref().is_some_and(|text| SubId::parse(text).is_err()) {
        errors.push("sub_id: 1 to 64 letters, digits, dots, underscores and hyphens".to_owned());
    }
    if !errors.is_empty() {
        return Err(Problem::invalid(&errors));
    }
    let mode = match body.mode {
        ModeIn::AllOrNothing => PullMode::AllOrNothing,
        ModeIn::Partial => PullMode::Partial,
    };
    let (campaign, sub_id) = (body.campaign.clone(), body.sub_id.clone());
    Ok(AllocationAsk { campaign, count: body.count, mode, lease, sub_id })
}

/// `POST /v1/allocations`: counts codes for the calling partner and takes them out of stock, until its lease ends.
///
/// # Errors
/// Whatever refuses, as a [`Problem`]; the caller's mistakes are 4xx.
#[utoipa::path(
    post,
    path = "/v1/allocations",
    tag = "partners",
    summary = "Many codes at once",
    description = "Leases codes to you. Stream them, then acknowledge them; at the end of the lease, what was not \
                   streamed goes back to stock, and what was streamed and not acknowledged is void.",
    security(("partner" = ["codes:bulk"])),
    params(IdempotencyHeader),
    request_body = AllocationIn,
    responses(
        (status = 201, description = "The codes are yours", body = AllocationOut,
         headers(("Location" = String, description = "The address of the allocation"))),
        (status = 404, description = "No such campaign is yours: `not_found`"),
        (status = 409, description = "No codes, and why: `not_started`, `campaign_paused`, `pool_empty`, `cap_reached` \
         (with `cap`, `limit`, `used`, `resets_at`), `not_eligible`"),
        (status = 410, description = "The campaign is over: `campaign_ended`"),
        (status = 422, description = "The key was used for another request: `idempotency_mismatch`"),
    )
)]
#[tracing::instrument(skip_all, fields(partner.id = partner.client().as_str()))]
pub(super) async fn create_allocation(
    partner: Partner,
    key: IdempotencyKey,
    State(engine): State<Engine>,
    Json(body): Json<AllocationIn>,
) -> Result<Response, Problem> {
    requires(&partner, PartnerScope::Bulk)?;
    let ask = read(&body)?;
    match engine.allocate_for_partner(&partner, key.request(partner.door()), &ask).await? {
        AllocationAnswer::Made(view) => {
            let out = AllocationOut::from(*view);
            let place = [(header::LOCATION, format!("/v1/allocations/{}", out.id))];
            Ok((StatusCode::CREATED, place, Json(out)).into_response())
        }
        AllocationAnswer::Refused(why, cap) => Err(refused(why, cap)),
    }
}
