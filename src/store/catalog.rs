//! Loads the configuration.

use crate::domain::catalog::{Catalog, Limits};
use crate::domain::keyring::Keys;
use crate::store::{Store, StoreError};

/// Everything that is configured.
///
/// # Errors
/// [`StoreError`] when it cannot be read.
pub async fn load(
    _store: &Store,
    _keys: &Keys,
    _public_url: &str,
    _limits: Limits,
) -> Result<Catalog, StoreError> {
    Err(StoreError::Stale)
}

/// The version of the configuration.
///
/// # Errors
/// [`StoreError`] when it cannot be read.
pub async fn version(_store: &Store) -> Result<i64, StoreError> {
    Err(StoreError::Stale)
}
