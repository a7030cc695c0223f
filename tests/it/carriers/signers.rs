//! How each carrier signs, written down a second time: the adapters only check.
//!
//! A new carrier adds its arm.

use aws_lc_rs::signature::Ed25519KeyPair;
use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use std::collections::BTreeMap;

/// A webhook that is about to be signed.
#[derive(Debug, Clone)]
pub(super) struct Wire {
    pub(super) method: String,
    /// The address without its query.
    pub(super) url: String,
    pub(super) query: String,
    /// Names in lower case.
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Vec<u8>,
}

impl Wire {
    pub(super) fn full_url(&self) -> String {
        if self.query.is_empty() { self.url.clone() } else { format!("{}?{}", self.url, self.query) }
    }
}

/// Signs a webhook of that kind of carrier with one secret of its account, at that time (unix seconds).
pub(super) fn sign(kind: &str, wire: &mut Wire, secret: &str, at: i64) {
    match kind {
        "twilio" => twilio(wire, secret),
        "generic" => {
            let bytes = [format!("{at}.").as_bytes(), &wire.body].concat();
            let mark = hex(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), &bytes).as_ref());
            wire.headers.insert("x-signature".to_owned(), format!("t={at},v1={mark}"));
        }
        "kannel" => wire.query = format!("key={secret}&{}", wire.query),
        "telnyx" => telnyx(wire, secret, at),
        "vonage" if wire.headers.contains_key("authorization") => vonage_token(wire, secret, at),
        "vonage" => vonage_sig(wire, secret, at),
        kind => unreachable!("there is no signer of {kind}: add one here"),
    }
}

/// The key of an account that signs its webhooks.
pub(super) fn secret_key(kind: &str) -> &'static str {
    match kind {
        "twilio" => "token",
        "generic" | "kannel" => "secret",
        "telnyx" => "public_key",
        "vonage" => "signature_secret",
        kind => unreachable!("which key of {kind} signs webhooks? say so here"),
    }
}

/// The fixtures' account has the public key of the vectors; any other "secret" stands for another key.
fn telnyx(wire: &mut Wire, public_key: &str, at: i64) {
    let mut seed = [9; 32];
    if public_key == "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=" {
        seed = std::array::from_fn(|n| u8::try_from(n).expect("under 32"));
    }
    let key = Ed25519KeyPair::from_seed_unchecked(&seed).expect("a seed of 32 bytes");
    let mark = key.sign(&[format!("{at}|").as_bytes(), &wire.body].concat());
    wire.headers.insert("telnyx-timestamp".to_owned(), at.to_string());
    wire.headers.insert("telnyx-signature-ed25519".to_owned(), STANDARD.encode(mark.as_ref()));
}

/// Every field but `sig`, sorted, with HMAC-SHA256; it travels where the fields do.
fn vonage_sig(wire: &mut Wire, secret: &str, at: i64) {
    let is_json = wire.headers.get("content-type").is_some_and(|kind| kind == "application/json");
    let body = String::from_utf8(wire.body.clone()).expect("text");
    let mut fields: BTreeMap<String, String> = if is_json {
        let object: BTreeMap<String, serde_json::Value> = serde_json::from_str(&body).unwrap_or_default();
        let text = |value: serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        object.into_iter().map(|(name, value)| (name, text(value))).collect()
    } else {
        let encoded = if wire.method == "GET" { &wire.query } else { &body };
        form_urlencoded::parse(encoded.as_bytes()).into_owned().collect()
    };
    let at = at.to_string();
    let nonce = "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab";
    fields.extend([("timestamp".to_owned(), at.clone()), ("nonce".to_owned(), nonce.to_owned())]);
    let pairs: Vec<_> = fields.iter().map(|(name, value)| [name, &*value.replace(['&', '='], "_")].join("=")).collect();
    let signed = format!("&{}", pairs.join("&"));
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let sig = hex(hmac::sign(&key, signed.as_bytes()).as_ref());
    if is_json {
        let begin = body.trim_end_matches('}');
        wire.body = format!(r#"{begin}, "timestamp": "{at}", "nonce": "{nonce}", "sig": "{sig}"}}"#).into_bytes();
    } else {
        let more = format!("&timestamp={at}&nonce={nonce}&sig={sig}");
        if wire.method == "GET" { wire.query.push_str(&more) } else { wire.body.extend_from_slice(more.as_bytes()) }
    }
}

/// A JWT over the hash of the body, for the account and the application of the fixtures.
fn vonage_token(wire: &mut Wire, secret: &str, at: i64) {
    let claims = serde_json::json!({
        "iat": at,
        "jti": "c5ba8f24-1a14-4c10-bfdf-3fbe8ce511b5",
        "iss": "Vonage",
        "payload_hash": hex(digest::digest(&digest::SHA256, &wire.body).as_ref()),
        "api_key": "abcd1234",
        "application_id": "aaaaaaaa-bbbb-cccc-dddd-0123456789ab",
    });
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let signed = format!("{}.{}", encode(r#"{"alg":"HS256","typ":"JWT"}"#), encode(&claims.to_string()));
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let mark = URL_SAFE_NO_PAD.encode(hmac::sign(&key, signed.as_bytes()));
    wire.headers.insert("authorization".to_owned(), format!("Bearer {signed}.{mark}"));
}

fn twilio(wire: &mut Wire, secret: &str) {
    let is_json = wire.headers.get("content-type").is_some_and(|kind| kind == "application/json");
    if is_json {
        let hash = hex(digest::digest(&digest::SHA256, &wire.body).as_ref());
        let parts = [wire.query.as_str(), &format!("bodySHA256={hash}")].map(str::to_owned);
        wire.query = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("&");
    }
    let mut signed = wire.full_url();
    if wire.method == "POST" && !is_json {
        let mut fields: Vec<_> = form_urlencoded::parse(&wire.body).into_owned().collect();
        fields.sort();
        fields.dedup();
        signed.extend(fields.iter().map(|(name, value)| format!("{name}{value}")));
    }
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes());
    let mark = STANDARD.encode(hmac::sign(&key, signed.as_bytes()));
    wire.headers.insert("x-twilio-signature".to_owned(), mark);
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}
