//! Access tokens (RFC 9068): written at the token endpoint, read at every call.

use super::jws::{self, Flaw, Jws};
use crate::domain::ids::PartnerId;
use crate::domain::partner::{ClientId, Environment, PartnerScope, PartnerStatus, Rate};
use crate::engine::{Engine, EngineError, draw};
use crate::store::partners::credentials;
use crate::store::partners::{self, PartnerRecord};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// How long a token is good, in seconds.
pub(super) const LIFE_S: i64 = 600;
/// For whom our tokens are.
const AUDIENCE: &str = "partner-api";
/// What kind of token they are.
const TYPE: &str = "at+jwt";

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    iss: String,
    sub: String,
    client_id: String,
    aud: String,
    exp: i64,
    iat: i64,
    nbf: i64,
    jti: String,
    scope: String,
    pv: u32,
    env: String,
}

/// A token that was made.
#[derive(Debug, Clone)]
pub struct AccessToken {
    text: String,
    /// What it allows.
    pub scopes: Vec<PartnerScope>,
    /// For how many seconds it is good.
    pub expires_in: i64,
}

impl AccessToken {
    /// The token itself. Whoever has it is the partner until it ends.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }
}

/// A partner that proved who it is; only [`Engine::partner_of`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partner {
    id: PartnerId,
    client: ClientId,
    name: String,
    environment: Environment,
    version: u32,
    scopes: Vec<PartnerScope>,
    rate: Option<Rate>,
    expires_at: DateTime<Utc>,
}

/// How the doors of partners begin.
pub(in crate::engine) const PARTNER_DOORS: &str = "api-";

impl Partner {
    /// Its number.
    #[must_use]
    pub fn id(&self) -> PartnerId {
        self.id
    }

    /// Its name at the token endpoint.
    #[must_use]
    pub fn client(&self) -> &ClientId {
        &self.client
    }

    /// Its name, for people.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether its calls count.
    #[must_use]
    pub fn environment(&self) -> Environment {
        self.environment
    }

    /// The version of it that this call met.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// What both its token and its row allow.
    #[must_use]
    pub fn scopes(&self) -> &[PartnerScope] {
        &self.scopes
    }

    /// Whether both its token and its row allow this.
    #[must_use]
    pub fn allows(&self, scope: PartnerScope) -> bool {
        self.scopes.contains(&scope)
    }

    /// How fast it may call, where it has a rate of its own.
    #[must_use]
    pub fn rate(&self) -> Option<Rate> {
        self.rate
    }

    /// Where the keys of its requests are told apart.
    #[must_use]
    pub fn door(&self) -> String {
        format!("{PARTNER_DOORS}{}", self.client)
    }
}

/// Why a call is not let in.
#[derive(Debug, Error)]
pub enum CallError {
    /// The token proves nothing; the caller hears no reason.
    #[error("the token is not accepted: {flaw}")]
    Unproved {
        /// Why.
        flaw: Flaw,
        /// Who it said it was, once the signature held.
        client: Option<ClientId>,
    },
    /// A person stopped this partner.
    #[error("the partner is suspended")]
    Suspended {
        /// Since when.
        since: Option<DateTime<Utc>>,
        /// Whom it may ask.
        contact: Option<String>,
    },
    /// The engine failed.
    #[error("the call could not be checked")]
    Engine(#[from] EngineError),
}

impl From<Flaw> for CallError {
    fn from(flaw: Flaw) -> Self {
        Self::Unproved { flaw, client: None }
    }
}

/// That a person stopped the partner, where one did.
pub(super) fn suspension(record: &PartnerRecord) -> Option<CallError> {
    match record.status {
        PartnerStatus::Active => None,
        PartnerStatus::Suspended => {
            Some(CallError::Suspended { since: record.suspended_at, contact: record.doc.contact.clone() })
        }
    }
}

impl Engine {
    /// Makes a token of a partner that proved who it is.
    ///
    /// # Errors
    /// What the database says.
    pub async fn access_token(
        &self,
        client: &super::Client,
        scopes: Vec<PartnerScope>,
    ) -> Result<AccessToken, EngineError> {
        let parts = self.parts();
        let record = &client.record;
        let now = parts.clock.now().timestamp();
        let words: Vec<_> = scopes.iter().map(|scope| scope.word()).collect();
        let claims = Claims {
            iss: parts.public_url.clone(),
            sub: record.client.to_string(),
            client_id: record.client.to_string(),
            aud: AUDIENCE.to_owned(),
            exp: now + LIFE_S,
            iat: now,
            nbf: now,
            jti: URL_SAFE_NO_PAD.encode(draw::<16>()),
            scope: words.join(" "),
            pv: record.version,
            env: record.environment.word().to_owned(),
        };
        let key = self.signer().await?;
        let header = serde_json::json!({ "alg": "EdDSA", "kid": key.public.thumbprint(), "typ": TYPE });
        #[expect(clippy::expect_used, reason = "text and numbers are always JSON")]
        let unsigned = jws::unsigned(&header, &claims).expect("text and numbers");
        let text = jws::signed(&unsigned, key.pair.sign(unsigned.as_bytes()).as_ref());
        Ok(AccessToken { text, scopes, expires_in: LIFE_S })
    }

