//! Open promises, for whoever keeps them.

use crate::domain::hold::HoldId;
use crate::domain::ids::{CampaignId, PartnerId, Subject, millis};
use crate::store::{Store, StoreError};
use chrono::{DateTime, Utc};
use sea_orm::{FromQueryResult, Value};

/// A promise that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// Its name.
    pub id: HoldId,
    /// Whose.
    pub subject: Subject,
    /// The partner who asked.
    pub partner: Option<PartnerId>,
}

#[derive(FromQueryResult)]
struct WaitingRow {
    hold_id: Vec<u8>,
    subject: Vec<u8>,
    partner_id: i64,
}

impl Store {
    /// Promises of a campaign that wait, oldest first, at most `limit`; not those whose person said STOP.
    ///
    /// # Errors
    /// What the database says; [`StoreError::BadRow`].
    pub async fn waiting_holds(&self, campaign: CampaignId, limit: u64) -> Result<Vec<Waiting>, StoreError> {
        let sql = "SELECT hold_id, subject, partner_id FROM hold
            WHERE campaign_id = $1 AND ended_at IS NULL AND is_muted = 0 ORDER BY held_at, hold_id LIMIT $2";
        self.waiting(sql, [campaign.0.into(), i64::try_from(limit).unwrap_or(i64::MAX).into()]).await
    }

    /// Promises of a campaign made before `before` whose person was not yet told that it takes longer.
    ///
    /// # Errors
    /// What the database says; [`StoreError::BadRow`].
    pub async fn late_holds(
        &self,
        campaign: CampaignId,
        before: DateTime<Utc>,
        limit: u64,
    ) -> Result<Vec<Waiting>, StoreError> {
        let sql = "SELECT hold_id, subject, partner_id FROM hold
            WHERE campaign_id = $1 AND ended_at IS NULL AND held_at <= $2 AND late_at IS NULL
            ORDER BY held_at, hold_id LIMIT $3";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.waiting(sql, [campaign.0.into(), millis(before).into(), limit.into()]).await
    }

    async fn waiting(&self, sql: &str, values: impl IntoIterator<Item = Value>) -> Result<Vec<Waiting>, StoreError> {
        let rows = WaitingRow::find_by_statement(self.statement(sql, values)).all(self.read()).await?;
        let parse = |row: WaitingRow| {
            let bad = || StoreError::BadRow { table: "hold", column: "hold_id", id: "not 16 bytes".to_owned() };
            let id = HoldId(row.hold_id.try_into().map_err(|_| bad())?);
            let subject = Subject::from_bytes(row.subject.try_into().map_err(|_| bad())?);
            let partner = u32::try_from(row.partner_id).ok().filter(|id| *id != 0).map(PartnerId);
            Ok(Waiting { id, subject, partner })
        };
        rows.into_iter().map(parse).collect()
    }
}
