//! The fields of a request to the authorization server: form-encoded, each at most once.

use super::error::OAuthError;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A request for a token, as it is described; [`Form`] reads it.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
pub(super) struct TokenIn {
    /// `client_credentials`.
    #[schema(example = "client_credentials")]
    grant_type: String,
    /// What the token shall open, of what you may; all of it where it is left out.
    #[schema(example = "codes:issue codes:read")]
    scope: Option<String>,
    /// Where it is sent, it must be the client that proves itself.
    client_id: Option<String>,
    /// With an assertion: `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`.
    client_assertion_type: Option<String>,
    /// A JWT by a key of yours, EdDSA or ES256: `iss` and `sub` are the client id, `aud` is our issuer and nothing else,
    /// `exp` at most 60 seconds ahead, `jti` new each time.
    client_assertion: Option<String>,
}

/// A request to take a token back, as it is described.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
pub(super) struct RevocationIn {
    /// The access token.
    #[schema(example = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhY21lLWRlYWxzIn0.made-up")]
    token: String,
    /// Read by nobody: there is one kind of token.
    token_type_hint: Option<String>,
    /// Where it is sent, it must be the client that proves itself.
    client_id: Option<String>,
    /// As at `/oauth2/token`.
    client_assertion_type: Option<String>,
    /// As at `/oauth2/token`.
    client_assertion: Option<String>,
}

/// The fields.
pub(super) struct Form(BTreeMap<String, String>);

impl Form {
    /// A field that is there and not empty; without a value it counts as left out (RFC 6749 §3.2).
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = OAuthError;

    async fn from_request(request: Request, state: &S) -> Result<Self, OAuthError> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if !kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded")) {
            return Err(OAuthError::request("send a body of application/x-www-form-urlencoded"));
        }
        let body =
            Bytes::from_request(request, state).await.map_err(|_| OAuthError::request("the body is too large"))?;
        let mut fields = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(&body) {
            if fields.insert(name.into_owned(), value.into_owned()).is_some() {
                return Err(OAuthError::request("a parameter is there more than once"));
            }
        }
        Ok(Self(fields))
    }
}
