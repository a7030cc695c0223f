//! Endpoints of partners: who wants its feed where, how far it was delivered, and what waits for another attempt. No
//! facts of the ledger: cursors beside it, each written by the one process that has the endpoint's lease.

mod asked;
mod lease;
mod make;

pub use asked::{Acted, EndpointAct};
pub use lease::{EndpointWork, Leased, Settlement, Waiting};
pub use make::Made;

use crate::domain::feed::Codes;
use crate::domain::ids::{PartnerId, from_millis, millis};
use crate::domain::webhook::{Disabled, EndpointId, Health, WantedEvents};
use crate::store::{Store, StoreError};
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, FromQueryResult, Value};

/// An endpoint as its row says. `Debug` shows sealed secrets only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Its name.
    pub id: EndpointId,
    /// Whose it is.
    pub partner: PartnerId,
    /// Where to.
    pub url: String,
    /// Which events.
    pub events: WantedEvents,
    /// How much of a code.
    pub codes: Codes,
    /// What its events are signed with, sealed.
    pub secret: Vec<u8>,
    /// The secret before, sealed, and until when it signs too.
    pub secret_before: Option<(Vec<u8>, DateTime<Utc>)>,
    /// Why nothing is sent; `None` while it is.
    pub disabled: Option<Disabled>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Every event up to this was delivered or waits for another attempt.
    pub taken_no: u64,
    /// How it fares.
    pub health: Health,
}

/// What a partner changes of an endpoint; `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EndpointChange {
    /// Where to.
    pub url: Option<String>,
    /// Which events.
    pub events: Option<WantedEvents>,
    /// How much of a code.
    pub codes: Option<Codes>,
    /// Whether it is sent to: `Some(None)` sends again.
    pub disabled: Option<Option<Disabled>>,
}

#[derive(FromQueryResult)]
struct EndpointRow {
    endpoint_id: String,
    partner_id: i64,
    url: String,
    events: String,
    codes: String,
    secret: Vec<u8>,
    secret_before: Option<Vec<u8>>,
    secret_before_until: Option<i64>,
    status: String,
    disabled_why: Option<String>,
    created_at: i64,
    taken_no: i64,
    failures: i64,
    failing_since: Option<i64>,
    noticed_at: Option<i64>,
    delivered_at: Option<i64>,
}

const COLUMNS: &str = "endpoint_id, partner_id, url, events, codes, secret, secret_before, secret_before_until, status,
    disabled_why, created_at, taken_no, failures, failing_since, noticed_at, delivered_at";

/// Any change of a row takes the lease away: whoever has it reads the row again.
const UNLEASED: &str = "lease_until = 0";

