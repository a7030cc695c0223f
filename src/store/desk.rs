//! What creators see of themselves, and the links that open their desks.

use crate::domain::decision::changes::{DeskLink, QUARTER_MS};
use crate::domain::ids::{CampaignId, CapId, CreatorId, PlacementId, from_millis, millis};
use crate::store::config::{end, run, run_one};
use crate::store::{Store, StoreError};
use chrono::{DateTime, Utc};
use sea_orm::{FromQueryResult, Statement, Value};

/// The most sub ids that a desk shows.
pub const MOST_SUBS: usize = 20;

/// A link to a desk, as its row says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeskLinkRow {
    /// Whose desk.
    pub creator: CreatorId,
    /// Until when it opens.
    pub expires_at: DateTime<Utc>,
    /// It was used.
    pub is_used: bool,
}

/// What was counted in a quarter of an hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditRow {
    /// When the quarter began.
    pub at: DateTime<Utc>,
    /// Where.
    pub placement: PlacementId,
    /// The outcome, as the count has it.
    pub outcome: String,
    /// How often.
    pub n: i64,
    /// The money of sales, minor units.
    pub amount: i64,
}

/// What came of a creator's link under one sub id.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct SubRow {
    /// What the link's address said.
    pub sub_id: String,
    /// How often it was opened so.
    pub opens: i64,
    /// Codes that are her merit.
    pub issued: i64,
    /// Of those, redeemed and not taken back.
    pub redeemed: i64,
}

/// What a creator earned in a campaign, minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Earned {
    /// Its hold is not over.
    pub pending: i64,
    /// Hers.
    pub confirmed: i64,
    /// Taken back.
    pub reversed: i64,
    /// What is confirmed next, and when it was earned.
    pub next: Option<(DateTime<Utc>, i64)>,
}

/// A commission that was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reversal {
    /// When.
    pub at: DateTime<Utc>,
    /// How much, minor units.
    pub amount: i64,
    /// The till's number of the sale.
    pub order: Option<String>,
}

#[derive(FromQueryResult)]
struct Link {
    creator_id: i64,
    expires_at: i64,
    used_at: Option<i64>,
}

#[derive(FromQueryResult)]
struct Credit {
    quarter: i64,
    placement_id: i64,
    outcome: String,
    n: i64,
    amount_minor: i64,
}

#[derive(FromQueryResult)]
struct Sums {
    pending: Option<i64>,
    confirmed: Option<i64>,
    reversed: Option<i64>,
}

#[derive(FromQueryResult)]
struct Amount {
    at: Option<i64>,
    n: i64,
    order_ref: Option<String>,
}

/// What of a sale's commission went back with refunds.
const REFUNDED: &str = "COALESCE((SELECT SUM(f.commission_minor) FROM code_event f
    WHERE f.campaign_id = e.campaign_id AND f.pool_no = e.pool_no AND f.position = e.position
        AND f.kind = 'refunded' AND f.reverses = e.step), 0)";

/// Redemptions of codes that are a creator's merit ($1) in a campaign ($2), each with what took it back.
const SALES: &str = "FROM code_event e
    JOIN issuance i ON i.campaign_id = e.campaign_id AND i.pool_no = e.pool_no AND i.position = e.position
    LEFT JOIN code_event b ON b.campaign_id = e.campaign_id AND b.pool_no = e.pool_no AND b.position = e.position
        AND b.kind = 'rolled_back' AND b.reverses = e.step
    WHERE i.creator_id = $1 AND e.campaign_id = $2 AND e.kind = 'redeemed' AND e.commission_minor IS NOT NULL";

impl Store {
    /// Keeps a link to a desk.
    ///
    /// # Errors
    /// What the database says.
    pub async fn add_desk_link(&self, link: &DeskLink) -> Result<(), StoreError> {
        let tx = self.begin_change().await?;
        let sql = "INSERT INTO creator_link (link_id, creator_id, created_at, expires_at) VALUES ($1, $2, $3, $4)";
        let id = Value::from(link.id.to_vec());
        run_one(&tx, sql, vec![id, link.creator.0.into(), millis(link.at).into(), millis(link.expires_at).into()])
            .await?;
        end(tx).await
    }

