//! Alerts outside a batch: what stands, and what stood.

use crate::domain::alert::AlertKind;
use crate::domain::ids::{from_millis, millis};
use crate::store::{Store, StoreError};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, FromQueryResult, Value};
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

impl Store {
    /// The alerts that come after one of them, newest first, at most `limit`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn alerts_after(
        &self,
        which: Which,
        after: Option<&AlertCursor>,
        limit: u32,
    ) -> Result<Vec<AlertRecord>, StoreError> {
        let Some(AlertCursor { raised_at, kind, about }) = after else {
            return self.alerts(which, limit).await;
        };
        let only = match which {
            Which::Open => "cleared_at IS NULL AND",
            Which::All => "",
        };
        let sql = format!(
            "SELECT kind, about, detail, times, raised_at, last_at, cleared_at FROM alert
             WHERE {only} (raised_at < $1 OR (raised_at = $1 AND (kind > $2 OR (kind = $2 AND about > $3))))
             ORDER BY raised_at DESC, kind, about LIMIT $4"
        );
        let values = [
            Value::from(millis(*raised_at)),
            Value::from(kind.as_str()),
            Value::from(about.as_str()),
            Value::from(i64::from(limit)),
        ];
        let rows = AlertRow::find_by_statement(self.statement(&sql, values)).all(self.read()).await?;
        Ok(rows.into_iter().map(record).collect())
    }

    /// Whether an alert stands.
    ///
    /// # Errors
    /// What the database says.
    pub async fn stands(&self, kind: AlertKind, about: &str) -> Result<bool, StoreError> {
        let sql = "SELECT 1 AS found FROM alert WHERE kind = $1 AND about = $2 AND cleared_at IS NULL";
        let values = [Value::from(kind.word()), Value::from(about)];
        Ok(self.read().query_one_raw(self.statement(sql, values)).await?.is_some())
    }
}

/// Where a page of alerts begins: after this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertCursor {
    raised_at: DateTime<Utc>,
    kind: String,
    about: String,
}

impl AlertCursor {
    /// After that alert.
    #[must_use]
    pub fn of(alert: &AlertRecord) -> Self {
        Self { raised_at: alert.raised_at, kind: alert.kind.clone(), about: alert.about.clone() }
    }

    /// As an answer has it.
    #[must_use]
    pub fn text(&self) -> String {
        let Self { raised_at, kind, about } = self;
        URL_SAFE_NO_PAD.encode(format!("{} {kind} {about}", millis(*raised_at)))
    }

    /// Reads [`AlertCursor::text`] back.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let plain = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let (raised_at, rest) = plain.split_once(' ')?;
        let (kind, about) = rest.split_once(' ')?;
        let raised_at = from_millis(raised_at.parse().ok()?);
        if about.chars().any(char::is_control) || kind.chars().any(char::is_control) {
            return None;
        }
        Some(Self { raised_at, kind: kind.to_owned(), about: about.to_owned() })
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
