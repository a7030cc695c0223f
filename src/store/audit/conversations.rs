//! What is open with persons: no question that was not put, no code of a holder who is still to come, and no more
//! unknown words than texts.

use super::Check;
use super::snapshot::{Snapshot, hex};
use crate::store::StoreError;

const UNPUT: &str = "
    SELECT s.subject, s.sender_id FROM session s
    WHERE s.kind = 'question' AND NOT EXISTS (
        SELECT 1 FROM request r JOIN outbox_message m ON m.door = r.door AND m.request_key = r.request_key
        WHERE r.subject = s.subject AND r.sender_id = s.sender_id AND r.kind = 'asked' AND r.replied = 1
          AND m.reply = 'T12')";

const TO_COME: &str = "
    SELECT i.campaign_id, i.pool_no, i.position, i.subject, i.epoch, r.epoch
    FROM recipient r JOIN issuance i ON i.subject = r.subject AND i.epoch > r.epoch";

/// Words are counted since a later release than requests are kept, so they may be fewer.
const UNTEXTED: &str = "
    SELECT sender_id, counted, texted FROM (
        SELECT w.sender_id, CAST(SUM(w.n) AS BIGINT) AS counted,
            (SELECT COUNT(*) FROM request r WHERE r.sender_id = w.sender_id AND r.kind IN ('unknown', 'asked')) AS texted
        FROM unknown_word w GROUP BY w.sender_id) AS words
    WHERE counted > texted";

/// Every check of conversations.
pub(super) async fn check(snapshot: &Snapshot) -> Result<[Check; 3], StoreError> {
    let (sessions, words) = (snapshot.count("session").await?, snapshot.count("unknown_word").await?);
    let persons = snapshot.count("recipient").await?;
    Ok([
        snapshot
            .breaches("question_not_put", sessions, UNPUT, |row| {
                Ok(format!(
                    "sender {} waits for an answer of {}, who was asked nothing",
                    row.int(1)?,
                    hex(&row.bytes(0)?)
                ))
            })
            .await?,
        snapshot
            .breaches("holder_to_come", persons, TO_COME, |row| {
                let (code, person) = (row.spot(0)?, hex(&row.bytes(3)?));
                Ok(format!("{code} belongs to holder {} of {person}, who is at holder {}", row.int(4)?, row.int(5)?))
            })
            .await?,
        snapshot
            .breaches("words_not_texted", words, UNTEXTED, |row| {
                let (sender, counted, texted) = (row.int(0)?, row.int(1)?, row.int(2)?);
                Ok(format!("sender {sender} counts {counted} unknown words, but {texted} texts were not known"))
            })
            .await?,
    ])
}
