//! `/v1/webhook-endpoints`: where a partner wants its feed sent.

mod bodies;

use super::auth::{PartnerDoor, requires};
use super::events::cursor;
use crate::domain::address::Allowed;
use crate::domain::partner::PartnerScope;
use crate::domain::webhook::EndpointId;
use crate::engine::{Endpoint, Engine, NewEndpointError, Partner};
use crate::http::idempotency::IdempotencyKey;
use crate::http::openapi::IdempotencyHeader;
use crate::http::problem::{Json, Path, Problem, Query};
use axum::Router;
use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use bodies::{
    DeliveriesIn, DeliveriesOut, EndpointIn, EndpointOut, EndpointPatch, EndpointsOut, ReplayIn, SecretOut, TrialOut,
};
use std::sync::Arc;
use utoipa::OpenApi;

/// The description of these routes.
#[derive(OpenApi)]
#[openapi(paths(
    create_webhook_endpoint,
    list_webhook_endpoints,
    show_webhook_endpoint,
    change_webhook_endpoint,
    delete_webhook_endpoint,
    rotate_webhook_secret,
    test_webhook_endpoint,
    replay_webhook_endpoint,
    list_webhook_deliveries,
))]
pub(in crate::http) struct Api;

/// The machines that may be named although they are not public (`[webhooks] allow`).
#[derive(Debug, Clone, Default)]
pub struct WebhookDoor {
    /// The exceptions.
    pub allowed: Arc<Allowed>,
}

/// The routes of endpoints.
pub(super) fn routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Engine: FromRef<S>,
    WebhookDoor: FromRef<S>,
    PartnerDoor: FromRef<S>,
{
    let one = get(show_webhook_endpoint).patch(change_webhook_endpoint).delete(delete_webhook_endpoint);
    Router::new()
        .route("/v1/webhook-endpoints", post(create_webhook_endpoint).get(list_webhook_endpoints))
        .route("/v1/webhook-endpoints/{id}", one)
        .route("/v1/webhook-endpoints/{id}/rotate-secret", post(rotate_webhook_secret))
        .route("/v1/webhook-endpoints/{id}/test", post(test_webhook_endpoint))
        .route("/v1/webhook-endpoints/{id}/replay", post(replay_webhook_endpoint))
        .route("/v1/webhook-endpoints/{id}/deliveries", get(list_webhook_deliveries))
}

/// `POST /v1/webhook-endpoints`: sends the feed to an address from now on. The secret is in this answer alone; the same
/// Idempotency-Key gets it again.
///
/// # Errors
/// 409 `too_many_endpoints`; 422 where the key was used for another endpoint; the caller's mistakes as 4xx.
#[utoipa::path(
    post,
    path = "/v1/webhook-endpoints",
    tag = "partners",
    summary = "Have events sent to you",
    description = "From now on. The `secret` stands in this answer alone; the same Idempotency-Key gets it again.",
    security(("partner" = ["webhooks:manage"])),
    params(IdempotencyHeader),
    request_body = EndpointIn,
    responses(
        (status = 201, description = "It is there", body = EndpointOut),
        (status = 409, description = "There are too many already: `too_many_endpoints`"),
        (status = 422, description = "The key was used for another endpoint: `idempotency_mismatch`"),
    )
)]
#[tracing::instrument(skip_all, fields(partner.id = partner.client().as_str()))]
async fn create_webhook_endpoint(
    partner: Partner,
    key: IdempotencyKey,
    State(engine): State<Engine>,
    State(door): State<WebhookDoor>,
    Json(ask): Json<EndpointIn>,
) -> Result<(StatusCode, Json<EndpointOut>), Problem> {
    requires(&partner, PartnerScope::Webhooks)?;
    let made = engine.add_endpoint(partner.id(), &text(key), ask.read(&door.allowed)?).await;
    let (endpoint, secret) = made.map_err(|error| match error {
        NewEndpointError::TooMany => {
            Problem::new(StatusCode::CONFLICT, "too_many_endpoints", "delete an endpoint that is not used any more")
        }
        NewEndpointError::Engine(error) => error.into(),
    })?;
    Ok((StatusCode::CREATED, Json(EndpointOut::new(&endpoint, Some(secret.expose())))))
}

/// `GET /v1/webhook-endpoints`: the partner's endpoints, the oldest first.
///
/// # Errors
/// 403 without the scope `webhooks:manage`.
#[utoipa::path(
    get,
    path = "/v1/webhook-endpoints",
    tag = "partners",
    summary = "Where events are sent",
    description = "The oldest first.",
    security(("partner" = ["webhooks:manage"])),
    responses(
        (status = 200, description = "All of them", body = EndpointsOut),
    )
)]
async fn list_webhook_endpoints(partner: Partner, State(engine): State<Engine>) -> Result<Json<EndpointsOut>, Problem> {
    requires(&partner, PartnerScope::Webhooks)?;
    let endpoints = engine.endpoints(partner.id()).await?;
    Ok(Json(EndpointsOut::new(&endpoints)))
}

