//! `GET /c/{token}`: the live coupon. It shows the state of this moment and changes nothing;
//! its script tells `POST /c/{token}/seen` that somebody has it open.

use super::web::coupon::{BrandView, CouponFace, CouponView};
use super::web::{self, errors::Missing, qr};
use crate::domain::campaign::{Campaign, Status};
use crate::domain::ids::Spot;
use crate::domain::reply::{full_words, stamp_words};
use crate::domain::world::{Event, Held, HeldState};
use crate::engine::{Engine, EngineError, Found, Seen};
use axum::Router;
use axum::extract::{FromRef, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use chrono::{DateTime, Duration, Utc};

/// How long a page waits for the system that honours its code.
const GLANCE: std::time::Duration = std::time::Duration::from_millis(600);

/// The route of the coupon page.
pub fn routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Engine: FromRef<S>,
{
    Router::new().route("/c/{token}", get(show_coupon)).route("/c/{token}/seen", post(note_viewed))
}

/// `GET /c/{token}`: a token that names no issued code is a neutral 404.
async fn show_coupon(State(engine): State<Engine>, Path(token): Path<String>) -> Response {
    let Some(spot) = engine.parts().keys.link_tokens().open(&token) else {
        return web::not_found(Missing::Coupon);
    };
    match coupon(&engine, spot).await {
        Ok(Some(view)) => web::page(StatusCode::OK, &view),
        Ok(None) => web::not_found(Missing::Coupon),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "a coupon cannot be shown");
            web::page(StatusCode::SERVICE_UNAVAILABLE, &web::errors::ErrorView::busy())
        }
    }
}

/// `POST /c/{token}/seen`: the page was open. Whatever the token names, the answer is the same: it tells nothing.
async fn note_viewed(State(engine): State<Engine>, Path(token): Path<String>) -> StatusCode {
    if let Some(spot) = engine.parts().keys.link_tokens().open(&token)
        && let Err(error) = engine.viewed(spot).await
    {
        tracing::debug!(error = &error as &dyn std::error::Error, "a look was not counted");
    }
    StatusCode::NO_CONTENT
}

async fn coupon(engine: &Engine, spot: Spot) -> Result<Option<CouponView>, EngineError> {
    let Some(found) = engine.find_spot(spot).await? else {
        return Ok(None);
    };
    // A system that takes its time keeps nobody from her coupon.
    let Seen { found, reading } = engine.see(found, GLANCE).await?;
    let now = engine.parts().clock.now();
    let (campaign, held) = (&found.campaign, &found.issued.held);
    let face = match closed_face(campaign, held, now) {
        Some(face) => face,
        None => match active_face(engine, &found, reading.map(|reading| reading.as_of)).await? {
            Some(face) => face,
            None => return Ok(None),
        },
    };
    let offer = campaign.offer(held.offer_no);
    let terms = offer.map(|offer| offer.terms.lines().map(str::to_owned).collect()).unwrap_or_default();
    Ok(Some(CouponView {
        brand: BrandView { name: brand(engine, &found), colour: None },
        offer_title: offer.map(|offer| offer.title.clone()).unwrap_or_default(),
        face,
        terms,
    }))
}

/// The faces that show no code: void before used, used before expired.
fn closed_face(campaign: &Campaign, held: &Held, now: DateTime<Utc>) -> Option<CouponFace> {
    let zone = campaign.zone;
    match (held.state(now), held.open_redemption()) {
        (HeldState::Void, _) => return Some(CouponFace::Void),
        (HeldState::Redeemed, Some(event)) => {
            return Some(CouponFace::Used { stamp: stamp(event, campaign) });
        }
        (HeldState::Expired, _) => {
            let at = held.ends_at().unwrap_or(now) - Duration::seconds(1);
            return Some(CouponFace::Expired { at: full_words(at, zone) });
        }
        (HeldState::Redeemed | HeldState::Unused, _) => {}
    }
    if campaign.terms.stops_with_campaign && campaign.status != Status::Live {
        let ended = campaign.ends_at.filter(|end| *end <= now);
        let at = ended.map(|end| full_words(end - Duration::seconds(1), zone));
        return Some(CouponFace::Ended { at });
    }
    let opens = campaign.terms.valid_from.filter(|from| now < *from)?;
    Some(CouponFace::NotYetActive { from: full_words(opens, zone) })
}

async fn active_face(
    engine: &Engine,
    found: &Found,
    checked_at: Option<DateTime<Utc>>,
) -> Result<Option<CouponFace>, EngineError> {
    let held = &found.issued.held;
    let Some(code) = engine.code_at(held.spot).await? else {
        return Ok(None);
    };
    let Ok(qr) = qr::svg(code.expose()) else {
        return Ok(None);
    };
    let zone = found.campaign.zone;
    let checked = checked_at.map(|at| stamp_words(at, zone));
    let last = held.expires_at.map(|end| end - Duration::seconds(1));
    let valid_until = last.map(|last| full_words(last, zone));
    Ok(Some(CouponFace::Active { code: code.expose().to_owned(), qr, valid_until, checked }))
}

/// "14 Nov 2026, 6:22 PM, Store 17".
pub(super) fn stamp(event: &Event, campaign: &Campaign) -> String {
    let when = stamp_words(event.at, campaign.zone);
    event.store.as_ref().map_or(when.clone(), |store| format!("{when}, {store}"))
}

/// Whose name stands on the coupon: that of the number it was texted from, else the campaign's.
fn brand(engine: &Engine, found: &Found) -> String {
    let catalog = engine.catalog();
    let sender = found.issued.held.from.sender.and_then(|id| catalog.senders.get(&id));
    sender.map_or_else(|| found.campaign.name.clone(), |sender| sender.brand.clone())
}
