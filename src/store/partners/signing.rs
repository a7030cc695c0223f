//! Which keys sign access tokens. The keys themselves follow from the keyring and their number.

use crate::domain::ids::{from_millis, millis};
use crate::store::config::{end, ints, run, run_one};
use crate::store::{Store, StoreError};
use chrono::{DateTime, Utc};
use sea_orm::{FromQueryResult, Value};

/// A signing key's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKeyRow {
    /// Its number; its seed follows from it.
    pub number: u32,
    /// Its thumbprint.
    pub kid: String,
    /// When it signs first; it is published before.
    pub signs_from: DateTime<Utc>,
    /// When nothing that it signed is good any more.
    pub retired_at: Option<DateTime<Utc>>,
}

#[derive(FromQueryResult)]
struct Row {
    key_no: i64,
    kid: String,
    signs_from: i64,
    retired_at: Option<i64>,
}

fn read(row: Row) -> Result<SigningKeyRow, StoreError> {
    let bad = |_| StoreError::BadRow { table: "signing_key", column: "key_no", id: row.key_no.to_string() };
    Ok(SigningKeyRow {
        number: u32::try_from(row.key_no).map_err(bad)?,
        kid: row.kid,
        signs_from: from_millis(row.signs_from),
        retired_at: row.retired_at.map(from_millis),
    })
}

/// Every key that is not retired by `now`, the newest last.
///
/// # Errors
/// What the database says; [`StoreError::BadRow`].
pub async fn live(store: &Store, now: DateTime<Utc>) -> Result<Vec<SigningKeyRow>, StoreError> {
    let sql = "SELECT key_no, kid, signs_from, retired_at FROM signing_key
        WHERE retired_at IS NULL OR retired_at > $1 ORDER BY signs_from, key_no";
    let rows = Row::find_by_statement(store.statement(sql, [millis(now).into()])).all(store.read()).await?;
    rows.into_iter().map(read).collect()
}

/// When a new key signs, and when the others retire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// When it is decided.
    pub now: DateTime<Utc>,
    /// When the new one signs first.
    pub signs_from: DateTime<Utc>,
    /// When the others retire.
    pub retire_at: DateTime<Utc>,
}

/// Adds a key whose thumbprint `kid` tells of its number, and lets the others retire. With `only_first` it is added
/// only where there is none. Answers with its number.
///
/// # Errors
/// As [`super::create`].
pub async fn rotate(
    store: &Store,
    rotation: Rotation,
    kid: impl Fn(u32) -> String + Send,
    only_first: bool,
) -> Result<Option<u32>, StoreError> {
    let tx = store.begin_change().await?;
    if store.locks_rows() {
        run(&tx, "SELECT 1 FROM catalog FOR UPDATE", vec![]).await?;
    }
    let sql = "SELECT CAST(COALESCE(MAX(key_no), 0) + 1 AS BIGINT) AS n FROM signing_key";
    let next = ints(&tx, sql, vec![]).await?.and_then(|next| u32::try_from(next).ok()).unwrap_or(1);
    if only_first && next != 1 {
        return Ok(None);
    }
    let sql = "UPDATE signing_key SET retired_at = $1 WHERE retired_at IS NULL OR retired_at > $1";
    run(&tx, sql, vec![millis(rotation.retire_at).into()]).await?;
    let sql = "INSERT INTO signing_key (key_no, kid, created_at, signs_from) VALUES ($1, $2, $3, $4)";
    let (now, from) = (millis(rotation.now), millis(rotation.signs_from));
    let values: Vec<Value> = vec![next.into(), kid(next).into(), now.into(), from.into()];
    run_one(&tx, sql, values).await?;
    end(tx).await?;
    Ok(Some(next))
}
