//! `[database]`: which database, how many connections, how long to wait.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use super::error::ConfigError;
use super::layers::Settings;

/// `[database]`.
#[derive(Debug, Clone)]
pub struct DatabaseConfig {
    /// Which database; `{data_dir}` is already filled in.
    pub url: DatabaseUrl,
    /// Connections that read.
    pub read_connections: u32,
    /// Longest wait for a free connection.
    pub acquire_timeout: Duration,
    /// Longest statement of a writer (PostgreSQL); longer than `lock_timeout`.
    pub statement_timeout: Duration,
    /// Longest wait for a row lock (PostgreSQL).
    pub lock_timeout: Duration,
    /// Longest idle spell inside a transaction (PostgreSQL).
    pub idle_in_transaction_timeout: Duration,
    /// Longest wait for another process's write (SQLite).
    pub busy_timeout: Duration,
}

impl DatabaseConfig {
    pub(super) fn read(settings: &Settings, data_dir: &Path) -> Result<Self, ConfigError> {
        let size = 1..=500;
        let wait = 1..=600_000;
        let lock = 1..=60_000;
        // A statement that ends before its wait for a lock does is no reason to run a batch again.
        let lock_ms: u64 = settings.integer("database.lock_timeout_ms", "milliseconds", &lock)?;
        Ok(Self {
            url: settings.text("database.url", DatabaseUrl::EXPECTED, |text| {
                DatabaseUrl::parse(&text.replace("{data_dir}", &escaped(data_dir)?))
            })?,
            read_connections: settings.integer("database.read_connections", "connections", &size)?,
            acquire_timeout: settings.milliseconds("database.acquire_timeout_ms", &wait)?,
            statement_timeout: settings.milliseconds("database.statement_timeout_ms", &(lock_ms + 1..=600_000))?,
            lock_timeout: settings.milliseconds("database.lock_timeout_ms", &lock)?,
            idle_in_transaction_timeout: settings.milliseconds("database.idle_in_transaction_timeout_ms", &wait)?,
            busy_timeout: settings.milliseconds("database.busy_timeout_ms", &wait)?,
        })
    }
}

/// The two kinds of database we speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseKind {
    /// The embedded one: a file.
    Sqlite,
    /// A server, or an engine that speaks its protocol.
    Postgres,
}

/// Address of the database, password included: `Debug` and `Display` show the kind only.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    pub(super) const EXPECTED: &str = "sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME";

    /// Reads one. `None` unless it begins with `sqlite:`, `postgres://` or `postgresql://` and goes on.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let rest = ["sqlite:", "postgres://", "postgresql://"].iter().find_map(|scheme| text.strip_prefix(scheme))?;
        (!rest.is_empty()).then(|| Self(text.to_owned()))
    }

    /// Which kind of database it names.
    #[must_use]
    pub fn kind(&self) -> DatabaseKind {
        if self.0.starts_with("sqlite:") { DatabaseKind::Sqlite } else { DatabaseKind::Postgres }
    }

    /// The whole address with its password, for the driver alone.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind() {
            DatabaseKind::Sqlite => "sqlite:(not shown)",
            DatabaseKind::Postgres => "postgres://(not shown)",
        })
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

/// A directory inside the address of a file: the driver reads `%`, `?` and `#` there as signs of its own.
fn escaped(dir: &Path) -> Option<String> {
    Some(dir.to_str()?.replace('%', "%25").replace('?', "%3F").replace('#', "%23"))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_database_url_never_prints_its_password() {
        let url = DatabaseUrl::parse("postgres://shop:hunter2@db/codewell").unwrap();
        assert_eq!(format!("{url} {url:?}"), "postgres://(not shown) DatabaseUrl(postgres://(not shown))");
        assert_eq!(url.expose(), "postgres://shop:hunter2@db/codewell");
        assert_eq!(url.kind(), DatabaseKind::Postgres);
    }

    #[test]
    fn a_database_url_of_an_unknown_kind_is_no_database_url() {
        for text in ["mysql://db/codewell", "sqlite:", "postgres://", "codewell.db", ""] {
            assert_eq!(DatabaseUrl::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_directory_with_signs_of_an_address_stays_one_directory() {
        assert_eq!(escaped(Path::new("50% off?/#1")).unwrap(), "50%25 off%3F/%231");
    }
}
