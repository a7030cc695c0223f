//! The authorization server: tokens for partners (RFC 6749), their end (RFC 7009), and how to find both (RFC 8414).

mod client;
mod create_token;
mod error;
mod form;
mod limits;
mod revoke_token;
mod show_metadata;

pub use limits::TokenLimits;

use crate::engine::Engine;
use crate::http::partner::PartnerDoor;
use axum::Router;
use axum::extract::FromRef;
use axum::routing::{get, post};
use utoipa::OpenApi;

/// The description of these routes.
#[derive(OpenApi)]
#[openapi(paths(
    create_token::create_token,
    revoke_token::revoke_token,
    show_metadata::show_jwks,
    show_metadata::show_metadata,
))]
pub(super) struct Api;

/// The routes of the authorization server.
pub fn routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Engine: FromRef<S>,
    PartnerDoor: FromRef<S>,
{
    Router::new()
        .route("/oauth2/token", post(create_token::create_token))
        .route("/oauth2/revoke", post(revoke_token::revoke_token))
        .route("/.well-known/jwks.json", get(show_metadata::show_jwks))
        .route("/.well-known/oauth-authorization-server", get(show_metadata::show_metadata))
}
