//! Proofs and tried codes outside a batch.

use crate::domain::act::ProofId;
use crate::domain::ids::{CampaignId, CreatorId, Spot, Subject, from_millis};
use crate::domain::world::Proof;
use crate::store::{Store, StoreError, subject_bytes};
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, FromQueryResult, Value};
use std::collections::BTreeMap;

#[derive(FromQueryResult)]
struct ProofRow {
    proof_id: Vec<u8>,
    slug: String,
    sub_id: Option<String>,
    created_at: i64,
    expires_at: i64,
    tries: i64,
    proved_at: Option<i64>,
}

#[derive(FromQueryResult)]
struct LeakRow {
    campaign_id: i64,
    pool_no: i64,
    position: i64,
    n: i64,
    first_at: i64,
}

#[derive(FromQueryResult)]
struct StrayRow {
    n: i64,
    first_at: Option<i64>,
}

/// A code that so many strangers tried in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leak {
    /// Which.
    pub spot: Spot,
    /// How many different customers or tills.
    pub attempts: u32,
    /// When the first of them did.
    pub since: DateTime<Utc>,
}

impl Store {
    /// The newest proof of a person on a page.
    ///
    /// # Errors
    /// What the database says; [`StoreError::BadRow`].
    pub async fn newest_proof(&self, subject: Subject, slug: &str) -> Result<Option<Proof>, StoreError> {
        let sql = "SELECT proof_id, slug, sub_id, created_at, expires_at, tries, proved_at FROM proof
             WHERE subject = $1 AND slug = $2 ORDER BY created_at DESC, expires_at DESC LIMIT 1";
        let values = [Value::from(subject_bytes(subject)), Value::from(slug)];
        let row = ProofRow::find_by_statement(self.statement(sql, values)).one(self.read()).await?;
        row.map(proof).transpose()
    }

    /// What is left of each pool of a campaign.
    ///
    /// # Errors
    /// What the database says.
    pub async fn left_in(&self, campaign: CampaignId) -> Result<BTreeMap<u16, u64>, StoreError> {
        let sql = "SELECT pool_no, in_stock FROM pool WHERE campaign_id = $1";
        let rows = self.read().query_all_raw(self.statement(sql, [i64::from(campaign.0).into()])).await?;
        let mut left = BTreeMap::new();
        for row in rows {
            let (pool, n): (i64, i64) = (row.try_get("", "pool_no")?, row.try_get("", "in_stock")?);
            left.insert(u16::try_from(pool).unwrap_or(u16::MAX), u64::try_from(n).unwrap_or(0));
        }
        Ok(left)
    }

    /// Whether a code was ever given to anybody.
    ///
    /// # Errors
    /// What the database says.
    pub async fn was_issued(&self, spot: Spot) -> Result<bool, StoreError> {
        let sql = "SELECT 1 AS found FROM issuance WHERE campaign_id = $1 AND pool_no = $2 AND position = $3";
        let position = i64::try_from(spot.position).unwrap_or(i64::MAX);
        let values = [i64::from(spot.campaign.0), i64::from(spot.pool), position].map(Value::from);
        Ok(self.read().query_one_raw(self.statement(sql, values)).await?.is_some())
    }

    /// A creator's codes that at least `strangers` tried in vain, the earliest first, at most a hundred.
    ///
    /// # Errors
    /// What the database says; [`StoreError::BadRow`].
    pub async fn leaks_of(&self, creator: CreatorId, strangers: u32) -> Result<Vec<Leak>, StoreError> {
        let sql = "SELECT a.campaign_id, a.pool_no, a.position, COUNT(*) AS n, MIN(a.tried_at) AS first_at
             FROM code_attempt a JOIN issuance i
               ON i.campaign_id = a.campaign_id AND i.pool_no = a.pool_no AND i.position = a.position
             WHERE i.creator_id = $1
             GROUP BY a.campaign_id, a.pool_no, a.position HAVING COUNT(*) >= $2
             ORDER BY first_at, a.campaign_id, a.pool_no, a.position LIMIT 100";
        let values = [Value::from(i64::from(creator.0)), Value::from(i64::from(strangers))];
        let rows = LeakRow::find_by_statement(self.statement(sql, values)).all(self.read()).await?;
        rows.iter().map(leak).collect()
    }

    /// How many codes of a pool were shown though nobody was given them, and since when.
    ///
    /// # Errors
    /// What the database says.
    pub async fn strays_of(&self, campaign: CampaignId, pool: u16) -> Result<Option<(i64, DateTime<Utc>)>, StoreError> {
        let sql = "SELECT COUNT(DISTINCT a.position) AS n, MIN(a.tried_at) AS first_at FROM code_attempt a
             WHERE a.campaign_id = $1 AND a.pool_no = $2
               AND NOT EXISTS (SELECT 1 FROM issuance i WHERE i.campaign_id = a.campaign_id
                               AND i.pool_no = a.pool_no AND i.position = a.position)";
        let values = [Value::from(i64::from(campaign.0)), Value::from(i64::from(pool))];
        let row = StrayRow::find_by_statement(self.statement(sql, values)).one(self.read()).await?;
        Ok(row.and_then(|row| row.first_at.map(|first| (row.n, from_millis(first)))))
    }
}

fn proof(row: ProofRow) -> Result<Proof, StoreError> {
    let bad = |column| StoreError::BadRow { table: "proof", column, id: format!("{:02x?}", row.proof_id) };
    Ok(Proof {
        id: ProofId(row.proof_id.as_slice().try_into().map_err(|_| bad("proof_id"))?),
        tries: u32::try_from(row.tries).map_err(|_| bad("tries"))?,
        slug: row.slug,
        sub_id: row.sub_id,
        created_at: from_millis(row.created_at),
        expires_at: from_millis(row.expires_at),
        proved_at: row.proved_at.map(from_millis),
    })
}

fn leak(row: &LeakRow) -> Result<Leak, StoreError> {
    let bad = |column| StoreError::BadRow { table: "code_attempt", column, id: row.position.to_string() };
    let spot = Spot {
        campaign: CampaignId(u32::try_from(row.campaign_id).map_err(|_| bad("campaign_id"))?),
        pool: u16::try_from(row.pool_no).map_err(|_| bad("pool_no"))?,
        position: u64::try_from(row.position).map_err(|_| bad("position"))?,
    };
    let attempts = u32::try_from(row.n).map_err(|_| bad("who"))?;
    Ok(Leak { spot, attempts, since: from_millis(row.first_at) })
}
