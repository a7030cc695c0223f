//! `/x/{slug}`: the claim page of a creator or of a place of the house. Two plain forms, no script, no cookie.
//!
//! What the second form must know travels sealed in a hidden field, so a post of another site has nothing to ride on:
//! without digits that reached her own phone it gets nothing.

mod bots;
mod faces;
mod limits;
mod state;

pub use limits::ClaimLimits;

use super::Site;
use super::caller::Caller;
use super::web::claim::ClaimStep;
use super::web::{self, errors::Missing};
use crate::domain::act::{ProofId, Seeks};
use crate::domain::campaign::Campaign;
use crate::domain::creator::{Slug, SubId};
use crate::domain::decision::outcome::{Outcome, Refusal, Told};
use crate::domain::phone::PhoneNumber;
use crate::engine::{ClaimPage, Engine, EngineError, draw};
use axum::extract::{FromRef, Path, RawQuery, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Form, Router};
use faces::Page;
use serde::Deserialize;
use state::Claimant;

/// Digits of a code.
const DIGITS: usize = 6;
/// In the address of a page that gives out no more: she looks for the code she has.
const OWN: &str = "own=1";

/// The routes of claim pages.
pub fn routes() -> Router<Site> {
    Router::new().route("/x/{slug}", get(show_claim).post(post_claim))
}

impl FromRef<Site> for ClaimLimits {
    fn from_ref(site: &Site) -> Self {
        site.claims.clone()
    }
}

/// What the forms send.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Posted {
    step: String,
    phone: Option<String>,
    code: String,
    claim: String,
    key: String,
}

/// `GET /x/{slug}`: the offer and the first form. A slug that leads nowhere is a neutral 404.
async fn show_claim(
    State(engine): State<Engine>,
    Path(slug): Path<String>,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let Some(asked) = address(&slug, query.as_deref()) else {
        return web::not_found(Missing::Page);
    };
    let page = match open(&engine, asked).await {
        Ok(Some(page)) => page,
        Ok(None) => return web::not_found(Missing::Page),
        Err(error) => return failed(&error),
    };
    // Who looks for her code has opened the page before.
    if method == Method::GET && bots::is_a_person(&headers) && page.seeks == Seeks::AnyCode {
        engine.count_opening(&page.slug, page.sub.as_ref());
    }
    match (page.closed.clone(), page.seeks) {
        (Some(closed), Seeks::AnyCode) => page.show_closed(closed),
        (Some(_), Seeks::OwnCode) | (None, _) => page.show(StatusCode::OK, page.phone_form("", None)),
    }
}

/// `POST /x/{slug}`: either form. Success leads to the live coupon.
async fn post_claim(
    State(engine): State<Engine>,
    State(limits): State<ClaimLimits>,
    caller: Caller,
    Path(slug): Path<String>,
    RawQuery(query): RawQuery,
    Form(posted): Form<Posted>,
) -> Response {
    let Some(asked) = address(&slug, query.as_deref()) else {
        return web::not_found(Missing::Page);
    };
    let page = match open(&engine, asked).await {
        Ok(Some(page)) => page,
        Ok(None) => return web::not_found(Missing::Page),
        Err(error) => return failed(&error),
    };
    // Who has digits in hand may own a code already, however sold out the offer is.
    let claimant = Claimant::open(&engine, &page.slug, &posted.claim);
    let closed = page.closed.clone().filter(|_| page.seeks == Seeks::AnyCode);
    let answered = match (posted.step.as_str(), claimant, closed) {
        ("prove", Some(claimant), _) => prove(&engine, &limits, caller, &page, (claimant, &posted)).await,
        (_, _, Some(closed)) => Ok(page.show_closed(closed)),
        (_, claimant, None) => send(&engine, &limits, caller, &page, (claimant, &posted)).await,
    };
    answered.unwrap_or_else(|error| match error {
        EngineError::Busy | EngineError::Stopped => page.show(StatusCode::SERVICE_UNAVAILABLE, page.busy()),
        EngineError::KeyReused => page.show(StatusCode::CONFLICT, page.phone_form("", None)),
        error @ (EngineError::Store(_) | EngineError::Peer(_) | EngineError::Barred(_)) => {
            tracing::error!(error = &error as &dyn std::error::Error, "a claim could not be settled");
            page.show(StatusCode::SERVICE_UNAVAILABLE, page.busy())
        }
    })
}

