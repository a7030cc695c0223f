//! What the process that delivers to an endpoint reads and writes. Its lease is its fence: whoever lost it writes
//! nothing any more, and what it sent meanwhile is sent once more.

use super::{COLUMNS, Endpoint, EndpointRow, endpoint};
use crate::domain::feed::{FeedKind, FeedRow};
use crate::domain::ids::{PartnerId, from_millis, millis};
use crate::domain::webhook::{Disabled, EndpointId, Health};
use crate::store::bulk::{Bulk, Cell, Kind};
use crate::store::{Store, StoreError, Tx};
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, FromQueryResult, Value};
use serde_json::json;

/// The due time of what is not tried again.
pub(super) const NEVER: i64 = i64::MAX;

const INT: Kind = Kind::Int;
const TEXT: Kind = Kind::Text;

static SETTLE: Bulk = Bulk::new(
    "webhook_endpoint: settle",
    &[
        ("endpoint_id", TEXT),
        ("held", INT),
        ("lease_until", INT),
        ("taken_no", INT),
        ("failures", INT),
        ("failing_since", INT),
        ("noticed_at", INT),
        ("delivered_at", INT),
        ("disabled_why", TEXT),
    ],
    &[],
    "UPDATE webhook_endpoint AS e SET lease_until = t.lease_until, taken_no = t.taken_no, failures = t.failures,
         failing_since = t.failing_since, noticed_at = t.noticed_at, delivered_at = t.delivered_at,
         disabled_why = t.disabled_why, status = CASE WHEN t.disabled_why IS NULL THEN 'active' ELSE 'disabled' END
     FROM {rows} WHERE e.endpoint_id = t.endpoint_id AND e.lease_until = t.held",
);

const RETRY: &[(&str, Kind)] = &[("endpoint_id", TEXT), ("event_no", INT)];

static DONE: Bulk = Bulk::new(
    "webhook_retry: done",
    RETRY,
    &[],
    "DELETE FROM webhook_retry WHERE (endpoint_id, event_no) IN (SELECT t.endpoint_id, t.event_no FROM {rows})",
);

static AGAIN: Bulk = Bulk::new(
    "webhook_retry: again",
    &[
        ("endpoint_id", TEXT),
        ("event_no", INT),
        ("attempts", INT),
        ("due_at", INT),
        ("last_status", INT),
        ("last_error", TEXT),
    ],
    &[],
    "INSERT INTO webhook_retry (endpoint_id, event_no, attempts, due_at, last_status, last_error)
     SELECT endpoint_id, event_no, attempts, due_at, last_status, last_error FROM {rows} WHERE true
     ON CONFLICT (endpoint_id, event_no) DO UPDATE SET attempts = excluded.attempts, due_at = excluded.due_at,
         last_status = excluded.last_status, last_error = excluded.last_error",
);

static BACK: Bulk = Bulk::new(
    "webhook_retry: due now",
    &[("endpoint_id", TEXT), ("due_at", INT), ("never", INT)],
    &[],
    "UPDATE webhook_retry AS r SET due_at = t.due_at FROM {rows}
     WHERE r.endpoint_id = t.endpoint_id AND r.due_at > t.due_at AND r.due_at < t.never",
);

static COUNT_EVENT: Bulk = Bulk::new(
    "feed_counter: one more",
    &[("partner_id", INT)],
    &[],
    "INSERT INTO feed_counter AS c (partner_id, last_no) SELECT partner_id, 1 FROM {rows} WHERE true
     ON CONFLICT (partner_id) DO UPDATE SET last_no = c.last_no + 1",
);

static TELL: Bulk = Bulk::new(
    "feed: an endpoint is disabled",
    &[("partner_id", INT), ("kind", TEXT), ("happened_at", INT), ("data", TEXT)],
    &[],
    "INSERT INTO feed (partner_id, event_no, kind, happened_at, data)
     SELECT t.partner_id, c.last_no, t.kind, t.happened_at, t.data
     FROM {rows} JOIN feed_counter c ON c.partner_id = t.partner_id",
);

/// An endpoint for which something is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointWork {
    /// Its name.
    pub id: EndpointId,
    /// Whose it is.
    pub partner: PartnerId,
    /// Whether no process has it.
    pub is_free: bool,
}

/// An endpoint that this process delivers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leased {
    /// The endpoint as it was then.
    pub endpoint: Endpoint,
    /// Until when; the proof of having it.
    pub until: DateTime<Utc>,
}

