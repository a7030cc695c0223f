//! Positions: in stock or issued, never both, never beyond the pool, never without the code they stand for.

use super::Check;
use super::snapshot::{Row, Snapshot, spot};
use crate::store::StoreError;

/// Ranges that reach into the one before: the key orders them by their last position.
const OVERLAPS: &str = "
    SELECT campaign_id, pool_no, first, last, before FROM (
        SELECT campaign_id, pool_no, first, last,
            lag(last) OVER (PARTITION BY campaign_id, pool_no ORDER BY last) AS before
        FROM stock) AS ranges
    WHERE first <= before";

/// For each range the lowest issued position in it: one search by key a range.
const BOTH: &str = "
    SELECT campaign_id, pool_no, issued, first, last FROM (
        SELECT s.campaign_id, s.pool_no, s.first, s.last,
            (SELECT min(i.position) FROM issuance i WHERE i.campaign_id = s.campaign_id AND i.pool_no = s.pool_no
                AND i.position >= s.first AND i.position <= s.last) AS issued
        FROM stock s) AS ranges
    WHERE issued IS NOT NULL";

const BEYOND_ISSUED: &str = "
    SELECT i.campaign_id, i.pool_no, i.position, p.size FROM issuance i
    JOIN pool p ON p.campaign_id = i.campaign_id AND p.pool_no = i.pool_no
    WHERE i.position < 0 OR i.position >= p.size";

const BEYOND_STOCK: &str = "
    SELECT s.campaign_id, s.pool_no, s.last, p.size FROM stock s
    JOIN pool p ON p.campaign_id = s.campaign_id AND p.pool_no = s.pool_no
    WHERE s.first < 0 OR s.last >= p.size";

const STOCK_WITHOUT_CODE: &str = "
    SELECT campaign_id, pool_no, first, last, stored FROM (
        SELECT s.campaign_id, s.pool_no, s.first, s.last,
            (SELECT count(*) FROM code c WHERE c.campaign_id = s.campaign_id AND c.pool_no = s.pool_no
                AND c.position >= s.first AND c.position <= s.last) AS stored
        FROM stock s JOIN pool p ON p.campaign_id = s.campaign_id AND p.pool_no = s.pool_no
        WHERE p.kind IN ('generated', 'imported')) AS ranges
    WHERE stored <> last - first + 1";

const ISSUED_WITHOUT_CODE: &str = "
    SELECT i.campaign_id, i.pool_no, i.position FROM issuance i
    JOIN pool p ON p.campaign_id = i.campaign_id AND p.pool_no = i.pool_no
    WHERE p.kind IN ('generated', 'imported') AND NOT EXISTS (
        SELECT 1 FROM code c
        WHERE c.campaign_id = i.campaign_id AND c.pool_no = i.pool_no AND c.position = i.position)";

const TWICE: &str = "
    SELECT min(campaign_id), min(pool_no), min(position), count(*) FROM code
    GROUP BY code_norm HAVING count(*) > 1";

const IN_STOCK: &str = "
    SELECT p.campaign_id, p.pool_no, p.in_stock, coalesce(s.n, 0), coalesce(h.n, 0) FROM pool p
    LEFT JOIN (
        SELECT campaign_id, pool_no, CAST(sum(last - first + 1) AS BIGINT) AS n FROM stock GROUP BY campaign_id, pool_no
    ) s ON s.campaign_id = p.campaign_id AND s.pool_no = p.pool_no
    LEFT JOIN (
        SELECT campaign_id, pool_no, count(*) AS n FROM hold WHERE ended_at IS NULL GROUP BY campaign_id, pool_no
    ) h ON h.campaign_id = p.campaign_id AND h.pool_no = p.pool_no
    WHERE p.in_stock <> CASE WHEN coalesce(s.n, 0) > coalesce(h.n, 0) THEN coalesce(s.n, 0) - coalesce(h.n, 0) ELSE 0 END";

