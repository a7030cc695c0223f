//! `GET /.well-known/jwks.json` and `GET /.well-known/oauth-authorization-server`.

use crate::domain::partner::PartnerScope;
use crate::engine::Engine;
use crate::http::problem::{Json, Problem};
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// New keys are published an hour before they sign.
const CACHED: HeaderValue = HeaderValue::from_static("public, max-age=900");

/// What the authorization server can do, in the members of RFC 8414.
#[derive(Debug, Serialize)]
struct MetadataOut {
    issuer: String,
    token_endpoint: String,
    revocation_endpoint: String,
    jwks_uri: String,
    service_documentation: String,
    scopes_supported: Vec<&'static str>,
    response_types_supported: [&'static str; 0],
    grant_types_supported: [&'static str; 1],
    token_endpoint_auth_methods_supported: [&'static str; 2],
    token_endpoint_auth_signing_alg_values_supported: [&'static str; 2],
    revocation_endpoint_auth_methods_supported: [&'static str; 2],
    revocation_endpoint_auth_signing_alg_values_supported: [&'static str; 2],
}

/// `GET /.well-known/jwks.json`: the keys by which everybody can verify our tokens.
///
/// # Errors
/// 503 while the database is away.
pub(super) async fn show_jwks(State(engine): State<Engine>) -> Result<Response, Problem> {
    let keys = engine.signing_jwks().await?;
    Ok(([(header::CACHE_CONTROL, CACHED)], Json(keys)).into_response())
}

/// `GET /.well-known/oauth-authorization-server`: where tokens are had, and how.
pub(super) async fn show_metadata(State(engine): State<Engine>) -> Response {
    let issuer = engine.parts().public_url.clone();
    let at = |path: &str| format!("{issuer}{path}");
    let (methods, algorithms) = (["private_key_jwt", "client_secret_basic"], ["EdDSA", "ES256"]);
    let metadata = MetadataOut {
        token_endpoint: at("/oauth2/token"),
        revocation_endpoint: at("/oauth2/revoke"),
        jwks_uri: at("/.well-known/jwks.json"),
        service_documentation: at("/docs"),
        scopes_supported: PartnerScope::ALL.into_iter().map(PartnerScope::word).collect(),
        response_types_supported: [],
        grant_types_supported: ["client_credentials"],
        token_endpoint_auth_methods_supported: methods,
        token_endpoint_auth_signing_alg_values_supported: algorithms,
        revocation_endpoint_auth_methods_supported: methods,
        revocation_endpoint_auth_signing_alg_values_supported: algorithms,
        issuer,
    };
    ([(header::CACHE_CONTROL, CACHED)], Json(metadata)).into_response()
}
