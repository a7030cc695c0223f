//! Rows of senders, campaigns, offers, pools, placements and keywords.

use super::{CampaignWrite, PoolWrite, big, caps, creators, ints, run, run_one};
use crate::domain::campaign::{PoolKind, Status};
use crate::domain::catalog::{CampaignRecord, Rows};
use crate::domain::document::{CampaignDoc, KeywordsDoc, PlacementDoc, SenderDoc};
use crate::domain::ids::{CampaignId, CreatorId, PlacementId, millis};
use crate::store::StoreError;
use crate::store::catalog::DRAFT;
use chrono::{DateTime, Utc};
use sea_orm::{DatabaseTransaction, Value};
use serde::Serialize;

/// The number of the house's pool of a campaign.
pub(super) const POOL_NO: i64 = 1;
/// Whose it is.
pub(super) const HOUSE: &str = "house";

/// Makes or changes the sender of an address.
pub(super) async fn sender(tx: &DatabaseTransaction, doc: &SenderDoc) -> Result<(), StoreError> {
    let address = doc.address.as_str();
    let values = vec![doc.carrier.as_str().into(), doc.brand.as_str().into(), json(doc)?, address.into()];
    let changed =
        run(tx, "UPDATE sender SET carrier = $1, brand = $2, document = $3 WHERE address = $4", values.clone());
    if changed.await? == 0 {
        let sql = "INSERT INTO sender (sender_id, carrier, brand, document, address)
            SELECT COALESCE(MAX(sender_id), 0) + 1, $1, $2, $3, $4 FROM sender";
        run_one(tx, sql, values).await?;
    }
    Ok(())
}

/// Makes or changes one campaign with everything below it.
pub(super) async fn campaign(
    tx: &DatabaseTransaction,
    rows: &Rows,
    wanted: &CampaignWrite,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let doc = &wanted.doc;
    let known = wanted.id.and_then(|id| rows.campaigns.iter().find(|record| record.id == id));
    let id = match known {
        Some(record) => {
            existing(tx, record, doc, now).await?;
            record.id
        }
        None => insert_campaign(tx, doc, Status::Live.word(), now).await?,
    };
    let offer_no = offer(tx, rows, id, doc).await?;
    pools(tx, rows, (id, offer_no), wanted).await?;
    let places = placements(tx, rows, id, doc).await?;
    if let (Some(address), Some(keywords)) = (&wanted.sender, &doc.keywords) {
        write_keywords(tx, id, address, keywords, &places).await?;
        for (word, place, creator) in creators::words(doc, &wanted.creators, &places) {
            write_word(tx, (id, address), (&word, &word), place, creator).await?;
        }
    } else {
        run(tx, "DELETE FROM keyword WHERE campaign_id = $1", vec![id.0.into()]).await?;
    }
    creators::write_links(tx, id, doc, &wanted.creators, &places).await?;
    caps::write_own(tx, id, doc, (&places, &rows.creators), now).await
}

/// A campaign's first row and first version; answers with its number.
pub(super) async fn insert_campaign(
    tx: &DatabaseTransaction,
    doc: &CampaignDoc,
    status: &str,
    now: DateTime<Utc>,
) -> Result<CampaignId, StoreError> {
    // Numbers of campaigns are never used twice, and no campaign is ever deleted.
    let next = ints(tx, "SELECT CAST(COALESCE(MAX(campaign_id), 0) + 1 AS BIGINT) AS n FROM campaign", vec![]).await?;
    let id = next.and_then(|next| u32::try_from(next).ok()).map(CampaignId).ok_or(StoreError::Miscounted {
        statement: "campaign: number",
        written: 0,
        expected: 1,
    })?;
    let sql = "INSERT INTO campaign (campaign_id, name, status, version) VALUES ($1, $2, $3, 1)";
    run_one(tx, sql, vec![id.0.into(), doc.name.as_str().into(), status.into()]).await?;
    insert_version(tx, (id, 1), status, doc, now).await?;
    Ok(id)
}

async fn insert_version(
    tx: &DatabaseTransaction,
    (id, version): (CampaignId, u32),
    status: &str,
    doc: &CampaignDoc,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO campaign_version (campaign_id, version, status, document, created_at)
        VALUES ($1, $2, $3, $4, $5)";
    run_one(tx, sql, vec![id.0.into(), version.into(), status.into(), json(doc)?, millis(now).into()]).await
}

/// A new version where the document is another one; a draft goes live with the document it gets now.
async fn existing(
    tx: &DatabaseTransaction,
    record: &CampaignRecord,
    doc: &CampaignDoc,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let id = Value::from(record.id.0);
    let Some(status) = record.status else {
        let live = Value::from(Status::Live.word());
        let sql = "UPDATE campaign_version SET status = $2, document = $3, created_at = $4 WHERE campaign_id = $1";
        run_one(tx, sql, vec![id.clone(), live.clone(), json(doc)?, millis(now).into()]).await?;
        let sql = "UPDATE campaign SET status = $2 WHERE campaign_id = $1 AND status = $3";
        return run_one(tx, sql, vec![id, live, DRAFT.into()]).await;
    };
    if record.doc == *doc {
        return Ok(());
    }
    let version = record.version + 1;
    insert_version(tx, (record.id, version), status.word(), doc, now).await?;
    run_one(tx, "UPDATE campaign SET version = $2 WHERE campaign_id = $1", vec![id, version.into()]).await
}

