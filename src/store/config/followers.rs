//! Caps of partners in campaigns that move to another zone: their calendar follows, in the same change.

use super::{CampaignWrite, caps, json, run};
use crate::domain::cap::Scope;
use crate::domain::document::CampaignDoc;
use crate::domain::ids::{CampaignId, millis};
use crate::store::catalog::parse_cap;
use crate::store::partners::{self, PartnerRecord, Zones};
use crate::store::{Store, StoreError};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use codewell_entity::cap;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    Statement, Value,
};
use std::collections::BTreeSet;

/// Rows of one statement; the values of the widest are far fewer than either database takes.
const AT_ONCE: usize = 200;

/// A campaign that moves to another zone, the caps that partners have there, and the partners, whose rows are locked.
pub(super) struct Move {
    campaign: CampaignId,
    zone: Tz,
    caps: Vec<cap::Model>,
    holders: BTreeSet<u32>,
}

/// How many partners have caps in a campaign.
///
/// # Errors
/// What the database says; [`StoreError::BadRow`].
pub async fn partners_capped(store: &Store, campaign: CampaignId) -> Result<usize, StoreError> {
    Ok(holders(&caps_in(store.read(), campaign).await?)?.len())
}

/// The zones of campaigns as their present versions say.
pub(in crate::store) async fn zones(
    db: &impl ConnectionTrait,
    campaigns: impl Iterator<Item = CampaignId>,
) -> Result<Zones, StoreError> {
    #[derive(FromQueryResult)]
    struct Row {
        campaign_id: i64,
        document: String,
    }
    let (mut zones, campaigns) = (Zones::new(), campaigns.map(|id| id.0).collect::<Vec<_>>());
    for some in campaigns.chunks(AT_ONCE) {
        let sql = format!(
            "SELECT c.campaign_id, v.document FROM campaign c
             JOIN campaign_version v ON v.campaign_id = c.campaign_id AND v.version = c.version
             WHERE c.campaign_id IN ({})",
            places(some.len(), 1)
        );
        let values = some.iter().map(|id| Value::from(*id));
        let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
        for row in Row::find_by_statement(statement).all(db).await? {
            let bad = || StoreError::BadRow {
                table: "campaign_version",
                column: "document",
                id: row.campaign_id.to_string(),
            };
            let doc: CampaignDoc = serde_json::from_str(&row.document).map_err(|_| bad())?;
            zones.insert(CampaignId(u32::try_from(row.campaign_id).map_err(|_| bad())?), doc.tz());
        }
    }
    Ok(zones)
}

/// Finds the campaigns that move and locks the partners that have caps there: under the catalog's row, so that no other
/// partner gets one, and before campaigns, as batches do.
pub(super) async fn lock(tx: &DatabaseTransaction, campaigns: &[CampaignWrite]) -> Result<Vec<Move>, StoreError> {
    let now = zones(tx, campaigns.iter().filter_map(|campaign| campaign.id)).await?;
    let (mut moves, mut all) = (Vec::new(), BTreeSet::new());
    for (id, zone) in campaigns.iter().filter_map(|campaign| Some((campaign.id?, campaign.doc.tz()))) {
        if now.get(&id).is_some_and(|now| *now != zone) {
            let caps = caps_in(tx, id).await?;
            let holders = holders(&caps)?;
            all.extend(holders.iter().copied());
            moves.push(Move { campaign: id, zone, caps, holders });
        }
    }
    let all: Vec<_> = all.into_iter().collect();
    for some in all.chunks(AT_ONCE).filter(|_| tx.get_database_backend() == sea_orm::DbBackend::Postgres) {
        let sql = format!(
            "SELECT 1 FROM partner WHERE partner_id IN ({}) ORDER BY partner_id FOR NO KEY UPDATE",
            places(some.len(), 1)
        );
        run(tx, &sql, some.iter().map(|id| (*id).into()).collect()).await?;
    }
    Ok(moves)
}

