#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::signature::{Scheme, signed_text};
use super::*;
use crate::domain::secret::Secret;
use crate::net::Limits;
use chrono::TimeDelta;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;

const SECRET: &str = "vec0signature0secret0made0up";

#[derive(Deserialize)]
struct SigVectors {
    cases: Vec<SigVector>,
}

#[derive(Deserialize)]
struct SigVector {
    name: String,
    secret: String,
    params: BTreeMap<String, String>,
    string_to_sign: String,
    sig: String,
}

#[derive(Deserialize)]
struct JwtVectors {
    body: String,
    cases: Vec<JwtVector>,
}

#[derive(Deserialize)]
struct JwtVector {
    name: String,
    token: String,
    secret: String,
    node_sdk_accepts: bool,
}

fn account(keys: &[(&str, &str)]) -> Account {
    let mut all = BTreeMap::from([("api_key", "abcd1234"), ("api_secret", "s3cret"), ("signature_secret", SECRET)]);
    all.extend(keys.iter().copied());
    let keys = all.into_iter().map(|(key, value)| (key.to_owned(), Secret::new(value.to_owned())));
    Account { name: "vonage".to_owned(), kind: "vonage".to_owned(), base_url: None, keys: keys.collect() }
}

fn open(keys: &[(&str, &str)]) -> Vonage {
    let limits = Limits { connect: Duration::from_secs(1), total: Duration::from_secs(1), answer_bytes: 1000 };
    Vonage::new(&account(keys), &Client::new(limits).unwrap()).unwrap()
}

fn then() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_225_600, 0).unwrap()
}

fn query(params: &BTreeMap<String, String>, sig: &str) -> String {
    let fields = params.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    super::super::form::encode(fields.chain([("sig", sig)]))
}

fn by_get(vonage: &Vonage, query: &str, now: DateTime<Utc>) -> Result<(), Forged> {
    let url = format!("https://c.example/sms/55501/inbound?{query}");
    let hook = Webhook { method: Method::Get, url: &url, headers: &[], body: b"", remote: None };
    vonage.authenticate(&hook, now).map(drop)
}

fn by_post(vonage: &Vonage, headers: &[(&str, &str)], body: &[u8], now: DateTime<Utc>) -> Result<Vec<Event>, Forged> {
    let headers: Vec<_> = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let url = "https://c.example/sms/55501/inbound";
    let hook = Webhook { method: Method::Post, url, headers: &headers, body, remote: None };
    let proof = vonage.authenticate(&hook, now)?;
    Ok(vonage.parse(proof).unwrap())
}

fn sig_vectors() -> Vec<(SigVector, &'static str)> {
    let text = include_str!("../../../tests/fixtures/vectors/vonage_sig.json");
    let SigVectors { cases } = serde_json::from_str(text).unwrap();
    assert!(cases.len() >= 9);
    let named = cases.into_iter().map(|case| {
        let methods = ["md5hash", "md5", "sha1", "sha256", "sha512"];
        let method = methods.into_iter().find(|method| case.name.starts_with(&format!("{method}_"))).unwrap();
        (case, method)
    });
    named.collect()
}

#[test]
fn every_vector_is_believed_by_get_as_a_form_and_as_json_and_by_its_own_method_only() {
    for (case, method) in sig_vectors() {
        let vonage = open(&[("signature_secret", &case.secret), ("signature_method", method)]);
        let encoded = query(&case.params, &case.sig);
        let fields = Fields::read(encoded.as_bytes());
        let text = signed_text(&fields).unwrap();
        let text = if method == "md5hash" { format!("{text}{}", case.secret) } else { text };
        assert_eq!(text, case.string_to_sign, "{}", case.name);
        assert_eq!(by_get(&vonage, &encoded, then()), Ok(()), "{}", case.name);
        assert_eq!(by_get(&vonage, &query(&case.params, &case.sig.to_ascii_uppercase()), then()), Ok(()));
        let form = [("content-type", "application/x-www-form-urlencoded")];
        assert!(by_post(&vonage, &form, encoded.as_bytes(), then()).is_ok(), "{}", case.name);
        let mut params = case.params.clone();
        params.insert("sig".to_owned(), case.sig.clone());
        let body = serde_json::to_vec(&params).unwrap();
        assert!(by_post(&vonage, &[("content-type", "application/json")], &body, then()).is_ok(), "{}", case.name);
        for other in ["md5hash", "md5", "sha1", "sha256", "sha512"].into_iter().filter(|other| *other != method) {
            let strict = open(&[("signature_secret", &case.secret), ("signature_method", other)]);
            assert_eq!(by_get(&strict, &encoded, then()), Err(Forged::Mismatch), "{} as {other}", case.name);
        }
    }
}