/// The number of the promise: rows never change, so another promise is another row.
pub(super) async fn offer(
    tx: &DatabaseTransaction,
    rows: &Rows,
    id: CampaignId,
    doc: &CampaignDoc,
) -> Result<u16, StoreError> {
    let wanted = doc.offer.record();
    let mut known = rows.offers.iter().filter(|offer| offer.campaign == id);
    if let Some(same) = known.clone().find(|offer| offer.record == wanted) {
        return Ok(same.offer_no);
    }
    let offer_no = known.by_ref().map(|offer| offer.offer_no).max().unwrap_or(0) + 1;
    let sql = "INSERT INTO offer (campaign_id, offer_no, document) VALUES ($1, $2, $3)";
    run_one(tx, sql, vec![id.0.into(), u32::from(offer_no).into(), json(&wanted)?]).await?;
    Ok(offer_no)
}

/// The house's pool and those of its creators.
async fn pools(
    tx: &DatabaseTransaction,
    rows: &Rows,
    (id, offer_no): (CampaignId, u16),
    wanted: &CampaignWrite,
) -> Result<(), StoreError> {
    let own: Vec<_> = rows.pools.iter().filter(|pool| pool.campaign == id).collect();
    let house = own.iter().find(|pool| pool.pool.creator.is_none()).map(|pool| pool.pool.size);
    if house.is_none() {
        insert_pool(tx, id, offer_no, (POOL_NO, HOUSE), &wanted.pool).await?;
    }
    pool(tx, (id, POOL_NO), offer_no, &wanted.pool, house.unwrap_or(0)).await?;
    // No pool is ever deleted, so the next number is one beyond the last.
    let mut last = own.iter().map(|pool| i64::from(pool.pool.pool_no)).max().unwrap_or(POOL_NO);
    for creator in &wanted.creators {
        let Some(write) = &creator.pool else {
            continue;
        };
        let known = own.iter().find(|pool| pool.pool.creator == Some(creator.id));
        let pool_no = if let Some(known) = known {
            i64::from(known.pool.pool_no)
        } else {
            last += 1;
            insert_pool(tx, id, offer_no, (last, &format!("creator:{}", creator.id)), write).await?;
            last
        };
        pool(tx, (id, pool_no), offer_no, write, known.map_or(0, |known| known.pool.size)).await?;
    }
    Ok(())
}

/// A pool, and the range of positions that it grows by.
async fn pool(
    tx: &DatabaseTransaction,
    (id, pool_no): (CampaignId, i64),
    offer_no: u16,
    wanted: &PoolWrite,
    old: u64,
) -> Result<(), StoreError> {
    let grows = wanted.size.saturating_sub(old);
    let sql = "UPDATE pool SET offer_no = $3, size = size + $4 WHERE campaign_id = $1 AND pool_no = $2";
    let (campaign, pool_no) = (Value::from(id.0), Value::from(pool_no));
    run_one(tx, sql, vec![campaign.clone(), pool_no.clone(), u32::from(offer_no).into(), big(grows)]).await?;
    if grows == 0 {
        return Ok(());
    }
    match wanted.kind {
        PoolKind::Derived => {}
        PoolKind::Generated | PoolKind::Imported => {
            let sql = "SELECT COUNT(*) AS n FROM code
                WHERE campaign_id = $1 AND pool_no = $2 AND position >= $3 AND position < $4";
            let values = vec![campaign.clone(), pool_no.clone(), big(old), big(wanted.size)];
            let there = ints(tx, sql, values).await?.and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
            if there != grows {
                return Err(StoreError::Miscounted { statement: "code: new stock", written: there, expected: grows });
            }
        }
    }
    let sql = "INSERT INTO stock (campaign_id, pool_no, first, last, verified_at) VALUES ($1, $2, $3, $4, NULL)";
    run_one(tx, sql, vec![campaign.clone(), pool_no.clone(), big(old), big(wanted.size - 1)]).await?;
    // Promises beyond stock have left nothing; what is new is theirs first.
    let sql = "UPDATE pool SET in_stock = (
            SELECT CASE WHEN s.n > h.n THEN s.n - h.n ELSE 0 END FROM
                (SELECT CAST(COALESCE(SUM(last - first + 1), 0) AS BIGINT) AS n FROM stock
                 WHERE campaign_id = $1 AND pool_no = $2) AS s,
                (SELECT COUNT(*) AS n FROM hold
                 WHERE campaign_id = $1 AND pool_no = $2 AND ended_at IS NULL) AS h)
        WHERE campaign_id = $1 AND pool_no = $2";
    run_one(tx, sql, vec![campaign, pool_no]).await
}

