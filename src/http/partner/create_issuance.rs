//! `POST /v1/issuances`.

use super::issuance::{CustomerIn, DeliverIn, IssuanceOut, OriginIn, PendingOut, Told, ask, told};
use super::requires;
use crate::domain::partner::PartnerScope;
use crate::engine::{Engine, Partner};
use crate::http::idempotency::IdempotencyKey;
use crate::http::openapi::IdempotencyHeader;
use crate::http::problem::{Json, Problem};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// One code for one customer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct IssuanceIn {
    /// The campaign's name.
    #[schema(example = "PIZZA")]
    campaign: String,
    customer: CustomerIn,
    /// The place, for your reports: letters, digits, `.`, `_` and `-`.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9._-]+$", example = "story1")]
    sub_id: Option<String>,
    /// Your click.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 64)]
    click_id: Option<String>,
    /// Your publisher.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 64)]
    publisher_id: Option<String>,
    /// Anything you want echoed, at most 2 kB as JSON.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    metadata: Option<Map<String, Value>>,
    #[serde(default)]
    deliver: DeliverIn,
}

/// `POST /v1/issuances`: one code for one customer of the calling partner.
///
/// # Errors
/// Whatever refuses, as a [`Problem`]; the caller's mistakes are 4xx.
#[utoipa::path(
    post,
    path = "/v1/issuances",
    tag = "partners",
    summary = "One code for one customer",
    description = "The same customer gets the same code, whichever way she asks; nothing is counted twice. Whether she \
                   has one by another way is shown only where the campaign says so.",
    security(("partner" = ["codes:issue"])),
    params(IdempotencyHeader),
    request_body = IssuanceIn,
    responses(
        (status = 201, description = "A new code", body = IssuanceOut),
        (status = 200, description = "The code that the customer has: `repeat` is true", body = IssuanceOut),
        (status = 202, description = "A code follows: ask again, with a new key", body = PendingOut),
        (status = 400, description = "The request is wrong: `invalid_request`, `invalid_phone`"),
        (status = 404, description = "No such campaign is yours: `not_found`"),
        (status = 409, description = "No code, and why: `not_started`, `campaign_paused`, `pool_empty`, `cap_reached` \
         (with `cap`, `limit`, `used`, `resets_at`), `customer_has_code`, `country_not_allowed`, `not_eligible`"),
        (status = 410, description = "The campaign is over: `campaign_ended`"),
        (status = 422, description = "The key was used for another request: `idempotency_mismatch`"),
        (status = 503, description = "Send the same request again, with the same key: `busy`, `peer_unavailable`"),
    )
)]
#[tracing::instrument(skip_all, fields(partner.id = partner.client().as_str()))]
pub(super) async fn create_issuance(
    partner: Partner,
    key: IdempotencyKey,
    State(engine): State<Engine>,
    Json(body): Json<IssuanceIn>,
) -> Result<Response, Problem> {
    requires(&partner, PartnerScope::Issue)?;
    let IssuanceIn { campaign, customer, sub_id, click_id, publisher_id, metadata, deliver } = body;
    let ask = ask(&campaign, &customer, &OriginIn { sub_id, click_id, publisher_id, metadata }, deliver)?;
    let answer = engine.issue_for_partner(&partner, key.request(partner.door()), &ask).await?;
    Ok(match told(answer)? {
        Told::Code(status, issuance) => (status, Json(issuance)).into_response(),
        Told::Pending => (StatusCode::ACCEPTED, Json(PendingOut { status: "pending" })).into_response(),
    })
}
