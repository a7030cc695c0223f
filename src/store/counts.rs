//! How many codes a campaign has given out, and how many it still has.

use crate::domain::ids::CampaignId;
use crate::store::{Store, StoreError};
use sea_orm::{FromQueryResult, Statement};
use std::collections::BTreeMap;

/// The codes of one campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CodeCount {
    /// Given out so far, as the reports count them.
    pub issued: u64,
    /// Nobody's yet.
    pub in_stock: u64,
    /// Of those, in pools of the house: what whoever comes without a creator can get.
    pub of_house: u64,
}

#[derive(FromQueryResult)]
struct Number {
    campaign_id: i64,
    n: i64,
}

const ISSUED: &str = "SELECT campaign_id, CAST(SUM(n) AS BIGINT) AS n FROM rollup_channel
    WHERE outcome = 'issued' GROUP BY campaign_id";

const IN_STOCK: &str = "SELECT campaign_id, CAST(SUM(in_stock) AS BIGINT) AS n FROM pool GROUP BY campaign_id";

const OF_HOUSE: &str = "SELECT campaign_id, CAST(SUM(in_stock) AS BIGINT) AS n FROM pool
    WHERE owner NOT LIKE 'creator:%' GROUP BY campaign_id";

/// The codes of every campaign. A campaign without a code is not among them.
///
/// # Errors
/// [`StoreError`].
pub async fn codes(store: &Store) -> Result<BTreeMap<CampaignId, CodeCount>, StoreError> {
    let mut counts: BTreeMap<CampaignId, CodeCount> = BTreeMap::new();
    for (id, n) in numbers(store, ISSUED, "rollup_channel").await? {
        counts.entry(id).or_default().issued = n;
    }
    for (id, n) in numbers(store, IN_STOCK, "pool").await? {
        counts.entry(id).or_default().in_stock = n;
    }
    for (id, n) in numbers(store, OF_HOUSE, "pool").await? {
        counts.entry(id).or_default().of_house = n;
    }
    Ok(counts)
}

/// The codes of every campaign that nobody has, those with a creator's name apart.
///
/// # Errors
/// [`StoreError`].
pub async fn house_stock(store: &Store) -> Result<BTreeMap<CampaignId, u64>, StoreError> {
    Ok(numbers(store, OF_HOUSE, "pool").await?.into_iter().collect())
}

async fn numbers(store: &Store, text: &str, table: &'static str) -> Result<Vec<(CampaignId, u64)>, StoreError> {
    let connection = store.read();
    let statement = Statement::from_string(connection.get_database_backend(), text);
    let rows = Number::find_by_statement(statement).all(connection).await?;
    let parse = |row: Number| {
        let bad = |_| StoreError::BadRow { table, column: "campaign_id", id: row.campaign_id.to_string() };
        let id = u32::try_from(row.campaign_id).map_err(bad)?;
        Ok((CampaignId(id), u64::try_from(row.n).map_err(bad)?))
    };
    rows.into_iter().map(parse).collect()
}
