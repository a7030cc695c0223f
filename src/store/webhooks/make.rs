//! New endpoints: at most so many of a partner, and each made once.

use super::Endpoint;
use crate::domain::ids::millis;
use crate::store::{Store, StoreError};
use sea_orm::{ConnectionTrait, DatabaseTransaction, FromQueryResult, Value};

/// What became of a new endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// It is there, now or since the same was asked first.
    Done,
    /// One of that name was asked for otherwise.
    Otherwise,
    /// The partner has as many as it may.
    Full,
}

/// What is asked for, to be compared when it is asked again. Endpoints change; what was asked for them does not.
struct Asked {
    url: String,
    events: String,
    codes: String,
}

impl Asked {
    fn of(endpoint: &Endpoint) -> Self {
        let (events, codes) = (endpoint.events.words(), endpoint.codes.word().to_owned());
        Self { url: endpoint.url.clone(), events, codes }
    }

    /// The address stands last: it alone may hold anything.
    fn words(&self) -> String {
        let Self { url, events, codes } = self;
        format!("{codes} {events} {url}")
    }
}

#[derive(FromQueryResult)]
struct Known {
    url: String,
    events: String,
    codes: String,
    asked: Option<String>,
}

impl Store {
    /// Writes a new endpoint, unless one of its name is there or the partner has `most`; it is sent what happens from
    /// now on.
    ///
    /// # Errors
    /// What the database says.
    pub async fn add_endpoint(&self, endpoint: &Endpoint, most: usize) -> Result<Made, StoreError> {
        let (tx, asked) = (self.begin_change().await?, Asked::of(endpoint));
        let partner = i64::from(endpoint.partner.0);
        // The partner's row is the lock of how many endpoints there are.
        if self.locks_rows() {
            let sql = "SELECT 1 FROM partner WHERE partner_id = $1 FOR NO KEY UPDATE";
            tx.execute_raw(self.statement(sql, [Value::from(partner)])).await?;
        }
        let sql = "SELECT url, events, codes, asked FROM webhook_endpoint WHERE partner_id = $1 AND endpoint_id = $2";
        let values = [Value::from(partner), endpoint.id.as_str().into()];
        if let Some(known) = Known::find_by_statement(self.statement(sql, values)).one(&tx).await? {
            let Known { url, events, codes, asked: first } = known;
            // Those that are older than the column are known by what they are.
            let first = first.unwrap_or_else(|| Asked { url, events, codes }.words());
            return Ok(if first == asked.words() { Made::Done } else { Made::Otherwise });
        }
        let sql = "SELECT COUNT(*) AS n FROM webhook_endpoint WHERE partner_id = $1";
        let row = tx.query_one_raw(self.statement(sql, [Value::from(partner)])).await?;
        let count = row.map(|row| row.try_get::<i64>("", "n")).transpose()?.unwrap_or(0);
        if usize::try_from(count).is_ok_and(|count| count >= most) {
            return Ok(Made::Full);
        }
        self.insert_endpoint(&tx, endpoint, asked).await?;
        tx.commit().await?;
        Ok(Made::Done)
    }

    async fn insert_endpoint(
        &self,
        tx: &DatabaseTransaction,
        endpoint: &Endpoint,
        asked: Asked,
    ) -> Result<(), StoreError> {
        let sql =
            "INSERT INTO webhook_endpoint (endpoint_id, partner_id, url, events, codes, secret, status, created_at,
                taken_no, lease_until, failures, asked)
             VALUES ($1, $2, $3, $4, $5, $6, 'active', $7,
                COALESCE((SELECT last_no FROM feed_counter WHERE partner_id = $2), 0), 0, 0, $8)";
        let words = asked.words();
        let values = [
            Value::from(endpoint.id.as_str()),
            i64::from(endpoint.partner.0).into(),
            asked.url.into(),
            asked.events.into(),
            asked.codes.into(),
            endpoint.secret.clone().into(),
            millis(endpoint.created_at).into(),
            words.into(),
        ];
        tx.execute_raw(self.statement(sql, values)).await?;
        Ok(())
    }
}
