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
