//! The counts of reports, told again from the rows they count.

use super::Check;
use super::snapshot::Snapshot;
use crate::store::StoreError;

const CHANNEL: &str = "
    SELECT campaign_id, quarter, channel, placement_id, outcome, CAST(sum(n) AS BIGINT), CAST(sum(amount) AS BIGINT) FROM (
        SELECT coalesce(campaign_id, 0) AS campaign_id, received_at / 900000 AS quarter, channel, placement_id,
            CASE WHEN rule = '' THEN outcome ELSE outcome || ':' || rule END AS outcome,
            1 AS n, coalesce(amount_minor, 0) AS amount
        FROM request
        UNION ALL
        SELECT campaign_id, quarter, channel, placement_id, outcome, -n AS n, -amount_minor AS amount FROM rollup_channel
    ) AS both_sides
    GROUP BY campaign_id, quarter, channel, placement_id, outcome
    HAVING sum(n) <> 0 OR sum(amount) <> 0";

/// What a repeat of a code that is another's merit counts as: who asked only helped. What a creator asks by her own word
/// is nobody's merit.
const CREDIT: &str = "
    SELECT kind, id, campaign_id, quarter, placement_id, sub_id, outcome, CAST(sum(n) AS BIGINT), CAST(sum(amount) AS BIGINT) FROM (
        SELECT 'partner' AS kind, r.partner_id AS id, coalesce(r.campaign_id, 0) AS campaign_id,
            r.received_at / 900000 AS quarter, r.placement_id, coalesce(r.sub_id, '') AS sub_id,
            CASE WHEN r.outcome = 'repeat' AND i.partner_id <> r.partner_id THEN 'assist'
                WHEN r.rule = '' THEN r.outcome ELSE r.outcome || ':' || r.rule END AS outcome,
            1 AS n, coalesce(r.amount_minor, 0) AS amount
        FROM request r LEFT JOIN issuance i
            ON i.campaign_id = r.campaign_id AND i.pool_no = r.pool_no AND i.position = r.position
        WHERE r.partner_id <> 0
        UNION ALL
        SELECT 'creator' AS kind, r.creator_id AS id, coalesce(r.campaign_id, 0) AS campaign_id,
            r.received_at / 900000 AS quarter, r.placement_id, coalesce(r.sub_id, '') AS sub_id,
            CASE WHEN c.subject IS NOT NULL THEN 'self'
                WHEN r.outcome = 'repeat' AND i.creator_id <> r.creator_id THEN 'assist'
                WHEN r.rule = '' THEN r.outcome ELSE r.outcome || ':' || r.rule END AS outcome,
            1 AS n, coalesce(r.amount_minor, 0) AS amount
        FROM request r LEFT JOIN issuance i
            ON i.campaign_id = r.campaign_id AND i.pool_no = r.pool_no AND i.position = r.position
            LEFT JOIN creator_phone c ON c.subject = r.subject AND c.creator_id = r.creator_id
        WHERE r.creator_id <> 0
        UNION ALL
        SELECT 'partner' AS kind, partner_id AS id, campaign_id, issued_at / 900000 AS quarter, placement_id,
            coalesce(sub_id, '') AS sub_id, 'streamed' AS outcome, 1 AS n, 0 AS amount
        FROM issuance WHERE allocation_id IS NOT NULL
        UNION ALL
        SELECT kind, credit_id AS id, campaign_id, quarter, placement_id, sub_id, outcome, -n AS n, -amount_minor AS amount
        FROM rollup_credit
    ) AS both_sides
    GROUP BY kind, id, campaign_id, quarter, placement_id, sub_id, outcome
    HAVING sum(n) <> 0 OR sum(amount) <> 0";

/// What creators earned, by the steps of the codes that are their merit; her own code earns none.
const COMMISSION: &str = "
    SELECT creator_id, campaign_id, CAST(sum(earned) AS BIGINT) FROM (
        SELECT i.creator_id, i.campaign_id,
            CASE WHEN e.kind = 'redeemed' THEN e.commission_minor ELSE -e.commission_minor END AS earned
        FROM code_event e
        JOIN issuance i ON i.campaign_id = e.campaign_id AND i.pool_no = e.pool_no AND i.position = e.position
        WHERE e.commission_minor IS NOT NULL AND e.kind IN ('redeemed', 'rolled_back', 'refunded')
        UNION ALL
        SELECT credit_id AS creator_id, campaign_id, -commission_minor AS earned FROM rollup_credit WHERE kind = 'creator'
    ) AS both_sides
    GROUP BY creator_id, campaign_id
    HAVING sum(earned) <> 0";

