//! What is open between a person and a number of ours, read and written under her lock; unknown words, counted.

use crate::domain::decision::changes::Changes;
use crate::domain::ids::{SenderId, Subject, from_millis, millis};
use crate::domain::session::{Open, Session, SessionKey, SessionKind};
use crate::store::bulk::Kind::{Bytes, Int, Text};
use crate::store::bulk::{Bulk, Cell, Row};
use crate::store::{StoreError, Tx, subject_bytes};
use chrono::{DateTime, Utc};
use std::collections::{BTreeSet, HashMap};

/// Unknown words kept for one number, about: the words of one batch may go beyond it. The rest are counted together.
const MOST_WORDS: i64 = 1_000;

pub(super) static READ_ANSWERED: Bulk = Bulk::new(
    "request: recent",
    &[("subject", Bytes)],
    &[Bytes, Int, Text, Text, Text, Text, Int, Int, Int, Int, Int, Int, Int, Text],
    "SELECT r.subject, r.received_at, r.kind, r.word, r.outcome, r.rule, r.cap_id, r.cap, r.used, r.resets_at,
            r.campaign_id, r.pool_no, r.position, r.reference
     FROM {rows} JOIN request r ON r.subject = t.subject AND r.received_at > {1} AND r.replied = 1
     ORDER BY r.received_at",
);

static READ_SESSIONS: Bulk = Bulk::new(
    "session: read",
    &[("subject", Bytes)],
    &[Bytes, Int, Text, Text, Int],
    "SELECT s.subject, s.sender_id, s.kind, s.state, s.expires_at FROM {rows} JOIN session s ON s.subject = t.subject",
);

static WRITE_SESSIONS: Bulk = Bulk::new(
    "session: write",
    &[("subject", Bytes), ("sender_id", Int), ("kind", Text), ("state", Text), ("expires_at", Int)],
    &[],
    "INSERT INTO session (subject, sender_id, kind, state, expires_at)
     SELECT subject, sender_id, kind, state, expires_at FROM {rows} WHERE true ORDER BY subject, sender_id, kind
     ON CONFLICT (subject, sender_id, kind) DO UPDATE SET state = excluded.state, expires_at = excluded.expires_at",
);

static DELETE_SESSIONS: Bulk = Bulk::new(
    "session: delete",
    &[("subject", Bytes), ("sender_id", Int), ("kind", Text)],
    &[],
    "DELETE FROM session
     WHERE (subject, sender_id, kind) IN (SELECT t.subject, t.sender_id, t.kind FROM {rows})",
);

/// A word that is new beyond the limit is counted as the empty one.
static COUNT_WORDS: Bulk = Bulk::new(
    "unknown_word: count",
    &[("sender_id", Int), ("word", Text), ("n", Int)],
    &[],
    "INSERT INTO unknown_word AS w (sender_id, word, n, last_at)
     SELECT k.sender_id, k.word, SUM(k.n), CAST({1} AS BIGINT) FROM (
         SELECT t.sender_id, t.n, CASE WHEN known.word IS NOT NULL OR COALESCE(many.n, 0) < CAST({2} AS BIGINT) THEN t.word ELSE '' END AS word
         FROM {rows}
         LEFT JOIN unknown_word known ON known.sender_id = t.sender_id AND known.word = t.word
         LEFT JOIN (SELECT sender_id, COUNT(*) AS n FROM unknown_word GROUP BY sender_id) AS many
             ON many.sender_id = t.sender_id) AS k
     WHERE true GROUP BY k.sender_id, k.word ORDER BY k.sender_id, k.word
     ON CONFLICT (sender_id, word) DO UPDATE SET n = w.n + excluded.n, last_at = excluded.last_at",
);

/// What is open with these persons.
pub(super) async fn read(
    tx: &mut Tx<'_>,
    persons: &BTreeSet<Subject>,
) -> Result<HashMap<SessionKey, Session>, StoreError> {
    let rows: Vec<Vec<Cell>> = persons.iter().map(|subject| vec![subject_bytes(*subject).into()]).collect();
    let mut found = HashMap::new();
    for row in tx.read(&READ_SESSIONS, &rows, &[]).await? {
        let (key, session) = session(&row)?;
        found.insert(key, session);
    }
    Ok(found)
}

fn session(row: &Row) -> Result<(SessionKey, Session), StoreError> {
    let (kind, state) = (row.text(2)?, row.text(3)?);
    let bad = |column| StoreError::BadRow { table: "session", column, id: kind.clone() };
    let (kind, open) = match kind.as_str() {
        "question" => (SessionKind::Question, Open::Question(serde_json::from_str(&state).map_err(|_| bad("state"))?)),
        "repeats" => (SessionKind::Repeats, Open::Repeats(serde_json::from_str(&state).map_err(|_| bad("state"))?)),
        _ => return Err(bad("kind")),
    };
    let key = SessionKey { subject: Subject::from_bytes(row.bytes(0)?), sender: SenderId(row.number(1)?), kind };
    Ok((key, Session { open, expires_at: from_millis(row.int(4)?) }))
}

pub(super) async fn write(tx: &mut Tx<'_>, changes: &Changes) -> Result<(), StoreError> {
    let (mut open, mut over) = (Vec::new(), Vec::new());
    for (key, session) in &changes.sessions {
        let mut row: Vec<Cell> = vec![subject_bytes(key.subject).into(), key.sender.0.into(), key.kind.word().into()];
        match session {
            Some(session) => {
                row.push(state(&session.open)?.into());
                row.push(millis(session.expires_at).into());
                open.push(row);
            }
            None => over.push(row),
        }
    }
    tx.write(&WRITE_SESSIONS, &open).await?;
    // One that was opened in this very batch is not there yet.
    tx.run(&DELETE_SESSIONS, &over, &[]).await?;
    Ok(())
}

fn state(open: &Open) -> Result<String, StoreError> {
    let text = match open {
        Open::Question(question) => serde_json::to_string(question),
        Open::Repeats(repeats) => serde_json::to_string(repeats),
    };
    text.map_err(|_| StoreError::BadRow { table: "session", column: "state", id: String::new() })
}

/// Counts unknown words. Like every rollup it comes last and in the order of its keys.
pub(super) async fn count_words(tx: &mut Tx<'_>, changes: &Changes, now: DateTime<Utc>) -> Result<(), StoreError> {
    let row = |((sender, word), n): (&(SenderId, String), &i64)| -> Vec<Cell> {
        vec![sender.0.into(), word.as_str().into(), (*n).into()]
    };
    let rows: Vec<_> = changes.unknown.iter().map(row).collect();
    tx.run(&COUNT_WORDS, &rows, &[millis(now).into(), MOST_WORDS.into()]).await?;
    Ok(())
}
