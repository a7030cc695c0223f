//! `/admin/v1/partners/{client_id}/keys` and `/secrets`.

use super::bodies::{client, label};
use crate::engine::{Admin, Credential, CredentialKind, Engine};
use crate::http::problem::{Json, Path, Problem};
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A public key, as a PEM or a JWK: one of both.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyIn {
    /// What to call it.
    #[serde(default)]
    #[schema(max_length = 200)]
    name: String,
    /// `-----BEGIN PUBLIC KEY-----` and what follows.
    #[schema(
        example = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n"
    )]
    pem: Option<String>,
    /// The public members of RFC 8037 or RFC 7518.
    #[schema(value_type = Option<Object>)]
    jwk: Option<Map<String, Value>>,
}

/// A secret to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SecretIn {
    /// What to call it.
    #[serde(default)]
    #[schema(max_length = 200, example = "the first")]
    name: String,
}

/// A key or secret as lists show it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CredentialOut {
    /// Take it back by this; of a key, its thumbprint (RFC 7638).
    #[schema(example = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")]
    id: String,
    /// What it is called.
    #[schema(example = "the first")]
    name: String,
    created_at: DateTime<Utc>,
    /// It opens nothing since then; left out where it opens.
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<DateTime<Utc>>,
    /// The public key; left out of a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    jwk: Option<Value>,
}

/// Every key, or every secret, of a partner.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CredentialsOut {
    data: Vec<CredentialOut>,
}

/// A new secret, this once.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ClientSecretOut {
    /// Take it back by this.
    #[schema(example = "7kMq4xTd")]
    id: String,
    /// Whose it is.
    #[schema(example = "daily-deals")]
    client_id: String,
    /// The secret: the password of HTTP Basic at `/oauth2/token`.
    #[schema(example = "cwp_made-up")]
    client_secret: String,
}

impl From<Credential> for CredentialOut {
    fn from(credential: Credential) -> Self {
        let jwk = match credential.kind {
            CredentialKind::Key => serde_json::from_str(&credential.material).ok(),
            CredentialKind::Secret => None,
        };
        let Credential { id, name, created_at, revoked_at, .. } = credential;
        Self { id, name, created_at, revoked_at, jwk }
    }
}

/// `GET /admin/v1/partners/{client_id}/keys`.
///
/// # Errors
/// 404.
#[utoipa::path(
    get,
    path = "/admin/v1/partners/{client_id}/keys",
    tag = "house",
    summary = "The public keys of a partner",
    security(("admin_key" = [])),
    params(("client_id" = String, Path, description = "The partner", example = "daily-deals")),
    responses(
        (status = 200, description = "All, those that were taken back too", body = CredentialsOut),
        (status = 404, description = "No such partner: `not_found`"),
    )
)]
pub(super) async fn list_partner_keys(
    _admin: Admin,
    State(engine): State<Engine>,
    Path(id): Path<String>,
) -> Result<Json<CredentialsOut>, Problem> {
    list(&engine, &id, CredentialKind::Key).await
}

/// `GET /admin/v1/partners/{client_id}/secrets`: never a secret itself.
///
/// # Errors
/// 404.
#[utoipa::path(
    get,
    path = "/admin/v1/partners/{client_id}/secrets",
    tag = "house",
    summary = "The secrets of a partner",
    description = "Their names and times; never a secret itself.",
    security(("admin_key" = [])),
    params(("client_id" = String, Path, description = "The partner", example = "daily-deals")),
    responses(
        (status = 200, description = "All, those that were taken back too", body = CredentialsOut),
        (status = 404, description = "No such partner: `not_found`"),
    )
)]
pub(super) async fn list_partner_secrets(
    _admin: Admin,
    State(engine): State<Engine>,
    Path(id): Path<String>,
) -> Result<Json<CredentialsOut>, Problem> {
    list(&engine, &id, CredentialKind::Secret).await
}

/// The id of a key or secret in a path: one that cannot be is nobody's.
fn credential(id: &str) -> Result<&str, Problem> {
    if id.chars().any(char::is_control) { Err(Problem::not_found("key or secret")) } else { Ok(id) }
}

async fn list(engine: &Engine, id: &str, kind: CredentialKind) -> Result<Json<CredentialsOut>, Problem> {
    let all = engine.partner_credentials(&client(id)?).await?;
    let data = all.into_iter().filter(|credential| credential.kind == kind).map(CredentialOut::from).collect();
    Ok(Json(CredentialsOut { data }))
}

