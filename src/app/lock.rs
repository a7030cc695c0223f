//! One server a database file: two committers on one SQLite file would only wait for each other.

use crate::config::{DatabaseKind, DatabaseUrl};
use sqlx::sqlite::SqliteConnectOptions;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Held while a server runs on an embedded database; the system gives it back when the process ends, however it ends.
#[derive(Debug)]
pub struct ServerLock {
    _held: Option<File>,
}

/// Why a server may not run here.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another server has it.
    #[error("another server already runs on {0}")]
    Taken(PathBuf),
    /// The lock file cannot be used.
    #[error("the lock file {path} cannot be used")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl ServerLock {
    /// Takes the lock of an embedded database; PostgreSQL serves any number of servers and has none.
    ///
    /// # Errors
    /// [`LockError`].
    pub fn take(url: &DatabaseUrl) -> Result<Self, LockError> {
        let Some(database) = database_file(url) else {
            return Ok(Self { _held: None });
        };
        let mut name = database.clone().into_os_string();
        name.push(".lock");
        let path = Path::new(&name);
        let failed = |source| LockError::Io { path: path.to_owned(), source };
        let mut options = File::options();
        let file = options.write(true).create(true).truncate(false).open(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _held: Some(file) }),
            Err(TryLockError::WouldBlock) => Err(LockError::Taken(database)),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}

/// The file of an embedded database.
#[must_use]
pub fn database_file(url: &DatabaseUrl) -> Option<PathBuf> {
    match url.kind() {
        DatabaseKind::Postgres => None,
        DatabaseKind::Sqlite => {
            SqliteConnectOptions::from_str(url.expose()).ok().map(|options| options.get_filename().to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn url(dir: &Path) -> DatabaseUrl {
        DatabaseUrl::parse(&format!("sqlite:{}/codewell.db", dir.display())).unwrap()
    }

    #[test]
    fn a_second_server_on_one_database_file_is_refused_until_the_first_ends() {
        let dir = tempfile::tempdir().unwrap();
        let first = ServerLock::take(&url(dir.path())).unwrap();
        let second = ServerLock::take(&url(dir.path())).unwrap_err();
        assert_eq!(second.to_string(), format!("another server already runs on {}/codewell.db", dir.path().display()));
        drop(first);
        ServerLock::take(&url(dir.path())).unwrap();
    }

    #[test]
    fn servers_on_two_database_files_do_not_meet() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let _first = ServerLock::take(&url(one.path())).unwrap();
        ServerLock::take(&url(other.path())).unwrap();
    }

    #[test]
    fn a_postgresql_database_has_no_file_and_serves_two() {
        let url = DatabaseUrl::parse("postgres://shop@db/codewell").unwrap();
        assert_eq!(database_file(&url), None);
        let _first = ServerLock::take(&url).unwrap();
        ServerLock::take(&url).unwrap();
    }

    #[test]
    fn a_directory_with_signs_of_an_address_is_found_again() {
        let url = DatabaseUrl::parse("sqlite:./50%25 off/codewell.db").unwrap();
        assert_eq!(database_file(&url).unwrap(), Path::new("./50% off/codewell.db"));
    }
}
