//! The rows that an explanation is told from.

use super::{Asked, CampaignRef, CapReached, CodeLife, EventLine, MessageLife};
use crate::domain::ids::{AllocationId, RequestId, Spot, from_millis};
use crate::store::StoreError;
use sea_orm::{DatabaseConnection, FromQueryResult, Statement, Value};
use std::fmt::Write;

/// Campaign, pool and position.
pub(super) type Key = (i64, i64, i64);

#[derive(Debug, FromQueryResult)]
pub(super) struct RequestRow {
    door: String,
    request_key: String,
    received_at: i64,
    subject: Option<Vec<u8>>,
    kind: String,
    outcome: String,
    rule: String,
    cap_id: Option<i64>,
    cap: Option<i64>,
    used: Option<i64>,
    resets_at: Option<i64>,
    pub(super) campaign_id: Option<i64>,
    pool_no: Option<i64>,
    position: Option<i64>,
    reference: Option<String>,
    channel: String,
    sender_id: Option<i64>,
    word: Option<String>,
    placement_id: i64,
    amount_minor: Option<i64>,
}

#[derive(Debug, FromQueryResult)]
pub(super) struct IssuanceRow {
    subject: Option<Vec<u8>>,
    seq: i64,
    campaign_version: i64,
    issued_at: i64,
    expires_at: Option<i64>,
    partner_id: i64,
    creator_id: i64,
    sub_id: Option<String>,
    allocation_id: Option<Vec<u8>>,
}

#[derive(Debug, FromQueryResult)]
struct EventRow {
    step: i64,
    kind: String,
    provider_ref: String,
    occurred_at: i64,
    store: Option<String>,
    order_ref: Option<String>,
    amount_minor: Option<i64>,
    currency: Option<String>,
    reason: Option<String>,
}

#[derive(Debug, FromQueryResult)]
struct MessageRow {
    reply: String,
    status: String,
    attempts: i64,
    segments: Option<i64>,
    provider_id: Option<String>,
}

#[derive(Debug, FromQueryResult)]
struct CapRow {
    campaign_id: i64,
    scope: String,
    scope_id: String,
    unit: String,
    window_kind: String,
    window_ms: i64,
    zone: String,
}

#[derive(Debug, FromQueryResult)]
struct Name {
    name: String,
}

#[derive(Debug, FromQueryResult)]
struct Number {
    number: Option<i64>,
}

impl RequestRow {
    pub(super) fn spot(&self) -> Option<Key> {
        Some((self.campaign_id?, self.pool_no?, self.position?))
    }
}

pub(super) fn key(spot: Spot) -> Key {
    (spot.campaign.0.into(), spot.pool.into(), spot.position.try_into().unwrap_or(i64::MAX))
}

async fn all<T: FromQueryResult>(db: &DatabaseConnection, sql: &str, values: Vec<Value>) -> Result<Vec<T>, StoreError> {
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    Ok(T::find_by_statement(statement).all(db).await?)
}

async fn first<T: FromQueryResult>(
    db: &DatabaseConnection,
    sql: &str,
    values: Vec<Value>,
) -> Result<Option<T>, StoreError> {
    Ok(all(db, sql, values).await?.into_iter().next())
}

pub(super) async fn request(db: &DatabaseConnection, id: &RequestId) -> Result<Option<RequestRow>, StoreError> {
    let sql = "SELECT * FROM request WHERE door = $1 AND request_key = $2";
    first(db, sql, vec![id.door.clone().into(), id.key.clone().into()]).await
}

/// The request that was answered with this new code.
pub(super) async fn request_of(db: &DatabaseConnection, spot: Spot) -> Result<Option<RequestRow>, StoreError> {
    let spot = key(spot);
    let place = [spot.0, spot.1, spot.2].map(Value::from);
    let Some(IssuanceRow { subject: Some(subject), issued_at, .. }) = issuance(db, spot).await? else {
        return Ok(None);
    };
    let answered =
        "SELECT * FROM request WHERE campaign_id = $1 AND pool_no = $2 AND position = $3 AND outcome = 'issued'
        AND replied = 1 AND subject = $4 AND received_at = $5 LIMIT 1";
    let mut values = place.to_vec();
    values.extend([subject.into(), issued_at.into()]);
    if let Some(found) = first(db, answered, values).await? {
        return Ok(Some(found));
    }
    let any = "SELECT * FROM request WHERE campaign_id = $1 AND pool_no = $2 AND position = $3 AND outcome = 'issued' LIMIT 1";
    first(db, any, place.to_vec()).await
}

pub(super) async fn issuance(
    db: &DatabaseConnection,
    (campaign, pool, position): Key,
) -> Result<Option<IssuanceRow>, StoreError> {
    let sql = "SELECT * FROM issuance WHERE campaign_id = $1 AND pool_no = $2 AND position = $3";
    first(db, sql, vec![campaign.into(), pool.into(), position.into()]).await
}

pub(super) async fn campaign(
    db: &DatabaseConnection,
    campaign_id: i64,
    request: Option<&RequestRow>,
    issuance: Option<&IssuanceRow>,
) -> Result<CampaignRef, StoreError> {
    let name = first::<Name>(db, "SELECT name FROM campaign WHERE campaign_id = $1", vec![campaign_id.into()]).await?;
    let at = request.map(|request| request.received_at);
    let issued = issuance.filter(|issuance| at.is_none_or(|at| at == issuance.issued_at));
    let version = match (issued, at) {
        (Some(issuance), _) => Some(issuance.campaign_version),
        (None, None) => None,
        (None, Some(at)) => {
            let sql = "SELECT max(version) AS number FROM campaign_version WHERE campaign_id = $1 AND created_at <= $2";
            first::<Number>(db, sql, vec![campaign_id.into(), at.into()]).await?.and_then(|row| row.number)
        }
    };
    Ok(CampaignRef { campaign_id, name: name.map(|row| row.name), version })
}

