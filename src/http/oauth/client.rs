//! Which client asks: by `private_key_jwt` or by `client_secret_basic`, never by both, never in the body.

use super::error::OAuthError;
use super::form::Form;
use crate::engine::{CallError, Client, Engine, Flaw};
use crate::http::caller::{Presented, RequestTag, presented};
use crate::http::partner::PartnerDoor;
use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What an assertion is called (RFC 7523 §2.2).
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The client that a request proves.
pub(super) async fn authenticate(
    engine: &Engine,
    door: &PartnerDoor,
    tag: &RequestTag,
    headers: &HeaderMap,
    form: &Form,
) -> Result<Client, OAuthError> {
    if form.get("client_secret").is_some() {
        return Err(OAuthError::request("a client secret is sent as Authorization: Basic, never in the body"));
    }
    let proved = match (presented(headers), form.get("client_assertion")) {
        (Presented::Nothing, Some(assertion)) if form.get("client_assertion_type") == Some(ASSERTION) => {
            engine.client_by_assertion(assertion).await
        }
        (Presented::One(scheme, basic), None) if scheme.eq_ignore_ascii_case("basic") => match credentials(basic) {
            Some((client, secret)) => engine.client_by_secret(&client, &secret).await,
            None => Err(Flaw::Method.into()),
        },
        (Presented::One(..), Some(_)) => {
            return Err(OAuthError::request("authenticate by one method, not by two"));
        }
        (Presented::Nothing | Presented::Several | Presented::One(..), _) => Err(Flaw::Method.into()),
    };
    let said = form.get("client_id");
    let proved = proved.and_then(|client| match said {
        Some(said) if said != client.id().as_str() => {
            Err(CallError::Unproved { flaw: Flaw::Client, client: Some(client.id().clone()) })
        }
        Some(_) | None => Ok(client),
    });
    proved.map_err(|error| match error {
        CallError::Unproved { flaw, client } => {
            door.failures.note(tag.as_str(), flaw, client.as_ref());
            OAuthError::client()
        }
        CallError::Suspended { contact, .. } => OAuthError::suspended(contact.as_deref()),
        CallError::Engine(error) => error.into(),
    })
}

/// Client id and secret, both form-encoded before they were joined (RFC 6749 §2.3.1).
fn credentials(basic: &str) -> Option<(String, String)> {
    let text = String::from_utf8(STANDARD.decode(basic.trim()).ok()?).ok()?;
    let (client, secret) = text.split_once(':')?;
    let decoded = |text: &str| form_urlencoded::parse(text.as_bytes()).next().map(|(name, _)| name.into_owned());
    Some((decoded(client)?, decoded(secret)?))
}

#[cfg(test)]
mod tests {
    use super::{STANDARD, credentials};
    use base64::Engine as _;

    #[test]
    fn both_halves_of_basic_are_decoded() {
        let basic = STANDARD.encode("acme%2Ddeals:cwp_a%5Fb");
        assert_eq!(credentials(&basic), Some(("acme-deals".to_owned(), "cwp_a_b".to_owned())));
        for wrong in ["", "!", &STANDARD.encode("acme"), &STANDARD.encode(":x")] {
            assert_eq!(credentials(wrong), None, "{wrong}");
        }
    }
}
