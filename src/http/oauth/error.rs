//! Errors of the token endpoint, as RFC 6749 §5.2 has them: client libraries know no other form.

use crate::engine::EngineError;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// What went wrong, in the words of OAuth: RFC 6749 §5.2, application/json.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OAuthErrorOut {
    /// What programs decide by.
    #[schema(example = "invalid_request")]
    error: &'static str,
    /// A sentence for people.
    #[schema(example = "grant_type is missing")]
    error_description: String,
}

/// An error in the words of OAuth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OAuthError {
    status: StatusCode,
    error: &'static str,
    description: String,
    retry_after_s: Option<u32>,
}

impl OAuthError {
    fn bad(error: &'static str, description: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error, description: description.into(), retry_after_s: None }
    }

    /// The request is not one of RFC 6749.
    pub(super) fn request(description: impl Into<String>) -> Self {
        Self::bad("invalid_request", description)
    }

    /// Another way of asking for tokens.
    pub(super) fn grant_type() -> Self {
        Self::bad("unsupported_grant_type", "grant_type is client_credentials")
    }

    /// A scope that this client does not have.
    pub(super) fn scope() -> Self {
        Self::bad("invalid_scope", "a scope is unknown or not granted to this client")
    }

    /// The client proved itself, and may have no token.
    pub(super) fn suspended(contact: Option<&str>) -> Self {
        let ask = contact.map(|contact| format!("; ask {contact}")).unwrap_or_default();
        Self::bad("unauthorized_client", format!("this client is suspended{ask}"))
    }

    /// The client did not prove itself; why is not said.
    pub(super) fn client() -> Self {
        let description = "authenticate by private_key_jwt or client_secret_basic";
        Self { status: StatusCode::UNAUTHORIZED, ..Self::bad("invalid_client", description) }
    }

    /// Too many requests.
    pub(super) fn too_many(retry_after_s: u32) -> Self {
        let description = "too many tokens; use each one until it ends";
        let error = Self::bad("temporarily_unavailable", description);
        Self { status: StatusCode::TOO_MANY_REQUESTS, retry_after_s: Some(retry_after_s), ..error }
    }
}

impl From<EngineError> for OAuthError {
    fn from(error: EngineError) -> Self {
        tracing::error!(error = &error as &dyn std::error::Error, "a token request could not be settled");
        let answer = Self::bad("temporarily_unavailable", "the same request may be sent again");
        Self { status: StatusCode::SERVICE_UNAVAILABLE, retry_after_s: Some(1), ..answer }
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let body = OAuthErrorOut { error: self.error, error_description: self.description };
        let mut response = (self.status, axum::Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"codewell\""));
        }
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}
