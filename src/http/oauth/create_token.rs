//! `POST /oauth2/token`.

use super::client::authenticate;
use super::error::OAuthError;
use super::form::Form;
use crate::domain::partner::PartnerScope;
use crate::engine::{CallError, Client, Engine};
use crate::http::caller::{Caller, RequestTag};
use crate::http::partner::PartnerDoor;
use crate::http::problem::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::Serialize;

/// An access token.
#[derive(Debug, Serialize)]
pub(super) struct TokenOut {
    access_token: String,
    token_type: &'static str,
    expires_in: i64,
    scope: String,
}

/// `POST /oauth2/token`: a token for ten minutes, for all of the client's scopes or those it names.
///
/// # Errors
/// [`OAuthError`], in the words of RFC 6749.
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
        CallError::Suspended { contact } => OAuthError::suspended(contact.as_deref()),
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
