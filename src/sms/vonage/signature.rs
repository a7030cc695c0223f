//! What vouches for a webhook of Vonage: `sig` over its fields, or a JWT over its body. The algorithm is the account's,
//! never what a request names.

use super::super::account::{Account, AccountError};
use super::super::form::{Fields, hex};
use super::super::{Forged, Webhook};
use super::KIND;
use crate::domain::secret::Secret;
use aws_lc_rs::{constant_time, digest, hmac};
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{HMAC_SHA1_FOR_LEGACY_USE_ONLY, HMAC_SHA256, HMAC_SHA512};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use md5::{Digest as _, Md5};
use serde::Deserialize;

/// How far ahead Vonage's clock may be.
const AHEAD: TimeDelta = TimeDelta::seconds(300);
/// How old a signature may be: a webhook is sent again for 24 hours with the time at which the first was pushed, so a
/// shorter time would lose what came in while we were away. A replay within it is told by the text's name.
const AGE: TimeDelta = TimeDelta::seconds(24 * 3600 + 300);

/// How an account signs: `signature_method`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    /// MD5 of the fields and the secret, the setting of old accounts.
    Md5Hash,
    /// HMAC-MD5.
    Md5,
    /// HMAC-SHA1.
    Sha1,
    /// HMAC-SHA256.
    Sha256,
    /// HMAC-SHA512.
    Sha512,
}

impl Scheme {
    fn read(word: &str) -> Option<Self> {
        Some(match word {
            "md5hash" => Self::Md5Hash,
            "md5" => Self::Md5,
            "sha1" => Self::Sha1,
            "sha256" => Self::Sha256,
            "sha512" => Self::Sha512,
            _ => return None,
        })
    }

    /// The signature in lower-case hexadecimal digits.
    pub(super) fn sign(self, secret: &str, text: &str) -> String {
        let (secret, text) = (secret.as_bytes(), text.as_bytes());
        let with = |algorithm| hex(hmac::sign(&hmac::Key::new(algorithm, secret), text).as_ref());
        match self {
            Self::Md5Hash => hex(&Md5::new().chain_update(text).chain_update(secret).finalize()),
            Self::Md5 => hmac_md5(secret, text),
            Self::Sha1 => with(HMAC_SHA1_FOR_LEGACY_USE_ONLY),
            Self::Sha256 => with(HMAC_SHA256),
            Self::Sha512 => with(HMAC_SHA512),
        }
    }
}

/// RFC 2104 over MD5, whose blocks have 64 bytes.
fn hmac_md5(secret: &[u8], text: &[u8]) -> String {
    const BLOCK: usize = 64;
    let hashed = Md5::digest(secret);
    let key = if secret.len() > BLOCK { hashed.as_slice() } else { secret };
    let padded = |with: u8| -> Vec<u8> {
        let bytes = key.iter().copied().chain(std::iter::repeat(0)).take(BLOCK);
        bytes.map(|byte| byte ^ with).collect()
    };
    let inner = Md5::new().chain_update(padded(0x36)).chain_update(text).finalize();
    hex(&Md5::new().chain_update(padded(0x5c)).chain_update(inner).finalize())
}

/// The secrets that sign an account's webhooks, and what else they must say.
#[derive(Debug)]
pub(super) struct Keys {
    pub(super) current: Secret<String>,
    pub(super) before: Option<Secret<String>>,
    pub(super) scheme: Scheme,
    pub(super) api_key: Secret<String>,
    pub(super) application: Option<Secret<String>>,
}

/// What a token of the Messages API claims.
#[derive(Deserialize)]
struct Claims {
    iat: i64,
    exp: Option<i64>,
    api_key: Option<String>,
    application_id: Option<String>,
    payload_hash: Option<String>,
}

impl Keys {
    pub(super) fn new(account: &Account) -> Result<Self, AccountError> {
        let scheme = account.maybe("signature_method").map_or(Some(Scheme::Sha256), |word| Scheme::read(word.expose()));
        Ok(Self {
            current: account.need(&KIND, "signature_secret")?,
            before: account.maybe("signature_secret_before"),
            scheme: scheme.ok_or_else(|| account.misfit("signature_method", "md5hash, md5, sha1, sha256 or sha512"))?,
            api_key: account.need(&KIND, "api_key")?,
            application: account.maybe("application"),
        })
    }

