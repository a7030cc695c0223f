//! Partners: who they are and what they may do. They are in no catalog: thousands of them change while it stands.

pub mod credentials;
pub mod signing;
mod write;

pub use write::{Changed, NewPartner, change, create};
pub(in crate::store) use write::{Kept, Zones};

use crate::domain::cap::Cap;
use crate::domain::ids::{CampaignId, PartnerId, from_millis, millis};
use crate::domain::partner::{ClientId, Environment, PartnerDoc, PartnerStatus, PartnerTerms};
use crate::store::catalog::parse_cap;
use crate::store::config::followers::places;
use crate::store::{Store, StoreError};
use chrono::{DateTime, Utc};
use codewell_entity::cap;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, Statement, Value};
use std::collections::BTreeMap;

/// A partner as its present version says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartnerRecord {
    /// Its number.
    pub id: PartnerId,
    /// Its name at the token endpoint.
    pub client: ClientId,
    /// Whether its calls count.
    pub environment: Environment,
    /// Whether it may call.
    pub status: PartnerStatus,
    /// Since when it may not.
    pub suspended_at: Option<DateTime<Utc>>,
    /// Raised by every change.
    pub version: u32,
    /// What is configured.
    pub doc: PartnerDoc,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Partners read at once where all are looked at.
const PAGE: u16 = 500;

/// It was stopped by its first version after the last active one.
const SELECT: &str = "SELECT partner.partner_id, client_id, environment, partner.status, partner.version,
    CASE WHEN partner.status = 'suspended' THEN (
        SELECT MIN(since.created_at) FROM partner_version since
        WHERE since.partner_id = partner.partner_id AND since.version > (
            SELECT COALESCE(MAX(active.version), 0) FROM partner_version active
            WHERE active.partner_id = partner.partner_id AND active.status = 'active')) END AS suspended_at,
    document, partner.created_at FROM partner
    JOIN partner_version ON partner_version.partner_id = partner.partner_id
        AND partner_version.version = partner.version";

#[derive(FromQueryResult)]
struct Row {
    partner_id: i64,
    client_id: String,
    environment: String,
    status: String,
    version: i64,
    suspended_at: Option<i64>,
    document: String,
    created_at: i64,
}

fn read(row: &Row) -> Result<PartnerRecord, StoreError> {
    let bad = |column| StoreError::BadRow { table: "partner", column, id: row.client_id.clone() };
    Ok(PartnerRecord {
        id: PartnerId(u32::try_from(row.partner_id).map_err(|_| bad("partner_id"))?),
        client: ClientId::parse(&row.client_id).map_err(|_| bad("client_id"))?,
        environment: Environment::parse(&row.environment).ok_or_else(|| bad("environment"))?,
        status: PartnerStatus::parse(&row.status).ok_or_else(|| bad("status"))?,
        suspended_at: row.suspended_at.map(from_millis),
        version: u32::try_from(row.version).map_err(|_| bad("version"))?,
        doc: serde_json::from_str(&row.document).map_err(|_| bad("document"))?,
        created_at: from_millis(row.created_at),
    })
}

async fn one(db: &impl ConnectionTrait, condition: &str, value: Value) -> Result<Option<PartnerRecord>, StoreError> {
    let sql = format!("{SELECT} WHERE {condition} = $1");
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, [value]);
    let row = Row::find_by_statement(statement).one(db).await?;
    row.as_ref().map(read).transpose()
}

/// The partners of those numbers, at most a few hundred.
pub(in crate::store) async fn by_ids(db: &impl ConnectionTrait, ids: &[u32]) -> Result<Vec<PartnerRecord>, StoreError> {
    let sql = format!("{SELECT} WHERE partner.partner_id IN ({})", places(ids.len(), 1));
    let values = ids.iter().map(|id| Value::from(*id));
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    Row::find_by_statement(statement).all(db).await?.iter().map(read).collect()
}

/// The partner of a client id.
///
/// # Errors
/// What the database says; [`StoreError::BadRow`].
pub async fn find(store: &Store, client: &ClientId) -> Result<Option<PartnerRecord>, StoreError> {
    one(store.read(), "client_id", client.as_str().into()).await
}

/// A partner as every call asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calling {
    /// The partner.
    pub record: PartnerRecord,
    /// The token was taken back.
    pub is_revoked: bool,
    /// The key that signed the token is not retired.
    pub is_key_live: bool,
}

