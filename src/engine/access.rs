//! Who may call: keys of tills.

use super::{Engine, EngineError, draw};
use crate::domain::access_key::TillKey;
use crate::store::access_key::{self, AccessKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;

/// What the table calls a till's key.
const TILL: &str = "till";

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
        let Some(key) = TillKey::parse(presented) else {
            return Ok(None);
        };
        let parts = self.parts();
        let Some(row) = access_key::find(&parts.store, key.id()).await? else {
            return Ok(None);
        };
        let hash = parts.keys.bearer_hash(key.expose());
        let is_hers = verify_slices_are_equal(&hash, &row.hash).is_ok();
        let is_good = is_hers && row.kind == TILL && row.revoked_at.is_none();
        Ok(is_good.then_some(Till { id: row.id, name: row.name }))
    }

    /// Makes a till's key. This is the only time anybody sees the whole of it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn create_till_key(&self, name: &str) -> Result<TillKey, EngineError> {
        let parts = self.parts();
        let key = TillKey::new(draw(), draw());
        let row = AccessKey {
            id: key.id().to_owned(),
            kind: TILL.to_owned(),
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
