//! `GET /.well-known/jwks.json` and `GET /.well-known/oauth-authorization-server`.

use crate::domain::partner::PartnerScope;
use crate::engine::Engine;
use crate::http::problem::{Json, Problem};
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// New keys are published an hour before they sign.
const CACHED: HeaderValue = HeaderValue::from_static("public, max-age=900");

/// What the authorization server can do, in the members of RFC 8414.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MetadataOut {
    /// Our name: `iss` of our tokens, `aud` of your assertions.
    #[schema(example = "https://coupons.acme.example")]
    issuer: String,
    #[schema(example = "https://coupons.acme.example/oauth2/token")]
    token_endpoint: String,
    #[schema(example = "https://coupons.acme.example/oauth2/revoke")]
    revocation_endpoint: String,
    #[schema(example = "https://coupons.acme.example/.well-known/jwks.json")]
    jwks_uri: String,
    #[schema(example = "https://coupons.acme.example/docs")]
    service_documentation: String,
    /// Every scope there is.
    #[schema(example = json!(["codes:issue", "codes:bulk", "codes:read", "events:read", "reports:read", "webhooks:manage"]))]
    scopes_supported: Vec<&'static str>,
    /// None: nobody signs in here.
    #[schema(value_type = Vec<String>, example = json!([]))]
    response_types_supported: [&'static str; 0],
    #[schema(value_type = Vec<String>, example = json!(["client_credentials"]))]
    grant_types_supported: [&'static str; 1],
    #[schema(value_type = Vec<String>, example = json!(["private_key_jwt", "client_secret_basic"]))]
    token_endpoint_auth_methods_supported: [&'static str; 2],
    #[schema(value_type = Vec<String>, example = json!(["EdDSA", "ES256"]))]
    token_endpoint_auth_signing_alg_values_supported: [&'static str; 2],
    #[schema(value_type = Vec<String>, example = json!(["private_key_jwt", "client_secret_basic"]))]
    revocation_endpoint_auth_methods_supported: [&'static str; 2],
    #[schema(value_type = Vec<String>, example = json!(["EdDSA", "ES256"]))]
    revocation_endpoint_auth_signing_alg_values_supported: [&'static str; 2],
}

/// Keys, as RFC 7517 writes them.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "only its description is used: the engine writes it")]
pub(super) struct JwksOut {
    keys: Vec<JwkOut>,
}

/// A key that signs our tokens, or is about to, or did until now.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "only its description is used: the engine writes it")]
pub(super) struct JwkOut {
    /// `EdDSA`.
    #[schema(example = "EdDSA")]
    alg: String,
    /// Its thumbprint: `kid` in the head of tokens.
    #[schema(example = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")]
    kid: String,
    /// `sig`.
    #[schema(rename = "use", example = "sig")]
    usage: String,
    /// `OKP`.
    #[schema(example = "OKP")]
    kty: String,
    /// `Ed25519`.
    #[schema(example = "Ed25519")]
    crv: String,
    /// The public key.
    #[schema(example = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")]
    x: String,
}

/// `GET /.well-known/jwks.json`: the keys by which everybody can verify our tokens.
///
/// # Errors
/// 503 while the database is away.
#[utoipa::path(
    get,
    path = "/.well-known/jwks.json",
    tag = "tokens",
    summary = "The keys of our tokens",
    description = "Keep them as long as `Cache-Control` says: a new key stands here an hour before it signs.",
    responses(
        (status = 200, description = "The keys", body = JwksOut),
        (status = 503, description = "The database is away; ask again: `busy`"),
    )
)]
pub(super) async fn show_jwks(State(engine): State<Engine>) -> Result<Response, Problem> {
    let keys = engine.signing_jwks().await?;
    Ok(([(header::CACHE_CONTROL, CACHED)], Json(keys)).into_response())
}

/// `GET /.well-known/oauth-authorization-server`: where tokens are had, and how.
#[utoipa::path(
    get,
    path = "/.well-known/oauth-authorization-server",
    tag = "tokens",
    summary = "Where tokens are had, and how",
    description = "The metadata of RFC 8414: OAuth libraries configure themselves by it.",
    responses((status = 200, description = "What the authorization server can do", body = MetadataOut))
)]
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
