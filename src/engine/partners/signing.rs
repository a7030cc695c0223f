//! The keys that sign access tokens: derived from the keyring by number, so that no private key is stored; published
//! before they sign, kept until nothing they signed is good any more.

use super::jws::{Flaw, LEEWAY_S};
use super::public_key::PublicKey;
use super::tokens::LIFE_S;
use crate::domain::keyring::Keys;
use crate::engine::{Engine, EngineError};
use crate::store::partners::signing::{self, Rotation, SigningKeyRow};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};
use std::sync::Arc;

/// Whoever verifies our tokens may keep the published keys for 15 minutes; a new one is published four times as long.
const PUBLISHED_BEFORE: Duration = Duration::hours(1);

/// When a new key takes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakeOver {
    /// In an hour, when everybody knows it; tokens of the old one live on until they end.
    Smoothly,
    /// Now, and every token of the old ones is worth nothing: a key is in the wrong hands.
    AtOnce,
}

/// One key, in memory.
pub(super) struct SigningKey {
    pub(super) pair: Ed25519KeyPair,
    pub(super) public: PublicKey,
}

impl SigningKey {
    #[expect(clippy::expect_used, reason = "every 32 bytes are a seed of Ed25519")]
    pub(super) fn of(keys: &Keys, number: u32) -> Self {
        let seed = keys.derive(&format!("access-token/{number}"));
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).expect("32 bytes are a seed");
        let public = PublicKey::Ed25519(pair.public_key().as_ref().to_vec());
        Self { pair, public }
    }
}

/// A key as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedKey {
    /// Its number.
    pub number: u32,
    /// Its thumbprint.
    pub kid: String,
    /// When it signs first.
    pub signs_from: DateTime<Utc>,
    /// When it is gone.
    pub retired_at: Option<DateTime<Utc>>,
}

impl Engine {
    /// The keys by which everybody can verify our tokens, as a JWK set: those that signed what is still good, the one
    /// that signs, and the next.
    ///
    /// # Errors
    /// What the database says.
    pub async fn signing_jwks(&self) -> Result<Value, EngineError> {
        let keys = &self.parts().keys;
        let live = self.live_signing_keys().await?;
        let jwk = |row: &SigningKeyRow| SigningKey::of(keys, row.number).public.jwk();
        Ok(json!({ "keys": live.iter().map(jwk).collect::<Vec<_>>() }))
    }

    /// The same keys, for people.
    ///
    /// # Errors
    /// What the database says.
    pub async fn signing_keys(&self) -> Result<Vec<PublishedKey>, EngineError> {
        let live = self.live_signing_keys().await?;
        let shown = live.into_iter().map(|row| {
            let SigningKeyRow { number, kid, signs_from, retired_at } = row;
            PublishedKey { number, kid, signs_from, retired_at }
        });
        Ok(shown.collect())
    }

    /// Brings in a new signing key; answers with its number. A committer must be running.
    ///
    /// # Errors
    /// What the database says.
    pub async fn rotate_signing_key(&self, take_over: TakeOver) -> Result<u32, EngineError> {
        self.live_signing_keys().await?;
        let now = self.parts().clock.now();
        let rotation = match take_over {
            TakeOver::AtOnce => Rotation { now, signs_from: now, retire_at: now },
            TakeOver::Smoothly => {
                let signs_from = now + PUBLISHED_BEFORE;
                // The last token of the old one is signed just before, and clocks may differ.
                let retire_at = signs_from + Duration::seconds(LIFE_S + 2 * LEEWAY_S);
                Rotation { now, signs_from, retire_at }
            }
        };
        let number = self.add_signing_key(rotation, false).await?;
        Ok(number.unwrap_or_default())
    }

    async fn add_signing_key(&self, rotation: Rotation, only_first: bool) -> Result<Option<u32>, EngineError> {
        let parts = self.parts();
        let kid = |number| SigningKey::of(&parts.keys, number).public.thumbprint();
        let turn = self.turn().await?;
        let added = signing::rotate(&parts.store, rotation, kid, only_first).await;
        drop(turn);
        Ok(added?)
    }

    pub(super) async fn live_signing_keys(&self) -> Result<Vec<SigningKeyRow>, EngineError> {
        let parts = self.parts();
        let now = parts.clock.now();
        let live = signing::live(&parts.store, now).await?;
        if !live.is_empty() {
            return Ok(live);
        }
        // The very first token of a house: its key signs at once.
        self.add_signing_key(Rotation { now, signs_from: now, retire_at: now }, true).await?;
        Ok(signing::live(&parts.store, now).await?)
    }

    /// The key that signs now.
    pub(super) async fn signer(&self) -> Result<SigningKey, EngineError> {
        let parts = self.parts();
        let now = parts.clock.now();
        let live = self.live_signing_keys().await?;
        let signs = live.iter().rev().find(|row| row.signs_from <= now).or_else(|| live.first());
        Ok(SigningKey::of(&parts.keys, signs.map_or(1, |row| row.number)))
    }

    /// The public key of that name. Whether it is retired by now is asked with the partner.
    pub(super) async fn verifier(&self, kid: &str) -> Result<Result<Arc<PublicKey>, Flaw>, EngineError> {
        if let Some(known) = self.shared.token_keys.get(kid) {
            return Ok(Ok(known));
        }
        let parts = self.parts();
        let live = signing::live(&parts.store, parts.clock.now()).await?;
        let Some(row) = live.into_iter().find(|row| row.kid == kid) else {
            return Ok(Err(Flaw::Kid));
        };
        let key = Arc::new(SigningKey::of(&parts.keys, row.number).public);
        self.shared.token_keys.insert(row.kid, Arc::clone(&key));
        Ok(Ok(key))
    }
}
