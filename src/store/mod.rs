//! The database wing: the only place that knows SQL.

pub mod access_key;
pub mod alerts;
pub mod allocations;
pub mod audit;
pub mod batch;
mod bulk;
pub mod campaign_status;

pub mod catalog;
mod catch_up;
pub mod claims;
pub mod codes;
pub mod config;
pub mod counts;
pub mod credit_report;
pub mod desk;
mod error;
pub mod explain;
mod feed;
pub mod health;
pub mod holds;
pub mod ledger;
pub mod outbox;
pub mod partner_reports;
pub mod partners;
pub mod peers;
mod prune;
pub mod requests;
pub mod sandbox;
mod sending;
pub mod spool;
mod tables;
mod tx;
pub mod verification;
pub mod webhooks;
pub mod words;

pub use error::StoreError;
pub use tables::Tables;
pub use tx::{Counters, Tx};

use crate::domain::ids::Subject;
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, SqliteTransactionMode, Statement,
    TransactionOptions, TransactionTrait,
};
use std::sync::Arc;
use std::time::Duration;
use tx::Writers;

/// How to reach the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// `sqlite:PATH` or `postgres://…`.
    pub url: String,
    /// Connections for reading; PostgreSQL also writes changes by people through them.
    pub readers: u32,
    /// How long to wait for a connection.
    pub acquire: Duration,
    /// The longest statement of a writer (PostgreSQL). Longer than `lock`, so that a lock is given up first.
    pub statement: Duration,
    /// The longest wait for a row's lock (PostgreSQL).
    pub lock: Duration,
    /// The longest idle spell of a writer inside a transaction (PostgreSQL).
    pub idle_in_transaction: Duration,
    /// The longest wait for another process's write (SQLite).
    pub busy: Duration,
}

impl Options {
    /// The settings that nobody has changed.
    #[must_use]
    pub fn new(url: String) -> Self {
        Self {
            url,
            readers: 8,
            acquire: Duration::from_secs(1),
            statement: Duration::from_secs(10),
            lock: Duration::from_secs(2),
            idle_in_transaction: Duration::from_secs(10),
            busy: Duration::from_secs(5),
        }
    }
}

/// One database, with a way in for writers and one for readers.
#[derive(Debug, Clone)]
pub struct Store {
    write: DatabaseConnection,
    read: DatabaseConnection,
    writers: Writers,
    /// How much work the hot path gave the database.
    pub counters: Arc<Counters>,
}

/// Every key lies in an index and no batch is larger than 512 rows: a plan that scans a table is always wrong here,
/// whatever the statistics of a young table say (performance.md of the design, section 3: the wrong plan costs 300 x).
const POSTGRES_SETTINGS: &[(&str, &str)] =
    &[("enable_seqscan", "off"), ("enable_hashjoin", "off"), ("enable_mergejoin", "off"), ("jit", "off")];

/// PostgreSQL writes from two places at once: the committer and a change that waits for its locks; the sender's claims
/// come between.
const POSTGRES_WRITERS: u32 = 3;

impl Store {
    /// Opens the database; a SQLite file is made where there is none.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be reached.
    pub async fn connect(options: &Options) -> Result<Self, StoreError> {
        let is_sqlite = options.url.starts_with("sqlite:");
        let write = Database::connect(connection(options, 1, is_sqlite, true)).await?;
        let read = Database::connect(connection(options, options.readers, is_sqlite, false)).await?;
        let writers = if is_sqlite {
            Writers::Sqlite(write.get_sqlite_connection_pool().clone())
        } else {
            Writers::Postgres(write.get_postgres_connection_pool().clone())
        };
        let store = Self { write, read, writers, counters: Arc::default() };
        store.warn_of_lost_commits().await?;
        Ok(store)
    }

    /// Where commits are answered before they are on disk, a crash of the server forgets codes that people have.
    async fn warn_of_lost_commits(&self) -> Result<(), StoreError> {
        if !self.locks_rows() {
            return Ok(());
        }
        let statement = Statement::from_string(DbBackend::Postgres, "SHOW synchronous_commit");
        let row = self.write.query_one_raw(statement).await?;
        let setting: Option<String> = row.map(|row| row.try_get_by_index(0)).transpose()?;
        if setting.as_deref() == Some("off") {
            tracing::warn!("synchronous_commit is off: after a crash of the database codes may be given out twice");
        }
        Ok(())
    }

    /// Begins a transaction of the hot path.
    ///
    /// # Errors
    /// [`StoreError`] when no connection can be had.
    pub async fn begin(&self) -> Result<Tx<'_>, StoreError> {
        Tx::begin(&self.writers, &self.counters).await
    }

    /// Begins a transaction for a change by people.
    ///
    /// # Errors
    /// [`StoreError`] when no connection can be had.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that begins a change; callers go through the committer's queue"
    )]
    pub async fn begin_change(&self) -> Result<sea_orm::DatabaseTransaction, StoreError> {
        let sqlite_transaction_mode = Some(SqliteTransactionMode::Immediate);
        let options = TransactionOptions { sqlite_transaction_mode, ..TransactionOptions::default() };
        Ok(self.write.begin_with_options(options).await?)
    }

    /// The readers' connections.
    #[must_use]
    pub fn read(&self) -> &DatabaseConnection {
        &self.read
    }

    /// The writers' connections.
    #[must_use]
    pub fn write(&self) -> &DatabaseConnection {
        &self.write
    }

    /// Whether this is PostgreSQL, which locks rows; SQLite has one writer.
    #[must_use]
    pub fn locks_rows(&self) -> bool {
        self.write.get_database_backend() == DbBackend::Postgres
    }
}

fn connection(options: &Options, size: u32, is_sqlite: bool, is_writer: bool) -> ConnectOptions {
    let url = if is_sqlite { format!("{}?mode=rwc", options.url) } else { options.url.clone() };
    let mut connect = ConnectOptions::new(url);
    let size = if is_writer && !is_sqlite { POSTGRES_WRITERS } else { size };
    let busy = options.busy;
    let limits = [
        ("lock_timeout", options.lock),
        ("statement_timeout", options.statement),
        ("idle_in_transaction_session_timeout", options.idle_in_transaction),
    ]
    .map(|(name, limit)| (name, limit.as_millis().to_string()));
    connect
        .max_connections(size)
        .min_connections(u32::from(is_writer))
        .acquire_timeout(options.acquire)
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .test_before_acquire_if_idle_for(Duration::from_secs(1))
        .map_sqlx_sqlite_opts(move |sqlite| {
            sqlite
                .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
                .synchronous(sqlx::sqlite::SqliteSynchronous::Full)
                .busy_timeout(busy)
                // 32 MB: persons are hashes, so every batch touches pages all over the tables.
                .pragma("cache_size", "-32768")
                // 64 MB of log between checkpoints: a page that many batches touch is written back once.
                .pragma("wal_autocheckpoint", "16000")
                .statement_cache_capacity(200)
        })
        .map_sqlx_postgres_opts(move |postgres| {
            let named = postgres.application_name("codewell").statement_cache_capacity(200);
            // Readers also count reports and audits, which take their time.
            if is_writer { named.options(POSTGRES_SETTINGS.iter().copied()).options(limits.clone()) } else { named }
        });
    if is_sqlite && is_writer {
        connect.idle_timeout(None::<Duration>).max_lifetime(None::<Duration>);
    }
    connect
}

/// The bytes of a subject, as its columns hold them.
pub(crate) fn subject_bytes(subject: Subject) -> Vec<u8> {
    subject.as_bytes().to_vec()
}
