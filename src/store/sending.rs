//! The processes that send: each one says that it lives, and learns how many do (ADR 0011).

use crate::domain::ids::millis;
use crate::store::{Store, StoreError};
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, Value};

impl Store {
    /// Says that a process sends until then, forgets those whose time is over, and counts all that live, this one too.
    ///
    /// # Errors
    /// What the database says.
    pub async fn beat(&self, process: [u8; 16], now: DateTime<Utc>, until: DateTime<Utc>) -> Result<u32, StoreError> {
        let sql = "INSERT INTO sending_process (process_id, seen_until) VALUES ($1, $2)
             ON CONFLICT (process_id) DO UPDATE SET seen_until = excluded.seen_until";
        let values = [Value::from(process.to_vec()), Value::from(millis(until))];
        self.write().execute_raw(self.statement(sql, values)).await?;
        let sql = "DELETE FROM sending_process WHERE seen_until < $1";
        self.write().execute_raw(self.statement(sql, [Value::from(millis(now))])).await?;
        let sql = "SELECT COUNT(*) AS n FROM sending_process";
        let row = self.write().query_one_raw(self.statement(sql, [])).await?;
        let count: i64 = row.map(|row| row.try_get("", "n")).transpose()?.unwrap_or_default();
        Ok(u32::try_from(count).unwrap_or(u32::MAX).max(1))
    }

    /// Says that a process sends no more.
    ///
    /// # Errors
    /// What the database says.
    pub async fn leave(&self, process: [u8; 16]) -> Result<(), StoreError> {
        let sql = "DELETE FROM sending_process WHERE process_id = $1";
        self.write().execute_raw(self.statement(sql, [Value::from(process.to_vec())])).await?;
        Ok(())
    }
}
