//! Pulls of partners and what they heard: every code of a pull is its own, and every feed has each number once.

use super::Check;
use super::snapshot::{Row, Snapshot, hex};
use crate::store::StoreError;

/// What a pull says of itself beside what its ranges hold and what was issued of it.
const COUNTS: &str = "
    SELECT allocation_id, CAST(sum(streamed) AS BIGINT), CAST(sum(issued) AS BIGINT), CAST(sum(held) AS BIGINT),
        CAST(sum(ranged) AS BIGINT), CAST(sum(moved) AS BIGINT) FROM (
        SELECT allocation_id, exposed AS streamed, 0 AS issued, count - restocked AS held, 0 AS ranged, 0 AS moved FROM allocation
        UNION ALL
        SELECT allocation_id, 0 AS streamed, 1 AS issued, 0 AS held, 0 AS ranged, 0 AS moved
        FROM issuance WHERE allocation_id IS NOT NULL
        UNION ALL
        SELECT allocation_id, 0 AS streamed, 0 AS issued, 0 AS held, last - first + 1 AS ranged, next - first AS moved
        FROM allocation_range
    ) AS sides GROUP BY allocation_id
    HAVING sum(streamed) <> sum(issued) OR sum(streamed) <> sum(moved) OR sum(held) <> sum(ranged)";

/// A code that no person holds belongs to a pull, and lies where the pull has streamed.
const STRAY: &str = "
    SELECT i.campaign_id, i.pool_no, i.position FROM issuance i
    WHERE (i.subject IS NULL AND i.allocation_id IS NULL) OR (i.allocation_id IS NOT NULL AND (
        i.subject IS NOT NULL OR NOT EXISTS (
            SELECT 1 FROM allocation a JOIN allocation_range r ON r.allocation_id = a.allocation_id
            WHERE a.allocation_id = i.allocation_id AND a.campaign_id = i.campaign_id AND a.pool_no = i.pool_no
                AND a.partner_id = i.partner_id AND r.first <= i.position AND r.next > i.position)))";

/// What lies with a partner and was not streamed is nobody else's.
const TAKEN: &str = "
    SELECT a.allocation_id, r.next, r.last FROM allocation a JOIN allocation_range r ON r.allocation_id = a.allocation_id
    WHERE r.next <= r.last AND (EXISTS (
        SELECT 1 FROM issuance i WHERE i.campaign_id = a.campaign_id AND i.pool_no = a.pool_no
            AND i.position >= r.next AND i.position <= r.last)
    OR EXISTS (
        SELECT 1 FROM stock s WHERE s.campaign_id = a.campaign_id AND s.pool_no = a.pool_no
            AND s.first <= r.last AND s.last >= r.next))";

/// Only the end of a lease gives back what was streamed, and what is given back is never more than that.
const GIVEN: &str = "
    SELECT allocation_id, given_back, restocked FROM allocation
    WHERE (acked_at IS NOT NULL AND ended_at IS NOT NULL) OR given_back < restocked
        OR given_back > restocked + exposed OR (ended_at IS NULL AND given_back <> restocked)";

const GAPS: &str = "
    SELECT c.partner_id, c.last_no, count(f.event_no), coalesce(max(f.event_no), 0) FROM feed_counter c
    LEFT JOIN feed f ON f.partner_id = c.partner_id GROUP BY c.partner_id, c.last_no
    HAVING count(f.event_no) <> c.last_no OR coalesce(max(f.event_no), 0) <> c.last_no";

/// Codes and pulls of partners beside what their feeds say was issued; and redemptions beside the redeemed.
const UNHEARD: &str = "
    SELECT partner_id, kind, CAST(sum(n) AS BIGINT) FROM (
        SELECT partner_id, 'issued' AS kind, 1 AS n FROM issuance WHERE partner_id <> 0 AND allocation_id IS NULL
        UNION ALL
        SELECT partner_id, 'issued' AS kind, 1 AS n FROM allocation
        UNION ALL
        SELECT i.partner_id, e.kind, 1 AS n FROM code_event e JOIN issuance i
            ON i.campaign_id = e.campaign_id AND i.pool_no = e.pool_no AND i.position = e.position
        WHERE i.partner_id <> 0 AND e.kind IN ('redeemed', 'rolled_back', 'refunded')
        UNION ALL
        SELECT partner_id, kind, -1 AS n FROM feed
        WHERE kind IN ('issued', 'redeemed', 'rolled_back', 'refunded')
    ) AS sides GROUP BY partner_id, kind HAVING sum(n) <> 0";

/// Every check of pulls and feeds.
pub(super) async fn check(snapshot: &Snapshot) -> Result<Vec<Check>, StoreError> {
    let pulls = snapshot.count("allocation").await?;
    let issued = snapshot.count("issuance").await?;
    let feeds = snapshot.count("feed").await?;
    let counts = snapshot.breaches("pull_counts", pulls, COUNTS, |row| {
        let [streamed, issued, held, ranged] = [row.int(1)?, row.int(2)?, row.int(3)?, row.int(4)?];
        let name = pull(row)?;
        Ok(format!(
            "{name} says {streamed} were streamed and {held} are held; {issued} were issued, its ranges hold {ranged}"
        ))
    });
    let stray = snapshot.breaches("pull_codes", issued, STRAY, |row| {
        Ok(format!("{} has neither a person nor a pull that streamed it", row.spot(0)?))
    });
    let taken = snapshot.breaches("pull_ranges", pulls, TAKEN, |row| {
        Ok(format!("{} holds positions {} to {}, which others have too", pull(row)?, row.int(1)?, row.int(2)?))
    });
    let given = snapshot.breaches("pull_given_back", pulls, GIVEN, |row| {
        let name = pull(row)?;
        Ok(format!("{name} gave {} back to its caps and {} to stock", row.int(1)?, row.int(2)?))
    });
    let gaps = snapshot.breaches("feed_gaps", feeds, GAPS, |row| {
        let [partner, last, there] = [row.int(0)?, row.int(1)?, row.int(2)?];
        Ok(format!("the feed of partner {partner} has {there} events, its newest is number {last}"))
    });
    let unheard = snapshot.breaches("feed_heard", feeds, UNHEARD, |row| {
        let (partner, kind, n) = (row.int(0)?, row.text(1)?, row.int(2)?);
        Ok(format!("the ledger has {n} more {kind} codes of partner {partner} than its feed"))
    });
    Ok(vec![counts.await?, stray.await?, taken.await?, given.await?, gaps.await?, unheard.await?])
}

fn pull(row: &Row) -> Result<String, StoreError> {
    Ok(format!("pull al_{}", hex(&row.bytes(0)?)))
}