/// An event that waits for another attempt, or for nothing any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Its number; events for trying out have numbers below 0.
    pub no: i64,
    /// How often it failed.
    pub attempts: u32,
    /// When it goes out again; `None` is never.
    pub due_at: Option<DateTime<Utc>>,
    /// The status of the last answer.
    pub last_status: Option<u16>,
    /// The last failure in words.
    pub last_error: Option<String>,
}

/// What came of some attempts, to be written at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settlement {
    /// Everything up to this was delivered or stands among the waiting.
    pub taken_no: u64,
    /// Numbers that wait no more.
    pub done: Vec<i64>,
    /// Those that failed.
    pub failed: Vec<Waiting>,
    /// Whether everything that waits is due now.
    pub is_back: bool,
    /// How the endpoint fares.
    pub health: Health,
    /// That it is to be disabled.
    pub disabled: Option<Disabled>,
}

#[derive(FromQueryResult)]
struct WorkRow {
    endpoint_id: String,
    partner_id: i64,
    lease_until: i64,
}

#[derive(FromQueryResult)]
struct WaitingRow {
    event_no: i64,
    attempts: i64,
    due_at: i64,
    last_status: Option<i64>,
    last_error: Option<String>,
}

impl Store {
    /// The endpoints for which something is to be sent now, whoever has them.
    ///
    /// # Errors
    /// What the database says.
    pub async fn endpoints_with_work(&self, now: DateTime<Utc>) -> Result<Vec<EndpointWork>, StoreError> {
        let sql = "SELECT e.endpoint_id, e.partner_id, e.lease_until FROM webhook_endpoint e
             WHERE e.status = 'active' AND (
                EXISTS (SELECT 1 FROM feed_counter c WHERE c.partner_id = e.partner_id AND c.last_no > e.taken_no)
                OR EXISTS (SELECT 1 FROM webhook_retry r WHERE r.endpoint_id = e.endpoint_id AND r.due_at <= $1))
             ORDER BY e.endpoint_id";
        let rows = WorkRow::find_by_statement(self.statement(sql, [Value::from(millis(now))])).all(self.read()).await?;
        let work = |row: WorkRow| {
            let wrong = |column| StoreError::BadRow { table: "webhook_endpoint", column, id: row.endpoint_id.clone() };
            Ok(EndpointWork {
                id: EndpointId::parse(&row.endpoint_id).ok_or_else(|| wrong("endpoint_id"))?,
                partner: PartnerId(row.partner_id.try_into().map_err(|_| wrong("partner_id"))?),
                is_free: row.lease_until <= millis(now),
            })
        };
        rows.into_iter().map(work).collect()
    }

