//! Whether the tables are there and of this release, and how they become so.

use super::tx::Writers;
use super::{Store, StoreError};
use codewell_migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, SqlxPostgresConnector, Statement};
use sqlx::postgres::PgPoolOptions;

/// The state of a database's tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tables {
    /// There are none: nobody has used this database yet.
    None,
    /// They were made by an older release; so many changes are still to come.
    Older(usize),
    /// They are of this release.
    Current,
}

/// The number under which servers that share a PostgreSQL take turns at its tables: any will do that nobody else takes.
const MIGRATION_LOCK: i64 = 0x0063_6f64_6577_656c;

impl Store {
    /// Brings the tables to the newest form. Of several servers that do so at once on PostgreSQL one does, the others
    /// wait; on SQLite a server has its file to itself.
    ///
    /// # Errors
    /// [`StoreError`] when a change fails; each one is a transaction of its own.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let Writers::Postgres(writers) = &self.writers else {
            return Ok(Migrator::up(self.write(), None).await?);
        };
        // A session of its own: it may take as long as it takes, and its end gives the lock back, however it ends.
        let unlimited =
            [("statement_timeout", "0"), ("lock_timeout", "0"), ("idle_in_transaction_session_timeout", "0")];
        let session = writers.connect_options().as_ref().clone().options(unlimited);
        let one = PgPoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
        let session = SqlxPostgresConnector::from_sqlx_postgres_pool(one.connect_with(session).await?);
        session.execute_unprepared(&format!("SELECT pg_advisory_lock({MIGRATION_LOCK})")).await?;
        let done = Migrator::up(&session, None).await;
        session.close_by_ref().await?;
        Ok(done?)
    }

    /// Looks at the tables without changing anything.
    ///
    /// # Errors
    /// [`StoreError`]; also when they were made by a newer release.
    pub async fn tables(&self) -> Result<Tables, StoreError> {
        let known = Migrator::migrations().len();
        let pending = Migrator::get_pending_migrations_read_only(self.read()).await?.len();
        Ok(match pending {
            0 => Tables::Current,
            all if all == known => Tables::None,
            some => Tables::Older(some),
        })
    }

    /// Closes every connection, of all clones too. The embedded database then is one file again, with nothing beside it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn close(&self) -> Result<(), StoreError> {
        self.read().close_by_ref().await?;
        Ok(self.write().close_by_ref().await?)
    }

    /// The sealed phone of some person: it says which keyring the database belongs to. `None` while there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn any_sealed_phone(&self) -> Result<Option<Vec<u8>>, StoreError> {
        let text = "SELECT phone_ciphertext FROM recipient WHERE phone_ciphertext IS NOT NULL LIMIT 1";
        let connection = self.read();
        let statement = Statement::from_string(connection.get_database_backend(), text);
        let row = connection.query_one_raw(statement).await?;
        Ok(row.map(|row| row.try_get_by_index(0)).transpose()?)
    }
}
