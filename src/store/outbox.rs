//! The outbox outside a batch: what is due, what may go out, what a carrier means.
//!
//! Only the lease is changed here, and only where no lock is in the way; what becomes of a message is written by the
//! committer under the person's lock.

use crate::domain::act::MessageStatus;
use crate::domain::decision::changes::{NewMessage, Params};
use crate::domain::ids::{CampaignId, PartnerId, RequestId, SenderId, Spot, Subject, from_millis, millis};
use crate::domain::reply::ReplyId;
use crate::store::{Store, StoreError, subject_bytes};
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, FromQueryResult, Statement, Value};

/// How the sender notes in a message's history that nobody knows what became of an attempt.
pub const IN_DOUBT: &str = "in_doubt";
/// How it notes that it could not ask the carrier about such an attempt; the doubt stays the same one.
pub const STILL_IN_DOUBT: &str = "still_in_doubt";
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
    /// Attempts after which nobody knew what had become of it, the last one included.
    pub doubts: u32,
    /// Nobody knows whether the carrier took it at the last attempt: it is asked before anything else.
    pub in_doubt: bool,
    /// When it was last marked for its call.
    pub marked_at: Option<DateTime<Utc>>,
    /// Until when it is ours.
    pub lease_until: DateTime<Utc>,
}

/// What the tables say of a message just before its call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gate {
    /// Its state.
    pub status: MessageStatus,
    /// When it may be tried.
    pub due_at: DateTime<Utc>,
    /// When the person said STOP to this brand, where she did.
    pub opted_out_at: Option<DateTime<Utc>>,
}

