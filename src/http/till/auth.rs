//! Who calls: a till that proved it by its key, from some address, with some Idempotency-Key.

use crate::domain::ids::RequestId;
use crate::engine::{Engine, Till};
use crate::http::problem::Problem;
use axum::extract::{ConnectInfo, FromRef, FromRequestParts};
use axum::http::header;
use axum::http::request::Parts;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

/// Characters of the longest Idempotency-Key.
const KEY_CHARS: usize = 255;

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

/// The Idempotency-Key of a request that changes something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The identity of the request: this till's door, this key.
    pub(super) fn request(self, till: &Till) -> RequestId {
        RequestId { door: format!("till-{}", till.id()), key: self.0 }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let wants = format!("send an Idempotency-Key of 1 to {KEY_CHARS} visible ASCII characters, new for each sale");
        let key = parts.headers.get("idempotency-key").and_then(|value| value.to_str().ok());
        key.filter(|key| !key.is_empty() && key.len() <= KEY_CHARS && key.chars().all(|c| c.is_ascii_graphic()))
            .map(|key| Self(key.to_owned()))
            .ok_or_else(|| Problem::invalid(&[wants]))
    }
}

/// The network address of the caller, where the server knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Caller(pub(super) Option<IpAddr>);

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let info = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        Ok(Self(info.map(|ConnectInfo(address)| address.ip())))
    }
}