/// The partner of a client id, with what became of one token of it and of the key that signed it: all that a call
/// asks, in one statement.
///
/// # Errors
/// As [`find`].
pub async fn find_caller(
    store: &Store,
    client: &ClientId,
    (jti, kid): (&str, &str),
    now: DateTime<Utc>,
) -> Result<Option<Calling>, StoreError> {
    let more = ", (SELECT COUNT(*) FROM revoked_token WHERE jti = $2) AS revoked,
        (SELECT COUNT(*) FROM signing_key WHERE kid = $3 AND (retired_at IS NULL OR retired_at > $4)) AS live
        FROM partner\n";
    let sql = format!("{} WHERE client_id = $1", SELECT.replacen(" FROM partner\n", more, 1));
    let values = [Value::from(client.as_str()), jti.into(), kid.into(), millis(now).into()];
    let Some(row) = store.read().query_one_raw(store.statement(&sql, values)).await? else {
        return Ok(None);
    };
    let some = |column: &str| -> Result<bool, StoreError> { Ok(row.try_get::<i64>("", column)? != 0) };
    let (is_revoked, is_key_live) = (some("revoked")?, some("live")?);
    Ok(Some(Calling { record: read(&Row::from_query_result(&row, "")?)?, is_revoked, is_key_live }))
}

/// So many partners whose client ids come after `after`, in the order of those.
///
/// # Errors
/// As [`find`].
pub async fn list(store: &Store, after: &str, limit: u16) -> Result<Vec<PartnerRecord>, StoreError> {
    let sql = format!("{SELECT} WHERE client_id > $1 ORDER BY client_id LIMIT $2");
    let values = [Value::from(after), i64::from(limit).into()];
    let rows = Row::find_by_statement(store.statement(&sql, values)).all(store.read()).await?;
    rows.iter().map(read).collect()
}

/// The partners that may give out a campaign's codes.
///
/// # Errors
/// As [`find`].
pub async fn granted(store: &Store, campaign: CampaignId) -> Result<Vec<PartnerId>, StoreError> {
    let (mut after, mut granted) = (String::new(), Vec::new());
    loop {
        let page = list(store, &after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(granted);
        };
        after = last.client.to_string();
        let is_granted = |record: &&PartnerRecord| record.doc.grants.iter().any(|grant| grant.campaign == campaign);
        granted.extend(page.iter().filter(is_granted).map(|record| record.id));
    }
}

/// What the engine decides a partner's acts by; a change that comes between the reads shows in the version under the
/// batch's lock.
///
/// # Errors
/// What the database says; [`StoreError::BadRow`].
pub async fn terms(store: &Store, id: PartnerId) -> Result<Option<PartnerTerms>, StoreError> {
    let Some(record) = one(store.read(), "partner.partner_id", id.0.into()).await? else {
        return Ok(None);
    };
    let mut grants: BTreeMap<CampaignId, Vec<Cap>> =
        record.doc.grants.iter().map(|grant| (grant.campaign, Vec::new())).collect();
    let mut across = Vec::new();
    for row in caps_of(store.read(), id).await?.iter().filter(|row| row.removed_at.is_none()) {
        match parse_cap(row)? {
            (None, cap) => across.push(cap),
            (Some(campaign), cap) => grants.entry(campaign).or_default().push(cap),
        }
    }
    let PartnerRecord { client, version, status, doc, .. } = record;
    Ok(Some(PartnerTerms { id, client, version, status, scopes: doc.scopes, grants, across }))
}

async fn caps_of(db: &impl ConnectionTrait, id: PartnerId) -> Result<Vec<cap::Model>, StoreError> {
    let rows = cap::Entity::find()
        .filter(cap::Column::Scope.eq("partner"))
        .filter(cap::Column::ScopeId.eq(id.to_string()))
        .order_by_asc(cap::Column::CapId);
    Ok(rows.all(db).await?)
}

/// What a partner's caps have counted in their windows of `now`: `(cap, used)`.
///
/// # Errors
/// What the database says.
pub async fn used(store: &Store, terms: &PartnerTerms, now: DateTime<Utc>) -> Result<Vec<(Cap, i64)>, StoreError> {
    let caps = terms.across.iter().chain(terms.grants.values().flatten());
    let sql = "SELECT used FROM quota WHERE cap_id = $1 AND window_start = $2";
    let mut counted = Vec::new();
    for cap in caps {
        let values = [Value::from(cap.id.0), cap.window.key(now, cap.zone).into()];
        let row = store.read().query_one_raw(store.statement(sql, values)).await?;
        let used = row.map(|row| row.try_get::<i64>("", "used")).transpose()?;
        counted.push((cap.clone(), used.unwrap_or(0)));
    }
    Ok(counted)
}
