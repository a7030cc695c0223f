//! One unmoving picture of the database, and rows read from it.

use super::{Check, MOST};
use crate::store::StoreError;
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, IsolationLevel, QueryResult,
    Statement, TransactionTrait, Value,
};

/// Rows in a page: enough that the round trip does not show, a few megabytes at most.
pub(super) const PAGE: usize = 10_000;

/// A transaction that only reads and sees one state of the database.
pub(super) struct Snapshot {
    transaction: DatabaseTransaction,
}

/// One row; columns are named by their place, from 0.
pub(super) struct Row(QueryResult);

impl Snapshot {
    /// PostgreSQL: REPEATABLE READ, read only. SQLite: a deferred transaction, which sees the state of its first read.
    #[expect(clippy::disallowed_methods, reason = "it only reads: no lock, no order, no queue")]
    pub(super) async fn take(db: &DatabaseConnection) -> Result<Self, StoreError> {
        let transaction = if db.get_database_backend() == DbBackend::Postgres {
            db.begin_with_config(Some(IsolationLevel::RepeatableRead), Some(AccessMode::ReadOnly)).await?
        } else {
            db.begin().await?
        };
        Ok(Self { transaction })
    }

    pub(super) async fn close(self) -> Result<(), StoreError> {
        Ok(self.transaction.rollback().await?)
    }

    /// The rows of a query whose parameters are written `$1`, `$2`, … on both databases.
    pub(super) async fn rows(&self, sql: &str, values: Vec<Value>) -> Result<Vec<Row>, StoreError> {
        let statement = Statement::from_sql_and_values(self.transaction.get_database_backend(), sql, values);
        let rows = self.transaction.query_all_raw(statement).await?;
        Ok(rows.into_iter().map(Row).collect())
    }

    pub(super) async fn count(&self, table: &str) -> Result<u64, StoreError> {
        let rows = self.rows(&format!("SELECT count(*) FROM {table}"), Vec::new()).await?;
        let count = rows.first().map_or(Ok(0), |row| row.int(0))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// A check whose query answers with the breaches alone, each told by `say`.
    pub(super) async fn breaches(
        &self,
        name: &'static str,
        rows: u64,
        sql: &str,
        say: impl Fn(&Row) -> Result<String, StoreError>,
    ) -> Result<Check, StoreError> {
        let mut check = Check::new(name, rows);
        for row in self.rows(&format!("{sql} LIMIT {}", MOST + 1), Vec::new()).await? {
            check.breach(say(&row)?);
        }
        Ok(check)
    }
}

impl Row {
    pub(super) fn int(&self, column: usize) -> Result<i64, StoreError> {
        Ok(self.0.try_get_by_index(column)?)
    }

    pub(super) fn maybe_int(&self, column: usize) -> Result<Option<i64>, StoreError> {
        Ok(self.0.try_get_by_index(column)?)
    }

    pub(super) fn text(&self, column: usize) -> Result<String, StoreError> {
        Ok(self.0.try_get_by_index(column)?)
    }

    pub(super) fn maybe_text(&self, column: usize) -> Result<Option<String>, StoreError> {
        Ok(self.0.try_get_by_index(column)?)
    }

    pub(super) fn bytes(&self, column: usize) -> Result<Vec<u8>, StoreError> {
        Ok(self.0.try_get_by_index(column)?)
    }

    /// The code at three columns from `column` on: campaign, pool, position.
    pub(super) fn spot(&self, column: usize) -> Result<String, StoreError> {
        Ok(spot(self.int(column)?, self.int(column + 1)?, self.int(column + 2)?))
    }
}

/// How a sentence names a code.
pub(super) fn spot(campaign: i64, pool: i64, position: i64) -> String {
    format!("code {campaign}/{pool}/{position} (campaign/pool/position)")
}

/// How a sentence names bytes.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