fn failed(error: &EngineError) -> Response {
    tracing::error!(error = error as &dyn std::error::Error, "a claim page cannot be shown");
    web::page(StatusCode::SERVICE_UNAVAILABLE, &web::errors::ErrorView::busy())
}

/// Slug and sub id of an address, and what she seeks by it; a sub id that is none is left out.
fn address(slug: &str, query: Option<&str>) -> Option<(Slug, Option<SubId>, Seeks)> {
    let slug = Slug::parse(slug).ok()?;
    // The signs of a sub id are never written in another way.
    let mut pairs = query.unwrap_or_default().split('&');
    let seeks = if pairs.clone().any(|pair| pair == OWN) { Seeks::OwnCode } else { Seeks::AnyCode };
    let sub = pairs.find_map(|pair| pair.strip_prefix("sub="));
    Some((slug, sub.and_then(|sub| SubId::parse(sub).ok()), seeks))
}

async fn open(engine: &Engine, asked: (Slug, Option<SubId>, Seeks)) -> Result<Option<Page>, EngineError> {
    let Some(ClaimPage { link, campaign }) = engine.claim_page(&asked.0).await? else {
        return Ok(None);
    };
    let left = engine.left_for(&campaign, link.creator).await?;
    let full = match link.creator {
        Some(creator) => engine.full_for(&campaign, creator).await?,
        None => None,
    };
    Ok(Some(Page::new(engine, asked, &link, campaign, (left, full))))
}

/// The first form, or "send it again": texts digits.
async fn send(
    engine: &Engine,
    limits: &ClaimLimits,
    caller: Caller,
    page: &Page,
    (claimant, posted): (Option<Claimant>, &Posted),
) -> Result<Response, EngineError> {
    let typed = posted.phone.as_deref().unwrap_or_default().trim();
    let is_again = posted.phone.is_none();
    let claimant = match claimant.filter(|_| is_again) {
        Some(claimant) => claimant,
        None => match phone(engine, &page.campaign, typed) {
            Ok(phone) => Claimant::of(engine, &phone),
            Err(fix) => {
                return Ok(page.show(StatusCode::BAD_REQUEST, page.phone_form(typed, Some(fix))));
            }
        },
    };
    if let Some(again) = limits.may_send(caller.0, claimant.country()) {
        return Ok(page.show(StatusCode::TOO_MANY_REQUESTS, page.throttled(&again)));
    }
    let who = if is_again { claimant.who() } else { claimant.who_of(engine, typed, &page.campaign) };
    let settled = match page.seeks {
        Seeks::AnyCode => engine.prove(who, &page.slug, page.sub.as_ref(), &posted.key).await?,
        Seeks::OwnCode => engine.prove_own(who, &page.slug, &posted.key).await?,
    };
    let proof = engine.open_proof(claimant.subject, &page.slug).await?;
    Ok(match (settled.outcome, proof) {
        (Outcome::Told(Told::Proving), Some(proof)) => {
            let notice = is_again.then(|| page.sent_again());
            page.show(StatusCode::OK, page.code_form(engine, &claimant, &proof, notice))
        }
        // Those before still count: they are better than a closed door.
        (Outcome::Refused(Refusal::ProofsReached(at), _), Some(proof)) => {
            page.show(StatusCode::TOO_MANY_REQUESTS, page.code_form_until(engine, &claimant, &proof, at))
        }
        (outcome, _) => page.refused(&outcome),
    })
}

