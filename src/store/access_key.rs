//! Keys by which tills prove who they are; only a keyed hash of each is kept.

use super::{Store, StoreError};
use crate::domain::ids::{from_millis, millis};
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, QueryResult, Statement, Value};

/// An access key as the database keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// Its public part, 12 characters.
    pub id: String,
    /// What it opens: `till`.
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

const COLUMNS: &str = "key_id, kind, name, hash, created_at, revoked_at";

/// Writes a new key.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(store: &Store, key: &AccessKey) -> Result<(), StoreError> {
    let text = format!("INSERT INTO access_key ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6)");
    let values: [Value; 6] = [
        key.id.clone().into(),
        key.kind.clone().into(),
        key.name.clone().into(),
        key.hash.clone().into(),
        millis(key.created_at).into(),
        key.revoked_at.map(millis).into(),
    ];
    run(store, &text, values).await?;
    Ok(())
}

/// The key of that id, revoked or not.
///
/// # Errors
/// [`StoreError`].
pub async fn find(store: &Store, id: &str) -> Result<Option<AccessKey>, StoreError> {
    let text = format!("SELECT {COLUMNS} FROM access_key WHERE key_id = $1");
    let connection = store.read();
    let backend = connection.get_database_backend();
    let statement = Statement::from_sql_and_values(backend, text, [id.into()]);
    let row = connection.query_one_raw(statement).await?;
    row.as_ref().map(read).transpose()
}

/// Every key, the oldest first.
///
/// # Errors
/// [`StoreError`].
pub async fn list(store: &Store) -> Result<Vec<AccessKey>, StoreError> {
    let text = format!("SELECT {COLUMNS} FROM access_key ORDER BY created_at, key_id");
    let connection = store.read();
    let statement = Statement::from_string(connection.get_database_backend(), text);
    let rows = connection.query_all_raw(statement).await?;
    rows.iter().map(read).collect()
}

/// Takes a key back; `false` when there is no such key or it was taken back before.
///
/// # Errors
/// [`StoreError`].
pub async fn revoke(store: &Store, id: &str, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let text = "UPDATE access_key SET revoked_at = $1 WHERE key_id = $2 AND revoked_at IS NULL";
    Ok(run(store, text, [millis(now).into(), id.into()]).await? == 1)
}

async fn run(
    store: &Store,
    text: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<u64, StoreError> {
    let change = store.begin_change().await?;
    let statement = Statement::from_sql_and_values(change.get_database_backend(), text, values);
    let done = change.execute_raw(statement).await?;
    change.commit().await?;
    Ok(done.rows_affected())
}

fn read(row: &QueryResult) -> Result<AccessKey, StoreError> {
    Ok(AccessKey {
        id: row.try_get_by_index(0)?,
        kind: row.try_get_by_index(1)?,
        name: row.try_get_by_index(2)?,
        hash: row.try_get_by_index(3)?,
        created_at: from_millis(row.try_get_by_index(4)?),
        revoked_at: row.try_get_by_index::<Option<i64>>(5)?.map(from_millis),
    })
}
