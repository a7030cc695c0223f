//! Promises and codes that another system calls dead: every promise is kept by its own code or by none, and nothing
//! that was put aside is in stock.

use super::Check;
use super::snapshot::Snapshot;
use crate::store::StoreError;

/// A promise that was kept names the code that kept it, which was counted when the promise was made.
const KEPT: &str = "
    SELECT h.campaign_id, h.pool_no, h.position FROM hold h
    LEFT JOIN issuance i ON i.campaign_id = h.campaign_id AND i.pool_no = h.pool_no AND i.position = h.position
    WHERE h.position IS NOT NULL AND (i.position IS NULL OR i.subject IS NULL OR i.subject <> h.subject
        OR i.epoch <> h.epoch OR i.seq <> h.seq OR i.charged_at IS NULL OR i.charged_at <> h.held_at
        OR i.weight_minor <> h.weight_minor OR h.ended_at IS NULL)";

/// A code that was counted before it was issued was promised.
const UNPROMISED: &str = "
    SELECT i.campaign_id, i.pool_no, i.position FROM issuance i
    WHERE i.charged_at IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM hold h
        WHERE h.campaign_id = i.campaign_id AND h.pool_no = i.pool_no AND h.position = i.position)";

/// An end leaves no promise open.
const OF_ENDED: &str = "
    SELECT h.campaign_id, count(*) FROM hold h JOIN campaign c ON c.campaign_id = h.campaign_id
    WHERE h.ended_at IS NULL AND c.status = 'ended' GROUP BY h.campaign_id";

const ASIDE_IN_STOCK: &str = "
    SELECT q.campaign_id, q.pool_no, q.position, q.verdict FROM quarantine q
    JOIN stock s ON s.campaign_id = q.campaign_id AND s.pool_no = q.pool_no
        AND s.first <= q.position AND s.last >= q.position";

const ASIDE_ISSUED: &str = "
    SELECT q.campaign_id, q.pool_no, q.position, q.verdict FROM quarantine q
    JOIN issuance i ON i.campaign_id = q.campaign_id AND i.pool_no = q.pool_no AND i.position = q.position";

/// Every check of promises and of codes put aside.
pub(super) async fn check(snapshot: &Snapshot) -> Result<Vec<Check>, StoreError> {
    let holds = snapshot.count("hold").await?;
    let aside = snapshot.count("quarantine").await?;
    let mut kept = snapshot
        .breaches("hold_kept", holds, KEPT, |row| Ok(format!("{} does not fit the promise it kept", row.spot(0)?)))
        .await?;
    let unpromised = snapshot
        .breaches("", 0, UNPROMISED, |row| Ok(format!("{} was counted as promised, but never was", row.spot(0)?)))
        .await?;
    kept.join(unpromised);
    let mut quarantined = snapshot
        .breaches("quarantined", aside, ASIDE_IN_STOCK, |row| {
            Ok(format!("{} was put aside as {} and is in stock", row.spot(0)?, row.text(3)?))
        })
        .await?;
    let issued = snapshot
        .breaches("", 0, ASIDE_ISSUED, |row| {
            Ok(format!("{} was put aside as {} and was issued", row.spot(0)?, row.text(3)?))
        })
        .await?;
    quarantined.join(issued);
    Ok(vec![
        kept,
        snapshot
            .breaches("hold_of_ended", holds, OF_ENDED, |row| {
                Ok(format!("campaign {} is ended and has {} open promises", row.int(0)?, row.int(1)?))
            })
            .await?,
        quarantined,
    ])
}
