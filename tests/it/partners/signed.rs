//! Tokens and assertions as tests sign them, right and wrong.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use codewell::domain::keyring::Keys;
use codewell::domain::secret::Secret;
use serde_json::{Value, json};

/// Base64url without padding.
pub(crate) fn base64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The key of a house of tests that signs access tokens.
pub(crate) fn house_key(number: u32) -> Ed25519KeyPair {
    let seed = Keys::from_root(&Secret::new([7; 32])).derive(&format!("access-token/{number}"));
    Ed25519KeyPair::from_seed_unchecked(&seed).expect("a seed")
}

/// A signed token in three parts.
pub(crate) fn token(key: &Ed25519KeyPair, header: &Value, claims: &Value) -> String {
    raw(key, &header.to_string(), &claims.to_string())
}

/// The same of parts that need not be JSON.
pub(crate) fn raw(key: &Ed25519KeyPair, header: &str, claims: &str) -> String {
    let signed = format!("{}.{}", base64(header), base64(claims));
    format!("{signed}.{}", base64(key.sign(signed.as_bytes())))
}

/// A partner's key of either kind.
pub(crate) enum TestKey {
    Ed(Ed25519KeyPair),
    Ec(EcdsaKeyPair),
}

impl TestKey {
    pub(crate) fn ed(seed: u8) -> Self {
        Self::Ed(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("a seed"))
    }

    pub(crate) fn ec() -> Self {
        Self::Ec(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key"))
    }

    pub(crate) fn algorithm(&self) -> &'static str {
        match self {
            Self::Ed(_) => "EdDSA",
            Self::Ec(_) => "ES256",
        }
    }

    /// The public key.
    pub(crate) fn jwk(&self) -> Value {
        match self {
            Self::Ed(key) => json!({"kty": "OKP", "crv": "Ed25519", "x": base64(key.public_key())}),
            Self::Ec(key) => {
                let point = key.public_key().as_ref();
                json!({"kty": "EC", "crv": "P-256", "x": base64(&point[1..33]), "y": base64(&point[33..])})
            }
        }
    }

    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        match self {
            Self::Ed(key) => token(key, header, claims),
            Self::Ec(key) => {
                let signed = format!("{}.{}", base64(header.to_string()), base64(claims.to_string()));
                let signature = key.sign(&SystemRandom::new(), signed.as_bytes()).expect("a signature");
                format!("{signed}.{}", base64(signature))
            }
        }
    }
}
