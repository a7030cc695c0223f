//! What can fail in the store, by what the caller can do about it.

use thiserror::Error;

/// A failure of the store.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Deadlock, serialisation failure, lock time-out: the same batch may be run again.
    #[error("the database asked to try again")]
    Conflict(#[source] sqlx::Error),
    /// The database is away.
    #[error("the database cannot be reached")]
    Unavailable(#[source] sqlx::Error),
    /// A unique key or CHECK stopped what we wanted to write.
    #[error("the database refused a row")]
    Constraint(#[source] sqlx::Error),
    /// The COMMIT failed: it may or may not have happened.
    #[error("the outcome of a commit is unknown")]
    CommitUnknown(#[source] sqlx::Error),
    /// The configuration changed while a batch was planned with the old one, or its locks took too long.
    #[error("the batch was planned with what is no longer so")]
    Stale,
    /// Rows written differ from rows decided.
    #[error("{statement} wrote {written} rows instead of {expected}")]
    Miscounted {
        /// Which statement.
        statement: &'static str,
        /// What it wrote.
        written: u64,
        /// What was decided.
        expected: u64,
    },
    /// A row that does not parse.
    #[error("table {table} has a row that cannot be read: column {column} of {id}")]
    BadRow {
        /// Where.
        table: &'static str,
        /// Which column.
        column: &'static str,
        /// Which row.
        id: String,
    },
    /// Anything else a database says.
    #[error("the database failed")]
    Database(#[source] sqlx::Error),
    /// What the object mapper says.
    #[error("the database failed")]
    Orm(#[source] sea_orm::DbErr),
    /// The rows of the configuration make no picture.
    #[error("the configuration cannot be used: {0}")]
    Configuration(#[source] Box<crate::domain::catalog::BuildError>),
}

impl From<crate::domain::catalog::BuildError> for StoreError {
    fn from(error: crate::domain::catalog::BuildError) -> Self {
        Self::Configuration(Box::new(error))
    }
}

/// The object mapper wraps what the driver said: a conflict under its words is still a conflict.
impl From<sea_orm::DbErr> for StoreError {
    #[expect(clippy::wildcard_enum_match_arm, reason = "only these carry the driver's own words")]
    fn from(error: sea_orm::DbErr) -> Self {
        use sea_orm::{DbErr, RuntimeErr::SqlxError};
        match error {
            DbErr::Conn(SqlxError(driver)) | DbErr::Exec(SqlxError(driver)) | DbErr::Query(SqlxError(driver)) => {
                match std::sync::Arc::try_unwrap(driver) {
                    Ok(driver) => driver.into(),
                    Err(shared) => Self::Orm(DbErr::Query(SqlxError(shared))),
                }
            }
            other => Self::Orm(other),
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if let sqlx::Error::Database(database) = &error {
            let code = database.code().unwrap_or_default();
            return if is_constraint(&database.kind()) {
                Self::Constraint(error)
            } else if is_conflict(&code) {
                Self::Conflict(error)
            } else if code.starts_with("57P0") || code.starts_with("08") {
                Self::Unavailable(error)
            } else {
                Self::Database(error)
            };
        }
        let is_away = matches!(
            error,
            sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed
                | sqlx::Error::Protocol(_)
        );
        if is_away { Self::Unavailable(error) } else { Self::Database(error) }
    }
}

fn is_constraint(kind: &sqlx::error::ErrorKind) -> bool {
    use sqlx::error::ErrorKind;
    matches!(kind, ErrorKind::UniqueViolation | ErrorKind::CheckViolation | ErrorKind::NotNullViolation)
}

/// PostgreSQL: serialisation failure, deadlock, lock time-out, a transaction left idle too long. SQLite: BUSY and LOCKED with their extensions.
fn is_conflict(code: &str) -> bool {
    matches!(code, "40001" | "40P01" | "55P03" | "25P03" | "5" | "6" | "261" | "262" | "517")
}

/// PostgreSQL: out of disk, memory or connections (53), stopped by a person or by time (57), by its system (58), or
/// read-only for now (25006). SQLite: READONLY, IOERR, FULL, CANTOPEN, with their extensions in the higher bits.
fn is_short_of_something(code: &str) -> bool {
    let begins = |class| code.len() == 5 && code.starts_with(class);
    let primary = code.parse::<u32>().ok().filter(|_| code.len() < 5).map(|code| code & 0xff);
    code == "25006" || ["53", "57", "58"].into_iter().any(begins) || matches!(primary, Some(8 | 10 | 13 | 14))
}

impl StoreError {
    /// What a test's cut looks like: nobody knows whether the commit happened.
    #[cfg(feature = "faults")]
    #[must_use]
    pub fn cut() -> Self {
        Self::CommitUnknown(sqlx::Error::WorkerCrashed)
    }

    /// Whether waiting helps: the database is away, hung up, out of room or busy with others, or the configuration is to
    /// be mended by a person. What a row of the act broke stays broken.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Conflict(_)
            | Self::CommitUnknown(_)
            | Self::Stale
            | Self::Unavailable(_)
            | Self::Orm(_)
            | Self::Configuration(_) => true,
            Self::Database(error) => error.as_database_error().is_some_and(|error| {
                let code = error.code().unwrap_or_default();
                is_short_of_something(&code)
            }),
            Self::Constraint(_) | Self::Miscounted { .. } | Self::BadRow { .. } => false,
        }
    }

    /// Whether the same batch may simply be run again.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Conflict(_) | Self::CommitUnknown(_) | Self::Stale => true,
            Self::Unavailable(_)
            | Self::Constraint(_)
            | Self::Miscounted { .. }
            | Self::BadRow { .. }
            | Self::Database(_)
            | Self::Orm(_)
            | Self::Configuration(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_short_of_something;

    #[test]
    fn a_full_disk_may_pass_and_a_broken_text_does_not() {
        for (code, passes) in [
            ("53100", true),
            ("57014", true),
            ("58030", true),
            ("25006", true),
            ("22021", false),
            ("42P01", false),
            ("13", true),
            ("4874", true),
            ("1", false),
            ("", false),
        ] {
            assert_eq!(is_short_of_something(code), passes, "{code}");
        }
    }
}
