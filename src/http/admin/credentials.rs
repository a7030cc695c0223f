//! `/admin/v1/partners/{client_id}/keys` and `/secrets`.

use super::bodies::client;
use crate::engine::{Admin, Credential, CredentialKind, Engine};
use crate::http::problem::{Json, Problem};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A public key, as a PEM or a JWK.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyIn {
    #[serde(default)]
    name: String,
    pem: Option<String>,
    jwk: Option<Map<String, Value>>,
}

/// A secret to be made.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SecretIn {
    #[serde(default)]
    name: String,
}

/// A key or secret as lists show it.
#[derive(Debug, Serialize)]
pub(super) struct CredentialOut {
    id: String,
    name: String,
    created_at: DateTime<Utc>,
    revoked_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwk: Option<Value>,
}

/// Every key, or every secret, of a partner.
#[derive(Debug, Serialize)]
pub(super) struct CredentialsOut {
    data: Vec<CredentialOut>,
}

/// A new secret, this once.
#[derive(Debug, Serialize)]
pub(super) struct SecretOut {
    id: String,
    client_id: String,
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
pub(super) async fn list_partner_secrets(
    _admin: Admin,
    State(engine): State<Engine>,
    Path(id): Path<String>,
) -> Result<Json<CredentialsOut>, Problem> {
    list(&engine, &id, CredentialKind::Secret).await
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
    let added = engine.add_partner_key(&client(&id)?, &ask.name, &key).await?;
    Ok((StatusCode::CREATED, Json(added.into())))
}

/// `POST /admin/v1/partners/{client_id}/secrets`: makes a client secret, shown this once.
///
/// # Errors
/// 404; 409 while two are live.
pub(super) async fn create_partner_secret(
    _admin: Admin,
    State(engine): State<Engine>,
    Path(id): Path<String>,
    Json(ask): Json<SecretIn>,
) -> Result<(StatusCode, Json<SecretOut>), Problem> {
    let client = client(&id)?;
    let secret = engine.add_partner_secret(&client, &ask.name).await?;
    let (id, client_secret) = (secret.id().to_owned(), secret.expose().to_owned());
    Ok((StatusCode::CREATED, Json(SecretOut { id, client_id: client.to_string(), client_secret })))
}

/// `DELETE /admin/v1/partners/{client_id}/keys/{id}`.
///
/// # Errors
/// 404.
pub(super) async fn revoke_partner_key(
    _admin: Admin,
    State(engine): State<Engine>,
    Path((id, key)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    engine.revoke_credential(&client(&id)?, CredentialKind::Key, &key).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /admin/v1/partners/{client_id}/secrets/{id}`.
///
/// # Errors
/// 404.
pub(super) async fn revoke_partner_secret(
    _admin: Admin,
    State(engine): State<Engine>,
    Path((id, secret)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    engine.revoke_credential(&client(&id)?, CredentialKind::Secret, &secret).await?;
    Ok(StatusCode::NO_CONTENT)
}
