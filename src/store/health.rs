//! What the database says of itself, for the one who looks after it.

use crate::store::{Store, StoreError};
use sea_orm::{ConnectionTrait, Statement};

/// What the database says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Its name and version.
    pub version: String,
    /// Settings on which durability hangs, as it spells them.
    pub settings: Vec<Setting>,
    /// Its clock, milliseconds since 1970 UTC; `None` for the embedded one, which has ours.
    pub now_ms: Option<i64>,
}

/// A setting of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// As the database spells it.
    pub value: String,
    /// What it must be, so that what was acknowledged is not lost.
    pub wanted: &'static str,
}

const POSTGRES: [&str; 3] = ["fsync", "full_page_writes", "synchronous_commit"];

impl Store {
    /// Asks the database for its version, its settings and its clock.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn health(&self) -> Result<Health, StoreError> {
        if !self.locks_rows() {
            let version = format!("SQLite {}", self.word("SELECT sqlite_version()").await?);
            let journal = self.word("PRAGMA journal_mode").await?;
            let synchronous = match self.number("PRAGMA synchronous").await? {
                0 => "off",
                1 => "normal",
                2 => "full",
                _ => "extra",
            };
            let settings = vec![
                Setting { name: "journal_mode", value: journal, wanted: "wal" },
                Setting { name: "synchronous", value: synchronous.to_owned(), wanted: "full" },
            ];
            return Ok(Health { version, settings, now_ms: None });
        }
        let version = format!("PostgreSQL {}", self.word("SHOW server_version").await?);
        let mut settings = Vec::new();
        for name in POSTGRES {
            let value = self.word(&format!("SHOW {name}")).await?;
            // They differ from "on" in what a standby has; on this disk it is with each of them.
            let is_on = matches!(value.as_str(), "local" | "remote_write" | "remote_apply");
            settings.push(Setting { name, value: if is_on { "on".to_owned() } else { value }, wanted: "on" });
        }
        let clock = "SELECT CAST(FLOOR(EXTRACT(EPOCH FROM clock_timestamp()) * 1000) AS BIGINT)";
        Ok(Health { version, settings, now_ms: Some(self.number(clock).await?) })
    }

    async fn word(&self, sql: &str) -> Result<String, StoreError> {
        let connection = self.write();
        let statement = Statement::from_string(connection.get_database_backend(), sql);
        let row = connection.query_one_raw(statement).await?;
        Ok(row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or_default())
    }

    async fn number(&self, sql: &str) -> Result<i64, StoreError> {
        let connection = self.write();
        let statement = Statement::from_string(connection.get_database_backend(), sql);
        let row = connection.query_one_raw(statement).await?;
        Ok(row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or_default())
    }
}
