//! Requests: each code was asked for, each answer has its message, no message outlives a STOP.

use super::snapshot::{Row, Snapshot, hex};
use super::{Check, DISORDER_MS};
use crate::store::StoreError;

/// Codes of persons beside the requests that were answered with a new code; one sort of both.
const SIDES: &str = "
    SELECT campaign_id, pool_no, position, given, asked FROM (
        SELECT campaign_id, pool_no, position, subject, CAST(sum(given) AS BIGINT) AS given, CAST(sum(asked) AS BIGINT) AS asked
        FROM (
            SELECT campaign_id, pool_no, position, subject, 1 AS given, 0 AS asked FROM issuance WHERE subject IS NOT NULL
            UNION ALL
            SELECT campaign_id, pool_no, position, subject, 0 AS given, 1 AS asked FROM request WHERE outcome = 'issued'
        ) AS both_sides
        GROUP BY campaign_id, pool_no, position, subject) AS pairs";

const UNSAID: &str = "
    SELECT door, request_key FROM request r
    WHERE replied = 1 AND NOT EXISTS (
        SELECT 1 FROM outbox_message m WHERE m.door = r.door AND m.request_key = r.request_key)";

const UNASKED: &str = "
    SELECT message_id, door, request_key FROM outbox_message m
    WHERE NOT EXISTS (
        SELECT 1 FROM request r WHERE r.door = m.door AND r.request_key = m.request_key AND r.replied = 1)";

/// A message that was never tried; one that was in flight at the STOP may be put back, and the sender looks again
/// before it calls. Answers to STOP, HELP and START are owed. A batch takes its time before it waits for her lock, so a
/// text after her STOP may look up to that much older ([`DISORDER_MS`]).
const AFTER_STOP: &str = "
    SELECT m.message_id, m.reply, o.brand FROM opt_out o
    JOIN outbox_message m ON m.subject = o.subject AND m.created_at < o.opted_out_at - {disorder}
    JOIN sender s ON s.sender_id = m.sender_id AND s.brand = o.brand
    WHERE m.is_open = 1 AND m.status = 'queued' AND m.attempts = 0 AND m.reply NOT IN ('T13', 'T14', 'T15')";

/// Every check of requests and messages.
pub(super) async fn check(snapshot: &Snapshot) -> Result<Vec<Check>, StoreError> {
    let requests = snapshot.count("request").await?;
    let messages = snapshot.count("outbox_message").await?;
    let opt_outs = snapshot.count("opt_out").await?;
    let after_stop = AFTER_STOP.replace("{disorder}", &DISORDER_MS.to_string());
    let mut checks = issued(snapshot, requests).await?;
    checks.push(
        snapshot
            .breaches("answer_without_message", requests, UNSAID, |row| {
                Ok(format!("request {} was answered, but there is no message", request(row, 0)?))
            })
            .await?,
    );
    checks.push(
        snapshot
            .breaches("message_without_answer", messages, UNASKED, |row| {
                Ok(format!(
                    "message {} answers request {}, which says that it got no answer",
                    hex(&row.bytes(0)?),
                    request(row, 1)?
                ))
            })
            .await?,
    );
    checks.push(
        snapshot
            .breaches("message_after_stop", opt_outs, &after_stop, |row| {
                let (message, reply, brand) = (hex(&row.bytes(0)?), row.text(1)?, row.text(2)?);
                Ok(format!("message {message} ({reply}) still waits, though its person said STOP to {brand} later"))
            })
            .await?,
    );
    Ok(checks)
}

async fn issued(snapshot: &Snapshot, requests: u64) -> Result<Vec<Check>, StoreError> {
    let only = |which: &str| format!("{SIDES} WHERE {which}");
    // The sort of both sides is dear: one tells whether there is anything to tell apart.
    if snapshot.rows(&only("given <> 1 OR asked <> 1 LIMIT 1"), Vec::new()).await?.is_empty() {
        let clean = |name| Check::new(name, requests);
        return Ok(["issued_without_request", "request_without_issuance", "issued_twice"].map(clean).into());
    }
    Ok(vec![
        snapshot
            .breaches("issued_without_request", requests, &only("given > 0 AND asked = 0"), |row| {
                Ok(format!("{} was issued, but its person made no request that was answered with it", row.spot(0)?))
            })
            .await?,
        snapshot.breaches("request_without_issuance", requests, &only("given = 0"), unissued).await?,
        snapshot
            .breaches("issued_twice", requests, &only("given > 0 AND asked > 1"), |row| {
                Ok(format!("{} was the new code of {} requests", row.spot(0)?, row.int(4)?))
            })
            .await?,
    ])
}

fn unissued(row: &Row) -> Result<String, StoreError> {
    let Some(campaign) = row.maybe_int(0)? else {
        return Ok("a request was answered with a new code that it does not name".to_owned());
    };
    let (pool, position) = (row.maybe_int(1)?.unwrap_or(-1), row.maybe_int(2)?.unwrap_or(-1));
    let code = super::snapshot::spot(campaign, pool, position);
    Ok(format!("a request was answered with {code}, which was not issued to its person"))
}

fn request(row: &Row, column: usize) -> Result<String, StoreError> {
    Ok(format!("dec_{}.{}", row.text(column)?, row.text(column + 1)?))
}
