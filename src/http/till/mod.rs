//! The till API: validate, redeem, roll back. A till proves itself by its key; a guesser runs out of guesses.

mod auth;
mod guesses;
mod redeem_code;
mod roll_back_redemption;
mod shown;
mod validate_code;

pub use guesses::Guesses;

use crate::engine::Engine;
use axum::Router;
use axum::extract::FromRef;
use axum::routing::post;
use utoipa::OpenApi;

/// The description of these routes.
#[derive(OpenApi)]
#[openapi(paths(redeem_code::redeem_code, roll_back_redemption::roll_back_redemption, validate_code::validate_code,))]
pub(super) struct Api;

/// The routes of the till API.
pub fn routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Engine: FromRef<S>,
    Guesses: FromRef<S>,
{
    Router::new()
        .route("/v1/codes/validate", post(validate_code::validate_code))
        .route("/v1/codes/redeem", post(redeem_code::redeem_code))
        .route("/v1/redemptions/{id}/rollback", post(roll_back_redemption::roll_back_redemption))
}
