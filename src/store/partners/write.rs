//! Changes of partners: under the catalog's row, which numbers their caps, then the partner's; the feed comes last.
//!
//! A batch that was planned with an older version finds another one under the partner's lock and starts again.

use super::{PartnerRecord, caps_of, one};
use crate::domain::cap::{Scope, Unit};
use crate::domain::ids::{CampaignId, PartnerId, millis};
use crate::domain::partner::{ClientId, Edit, Environment, News, PartnerDoc, PartnerStatus};
use crate::domain::window::Window;
use crate::store::config::caps::{self, History, Wanted};
use crate::store::config::followers;
use crate::store::config::{end, ints, lock_catalog, run, run_one};
use crate::store::{Store, StoreError};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, Value};
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;

/// The zones of campaigns, in whose calendar the caps of a grant count.
pub(in crate::store) type Zones = BTreeMap<CampaignId, Tz>;

/// A version of a partner as its row keeps it.
#[derive(Serialize)]
pub(in crate::store) struct Kept<'a> {
    #[serde(flatten)]
    doc: &'a PartnerDoc,
    /// By the campaign's number, for whoever judges later by which calendar its caps counted.
    zones: BTreeMap<String, &'static str>,
}

impl<'a> Kept<'a> {
    pub(in crate::store) fn of(doc: &'a PartnerDoc, zones: &Zones) -> Self {
        let granted = doc.grants.iter().filter_map(|grant| Some((grant.campaign, zones.get(&grant.campaign)?)));
        Self { doc, zones: granted.map(|(id, zone)| (id.0.to_string(), zone.name())).collect() }
    }
}

/// A partner that shall be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPartner {
    /// Its name at the token endpoint; it never changes.
    pub client: ClientId,
    /// What is configured.
    pub doc: PartnerDoc,
}

/// What became of a partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// It is so now; after this nothing commits under what was so before, in any process.
    Done(PartnerRecord),
    /// It was so already.
    Already(PartnerRecord),
    /// There is none of that client id; or, for a new one, there is one already.
    Not,
}

/// Makes a partner.
///
/// # Errors
/// [`StoreError::Conflict`] may be tried again; [`StoreError::CommitUnknown`] is answered by looking again; what the
/// database says.
pub async fn create(
    store: &Store,
    new: &NewPartner,
    now: impl Fn() -> DateTime<Utc> + Send,
) -> Result<Changed, StoreError> {
    let tx = store.begin_change().await?;
    lock_catalog(&tx).await?;
    let now = now();
    if one(&tx, "client_id", new.client.as_str().into()).await?.is_some() {
        return Ok(Changed::Not);
    }
    let sql = "SELECT CAST(COALESCE(MAX(partner_id), 0) + 1 AS BIGINT) AS n FROM partner";
    let next = ints(&tx, sql, vec![]).await?.and_then(|next| u32::try_from(next).ok());
    let id =
        next.map(PartnerId).ok_or(StoreError::Miscounted { statement: "partner: number", written: 0, expected: 1 })?;
    let record = PartnerRecord {
        id,
        client: new.client.clone(),
        environment: Environment::of(&new.client),
        status: PartnerStatus::Active,
        suspended_at: None,
        version: 1,
        doc: new.doc.clone(),
        created_at: now,
    };
    let sql = "INSERT INTO partner (partner_id, client_id, name, environment, status, version, created_at)
        VALUES ($1, $2, $3, $4, $5, 1, $6)";
    let values = vec![
        id.0.into(),
        record.client.as_str().into(),
        record.doc.name.as_str().into(),
        record.environment.word().into(),
        record.status.word().into(),
        millis(now).into(),
    ];
    run_one(&tx, sql, values).await?;
    let zones = zones_of(&tx, &record.doc).await?;
    insert_version(&tx, &record, &zones, now).await?;
    caps::write(&tx, &[], &wanted(&record, &zones), History::None, now).await?;
    end(tx).await?;
    Ok(Changed::Done(record))
}

/// Changes a partner: every edit, in order, in one transaction. Nothing is written where nothing is different.
///
/// # Errors
/// As [`create`].
pub async fn change(
    store: &Store,
    client: &ClientId,
    edits: &[Edit],
    now: impl Fn() -> DateTime<Utc> + Send,
) -> Result<Changed, StoreError> {
    let tx = store.begin_change().await?;
    lock_catalog(&tx).await?;
    if tx.get_database_backend() == DbBackend::Postgres {
        // Counting what a new cap would have counted reads a campaign's whole ledger.
        run(&tx, "SET LOCAL statement_timeout = 0", vec![]).await?;
        let sql = "SELECT 1 FROM partner WHERE client_id = $1 FOR NO KEY UPDATE";
        run(&tx, sql, vec![client.as_str().into()]).await?;
    }
    let Some(before) = one(&tx, "client_id", client.as_str().into()).await? else {
        return Ok(Changed::Not);
    };
    let (mut doc, mut status) = (before.doc.clone(), before.status);
    for edit in edits {
        edit.apply(&mut doc, &mut status);
    }
    if doc == before.doc && status == before.status {
        return Ok(Changed::Already(before));
    }
    let now = now();
    let suspended_at = match status {
        PartnerStatus::Active => None,
        PartnerStatus::Suspended => before.suspended_at.or(Some(now)),
    };
    let after = PartnerRecord { doc, status, suspended_at, version: before.version + 1, ..before.clone() };
    let sql = "UPDATE partner SET name = $2, status = $3, version = $4 WHERE partner_id = $1";
    let (name, word) = (after.doc.name.as_str(), after.status.word());
    run_one(&tx, sql, vec![after.id.0.into(), name.into(), word.into(), after.version.into()]).await?;
    let zones = zones_of(&tx, &after.doc).await?;
    insert_version(&tx, &after, &zones, now).await?;
    let rows = caps_of(&tx, after.id).await?;
    caps::write(&tx, &rows, &wanted(&after, &zones), History::Ledger, now).await?;
    let news = before.doc.news(before.status, &after.doc, after.status);
    tell(&tx, after.id, &news, now).await?;
    end(tx).await?;
    Ok(Changed::Done(after))
}

