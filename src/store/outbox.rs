//! The outbox and the requests behind it, outside a batch: what is due, what may go out, what a carrier means.
//!
//! Only the lease is changed here, and only where no lock is in the way; what becomes of a message is written by the
//! committer under the person's lock.

use crate::domain::act::MessageStatus;
use crate::domain::decision::changes::{NewMessage, Params};
use crate::domain::decision::outcome::Record;
use crate::domain::ids::{CampaignId, RequestId, SenderId, Spot, Subject, from_millis, millis};
use crate::domain::reply::ReplyId;
use crate::store::{Store, StoreError};
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, FromQueryResult, Statement, Value};
use std::collections::HashMap;

/// How the sender notes in a message's history that nobody knows what became of an attempt.
pub const IN_DOUBT: &str = "in_doubt";
/// How it notes that the carrier asked to wait, which is no attempt.
pub const THROTTLED: &str = "throttled";

/// A message that belongs to this process until its lease runs out.
#[derive(Debug, Clone, PartialEq)]
pub struct Due {
    /// The message.
    pub message: NewMessage,
    /// How it was found: `Submitting` is one whose process was lost in the middle of an attempt.
    pub status: MessageStatus,
    /// Attempts so far, those apart after which the carrier asked to wait.
    pub attempts: u32,
    /// Attempts after which nobody knew what had become of it.
    pub doubts: u32,
    /// Until when it is ours.
    pub lease_until: DateTime<Utc>,
}

/// What the tables say of a message just before its call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gate {
    /// Its state.
    pub status: MessageStatus,
    /// When the person said STOP to this brand, where she did.
    pub opted_out_at: Option<DateTime<Utc>>,
}

/// What was decided on a request, as its row says.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestRecord {
    /// `keyword`, `stop`, `redeem` …
    pub kind: String,
    /// When.
    pub received_at: DateTime<Utc>,
    /// What.
    pub record: Record,
    /// The campaign it was about.
    pub campaign: Option<CampaignId>,
}

#[derive(FromQueryResult)]
struct DueRow {
    message_id: Vec<u8>,
    subject: Vec<u8>,
    sender_id: i64,
    reply: String,
    campaign_id: Option<i64>,
    pool_no: Option<i64>,
    position: Option<i64>,
    params: String,
    door: String,
    request_key: String,
    status: String,
    lease_until: i64,
    attempts: i64,
    history: String,
    created_at: i64,
}

const DUE: &str = "is_open = 1 AND due_at <= $1 AND lease_until < $1";
const COLUMNS: &str = "message_id, subject, sender_id, reply, campaign_id, pool_no, position, params, door, request_key,
    status, lease_until, attempts, history, created_at";