/// `GET /v1/webhook-endpoints/{id}`.
///
/// # Errors
/// 404 where the partner has no such endpoint.
#[utoipa::path(
    get,
    path = "/v1/webhook-endpoints/{id}",
    tag = "partners",
    summary = "One endpoint",
    description = "How it is, and how far it has the feed.",
    security(("partner" = ["webhooks:manage"])),
    params(("id" = String, Path, description = "The `id` of an endpoint")),
    responses(
        (status = 200, description = "The endpoint", body = EndpointOut),
        (status = 404, description = "No such endpoint is yours: `not_found`"),
    )
)]
async fn show_webhook_endpoint(
    partner: Partner,
    Path(id): Path<String>,
    State(engine): State<Engine>,
) -> Result<Json<EndpointOut>, Problem> {
    let endpoint = find(&partner, &id, &engine).await?;
    Ok(Json(EndpointOut::new(&endpoint, None)))
}

/// `PATCH /v1/webhook-endpoints/{id}`: what is left out stays. `"status": "active"` sends again what waited meanwhile.
///
/// # Errors
/// 404 where the partner has no such endpoint; the caller's mistakes as 4xx.
#[utoipa::path(
    patch,
    path = "/v1/webhook-endpoints/{id}",
    tag = "partners",
    summary = "Change an endpoint",
    description = "What is left out stays. `active` sends what waited meanwhile.",
    security(("partner" = ["webhooks:manage"])),
    params(("id" = String, Path, description = "The `id` of an endpoint")),
    request_body = EndpointPatch,
    responses(
        (status = 200, description = "As it is now", body = EndpointOut),
        (status = 404, description = "No such endpoint is yours: `not_found`"),
    )
)]
#[tracing::instrument(skip_all, fields(partner.id = partner.client().as_str()))]
async fn change_webhook_endpoint(
    partner: Partner,
    Path(id): Path<String>,
    State(engine): State<Engine>,
    State(door): State<WebhookDoor>,
    Json(ask): Json<EndpointPatch>,
) -> Result<Json<EndpointOut>, Problem> {
    let id = named(&partner, &id)?;
    let changed = engine.change_endpoint(partner.id(), &id, &ask.read(&door.allowed)?).await?;
    changed.map(|endpoint| Json(EndpointOut::new(&endpoint, None))).ok_or_else(missing)
}

/// `DELETE /v1/webhook-endpoints/{id}`: nothing is sent there any more.
///
/// # Errors
/// 404 where the partner has no such endpoint.
#[utoipa::path(
    delete,
    path = "/v1/webhook-endpoints/{id}",
    tag = "partners",
    summary = "Send nothing there any more",
    description = "For good.",
    security(("partner" = ["webhooks:manage"])),
    params(("id" = String, Path, description = "The `id` of an endpoint")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "No such endpoint is yours: `not_found`"),
    )
)]
#[tracing::instrument(skip_all, fields(partner.id = partner.client().as_str()))]
async fn delete_webhook_endpoint(
    partner: Partner,
    Path(id): Path<String>,
    State(engine): State<Engine>,
) -> Result<StatusCode, Problem> {
    let id = named(&partner, &id)?;
    let found = engine.delete_endpoint(partner.id(), &id).await?;
    if found { Ok(StatusCode::NO_CONTENT) } else { Err(missing()) }
}

/// `POST /v1/webhook-endpoints/{id}/rotate-secret`: a new secret; the old one signs beside it for 24 hours. The same
/// Idempotency-Key gets the first answer again, and changes nothing.
///
/// # Errors
/// 404 where the partner has no such endpoint; 422 where the key was used for something else.
#[utoipa::path(
    post,
    path = "/v1/webhook-endpoints/{id}/rotate-secret",
    tag = "partners",
    summary = "A new secret",
    description = "The old one signs beside it for 24 hours. The same Idempotency-Key gets the same answer again.",
    security(("partner" = ["webhooks:manage"])),
    params(("id" = String, Path, description = "The `id` of an endpoint"), IdempotencyHeader),
    responses(
        (status = 200, description = "The secret, in this answer alone", body = SecretOut),
        (status = 400, description = "The request is wrong, `errors` say where and how to mend it: `invalid_request`"),
        (status = 404, description = "No such endpoint is yours: `not_found`"),
        (status = 422, description = "The key was used for something else: `idempotency_mismatch`"),
    )
)]
#[tracing::instrument(skip_all, fields(partner.id = partner.client().as_str()))]
async fn rotate_webhook_secret(
    partner: Partner,
    Path(id): Path<String>,
    key: IdempotencyKey,
    State(engine): State<Engine>,
) -> Result<Json<SecretOut>, Problem> {
    let id = named(&partner, &id)?;
    let rotated = engine.rotate_endpoint_secret(partner.id(), &id, &text(key)).await?;
    let (secret, until) = rotated.ok_or_else(missing)?;
    Ok(Json(SecretOut { secret: secret.expose().clone(), previous_valid_until: until }))
}

