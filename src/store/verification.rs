//! Stock of campaigns whose codes another system honours: what was looked at, what comes next, what was put aside.

mod runs;
mod sql;

use super::batch::{LOCK_CAMPAIGNS, RAISE_ALERTS};
use super::bulk::Cell;
use crate::domain::alert::Alert;
use crate::domain::ids::{CampaignId, millis};
use crate::domain::verdict::Verdict;
use crate::store::{Store, StoreError, Tx};
use chrono::{DateTime, Duration, Utc};
use runs::{Run, Settled, buffer, settle};
use sea_orm::{ConnectionTrait, FromQueryResult, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Ranges read to find what comes next; a verified buffer is a few of them.
const RANGES: i64 = 4096;

/// A pool by its campaign and number.
pub type PoolKey = (CampaignId, u16);

/// How a pool's stock stands, and what to look at next.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Buffer {
    /// Positions that may be given out now.
    pub fresh: u64,
    /// The lowest positions worth a look, in order; at most as many as were asked for.
    pub next: Vec<u64>,
}

/// Which looks count, and how many more are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// A look before this one does not count any more.
    pub fresh_after: DateTime<Utc>,
    /// A look before this one is renewed.
    pub renew_before: DateTime<Utc>,
    /// Positions that may be given out.
    pub fresh: u64,
    /// Positions in one look.
    pub at_once: usize,
}

/// What a look changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Looked {
    /// Positions that may be given out.
    pub alive: u64,
    /// Positions put aside for good.
    pub dead: u64,
    /// Positions put aside for another look.
    pub undecided: u64,
}

/// The verifying of one pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Verification {
    /// A person must say that it goes on.
    pub is_paused: bool,
    /// Positions found alive since it last went on.
    pub alive: u64,
    /// Positions found dead since then.
    pub dead: u64,
}

#[derive(FromQueryResult)]
struct RangeRow {
    first: i64,
    last: i64,
    verified_at: Option<i64>,
}

#[derive(FromQueryResult)]
struct PositionRow {
    position: i64,
}

#[derive(FromQueryResult)]
struct LeaseRow {
    paused_at: Option<i64>,
    alive: i64,
    dead: i64,
}

impl From<LeaseRow> for Verification {
    fn from(row: LeaseRow) -> Self {
        Self { is_paused: row.paused_at.is_some(), alive: count(row.alive), dead: count(row.dead) }
    }
}

#[derive(FromQueryResult)]
struct PeakRow {
    n: Option<i64>,
}

/// How a pool stands with the system that honours it, for people.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VerifiedStock {
    /// Positions that may be given out now.
    pub fresh: u64,
    /// Promises that wait.
    pub promised: u64,
    /// Positions put aside for good.
    pub dead: u64,
    /// Positions put aside for another look.
    pub undecided: u64,
    /// Why positions were put aside, and how many.
    pub evidence: Vec<(String, u64)>,
    /// A person must say that looking goes on.
    pub is_paused: bool,
}

#[derive(FromQueryResult)]
struct AsideRow {
    verdict: String,
    evidence: String,
    n: i64,
}

