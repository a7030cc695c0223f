//! Public keys of partners: Ed25519, or P-256 for stacks that have no Ed25519. Nothing else is ever verified with.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use thiserror::Error;

/// What comes before the 32 bytes of an Ed25519 key in its DER form (RFC 8410).
const ED25519_DER: &[u8] = &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// What comes before the 65 bytes of an uncompressed P-256 point in its DER form (RFC 5480).
const P256_DER: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// Why a file holds no key that a partner can be known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotAKey {
    /// Somebody else's secret came along.
    #[error("this is a private key; keep it, and send its public key")]
    Private,
    /// Another kind of key.
    #[error("a key is Ed25519 or P-256, as a public PEM (BEGIN PUBLIC KEY) or a JWK")]
    Other,
}

/// A key that one algorithm belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::engine) enum PublicKey {
    Ed25519(Vec<u8>),
    /// The uncompressed point.
    P256(Vec<u8>),
}

impl PublicKey {
    /// Reads a PEM or a JWK.
    pub(super) fn read(text: &str) -> Result<Self, NotAKey> {
        let text = text.trim();
        let key = if text.starts_with('{') { Self::from_jwk(text)? } else { Self::from_pem(text)? };
        // A point that is on no curve is no key.
        key.parsed().ok_or(NotAKey::Other)?;
        Ok(key)
    }

    fn from_pem(text: &str) -> Result<Self, NotAKey> {
        if text.contains("PRIVATE KEY") {
            return Err(NotAKey::Private);
        }
        let body = text.strip_prefix("-----BEGIN PUBLIC KEY-----").ok_or(NotAKey::Other)?;
        let body = body.strip_suffix("-----END PUBLIC KEY-----").ok_or(NotAKey::Other)?;
        let body: String = body.split_whitespace().collect();
        let der = STANDARD.decode(body).map_err(|_| NotAKey::Other)?;
        let key = der.strip_prefix(ED25519_DER).map(|key| Self::Ed25519(key.to_vec()));
        key.or_else(|| der.strip_prefix(P256_DER).map(|point| Self::P256(point.to_vec()))).ok_or(NotAKey::Other)
    }

    fn from_jwk(text: &str) -> Result<Self, NotAKey> {
        let jwk: Value = serde_json::from_str(text).map_err(|_| NotAKey::Other)?;
        if jwk.get("d").is_some() {
            return Err(NotAKey::Private);
        }
        let member = |name: &str| jwk.get(name).and_then(Value::as_str);
        let bytes = |name: &str| URL_SAFE_NO_PAD.decode(member(name)?).ok();
        match (member("kty"), member("crv")) {
            (Some("OKP"), Some("Ed25519")) => Some(Self::Ed25519(bytes("x").ok_or(NotAKey::Other)?)),
            (Some("EC"), Some("P-256")) => {
                let (x, y) = bytes("x").zip(bytes("y")).ok_or(NotAKey::Other)?;
                (x.len() == 32 && y.len() == 32).then(|| Self::P256([&[4][..], &x, &y].concat()))
            }
            _ => None,
        }
        .ok_or(NotAKey::Other)
    }

    /// The one algorithm that it verifies.
    pub(super) fn algorithm(&self) -> &'static str {
        match self {
            Self::Ed25519(_) => "EdDSA",
            Self::P256(_) => "ES256",
        }
    }

    fn members(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Ed25519(key) => {
                vec![("crv", "Ed25519".to_owned()), ("kty", "OKP".to_owned()), ("x", URL_SAFE_NO_PAD.encode(key))]
            }
            Self::P256(point) => {
                let half = |from: usize| point.get(from..from + 32).map(|half| URL_SAFE_NO_PAD.encode(half));
                vec![
                    ("crv", "P-256".to_owned()),
                    ("kty", "EC".to_owned()),
                    ("x", half(1).unwrap_or_default()),
                    ("y", half(33).unwrap_or_default()),
                ]
            }
        }
    }

    /// The key as a JWK, to keep and to publish.
    pub(super) fn jwk(&self) -> Value {
        let mut jwk = json!({ "alg": self.algorithm(), "kid": self.thumbprint(), "use": "sig" });
        if let Some(members) = jwk.as_object_mut() {
            members.extend(self.members().into_iter().map(|(name, value)| (name.to_owned(), value.into())));
        }
        jwk
    }

    /// Its name by its own content (RFC 7638): the members in order of their names, nothing between.
    pub(super) fn thumbprint(&self) -> String {
        let members: Vec<_> =
            self.members().into_iter().map(|(name, value)| format!("\"{name}\":\"{value}\"")).collect();
        let text = format!("{{{}}}", members.join(","));
        URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()).as_ref())
    }

    fn parsed(&self) -> Option<ParsedPublicKey> {
        match self {
            Self::Ed25519(key) => ParsedPublicKey::new(&ED25519, key).ok(),
            Self::P256(point) => ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).ok(),
        }
    }

    /// Whether it signed this.
    pub(super) fn verifies(&self, signed: &str, signature: &[u8]) -> bool {
        self.parsed().is_some_and(|key| key.verify_sig(signed.as_bytes(), signature).is_ok())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    /// The key of RFC 8037, appendix A.2, with its thumbprint of A.3.
    const ED: &str = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

    #[test]
    fn a_thumbprint_is_the_one_of_the_standard() {
        let key = PublicKey::read(ED).unwrap();
        assert_eq!(key.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        assert_eq!(PublicKey::read(&key.jwk().to_string()).unwrap(), key);
    }

    #[test]
    fn a_pem_and_a_jwk_of_one_key_are_one_key() {
        let PublicKey::Ed25519(bytes) = PublicKey::read(ED).unwrap() else { unreachable!() };
        let der = STANDARD.encode([ED25519_DER, &bytes].concat());
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{der}\n-----END PUBLIC KEY-----\n");
        assert_eq!(PublicKey::read(&pem).unwrap(), PublicKey::Ed25519(bytes));
    }

    #[test]
    fn what_is_no_public_key_is_refused() {
        let private = ED.replace("\"kty\"", "\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\",\"kty\"");
        assert_eq!(PublicKey::read(&private), Err(NotAKey::Private));
        assert_eq!(PublicKey::read("-----BEGIN PRIVATE KEY-----"), Err(NotAKey::Private));
        let off_curve = format!(
            r#"{{"kty":"EC","crv":"P-256","x":"{0}","y":"{0}"}}"#,
            "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE"
        );
        for text in ["", "{}", "hello", r#"{"kty":"oct","k":"AAAA"}"#, &off_curve, &ED.replace("11q", "")] {
            assert_eq!(PublicKey::read(text), Err(NotAKey::Other), "{text}");
        }
    }
}
