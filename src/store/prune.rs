//! Forgets rows that nothing asks for any more, few at a time and by index. No facts of the ledger are among them.

use super::{Store, StoreError};
use crate::domain::ids::millis;
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::ConnectionTrait;

/// Rows of one statement: what is being texted meanwhile waits for no more.
const AT_ONCE: u64 = 500;

/// A table that forgets: how long after the time in its row nothing asks for it, and the statement that drops those that
/// are older than `$1`, the oldest first, at most `$2` of them.
struct Forgets {
    kept: TimeDelta,
    sql: &'static str,
}

const TABLES: [Forgets; 5] = [
    // A person's proofs of the last hour are counted, and none is open for longer.
    Forgets {
        kept: TimeDelta::days(1),
        sql: "DELETE FROM proof WHERE proof_id IN
            (SELECT proof_id FROM proof WHERE created_at < $1 ORDER BY created_at LIMIT $2)",
    },
    // It opens for ten minutes; whoever finds it in an old message is told that it is over.
    Forgets {
        kept: TimeDelta::days(7),
        sql: "DELETE FROM creator_link WHERE link_id IN
            (SELECT link_id FROM creator_link WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
    },
    // Strangers are counted however long ago they tried, and creators see them at their desks: half a year of them.
    Forgets {
        kept: TimeDelta::days(180),
        sql: "DELETE FROM code_attempt WHERE (campaign_id, pool_no, position, who) IN
            (SELECT campaign_id, pool_no, position, who FROM code_attempt
             WHERE tried_at < $1 ORDER BY tried_at LIMIT $2)",
    },
    // Far longer than any client sends a request again.
    Forgets {
        kept: TimeDelta::days(7),
        sql: "DELETE FROM sandbox_request WHERE (door, request_key) IN
            (SELECT door, request_key FROM sandbox_request WHERE received_at < $1 ORDER BY received_at LIMIT $2)",
    },
    Forgets {
        kept: TimeDelta::days(30),
        sql: "DELETE FROM sandbox_pull WHERE allocation_id IN
            (SELECT allocation_id FROM sandbox_pull WHERE lease_until < $1 ORDER BY lease_until LIMIT $2)",
    },
];

impl Store {
    /// Forgets some rows of each table that forgets, at most 500 of each; answers with whether there may be more.
    ///
    /// # Errors
    /// What the database says; the same call may be made again.
    pub async fn forget(&self, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let mut is_more = false;
        for Forgets { kept, sql } in &TABLES {
            let values = [millis(now - *kept).into(), i64::try_from(AT_ONCE).unwrap_or(i64::MAX).into()];
            let gone = self.write().execute_raw(self.statement(sql, values)).await?.rows_affected();
            is_more |= gone >= AT_ONCE;
        }
        Ok(is_more)
    }
}
