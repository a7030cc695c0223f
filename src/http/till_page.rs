//! `/till`: a till in the browser, for trying. It asks the engine as any till does, through a door of its own.

use super::coupon::stamp;
use super::web::till::{RefusalReason, TillForm, TillResult, TillView};
use super::web::{self, errors::ErrorView};
use crate::domain::act::Presented;
use crate::domain::decision::outcome::Outcome;
use crate::domain::ids::{RequestId, Spot};
use crate::domain::reply::full_words;
use crate::domain::till::TillRefusal;
use crate::engine::{Engine, EngineError, Found, draw};
use axum::Form;
use axum::Router;
use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use chrono::Duration;
use serde::Deserialize;

/// The door of this page.
const DOOR: &str = "till-page";

/// The routes of the page.
pub fn routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Engine: FromRef<S>,
{
    Router::new().route("/till", get(show_till).post(use_till))
}

/// What the form sends.
#[derive(Debug, Deserialize)]
struct Pressed {
    action: Action,
    #[serde(default)]
    code: String,
    #[serde(default)]
    store: String,
    #[serde(default)]
    amount: String,
    #[serde(default)]
    idempotency_key: String,
    #[serde(default)]
    redemption_id: String,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    Validate,
    Redeem,
    Rollback,
}

async fn show_till() -> Response {
    let form = TillForm { idempotency_key: key(), ..TillForm::default() };
    web::page(StatusCode::OK, &TillView { form, result: TillResult::None })
}

async fn use_till(State(engine): State<Engine>, Form(pressed): Form<Pressed>) -> Response {
    let mut form = TillForm {
        code: pressed.code.trim().to_owned(),
        store: pressed.store.trim().to_owned(),
        amount: pressed.amount.trim().to_owned(),
        idempotency_key: key(),
        ..TillForm::default()
    };
    let amount = minor_units(&form.amount);
    if form.code.is_empty() {
        form.code_error = Some("Paste the code from the message or the coupon.".to_owned());
    }
    if amount.is_err() {
        form.amount_error = Some("Write the amount as 25.00, or leave it empty.".to_owned());
    }
    if form.code_error.is_some() || form.amount_error.is_some() {
        return web::page(StatusCode::BAD_REQUEST, &TillView { form, result: TillResult::None });
    }
    let shown = Presented {
        store: Some(form.store.clone()).filter(|store| !store.is_empty()),
        amount: amount.unwrap_or_default(),
        ..Presented::default()
    };
    let result = match pressed.action {
        Action::Validate => validate(&engine, &form.code, &shown).await,
        Action::Redeem => redeem(&engine, &form.code, shown, &pressed.idempotency_key).await,
        Action::Rollback => roll_back(&engine, &form.code, pressed.redemption_id, &pressed.idempotency_key).await,
    };
    match result {
        Ok(result) => web::page(StatusCode::OK, &TillView { form, result }),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "the till's page got no answer");
            web::page(StatusCode::SERVICE_UNAVAILABLE, &ErrorView::busy())
        }
    }
}

async fn validate(engine: &Engine, code: &str, shown: &Presented) -> Result<TillResult, EngineError> {
    match engine.validate(code, shown).await? {
        Ok(found) => {
            engine.count_validation(&found, DOOR);
            let held = &found.issued.held;
            let last = held.expires_at.map(|end| end - Duration::seconds(1));
            Ok(TillResult::Valid {
                code: display(engine, held.spot).await?,
                offer: title(&found),
                until: last.map(|last| full_words(last, found.campaign.zone)),
            })
        }
        Err(why) => refused(engine, code, why).await,
    }
}

async fn redeem(engine: &Engine, code: &str, shown: Presented, key: &str) -> Result<TillResult, EngineError> {
    let request = RequestId { door: DOOR.to_owned(), key: format!("redeem-{key}") };
    let settled = engine.redeem(request, code, shown).await?;
    match settled.map(|settled| settled.outcome) {
        Some(Outcome::Redeemed(spot, redemption_id)) => {
            let found = engine.find_spot(spot).await?;
            let stamp = found.as_ref().and_then(used).unwrap_or_default();
            let offer = found.as_ref().map(title).unwrap_or_default();
            Ok(TillResult::Redeemed { code: display(engine, spot).await?, offer, redemption_id, stamp })
        }
        Some(Outcome::Declined(_, why)) => refused(engine, code, why).await,
        Some(_) | None => refused(engine, code, TillRefusal::UnknownCode).await,
    }
}

async fn roll_back(engine: &Engine, code: &str, redemption: String, key: &str) -> Result<TillResult, EngineError> {
    let request = RequestId { door: DOOR.to_owned(), key: format!("rollback-{key}") };
    let reason = "undone at the till's page".to_owned();
    let settled = engine.roll_back(request, redemption, reason).await?;
    Ok(match settled.map(|settled| settled.outcome) {
        Some(Outcome::RolledBack(_, redemption_id)) => TillResult::RolledBack { code: code.to_owned(), redemption_id },
        Some(_) | None => TillResult::NotRolledBack { why: "There is no such redemption.".to_owned() },
    })
}

async fn refused(engine: &Engine, code: &str, why: TillRefusal) -> Result<TillResult, EngineError> {
    let detail = if why == TillRefusal::AlreadyRedeemed {
        engine.find_code(code).await?.as_ref().and_then(used).map(|stamp| format!("Used {stamp}"))
    } else {
        None
    };
    let reason = RefusalReason::parse(why.word()).unwrap_or(RefusalReason::UnknownCode);
    Ok(TillResult::Refused { code: code.to_owned(), reason, detail })
}

fn used(found: &Found) -> Option<String> {
    found.issued.held.open_redemption().map(|event| stamp(event, &found.campaign))
}

fn title(found: &Found) -> String {
    let offer = found.campaign.offer(found.issued.held.offer_no);
    offer.map(|offer| offer.title.clone()).unwrap_or_default()
}

async fn display(engine: &Engine, spot: Spot) -> Result<String, EngineError> {
    let code = engine.code_at(spot).await?;
    Ok(code.map(|code| code.expose().to_owned()).unwrap_or_default())
}

/// A key for one rendering of the form: pressed twice, it is one redemption.
fn key() -> String {
    u128::from_be_bytes(draw()).to_string()
}

/// "25", "25.5" and "25.00" in minor units of a currency with two decimals; empty is none.
fn minor_units(text: &str) -> Result<Option<i64>, ()> {
    if text.is_empty() {
        return Ok(None);
    }
    let (whole, cents) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 9 || cents.len() > 2 || !digits(whole) || !digits(cents) {
        return Err(());
    }
    format!("{whole}{cents:0<2}").parse().map(Some).map_err(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_people_write_them() {
        for (text, minor) in
            [("", None), ("25", Some(2_500)), ("25.5", Some(2_550)), ("25.00", Some(2_500)), ("0.07", Some(7))]
        {
            assert_eq!(minor_units(text), Ok(minor), "{text}");
        }
        for text in ["-1", "25,00", "1.234", "abc", ".5", "9999999999"] {
            assert_eq!(minor_units(text), Err(()), "{text}");
        }
    }
}
