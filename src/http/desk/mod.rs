//! `/creator`: a creator's way to her desk, and the desk. The phone she gave is her key; there is no password.

mod view;

use super::problem::Query;
use super::web::creator_desk::{Choice, DeskClosedView, DeskNoneView, DeskNotice, DeskOpenView, DeskStartView};
use super::web::{self, errors::ErrorView, qr};
use crate::domain::catalog::CreatorRow;
use crate::domain::desk::{DESK_SESSION_LIVES, DESK_WORD};
use crate::engine::{AtDesk, DeskDoor, Engine, EngineError};
use axum::Router;
use axum::extract::{FromRef, Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;

/// The cookie that carries the sign of a session.
const COOKIE: &str = "codewell_desk";
/// Days that are shown unless others are asked for.
const DAYS: u64 = 30;

/// The routes of the desk.
pub fn routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Engine: FromRef<S>,
{
    Router::new()
        .route("/creator", get(show_desk))
        .route("/creator/open/{token}", get(show_door).post(enter_desk))
        .route("/creator/sign-out", post(leave_desk))
        .route("/creator/qr.svg", get(show_qr_svg))
        .route("/creator/qr.png", get(show_qr_png))
}

/// Which numbers.
#[derive(Debug, Clone, Deserialize, Default)]
struct Shown {
    campaign: Option<String>,
    days: Option<u64>,
}

/// `GET /creator`: her desk, or how to get there.
async fn show_desk(State(engine): State<Engine>, headers: HeaderMap, Query(shown): Query<Shown>) -> Response {
    match at_desk(&engine, &headers).await {
        Ok(AtDesk::Her(creator)) if creator.is_active => {
            let days = shown.days.filter(|days| view::RANGES.contains(days)).unwrap_or(DAYS);
            match view::desk(&engine, &creator, shown.campaign.as_deref(), days).await {
                Ok(view::Found::Desk(view)) => web::page(StatusCode::OK, view.as_ref()),
                Ok(view::Found::NoCampaign) => none(&engine, creator, None),
                Ok(view::Found::NotHers(name, hers)) => none(&engine, creator, Some((name, hers))),
                Err(error) => busy(&error),
            }
        }
        Ok(AtDesk::Her(creator)) => closed(&engine, creator),
        Ok(AtDesk::Over) => start(&engine, StatusCode::OK, Some(DeskNotice::SessionEnded)),
        Ok(AtDesk::Nobody) => start(&engine, StatusCode::OK, None),
        Err(error) => busy(&error),
    }
}

/// `GET /creator/open/{token}`: asks her to press a button. Looking uses nothing up: messengers look at links too.
async fn show_door(State(engine): State<Engine>, Path(token): Path<String>) -> Response {
    match engine.desk_door(&token).await {
        Ok(DeskDoor::Opens(_)) => {
            let action = format!("/creator/open/{token}");
            web::page(StatusCode::OK, &DeskOpenView { action, name: None })
        }
        Ok(door) => not_open(&engine, &door),
        Err(error) => busy(&error),
    }
}

/// `POST /creator/open/{token}`: uses the link up, and this browser is at her desk for twelve hours.
async fn enter_desk(State(engine): State<Engine>, Path(token): Path<String>) -> Response {
    match engine.enter_desk(&token).await {
        Ok(Ok(sign)) => {
            let seconds = DESK_SESSION_LIVES.num_seconds();
            with_cookie(&engine, Redirect::to("/creator").into_response(), &sign, seconds)
        }
        Ok(Err(door)) => not_open(&engine, &door),
        Err(error) => busy(&error),
    }
}

/// `POST /creator/sign-out`.
async fn leave_desk(State(engine): State<Engine>) -> Response {
    let page = start(&engine, StatusCode::OK, Some(DeskNotice::SignedOut));
    with_cookie(&engine, page, "", 0)
}

/// `GET /creator/qr.svg`: her link to print.
async fn show_qr_svg(State(engine): State<Engine>, headers: HeaderMap, Query(shown): Query<Shown>) -> Response {
    match her_link(&engine, &headers, &shown).await {
        Ok(Some(link)) => file(qr::svg_file(&link), "image/svg+xml"),
        Ok(None) => start(&engine, StatusCode::UNAUTHORIZED, None),
        Err(error) => busy(&error),
    }
}

/// `GET /creator/qr.png`.
async fn show_qr_png(State(engine): State<Engine>, headers: HeaderMap, Query(shown): Query<Shown>) -> Response {
    match her_link(&engine, &headers, &shown).await {
        Ok(Some(link)) => file(qr::png_file(&link), "image/png"),
        Ok(None) => start(&engine, StatusCode::UNAUTHORIZED, None),
        Err(error) => busy(&error),
    }
}

async fn her_link(engine: &Engine, headers: &HeaderMap, shown: &Shown) -> Result<Option<String>, EngineError> {
    Ok(match at_desk(engine, headers).await? {
        AtDesk::Her(creator) if creator.is_active => view::link(engine, &creator, shown.campaign.as_deref()),
        AtDesk::Her(_) | AtDesk::Over | AtDesk::Nobody => None,
    })
}

fn file(made: Result<impl IntoResponse, qr::TextTooLong>, kind: &'static str) -> Response {
    match made {
        Ok(body) => {
            let private = HeaderValue::from_static("private, no-store");
            let headers = [(header::CONTENT_TYPE, HeaderValue::from_static(kind)), (header::CACHE_CONTROL, private)];
            (headers, body).into_response()
        }
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "a creator's link fits no QR code");
            web::server_error()
        }
    }
}

