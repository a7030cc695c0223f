//! What a campaign's codes came to and whose merit that is, as the committer counted it with each fact.

use crate::domain::campaign::Channel;
use crate::domain::ids::CampaignId;
use crate::store::{Store, StoreError};
use sea_orm::{FromQueryResult, Value};

/// By whom or by which way something came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CountedBy {
    /// Everything, by the door it came through.
    Channel(Channel),
    /// What of that is a partner's merit, by its client id; what it streamed came through no other door's count.
    Partner(String),
    /// What of that is a creator's merit, by her handle.
    Creator(String),
}

/// So many of one outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credited {
    /// Whose, or by which door.
    pub by: CountedBy,
    /// `issued`, `repeat:unused`, `refused:cap_reached`, `redeemed`, …
    pub outcome: String,
    /// How many.
    pub n: i64,
    /// What they came to, minor units.
    pub amount: i64,
    /// What the creator earned by them, minor units.
    pub commission: i64,
}

#[derive(FromQueryResult)]
struct Row {
    kind: String,
    name: String,
    outcome: String,
    n: i64,
    amount: i64,
    commission: i64,
}

/// What was counted of the parties in a table. Each is one stretch of the primary key, so that no count of other days is
/// read, old as the house may be; CROSS JOIN holds SQLite to that, and PostgreSQL a subquery that it may not take apart.
fn parties(kind: &str, (table, id, name): (&str, &str, &str), locks_rows: bool) -> String {
    let keys = format!(
        "c.kind = '{kind}' AND c.credit_id = p.{id} AND c.campaign_id = $1 AND c.quarter >= $2 AND c.quarter < $3"
    );
    let counts = if locks_rows {
        format!("LATERAL (SELECT * FROM rollup_credit c WHERE {keys} OFFSET 0) c")
    } else {
        format!("rollup_credit c WHERE {keys}")
    };
    format!(
        "SELECT c.kind, p.{name} AS name, c.outcome, c.n, c.amount_minor AS amount, c.commission_minor AS commission
         FROM {table} p CROSS JOIN {counts}"
    )
}

/// One statement, so that all of it was counted at one moment.
fn counted_in(locks_rows: bool) -> String {
    let partners = parties("partner", ("partner", "partner_id", "client_id"), locks_rows);
    let creators = parties("creator", ("creator", "creator_id", "handle"), locks_rows);
    format!(
        "SELECT kind, name, outcome, CAST(SUM(n) AS BIGINT) AS n, CAST(SUM(amount) AS BIGINT) AS amount,
             CAST(SUM(commission) AS BIGINT) AS commission
         FROM (
             SELECT 'channel' AS kind, channel AS name, outcome, n, amount_minor AS amount, 0 AS commission
             FROM rollup_channel
             WHERE campaign_id = $1 AND quarter >= $2 AND quarter < $3
             UNION ALL {partners} UNION ALL {creators}
         ) AS counted
         GROUP BY kind, name, outcome ORDER BY kind, name, outcome"
    )
}

impl Store {
    /// Everything that was counted in a campaign from one quarter on and before another, by door and again by whose merit
    /// it is.
    ///
    /// # Errors
    /// What the database says; [`StoreError::BadRow`].
    pub async fn counted_in(&self, campaign: CampaignId, (from, to): (i64, i64)) -> Result<Vec<Credited>, StoreError> {
        let values = [Value::from(campaign.0), from.into(), to.into()];
        let rows =
            Row::find_by_statement(self.statement(&counted_in(self.locks_rows()), values)).all(self.read()).await?;
        rows.into_iter().map(Row::parse).collect()
    }
}

impl Row {
    fn parse(self) -> Result<Credited, StoreError> {
        let Self { kind, name, outcome, n, amount, commission } = self;
        let by = match kind.as_str() {
            "partner" => CountedBy::Partner(name),
            "creator" => CountedBy::Creator(name),
            _ => CountedBy::Channel(Channel::parse(&name).ok_or(StoreError::BadRow {
                table: "rollup_channel",
                column: "channel",
                id: name,
            })?),
        };
        Ok(Credited { by, outcome, n, amount, commission })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::store::Options;
    use sea_orm::ConnectionTrait as _;

    #[tokio::test]
    async fn no_count_of_other_days_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", dir.path().join("test.db").display());
        let store = Store::connect(&Options { readers: 1, ..Options::new(url) }).await.unwrap();
        store.migrate().await.unwrap();
        let sql = format!("EXPLAIN QUERY PLAN {}", counted_in(store.locks_rows()));
        let plan = store.read().query_all_raw(store.statement(&sql, [1.into(), 2.into(), 3.into()])).await.unwrap();
        let steps: Vec<String> = plan.iter().map(|row| row.try_get("", "detail").unwrap()).collect();
        let times = |words: &str| steps.iter().filter(|step| step.contains(words)).count();
        let days = "campaign_id=? AND quarter>? AND quarter<?)";
        assert_eq!(times(&format!("SEARCH rollup_channel USING PRIMARY KEY ({days}")), 1, "{steps:?}");
        assert_eq!(times(&format!("SEARCH c USING PRIMARY KEY (kind=? AND credit_id=? AND {days}")), 2, "{steps:?}");
    }
}
