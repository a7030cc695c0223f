//! What other systems report that no code answers to yet, what is to be asked of them again, and how far their feeds
//! were read.

use crate::domain::ids::{CampaignId, Spot, millis};
use crate::store::{Store, StoreError};
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, FromQueryResult, Value};

/// A report that waits for its code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptEvent {
    /// The system.
    pub peer: String,
    /// Its name of the report.
    pub event_id: String,
    /// The code as the books have it.
    pub code_norm: String,
    /// The report, as JSON.
    pub event: String,
}

/// A code that its system is to be asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueCheck {
    /// Which.
    pub spot: Spot,
    /// How often it was asked about since it was given out.
    pub looks: u32,
}

#[derive(FromQueryResult)]
struct KeptRow {
    peer: String,
    event_id: String,
    code_norm: String,
    event: String,
}

#[derive(FromQueryResult)]
struct DueRow {
    pool_no: i64,
    position: i64,
    looks: i64,
}

#[derive(FromQueryResult)]
struct CursorRow {
    cursor: String,
}

impl Store {
    /// Keeps a report; one of that name that is kept already stays.
    ///
    /// # Errors
    /// What the database says.
    pub async fn keep_peer_event(&self, kept: &KeptEvent, now: DateTime<Utc>) -> Result<(), StoreError> {
        let KeptEvent { peer, event_id, code_norm, event } = kept;
        let sql = "INSERT INTO peer_event (peer, event_id, code_norm, event, received_at) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (peer, event_id) DO NOTHING";
        let values: [Value; 5] = [
            peer.as_str().into(),
            event_id.as_str().into(),
            code_norm.as_str().into(),
            event.as_str().into(),
            millis(now).into(),
        ];
        self.run_plain(sql, values).await
    }

    /// Reports that wait for their code, oldest first, received after `since`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn kept_peer_events(&self, since: DateTime<Utc>, limit: u32) -> Result<Vec<KeptEvent>, StoreError> {
        let sql = "SELECT peer, event_id, code_norm, event FROM peer_event
            WHERE settled_at IS NULL AND received_at > $1 ORDER BY received_at, peer, event_id LIMIT $2";
        let values = [Value::from(millis(since)), i64::from(limit).into()];
        let rows = KeptRow::find_by_statement(self.statement(sql, values)).all(self.read()).await?;
        let kept = |KeptRow { peer, event_id, code_norm, event }| KeptEvent { peer, event_id, code_norm, event };
        Ok(rows.into_iter().map(kept).collect())
    }

    /// A report found its code.
    ///
    /// # Errors
    /// What the database says.
    pub async fn settle_peer_event(&self, peer: &str, event_id: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
        let sql = "UPDATE peer_event SET settled_at = $3 WHERE peer = $1 AND event_id = $2";
        self.run_plain(sql, [peer.into(), event_id.into(), millis(now).into()]).await
    }

    /// Codes of a campaign that its system is to be asked about by now, longest due first.
    ///
    /// # Errors
    /// What the database says; [`StoreError::BadRow`].
    pub async fn due_checks(
        &self,
        campaign: CampaignId,
        now: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<DueCheck>, StoreError> {
        let sql = "SELECT pool_no, position, looks FROM peer_check
            WHERE campaign_id = $1 AND due_at <= $2 ORDER BY due_at, pool_no, position LIMIT $3";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let values = [Value::from(campaign.0), millis(now).into(), limit.into()];
        let rows = DueRow::find_by_statement(self.statement(sql, values)).all(self.read()).await?;
        let parse = |row: DueRow| {
            let bad = |_| StoreError::BadRow { table: "peer_check", column: "position", id: row.position.to_string() };
            let spot = Spot {
                campaign,
                pool: u16::try_from(row.pool_no).map_err(bad)?,
                position: u64::try_from(row.position).map_err(bad)?,
            };
            Ok(DueCheck { spot, looks: u32::try_from(row.looks).map_err(bad)? })
        };
        rows.into_iter().map(parse).collect()
    }

    /// Asks about a code again at `due_at`, or never more.
    ///
    /// # Errors
    /// What the database says.
    pub async fn next_check(&self, spot: Spot, due_at: Option<DateTime<Utc>>) -> Result<(), StoreError> {
        let position = i64::try_from(spot.position).unwrap_or(i64::MAX);
        let key = [Value::from(spot.campaign.0), u32::from(spot.pool).into(), position.into()];
        let Some(at) = due_at else {
            let sql = "DELETE FROM peer_check WHERE campaign_id = $1 AND pool_no = $2 AND position = $3";
            return self.run_plain(sql, key).await;
        };
        let sql = "UPDATE peer_check SET due_at = $4, looks = looks + 1
            WHERE campaign_id = $1 AND pool_no = $2 AND position = $3";
        self.run_plain(sql, key.into_iter().chain([millis(at).into()])).await
    }

    /// How far a system's feed was read.
    ///
    /// # Errors
    /// What the database says.
    pub async fn peer_cursor(&self, peer: &str) -> Result<Option<String>, StoreError> {
        let sql = "SELECT cursor FROM peer_cursor WHERE peer = $1";
        let row = CursorRow::find_by_statement(self.statement(sql, [peer.into()])).one(self.read()).await?;
        Ok(row.map(|row| row.cursor))
    }

    /// A system's feed was read up to there.
    ///
    /// # Errors
    /// What the database says.
    pub async fn move_peer_cursor(&self, peer: &str, cursor: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
        let sql = "INSERT INTO peer_cursor (peer, cursor, polled_at) VALUES ($1, $2, $3)
            ON CONFLICT (peer) DO UPDATE SET cursor = excluded.cursor, polled_at = excluded.polled_at";
        self.run_plain(sql, [peer.into(), cursor.into(), millis(now).into()]).await
    }

    async fn run_plain(&self, sql: &str, values: impl IntoIterator<Item = Value>) -> Result<(), StoreError> {
        self.write().execute_raw(self.statement(sql, values)).await.map_err(StoreError::from)?;
        Ok(())
    }
}
