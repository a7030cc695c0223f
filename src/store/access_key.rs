//! Keys by which tills and admins prove who they are; only a keyed hash of each is kept.

use crate::domain::ids::{from_millis, millis};
use crate::store::{Store, StoreError};
use chrono::{DateTime, Utc};
use codewell_entity::access_key;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

/// An access key as the database keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// Its public part.
    pub id: String,
    /// What it opens: `till`, `admin`.
    pub kind: String,
    /// Whose it is, in words.
    pub name: String,
    /// The keyed hash of the whole key.
    pub hash: Vec<u8>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was taken back.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// Writes a new key.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(store: &Store, key: AccessKey) -> Result<(), StoreError> {
    let row = access_key::ActiveModel {
        key_id: Set(key.id),
        kind: Set(key.kind),
        name: Set(key.name),
        hash: Set(key.hash),
        created_at: Set(millis(key.created_at)),
        revoked_at: Set(key.revoked_at.map(millis)),
    };
    let change = store.begin_change().await?;
    access_key::Entity::insert(row).exec_without_returning(&change).await?;
    Ok(change.commit().await?)
}

/// The key of that id, taken back or not.
///
/// # Errors
/// [`StoreError`].
pub async fn find(store: &Store, id: &str) -> Result<Option<AccessKey>, StoreError> {
    let row = access_key::Entity::find_by_id(id).one(store.read()).await?;
    Ok(row.map(read))
}

/// Every key, the oldest first.
///
/// # Errors
/// [`StoreError`].
pub async fn list(store: &Store) -> Result<Vec<AccessKey>, StoreError> {
    let rows = access_key::Entity::find()
        .order_by_asc(access_key::Column::CreatedAt)
        .order_by_asc(access_key::Column::KeyId)
        .all(store.read())
        .await?;
    Ok(rows.into_iter().map(read).collect())
}

/// Takes a key back; `false` when there is no such key or it was taken back before.
///
/// # Errors
/// [`StoreError`].
pub async fn revoke(store: &Store, id: &str, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let change = store.begin_change().await?;
    let done = access_key::Entity::update_many()
        .col_expr(access_key::Column::RevokedAt, Expr::value(millis(now)))
        .filter(access_key::Column::KeyId.eq(id))
        .filter(access_key::Column::RevokedAt.is_null())
        .exec(&change)
        .await?;
    change.commit().await?;
    Ok(done.rows_affected == 1)
}

fn read(row: access_key::Model) -> AccessKey {
    AccessKey {
        id: row.key_id,
        kind: row.kind,
        name: row.name,
        hash: row.hash,
        created_at: from_millis(row.created_at),
        revoked_at: row.revoked_at.map(from_millis),
    }
}
