//! Pause, resume and end: exact, because they wait for the campaign's lock, and every batch compares the version.

use super::{begin, finish, ints, run, run_one};
use crate::domain::campaign::Status;
use crate::domain::ids::CampaignId;
use crate::store::{Store, StoreError};
use sea_orm::Value;

/// What became of a wish to pause, resume or end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusChange {
    /// It is so now; so many unissued codes were retired.
    Changed {
        /// Codes that nobody will get any more.
        retired: u64,
    },
    /// It was so before.
    AlreadySo,
    /// An ended campaign stays ended.
    IsEnded,
    /// There is no such campaign.
    Unknown,
}

/// Pauses, resumes or ends a campaign. From the commit on, no process issues otherwise.
///
/// # Errors
/// As [`super::commit`].
pub async fn set_status(
    store: &Store,
    campaign: CampaignId,
    to: Status,
) -> Result<StatusChange, StoreError> {
    let tx = begin(store, None).await?;
    let id = Value::from(campaign.0);
    let sql = "SELECT CAST(CASE status WHEN 'live' THEN 1 WHEN 'paused' THEN 2 WHEN 'ended' THEN 3 ELSE 0 END AS BIGINT) AS n
        FROM campaign WHERE campaign_id = $1";
    let was = match ints(&tx, sql, vec![id.clone()]).await? {
        Some(1) => Status::Live,
        Some(2) => Status::Paused,
        Some(3) => Status::Ended,
        Some(_) | None => return Ok(StatusChange::Unknown),
    };
    if was == to {
        return Ok(StatusChange::AlreadySo);
    }
    let retired = match (was, to) {
        (Status::Ended, _) => return Ok(StatusChange::IsEnded),
        (_, Status::Ended) => retire(&tx, &id).await?,
        (_, Status::Live | Status::Paused) => 0,
    };
    run_one(
        &tx,
        "UPDATE campaign SET status = $2 WHERE campaign_id = $1",
        vec![id, to.word().into()],
    )
    .await?;
    finish(tx).await?;
    Ok(StatusChange::Changed { retired })
}

/// Takes every unissued position out of stock; the pool keeps its size, so the codes stay known as nobody's.
async fn retire(tx: &sea_orm::DatabaseTransaction, id: &Value) -> Result<u64, StoreError> {
    let sql =
        "SELECT CAST(COALESCE(SUM(in_stock), 0) AS BIGINT) AS n FROM pool WHERE campaign_id = $1";
    let retired = ints(tx, sql, vec![id.clone()])
        .await?
        .and_then(|n| u64::try_from(n).ok())
        .unwrap_or(0);
    run(
        tx,
        "DELETE FROM stock WHERE campaign_id = $1",
        vec![id.clone()],
    )
    .await?;
    run(
        tx,
        "UPDATE pool SET in_stock = 0 WHERE campaign_id = $1",
        vec![id.clone()],
    )
    .await?;
    Ok(retired)
}