const STRAY: &str = "
    SELECT s.campaign_id, s.pool_no, s.first, s.last FROM stock s
    WHERE NOT EXISTS (SELECT 1 FROM pool p WHERE p.campaign_id = s.campaign_id AND p.pool_no = s.pool_no)";

/// An end takes every position out of stock.
const OF_ENDED: &str = "
    SELECT s.campaign_id, s.pool_no, s.first, s.last FROM stock s
    JOIN campaign c ON c.campaign_id = s.campaign_id WHERE c.status = 'ended'";

/// Every check of stock, codes and pools.
pub(super) async fn check(snapshot: &Snapshot) -> Result<Vec<Check>, StoreError> {
    let ranges = snapshot.count("stock").await?;
    let issued = snapshot.count("issuance").await?;
    let codes = snapshot.count("code").await?;
    let pools = snapshot.count("pool").await?;
    let mut beyond = snapshot
        .breaches("position_beyond_pool", issued + ranges, BEYOND_ISSUED, |row| beyond(row, "was issued"))
        .await?;
    let in_stock = snapshot.breaches("", 0, BEYOND_STOCK, |row| self::beyond(row, "is in stock")).await?;
    beyond.join(in_stock);
    let mut codeless =
        snapshot.breaches("position_without_code", issued + ranges, ISSUED_WITHOUT_CODE, codeless).await?;
    codeless.join(
        snapshot
            .breaches("", 0, STOCK_WITHOUT_CODE, |row| {
                let (range, stored) = (range(row)?, row.int(4)?);
                Ok(format!("{range} has only {stored} of its codes stored"))
            })
            .await?,
    );
    Ok(vec![
        snapshot
            .breaches("stock_and_issued", ranges, BOTH, |row| {
                let (first, last) = (row.int(3)?, row.int(4)?);
                Ok(format!("{} was issued and is in stock, in range {first} to {last}", row.spot(0)?))
            })
            .await?,
        snapshot
            .breaches("stock_overlaps", ranges, OVERLAPS, |row| {
                Ok(format!("{} overlaps the range that ends at {}", range(row)?, row.int(4)?))
            })
            .await?,
        snapshot
            .breaches("stock_without_pool", ranges, STRAY, |row| Ok(format!("{} belongs to no pool", range(row)?)))
            .await?,
        snapshot
            .breaches("stock_of_ended", ranges, OF_ENDED, |row| {
                Ok(format!("{} can still be issued, though its campaign is ended", range(row)?))
            })
            .await?,
        beyond,
        codeless,
        snapshot
            .breaches("code_twice", codes, TWICE, |row| {
                Ok(format!("the text of {} is stored {} times", row.spot(0)?, row.int(3)?))
            })
            .await?,
        snapshot
            .breaches("in_stock", pools, IN_STOCK, |row| {
                let [campaign, pool, says] = [row.int(0)?, row.int(1)?, row.int(2)?];
                let (found, promised) = (row.int(3)?, row.int(4)?);
                let but = if promised > 0 { format!(" and {promised} of them are promised") } else { String::new() };
                Ok(format!("pool {pool} of campaign {campaign} says {says} in stock, its ranges hold {found}{but}"))
            })
            .await?,
    ])
}

fn range(row: &Row) -> Result<String, StoreError> {
    let [campaign, pool, first, last] = [row.int(0)?, row.int(1)?, row.int(2)?, row.int(3)?];
    Ok(format!("stock range {first} to {last} of pool {pool} of campaign {campaign}"))
}

fn beyond(row: &Row, what: &str) -> Result<String, StoreError> {
    Ok(format!("{} {what}, but its pool has {} positions", row.spot(0)?, row.int(3)?))
}

fn codeless(row: &Row) -> Result<String, StoreError> {
    Ok(format!("{} was issued, but no code is stored for it", spot(row.int(0)?, row.int(1)?, row.int(2)?)))
}