impl Store {
    /// The endpoints of a partner, the oldest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn endpoints(&self, partner: PartnerId) -> Result<Vec<Endpoint>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM webhook_endpoint WHERE partner_id = $1 ORDER BY created_at, endpoint_id");
        let values = [Value::from(i64::from(partner.0))];
        let rows = EndpointRow::find_by_statement(self.statement(&sql, values)).all(self.read()).await?;
        rows.into_iter().map(endpoint).collect()
    }

    /// One endpoint of a partner.
    ///
    /// # Errors
    /// What the database says.
    pub async fn endpoint(&self, partner: PartnerId, id: &EndpointId) -> Result<Option<Endpoint>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM webhook_endpoint WHERE partner_id = $1 AND endpoint_id = $2");
        let row = EndpointRow::find_by_statement(self.statement(&sql, owned(partner, id))).one(self.read()).await?;
        row.map(endpoint).transpose()
    }

    /// Changes an endpoint; `false` where the partner has none of that name. One that is sent to again begins with a
    /// clean record, and whatever waits is due.
    ///
    /// # Errors
    /// What the database says.
    pub async fn change_endpoint(
        &self,
        partner: PartnerId,
        id: &EndpointId,
        change: &EndpointChange,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let mut values = owned(partner, id).to_vec();
        let mut set = vec![UNLEASED.to_owned()];
        let mut put = |column: &str, value: Value| {
            values.push(value);
            set.push(format!("{column} = ${}", values.len()));
        };
        if let Some(url) = &change.url {
            put("url", url.as_str().into());
        }
        if let Some(events) = &change.events {
            put("events", events.words().into());
        }
        if let Some(codes) = change.codes {
            put("codes", codes.word().into());
        }
        if let Some(disabled) = change.disabled {
            put("status", status_word(disabled).into());
            put("disabled_why", disabled.map(Disabled::word).into());
            if disabled.is_none() {
                set.push("failures = 0, failing_since = NULL, noticed_at = NULL".to_owned());
            }
        }
        let sql = format!("UPDATE webhook_endpoint SET {} WHERE partner_id = $1 AND endpoint_id = $2", set.join(", "));
        let tx = self.begin_change().await?;
        let changed = tx.execute_raw(self.statement(&sql, values)).await?.rows_affected();
        if changed == 1 && change.disabled == Some(None) {
            let sql = "UPDATE webhook_retry SET due_at = $2 WHERE endpoint_id = $1 AND due_at < $3";
            let values = [Value::from(id.as_str()), millis(now).into(), lease::NEVER.into()];
            tx.execute_raw(self.statement(sql, values)).await?;
        }
        tx.commit().await?;
        Ok(changed == 1)
    }

    /// Forgets an endpoint and what waits for it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn delete_endpoint(&self, partner: PartnerId, id: &EndpointId) -> Result<bool, StoreError> {
        let tx = self.begin_change().await?;
        let sql = "DELETE FROM webhook_endpoint WHERE partner_id = $1 AND endpoint_id = $2";
        let gone = tx.execute_raw(self.statement(sql, owned(partner, id))).await?.rows_affected() == 1;
        if gone {
            for table in ["webhook_retry", "webhook_request"] {
                let sql = format!("DELETE FROM {table} WHERE endpoint_id = $1");
                tx.execute_raw(self.statement(&sql, [Value::from(id.as_str())])).await?;
            }
        }
        tx.commit().await?;
        Ok(gone)
    }
}

fn owned(partner: PartnerId, id: &EndpointId) -> [Value; 2] {
    [Value::from(i64::from(partner.0)), Value::from(id.as_str())]
}

fn status_word(disabled: Option<Disabled>) -> &'static str {
    if disabled.is_some() { "disabled" } else { "active" }
}

fn endpoint(row: EndpointRow) -> Result<Endpoint, StoreError> {
    let wrong = |column| StoreError::BadRow { table: "webhook_endpoint", column, id: row.endpoint_id.clone() };
    let disabled = match (row.status.as_str(), row.disabled_why.as_deref()) {
        ("active", None) => None,
        ("disabled", Some(why)) => Some(Disabled::parse(why).ok_or_else(|| wrong("disabled_why"))?),
        _ => return Err(wrong("status")),
    };
    let health = Health {
        failures: row.failures.try_into().map_err(|_| wrong("failures"))?,
        failing_since: row.failing_since.map(from_millis),
        noticed_at: row.noticed_at.map(from_millis),
        delivered_at: row.delivered_at.map(from_millis),
    };
    Ok(Endpoint {
        id: EndpointId::parse(&row.endpoint_id).ok_or_else(|| wrong("endpoint_id"))?,
        partner: PartnerId(row.partner_id.try_into().map_err(|_| wrong("partner_id"))?),
        events: WantedEvents::parse(&row.events).ok_or_else(|| wrong("events"))?,
        codes: Codes::parse(&row.codes).ok_or_else(|| wrong("codes"))?,
        taken_no: row.taken_no.try_into().map_err(|_| wrong("taken_no"))?,
        url: row.url,
        secret: row.secret,
        secret_before: row.secret_before.zip(row.secret_before_until.map(from_millis)),
        created_at: from_millis(row.created_at),
        disabled,
        health,
    })
}