/// `POST /v1/webhook-endpoints/{id}/test`: sends an event of type `test` once; the same Idempotency-Key sends no other.
/// Whether it was taken shows in the endpoint's `delivered_at`, or among its deliveries.
///
/// # Errors
/// 404 where the partner has no such endpoint; 422 where the key was used for something else.
#[utoipa::path(
    post,
    path = "/v1/webhook-endpoints/{id}/test",
    tag = "partners",
    summary = "Send an event for trying out",
    description = "One of type `test`. Whether it was taken shows in `delivered_at`, or among the deliveries.",
    security(("partner" = ["webhooks:manage"])),
    params(("id" = String, Path, description = "The `id` of an endpoint"), IdempotencyHeader),
    responses(
        (status = 202, description = "It is sent once", body = TrialOut),
        (status = 400, description = "The request is wrong, `errors` say where and how to mend it: `invalid_request`"),
        (status = 404, description = "No such endpoint is yours: `not_found`"),
        (status = 422, description = "The key was used for something else: `idempotency_mismatch`"),
    )
)]
#[tracing::instrument(skip_all, fields(partner.id = partner.client().as_str()))]
async fn test_webhook_endpoint(
    partner: Partner,
    Path(id): Path<String>,
    key: IdempotencyKey,
    State(engine): State<Engine>,
) -> Result<(StatusCode, Json<TrialOut>), Problem> {
    let id = named(&partner, &id)?;
    let event = engine.try_endpoint(partner.id(), &id, &text(key)).await?.ok_or_else(missing)?;
    Ok((StatusCode::ACCEPTED, Json(TrialOut { event })))
}

/// `POST /v1/webhook-endpoints/{id}/replay`: sends everything after a cursor once more, in order, under the same ids;
/// the same Idempotency-Key does not begin it again.
///
/// # Errors
/// 404 where the partner has no such endpoint; 422 where the key was used for something else; the caller's mistakes as
/// 4xx.
#[utoipa::path(
    post,
    path = "/v1/webhook-endpoints/{id}/replay",
    tag = "partners",
    summary = "Send events once more",
    description = "Everything after a cursor, in order, under the same ids.",
    security(("partner" = ["webhooks:manage"])),
    params(("id" = String, Path, description = "The `id` of an endpoint"), IdempotencyHeader),
    request_body = ReplayIn,
    responses(
        (status = 202, description = "They are sent"),
        (status = 404, description = "No such endpoint is yours: `not_found`"),
        (status = 422, description = "The key was used for something else: `idempotency_mismatch`"),
    )
)]
#[tracing::instrument(skip_all, fields(partner.id = partner.client().as_str()))]
async fn replay_webhook_endpoint(
    partner: Partner,
    Path(id): Path<String>,
    key: IdempotencyKey,
    State(engine): State<Engine>,
    Json(ask): Json<ReplayIn>,
) -> Result<StatusCode, Problem> {
    let id = named(&partner, &id)?;
    let after = cursor(Some(&ask.after), "after")?;
    let found = engine.replay_endpoint(partner.id(), &id, &text(key), after).await?;
    if found { Ok(StatusCode::ACCEPTED) } else { Err(missing()) }
}

/// `GET /v1/webhook-endpoints/{id}/deliveries`: what was not taken yet, with the last answer; without `next_at` the
/// event was given up. What was taken is not listed.
///
/// # Errors
/// 404 where the partner has no such endpoint; the caller's mistakes as 4xx.
#[utoipa::path(
    get,
    path = "/v1/webhook-endpoints/{id}/deliveries",
    tag = "partners",
    summary = "What was not taken yet",
    description = "With the last answer; without `next_at` the event was given up.",
    security(("partner" = ["webhooks:manage"])),
    params(("id" = String, Path, description = "The `id` of an endpoint"), DeliveriesIn),
    responses(
        (status = 200, description = "A page, the oldest first", body = DeliveriesOut),
        (status = 404, description = "No such endpoint is yours: `not_found`"),
        (status = 400, description = "The request is wrong, `errors` say where and how to mend it: `invalid_request`"),
    )
)]
async fn list_webhook_deliveries(
    partner: Partner,
    Path(id): Path<String>,
    State(engine): State<Engine>,
    Query(ask): Query<DeliveriesIn>,
) -> Result<Json<DeliveriesOut>, Problem> {
    let endpoint = find(&partner, &id, &engine).await?;
    let (after, limit) = ask.read()?;
    let waiting = engine.waiting_deliveries(&endpoint, partner.client().as_str(), after, limit).await?;
    Ok(Json(DeliveriesOut::new(waiting, limit)))
}

/// A name that may be one of the partner's, once it has the scope.
fn named(partner: &Partner, id: &str) -> Result<EndpointId, Problem> {
    requires(partner, PartnerScope::Webhooks)?;
    EndpointId::parse(id).ok_or_else(missing)
}

async fn find(partner: &Partner, id: &str, engine: &Engine) -> Result<Endpoint, Problem> {
    let id = named(partner, id)?;
    engine.endpoint(partner.id(), &id).await?.ok_or_else(missing)
}

fn missing() -> Problem {
    Problem::not_found("webhook endpoint")
}

/// The key as the caller has it: names of ours are made of it.
fn text(key: IdempotencyKey) -> String {
    key.request(String::new()).key
}