/// A commission that stands wrongly: of nobody, of her own code, or taken back, refunds counted, as another sum than was
/// earned.
const EARNED: &str = "
    SELECT e.campaign_id, e.pool_no, e.position, e.step
    FROM code_event e
    JOIN issuance i ON i.campaign_id = e.campaign_id AND i.pool_no = e.pool_no AND i.position = e.position
    LEFT JOIN creator_phone c ON c.subject = i.subject AND c.creator_id = i.creator_id
    LEFT JOIN code_event b ON b.campaign_id = e.campaign_id AND b.pool_no = e.pool_no AND b.position = e.position
        AND b.step = e.reverses
    WHERE (e.commission_minor IS NOT NULL
            AND (i.creator_id = 0 OR c.subject IS NOT NULL OR e.commission_minor < 0
                OR e.kind NOT IN ('redeemed', 'rolled_back', 'refunded')))
        OR (e.kind = 'rolled_back' AND b.step IS NOT NULL
            AND coalesce(e.commission_minor, 0) + (
                SELECT coalesce(sum(f.commission_minor), 0) FROM code_event f
                WHERE f.campaign_id = e.campaign_id AND f.pool_no = e.pool_no AND f.position = e.position
                    AND f.kind = 'refunded' AND f.reverses = e.reverses) <> coalesce(b.commission_minor, 0))";

/// 2932896 is 31 December 9999: the day of codes that never end.
const OUTSTANDING: &str = "
    SELECT campaign_id, day, CAST(sum(n) AS BIGINT), CAST(sum(value) AS BIGINT) FROM (
        SELECT campaign_id, coalesce(expires_at / 86400000, 2932896) AS day, 1 AS n, weight_minor AS value FROM issuance
        UNION ALL
        SELECT i.campaign_id, coalesce(i.expires_at / 86400000, 2932896) AS day, -1 AS n, -i.weight_minor AS value
        FROM (
            SELECT DISTINCT e.campaign_id, e.pool_no, e.position FROM code_event e
            WHERE e.kind IN ('voided', 'returned', 'expired') OR (e.kind = 'redeemed' AND NOT EXISTS (
                SELECT 1 FROM code_event b
                WHERE b.campaign_id = e.campaign_id AND b.pool_no = e.pool_no AND b.position = e.position
                    AND b.kind = 'rolled_back' AND b.provider_ref = e.provider_ref))) AS over
        JOIN issuance i ON i.campaign_id = over.campaign_id AND i.pool_no = over.pool_no AND i.position = over.position
        UNION ALL
        SELECT campaign_id, expiry_day AS day, -n AS n, -value_minor AS value FROM rollup_outstanding
    ) AS both_sides
    GROUP BY campaign_id, day
    HAVING sum(n) <> 0 OR sum(value) <> 0";

/// Every check of reports.
pub(super) async fn check(snapshot: &Snapshot) -> Result<Vec<Check>, StoreError> {
    let requests = snapshot.count("request").await?;
    let issued = snapshot.count("issuance").await?;
    Ok(vec![
        snapshot.breaches("rollup_channel", requests, CHANNEL, |row| {
            let [campaign, quarter, placement] = [row.int(0)?, row.int(1)?, row.int(3)?];
            let (channel, outcome, n, amount) = (row.text(2)?, row.text(4)?, row.int(5)?, row.int(6)?);
            Ok(format!(
                "rollup_channel of campaign {campaign}, quarter {quarter}, {channel}, placement {placement}, {outcome}: \
                 the requests are {n} more, and {amount} more in money"
            ))
        }).await?,
        snapshot.breaches("rollup_credit", requests, CREDIT, |row| {
            let [id, campaign, quarter] = [row.int(1)?, row.int(2)?, row.int(3)?];
            let (kind, outcome, n, amount) = (row.text(0)?, row.text(6)?, row.int(7)?, row.int(8)?);
            Ok(format!(
                "rollup_credit of {kind} {id}, campaign {campaign}, quarter {quarter}, {outcome}: the ledger has {n} more, \
                 and {amount} more in money"
            ))
        }).await?,
        snapshot.breaches("commission", snapshot.count("code_event").await?, COMMISSION, |row| {
            let [creator, campaign, earned] = [row.int(0)?, row.int(1)?, row.int(2)?];
            Ok(format!(
                "commission of creator {creator}, campaign {campaign}: the steps of codes come to {earned} more than was counted"
            ))
        }).await?,
        snapshot.breaches("code_event.commission", issued, EARNED, |row| {
            let [campaign, pool, position, step] = [row.int(0)?, row.int(1)?, row.int(2)?, row.int(3)?];
            Ok(format!("step {step} of code {campaign}/{pool}/{position} earns a commission that it must not"))
        }).await?,
        snapshot.breaches("rollup_outstanding", issued, OUTSTANDING, |row| {
            let [campaign, day, n, value] = [row.int(0)?, row.int(1)?, row.int(2)?, row.int(3)?];
            Ok(format!(
                "rollup_outstanding of campaign {campaign}, expiry day {day}: the ledger has {n} more codes, and {value} more in money"
            ))
        }).await?,
    ])
}