impl Store {
    /// Takes at most `limit` messages whose time has come and that belong to nobody: two processes never take the
    /// same one, because a row is taken by its UPDATE alone.
    ///
    /// A row that cannot be read is logged and left to its new lease: it does not hold up the others.
    ///
    /// # Errors
    /// What the database says.
    pub async fn claim_due(
        &self,
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Due>, StoreError> {
        // On PostgreSQL a row that a batch has locked is passed over: a claim waits for nobody, so it is in nobody's
        // way, whatever the order of its rows. SQLite has one writer at a time.
        let skip = if self.locks_rows() {
            "FOR UPDATE SKIP LOCKED"
        } else {
            ""
        };
        let sql = format!(
            "WITH due AS MATERIALIZED (
                SELECT message_id FROM outbox_message WHERE {DUE} ORDER BY due_at LIMIT $3 {skip})
             UPDATE outbox_message SET lease_until = $2
             WHERE message_id IN (SELECT message_id FROM due) AND {DUE}
             RETURNING {COLUMNS}"
        );
        let values = [
            Value::from(millis(now)),
            Value::from(millis(lease_until)),
            Value::from(i64::from(limit)),
        ];
        let rows = DueRow::find_by_statement(self.statement(&sql, values));
        let mut taken = Vec::new();
        for row in rows.all(self.write()).await? {
            match due(&row) {
                Ok(one) => taken.push(one),
                Err(error) => tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a message cannot be read"
                ),
            }
        }
        taken.sort_by_key(|due| (due.message.created_at, due.message.id));
        Ok(taken)
    }

    /// The state of a message and whether its person said STOP to that brand; `None` when there is no such message.
    ///
    /// # Errors
    /// What the database says; [`StoreError::BadRow`].
    pub async fn gate(&self, message: [u8; 16], brand: &str) -> Result<Option<Gate>, StoreError> {
        let sql = "SELECT m.status, o.opted_out_at FROM outbox_message m
             LEFT JOIN opt_out o ON o.brand = $2 AND o.subject = m.subject WHERE m.message_id = $1";
        let values = [Value::from(message.to_vec()), Value::from(brand)];
        let row = self
            .read()
            .query_one_raw(self.statement(sql, values))
            .await?;
        let Some(row) = row else { return Ok(None) };
        let word: String = row.try_get("", "status")?;
        let status = MessageStatus::parse(&word).ok_or_else(|| bad("status", &message))?;
        let opted_out_at: Option<i64> = row.try_get("", "opted_out_at")?;
        Ok(Some(Gate {
            status,
            opted_out_at: opted_out_at.map(from_millis),
        }))
    }

    /// The message that a carrier knows by this name, and whose it is.
    ///
    /// # Errors
    /// What the database says; [`StoreError::BadRow`].
    pub async fn find_message(
        &self,
        sender: SenderId,
        provider_id: &str,
    ) -> Result<Option<([u8; 16], Subject)>, StoreError> {
        let sql = "SELECT message_id, subject FROM outbox_message WHERE provider_id = $1 AND sender_id = $2";
        let values = [Value::from(provider_id), Value::from(i64::from(sender.0))];
        let row = self
            .read()
            .query_one_raw(self.statement(sql, values))
            .await?;
        let Some(row) = row else { return Ok(None) };
        let (id, subject): (Vec<u8>, Vec<u8>) =
            (row.try_get("", "message_id")?, row.try_get("", "subject")?);
        let subject = sixteen(&subject).ok_or_else(|| bad("subject", &id))?;
        let id = sixteen(&id).ok_or_else(|| bad("message_id", &id))?;
        Ok(Some((id, Subject::from_bytes(subject))))
    }

    /// What was decided on these requests; those never asked are missing.
    ///
    /// # Errors
    /// What the database says; [`StoreError::BadRow`].
    pub async fn request_records(
        &self,
        asked: &[RequestId],
    ) -> Result<HashMap<RequestId, RequestRecord>, StoreError> {
        let mut found = HashMap::new();
        // Two parameters a request; both databases take hundreds.
        for some in asked.chunks(200) {
            let pairs: Vec<String> = (0..some.len())
                .map(|at| format!("(${}, ${})", 2 * at + 1, 2 * at + 2))
                .collect();
            let sql = format!(
                "SELECT door, request_key, received_at, kind, outcome, rule, cap_id, cap, used, resets_at, campaign_id,
                     pool_no, position, reference
                 FROM request WHERE (door, request_key) IN (VALUES {})",
                pairs.join(", ")
            );
            let values = some
                .iter()
                .flat_map(|id| [Value::from(id.door.as_str()), Value::from(id.key.as_str())]);
            let rows = RequestRow::find_by_statement(self.statement(&sql, values));
            for row in rows.all(self.read()).await? {
                let (id, record) = request(row)?;
                found.insert(id, record);
            }
        }
        Ok(found)
    }

    fn statement(&self, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
        Statement::from_sql_and_values(self.read().get_database_backend(), sql, values)
    }
}

fn sixteen(bytes: &[u8]) -> Option<[u8; 16]> {
    bytes.try_into().ok()
}

fn bad(column: &'static str, id: &[u8]) -> StoreError {
    StoreError::BadRow {
        table: "outbox_message",
        column,
        id: format!("{id:02x?}"),
    }
}

fn due(row: &DueRow) -> Result<Due, StoreError> {
    let wrong = |column| bad(column, &row.message_id);
    let subject = sixteen(&row.subject).ok_or_else(|| wrong("subject"))?;
    let campaign = row.campaign_id.map(u32::try_from).transpose();
    let campaign = campaign.map_err(|_| wrong("campaign_id"))?.map(CampaignId);
    let spot = spot_of(campaign, row.pool_no, row.position).map_err(wrong)?;
    let noted = |what| {
        let lines = row.history.lines();
        let found = lines.filter(|line| line.split(' ').nth(2) == Some(what));
        u32::try_from(found.count()).unwrap_or(u32::MAX)
    };
    let attempts = u32::try_from(row.attempts).map_err(|_| wrong("attempts"))?;
    let sender = u32::try_from(row.sender_id).map_err(|_| wrong("sender_id"))?;
    let message = NewMessage {
        id: sixteen(&row.message_id).ok_or_else(|| wrong("message_id"))?,
        subject: Subject::from_bytes(subject),
        sender: SenderId(sender),
        reply: ReplyId::parse(&row.reply).map_err(|_| wrong("reply"))?,
        campaign,
        spot,
        params: serde_json::from_str::<Params>(&row.params).map_err(|_| wrong("params"))?,
        created_at: from_millis(row.created_at),
        request: RequestId {
            door: row.door.clone(),
            key: row.request_key.clone(),
        },
    };
    Ok(Due {
        message,
        status: MessageStatus::parse(&row.status).ok_or_else(|| wrong("status"))?,
        attempts: attempts.saturating_sub(noted(THROTTLED)),
        doubts: noted(IN_DOUBT),
        lease_until: from_millis(row.lease_until),
    })
}