#[test]
fn what_was_altered_left_out_or_signed_with_another_secret_is_forged() {
    let (case, _) = sig_vectors().into_iter().find(|(_, method)| *method == "sha256").unwrap();
    let told = |params: &BTreeMap<String, String>, keys: &[(&str, &str)]| {
        by_get(&open(keys), &query(params, &case.sig), then())
    };
    assert_eq!(told(&case.params, &[]), Ok(()));
    assert_eq!(told(&case.params, &[("signature_secret", "other")]), Err(Forged::Mismatch));
    assert_eq!(told(&case.params, &[("signature_secret", "new"), ("signature_secret_before", SECRET)]), Ok(()));
    for name in case.params.keys() {
        let mut params = case.params.clone();
        params.insert(name.clone(), "1".to_owned());
        assert_eq!(told(&params, &[]), Err(Forged::Mismatch), "{name} altered");
        params.remove(name);
        assert_eq!(told(&params, &[]), Err(Forged::Mismatch), "{name} left out");
    }
    let unsigned = by_get(&open(&[]), "msisdn=15005550101&to=55501&messageId=1&text=PIZZA", then());
    assert_eq!(unsigned, Err(Forged::Unsigned));
    let folded = BTreeMap::from([("text=PIZZA&timestamp".to_owned(), "1767225600".to_owned())]);
    let sig = Scheme::Sha256.sign(SECRET, "&text=PIZZA&timestamp=1767225600");
    assert_eq!(by_get(&open(&[]), &query(&folded, &sig), then()), Err(Forged::Mismatch), "two fields in one name");
}

#[test]
fn a_webhook_is_believed_for_as_long_as_it_is_sent_again() {
    let (case, _) = sig_vectors().into_iter().find(|(_, method)| *method == "sha256").unwrap();
    let told = |seconds| by_get(&open(&[]), &query(&case.params, &case.sig), then() + TimeDelta::seconds(seconds));
    let told = [-301, -300, 24 * 3600 + 300, 24 * 3600 + 301].map(told);
    assert_eq!(told, [Err(Forged::OutOfTime), Ok(()), Ok(()), Err(Forged::OutOfTime)]);
}

#[test]
fn a_token_is_believed_by_hs256_and_our_secret_alone() {
    let text = include_str!("../../../tests/fixtures/vectors/vonage_jwt_hs256.json");
    let JwtVectors { body, cases } = serde_json::from_str(text).unwrap();
    assert!(cases.len() >= 3);
    for case in &cases {
        let vonage = open(&[("signature_secret", &case.secret)]);
        let bearer = format!("Bearer {}", case.token);
        let headers = [("content-type", "application/json"), ("authorization", bearer.as_str())];
        let told = by_post(&vonage, &headers, body.as_bytes(), then());
        assert_eq!(told.is_ok(), case.node_sdk_accepts, "{}", case.name);
    }
    let valid = cases.iter().find(|case| case.name == "valid").unwrap();
    let bearer = format!("Bearer {}", valid.token);
    let told = |keys: &[(&str, &str)], body: &str, seconds: i64| {
        let keys: Vec<_> =
            [("signature_secret", valid.secret.as_str())].into_iter().chain(keys.iter().copied()).collect();
        let headers = [("authorization", bearer.as_str())];
        by_post(&open(&keys), &headers, body.as_bytes(), then() + TimeDelta::seconds(seconds)).map(drop)
    };
    assert_eq!(told(&[], &body, 0), Ok(()));
    assert_eq!(told(&[], &body.replace("PIZZA", "TACOS"), 0), Err(Forged::Mismatch), "the hash is of another body");
    assert_eq!(told(&[("api_key", "other")], &body, 0), Err(Forged::Mismatch), "another account's");
    assert_eq!(told(&[("application", "other")], &body, 0), Err(Forged::Mismatch), "another application's");
    assert_eq!(told(&[("application", "aaaaaaaa-bbbb-cccc-dddd-0123456789ab")], &body, 0), Ok(()));
    assert_eq!(told(&[("signature_secret", "other")], &body, 0), Err(Forged::Mismatch));
    assert_eq!(told(&[("signature_secret_before", &valid.secret)], &body, 0), Ok(()));
    assert_eq!(told(&[], &body, 2 * 86_400), Err(Forged::OutOfTime));
    assert_eq!(told(&[], &body, -301), Err(Forged::OutOfTime));
}

#[test]
fn an_account_with_an_unknown_method_is_refused() {
    let limits = Limits { connect: Duration::from_secs(1), total: Duration::from_secs(1), answer_bytes: 1000 };
    for keys in [[("signature_method", "none")], [("opt_out_assist", "perhaps")]] {
        let told = Vonage::new(&account(&keys), &Client::new(limits).unwrap());
        assert!(matches!(told, Err(AccountError::Value { .. })), "{keys:?}");
    }
}

#[test]
fn hmac_md5_is_that_of_its_standard_for_secrets_of_every_length() {
    // RFC 2202, 2, case 2; then a secret of one block and one that is hashed first, by Python's hmac.
    assert_eq!(Scheme::Md5.sign("Jefe", "what do ya want for nothing?"), "750c783e6ab0b503eaa86e310a5db738");
    let text = "abc";
    let [exact, longer] = [64, 65].map(|length| Scheme::Md5.sign(&"k".repeat(length), text));
    assert_eq!(
        (exact.as_str(), longer.as_str()),
        ("0be890bbca0302e362a6c689fc3debcb", "9088fdf5ffc86746bec9795717fd12ef")
    );
}