    fn secrets(&self) -> impl Iterator<Item = &str> {
        [Some(&self.current), self.before.as_ref()].into_iter().flatten().map(|secret| secret.expose().as_str())
    }

    /// Checks `sig` of the SMS API in constant time.
    ///
    /// # Errors
    /// [`Forged`].
    pub(super) fn verify_fields(&self, fields: &Fields, now: DateTime<Utc>) -> Result<(), Forged> {
        let mark = fields.filled("sig").ok_or(Forged::Unsigned)?.to_ascii_lowercase();
        let text = signed_text(fields).ok_or(Forged::Mismatch)?;
        let holds = |secret: &str| same(&self.scheme.sign(secret, &text), &mark);
        if !self.secrets().any(holds) {
            return Err(Forged::Mismatch);
        }
        let at = fields.filled("timestamp").and_then(|digits| digits.parse().ok()).ok_or(Forged::Unsigned)?;
        in_time(at, now)
    }

    /// Checks a token of the Messages API and that it was made for this body and this account.
    ///
    /// # Errors
    /// [`Forged`].
    pub(super) fn verify_token(&self, token: &str, body: &[u8], now: DateTime<Utc>) -> Result<(), Forged> {
        // The library asks the system for the time; ours is an argument, so it looks at no time at all.
        let mut rules = Validation::new(Algorithm::HS256);
        rules.validate_exp = false;
        rules.validate_aud = false;
        rules.required_spec_claims.clear();
        let read = |secret: &str| {
            let key = DecodingKey::from_secret(secret.as_bytes());
            jsonwebtoken::decode::<Claims>(token, &key, &rules).ok()
        };
        let claims = self.secrets().find_map(read).ok_or(Forged::Mismatch)?.claims;
        let own = hex(digest::digest(&digest::SHA256, body).as_ref());
        let for_body = claims.payload_hash.is_some_and(|hash| same(&hash.to_ascii_lowercase(), &own));
        let for_account = claims.api_key.as_ref() == Some(self.api_key.expose());
        let wanted = self.application.as_ref().map(Secret::expose);
        let for_application = wanted.is_none_or(|wanted| claims.application_id.as_ref() == Some(wanted));
        if !(for_body && for_account && for_application) {
            return Err(Forged::Mismatch);
        }
        if claims.exp.is_some_and(|until| until <= now.timestamp()) {
            return Err(Forged::OutOfTime);
        }
        in_time(claims.iat, now)
    }
}

fn same(a: &str, b: &str) -> bool {
    constant_time::verify_slices_are_equal(a.as_bytes(), b.as_bytes()).is_ok()
}

fn in_time(seconds: i64, now: DateTime<Utc>) -> Result<(), Forged> {
    let at = DateTime::from_timestamp(seconds, 0).ok_or(Forged::OutOfTime)?;
    if now - at <= AGE && at - now <= AHEAD { Ok(()) } else { Err(Forged::OutOfTime) }
}

/// `&name=value` of every field but `sig`, names sorted, `&` and `=` in values as `_`. `None` for a name that could
/// pass for two fields.
pub(super) fn signed_text(fields: &Fields) -> Option<String> {
    let mut sorted: Vec<_> = fields.iter().filter(|(name, _)| *name != "sig").collect();
    sorted.sort_by_key(|(name, _)| *name);
    let mut text = String::new();
    for (name, value) in sorted {
        if name.contains(['&', '=']) {
            return None;
        }
        text.push('&');
        text.push_str(name);
        text.push('=');
        text.extend(value.chars().map(|sign| if matches!(sign, '&' | '=') { '_' } else { sign }));
    }
    Some(text)
}

/// The token of `Authorization: Bearer`, which webhooks of the Messages API have.
pub(super) fn bearer<'a>(hook: &Webhook<'a>) -> Option<&'a str> {
    let (scheme, token) = hook.header("authorization")?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
