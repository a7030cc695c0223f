//! Alerts outside a batch: what stands, and what stood.

use crate::domain::ids::from_millis;
use crate::store::{Store, StoreError};
use chrono::{DateTime, Utc};
use sea_orm::{FromQueryResult, Value};
use serde::Serialize;

/// Which alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Those that stand.
    Open,
    /// Those that are over, too.
    All,
}

/// An alert as its row says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AlertRecord {
    /// What is wrong, as a word.
    pub kind: String,
    /// With what.
    pub about: String,
    /// In words.
    pub detail: String,
    /// How often it was raised.
    pub times: i64,
    /// When first.
    pub raised_at: DateTime<Utc>,
    /// When last.
    pub last_at: DateTime<Utc>,
    /// When it was over.
    pub cleared_at: Option<DateTime<Utc>>,
}

#[derive(FromQueryResult)]
struct AlertRow {
    kind: String,
    about: String,
    detail: String,
    times: i64,
    raised_at: i64,
    last_at: i64,
    cleared_at: Option<i64>,
}

impl Store {
    /// The alerts, newest first, at most `limit`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn alerts(&self, which: Which, limit: u32) -> Result<Vec<AlertRecord>, StoreError> {
        let only = match which {
            Which::Open => "WHERE cleared_at IS NULL",
            Which::All => "",
        };
        let sql = format!(
            "SELECT kind, about, detail, times, raised_at, last_at, cleared_at FROM alert {only}
             ORDER BY raised_at DESC, kind, about LIMIT $1"
        );
        let rows = AlertRow::find_by_statement(self.statement(&sql, [Value::from(i64::from(limit))]));
        let rows = rows.all(self.read()).await?;
        Ok(rows.into_iter().map(record).collect())
    }
}

fn record(row: AlertRow) -> AlertRecord {
    let AlertRow { kind, about, detail, times, raised_at, last_at, cleared_at } = row;
    let cleared_at = cleared_at.map(from_millis);
    AlertRecord {
        kind,
        about,
        detail,
        times,
        raised_at: from_millis(raised_at),
        last_at: from_millis(last_at),
        cleared_at,
    }
}