/// One of the names a message has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageName<'a> {
    /// The carrier's.
    Carrier(&'a str),
    /// Ours.
    Ours([u8; 16]),
    /// The request it answers.
    Answer(&'a RequestId),
}

/// A message found by one of its names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoundMessage {
    /// Our name of it.
    pub id: [u8; 16],
    /// Whose it is.
    pub subject: Subject,
    /// Its state a moment ago.
    pub status: MessageStatus,
    /// When it was made.
    pub created_at: DateTime<Utc>,
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

const DUE: &str = "sender_id = $4 AND is_open = 1 AND due_at <= $1 AND lease_until < $1";
const COLUMNS: &str =
    "message_id, subject, sender_id, reply, campaign_id, pool_no, position, params, door, request_key,
    status, lease_until, attempts, history, created_at";

impl Store {
    /// Takes at most `limit` messages of one number whose time has come and that belong to nobody, the most urgent
    /// first: two processes never take the same one, because a row is taken by its UPDATE alone.
    ///
    /// A row that cannot be read is logged and left to its new lease: it does not hold up the others.
    ///
    /// # Errors
    /// What the database says.
    pub async fn claim_due(
        &self,
        sender: SenderId,
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Due>, StoreError> {
        // On PostgreSQL a row that a batch has locked is passed over: a claim waits for nobody, so it is in nobody's
        // way, whatever the order of its rows. SQLite has one writer at a time.
        let skip = if self.locks_rows() { "FOR UPDATE SKIP LOCKED" } else { "" };
        let sql = format!(
            "WITH due AS MATERIALIZED (
                SELECT message_id FROM outbox_message WHERE {DUE} ORDER BY priority, due_at LIMIT $3 {skip})
             UPDATE outbox_message SET lease_until = $2
             WHERE message_id IN (SELECT message_id FROM due) AND {DUE}
             RETURNING {COLUMNS}"
        );
        let values = [millis(now), millis(lease_until), i64::from(limit), i64::from(sender.0)].map(Value::from);
        let rows = DueRow::find_by_statement(self.statement(&sql, values));
        let mut taken = Vec::new();
        for row in rows.all(self.write()).await? {
            match due(&row) {
                Ok(one) => taken.push(one),
                Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "a message cannot be read"),
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
        let sql = "SELECT m.status, m.due_at, o.opted_out_at FROM outbox_message m
             LEFT JOIN opt_out o ON o.brand = $2 AND o.subject = m.subject WHERE m.message_id = $1";
        let values = [Value::from(message.to_vec()), Value::from(brand)];
        let row = self.read().query_one_raw(self.statement(sql, values)).await?;
        let Some(row) = row else { return Ok(None) };
        let word: String = row.try_get("", "status")?;
        let status = MessageStatus::parse(&word).ok_or_else(|| bad("status", &message))?;
        let opted_out_at: Option<i64> = row.try_get("", "opted_out_at")?;
        let due_at: i64 = row.try_get("", "due_at")?;
        Ok(Some(Gate { status, due_at: from_millis(due_at), opted_out_at: opted_out_at.map(from_millis) }))
    }

    /// The message of that number with that name.
    ///
    /// # Errors
    /// What the database says; [`StoreError::BadRow`].
    pub async fn find_message(
        &self,
        sender: SenderId,
        name: &MessageName<'_>,
    ) -> Result<Option<FoundMessage>, StoreError> {
        let (which, mut values) = match name {
            MessageName::Carrier(id) => ("provider_id = $1", vec![Value::from(*id)]),
            MessageName::Ours(id) => ("message_id = $1", vec![Value::from(id.to_vec())]),
            MessageName::Answer(request) => {
                let RequestId { door, key } = request;
                ("door = $1 AND request_key = $2", vec![door.as_str().into(), key.as_str().into()])
            }
        };
        values.push(Value::from(i64::from(sender.0)));
        let last = values.len();
        let sql = format!(
            "SELECT message_id, subject, status, created_at FROM outbox_message WHERE {which} AND sender_id = ${last}"
        );
        let row = self.read().query_one_raw(self.statement(&sql, values)).await?;
        let Some(row) = row else { return Ok(None) };
        let (id, subject): (Vec<u8>, Vec<u8>) = (row.try_get("", "message_id")?, row.try_get("", "subject")?);
        let word: String = row.try_get("", "status")?;
        let created_at: i64 = row.try_get("", "created_at")?;
        Ok(Some(FoundMessage {
            id: sixteen(&id).ok_or_else(|| bad("message_id", &id))?,
            subject: Subject::from_bytes(sixteen(&subject).ok_or_else(|| bad("subject", &id))?),
            status: MessageStatus::parse(&word).ok_or_else(|| bad("status", &id))?,
            created_at: from_millis(created_at),
        }))
    }

    /// The partner whose merit the code is that a message carries.
    ///
    /// # Errors
    /// What the database says; [`StoreError::BadRow`].
    pub async fn credited(&self, message: [u8; 16]) -> Result<Option<PartnerId>, StoreError> {
        let sql = "SELECT i.partner_id FROM outbox_message m JOIN issuance i
               ON i.campaign_id = m.campaign_id AND i.pool_no = m.pool_no AND i.position = m.position
             WHERE m.message_id = $1 AND i.partner_id <> 0";
        let row = self.read().query_one_raw(self.statement(sql, [Value::from(message.to_vec())])).await?;
        let Some(row) = row else { return Ok(None) };
        let id: i64 = row.try_get("", "partner_id")?;
        Ok(Some(PartnerId(u32::try_from(id).map_err(|_| bad("partner_id", &message))?)))
    }

    /// Whether that person said START to the brand after `since`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn opted_in_since(
        &self,
        subject: Subject,
        brand: &str,
        since: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let sql = "SELECT 1 AS found FROM consent_event
             WHERE subject = $1 AND brand = $2 AND kind = 'opt_in' AND occurred_at > $3 LIMIT 1";
        let subject = Value::from(subject_bytes(subject));
        let values = [subject, Value::from(brand), Value::from(millis(since))];
        Ok(self.read().query_one_raw(self.statement(sql, values)).await?.is_some())
    }

    pub(super) fn statement(&self, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
        Statement::from_sql_and_values(self.read().get_database_backend(), sql, values)
    }
}

fn sixteen(bytes: &[u8]) -> Option<[u8; 16]> {
    bytes.try_into().ok()
}

fn bad(column: &'static str, id: &[u8]) -> StoreError {
    StoreError::BadRow { table: "outbox_message", column, id: format!("{id:02x?}") }
}

fn due(row: &DueRow) -> Result<Due, StoreError> {
    let wrong = |column| bad(column, &row.message_id);
    let subject = sixteen(&row.subject).ok_or_else(|| wrong("subject"))?;
    let campaign = row.campaign_id.map(u32::try_from).transpose();
    let campaign = campaign.map_err(|_| wrong("campaign_id"))?.map(CampaignId);
    let spot = spot_of(campaign, row.pool_no, row.position).map_err(wrong)?;
    let lines: Vec<Line> = row.history.lines().map(line).collect();
    let noted = |what| {
        let found = lines.iter().filter(|line| line.what == Some(what));
        u32::try_from(found.count()).unwrap_or(u32::MAX)
    };
    let status = MessageStatus::parse(&row.status).ok_or_else(|| wrong("status"))?;
    let is_lost = status == MessageStatus::Submitting;
    let last = lines.last().and_then(|line| line.what);
    let marked = lines.iter().rev().find(|line| line.status == Some(MessageStatus::Submitting));
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
        request: RequestId { door: row.door.clone(), key: row.request_key.clone() },
    };
    Ok(Due {
        message,
        status,
        attempts: attempts.saturating_sub(noted(THROTTLED)),
        doubts: noted(IN_DOUBT) + u32::from(is_lost),
        in_doubt: is_lost || matches!(last, Some(IN_DOUBT | STILL_IN_DOUBT)),
        marked_at: marked.and_then(|line| line.at),
        lease_until: from_millis(row.lease_until),
    })
}

/// One line of a message's history: when, which state, the first word of why.
struct Line<'a> {
    at: Option<DateTime<Utc>>,
    status: Option<MessageStatus>,
    what: Option<&'a str>,
}

fn line(text: &str) -> Line<'_> {
    let mut words = text.split(' ');
    Line {
        at: words.next().and_then(|ms| ms.parse().ok()).map(from_millis),
        status: words.next().and_then(MessageStatus::parse),
        what: words.next(),
    }
}

pub(super) fn spot_of(
    campaign: Option<CampaignId>,
    pool: Option<i64>,
    position: Option<i64>,
) -> Result<Option<Spot>, &'static str> {
    let (Some(campaign), Some(pool), Some(position)) = (campaign, pool, position) else {
        return Ok(None);
    };
    let pool = u16::try_from(pool).map_err(|_| "pool_no")?;
    let position = u64::try_from(position).map_err(|_| "position")?;
    Ok(Some(Spot { campaign, pool, position }))
}

#[cfg(test)]
mod tests;