/// Moves the caps of partners in a campaign to its zone, counts their running windows anew, and raises the partners'
/// versions: what was issued before is judged by the calendar of then.
pub(super) async fn follow(tx: &DatabaseTransaction, to: &Move, now: DateTime<Utc>) -> Result<(), StoreError> {
    if to.holders.is_empty() {
        return Ok(());
    }
    let campaign = Value::from(to.campaign.0);
    let sql = "UPDATE cap SET zone = $2 WHERE campaign_id = $1 AND scope = 'partner' AND removed_at IS NULL";
    run(tx, sql, vec![campaign.clone(), to.zone.name().into()]).await?;
    let sql = "DELETE FROM quota WHERE cap_id IN (SELECT cap_id FROM cap WHERE campaign_id = $1
        AND scope = 'partner' AND removed_at IS NULL AND window_kind IN ('day', 'week', 'month'))";
    run(tx, sql, vec![campaign]).await?;
    let counted = caps::counted_of_partners(tx, to.campaign, now).await?;
    let mut quotas: Vec<Vec<Value>> = Vec::new();
    for row in &to.caps {
        let (_, cap) = parse_cap(&cap::Model { zone: to.zone.name().to_owned(), ..row.clone() })?;
        let Scope::Partner(partner) = cap.scope else { continue };
        let minutes = counted.get(&partner).map(Vec::as_slice).unwrap_or_default();
        let (window, used) = caps::used_now(&cap, minutes, now);
        if cap.window.is_calendar() && used > 0 {
            quotas.push(vec![cap.id.0.into(), window.into(), used.into(), used.max(cap.cap).into()]);
        }
    }
    insert_all(tx, "quota (cap_id, window_start, used, cap)", quotas).await?;
    raise(tx, &to.holders, now).await
}

/// The next version of some partners: the same document, and the zones of now.
async fn raise(tx: &DatabaseTransaction, holders: &BTreeSet<u32>, now: DateTime<Utc>) -> Result<(), StoreError> {
    let mut records: Vec<PartnerRecord> = Vec::new();
    let ids: Vec<_> = holders.iter().copied().collect();
    for some in ids.chunks(AT_ONCE) {
        records.extend(partners::by_ids(tx, some).await?);
    }
    let (written, expected) = (records.len() as u64, ids.len() as u64);
    if written != expected {
        return Err(StoreError::Miscounted { statement: "partner: find", written, expected });
    }
    let granted: BTreeSet<_> =
        records.iter().flat_map(|record| record.doc.grants.iter()).map(|grant| grant.campaign).collect();
    let zones = zones(tx, granted.into_iter()).await?;
    let mut versions: Vec<Vec<Value>> = Vec::new();
    for record in &records {
        let document = json(&partners::Kept::of(&record.doc, &zones))?;
        let version = record.version + 1;
        let status = record.status.word();
        versions.push(vec![record.id.0.into(), version.into(), status.into(), document, millis(now).into()]);
    }
    insert_all(tx, "partner_version (partner_id, version, status, document, created_at)", versions).await?;
    for some in ids.chunks(AT_ONCE) {
        let sql = format!("UPDATE partner SET version = version + 1 WHERE partner_id IN ({})", places(some.len(), 1));
        run(tx, &sql, some.iter().map(|id| (*id).into()).collect()).await?;
    }
    Ok(())
}

async fn insert_all(tx: &DatabaseTransaction, into: &str, rows: Vec<Vec<Value>>) -> Result<(), StoreError> {
    for some in rows.chunks(AT_ONCE) {
        let mut next = 1;
        let tuples = some.iter().map(|row| {
            let tuple = format!("({})", places(row.len(), next));
            next += row.len();
            tuple
        });
        let sql = format!("INSERT INTO {into} VALUES {}", tuples.collect::<Vec<_>>().join(", "));
        run(tx, &sql, some.iter().flatten().cloned().collect()).await?;
    }
    Ok(())
}

/// `$3, $4, $5`: so many places for values, from a number on.
pub(in crate::store) fn places(n: usize, from: usize) -> String {
    (from..from + n).map(|at| format!("${at}")).collect::<Vec<_>>().join(", ")
}

async fn caps_in(db: &impl ConnectionTrait, campaign: CampaignId) -> Result<Vec<cap::Model>, StoreError> {
    let rows = cap::Entity::find()
        .filter(cap::Column::CampaignId.eq(i64::from(campaign.0)))
        .filter(cap::Column::Scope.eq("partner"))
        .filter(cap::Column::RemovedAt.is_null())
        .order_by_asc(cap::Column::CapId);
    Ok(rows.all(db).await?)
}

/// Whose caps these are.
fn holders(rows: &[cap::Model]) -> Result<BTreeSet<u32>, StoreError> {
    let holder = |row: &cap::Model| {
        let bad = |_| StoreError::BadRow { table: "cap", column: "scope_id", id: row.cap_id.to_string() };
        row.scope_id.parse().map_err(bad)
    };
    rows.iter().map(holder).collect()
}