    /// Takes the lease of an endpoint; `None` where another process has it, or it is not sent to.
    ///
    /// # Errors
    /// What the database says.
    pub async fn lease_endpoint(
        &self,
        id: &EndpointId,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Option<Leased>, StoreError> {
        let sql = format!(
            "UPDATE webhook_endpoint SET lease_until = $3
             WHERE endpoint_id = $1 AND lease_until <= $2 AND status = 'active' RETURNING {COLUMNS}"
        );
        let values = [Value::from(id.as_str()), millis(now).into(), millis(until).into()];
        let rows = EndpointRow::find_by_statement(self.statement(&sql, values)).all(self.write()).await?;
        Ok(rows.into_iter().next().map(endpoint).transpose()?.map(|endpoint| Leased { endpoint, until }))
    }

    /// Whether the lease still holds: whoever changes an endpoint takes it away.
    ///
    /// # Errors
    /// What the database says.
    pub async fn has_endpoint(&self, leased: &Leased) -> Result<bool, StoreError> {
        let sql = "SELECT 1 AS found FROM webhook_endpoint WHERE endpoint_id = $1 AND lease_until = $2";
        let values = [Value::from(leased.endpoint.id.as_str()), millis(leased.until).into()];
        Ok(self.read().query_one_raw(self.statement(sql, values)).await?.is_some())
    }

    /// Writes what came of attempts and renews the lease; `false`, and nothing is written, where it was lost. The partner
    /// hears in its feed that the endpoint is disabled.
    ///
    /// # Errors
    /// What the database says.
    pub async fn settle_endpoint(
        &self,
        leased: &Leased,
        settlement: &Settlement,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let id = || Cell::from(leased.endpoint.id.as_str());
        let Settlement { taken_no, health, disabled, .. } = settlement;
        let row = vec![
            id(),
            millis(leased.until).into(),
            millis(until).into(),
            (*taken_no).into(),
            health.failures.into(),
            health.failing_since.map(millis).into(),
            health.noticed_at.map(millis).into(),
            health.delivered_at.map(millis).into(),
            disabled.map(Disabled::word).into(),
        ];
        let mut tx = self.begin().await?;
        if tx.run(&SETTLE, &[row], &[]).await? != 1 {
            return Ok(false);
        }
        let done: Vec<_> = settlement.done.iter().map(|no| vec![id(), (*no).into()]).collect();
        tx.run(&DONE, &done, &[]).await?;
        let failed = settlement.failed.iter().map(|one| {
            let due = one.due_at.map_or(NEVER, millis);
            let (status, error) = (one.last_status, one.last_error.as_deref());
            vec![id(), one.no.into(), one.attempts.into(), due.into(), status.into(), error.into()]
        });
        tx.run(&AGAIN, &failed.collect::<Vec<_>>(), &[]).await?;
        if settlement.is_back {
            tx.run(&BACK, &[vec![id(), millis(now).into(), NEVER.into()]], &[]).await?;
        }
        if let Some(why) = disabled {
            tell(&mut tx, &leased.endpoint, *why, now).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Gives the lease back.
    ///
    /// # Errors
    /// What the database says.
    pub async fn release_endpoint(&self, leased: &Leased) -> Result<(), StoreError> {
        let sql = "UPDATE webhook_endpoint SET lease_until = 0 WHERE endpoint_id = $1 AND lease_until = $2";
        let values = [Value::from(leased.endpoint.id.as_str()), millis(leased.until).into()];
        self.write().execute_raw(self.statement(sql, values)).await?;
        Ok(())
    }

    /// What waits for an endpoint and is due, the oldest first, with the events; those for trying out have none.
    ///
    /// # Errors
    /// What the database says.
    pub async fn due_retries(
        &self,
        endpoint: &Endpoint,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<(Waiting, Option<FeedRow>)>, StoreError> {
        let sql = "SELECT event_no, attempts, due_at, last_status, last_error FROM webhook_retry
             WHERE endpoint_id = $1 AND due_at <= $2 ORDER BY event_no LIMIT $3";
        let values = [Value::from(endpoint.id.as_str()), millis(now).into(), i64::from(limit).into()];
        let rows = WaitingRow::find_by_statement(self.statement(sql, values)).all(self.read()).await?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let events = self.feed_of_retries(endpoint.partner, endpoint.id.as_str(), millis(now), limit).await?;
        let found = |no: i64| events.iter().find(|event| i64::try_from(event.no) == Ok(no)).cloned();
        rows.into_iter().map(|row| Ok((waiting(endpoint, &row)?, found(row.event_no)))).collect()
    }

    /// What waits for an endpoint, and what was given up, the oldest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn waiting_events(
        &self,
        endpoint: &Endpoint,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Waiting>, StoreError> {
        let sql = "SELECT event_no, attempts, due_at, last_status, last_error FROM webhook_retry
             WHERE endpoint_id = $1 AND event_no > $2 ORDER BY event_no LIMIT $3";
        let values = [Value::from(endpoint.id.as_str()), after.into(), i64::from(limit).into()];
        let rows = WaitingRow::find_by_statement(self.statement(sql, values)).all(self.read()).await?;
        rows.iter().map(|row| waiting(endpoint, row)).collect()
    }
}

/// Writes the partner's feed on; its counter is the last lock that anybody takes.
async fn tell(tx: &mut Tx<'_>, endpoint: &Endpoint, why: Disabled, now: DateTime<Utc>) -> Result<(), StoreError> {
    let partner = || Cell::from(endpoint.partner.0);
    tx.run(&COUNT_EVENT, &[vec![partner()]], &[]).await?;
    let data = json!({ "endpoint": endpoint.id.as_str(), "why": why.word() }).to_string();
    let row = vec![partner(), FeedKind::WebhookDisabled.word().into(), millis(now).into(), data.into()];
    tx.run(&TELL, &[row], &[]).await?;
    Ok(())
}

fn waiting(endpoint: &Endpoint, row: &WaitingRow) -> Result<Waiting, StoreError> {
    let wrong =
        |column| StoreError::BadRow { table: "webhook_retry", column, id: format!("{} {}", endpoint.id, row.event_no) };
    Ok(Waiting {
        no: row.event_no,
        attempts: row.attempts.try_into().map_err(|_| wrong("attempts"))?,
        due_at: (row.due_at != NEVER).then(|| from_millis(row.due_at)),
        last_status: row.last_status.map(u16::try_from).transpose().map_err(|_| wrong("last_status"))?,
        last_error: row.last_error.clone(),
    })
}