/// `POST /admin/v1/partners/{client_id}/keys`: registers a public key, by which the partner signs its assertions.
///
/// # Errors
/// 404; 400 for what is no such key; 409 for a known one, or one too many.
#[utoipa::path(
    post,
    path = "/admin/v1/partners/{client_id}/keys",
    tag = "house",
    summary = "Register a public key",
    description = "By it the partner signs its assertions: Ed25519 or P-256, as a PEM or a JWK.",
    security(("admin_key" = [])),
    params(("client_id" = String, Path, description = "The partner", example = "daily-deals")),
    request_body = KeyIn,
    responses(
        (status = 201, description = "It opens from now on", body = CredentialOut),
        (status = 404, description = "No such partner: `not_found`"),
        (status = 409, description = "It is known already, or the partner has as many as it may: `already_exists`"),
    )
)]
pub(super) async fn add_partner_key(
    _admin: Admin,
    State(engine): State<Engine>,
    Path(id): Path<String>,
    Json(ask): Json<KeyIn>,
) -> Result<(StatusCode, Json<CredentialOut>), Problem> {
    let key = match (ask.pem, ask.jwk) {
        (Some(pem), None) => pem,
        (None, Some(jwk)) => Value::Object(jwk).to_string(),
        (Some(_), Some(_)) | (None, None) => return Err(Problem::invalid(&["send either pem or jwk".to_owned()])),
    };
    let added = engine.add_partner_key(&client(&id)?, label(&ask.name)?, &key).await?;
    Ok((StatusCode::CREATED, Json(added.into())))
}

/// `POST /admin/v1/partners/{client_id}/secrets`: makes a client secret, shown this once.
///
/// # Errors
/// 404; 409 while two are live.
#[utoipa::path(
    post,
    path = "/admin/v1/partners/{client_id}/secrets",
    tag = "house",
    summary = "Make a client secret",
    description = "It stands in this answer alone. Two at most open at once, so that one can take over.",
    security(("admin_key" = [])),
    params(("client_id" = String, Path, description = "The partner", example = "daily-deals")),
    request_body = SecretIn,
    responses(
        (status = 201, description = "The secret, this once", body = ClientSecretOut),
        (status = 404, description = "No such partner: `not_found`"),
        (status = 409, description = "The partner has as many as it may: `already_exists`"),
    )
)]
pub(super) async fn create_partner_secret(
    _admin: Admin,
    State(engine): State<Engine>,
    Path(id): Path<String>,
    Json(ask): Json<SecretIn>,
) -> Result<(StatusCode, Json<ClientSecretOut>), Problem> {
    let client = client(&id)?;
    let secret = engine.add_partner_secret(&client, label(&ask.name)?).await?;
    let (id, client_secret) = (secret.id().to_owned(), secret.expose().to_owned());
    Ok((StatusCode::CREATED, Json(ClientSecretOut { id, client_id: client.to_string(), client_secret })))
}

/// `DELETE /admin/v1/partners/{client_id}/keys/{id}`.
///
/// # Errors
/// 404.
#[utoipa::path(
    delete,
    path = "/admin/v1/partners/{client_id}/keys/{id}",
    tag = "house",
    summary = "Take a key back",
    security(("admin_key" = [])),
    params(("client_id" = String, Path, description = "The partner", example = "daily-deals"), ("id" = String, Path, description = "The key")),
    responses(
        (status = 204, description = "It opens nothing any more"),
        (status = 404, description = "No such partner, or no such key that still opens anything: `not_found`"),
    )
)]
pub(super) async fn revoke_partner_key(
    _admin: Admin,
    State(engine): State<Engine>,
    Path((id, key)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    engine.revoke_credential(&client(&id)?, CredentialKind::Key, credential(&key)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /admin/v1/partners/{client_id}/secrets/{id}`.
///
/// # Errors
/// 404.
#[utoipa::path(
    delete,
    path = "/admin/v1/partners/{client_id}/secrets/{id}",
    tag = "house",
    summary = "Take a secret back",
    security(("admin_key" = [])),
    params(("client_id" = String, Path, description = "The partner", example = "daily-deals"), ("id" = String, Path, description = "The secret")),
    responses(
        (status = 204, description = "It opens nothing any more"),
        (status = 404, description = "No such partner, or no such secret that still opens anything: `not_found`"),
    )
)]
pub(super) async fn revoke_partner_secret(
    _admin: Admin,
    State(engine): State<Engine>,
    Path((id, secret)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    engine.revoke_credential(&client(&id)?, CredentialKind::Secret, credential(&secret)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
