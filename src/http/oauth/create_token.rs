//! `POST /oauth2/token`.

use super::client::authenticate;
use super::error::{OAuthError, OAuthErrorOut};
use super::form::{Form, TokenIn};
use crate::domain::partner::PartnerScope;
use crate::engine::{CallError, Client, Engine};
use crate::http::caller::{Caller, RequestTag};
use crate::http::partner::PartnerDoor;
use crate::http::problem::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::Serialize;
use utoipa::ToSchema;

/// An access token.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TokenOut {
    /// Send it as `Authorization: Bearer`; everybody can verify it by `/.well-known/jwks.json`.
    #[schema(example = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhY21lLWRlYWxzIn0.made-up")]
    access_token: String,
    /// `Bearer`.
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// How many seconds it is good.
    #[schema(example = 600)]
    expires_in: i64,
    /// What it opens.
    #[schema(example = "codes:issue codes:read")]
    scope: String,
}

/// `POST /oauth2/token`: a token for ten minutes, for all of the client's scopes or those it names.
///
/// # Errors
/// [`OAuthError`], in the words of RFC 6749.
#[utoipa::path(
    post,
    path = "/oauth2/token",
    tag = "tokens",
    summary = "A token for ten minutes",
    description = "Client credentials of OAuth 2.0 (RFC 6749 §4.4). Prove the client by `private_key_jwt` (RFC 7523, \
                   `client_assertion`) or by `client_secret_basic`, by one of both. Use a token until it ends.",
    security(("client_secret" = []), ()),
    request_body(content = TokenIn, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "A token", body = TokenOut),
        (status = 400, description = "Asked wrongly: `invalid_request`, `unsupported_grant_type`, `invalid_scope`; or the \
         client is suspended: `unauthorized_client`", body = OAuthErrorOut),
        (status = 401, description = "The client did not prove itself: `invalid_client`", body = OAuthErrorOut,
         headers(("WWW-Authenticate" = String, description = "How to: `Basic`"))),
        (status = 413, description = "The body is too large: `invalid_request`"),
        (status = 429, description = "Too many tokens; wait as `Retry-After` says: `temporarily_unavailable`",
         body = OAuthErrorOut),
        (status = 503, description = "Nothing was done; send the same request again: `temporarily_unavailable`",
         body = OAuthErrorOut),
    )
)]
pub(super) async fn create_token(
    State(engine): State<Engine>,
    State(door): State<PartnerDoor>,
    caller: Caller,
    tag: RequestTag,
    headers: HeaderMap,
    form: Form,
) -> Result<Json<TokenOut>, OAuthError> {
    door.tokens.address(caller.0)?;
    let client = authenticate(&engine, &door, &tag, &headers, &form).await?;
    door.tokens.client(client.id().as_str())?;
    match form.get("grant_type") {
        Some("client_credentials") => {}
        Some(_) => return Err(OAuthError::grant_type()),
        None => return Err(OAuthError::request("grant_type is missing")),
    }
    let client = client.active().map_err(|error| match error {
        CallError::Suspended { contact, .. } => OAuthError::suspended(contact.as_deref()),
        CallError::Unproved { .. } => OAuthError::client(),
        CallError::Engine(error) => error.into(),
    })?;
    let scopes = scopes(&client, form.get("scope"))?;
    let token = engine.access_token(&client, scopes).await?;
    let words: Vec<_> = token.scopes.iter().map(|scope| scope.word()).collect();
    let access_token = token.expose().to_owned();
    Ok(Json(TokenOut { access_token, token_type: "Bearer", expires_in: token.expires_in, scope: words.join(" ") }))
}

fn scopes(client: &Client, asked: Option<&str>) -> Result<Vec<PartnerScope>, OAuthError> {
    let Some(asked) = asked else {
        return Ok(client.scopes().to_vec());
    };
    let own = |word: &str| PartnerScope::parse(word).filter(|scope| client.scopes().contains(scope));
    let words = asked.split(' ').filter(|word| !word.is_empty());
    let mut scopes = words.map(|word| own(word).ok_or_else(OAuthError::scope)).collect::<Result<Vec<_>, _>>()?;
    scopes.sort_unstable();
    scopes.dedup();
    if scopes.is_empty() { Err(OAuthError::scope()) } else { Ok(scopes) }
}
