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

/// Whether a till may accept the code.
#[derive(Debug, Serialize)]
pub(super) struct ValidationOut {
    valid: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    promise: Option<PromiseOut>,
}

/// What a code promises.
#[derive(Debug, Serialize)]
pub(super) struct PromiseOut {
    campaign: String,
    offer: OfferOut,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Serialize)]
struct OfferOut {
    title: String,
    currency: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_discount: Option<i64>,
    min_spend: i64,
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
        Ok(found) => ValidationOut { valid: true, reason: None, promise: Some(PromiseOut::from(&found)) },
        Err(why) => {
            if why == TillRefusal::UnknownCode {
                guesses.wrong(till.id(), caller.0);
            }
            ValidationOut { valid: false, reason: Some(why.word()), promise: None }
        }
    }))
}