    /// The partner whose token this is, as its row says now.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn partner_of(&self, token: &str) -> Result<Partner, CallError> {
        let (claims, record) = self.proved(token).await?;
        if let Some(suspended) = suspension(&record) {
            return Err(suspended);
        }
        let asked: Vec<_> = claims.scope.split(' ').filter_map(PartnerScope::parse).collect();
        Ok(Partner {
            id: record.id,
            client: record.client,
            name: record.doc.name,
            environment: record.environment,
            version: record.version,
            scopes: record.doc.scopes.into_iter().filter(|scope| asked.contains(scope)).collect(),
            rate: record.doc.rate,
            expires_at: DateTime::from_timestamp(claims.exp, 0).unwrap_or_default(),
        })
    }

    /// The claims of a token whose signature holds and which is good now, with the partner it names.
    async fn proved(&self, token: &str) -> Result<(Claims, PartnerRecord), CallError> {
        let parts = self.parts();
        let jws = Jws::parse(token)?;
        if jws.typ.as_deref() != Some(TYPE) {
            return Err(Flaw::Type.into());
        }
        let kid = jws.kid.as_deref().ok_or(Flaw::Kid)?;
        let key = self.verifier(kid).await??;
        if jws.algorithm != key.algorithm() {
            return Err(Flaw::Algorithm.into());
        }
        if !key.verifies(jws.signed, &jws.signature) {
            return Err(Flaw::Signature.into());
        }
        let claims: Claims = jws.claims()?;
        let client = ClientId::parse(&claims.client_id).map_err(|_| Flaw::Client)?;
        let flawed = |flaw| CallError::Unproved { flaw, client: Some(client.clone()) };
        let now = parts.clock.now();
        check(&claims, &parts.public_url, now).map_err(flawed)?;
        let found = partners::find_caller(&parts.store, &client, (&claims.jti, kid), now).await;
        let found = found.map_err(EngineError::from)?.ok_or_else(|| flawed(Flaw::Client))?;
        if !found.is_key_live {
            return Err(flawed(Flaw::Kid));
        }
        if found.is_revoked {
            return Err(flawed(Flaw::Revoked));
        }
        if claims.env != found.record.environment.word() {
            return Err(flawed(Flaw::Claims("env is another one")));
        }
        Ok((claims, found.record))
    }

    /// Takes a token back, if it is one of the client's; whatever else it is needs no taking back (RFC 7009).
    ///
    /// # Errors
    /// What the database says.
    pub async fn revoke_token(&self, client: &super::Client, token: &str) -> Result<(), EngineError> {
        let (claims, record) = match self.proved(token).await {
            Ok(proved) => proved,
            Err(CallError::Engine(error)) => return Err(error),
            Err(CallError::Unproved { .. } | CallError::Suspended { .. }) => return Ok(()),
        };
        if record.id != client.record.id {
            return Ok(());
        }
        let ends = DateTime::from_timestamp(claims.exp, 0).unwrap_or_default();
        let until = ends + Duration::seconds(2 * jws::LEEWAY_S);
        Ok(credentials::revoke_token(&self.parts().store, &claims.jti, until).await?)
    }
}

fn check(claims: &Claims, issuer: &str, now: DateTime<Utc>) -> Result<(), Flaw> {
    if claims.iss != issuer {
        return Err(Flaw::Issuer);
    }
    if claims.aud != AUDIENCE {
        return Err(Flaw::Audience);
    }
    if claims.sub != claims.client_id {
        return Err(Flaw::Claims("sub is not the client"));
    }
    jws::in_time(Some(claims.nbf.max(claims.iat)), claims.exp, now)?;
    if claims.exp.saturating_sub(now.timestamp()) > LIFE_S + jws::LEEWAY_S {
        return Err(Flaw::TooFar);
    }
    Ok(())
}
