//! How partners prove who they are: keys and secrets, assertions that were used, tokens that were taken back.

use crate::domain::ids::{PartnerId, from_millis, millis};
use crate::store::{Store, StoreError};
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, FromQueryResult, Value};

/// What a partner proves itself by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialKind {
    /// A public key; its material is the JWK.
    Key,
    /// A client secret; its material is the keyed hash, in hexadecimal.
    Secret,
}

impl CredentialKind {
    /// The word that tables use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Key => "jwk",
            Self::Secret => "secret",
        }
    }
}

/// A key or secret as the database keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// A key's thumbprint, a secret's public part.
    pub id: String,
    /// Which of the two.
    pub kind: CredentialKind,
    /// What people call it.
    pub name: String,
    /// See [`CredentialKind`].
    pub material: String,
    /// When it was registered.
    pub created_at: DateTime<Utc>,
    /// When it was taken back.
    pub revoked_at: Option<DateTime<Utc>>,
}

#[derive(FromQueryResult)]
struct Row {
    key_id: String,
    kind: String,
    name: String,
    material: String,
    created_at: i64,
    revoked_at: Option<i64>,
}

fn read(row: Row) -> Result<Credential, StoreError> {
    let kind = [CredentialKind::Key, CredentialKind::Secret].into_iter().find(|kind| kind.word() == row.kind);
    let bad = || StoreError::BadRow { table: "partner_key", column: "kind", id: row.key_id.clone() };
    Ok(Credential {
        kind: kind.ok_or_else(bad)?,
        id: row.key_id,
        name: row.name,
        material: row.material,
        created_at: from_millis(row.created_at),
        revoked_at: row.revoked_at.map(from_millis),
    })
}

/// What became of a new credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// It is there.
    Done,
    /// So many live ones of its kind are the most.
    Full,
    /// The same key is registered already, or was.
    Known,
}

/// Writes a new credential, unless the partner has `most` live ones of the kind. A committer's turn must be held.
///
/// # Errors
/// What the database says.
pub async fn add(store: &Store, partner: PartnerId, new: &Credential, most: u32) -> Result<Added, StoreError> {
    let tx = store.begin_change().await?;
    if store.locks_rows() {
        let sql = "SELECT 1 FROM partner WHERE partner_id = $1 FOR NO KEY UPDATE";
        tx.execute_raw(store.statement(sql, [partner.0.into()])).await?;
    }
    let sql = "SELECT COUNT(*) AS n FROM partner_key WHERE key_id = $1";
    let count = async |sql: &str, values: Vec<Value>| -> Result<i64, StoreError> {
        let row = tx.query_one_raw(store.statement(sql, values)).await?;
        Ok(row.map(|row| row.try_get::<i64>("", "n")).transpose()?.unwrap_or(0))
    };
    if count(sql, vec![new.id.as_str().into()]).await? != 0 {
        return Ok(Added::Known);
    }
    let sql = "SELECT COUNT(*) AS n FROM partner_key WHERE partner_id = $1 AND kind = $2 AND revoked_at IS NULL";
    if count(sql, vec![partner.0.into(), new.kind.word().into()]).await? >= i64::from(most) {
        return Ok(Added::Full);
    }
    let sql = "INSERT INTO partner_key (key_id, partner_id, kind, name, material, created_at)
        VALUES ($1, $2, $3, $4, $5, $6)";
    let values: [Value; 6] = [
        new.id.as_str().into(),
        partner.0.into(),
        new.kind.word().into(),
        new.name.as_str().into(),
        new.material.as_str().into(),
        millis(new.created_at).into(),
    ];
    tx.execute_raw(store.statement(sql, values)).await?;
    tx.commit().await?;
    Ok(Added::Done)
}

/// Every credential of a partner, the oldest first.
///
/// # Errors
/// What the database says; [`StoreError::BadRow`].
pub async fn of(store: &Store, partner: PartnerId) -> Result<Vec<Credential>, StoreError> {
    let sql = "SELECT key_id, kind, name, material, created_at, revoked_at FROM partner_key WHERE partner_id = $1
        ORDER BY created_at, key_id";
    let rows = Row::find_by_statement(store.statement(sql, [partner.0.into()])).all(store.read()).await?;
    rows.into_iter().map(read).collect()
}

