//! Keys and secrets of partners: registered, listed, taken back.

use super::PartnerError;
use super::public_key::{NotAKey, PublicKey};
use crate::domain::access_key::{BearerKey, KeyKind};
use crate::domain::keyring::Keys;
use crate::domain::partner::ClientId;
use crate::engine::{Engine, draw};
use crate::store::partners::credentials::{self, Added, Credential, CredentialKind};
use thiserror::Error;

/// One in use, one that takes over, and room for a second system.
const MOST_KEYS: u32 = 4;
/// One in use and one that takes over.
const MOST_SECRETS: u32 = 2;

/// Why a credential is not registered or taken back.
#[derive(Debug, Error)]
pub enum CredentialError {
    /// The file holds no key we take.
    #[error(transparent)]
    NotAKey(#[from] NotAKey),
    /// The partner has as many as it may.
    #[error("the partner has {0} of them already; revoke one first")]
    Full(u32),
    /// The same key is or was registered.
    #[error("this key is registered already, or was; make a new one")]
    Known,
    /// There is none of that id that still opens anything.
    #[error("the partner has no {0} that still opens anything")]
    NoneSuch(String),
    /// No such partner; what failed.
    #[error(transparent)]
    Partner(#[from] PartnerError),
}

/// What the database keeps of a client secret.
pub(super) fn hashed(keys: &Keys, secret: &BearerKey) -> String {
    use std::fmt::Write as _;
    keys.bearer_hash(secret.expose()).iter().fold(String::new(), |mut hex, byte| {
        // Writing to a text never fails.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

impl Engine {
    /// Registers a public key, PEM or JWK; answers with how it is kept. A committer must be running.
    ///
    /// # Errors
    /// [`CredentialError`].
    pub async fn add_partner_key(
        &self,
        client: &ClientId,
        name: &str,
        key: &str,
    ) -> Result<Credential, CredentialError> {
        let key = PublicKey::read(key)?;
        let credential = Credential {
            id: key.thumbprint(),
            kind: CredentialKind::Key,
            name: name.to_owned(),
            material: key.jwk().to_string(),
            created_at: self.parts().clock.now(),
            revoked_at: None,
        };
        self.add_credential(client, credential, MOST_KEYS).await
    }

    /// Makes a client secret. This is the only time anybody sees the whole of it. A committer must be running.
    ///
    /// # Errors
    /// [`CredentialError`].
    pub async fn add_partner_secret(&self, client: &ClientId, name: &str) -> Result<BearerKey, CredentialError> {
        let parts = self.parts();
        let secret = BearerKey::new(KeyKind::Partner, draw(), draw());
        let credential = Credential {
            id: secret.id().to_owned(),
            kind: CredentialKind::Secret,
            name: name.to_owned(),
            material: hashed(&parts.keys, &secret),
            created_at: parts.clock.now(),
            revoked_at: None,
        };
        self.add_credential(client, credential, MOST_SECRETS).await?;
        Ok(secret)
    }

    async fn add_credential(
        &self,
        client: &ClientId,
        credential: Credential,
        most: u32,
    ) -> Result<Credential, CredentialError> {
        let partner = self.partner(client).await?;
        let turn = self.turn().await.map_err(PartnerError::from)?;
        let added = credentials::add(&self.parts().store, partner.id, &credential, most).await;
        drop(turn);
        match added.map_err(PartnerError::from)? {
            Added::Done => Ok(credential),
            Added::Full => Err(CredentialError::Full(most)),
            Added::Known => Err(CredentialError::Known),
        }
    }

    /// Every key and secret of a partner, the oldest first.
    ///
    /// # Errors
    /// [`PartnerError`].
    pub async fn partner_credentials(&self, client: &ClientId) -> Result<Vec<Credential>, PartnerError> {
        let partner = self.partner(client).await?;
        Ok(credentials::of(&self.parts().store, partner.id).await?)
    }

    /// Takes a key or secret back: from now on it opens nothing. Tokens it was given live on until they end.
    ///
    /// # Errors
    /// [`CredentialError`].
    pub async fn revoke_credential(
        &self,
        client: &ClientId,
        kind: CredentialKind,
        id: &str,
    ) -> Result<(), CredentialError> {
        let partner = self.partner(client).await?;
        let parts = self.parts();
        let done = credentials::revoke(&parts.store, partner.id, (kind, id), parts.clock.now()).await;
        if done.map_err(PartnerError::from)? { Ok(()) } else { Err(CredentialError::NoneSuch(id.to_owned())) }
    }
}
