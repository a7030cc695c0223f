#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::super::Method;
use super::*;
use crate::domain::secret::Secret;
use crate::net::Limits;
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Deserialize)]
struct Vectors {
    public_key_b64: String,
    now: i64,
    positive: Vec<Vector>,
    acceptance: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    body: String,
    headers: BTreeMap<String, String>,
    public_key_b64: Option<String>,
    now: Option<i64>,
    sdk_accepts: bool,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../../../tests/fixtures/vectors/telnyx_ed25519.json")).unwrap()
}

fn open(keys: &[(&str, &str)]) -> Result<Telnyx, AccountError> {
    let keys = [("api_key", "KEY0made0up")].iter().chain(keys);
    let limits = Limits { connect: Duration::from_secs(1), total: Duration::from_secs(1), answer_bytes: 1000 };
    let keys = keys.map(|(key, value)| ((*key).to_owned(), Secret::new((*value).to_owned())));
    let account =
        Account { name: "telnyx".to_owned(), kind: "telnyx".to_owned(), base_url: None, keys: keys.collect() };
    Telnyx::new(&account, &Client::new(limits).unwrap())
}

fn check(telnyx: &Telnyx, vector: &Vector, now: i64) -> Result<Vec<Event>, Forged> {
    let headers: Vec<_> =
        vector.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect();
    let url = "https://c.example/sms/55501/inbound";
    let hook = Webhook { method: Method::Post, url, headers: &headers, body: vector.body.as_bytes(), remote: None };
    let proof = telnyx.authenticate(&hook, DateTime::from_timestamp(now, 0).unwrap())?;
    Ok(telnyx.parse(proof).unwrap())
}

#[test]
fn every_vector_is_believed_or_not_as_the_vendors_own_library_does() {
    let vectors = vectors();
    assert!(vectors.positive.len() >= 4 && vectors.acceptance.len() >= 6);
    for vector in vectors.positive.iter().chain(&vectors.acceptance) {
        let key = vector.public_key_b64.as_ref().unwrap_or(&vectors.public_key_b64);
        let told =
            open(&[("public_key", key)]).ok().map(|telnyx| check(&telnyx, vector, vector.now.unwrap_or(vectors.now)));
        let believed = told.is_some_and(|told| told.is_ok());
        assert_eq!(believed, vector.sdk_accepts, "{}", vector.name);
    }
}

#[test]
fn the_vectors_say_what_they_are_named_for() {
    let vectors = vectors();
    let telnyx = open(&[("public_key", &vectors.public_key_b64)]).unwrap();
    let event = |name: &str| {
        let vector = vectors.positive.iter().find(|vector| vector.name == name).unwrap();
        check(&telnyx, vector, vectors.now).unwrap().remove(0)
    };
    let Event::Inbound(text) = event("inbound_sms") else { unreachable!("it is a text") };
    assert_eq!((text.from.as_str(), text.to.as_str(), text.text.as_str()), ("+15005550101", "55501", "PIZZA"));
    let Event::Inbound(picture) = event("inbound_mms") else { unreachable!("it is a text") };
    assert_eq!(picture.media.len(), 1);
    let Event::Report(stopped) = event("finalized_failed_stop") else { unreachable!("it is a report") };
    assert_eq!(stopped.class, Some(super::super::Refused::OptedOut));
}

#[test]
fn both_keys_are_believed_while_one_replaces_the_other() {
    let vectors = vectors();
    let other = STANDARD.encode([9; 32]);
    let vector = vectors.positive.first().unwrap();
    let told = |keys: &[(&str, &str)]| check(&open(keys).unwrap(), vector, vectors.now).is_ok();
    assert!(told(&[("public_key", &other), ("public_key_before", &vectors.public_key_b64)]));
    assert!(!told(&[("public_key", &other)]));
}

#[test]
fn a_key_that_is_none_is_refused_when_the_account_is_read() {
    for key in ["", "AAAA", "not base64!"] {
        assert!(matches!(open(&[("public_key", key)]), Err(AccountError::Value { .. })), "{key}");
    }
    let said = open(&[("public_key", &STANDARD.encode([1; 32]))]).map(|telnyx| format!("{telnyx:?}"));
    assert!(!said.unwrap().contains("KEY0made0up"));
}
