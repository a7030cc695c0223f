#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::super::form::encode;
use super::signature::{Scheme, scheme};
use super::*;
use crate::domain::secret::Secret;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Vectors {
    positive: Vec<Vector>,
    acceptance: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    auth_token: String,
    #[serde(alias = "seen_url")]
    signed_url: String,
    params: BTreeMap<String, String>,
    signature: String,
    sdk_accepts: bool,
}

#[derive(Deserialize)]
struct SharedVectors {
    header_parse: Vec<(Option<String>, String)>,
    positive: Vec<SharedVector>,
}

#[derive(Deserialize)]
struct SharedVector {
    secret: String,
    settings_header: String,
    signed_url: String,
    params: BTreeMap<String, String>,
    signature: String,
}

fn keys(token: &str, before: Option<&str>, shared: Option<&str>) -> Keys {
    let secret = |text: &str| Secret::new(text.to_owned());
    Keys { token: secret(token), before: before.map(secret), shared: shared.map(secret) }
}

fn form(params: &BTreeMap<String, String>) -> Vec<u8> {
    encode(params.iter().map(|(name, value)| (name.as_str(), value.as_str()))).into_bytes()
}

fn header(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// A webhook with that signature, and how the check of it ends.
fn check(keys: &Keys, method: Method, url: &str, body: &[u8], headers: &[(String, String)]) -> Result<(), Forged> {
    keys.verify(&Webhook { method, url, headers, body, remote: None })
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../../../tests/fixtures/vectors/twilio_hmac_sha1.json")).unwrap()
}

#[test]
fn every_vector_is_believed_or_not_as_the_vendors_own_libraries_do() {
    let Vectors { positive, acceptance } = vectors();
    assert!(positive.len() >= 9 && acceptance.len() >= 7);
    for vector in positive.iter().chain(&acceptance) {
        let headers = [header("x-twilio-signature", &vector.signature)];
        let keys = keys(&vector.auth_token, None, None);
        let told = check(&keys, Method::Post, &vector.signed_url, &form(&vector.params), &headers);
        assert_eq!(told.is_ok(), vector.sdk_accepts, "{}: {told:?}", vector.name);
    }
}

#[test]
fn both_tokens_are_believed_while_one_is_being_changed_and_no_third() {
    let vector = vectors().positive.remove(0);
    let headers = [header("x-twilio-signature", &vector.signature)];
    let told = |keys: &Keys| check(keys, Method::Post, &vector.signed_url, &form(&vector.params), &headers);
    assert_eq!(told(&keys("new", Some(&vector.auth_token), None)), Ok(()));
    assert_eq!(told(&keys(&vector.auth_token, Some("old"), None)), Ok(()));
    assert_eq!(told(&keys("new", Some("old"), Some(&vector.auth_token))), Err(Forged::Mismatch));
}

#[test]
fn a_shared_key_is_believed_by_its_own_scheme_only() {
    let text = include_str!("../../../tests/fixtures/vectors/twilio_shared_key_sha256.json");
    let SharedVectors { header_parse, positive } = serde_json::from_str(text).unwrap();
    for (settings, algorithm) in header_parse {
        let wanted = if algorithm == "HMAC_SHA256" { Scheme::SharedKey } else { Scheme::Token };
        assert_eq!(scheme(settings.as_deref()), Some(wanted), "{settings:?}");
    }
    assert_eq!(scheme(Some("key=k,algorithm=HMAC_MD5")), None);
    for vector in positive {
        let signature = header("x-twilio-signature", &vector.signature);
        let settings = header("x-twilio-webhooks-signature-settings", &vector.settings_header);
        let body = form(&vector.params);
        let told =
            |keys: &Keys, headers: &[(String, String)]| check(keys, Method::Post, &vector.signed_url, &body, headers);
        let headers = [signature.clone(), settings];
        assert_eq!(told(&keys("token", None, Some(&vector.secret)), &headers), Ok(()));
        assert_eq!(told(&keys(&vector.secret, None, None), &headers), Err(Forged::Mismatch));
        assert_eq!(told(&keys("token", None, Some(&vector.secret)), &[signature]), Err(Forged::Mismatch));
    }
}

/// HMAC-SHA1 of an address and nothing else, as of a GET or of a JSON body.
fn sign_address(token: &str, url: &str) -> String {
    use aws_lc_rs::hmac;
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.as_bytes());
    STANDARD.encode(hmac::sign(&key, url.as_bytes()))
}

#[test]
fn a_json_body_is_believed_by_its_hash_in_the_address() {
    // SHA-256 of `{"a":1}`.
    let hash = "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862";
    let url = format!("https://c.example/sms/55501/inbound?bodySHA256={hash}");
    let headers = [header("x-twilio-signature", &sign_address("token", &url))];
    let told = |body: &[u8], url: &str| check(&keys("token", None, None), Method::Post, url, body, &headers);
    assert_eq!(told(br#"{"a":1}"#, &url), Ok(()));
    assert_eq!(told(br#"{"a":2}"#, &url), Err(Forged::Mismatch));
    assert_eq!(told(br#"{"a":1}"#, &format!("{url}&x=1")), Err(Forged::Mismatch));
}

#[test]
fn a_get_is_believed_by_its_address_and_query() {
    let url = "https://c.example/sms/55501/inbound?MessageSid=SM1&From=%2B15005550101&To=55501&Body=PIZZA+now";
    let headers = [header("x-twilio-signature", &sign_address("token", url))];
    let told = |url: &str| check(&keys("token", None, None), Method::Get, url, b"", &headers);
    assert_eq!(told(url), Ok(()));
    assert_eq!(told(&url.replace("PIZZA", "TACOS")), Err(Forged::Mismatch));
    assert_eq!(told(&url.replace("https:", "http:")), Err(Forged::Mismatch));
}

#[test]
fn a_signature_that_cannot_be_read_or_came_twice_is_none() {
    let twice = [header("x-twilio-signature", "AAAA"), header("x-twilio-signature", "AAAA")];
    let cases: [&[(String, String)]; 4] =
        [&[], &[header("x-twilio-signature", "")], &[header("x-twilio-signature", "not base64!")], &twice];
    for headers in cases {
        let told = check(&keys("token", None, None), Method::Post, "https://c.example/", b"", headers);
        assert_eq!(told, Err(Forged::Unsigned));
    }
}

#[test]
fn a_repeated_field_counts_once_per_value_in_their_order() {
    use aws_lc_rs::hmac;
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, b"token");
    let signed = STANDARD.encode(hmac::sign(&key, b"https://c.example/MediaUrlaMediaUrlb"));
    let headers = [header("x-twilio-signature", &signed)];
    let body = b"MediaUrl=b&MediaUrl=a&MediaUrl=b";
    assert_eq!(check(&keys("token", None, None), Method::Post, "https://c.example/", body, &headers), Ok(()));
}

#[test]
fn only_a_long_text_of_several_segments_that_decodes_to_words_was_base64() {
    let words = "please send me the pizza code ".repeat(8);
    let encoded = STANDARD.encode(&words);
    assert_eq!(plain(&encoded, Some(2)), words);
    assert_eq!(plain(&encoded, Some(1)), encoded);
    assert_eq!(plain("UElaWkE=", Some(2)), "UElaWkE=");
    let nothing = "A".repeat(160);
    assert_eq!(plain(&nothing, Some(2)), nothing);
}
