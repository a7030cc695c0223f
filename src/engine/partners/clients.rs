//! How a partner proves itself at the token endpoint: by a signed assertion (RFC 7523, with the one audience of its
//! revision), or by a client secret.

use super::jws::{self, Flaw, Jws};
use super::public_key::PublicKey;
use super::tokens::{CallError, suspension};
use crate::domain::access_key::{BearerKey, KeyKind};
use crate::domain::partner::{ClientId, PartnerScope};
use crate::engine::{Engine, EngineError};
use crate::store::partners::credentials::{self, Credential, CredentialKind};
use crate::store::partners::{self, PartnerRecord};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use chrono::{DateTime, Duration, Utc};
use serde::Deserialize;

/// An assertion is written for one request: it may end so many seconds from now at the latest.
const LIFE_S: i64 = 60;
/// Characters of the longest id of an assertion.
const JTI_CHARS: usize = 128;
/// What an assertion may call itself; older libraries say `JWT`, or nothing.
const TYPES: [&str; 2] = ["client-authentication+jwt", "JWT"];

/// A partner that proved itself at the token endpoint; only [`Engine::client_by_assertion`] and
/// [`Engine::client_by_secret`] make one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    pub(super) record: PartnerRecord,
}

impl Client {
    /// Its client id.
    #[must_use]
    pub fn id(&self) -> &ClientId {
        &self.record.client
    }

    /// Everything it may ask for.
    #[must_use]
    pub fn scopes(&self) -> &[PartnerScope] {
        &self.record.doc.scopes
    }

    /// Whether it may call at all.
    ///
    /// # Errors
    /// [`CallError::Suspended`].
    pub fn active(self) -> Result<Self, CallError> {
        match suspension(&self.record) {
            None => Ok(self),
            Some(suspended) => Err(suspended),
        }
    }
}

#[derive(Deserialize)]
struct Assertion {
    iss: String,
    sub: String,
    aud: Audience,
    exp: i64,
    #[serde(default)]
    nbf: Option<i64>,
    #[serde(default)]
    iat: Option<i64>,
    jti: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    fn is(&self, issuer: &str) -> bool {
        match self {
            Self::One(one) => one == issuer,
            Self::Several(several) => matches!(several.as_slice(), [one] if one == issuer),
        }
    }
}

impl Engine {
    /// The partner that signed an assertion. It is used up, in every process.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn client_by_assertion(&self, assertion: &str) -> Result<Client, CallError> {
        let parts = self.parts();
        let jws = Jws::parse(assertion)?;
        if jws.typ.as_deref().is_some_and(|typ| !TYPES.contains(&typ)) {
            return Err(Flaw::Type.into());
        }
        // Whose key is to be tried stands in the claims; nothing else is taken from them before it held.
        let claims: Assertion = jws.claims()?;
        let client = ClientId::parse(&claims.sub).map_err(|_| Flaw::Client)?;
        let flawed = |flaw| CallError::Unproved { flaw, client: Some(client.clone()) };
        let (record, credentials) = self.with_credentials(&client).await?.ok_or_else(|| flawed(Flaw::Client))?;
        let keys = live(&credentials, CredentialKind::Key).filter_map(|credential| {
            let key = PublicKey::read(&credential.material).ok()?;
            jws.kid.as_ref().is_none_or(|kid| *kid == credential.id || *kid == credential.name).then_some(key)
        });
        let keys: Vec<_> = keys.collect();
        if keys.is_empty() {
            return Err(flawed(Flaw::Kid));
        }
        if !keys.iter().any(|key| key.algorithm() == jws.algorithm) {
            return Err(flawed(Flaw::Algorithm));
        }
        let signed = |key: &PublicKey| key.algorithm() == jws.algorithm && key.verifies(jws.signed, &jws.signature);
        if !keys.iter().any(signed) {
            return Err(flawed(Flaw::Signature));
        }
        check(&claims, &parts.public_url, parts.clock.now()).map_err(flawed)?;
        let until = DateTime::from_timestamp(claims.exp, 0).unwrap_or_default() + Duration::seconds(2 * jws::LEEWAY_S);
        let used = credentials::use_assertion(&parts.store, record.id, &claims.jti, until).await;
        if !used.map_err(EngineError::from)? {
            return Err(flawed(Flaw::Replayed));
        }
        Ok(Client { record })
    }

    /// The partner that has this secret.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn client_by_secret(&self, client: &str, secret: &str) -> Result<Client, CallError> {
        let client = ClientId::parse(client).map_err(|_| Flaw::Client)?;
        let flawed = |flaw| CallError::Unproved { flaw, client: Some(client.clone()) };
        let secret = BearerKey::parse(KeyKind::Partner, secret).ok_or_else(|| flawed(Flaw::Secret))?;
        let (record, credentials) = self.with_credentials(&client).await?.ok_or_else(|| flawed(Flaw::Client))?;
        let hash = super::credentials::hashed(&self.parts().keys, &secret);
        let is_hers = live(&credentials, CredentialKind::Secret)
            .filter(|credential| credential.id == secret.id())
            .any(|credential| verify_slices_are_equal(hash.as_bytes(), credential.material.as_bytes()).is_ok());
        if is_hers { Ok(Client { record }) } else { Err(flawed(Flaw::Secret)) }
    }

    async fn with_credentials(
        &self,
        client: &ClientId,
    ) -> Result<Option<(PartnerRecord, Vec<Credential>)>, EngineError> {
        let store = &self.parts().store;
        let Some(record) = partners::find(store, client).await? else {
            return Ok(None);
        };
        let credentials = credentials::of(store, record.id).await?;
        Ok(Some((record, credentials)))
    }
}

fn live(credentials: &[Credential], kind: CredentialKind) -> impl Iterator<Item = &Credential> {
    credentials.iter().filter(move |credential| credential.kind == kind && credential.revoked_at.is_none())
}

fn check(claims: &Assertion, issuer: &str, now: DateTime<Utc>) -> Result<(), Flaw> {
    if claims.iss != claims.sub {
        return Err(Flaw::Issuer);
    }
    if !claims.aud.is(issuer) {
        return Err(Flaw::Audience);
    }
    if claims.jti.is_empty() || claims.jti.chars().count() > JTI_CHARS || claims.jti.chars().any(char::is_control) {
        return Err(Flaw::Claims("jti has 1 to 128 characters"));
    }
    let begins = claims.nbf.into_iter().chain(claims.iat).max();
    jws::in_time(begins, claims.exp, now)?;
    if claims.exp > now.timestamp() + LIFE_S { Err(Flaw::TooFar) } else { Ok(()) }
}
