//! Who may call: keys of tills and of whoever runs the house.

use super::{Engine, EngineError, draw};
use crate::domain::access_key::{BearerKey, KeyKind};
use crate::store::access_key::{self, AccessKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;

/// A till that proved who it is; only [`Engine::till`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Till {
    id: String,
    name: String,
}

impl Till {
    /// The public part of its key; its door is `till-<id>`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Where the keys of its requests are told apart.
    #[must_use]
    pub fn door(&self) -> String {
        format!("till-{}", self.id)
    }

    /// Whose it is, in words.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Whoever runs the house, proved by an admin key; only [`Engine::admin`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admin {
    id: String,
    name: String,
}

impl Admin {
    /// The public part of its key.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whose it is, in words.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Engine {
    /// The till whose key this is. Unknown, taken back and of another form are all nothing.
    ///
    /// # Errors
    /// What the database says.
    pub async fn till(&self, presented: &str) -> Result<Option<Till>, EngineError> {
        let row = self.key_of(KeyKind::Till, presented).await?;
        Ok(row.map(|row| Till { id: row.id, name: row.name }))
    }

    /// The person or program that runs the house with this key. Unknown, taken back and of another form are all
    /// nothing.
    ///
    /// # Errors
    /// What the database says.
    pub async fn admin(&self, presented: &str) -> Result<Option<Admin>, EngineError> {
        let row = self.key_of(KeyKind::Admin, presented).await?;
        Ok(row.map(|row| Admin { id: row.id, name: row.name }))
    }

    async fn key_of(&self, kind: KeyKind, presented: &str) -> Result<Option<AccessKey>, EngineError> {
        let Some(key) = BearerKey::parse(kind, presented) else {
            return Ok(None);
        };
        let parts = self.parts();
        let Some(row) = access_key::find(&parts.store, key.id()).await? else {
            return Ok(None);
        };
        let hash = parts.keys.bearer_hash(key.expose());
        let is_hers = verify_slices_are_equal(&hash, &row.hash).is_ok();
        let is_good = is_hers && row.kind == kind.word() && row.revoked_at.is_none();
        Ok(is_good.then_some(row))
    }

    /// Makes a till's key. This is the only time anybody sees the whole of it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn create_till_key(&self, name: &str) -> Result<BearerKey, EngineError> {
        self.create_key(KeyKind::Till, name).await
    }

    /// Makes a key of the admin API. This is the only time anybody sees the whole of it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn create_admin_key(&self, name: &str) -> Result<BearerKey, EngineError> {
        self.create_key(KeyKind::Admin, name).await
    }

    async fn create_key(&self, kind: KeyKind, name: &str) -> Result<BearerKey, EngineError> {
        let parts = self.parts();
        let key = BearerKey::new(kind, draw(), draw());
        let row = AccessKey {
            id: key.id().to_owned(),
            kind: kind.word().to_owned(),
            name: name.to_owned(),
            hash: parts.keys.bearer_hash(key.expose()).to_vec(),
            created_at: parts.clock.now(),
            revoked_at: None,
        };
        access_key::insert(&parts.store, row).await?;
        Ok(key)
    }

    /// Every access key, the oldest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn access_keys(&self) -> Result<Vec<AccessKey>, EngineError> {
        Ok(access_key::list(&self.parts().store).await?)
    }

    /// Takes an access key back; `false` when there is none of that id, or it was taken back before.
    ///
    /// # Errors
    /// What the database says.
    pub async fn revoke_access_key(&self, id: &str) -> Result<bool, EngineError> {
        let parts = self.parts();
        Ok(access_key::revoke(&parts.store, id, parts.clock.now()).await?)
    }
}
