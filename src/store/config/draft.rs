//! A campaign whose codes are still being written: it has a number and a pool of size 0, and nobody sees it.

use super::write::{HOUSE, POOL_NO, insert_campaign, insert_pool, json, offer, placements};
use super::{PoolWrite, begin, caps, finish, run, run_one};
use crate::domain::catalog::Rows;
use crate::domain::document::CampaignDoc;
use crate::domain::ids::CampaignId;
use crate::store::catalog::{self, DRAFT};
use crate::store::{Store, StoreError};
use chrono::{DateTime, Utc};

/// A draft, and the catalog's version that has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draft {
    /// The campaign's number.
    pub id: CampaignId,
    /// The catalog's version.
    pub version: i64,
}

/// Makes the draft of a new campaign, or finds the one that an interrupted apply left. Codes of the left one stay
/// where they look like the ones wanted now, else they go; no such code was ever live.
///
/// # Errors
/// As [`super::commit`].
pub async fn draft(
    store: &Store,
    doc: &CampaignDoc,
    pool: &PoolWrite,
    planned_on: i64,
    now: DateTime<Utc>,
) -> Result<Draft, StoreError> {
    let tx = begin(store, planned_on).await?;
    let rows = catalog::rows(&tx).await?;
    let left = rows.campaigns.iter().find(|record| record.doc.name == doc.name && record.status.is_none());
    let id = match left {
        Some(record) if is_same(&rows, record.id, pool) => {
            return Ok(Draft { id: record.id, version: planned_on });
        }
        Some(record) => {
            let values = vec![record.id.0.into()];
            run(&tx, "DELETE FROM code WHERE campaign_id = $1", values.clone()).await?;
            run(&tx, "DELETE FROM pool WHERE campaign_id = $1", values).await?;
            let sql = "UPDATE campaign_version SET document = $2 WHERE campaign_id = $1";
            run_one(&tx, sql, vec![record.id.0.into(), json(doc)?]).await?;
            record.id
        }
        None => insert_campaign(&tx, doc, DRAFT, now).await?,
    };
    let offer_no = offer(&tx, &rows, id, doc).await?;
    insert_pool(&tx, id, offer_no, (POOL_NO, HOUSE), pool).await?;
    // So that every document has its caps from its first moment on.
    let places = placements(&tx, &rows, id, doc).await?;
    caps::write_own(&tx, id, doc, (&places, &rows.creators), now).await?;
    Ok(Draft { id, version: finish(tx).await? })
}

fn is_same(rows: &Rows, id: CampaignId, wanted: &PoolWrite) -> bool {
    let mut pools = rows.pools.iter().filter(|pool| pool.campaign == id && i64::from(pool.pool.pool_no) == POOL_NO);
    pools.any(|pool| pool.pool.kind == wanted.kind && pool.pool.pattern == wanted.pattern)
}
