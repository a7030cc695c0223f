//! Where a request comes from, and which one it is.

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

/// The network address of the caller, where the server knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller(pub Option<IpAddr>);

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let info = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        Ok(Self(info.map(|ConnectInfo(address)| address.ip())))
    }
}

/// The id of a request, as its answer's `X-Request-Id` and the log have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestTag(String);

impl RequestTag {
    /// That of an id.
    #[must_use]
    pub fn new(id: String) -> Self {
        Self(id)
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RequestTag {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_else(|| Self(String::new())))
    }
}

/// What a caller presents as `Authorization`.
pub(super) enum Presented<'a> {
    /// Nothing.
    Nothing,
    /// More than one header: which of them was meant is not ours to guess.
    Several,
    /// A scheme and what follows it; empty where it is no text.
    One(&'a str, &'a str),
}

/// Reads the `Authorization` headers.
pub(super) fn presented(headers: &HeaderMap) -> Presented<'_> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    match (all.next(), all.next()) {
        (None, _) => Presented::Nothing,
        (Some(_), Some(_)) => Presented::Several,
        (Some(one), None) => {
            let text = one.to_str().unwrap_or_default();
            let (scheme, rest) = text.split_once(' ').unwrap_or((text, ""));
            Presented::One(scheme, rest)
        }
    }
}