/// Takes a credential of a partner back; `false` when there is none such that still opens anything.
///
/// # Errors
/// What the database says.
pub async fn revoke(
    store: &Store,
    partner: PartnerId,
    (kind, id): (CredentialKind, &str),
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let sql = "UPDATE partner_key SET revoked_at = $4
        WHERE partner_id = $1 AND kind = $2 AND key_id = $3 AND revoked_at IS NULL";
    let values: [Value; 4] = [partner.0.into(), kind.word().into(), id.into(), millis(now).into()];
    let done = store.write().execute_raw(store.statement(sql, values)).await?;
    Ok(done.rows_affected() == 1)
}

/// Uses an assertion up; `false` when it was used before, in any process.
///
/// # Errors
/// What the database says.
pub async fn use_assertion(
    store: &Store,
    partner: PartnerId,
    jti: &str,
    until: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let sql = "INSERT INTO used_assertion (partner_id, jti, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    let values: [Value; 3] = [partner.0.into(), jti.into(), millis(until).into()];
    let done = store.write().execute_raw(store.statement(sql, values)).await?;
    Ok(done.rows_affected() == 1)
}

/// Takes a token back until it would have ended by itself.
///
/// # Errors
/// What the database says.
pub async fn revoke_token(store: &Store, jti: &str, until: DateTime<Utc>) -> Result<(), StoreError> {
    let sql = "INSERT INTO revoked_token (jti, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    store.write().execute_raw(store.statement(sql, [jti.into(), millis(until).into()])).await?;
    Ok(())
}

/// A call that was not let in, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthFailure {
    /// The id that its answer carried.
    pub request_id: String,
    /// When.
    pub failed_at: DateTime<Utc>,
    /// Why, in words.
    pub reason: String,
    /// Who it said it was, where that is a client id.
    pub client: Option<String>,
}

/// Writes failures down.
///
/// # Errors
/// What the database says.
pub async fn note_failures(store: &Store, failures: &[AuthFailure]) -> Result<(), StoreError> {
    if failures.is_empty() {
        return Ok(());
    }
    let row = |at: usize| format!("(${}, ${}, ${}, ${})", 4 * at + 1, 4 * at + 2, 4 * at + 3, 4 * at + 4);
    let rows: Vec<_> = (0..failures.len()).map(row).collect();
    let sql = format!(
        "INSERT INTO auth_failure (request_id, failed_at, reason, client_id) VALUES {} ON CONFLICT DO NOTHING",
        rows.join(", ")
    );
    let values = failures.iter().flat_map(|failure| {
        let when = millis(failure.failed_at);
        let reason = failure.reason.as_str();
        [failure.request_id.as_str().into(), when.into(), reason.into(), failure.client.clone().into()]
    });
    store.write().execute_raw(store.statement(&sql, values)).await?;
    Ok(())
}

/// The failure of a request; `None` when it did not fail so, or long ago.
///
/// # Errors
/// What the database says.
pub async fn failure(store: &Store, request_id: &str) -> Result<Option<AuthFailure>, StoreError> {
    let sql = "SELECT failed_at, reason, client_id FROM auth_failure WHERE request_id = $1";
    let Some(row) = store.read().query_one_raw(store.statement(sql, [request_id.into()])).await? else {
        return Ok(None);
    };
    Ok(Some(AuthFailure {
        request_id: request_id.to_owned(),
        failed_at: from_millis(row.try_get("", "failed_at")?),
        reason: row.try_get("", "reason")?,
        client: row.try_get("", "client_id")?,
    }))
}

/// Drops assertions and tokens that have ended by themselves, and failures older than `since`.
///
/// # Errors
/// What the database says.
pub async fn prune(store: &Store, now: DateTime<Utc>, since: DateTime<Utc>) -> Result<(), StoreError> {
    for (sql, before) in [
        ("DELETE FROM used_assertion WHERE expires_at < $1", now),
        ("DELETE FROM revoked_token WHERE expires_at < $1", now),
        ("DELETE FROM auth_failure WHERE failed_at < $1", since),
    ] {
        store.write().execute_raw(store.statement(sql, [millis(before).into()])).await?;
    }
    Ok(())
}