impl Store {
    /// How a pool stands with the system that honours it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn verified_stock(&self, pool: PoolKey, wanted: &Wanted) -> Result<VerifiedStock, StoreError> {
        let mut stock = VerifiedStock {
            fresh: self.verified_buffer(pool, wanted).await?.fresh,
            is_paused: self.verification(pool).await?.is_paused,
            ..VerifiedStock::default()
        };
        let sql = "SELECT verdict, evidence, COUNT(*) AS n FROM quarantine WHERE campaign_id = $1 AND pool_no = $2
            GROUP BY verdict, evidence ORDER BY verdict, evidence";
        for row in AsideRow::find_by_statement(self.statement(sql, key(pool))).all(self.read()).await? {
            let n = count(row.n);
            if row.verdict == "dead" {
                stock.dead += n;
            } else {
                stock.undecided += n;
            }
            stock.evidence.push((row.evidence, n));
        }
        let sql = "SELECT CAST(COUNT(*) AS BIGINT) AS n FROM hold
            WHERE campaign_id = $1 AND pool_no = $2 AND ended_at IS NULL";
        let promised = PeakRow::find_by_statement(self.statement(sql, key(pool))).one(self.read()).await?;
        stock.promised = promised.and_then(|row| row.n).map_or(0, count);
        Ok(stock)
    }

    /// Takes the verifying of a pool until `until`; `None` while another process has it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn lease_verification(
        &self,
        pool: PoolKey,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Option<Verification>, StoreError> {
        let sql = "INSERT INTO verification AS v (campaign_id, pool_no, lease_until, alive, dead)
            VALUES ($1, $2, $4, 0, 0)
            ON CONFLICT (campaign_id, pool_no) DO UPDATE SET lease_until = excluded.lease_until
            WHERE v.lease_until <= $3 RETURNING paused_at, alive, dead";
        let values = [key(pool)[0].clone(), key(pool)[1].clone(), millis(now).into(), millis(until).into()];
        let statement = self.statement(sql, values);
        let row = LeaseRow::find_by_statement(statement).one(self.write()).await.map_err(StoreError::from)?;
        Ok(row.map(Verification::from))
    }

    /// How the verifying of a pool stands.
    ///
    /// # Errors
    /// What the database says.
    pub async fn verification(&self, pool: PoolKey) -> Result<Verification, StoreError> {
        let sql = "SELECT paused_at, alive, dead FROM verification WHERE campaign_id = $1 AND pool_no = $2";
        let row = LeaseRow::find_by_statement(self.statement(sql, key(pool))).one(self.read()).await?;
        Ok(row.map(Verification::from).unwrap_or_default())
    }

    /// Lets the verifying of a pool go.
    ///
    /// # Errors
    /// What the database says.
    pub async fn release_verification(&self, pool: PoolKey) -> Result<(), StoreError> {
        self.verification_is(pool, "lease_until = 0").await
    }

    /// Stops verifying a pool until a person says that it goes on.
    ///
    /// # Errors
    /// What the database says.
    pub async fn pause_verification(&self, pool: PoolKey, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.verification_is(pool, &format!("paused_at = {}", millis(now))).await
    }

    /// Goes on verifying a pool, counting anew.
    ///
    /// # Errors
    /// What the database says.
    pub async fn resume_verification(&self, pool: PoolKey) -> Result<(), StoreError> {
        self.verification_is(pool, "paused_at = NULL, alive = 0, dead = 0").await
    }

    async fn verification_is(&self, pool: PoolKey, set: &str) -> Result<(), StoreError> {
        let sql = format!("UPDATE verification SET {set} WHERE campaign_id = $1 AND pool_no = $2");
        self.write().execute_raw(self.statement(&sql, key(pool))).await.map_err(StoreError::from)?;
        Ok(())
    }

    /// How the stock of a pool stands, lowest positions first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn verified_buffer(&self, pool: PoolKey, wanted: &Wanted) -> Result<Buffer, StoreError> {
        let sql = format!(
            "SELECT first, last, verified_at FROM stock WHERE campaign_id = $1 AND pool_no = $2
             ORDER BY last LIMIT {RANGES}"
        );
        let rows = RangeRow::find_by_statement(self.statement(&sql, key(pool))).all(self.read()).await?;
        let runs: Vec<_> = rows
            .iter()
            .map(|row| Run { first: count(row.first), last: count(row.last), looked_at: row.verified_at })
            .collect();
        Ok(buffer(&runs, wanted))
    }

    /// Positions put aside whose second look is due, at most `limit`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn undecided(&self, pool: PoolKey, before: DateTime<Utc>, limit: usize) -> Result<Vec<u64>, StoreError> {
        let sql = "SELECT position FROM quarantine
            WHERE verdict = 'undecided' AND looked_at <= $3 AND campaign_id = $1 AND pool_no = $2
            ORDER BY looked_at, position LIMIT $4";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let values = key(pool).into_iter().chain([millis(before).into(), limit.into()]);
        let rows = PositionRow::find_by_statement(self.statement(sql, values)).all(self.read()).await?;
        Ok(rows.into_iter().map(|row| count(row.position)).collect())
    }

    /// The most codes that were asked for in a quarter of an hour since `since`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn peak_demand(&self, campaign: CampaignId, since: DateTime<Utc>) -> Result<u64, StoreError> {
        let sql = "SELECT CAST(MAX(n) AS BIGINT) AS n FROM (
                SELECT SUM(n) AS n FROM rollup_channel
                WHERE campaign_id = $1 AND quarter >= $2 AND outcome IN ('issued', 'held') GROUP BY quarter) AS quarters";
        let quarter = millis(since).div_euclid(Duration::minutes(15).num_milliseconds());
        let values = [Value::from(campaign.0), quarter.into()];
        let row = PeakRow::find_by_statement(self.statement(sql, values)).one(self.read()).await?;
        Ok(row.and_then(|row| row.n).map_or(0, count))
    }

    /// Writes down what a look found, under the campaign's lock. Positions that were given out meanwhile are left alone;
    /// where any code is dead now, `leak` is raised with it.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] may be tried again; what the database says.
    pub async fn settle_look(
        &self,
        pool: PoolKey,
        verdicts: &BTreeMap<u64, Verdict>,
        leak: Option<&Alert>,
        now: DateTime<Utc>,
    ) -> Result<Looked, StoreError> {
        let (Some((lowest, _)), Some((highest, _))) = (verdicts.first_key_value(), verdicts.last_key_value()) else {
            return Ok(Looked::default());
        };
        let pool = || -> Vec<Cell> { vec![pool.0.0.into(), pool.1.into()] };
        let with = |more: Vec<Cell>| -> Vec<Cell> { pool().into_iter().chain(more).collect() };
        let mut tx = self.begin().await?;
        tx.read(&LOCK_CAMPAIGNS, &[pool().into_iter().take(1).collect()], &[]).await?;
        let spots: Vec<_> = verdicts.keys().map(|position| with(vec![(*position).into()])).collect();
        let aside: BTreeSet<u64> =
            tx.read(&sql::ASIDE, &spots, &[]).await?.iter().map(|row| row.number(0)).collect::<Result<_, _>>()?;
        let found = tx.read(&sql::RANGES_OF, &[with(vec![(*lowest).into(), (*highest).into()])], &[]).await?;
        let runs = found
            .iter()
            .map(|row| Ok(Run { first: row.number(0)?, last: row.number(1)?, looked_at: row.maybe_int(2)? }))
            .collect::<Result<Vec<_>, StoreError>>()?;
        let (after, settled) = settle(&runs, &aside, verdicts, millis(now));
        let gone: Vec<_> = runs.iter().map(|run| with(vec![run.last.into()])).collect();
        tx.write(&sql::DELETE_RANGES, &gone).await?;
        let ranges = after.iter().map(|run| with(vec![run.last.into(), run.first.into(), run.looked_at.into()]));
        tx.write(&sql::WRITE_RANGES, &ranges.collect::<Vec<_>>()).await?;
        put_aside(&mut tx, &with, &settled, verdicts, millis(now)).await?;
        let back: Vec<_> = settled.alive.intersection(&aside).map(|position| with(vec![(*position).into()])).collect();
        tx.write(&sql::TAKE_BACK, &back).await?;
        tx.write(&sql::RECOUNT, &[pool()]).await?;
        let looked = settled.looked();
        tx.run(&sql::COUNT_LOOKS, &[with(vec![looked.alive.into(), looked.dead.into()])], &[]).await?;
        let raised = leak.filter(|_| looked.dead > 0).map(|Alert { kind, about, detail }| -> Vec<Cell> {
            vec![kind.word().into(), about.clone().into(), detail.clone().into(), 1_i64.into(), millis(now).into()]
        });
        tx.write(&RAISE_ALERTS, &raised.into_iter().collect::<Vec<_>>()).await?;
        tx.commit().await?;
        Ok(looked)
    }
}

async fn put_aside(
    tx: &mut Tx<'_>,
    with: &impl Fn(Vec<Cell>) -> Vec<Cell>,
    settled: &Settled,
    verdicts: &BTreeMap<u64, Verdict>,
    now_ms: i64,
) -> Result<(), StoreError> {
    let row = |position: &u64| {
        let (verdict, evidence) = match verdicts.get(position)? {
            Verdict::Alive => return None,
            Verdict::Dead(evidence) => ("dead", evidence),
            Verdict::Undecided(evidence) => ("undecided", evidence),
        };
        Some(with(vec![(*position).into(), verdict.into(), evidence.as_str().into(), now_ms.into()]))
    };
    let rows: Vec<_> = settled.dead.union(&settled.undecided).filter_map(row).collect();
    tx.write(&sql::PUT_ASIDE, &rows).await
}

fn key(pool: PoolKey) -> [Value; 2] {
    [Value::from(pool.0.0), Value::from(u32::from(pool.1))]
}

fn count(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}
