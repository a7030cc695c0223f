//! A transaction of the hot path on either database.

use crate::store::bulk::{Bulk, Cell, Kind, Row, json};
use crate::store::error::StoreError;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments, Postgres, Row as _, SqlSafeStr, Sqlite};
use std::sync::atomic::{AtomicU64, Ordering};

/// How much work the hot path gave the database; a test counts it.
#[derive(Debug, Default)]
pub struct Counters {
    /// Statements run, BEGIN and COMMIT apart.
    pub statements: AtomicU64,
    /// Transactions committed.
    pub commits: AtomicU64,
}

/// The connections that write.
#[derive(Debug, Clone)]
pub(super) enum Writers {
    Postgres(sqlx::PgPool),
    Sqlite(sqlx::SqlitePool),
}

/// An open transaction; dropped, it rolls back.
#[derive(Debug)]
pub struct Tx<'a> {
    inner: Inner,
    counters: &'a Counters,
}

#[derive(Debug)]
enum Inner {
    Postgres(sqlx::Transaction<'static, Postgres>),
    Sqlite(sqlx::Transaction<'static, Sqlite>),
}

impl<'a> Tx<'a> {
    pub(super) async fn begin(writers: &Writers, counters: &'a Counters) -> Result<Self, StoreError> {
        let inner = match writers {
            Writers::Postgres(pool) => Inner::Postgres(pool.begin().await?),
            Writers::Sqlite(pool) => Inner::Sqlite(pool.begin_with("BEGIN IMMEDIATE").await?),
        };
        Ok(Self { inner, counters })
    }

    /// Runs a write and says how many rows it changed. Nothing is run for no rows.
    ///
    /// # Errors
    /// What the database says.
    pub async fn run(&mut self, bulk: &'static Bulk, rows: &[Vec<Cell>], singles: &[Cell]) -> Result<u64, StoreError> {
        if rows.is_empty() {
            return Ok(0);
        }
        self.counters.statements.fetch_add(1, Ordering::Relaxed);
        Ok(match &mut self.inner {
            Inner::Postgres(tx) => {
                let query = sqlx::query_with(bulk.postgres().into_sql_str(), postgres(bulk, rows, singles)?);
                query.execute(&mut **tx).await?.rows_affected()
            }
            Inner::Sqlite(tx) => {
                let query = sqlx::query_with(bulk.sqlite().into_sql_str(), sqlite(rows, singles)?);
                query.execute(&mut **tx).await?.rows_affected()
            }
        })
    }

    /// Runs a write that must change exactly as many rows as it was given.
    ///
    /// # Errors
    /// [`StoreError::Miscounted`] when it does not; what the database says.
    pub async fn write(&mut self, bulk: &'static Bulk, rows: &[Vec<Cell>]) -> Result<(), StoreError> {
        let written = self.run(bulk, rows, &[]).await?;
        let expected = rows.len() as u64;
        if written == expected {
            return Ok(());
        }
        Err(StoreError::Miscounted { statement: bulk.name, written, expected })
    }

    /// Runs a read. Nothing is run for no rows.
    ///
    /// # Errors
    /// What the database says.
    pub async fn read(
        &mut self,
        bulk: &'static Bulk,
        rows: &[Vec<Cell>],
        singles: &[Cell],
    ) -> Result<Vec<Row>, StoreError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        self.counters.statements.fetch_add(1, Ordering::Relaxed);
        match &mut self.inner {
            Inner::Postgres(tx) => {
                let query = sqlx::query_with(bulk.postgres().into_sql_str(), postgres(bulk, rows, singles)?);
                let found = query.fetch_all(&mut **tx).await?;
                found.iter().map(|row| Ok(Row { statement: bulk.name, cells: postgres_cells(bulk, row)? })).collect()
            }
            Inner::Sqlite(tx) => {
                let query = sqlx::query_with(bulk.sqlite().into_sql_str(), sqlite(rows, singles)?);
                let found = query.fetch_all(&mut **tx).await?;
                found.iter().map(|row| Ok(Row { statement: bulk.name, cells: sqlite_cells(bulk, row)? })).collect()
            }
        }
    }

    /// Commits.
    ///
    /// # Errors
    /// [`StoreError::CommitUnknown`]: it may have happened; run the same batch again.
    pub async fn commit(self) -> Result<(), StoreError> {
        let done = match self.inner {
            Inner::Postgres(tx) => tx.commit().await,
            Inner::Sqlite(tx) => tx.commit().await,
        };
        done.map_err(StoreError::CommitUnknown)?;
        self.counters.commits.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

fn encode(error: sqlx::error::BoxDynError) -> StoreError {
    StoreError::Database(sqlx::Error::Encode(error))
}

/// One array a column, then the single values.
fn postgres(bulk: &Bulk, rows: &[Vec<Cell>], singles: &[Cell]) -> Result<PgArguments, StoreError> {
    let mut arguments = PgArguments::default();
    for (column, (_, kind)) in bulk.columns.iter().enumerate() {
        let cells = rows.iter().map(|row| row.get(column).unwrap_or(&Cell::Null));
        let added = match kind {
            Kind::Int => arguments.add(cells.map(as_int).collect::<Vec<_>>()),
            Kind::Text => arguments.add(cells.map(as_text).collect::<Vec<_>>()),
            Kind::Bytes => arguments.add(cells.map(as_bytes).collect::<Vec<_>>()),
        };
        added.map_err(encode)?;
    }
    for single in singles {
        let added = match single {
            Cell::Int(n) => arguments.add(n),
            Cell::Text(text) => arguments.add(text),
            Cell::Bytes(bytes) => arguments.add(bytes),
            Cell::Null => arguments.add(None::<i64>),
        };
        added.map_err(encode)?;
    }
    Ok(arguments)
}

/// One JSON parameter, then the single values.
fn sqlite(rows: &[Vec<Cell>], singles: &[Cell]) -> Result<SqliteArguments, StoreError> {
    let mut arguments = SqliteArguments::default();
    arguments.add(json(rows)).map_err(encode)?;
    for single in singles {
        let added = match single {
            Cell::Int(n) => arguments.add(*n),
            Cell::Text(text) => arguments.add(text.clone()),
            Cell::Bytes(bytes) => arguments.add(bytes.clone()),
            Cell::Null => arguments.add(None::<i64>),
        };
        added.map_err(encode)?;
    }
    Ok(arguments)
}

fn as_int(cell: &Cell) -> Option<i64> {
    if let Cell::Int(n) = cell { Some(*n) } else { None }
}

fn as_text(cell: &Cell) -> Option<&str> {
    if let Cell::Text(text) = cell { Some(text) } else { None }
}

fn as_bytes(cell: &Cell) -> Option<&[u8]> {
    if let Cell::Bytes(bytes) = cell { Some(bytes) } else { None }
}

fn postgres_cells(bulk: &Bulk, row: &PgRow) -> Result<Vec<Cell>, StoreError> {
    let cell = |(i, kind): (usize, &Kind)| -> Result<Cell, sqlx::Error> {
        Ok(match kind {
            Kind::Int => row.try_get::<Option<i64>, _>(i)?.into(),
            Kind::Text => row.try_get::<Option<String>, _>(i)?.into(),
            Kind::Bytes => row.try_get::<Option<Vec<u8>>, _>(i)?.into(),
        })
    };
    Ok(bulk.outputs.iter().enumerate().map(cell).collect::<Result<_, _>>()?)
}

fn sqlite_cells(bulk: &Bulk, row: &SqliteRow) -> Result<Vec<Cell>, StoreError> {
    let cell = |(i, kind): (usize, &Kind)| -> Result<Cell, sqlx::Error> {
        Ok(match kind {
            Kind::Int => row.try_get::<Option<i64>, _>(i)?.into(),
            Kind::Text => row.try_get::<Option<String>, _>(i)?.into(),
            Kind::Bytes => row.try_get::<Option<Vec<u8>>, _>(i)?.into(),
        })
    };
    Ok(bulk.outputs.iter().enumerate().map(cell).collect::<Result<_, _>>()?)
}
