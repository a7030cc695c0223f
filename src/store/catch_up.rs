//! Until when each number's texts are known to have come in. No fact of the ledger: a cursor, written beside it.

use crate::domain::ids::{SenderId, from_millis, millis};
use crate::store::{Store, StoreError};
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, Value};

impl Store {
    /// The mark of that number; `None` before the first one.
    ///
    /// # Errors
    /// What the database says.
    pub async fn seen_until(&self, sender: SenderId) -> Result<Option<DateTime<Utc>>, StoreError> {
        let sql = "SELECT seen_until FROM catch_up WHERE sender_id = $1";
        let row = self.read().query_one_raw(self.statement(sql, [Value::from(i64::from(sender.0))])).await?;
        let Some(row) = row else { return Ok(None) };
        let at: i64 = row.try_get("", "seen_until")?;
        Ok(Some(from_millis(at)))
    }

    /// Moves the mark of that number forward, never back: two processes may do so at once.
    ///
    /// # Errors
    /// What the database says.
    pub async fn note_seen(&self, sender: SenderId, until: DateTime<Utc>) -> Result<(), StoreError> {
        let sql = "INSERT INTO catch_up (sender_id, seen_until) VALUES ($1, $2)
             ON CONFLICT (sender_id) DO UPDATE SET seen_until = excluded.seen_until
             WHERE excluded.seen_until > catch_up.seen_until";
        let values = [Value::from(i64::from(sender.0)), Value::from(millis(until))];
        self.write().execute_raw(self.statement(sql, values)).await?;
        Ok(())
    }
}