/// The second form: compares the digits and gives the code.
async fn prove(
    engine: &Engine,
    limits: &ClaimLimits,
    caller: Caller,
    page: &Page,
    (claimant, posted): (Claimant, &Posted),
) -> Result<Response, EngineError> {
    let Some(proof) = engine.open_proof(claimant.subject, &page.slug).await? else {
        let fix = "The digits were used up or are too old. Have new ones sent.".to_owned();
        return Ok(page.show(StatusCode::GONE, page.phone_form("", Some(fix))));
    };
    let digits: String = posted.code.chars().filter(char::is_ascii_digit).collect();
    if digits.len() != DIGITS {
        let fix = "Write the 6 digits of our text.";
        return Ok(
            page.show(StatusCode::BAD_REQUEST, page.code_form_again(engine, &claimant, &proof, (&posted.code, fix)))
        );
    }
    if let Some(again) = limits.may_try(caller.0) {
        return Ok(page.show(StatusCode::TOO_MANY_REQUESTS, page.throttled(&again)));
    }
    let id: ProofId = proof.id;
    let settled = engine.claim(claimant.who(), &page.slug, id, &digits, &posted.key).await?;
    Ok(match settled.outcome {
        Outcome::Issued(spot) | Outcome::Repeat(spot, _) | Outcome::Refused(_, Some(spot)) => {
            Redirect::to(&engine.link_path(spot)).into_response()
        }
        Outcome::Refused(Refusal::WrongDigits(0), None) => {
            let fix = "These were the wrong digits too often. Have new ones sent.".to_owned();
            page.show(StatusCode::GONE, page.phone_form("", Some(fix)))
        }
        Outcome::Refused(Refusal::WrongDigits(_), None) => {
            let now = engine.open_proof(claimant.subject, &page.slug).await?.unwrap_or(proof);
            let fix = "These are not the digits we sent. Check the newest message.";
            page.show(StatusCode::BAD_REQUEST, page.code_form_again(engine, &claimant, &now, ("", fix)))
        }
        outcome @ (Outcome::Refused(..)
        | Outcome::Held(_)
        | Outcome::Told(_)
        | Outcome::Redeemed(..)
        | Outcome::RolledBack(..)
        | Outcome::Refunded(..)
        | Outcome::Recorded(..)
        | Outcome::Voided(_)
        | Outcome::Declined(..)
        | Outcome::Noted
        | Outcome::Allocated(..)
        | Outcome::Leased(..)
        | Outcome::Looked(..)) => page.refused(&outcome),
    })
}

/// The number that was typed, or how to mend it.
fn phone(engine: &Engine, campaign: &Campaign, typed: &str) -> Result<PhoneNumber, String> {
    let region = faces::region(campaign);
    let fix = || "Write the number with its area code, such as (202) 555-0188.".to_owned();
    let phone = PhoneNumber::parse(typed, Some(region)).map_err(|_| fix())?;
    if !engine.is_a_persons(&phone) {
        return Err("Texts do not reach this number. Use that of your mobile phone.".to_owned());
    }
    let is_abroad = phone.country().is_none_or(|country| !campaign.countries.contains(&country));
    if !campaign.countries.is_empty() && is_abroad {
        return Err("This offer is not for numbers of this country.".to_owned());
    }
    Ok(phone)
}

/// A name for one rendering of a form: pressed twice, it is one request.
fn key() -> String {
    format!("{:032x}", u128::from_be_bytes(draw()))
}

/// A claim step as the page is closed.
type Closed = Option<ClaimStep>;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn an_address_is_read_in_either_case_and_a_bad_sub_id_is_left_out() {
        let (slug, sub, seeks) = address("Anna", Some("utm=1&sub=reel-7")).unwrap();
        assert_eq!((slug.as_str(), sub.unwrap().as_str(), seeks), ("anna", "reel-7", Seeks::AnyCode));
        let (_, sub, seeks) = address("anna", Some("sub=reel-7&own=1")).unwrap();
        assert_eq!((sub.unwrap().as_str(), seeks), ("reel-7", Seeks::OwnCode));
        assert_eq!(address("anna", Some("sub=a%20b")).unwrap().1, None);
        assert_eq!(address("anna", None).unwrap().1, None);
        assert_eq!(address("an/na", None), None);
    }
}