fn spot_of(
    campaign: Option<CampaignId>,
    pool: Option<i64>,
    position: Option<i64>,
) -> Result<Option<Spot>, &'static str> {
    let (Some(campaign), Some(pool), Some(position)) = (campaign, pool, position) else {
        return Ok(None);
    };
    let pool = u16::try_from(pool).map_err(|_| "pool_no")?;
    let position = u64::try_from(position).map_err(|_| "position")?;
    Ok(Some(Spot {
        campaign,
        pool,
        position,
    }))
}

#[derive(FromQueryResult)]
struct RequestRow {
    door: String,
    request_key: String,
    received_at: i64,
    kind: String,
    outcome: String,
    rule: String,
    cap_id: Option<i64>,
    cap: Option<i64>,
    used: Option<i64>,
    resets_at: Option<i64>,
    campaign_id: Option<i64>,
    pool_no: Option<i64>,
    position: Option<i64>,
    reference: Option<String>,
}

fn request(row: RequestRow) -> Result<(RequestId, RequestRecord), StoreError> {
    let id = RequestId {
        door: row.door,
        key: row.request_key,
    };
    let wrong = |column| StoreError::BadRow {
        table: "request",
        column,
        id: id.to_string(),
    };
    let number = |column, cell: Option<i64>| -> Result<Option<u32>, StoreError> {
        cell.map(u32::try_from)
            .transpose()
            .map_err(|_| wrong(column))
    };
    let campaign = number("campaign_id", row.campaign_id)?.map(CampaignId);
    let record = Record {
        outcome: row.outcome,
        rule: row.rule,
        cap_id: number("cap_id", row.cap_id)?,
        cap: row.cap,
        used: row.used,
        resets_at: row.resets_at.map(from_millis),
        spot: spot_of(campaign, row.pool_no, row.position).map_err(wrong)?,
        reference: row.reference,
    };
    let received_at = from_millis(row.received_at);
    let decided = RequestRecord {
        kind: row.kind,
        received_at,
        record,
        campaign,
    };
    Ok((id, decided))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::store::{Options, subject_bytes};
    use chrono::TimeDelta;
    use std::time::Duration;

    fn at(ms: i64) -> DateTime<Utc> {
        from_millis(ms)
    }

    async fn store(dir: &tempfile::TempDir) -> Store {
        let options = Options {
            url: format!("sqlite:{}", dir.path().join("test.db").display()),
            readers: 2,
            acquire: Duration::from_secs(5),
        };
        let store = Store::connect(&options).await.unwrap();
        store.migrate().await.unwrap();
        store
    }

    async fn add(store: &Store, id: u8, due_at: i64, lease_until: i64, rest: &str) {
        let sql = format!(
            "INSERT INTO outbox_message (message_id, subject, sender_id, reply, priority, campaign_id, pool_no, position,
                 params, door, request_key, status, is_open, due_at, lease_until, attempts, history, created_at, provider_id)
             VALUES ($1, $2, 1, 'T01', 1, 7, 1, 5, '{{}}', 'sms-12345', $3, {rest}, {due_at}, {lease_until}, 1,
                 '900 queued -
1000 submitting {IN_DOUBT}
', 900, $4)"
        );
        let values = [
            Value::from(vec![id; 16]),
            Value::from(vec![9_u8; 16]),
            Value::from(format!("m{id}")),
            Value::from(format!("p{id}")),
        ];
        store
            .write()
            .execute_raw(store.statement(&sql, values))
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn only_open_due_messages_that_belong_to_nobody_are_taken_and_only_once() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(&dir).await;
        add(&store, 1, 1000, 0, "'queued', 1").await;
        add(&store, 2, 1000, 1999, "'submitting', 1").await;
        add(&store, 3, 1000, 2000, "'queued', 1").await;
        add(&store, 4, 2001, 0, "'queued', 1").await;
        add(&store, 5, 1000, 0, "'submitted', 0").await;
        let first = store.claim_due(at(2000), at(62_000), 10).await.unwrap();
        let names: Vec<_> = first
            .iter()
            .map(|due| (due.message.request.key.as_str(), due.status, due.doubts))
            .collect();
        assert_eq!(
            names,
            [
                ("m1", MessageStatus::Queued, 1),
                ("m2", MessageStatus::Submitting, 1)
            ]
        );
        let again = store.claim_due(at(2000), at(62_000), 10).await.unwrap();
        assert_eq!(again, []);
    }

    #[tokio::test]
    async fn of_two_processes_that_claim_at_once_each_message_goes_to_one() {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = (store(&dir).await, store(&dir).await);
        for id in 0..200 {
            add(&one, id, 1000, 0, "'queued', 1").await;
        }
        let claim = async |store: &Store| {
            let mut taken = Vec::new();
            loop {
                let some = store.claim_due(at(2000), at(62_000), 7).await.unwrap();
                if some.is_empty() {
                    return taken;
                }
                assert!(some.len() <= 7);
                taken.extend(some.into_iter().map(|due| due.message.id));
            }
        };
        let (mut all, rest) = tokio::join!(claim(&one), claim(&two));
        all.extend(rest);
        all.sort_unstable();
        let expected: Vec<_> = (0..200).map(|id| [id; 16]).collect();
        assert_eq!(all, expected);
    }

    #[tokio::test]
    async fn the_gate_knows_the_state_and_the_stop_of_this_brand_only() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(&dir).await;
        add(&store, 1, 1000, 0, "'submitting', 1").await;
        let stop = "INSERT INTO opt_out (brand, subject, opted_out_at) VALUES ('Acme', $1, 950)";
        let values = [Value::from(subject_bytes(Subject::from_bytes([9; 16])))];
        store
            .write()
            .execute_raw(store.statement(stop, values))
            .await
            .unwrap();
        let status = MessageStatus::Submitting;
        let open = |opted_out_at| {
            Some(Gate {
                status,
                opted_out_at,
            })
        };
        assert_eq!(
            store.gate([1; 16], "Acme").await.unwrap(),
            open(Some(at(950)))
        );
        assert_eq!(store.gate([1; 16], "Other").await.unwrap(), open(None));
        assert_eq!(store.gate([2; 16], "Acme").await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_carrier_names_a_message_of_its_own_number_only() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(&dir).await;
        add(&store, 1, 1000, 0, "'submitted', 0").await;
        let found = store.find_message(SenderId(1), "p1").await.unwrap();
        assert_eq!(found, Some(([1; 16], Subject::from_bytes([9; 16]))));
        assert_eq!(store.find_message(SenderId(2), "p1").await.unwrap(), None);
        assert_eq!(store.find_message(SenderId(1), "p2").await.unwrap(), None);
    }

    #[tokio::test]
    async fn decisions_are_found_by_door_and_key_together() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(&dir).await;
        for (door, key) in [("sms-1", "a"), ("sms-2", "b")] {
            let sql = "INSERT INTO request (door, request_key, fingerprint, received_at, kind, outcome, rule, cap_id, cap,
                     used, resets_at, campaign_id, channel, placement_id, replied)
                 VALUES ($1, $2, $3, 5, 'keyword', 'refused', 'cap_reached', 4, 2, 2, 99, 7, 'sms', 0, 1)";
            let values = [
                Value::from(door),
                Value::from(key),
                Value::from(vec![0_u8; 32]),
            ];
            store
                .write()
                .execute_raw(store.statement(sql, values))
                .await
                .unwrap();
        }
        let id = |door: &str, key: &str| RequestId {
            door: door.to_owned(),
            key: key.to_owned(),
        };
        let asked = [id("sms-1", "a"), id("sms-1", "b"), id("sms-2", "a")];
        let found = store.request_records(&asked).await.unwrap();
        assert_eq!(found.keys().collect::<Vec<_>>(), [&id("sms-1", "a")]);
        let one = found.values().next().unwrap();
        assert_eq!(
            (
                one.record.rule.as_str(),
                one.record.cap,
                one.record.resets_at
            ),
            (
                "cap_reached",
                Some(2),
                Some(at(0) + TimeDelta::milliseconds(99))
            )
        );
    }
}