pub(super) async fn life(
    db: &DatabaseConnection,
    (campaign_id, pool_no, position): Key,
    issuance: Option<&IssuanceRow>,
) -> Result<CodeLife, StoreError> {
    // What takes a sale back, or some of it, is in the sale's currency.
    let sql = "SELECT e.step, e.kind, e.occurred_at, e.provider_ref, e.store, e.order_ref, e.amount_minor, e.reason,
            COALESCE(e.currency, s.currency) AS currency
        FROM code_event e LEFT JOIN code_event s ON s.campaign_id = e.campaign_id AND s.pool_no = e.pool_no
            AND s.position = e.position AND s.step = e.reverses
        WHERE e.campaign_id = $1 AND e.pool_no = $2 AND e.position = $3 ORDER BY e.step";
    let events = all::<EventRow>(db, sql, vec![campaign_id.into(), pool_no.into(), position.into()]).await?;
    Ok(CodeLife {
        campaign_id,
        pool_no,
        position,
        masked: None,
        issued_at: issuance.map(|row| from_millis(row.issued_at)),
        expires_at: issuance.and_then(|row| row.expires_at).map(from_millis),
        // A code of a pull is nobody's how-manieth.
        seq: issuance.filter(|row| row.subject.is_some()).map(|row| row.seq),
        merit: merit(db, issuance).await?,
        pull: issuance.and_then(|row| row.allocation_id.as_deref()?.try_into().ok()).map(|id| AllocationId(id).text()),
        events: events.into_iter().map(EventRow::line).collect(),
    })
}

/// Whose merit a code is, and how that one calls the place it came from.
async fn merit(db: &DatabaseConnection, issuance: Option<&IssuanceRow>) -> Result<Option<String>, StoreError> {
    let Some(row) = issuance else {
        return Ok(None);
    };
    let (kind, sql, id) = if row.creator_id != 0 {
        ("creator", "SELECT handle AS name FROM creator WHERE creator_id = $1", row.creator_id)
    } else if row.partner_id != 0 {
        ("partner", "SELECT client_id AS name FROM partner WHERE partner_id = $1", row.partner_id)
    } else {
        return Ok(None);
    };
    let name = first::<Name>(db, sql, vec![id.into()]).await?.map_or_else(|| id.to_string(), |row| row.name);
    let place = row.sub_id.as_ref().map(|sub_id| format!(", {sub_id}")).unwrap_or_default();
    Ok(Some(format!("{kind} {name}{place}")))
}

impl EventRow {
    fn line(self) -> EventLine {
        EventLine {
            step: self.step,
            kind: self.kind,
            at: from_millis(self.occurred_at),
            reference: self.provider_ref,
            store: self.store,
            order: self.order_ref,
            amount_minor: self.amount_minor,
            currency: self.currency,
            reason: self.reason,
        }
    }
}

pub(super) async fn message(db: &DatabaseConnection, request: &RequestRow) -> Result<Option<MessageLife>, StoreError> {
    let sql = "SELECT reply, status, attempts, segments, provider_id FROM outbox_message WHERE door = $1 AND request_key = $2";
    let row = first(db, sql, vec![request.door.clone().into(), request.request_key.clone().into()]).await?;
    Ok(row.map(|MessageRow { reply, status, attempts, segments, provider_id }| MessageLife {
        reply,
        status,
        attempts,
        segments,
        provider_id,
    }))
}

pub(super) async fn asked(db: &DatabaseConnection, request: &RequestRow) -> Result<Asked, StoreError> {
    let sender = match request.sender_id {
        Some(id) => {
            first::<Name>(db, "SELECT address AS name FROM sender WHERE sender_id = $1", vec![id.into()]).await?
        }
        None => None,
    };
    let placement = "SELECT name FROM placement WHERE placement_id = $1";
    let placement = first::<Name>(db, placement, vec![request.placement_id.into()]).await?;
    Ok(Asked {
        id: format!("dec_{}.{}", request.door, request.request_key),
        door: request.door.clone(),
        received_at: from_millis(request.received_at),
        person: request.subject.as_deref().map(short),
        kind: request.kind.clone(),
        outcome: request.outcome.clone(),
        rule: Some(request.rule.clone()).filter(|rule| !rule.is_empty()),
        cap: cap(db, request).await?,
        resets_at: request.resets_at.map(from_millis),
        channel: request.channel.clone(),
        sender: sender.map(|row| row.name),
        keyword: request.word.clone(),
        placement: placement.map(|row| row.name),
        reference: request.reference.clone(),
        amount_minor: request.amount_minor,
    })
}

async fn cap(db: &DatabaseConnection, request: &RequestRow) -> Result<Option<CapReached>, StoreError> {
    let (Some(cap_id), Some(limit), Some(used)) = (request.cap_id, request.cap, request.used) else {
        return Ok(None);
    };
    let sql = "SELECT campaign_id, scope, scope_id, unit, window_kind, window_ms, zone FROM cap WHERE cap_id = $1";
    let row = first::<CapRow>(db, sql, vec![cap_id.into()]).await?;
    Ok(row.map(|row| CapReached {
        cap_id,
        scope: row.scope,
        scope_id: Some(row.scope_id).filter(|id| !id.is_empty()),
        across: row.campaign_id == 0,
        unit: row.unit,
        window_ms: Some(row.window_ms).filter(|_| row.window_kind == "rolling"),
        window: row.window_kind,
        zone: row.zone,
        limit,
        used,
    }))
}

/// The first four bytes: enough to tell persons apart on a screen.
fn short(subject: &[u8]) -> String {
    subject.iter().take(4).fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
