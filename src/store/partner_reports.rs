//! What a partner's codes came to, as the committer counted it with each fact.

use crate::domain::ids::{CampaignId, PartnerId};
use crate::store::{Store, StoreError};
use sea_orm::{FromQueryResult, Value};

/// So many of one outcome in one quarter of an hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// Quarter hours since 1970 UTC.
    pub quarter: i64,
    /// What the partner calls the place; empty is none.
    pub sub_id: String,
    /// `issued`, `repeat:unused`, `refused:cap_reached`, `redeemed`, …
    pub outcome: String,
    /// How many.
    pub n: i64,
    /// What they came to, minor units.
    pub amount: i64,
}

#[derive(FromQueryResult)]
struct Row {
    quarter: i64,
    sub_id: String,
    outcome: String,
    n: i64,
    amount: i64,
}

const COUNTED: &str = "SELECT quarter, sub_id, outcome, CAST(SUM(n) AS BIGINT) AS n,
        CAST(SUM(amount_minor) AS BIGINT) AS amount
    FROM rollup_credit
    WHERE kind = 'partner' AND credit_id = $1 AND campaign_id = $2 AND quarter >= $3 AND quarter < $4
    GROUP BY quarter, sub_id, outcome ORDER BY quarter, sub_id, outcome";

#[derive(FromQueryResult)]
struct CampaignRow {
    campaign_id: i64,
}

/// The campaigns in which anything was counted for a partner.
///
/// # Errors
/// What the database says; [`StoreError::BadRow`].
pub async fn campaigns(store: &Store, partner: PartnerId) -> Result<Vec<CampaignId>, StoreError> {
    // A look into the index for each campaign: the counts of years are not read.
    let sql = "SELECT c.campaign_id FROM campaign c WHERE EXISTS (SELECT 1 FROM rollup_credit r
        WHERE r.kind = 'partner' AND r.credit_id = $1 AND r.campaign_id = c.campaign_id)";
    let statement = store.statement(sql, [Value::from(partner.0)]);
    let rows = CampaignRow::find_by_statement(statement).all(store.read()).await?;
    let bad = |id: i64| StoreError::BadRow { table: "campaign", column: "campaign_id", id: id.to_string() };
    let read = |row: CampaignRow| u32::try_from(row.campaign_id).map(CampaignId).map_err(|_| bad(row.campaign_id));
    rows.into_iter().map(read).collect()
}

/// Everything that was counted for a partner in a campaign, from one quarter on and before another.
///
/// # Errors
/// What the database says.
pub async fn counted(
    store: &Store,
    partner: PartnerId,
    campaign: CampaignId,
    quarters: (i64, i64),
) -> Result<Vec<Counted>, StoreError> {
    let values = [Value::from(partner.0), campaign.0.into(), quarters.0.into(), quarters.1.into()];
    let rows = Row::find_by_statement(store.statement(COUNTED, values)).all(store.read()).await?;
    let read = |row: Row| {
        let Row { quarter, sub_id, outcome, n, amount } = row;
        Counted { quarter, sub_id, outcome, n, amount }
    };
    Ok(rows.into_iter().map(read).collect())
}