async fn at_desk(engine: &Engine, headers: &HeaderMap) -> Result<AtDesk, EngineError> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    match pairs.find(|(name, _)| *name == COOKIE) {
        Some((_, sign)) => engine.at_desk(sign).await,
        None => Ok(AtDesk::Nobody),
    }
}

/// Only for this site's own pages and never for a script; over plain text only where the house is served so.
fn with_cookie(engine: &Engine, mut response: Response, sign: &str, seconds: i64) -> Response {
    let secure = if engine.parts().public_url.starts_with("https://") { "; Secure" } else { "" };
    let cookie = format!("{COOKIE}={sign}; Path=/creator; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    response
}

fn not_open(engine: &Engine, door: &DeskDoor) -> Response {
    match door {
        DeskDoor::Used => start(engine, StatusCode::GONE, Some(DeskNotice::LinkUsed)),
        DeskDoor::Expired => start(engine, StatusCode::GONE, Some(DeskNotice::LinkExpired)),
        DeskDoor::Opens(_) | DeskDoor::Unknown => start(engine, StatusCode::NOT_FOUND, None),
    }
}

fn start(engine: &Engine, status: StatusCode, notice: Option<DeskNotice>) -> Response {
    let catalog = engine.catalog();
    let sender = catalog.senders.values().min_by_key(|sender| sender.id).map(|sender| sender.address.clone());
    let view = DeskStartView { sender: sender.unwrap_or_default(), keyword: DESK_WORD.to_owned(), notice };
    web::page(status, &view)
}

fn closed(engine: &Engine, creator: CreatorRow) -> Response {
    web::page(StatusCode::FORBIDDEN, &DeskClosedView { name: creator.name, contact: contact(engine) })
}

/// No campaign yet, or none of that name beside those that are hers.
fn none(engine: &Engine, creator: CreatorRow, asked: Option<(String, Vec<Choice>)>) -> Response {
    let status = if asked.is_some() { StatusCode::NOT_FOUND } else { StatusCode::OK };
    let (unknown, campaigns) = asked.map_or((None, Vec::new()), |(name, hers)| (Some(name), hers));
    let sign_out = view::SIGN_OUT.to_owned();
    web::page(status, &DeskNoneView { name: creator.name, contact: contact(engine), unknown, campaigns, sign_out })
}

fn contact(engine: &Engine) -> String {
    let catalog = engine.catalog();
    let brand = catalog.senders.values().min_by_key(|sender| sender.id).map(|sender| sender.brand.clone());
    brand.unwrap_or_else(|| "the brand you work with".to_owned())
}

fn busy(error: &EngineError) -> Response {
    tracing::error!(error = error as &dyn std::error::Error, "a creator's desk cannot be shown");
    web::page(StatusCode::SERVICE_UNAVAILABLE, &ErrorView::busy())
}
