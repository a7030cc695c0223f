//! How each carrier signs, written down a second time: the adapters only check.
//!
//! A new carrier adds its arm.

use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
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
        kind => unreachable!("there is no signer of {kind}: add one here"),
    }
}

/// The key of an account that signs its webhooks.
pub(super) fn secret_key(kind: &str) -> &'static str {
    match kind {
        "twilio" => "token",
        "generic" => "secret",
        kind => unreachable!("which key of {kind} signs webhooks? say so here"),
    }
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
