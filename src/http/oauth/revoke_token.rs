//! `POST /oauth2/revoke`.

use super::client::authenticate;
use super::error::{OAuthError, OAuthErrorOut};
use super::form::{Form, RevocationIn};
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
#[utoipa::path(
    post,
    path = "/oauth2/revoke",
    tag = "tokens",
    summary = "Take a token back",
    description = "A token of yours opens nothing any more, at once and everywhere (RFC 7009). One that is none of yours \
                   gets the same answer. Prove the client as at `/oauth2/token`.",
    security(("client_secret" = []), ()),
    request_body(content = RevocationIn, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "It opens nothing"),
        (status = 400, description = "Asked wrongly: `invalid_request`; or the client is suspended: \
         `unauthorized_client`", body = OAuthErrorOut),
        (status = 401, description = "The client did not prove itself: `invalid_client`", body = OAuthErrorOut,
         headers(("WWW-Authenticate" = String, description = "How to: `Basic`"))),
        (status = 413, description = "The body is too large: `invalid_request`"),
        (status = 429, description = "Too many requests; wait as `Retry-After` says: `temporarily_unavailable`",
         body = OAuthErrorOut),
        (status = 503, description = "Nothing was done; send the same request again: `temporarily_unavailable`",
         body = OAuthErrorOut),
    )
)]
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
