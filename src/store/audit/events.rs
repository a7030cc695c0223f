//! What became of codes: one redemption at a time, each step in its place.

use super::Check;
use super::snapshot::{Row, Snapshot};
use crate::store::StoreError;

/// Each event beside the one before it and its true number; refunds change no state, and are none of those before.
const STEPS: &str = "
    SELECT campaign_id, pool_no, position, step, kind, before, before_step, place, reverses FROM (
        SELECT campaign_id, pool_no, position, step, kind, reverses, provider,
            lag(kind) OVER states AS before, lag(step) OVER states AS before_step, row_number() OVER code AS place
        FROM code_event
        WINDOW code AS (PARTITION BY campaign_id, pool_no, position ORDER BY step),
            states AS (PARTITION BY campaign_id, pool_no, position, CASE WHEN kind = 'refunded' THEN 1 ELSE 0 END
                ORDER BY step)) AS steps";

/// Refunds of no redemption, of one that was taken back before, or of more than the sale was.
const REFUNDS: &str = "
    SELECT f.campaign_id, f.pool_no, f.position, f.step FROM code_event f
    LEFT JOIN code_event e ON e.campaign_id = f.campaign_id AND e.pool_no = f.pool_no AND e.position = f.position
        AND e.step = f.reverses AND e.kind = 'redeemed'
    WHERE f.kind = 'refunded' AND (e.step IS NULL OR f.amount_minor IS NULL OR f.amount_minor < 1
        OR coalesce(e.amount_minor, 0) < (
            SELECT sum(o.amount_minor) FROM code_event o
            WHERE o.campaign_id = f.campaign_id AND o.pool_no = f.pool_no AND o.position = f.position
                AND o.kind = 'refunded' AND o.reverses = f.reverses)
        OR EXISTS (SELECT 1 FROM code_event b
            WHERE b.campaign_id = f.campaign_id AND b.pool_no = f.pool_no AND b.position = f.position
                AND b.kind = 'rolled_back' AND b.reverses = f.reverses AND b.step < f.step))";

const NEVER_ISSUED: &str = "
    SELECT e.campaign_id, e.pool_no, e.position, e.step, e.kind FROM code_event e
    WHERE NOT EXISTS (
        SELECT 1 FROM issuance i
        WHERE i.campaign_id = e.campaign_id AND i.pool_no = e.pool_no AND i.position = e.position)";

/// Redemptions and refunds, and the requests that asked for them, one to one; those of another system need no request of
/// ours.
const UNASKED: &str = "
    SELECT campaign_id, pool_no, position, id, CAST(sum(done) AS BIGINT), CAST(sum(asked) AS BIGINT) FROM (
        SELECT campaign_id, pool_no, position, provider_ref AS id, 1 AS done, 0 AS asked,
            CASE provider WHEN 'till' THEN 1 ELSE 0 END AS ours
        FROM code_event WHERE kind IN ('redeemed', 'refunded')
        UNION ALL
        SELECT campaign_id, pool_no, position, reference AS id, 0 AS done, 1 AS asked, 0 AS ours
        FROM request WHERE outcome IN ('redeemed', 'refunded')) AS both_sides
    GROUP BY campaign_id, pool_no, position, id
    HAVING sum(done) <> 1 OR sum(asked) > 1 OR sum(asked) < sum(ours)";

/// Every check of code events.
pub(super) async fn check(snapshot: &Snapshot) -> Result<Vec<Check>, StoreError> {
    let events = snapshot.count("code_event").await?;
    let only = |which: &str| format!("{STEPS} WHERE {which}");
    Ok(vec![
        snapshot
            .breaches("redeemed_twice", events, &only("provider = 'till' AND kind = 'redeemed' AND before = 'redeemed'"), |row| {
                Ok(format!("{} was redeemed at step {} and again at step {}", row.spot(0)?, row.int(6)?, row.int(3)?))
            })
            .await?,
        snapshot
            .breaches(
                "rollback_without_redemption",
                events,
                &only("provider = 'till' AND kind = 'rolled_back' AND (before IS NULL OR before <> 'redeemed' OR reverses <> before_step)"),
                |row| {
                    Ok(format!(
                        "{} was rolled back at step {} with no open redemption before",
                        row.spot(0)?,
                        row.int(3)?
                    ))
                },
            )
            .await?,
        snapshot
            .breaches("refunds", events, REFUNDS, |row| {
                Ok(format!("step {} of {} gives back what was not paid, or was given back before", row.int(3)?, row.spot(0)?))
            })
            .await?,
        snapshot
            .breaches("event_steps", events, &only("step <> place"), |row| {
                Ok(format!("event {} of {} says it is step {}", row.int(7)?, row.spot(0)?, row.int(3)?))
            })
            .await?,
        snapshot
            .breaches("event_after_void", events, &only("provider IN ('till', 'house') AND before = 'voided'"), |row| {
                Ok(format!("{} was voided, then {} at step {}", row.spot(0)?, row.text(4)?, row.int(3)?))
            })
            .await?,
        snapshot
            .breaches("void_of_redeemed", events, &only("kind = 'voided' AND before = 'redeemed'"), |row| {
                Ok(format!("{} was voided at step {} while redeemed", row.spot(0)?, row.int(3)?))
            })
            .await?,
        snapshot
            .breaches("event_never_issued", events, NEVER_ISSUED, |row| {
                Ok(format!("{} was {} at step {}, but never issued", row.spot(0)?, row.text(4)?, row.int(3)?))
            })
            .await?,
        snapshot.breaches("redemption_request", events, UNASKED, unasked).await?,
    ])
}

fn unasked(row: &Row) -> Result<String, StoreError> {
    let id = row.maybe_text(3)?.unwrap_or_default();
    Ok(format!("redemption {id:?} of {} stands {} times, asked for {} times", row.spot(0)?, row.int(4)?, row.int(5)?))
}
