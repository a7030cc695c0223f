//! The peer's doors: the contract's, and two for the person who plays with it.

use super::books::{Sale, Told};
use super::{Books, Inside, Mood};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// Longer than a validate may take, shorter than a redeem may.
const SLOW: Duration = Duration::from_secs(2);

type Peer = State<Arc<Inside>>;

pub(super) fn router(inside: Arc<Inside>) -> Router {
    let contract = Router::new()
        .route("/validate", post(validate))
        .route("/redeem", post(redeem))
        .route("/redemptions", get(list_events))
        .route("/redemptions/by-reference/{reference}", get(find))
        .route("/redemptions/{id}/void", post(void))
        .route("/codes", get(list_codes))
        .route("/health", get(async || answer(200, &json!({ "status": "ok" }))))
        .layer(from_fn_with_state(Arc::clone(&inside), with_key))
        .layer(from_fn_with_state(Arc::clone(&inside), in_its_mood));
    let player = Router::new().route("/control", get(mood).post(control)).route("/codes/{code}", post(change));
    contract.merge(player).with_state(inside)
}

async fn in_its_mood(State(inside): Peer, request: Request, next: Next) -> Response {
    let mood = *inside.mood.lock().unwrap_or_else(PoisonError::into_inner);
    match mood {
        Mood::Ok => {}
        Mood::Slow => tokio::time::sleep(SLOW).await,
        Mood::Down => return answer(503, &json!({ "title": "down", "code": "busy" })),
        Mood::Garbage => return ([(header::CONTENT_TYPE, "text/html")], "<html><p>Welcome to our n").into_response(),
    }
    next.run(request).await
}

async fn with_key(State(inside): Peer, request: Request, next: Next) -> Response {
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let key = given.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    if verify_slices_are_equal(key.as_bytes(), inside.secret.expose().as_bytes()).is_err() {
        return answer(401, &json!({ "title": "no key", "code": "invalid_token" }));
    }
    next.run(request).await
}

async fn validate(State(inside): Peer, body: Bytes) -> Response {
    let Some(code) = read(&body).get("code").and_then(Value::as_str).map(str::to_owned) else {
        return invalid();
    };
    looked(&inside, |books, now| books.validate(&code, now))
}

async fn redeem(State(inside): Peer, headers: HeaderMap, body: Bytes) -> Response {
    let body = read(&body);
    let code = body.get("code").and_then(Value::as_str);
    let reference = headers.get("idempotency-key").and_then(|value| value.to_str().ok());
    let (Some(code), Some(reference)) = (code, reference) else {
        return invalid();
    };
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let sale = Sale {
        store: text("/store"),
        order: text("/order"),
        amount: body.pointer("/basket/amount").and_then(Value::as_i64),
        currency: text("/basket/currency"),
    };
    changed(&inside, |books, now| books.redeem(code, reference, sale, now))
}

async fn find(State(inside): Peer, Path(reference): Path<String>) -> Response {
    looked(&inside, |books, _| books.find(&reference))
}

async fn void(State(inside): Peer, Path(id): Path<String>) -> Response {
    changed(&inside, |books, now| books.void(&id, now))
}

async fn list_events(State(inside): Peer, RawQuery(query): RawQuery) -> Response {
    let after = place(query.as_deref());
    looked(&inside, |books, _| books.events(after))
}

async fn list_codes(State(inside): Peer, RawQuery(query): RawQuery) -> Response {
    let after = place(query.as_deref());
    looked(&inside, |books, _| books.codes(after))
}

async fn change(State(inside): Peer, Path(code): Path<String>, body: Bytes) -> Response {
    let body = read(&body);
    let Some(status) = body.get("status").and_then(Value::as_str) else {
        return invalid();
    };
    changed(&inside, |books, now| books.change(&code, status, now))
}

async fn mood(State(inside): Peer) -> Response {
    let mood = *inside.mood.lock().unwrap_or_else(PoisonError::into_inner);
    answer(200, &json!({ "mode": mood.word() }))
}

async fn control(State(inside): Peer, body: Bytes) -> Response {
    let body = read(&body);
    let Some(mood) = body.get("mode").and_then(Value::as_str).and_then(Mood::parse) else {
        return invalid();
    };
    *inside.mood.lock().unwrap_or_else(PoisonError::into_inner) = mood;
    answer(200, &json!({ "mode": mood.word() }))
}

/// Answers from the books.
fn looked(inside: &Inside, look: impl FnOnce(&Books, DateTime<Utc>) -> Told) -> Response {
    let books = inside.books.lock().unwrap_or_else(PoisonError::into_inner);
    let told = look(&books, inside.clock.now());
    answer(told.status, &told.answer)
}

/// Changes the books, keeps them, and only then answers and tells.
fn changed(inside: &Inside, change: impl FnOnce(&mut Books, DateTime<Utc>) -> Told) -> Response {
    let mut books = inside.books.lock().unwrap_or_else(PoisonError::into_inner);
    let told = change(&mut books, inside.clock.now());
    if let Some(event) = told.event {
        if let Err(error) = books.keep() {
            tracing::error!(%error, "the books of the demo's peer cannot be written");
        }
        // Without the task that sends them there are no webhooks; the feed has the event.
        let _ = inside.out.send(event);
    }
    answer(told.status, &told.answer)
}

fn read(body: &Bytes) -> Value {
    serde_json::from_slice(body).unwrap_or_default()
}

/// `after=N`; anything else is the beginning.
fn place(query: Option<&str>) -> usize {
    let pairs = query.unwrap_or_default().split('&');
    pairs.filter_map(|pair| pair.strip_prefix("after=")).find_map(|number| number.parse().ok()).unwrap_or_default()
}

fn invalid() -> Response {
    answer(400, &json!({ "title": "the request lacks something", "code": "invalid_request" }))
}

fn answer(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let kind = if status.is_success() { "application/json" } else { "application/problem+json" };
    (status, [(header::CONTENT_TYPE, kind)], body.to_string()).into_response()
}
