//! Who calls: a till that proved it by its key.

use crate::engine::{Engine, Till};
use crate::http::problem::Problem;
use axum::extract::{FromRef, FromRequestParts};
use axum::http::header;
use axum::http::request::Parts;

impl<S> FromRequestParts<S> for Till
where
    S: Send + Sync,
    Engine: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let token = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .ok_or_else(Problem::invalid_token)?;
        let till = Engine::from_ref(state).till(token.trim()).await?;
        till.ok_or_else(Problem::invalid_token)
    }
}
