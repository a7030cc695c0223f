//! `POST /oauth2/revoke`.

use super::client::authenticate;
use super::error::OAuthError;
use super::form::Form;
use crate::engine::Engine;
use crate::http::caller::{Caller, RequestTag};
use crate::http::partner::PartnerDoor;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};

/// `POST /oauth2/revoke`: takes a token of the client's back, at once and everywhere. A token that is none, or another
/// client's, is worth nothing to it anyway, so the answer is the same (RFC 7009 §2.2).
///
/// # Errors
/// [`OAuthError`], in the words of RFC 6749.
pub(super) async fn revoke_token(
    State(engine): State<Engine>,
    State(door): State<PartnerDoor>,
    caller: Caller,
    tag: RequestTag,
    headers: HeaderMap,
    form: Form,
) -> Result<StatusCode, OAuthError> {
    door.tokens.address(caller.0)?;
    let client = authenticate(&engine, &door, &tag, &headers, &form).await?;
    let token = form.get("token").ok_or_else(|| OAuthError::request("token is missing"))?;
    engine.revoke_token(&client, token).await?;
    Ok(StatusCode::OK)
}
