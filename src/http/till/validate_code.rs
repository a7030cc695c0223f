//! `POST /v1/codes/validate`.

use super::guesses::Guesses;
use super::shown::CodeIn;
use crate::domain::till::TillRefusal;
use crate::engine::{Engine, Found, Till};
use crate::http::caller::Caller;
use crate::http::problem::{Json, Problem};
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// Whether a till may accept the code.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ValidationOut {
    /// Whether the code is good now.
    valid: bool,
    /// The first thing that speaks against it; only where it is not good.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// The campaign's name; this and what follows only where the code is good.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "PIZZA")]
    campaign: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offer: Option<OfferOut>,
    /// It is good before this instant; left out where it has no end.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<DateTime<Utc>>,
}

/// What a code promises.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PromiseOut {
    /// The campaign's name.
    #[schema(example = "PIZZA")]
    campaign: String,
    offer: OfferOut,
    /// It is good before this instant; left out where it has no end.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<DateTime<Utc>>,
}

/// What the customer gets.
#[derive(Debug, Serialize, ToSchema)]
struct OfferOut {
    /// In words.
    #[schema(example = "$5 off")]
    title: String,
    /// ISO 4217.
    #[schema(example = "USD")]
    currency: String,
    /// The most it takes off, minor units; left out where nobody can say.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 500)]
    max_discount: Option<i64>,
    /// The least the sale must come to, minor units.
    min_spend: i64,
}

impl ValidationOut {
    fn good(promise: PromiseOut) -> Self {
        let PromiseOut { campaign, offer, expires_at } = promise;
        Self { valid: true, reason: None, campaign: Some(campaign), offer: Some(offer), expires_at }
    }

    fn bad(why: TillRefusal) -> Self {
        Self { valid: false, reason: Some(why.word()), campaign: None, offer: None, expires_at: None }
    }
}

impl From<&Found> for PromiseOut {
    fn from(found: &Found) -> Self {
        let (campaign, held) = (&found.campaign, &found.issued.held);
        let offer = campaign.offer(held.offer_no);
        Self {
            campaign: campaign.name.clone(),
            offer: OfferOut {
                title: offer.map(|offer| offer.title.clone()).unwrap_or_default(),
                currency: offer.map(|offer| offer.currency.clone()).unwrap_or_default(),
                max_discount: offer.and_then(|offer| offer.max_discount),
                min_spend: campaign.terms.min_spend,
            },
            expires_at: held.expires_at,
        }
    }
}

/// `POST /v1/codes/validate`: whether a till may accept a code now. Changes nothing.
///
/// # Errors
/// The caller's mistakes as 4xx; a code that is not good is no error but `"valid": false` with its reason.
#[utoipa::path(
    post,
    path = "/v1/codes/validate",
    tag = "till",
    summary = "Is this code good?",
    description = "Whether a till may accept a code now. Changes nothing, and needs no Idempotency-Key. A code that is \
                   not good is no error but `\"valid\": false` with its `reason`.",
    security(("till_key" = [])),
    request_body = CodeIn,
    responses(
        (status = 200, description = "Whether the code is good, and what it promises", body = ValidationOut),
        (status = 429, description = "Too many wrong codes from this key or address: `rate_limited`"),
        (status = 503, description = "Send the same request again: `busy`, `peer_unavailable`"),
    )
)]
#[tracing::instrument(skip_all, fields(till.id = till.id()))]
pub(super) async fn validate_code(
    till: Till,
    caller: Caller,
    State(engine): State<Engine>,
    State(guesses): State<Guesses>,
    Json(ask): Json<CodeIn>,
) -> Result<Json<ValidationOut>, Problem> {
    guesses.check(till.id(), caller.0)?;
    let shown = ask.presented(&engine)?;
    Ok(Json(match engine.validate(&ask.code, &shown).await? {
        Ok(found) => {
            engine.count_validation(&found, &till.door());
            ValidationOut::good(PromiseOut::from(&found))
        }
        Err(why) => {
            if why == TillRefusal::UnknownCode {
                guesses.wrong(till.id(), caller.0);
            }
            engine.note_vain(&ask.code, &shown, &till.door(), why);
            ValidationOut::bad(why)
        }
    }))
}