/// The zones of a partner's campaigns: under the catalog's lock, so that none moves before the caps are written.
async fn zones_of(tx: &DatabaseTransaction, doc: &PartnerDoc) -> Result<Zones, StoreError> {
    followers::zones(tx, doc.grants.iter().map(|grant| grant.campaign)).await
}

async fn insert_version(
    tx: &DatabaseTransaction,
    record: &PartnerRecord,
    zones: &Zones,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO partner_version (partner_id, version, status, document, created_at)
        VALUES ($1, $2, $3, $4, $5)";
    let document = serde_json::to_string(&Kept::of(&record.doc, zones)).map_err(|_| StoreError::BadRow {
        table: "partner_version",
        column: "document",
        id: record.client.to_string(),
    })?;
    let status = record.status.word().into();
    let values = vec![record.id.0.into(), record.version.into(), status, document.into(), millis(now).into()];
    run_one(tx, sql, values).await
}

fn wanted(record: &PartnerRecord, zones: &Zones) -> Vec<Wanted> {
    let cap = |campaign: Option<CampaignId>, (window, cap): (Window, i64)| {
        let zone = campaign.and_then(|id| zones.get(&id).copied()).unwrap_or(Tz::UTC);
        Wanted { campaign, scope: Scope::Partner(record.id), unit: Unit::Count, window, cap, zone }
    };
    let across = record.doc.caps.caps().map(|limit| cap(None, limit));
    let own = record.doc.grants.iter().flat_map(|grant| grant.caps().map(|limit| cap(Some(grant.campaign), limit)));
    across.chain(own).collect()
}

/// Writes the partner's feed on, numbered without gaps: the counter is the last lock that anybody takes.
async fn tell(tx: &DatabaseTransaction, id: PartnerId, news: &[News], now: DateTime<Utc>) -> Result<(), StoreError> {
    let Ok(count) = i64::try_from(news.len()) else {
        return Ok(());
    };
    if count == 0 {
        return Ok(());
    }
    let sql = "INSERT INTO feed_counter (partner_id, last_no) VALUES ($1, $2)
        ON CONFLICT (partner_id) DO UPDATE SET last_no = feed_counter.last_no + excluded.last_no";
    run_one(tx, sql, vec![id.0.into(), count.into()]).await?;
    let sql = "SELECT last_no AS n FROM feed_counter WHERE partner_id = $1";
    let last = ints(tx, sql, vec![id.0.into()]).await?.unwrap_or(count);
    let sql = "INSERT INTO feed (partner_id, event_no, kind, happened_at, campaign_id, data)
        VALUES ($1, $2, $3, $4, $5, $6)";
    for (number, news) in (last - count + 1..).zip(news) {
        let (kind, campaign, data) = words(news);
        let campaign = campaign.map(|id| i64::from(id.0));
        let values: Vec<Value> =
            vec![id.0.into(), number.into(), kind.into(), millis(now).into(), campaign.into(), data.into()];
        run_one(tx, sql, values).await?;
    }
    Ok(())
}

fn words(news: &News) -> (&'static str, Option<CampaignId>, String) {
    match news {
        News::Suspended => ("suspended", None, "{}".to_owned()),
        News::Resumed => ("resumed", None, "{}".to_owned()),
        News::Across(caps) => ("cap_changed", None, json!({ "caps": caps }).to_string()),
        News::Grant(campaign, None) => ("cap_changed", Some(*campaign), json!({ "granted": false }).to_string()),
        News::Grant(campaign, Some(grant)) => {
            let limits: serde_json::Map<_, _> =
                grant.caps().map(|(window, cap)| (name(window).to_owned(), cap.into())).collect();
            ("cap_changed", Some(*campaign), json!({ "granted": true, "caps": limits }).to_string())
        }
    }
}

/// A window's word in documents of partners.
fn name(window: Window) -> &'static str {
    match window {
        Window::Lifetime => "total",
        other @ (Window::Minute | Window::Day | Window::Week | Window::Month | Window::Rolling(_)) => other.word(),
    }
}
