//! Signed tokens in their compact form (RFC 7515), read as strictly as possible: three parts, a short header with the
//! members we know, and one signature by the algorithm of the key, whatever the header says.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The longest token that is looked at; ours have less than 700 bytes.
const LONGEST: usize = 4_096;
/// Clocks may differ by so many seconds.
pub(super) const LEEWAY_S: i64 = 30;

/// Why a token or an assertion is not accepted: for operators, never for callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Flaw {
    /// Nothing was presented.
    #[error("no bearer token was sent")]
    Missing,
    /// More than one was.
    #[error("more than one Authorization header was sent")]
    Several,
    /// It is longer than any of ours.
    #[error("the token is longer than {LONGEST} bytes")]
    TooLong,
    /// It does not have three parts of base64url.
    #[error("the token is not of three parts in base64url")]
    Shape,
    /// Its header is not JSON of the members we know.
    #[error("the header is not a JSON object with alg, typ and kid as text")]
    Header,
    /// It brings its own key, or asks for extensions.
    #[error("the header names {0}, which is never followed")]
    Poisoned(&'static str),
    /// It is another kind of token.
    #[error("the header's typ is another one")]
    Type,
    /// The key does not sign by that algorithm.
    #[error("the header's alg is not the key's")]
    Algorithm,
    /// The key is not ours, not registered, or retired.
    #[error("the kid names no key that signs now")]
    Kid,
    /// The signature does not hold.
    #[error("the signature does not hold")]
    Signature,
    /// Members are missing or of another type.
    #[error("the claims are not those we write: {0}")]
    Claims(&'static str),
    /// It is over.
    #[error("it has expired")]
    Expired,
    /// It is not good yet.
    #[error("it is not good yet")]
    Early,
    /// It lives longer than it may.
    #[error("it would be good for too long")]
    TooFar,
    /// Another house wrote it.
    #[error("the issuer is another one")]
    Issuer,
    /// It is for somebody else.
    #[error("the audience is another one, or not the only one")]
    Audience,
    /// Nobody has that client id.
    #[error("there is no such client")]
    Client,
    /// It was taken back.
    #[error("the token was revoked")]
    Revoked,
    /// The same assertion came before.
    #[error("the assertion was used before")]
    Replayed,
    /// The secret is not one of the client's.
    #[error("the secret is not one of the client's live ones")]
    Secret,
    /// The request proves nothing, or in a way that we do not take.
    #[error("the client did not authenticate by one of the methods of this house")]
    Method,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    typ: Option<String>,
    #[serde(default)]
    kid: Option<String>,
    jku: Option<IgnoredAny>,
    jwk: Option<IgnoredAny>,
    x5u: Option<IgnoredAny>,
    x5c: Option<IgnoredAny>,
    crit: Option<IgnoredAny>,
    b64: Option<IgnoredAny>,
    zip: Option<IgnoredAny>,
    enc: Option<IgnoredAny>,
}

/// A token taken apart; nothing of it is proved yet.
#[derive(Debug)]
pub(super) struct Jws<'a> {
    pub(super) algorithm: String,
    pub(super) typ: Option<String>,
    pub(super) kid: Option<String>,
    pub(super) signed: &'a str,
    pub(super) signature: Vec<u8>,
    claims: Vec<u8>,
}

impl<'a> Jws<'a> {
    pub(super) fn parse(token: &'a str) -> Result<Self, Flaw> {
        if token.len() > LONGEST {
            return Err(Flaw::TooLong);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Flaw::Shape)?;
        let (header, claims) = signed.split_once('.').ok_or(Flaw::Shape)?;
        let part = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| Flaw::Shape);
        let (header, claims, signature) = (part(header)?, part(claims)?, part(signature)?);
        let header: Header = serde_json::from_slice(&header).map_err(|_| Flaw::Header)?;
        let poison = [
            ("jku", &header.jku),
            ("jwk", &header.jwk),
            ("x5u", &header.x5u),
            ("x5c", &header.x5c),
            ("crit", &header.crit),
            ("b64", &header.b64),
            ("zip", &header.zip),
            ("enc", &header.enc),
        ];
        if let Some((name, _)) = poison.into_iter().find(|(_, member)| member.is_some()) {
            return Err(Flaw::Poisoned(name));
        }
        let Header { alg: algorithm, typ, kid, .. } = header;
        Ok(Self { algorithm, typ, kid, signed, signature, claims })
    }

    /// The claims as they should be; to be trusted only once the signature holds.
    pub(super) fn claims<T: DeserializeOwned>(&self) -> Result<T, Flaw> {
        serde_json::from_slice(&self.claims).map_err(|_| Flaw::Claims("a member is missing or of another type"))
    }
}

/// Writes the part of a token that is signed.
pub(super) fn unsigned(header: &impl Serialize, claims: &impl Serialize) -> Result<String, serde_json::Error> {
    let part = |json: Vec<u8>| URL_SAFE_NO_PAD.encode(json);
    Ok(format!("{}.{}", part(serde_json::to_vec(header)?), part(serde_json::to_vec(claims)?)))
}

/// Adds the signature.
pub(super) fn signed(unsigned: &str, signature: &[u8]) -> String {
    format!("{unsigned}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// Whether `now` lies between the two, give or take what clocks may differ.
pub(super) fn in_time(not_before: Option<i64>, expires: i64, now: DateTime<Utc>) -> Result<(), Flaw> {
    let now = now.timestamp();
    if expires.saturating_add(LEEWAY_S) <= now {
        return Err(Flaw::Expired);
    }
    if not_before.is_some_and(|begin| begin > now.saturating_add(LEEWAY_S)) {
        return Err(Flaw::Early);
    }
    Ok(())
}