/// An empty pool.
pub(super) async fn insert_pool(
    tx: &DatabaseTransaction,
    id: CampaignId,
    offer_no: u16,
    (pool_no, owner): (i64, &str),
    wanted: &PoolWrite,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO pool (campaign_id, pool_no, offer_no, kind, key_id, pattern, size, in_stock, owner)
        VALUES ($1, $2, $3, $4, $5, $6, 0, 0, $7)";
    let values = vec![
        id.0.into(),
        pool_no.into(),
        u32::from(offer_no).into(),
        wanted.kind.word().into(),
        wanted.key_id.into(),
        wanted.pattern.as_str().into(),
        owner.into(),
    ];
    run_one(tx, sql, values).await
}

/// Every placement of the campaign by its name; those no longer named keep their numbers for the reports.
pub(super) async fn placements(
    tx: &DatabaseTransaction,
    rows: &Rows,
    id: CampaignId,
    doc: &CampaignDoc,
) -> Result<Vec<(String, PlacementId)>, StoreError> {
    let known = rows.placements.iter().filter(|placement| placement.campaign == id);
    let mut places: Vec<_> = known.map(|placement| (placement.name.clone(), placement.id)).collect();
    let decimals = doc.offer.currency.decimals();
    for placement in doc.keywords.iter().flat_map(|keywords| keywords.placements.values()) {
        let cost = placement.cost().and_then(|cost| cost.minor(decimals)).unwrap_or(0);
        insert_placement(tx, id, (placement.name(), cost), None, &mut places).await?;
    }
    creators::placements(tx, (rows, id), doc, &mut places).await?;
    Ok(places)
}

/// One place, unless it is there: then it only gets its cost.
pub(super) async fn insert_placement(
    tx: &DatabaseTransaction,
    id: CampaignId,
    (name, cost): (&str, i64),
    creator: Option<CreatorId>,
    places: &mut creators::Places,
) -> Result<(), StoreError> {
    let campaign = Value::from(id.0);
    let sql = "UPDATE placement SET cost_minor = $3 WHERE campaign_id = $1 AND name = $2";
    if run(tx, sql, vec![campaign.clone(), name.into(), cost.into()]).await? > 0 {
        return Ok(());
    }
    let sql = "SELECT CAST(COALESCE(MAX(placement_id), 0) + 1 AS BIGINT) AS n FROM placement";
    let next = ints(tx, sql, vec![]).await?.and_then(|next| u32::try_from(next).ok());
    let next = next.ok_or(StoreError::Miscounted { statement: "placement: number", written: 0, expected: 1 })?;
    let sql = "INSERT INTO placement (placement_id, campaign_id, name, cost_minor, creator_id)
        VALUES ($1, $2, $3, $4, $5)";
    let creator = creator.map_or(0, |creator| creator.0);
    run_one(tx, sql, vec![next.into(), campaign, name.into(), cost.into(), creator.into()]).await?;
    places.push((name.to_owned(), PlacementId(next)));
    Ok(())
}

/// The campaign's words, all anew. A word of an ended campaign goes to the new one.
async fn write_keywords(
    tx: &DatabaseTransaction,
    id: CampaignId,
    address: &str,
    doc: &KeywordsDoc,
    places: &[(String, PlacementId)],
) -> Result<(), StoreError> {
    run(tx, "DELETE FROM keyword WHERE campaign_id = $1", vec![id.0.into()]).await?;
    let place = |word| {
        let name = doc.placements.get(word).map(PlacementDoc::name)?;
        places.iter().find(|(known, _)| known == name).map(|(_, id)| *id)
    };
    let main = place(&doc.main).unwrap_or(PlacementId::NONE);
    let own = doc.placements.keys().filter(|word| **word != doc.main);
    let words = [&doc.main].into_iter().chain(&doc.aliases).map(|word| (word, &doc.main, main));
    let words = words.chain(own.map(|word| (word, word, place(word).unwrap_or(PlacementId::NONE))));
    for (word, counted, placement) in words {
        write_word(tx, (id, address), (word.as_str(), counted.as_str()), placement, 0).await?;
    }
    Ok(())
}

/// One word of a number, and the keyword it counts as.
async fn write_word(
    tx: &DatabaseTransaction,
    (id, address): (CampaignId, &str),
    (word, counted): (&str, &str),
    placement: PlacementId,
    creator: u32,
) -> Result<(), StoreError> {
    let sql = "DELETE FROM keyword WHERE word = $2
        AND sender_id = (SELECT sender_id FROM sender WHERE address = $1)
        AND campaign_id IN (SELECT campaign_id FROM campaign WHERE status = 'ended')";
    run(tx, sql, vec![address.into(), word.into()]).await?;
    let sql = "INSERT INTO keyword (sender_id, word, campaign_id, keyword, placement_id, creator_id)
        SELECT sender_id, $2, $3, $4, $5, $6 FROM sender WHERE address = $1";
    let values = vec![address.into(), word.into(), id.0.into(), counted.into(), placement.0.into(), creator.into()];
    run_one(tx, sql, values).await
}

/// A document as its column keeps it.
pub(super) fn json<T: Serialize>(document: &T) -> Result<Value, StoreError> {
    let text = serde_json::to_string(document);
    text.map(Value::from).map_err(|_| StoreError::BadRow { table: "document", column: "document", id: String::new() })
}
