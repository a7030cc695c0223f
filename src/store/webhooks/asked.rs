//! What a partner asks of an endpoint: each thing once, by its Idempotency-Key.

use super::{UNLEASED, owned};
use crate::domain::ids::{PartnerId, from_millis, millis};
use crate::domain::webhook::EndpointId;
use crate::store::{Store, StoreError};
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction, FromQueryResult, Value};

/// How long a key is remembered: far longer than any client sends a request again. That of a rotation is remembered as
/// long as its endpoint: its secret is made of the key, so that asking again would bring an old secret back.
const REMEMBERED: TimeDelta = TimeDelta::days(7);
const ROTATION: &str = "rotate";

/// What is asked. `Debug` shows sealed secrets only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndpointAct {
    /// To send an event for trying the endpoint out.
    Trial,
    /// To send everything after that number once more, in order; what was not sent yet is no further away by it.
    Replay {
        /// The number before the first.
        after: u64,
    },
    /// To sign with another secret from now on, and with the one until now too for a while.
    Rotate {
        /// The new secret, sealed.
        sealed: Vec<u8>,
        /// How long the other one signs too.
        before_until: DateTime<Utc>,
    },
}

impl EndpointAct {
    /// What is compared when the key comes again. What a rotation asks for follows from its key.
    fn words(&self) -> String {
        match self {
            Self::Trial => "test".to_owned(),
            Self::Replay { after } => format!("replay {after}"),
            Self::Rotate { .. } => ROTATION.to_owned(),
        }
    }
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acted {
    /// It is done, now or when it was asked first; the number of the trial's event is below 0.
    Done {
        /// The trial's number.
        event_no: Option<i64>,
        /// When it was asked first.
        first_at: DateTime<Utc>,
    },
    /// The key was used for something else.
    KeyReused,
    /// The partner has no such endpoint.
    Missing,
}

#[derive(FromQueryResult)]
struct AskedRow {
    asked: String,
    event_no: Option<i64>,
    received_at: i64,
}

impl Store {
    /// Does what a partner asks of an endpoint, once for a key.
    ///
    /// # Errors
    /// What the database says.
    pub async fn act_on_endpoint(
        &self,
        (partner, id): (PartnerId, &EndpointId),
        key: &str,
        act: EndpointAct,
        now: DateTime<Utc>,
    ) -> Result<Acted, StoreError> {
        let tx = self.begin_change().await?;
        // The endpoint's row is the lock of all that is asked of it.
        let sql = "UPDATE webhook_endpoint SET taken_no = taken_no WHERE partner_id = $1 AND endpoint_id = $2";
        if tx.execute_raw(self.statement(sql, owned(partner, id))).await?.rows_affected() == 0 {
            return Ok(Acted::Missing);
        }
        let sql = "SELECT asked, event_no, received_at FROM webhook_request
             WHERE endpoint_id = $1 AND request_key = $2";
        let values = [Value::from(id.as_str()), key.into()];
        if let Some(first) = AskedRow::find_by_statement(self.statement(sql, values)).one(&tx).await? {
            let done = Acted::Done { event_no: first.event_no, first_at: from_millis(first.received_at) };
            return Ok(if first.asked == act.words() { done } else { Acted::KeyReused });
        }
        let asked = act.words();
        let event_no = match act {
            EndpointAct::Trial => Some(self.add_trial(&tx, id, now).await?),
            EndpointAct::Replay { after } => {
                self.rewind(&tx, id, i64::try_from(after).unwrap_or(i64::MAX)).await?;
                None
            }
            EndpointAct::Rotate { sealed, before_until } => {
                self.rotate(&tx, id, sealed, before_until).await?;
                None
            }
        };
        self.remember(&tx, id, key, AskedRow { asked, event_no, received_at: millis(now) }).await?;
        tx.commit().await?;
        Ok(Acted::Done { event_no, first_at: now })
    }

    /// Writes down what was asked; keys that nobody will send again are forgotten.
    async fn remember(
        &self,
        tx: &DatabaseTransaction,
        id: &EndpointId,
        key: &str,
        AskedRow { asked, event_no, received_at }: AskedRow,
    ) -> Result<(), StoreError> {
        let sql = "DELETE FROM webhook_request WHERE endpoint_id = $1 AND received_at < $2 AND asked <> $3";
        let old = received_at - REMEMBERED.num_milliseconds();
        let values = [Value::from(id.as_str()), old.into(), ROTATION.into()];
        tx.execute_raw(self.statement(sql, values)).await?;
        let sql = "INSERT INTO webhook_request (endpoint_id, request_key, asked, event_no, received_at)
             VALUES ($1, $2, $3, $4, $5)";
        let values = [Value::from(id.as_str()), key.into(), asked.into(), event_no.into(), received_at.into()];
        tx.execute_raw(self.statement(sql, values)).await?;
        Ok(())
    }

    /// Adds an event for trying an endpoint out. Its number is the time below 0, and below every one before it: no
    /// receiver takes it for one that it has.
    async fn add_trial(
        &self,
        tx: &DatabaseTransaction,
        id: &EndpointId,
        now: DateTime<Utc>,
    ) -> Result<i64, StoreError> {
        let sql = "SELECT asked, event_no, received_at FROM webhook_request WHERE endpoint_id = $1 AND event_no <= $2
             ORDER BY event_no LIMIT 1";
        let values = [Value::from(id.as_str()), (-millis(now)).into()];
        let before = AskedRow::find_by_statement(self.statement(sql, values)).one(tx).await?;
        let event_no = before.and_then(|row| row.event_no).map_or(-millis(now), |least| least - 1);
        self.unlease(tx, id).await?;
        let sql = "INSERT INTO webhook_retry (endpoint_id, event_no, attempts, due_at) VALUES ($1, $2, 0, $3)";
        let values = [Value::from(id.as_str()), event_no.into(), millis(now).into()];
        tx.execute_raw(self.statement(sql, values)).await?;
        Ok(event_no)
    }

    async fn rewind(&self, tx: &DatabaseTransaction, id: &EndpointId, after: i64) -> Result<(), StoreError> {
        self.unlease(tx, id).await?;
        let values = || [Value::from(id.as_str()), after.into()];
        let sql = "UPDATE webhook_endpoint SET taken_no = $2 WHERE endpoint_id = $1 AND taken_no > $2";
        tx.execute_raw(self.statement(sql, values())).await?;
        let sql = "DELETE FROM webhook_retry WHERE endpoint_id = $1 AND event_no > $2";
        tx.execute_raw(self.statement(sql, values())).await?;
        Ok(())
    }

    async fn rotate(
        &self,
        tx: &DatabaseTransaction,
        id: &EndpointId,
        sealed: Vec<u8>,
        before_until: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let sql = format!(
            "UPDATE webhook_endpoint SET secret_before = secret, secret_before_until = $3, secret = $2, {UNLEASED}
             WHERE endpoint_id = $1"
        );
        let values = [Value::from(id.as_str()), sealed.into(), millis(before_until).into()];
        tx.execute_raw(self.statement(&sql, values)).await?;
        Ok(())
    }

    async fn unlease(&self, tx: &DatabaseTransaction, id: &EndpointId) -> Result<(), StoreError> {
        let sql = format!("UPDATE webhook_endpoint SET {UNLEASED} WHERE endpoint_id = $1");
        tx.execute_raw(self.statement(&sql, [Value::from(id.as_str())])).await?;
        Ok(())
    }
}