    /// The link of that name.
    ///
    /// # Errors
    /// What the database says.
    pub async fn desk_link(&self, id: [u8; 16]) -> Result<Option<DeskLinkRow>, StoreError> {
        let sql = "SELECT creator_id, expires_at, used_at FROM creator_link WHERE link_id = $1";
        let found = self.desk_rows::<Link>(sql, vec![id.to_vec().into()]).await?.pop();
        let parse = |row: Link| {
            let bad =
                |_| StoreError::BadRow { table: "creator_link", column: "creator_id", id: row.creator_id.to_string() };
            let creator = CreatorId(u32::try_from(row.creator_id).map_err(bad)?);
            Ok(DeskLinkRow { creator, expires_at: from_millis(row.expires_at), is_used: row.used_at.is_some() })
        };
        found.map(parse).transpose()
    }

    /// Uses a link up; `false` when it was used before or is too old. Of many at once, one uses it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn use_desk_link(&self, id: [u8; 16], now: DateTime<Utc>) -> Result<bool, StoreError> {
        let tx = self.begin_change().await?;
        let sql = "UPDATE creator_link SET used_at = $2 WHERE link_id = $1 AND used_at IS NULL AND expires_at > $2";
        let used = run(&tx, sql, vec![id.to_vec().into(), millis(now).into()]).await?;
        end(tx).await?;
        Ok(used == 1)
    }

    /// What was counted of a creator in a campaign from one instant to another.
    ///
    /// # Errors
    /// What the database says.
    pub async fn credits_of(
        &self,
        (creator, campaign): (CreatorId, CampaignId),
        (from, to): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<Vec<CreditRow>, StoreError> {
        let sql = "SELECT quarter, placement_id, outcome, CAST(SUM(n) AS BIGINT) AS n,
                CAST(SUM(amount_minor) AS BIGINT) AS amount_minor
            FROM rollup_credit
            WHERE kind = 'creator' AND credit_id = $1 AND campaign_id = $2 AND quarter >= $3 AND quarter < $4
            GROUP BY quarter, placement_id, outcome ORDER BY quarter";
        let quarter = |at| Value::from(millis(at).div_euclid(QUARTER_MS));
        let rows = self
            .desk_rows::<Credit>(sql, vec![creator.0.into(), campaign.0.into(), quarter(from), quarter(to)])
            .await?;
        Ok(rows
            .into_iter()
            .map(|row| CreditRow {
                at: from_millis(row.quarter * QUARTER_MS),
                placement: PlacementId(u32::try_from(row.placement_id).unwrap_or_default()),
                outcome: row.outcome,
                n: row.n,
                amount: row.amount_minor,
            })
            .collect())
    }

    /// Whether anything was ever counted of a creator in a campaign.
    ///
    /// # Errors
    /// What the database says.
    pub async fn was_credited(&self, creator: CreatorId, campaign: CampaignId) -> Result<bool, StoreError> {
        let sql = "SELECT n, CAST(NULL AS BIGINT) AS at, CAST(NULL AS TEXT) AS order_ref
            FROM rollup_credit WHERE kind = 'creator' AND credit_id = $1 AND campaign_id = $2 LIMIT 1";
        Ok(!self.desk_rows::<Amount>(sql, vec![creator.0.into(), campaign.0.into()]).await?.is_empty())
    }

    /// How often a link was opened between two instants.
    ///
    /// # Errors
    /// What the database says.
    pub async fn opens_of(&self, slug: &str, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<i64, StoreError> {
        let sql = "SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT) AS n, CAST(NULL AS BIGINT) AS at, CAST(NULL AS TEXT) AS order_ref
            FROM rollup_link WHERE slug = $1 AND quarter >= $2 AND quarter < $3";
        let quarter = |at| Value::from(millis(at).div_euclid(QUARTER_MS));
        let row = self.desk_rows::<Amount>(sql, vec![slug.into(), quarter(from), quarter(to)]).await?.pop();
        Ok(row.map_or(0, |row| row.n))
    }

    /// What came of a creator's link by sub id between two instants, the best first, at most [`MOST_SUBS`]: whoever opens
    /// the link may make one up.
    ///
    /// # Errors
    /// What the database says.
    pub async fn subs_of(
        &self,
        (creator, campaign): (CreatorId, CampaignId),
        slug: &str,
        (from, to): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<Vec<SubRow>, StoreError> {
        let sum = |what: &str| format!("CAST(SUM({what}) AS BIGINT) AS {what}");
        let sql = format!(
            "SELECT sub_id, {}, {}, {} FROM (
                SELECT sub_id, n AS opens, 0 AS issued, 0 AS redeemed FROM rollup_link
                WHERE slug = $3 AND quarter >= $4 AND quarter < $5 AND sub_id <> ''
                UNION ALL
                SELECT sub_id, 0 AS opens, CASE WHEN outcome = 'issued' THEN n ELSE 0 END AS issued,
                    CASE WHEN outcome IN ('redeemed', 'recorded:redeemed') THEN n
                         WHEN outcome IN ('rolled_back', 'recorded:rolled_back') THEN -n ELSE 0 END AS redeemed
                FROM rollup_credit
                WHERE kind = 'creator' AND credit_id = $1 AND campaign_id = $2
                    AND quarter >= $4 AND quarter < $5 AND sub_id <> ''
            ) AS counted
            GROUP BY sub_id ORDER BY SUM(redeemed) DESC, SUM(issued) DESC, SUM(opens) DESC, sub_id LIMIT {MOST_SUBS}",
            sum("opens"),
            sum("issued"),
            sum("redeemed"),
        );
        let quarter = |at| Value::from(millis(at).div_euclid(QUARTER_MS));
        let values = vec![creator.0.into(), campaign.0.into(), slug.into(), quarter(from), quarter(to)];
        self.desk_rows::<SubRow>(&sql, values).await
    }

    /// What a creator earned in a campaign; what was earned after `held_since` is still pending.
    ///
    /// # Errors
    /// What the database says.
    pub async fn earned_by(
        &self,
        (creator, campaign): (CreatorId, CampaignId),
        held_since: DateTime<Utc>,
    ) -> Result<Earned, StoreError> {
        let values = || vec![creator.0.into(), campaign.0.into(), millis(held_since).into()];
        let sum =
            |what: &str| format!("CAST(SUM(CASE WHEN is_back = 0 AND {what} THEN earned - lost ELSE 0 END) AS BIGINT)");
        let sql = format!(
            "SELECT {} AS pending, {} AS confirmed,
                CAST(SUM(CASE WHEN is_back = 1 THEN earned ELSE lost END) AS BIGINT) AS reversed
             FROM (SELECT e.occurred_at AS at, e.commission_minor AS earned, {REFUNDED} AS lost,
                CASE WHEN b.step IS NULL THEN 0 ELSE 1 END AS is_back {SALES}) AS sales",
            sum("at > $3"),
            sum("at <= $3"),
        );
        let sums = self.desk_rows::<Sums>(&sql, values()).await?.pop();
        let sql = format!(
            "SELECT e.occurred_at AS at, CAST(e.commission_minor - {REFUNDED} AS BIGINT) AS n, e.order_ref {SALES}
                AND b.step IS NULL AND e.occurred_at > $3 ORDER BY e.occurred_at LIMIT 1"
        );
        let next = self.desk_rows::<Amount>(&sql, values()).await?.pop();
        let sums = sums.unwrap_or(Sums { pending: None, confirmed: None, reversed: None });
        Ok(Earned {
            pending: sums.pending.unwrap_or(0),
            confirmed: sums.confirmed.unwrap_or(0),
            reversed: sums.reversed.unwrap_or(0),
            next: next.and_then(|row| Some((from_millis(row.at?), row.n))),
        })
    }

    /// The newest commissions that were taken back, all of one or some.
    ///
    /// # Errors
    /// What the database says.
    pub async fn reversals_of(&self, creator: CreatorId, campaign: CampaignId) -> Result<Vec<Reversal>, StoreError> {
        let sql = format!(
            "SELECT b.occurred_at AS at, b.commission_minor AS n, e.order_ref {}
                AND b.commission_minor > 0 ORDER BY b.occurred_at DESC LIMIT 5",
            SALES.replace("b.kind = 'rolled_back'", "b.kind IN ('rolled_back', 'refunded')")
        );
        let rows = self.desk_rows::<Amount>(&sql, vec![creator.0.into(), campaign.0.into()]).await?;
        let reversal = |row: Amount| Some(Reversal { at: from_millis(row.at?), amount: row.n, order: row.order_ref });
        Ok(rows.into_iter().filter_map(reversal).collect())
    }

    /// What a cap has counted in a window.
    ///
    /// # Errors
    /// What the database says.
    pub async fn used_of(&self, cap: CapId, window: i64) -> Result<i64, StoreError> {
        let sql = "SELECT used AS n, CAST(NULL AS BIGINT) AS at, CAST(NULL AS TEXT) AS order_ref
            FROM quota WHERE cap_id = $1 AND window_start = $2";
        let row = self.desk_rows::<Amount>(sql, vec![cap.0.into(), window.into()]).await?.pop();
        Ok(row.map_or(0, |row| row.n))
    }

    async fn desk_rows<T: FromQueryResult>(&self, sql: &str, values: Vec<Value>) -> Result<Vec<T>, StoreError> {
        let db = self.read();
        let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
        Ok(T::find_by_statement(statement).all(db).await?)
    }
}
