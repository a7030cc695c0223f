//! Pulls of partners beside the batches: rows are written as codes are streamed, a chunk at a time, each committed before
//! its codes leave; and taken back a chunk at a time once their time is over.

use crate::domain::decision::changes::{DAY_MS, NEVER_DAY, QUARTER_MS};
use crate::domain::ids::{AllocationId, CampaignId, PartnerId, Spot, from_millis, millis};
use crate::domain::world::Range;
use crate::store::batch::{COUNT_CREDITS, COUNT_OUTSTANDING, LOCK_PARTNERS};
use crate::store::bulk::Cell;
use crate::store::{Store, StoreError, Tx};
use chrono::{DateTime, Utc};
use sea_orm::{FromQueryResult, Value};
use std::collections::BTreeMap;

mod statements;
use statements::{CLOSED, EXPOSE, ISSUE, LEFT, LOCK, MOVE, STREAMED, UNUSED, VOID};

/// A pull as its row says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allocation {
    /// Its name.
    pub id: AllocationId,
    /// Whose.
    pub partner: PartnerId,
    /// The version of the partner's terms it was made under.
    pub partner_version: u32,
    /// Of which campaign.
    pub campaign: CampaignId,
    /// Of which pool.
    pub pool_no: u16,
    /// What the partner calls the place.
    pub sub_id: Option<String>,
    /// How many codes were pulled.
    pub count: u64,
    /// How many were streamed.
    pub exposed: u64,
    /// How many went back to stock.
    pub restocked: u64,
    /// When.
    pub allocated_at: DateTime<Utc>,
    /// When its codes end.
    pub expires_at: Option<DateTime<Utc>>,
    /// Until when it may be streamed and acknowledged.
    pub lease_until: DateTime<Utc>,
    /// When the partner said that it has its codes.
    pub acked_at: Option<DateTime<Utc>>,
    /// When its time was over before that.
    pub ended_at: Option<DateTime<Utc>>,
    /// SHA-256 of all its codes, once all were streamed.
    pub digest: Option<String>,
}

impl Allocation {
    /// Whether its time is over and nobody acknowledged it: what was streamed is void.
    #[must_use]
    pub fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.ended_at.is_some() || (self.acked_at.is_none() && now >= self.lease_until)
    }
}

const COLUMNS: &str = "allocation_id, partner_id, partner_version, campaign_id, pool_no, sub_id, count, exposed,
    restocked, allocated_at, expires_at, lease_until, acked_at, ended_at, digest";

#[derive(FromQueryResult)]
struct AllocationRow {
    allocation_id: Vec<u8>,
    partner_id: i64,
    partner_version: i64,
    campaign_id: i64,
    pool_no: i64,
    sub_id: Option<String>,
    count: i64,
    exposed: i64,
    restocked: i64,
    allocated_at: i64,
    expires_at: Option<i64>,
    lease_until: i64,
    acked_at: Option<i64>,
    ended_at: Option<i64>,
    digest: Option<String>,
}

#[derive(FromQueryResult)]
struct RunRow {
    first: i64,
    next: i64,
}

#[derive(FromQueryResult)]
struct TextRow {
    code: String,
}

/// What one look at a pull's rest came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exposed {
    /// These positions are out from now on, in the order of the pull.
    Some(Vec<u64>),
    /// Somebody else has streamed meanwhile: more are out than the caller knew of.
    Moved,
    /// Everything was streamed.
    Nothing,
    /// Its time is over.
    Over,
    /// Its partner is not what it was.
    Changed,
}

impl Store {
    /// A pull of a partner.
    ///
    /// # Errors
    /// What the database says; [`StoreError::BadRow`].
    pub async fn allocation(&self, partner: PartnerId, id: AllocationId) -> Result<Option<Allocation>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM allocation WHERE allocation_id = $1 AND partner_id = $2");
        let statement = self.statement(&sql, [id.0.to_vec().into(), partner.0.into()]);
        let row = AllocationRow::find_by_statement(statement).one(self.read()).await?;
        row.map(allocation).transpose()
    }

    /// Pulls whose time is over at `now`, or whose codes are still to be taken back; the oldest first.
    ///
    /// # Errors
    /// What the database says; [`StoreError::BadRow`].
    pub async fn allocations_over(&self, now: DateTime<Utc>, limit: u32) -> Result<Vec<Allocation>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM allocation
             WHERE lease_until <= $1 AND acked_at IS NULL AND voided_at IS NULL ORDER BY lease_until LIMIT $2"
        );
        let statement = self.statement(&sql, [millis(now).into(), i64::from(limit).into()]);
        let rows = AllocationRow::find_by_statement(statement).all(self.read()).await?;
        rows.into_iter().map(allocation).collect()
    }

    /// The open pull in which a code waits to be streamed, and whose it is.
    ///
    /// # Errors
    /// What the database says; [`StoreError::BadRow`].
    pub async fn pull_that_waits(&self, spot: Spot) -> Result<Option<(PartnerId, AllocationId)>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM allocation a
             WHERE campaign_id = $1 AND pool_no = $2 AND acked_at IS NULL AND voided_at IS NULL AND ended_at IS NULL
               AND EXISTS (SELECT 1 FROM allocation_range r
                           WHERE r.allocation_id = a.allocation_id AND r.next <= $3 AND r.last >= $3)"
        );
        let position = i64::try_from(spot.position).unwrap_or(i64::MAX);
        let values = [spot.campaign.0.into(), u32::from(spot.pool).into(), position.into()];
        let row = AllocationRow::find_by_statement(self.statement(&sql, values)).one(self.read()).await?;
        Ok(row.map(allocation).transpose()?.map(|pull| (pull.partner, pull.id)))
    }

    /// The positions of a pull that were streamed, in its order, as runs of first and last.
    ///
    /// # Errors
    /// What the database says; [`StoreError::BadRow`].
    pub async fn streamed(&self, id: AllocationId) -> Result<Vec<Range>, StoreError> {
        let sql = "SELECT first, next FROM allocation_range
            WHERE allocation_id = $1 AND next > first ORDER BY range_no";
        let rows = RunRow::find_by_statement(self.statement(sql, [id.0.to_vec().into()])).all(self.read()).await?;
        let bad = |_| StoreError::BadRow { table: "allocation_range", column: "next", id: id.text() };
        let run = |row: RunRow| {
            Ok(Range { first: u64::try_from(row.first).map_err(bad)?, last: u64::try_from(row.next - 1).map_err(bad)? })
        };
        rows.into_iter().map(run).collect()
    }

    /// The stored texts of a run of codes, in order.
    ///
    /// # Errors
    /// What the database says.
    pub async fn code_texts(
        &self,
        (campaign, pool_no): (CampaignId, u16),
        run: Range,
    ) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT code FROM code
            WHERE campaign_id = $1 AND pool_no = $2 AND position >= $3 AND position <= $4 ORDER BY position";
        let position = |n: u64| Value::from(i64::try_from(n).unwrap_or(i64::MAX));
        let pool = Value::from(u32::from(pool_no));
        let values = [campaign.0.into(), pool, position(run.first), position(run.last)];
        let rows = TextRow::find_by_statement(self.statement(sql, values)).all(self.read()).await?;
        Ok(rows.into_iter().map(|row| row.code).collect())
    }

    /// Exposes the next codes of a pull of which `after` are out, at most `most`: their rows are committed when this
    /// returns. Its partner must still be of that version: what it may do was looked at before.
    ///
    /// # Errors
    /// What the database says; the same call may be made again after any of it.
    pub async fn expose(
        &self,
        id: AllocationId,
        (partner, version): (PartnerId, u32),
        (after, most): (u64, u64),
        now: DateTime<Utc>,
    ) -> Result<Exposed, StoreError> {
        let mut tx = self.begin().await?;
        let rows = tx.read(&LOCK_PARTNERS, &[vec![partner.0.into()]], &[]).await?;
        let known: Option<u32> = rows.first().map(|row| row.number(1)).transpose()?;
        if known != Some(version) {
            return Ok(Exposed::Changed);
        }
        let Some(pull) = locked(&mut tx, id).await? else {
            return Ok(Exposed::Over);
        };
        if pull.is_ended || now >= pull.lease_until {
            return Ok(Exposed::Over);
        }
        if pull.exposed != after {
            return Ok(if pull.exposed > after { Exposed::Moved } else { Exposed::Nothing });
        }
        let (mut positions, mut moves) = (Vec::new(), Vec::new());
        for row in tx.read(&LEFT, &[vec![id.0.as_slice().into()]], &[]).await? {
            let (no, next, last): (u32, u64, u64) = (row.number(0)?, row.number(1)?, row.number(2)?);
            let room = most - positions.len() as u64;
            if room == 0 {
                break;
            }
            let end = last.min(next + room - 1);
            positions.extend(next..=end);
            moves.push(vec![id.0.as_slice().into(), no.into(), (end + 1).into()]);
        }
        if positions.is_empty() {
            return Ok(Exposed::Nothing);
        }
        let mut sorted = positions.clone();
        sorted.sort_unstable();
        let rows: Vec<_> = sorted.iter().map(|position| pull.issuance(*position, now)).collect();
        tx.write(&ISSUE, &rows).await?;
        tx.write(&MOVE, &moves).await?;
        tx.write(&EXPOSE, &[vec![id.0.as_slice().into(), (positions.len() as u64).into()]]).await?;
        pull.count(&mut tx, &positions, now).await?;
        tx.commit().await?;
        Ok(Exposed::Some(positions))
    }

    /// Takes back streamed codes of a pull whose time is over, at most `most`; answers with how many, 0 when it is done.
    ///
    /// # Errors
    /// As [`Store::expose`].
    pub async fn void_pull(&self, id: AllocationId, most: u32, now: DateTime<Utc>) -> Result<u64, StoreError> {
        let mut tx = self.begin().await?;
        let Some(pull) = locked(&mut tx, id).await?.filter(|pull| pull.is_ended) else {
            return Ok(0);
        };
        let runs = tx.read(&STREAMED, &[vec![id.0.as_slice().into()]], &[]).await?;
        let mut spans: Vec<Vec<Cell>> = Vec::new();
        for row in &runs {
            spans.push(vec![pull.campaign.0.into(), pull.pool_no.into(), row.int(0)?.into(), row.int(1)?.into()]);
        }
        let found = tx.read(&UNUSED, &spans, &[i64::from(most).into()]).await?;
        let (mut rows, mut back) = (Vec::new(), BTreeMap::<i64, (i64, i64)>::new());
        for row in &found {
            let position: u64 = row.number(0)?;
            let day = row.maybe_int(1)?.map_or(NEVER_DAY, |end| end.div_euclid(DAY_MS));
            let cell = back.entry(day).or_default();
            cell.0 -= 1;
            cell.1 -= row.int(2)?;
            let reference = format!("{}-{position}", id.text());
            rows.push(vec![
                pull.campaign.0.into(),
                pull.pool_no.into(),
                position.into(),
                row.int(3)?.into(),
                reference.into(),
                millis(now).into(),
            ]);
        }
        tx.write(&VOID, &rows).await?;
        let back = back
            .into_iter()
            .map(|(day, (n, value))| -> Vec<Cell> { vec![pull.campaign.0.into(), day.into(), n.into(), value.into()] });
        tx.write(&COUNT_OUTSTANDING, &back.collect::<Vec<_>>()).await?;
        if rows.is_empty() {
            tx.write(&CLOSED, &[vec![id.0.as_slice().into(), millis(now).into()]]).await?;
        }
        tx.commit().await?;
        Ok(rows.len() as u64)
    }

    /// Keeps the digest of a pull's codes.
    ///
    /// # Errors
    /// What the database says.
    pub async fn keep_digest(&self, id: AllocationId, digest: &str) -> Result<(), StoreError> {
        let change = self.begin_change().await?;
        let sql = "UPDATE allocation SET digest = $2 WHERE allocation_id = $1 AND digest IS NULL";
        let statement = self.statement(sql, [id.0.to_vec().into(), digest.into()]);
        sea_orm::ConnectionTrait::execute_raw(&change, statement).await?;
        Ok(change.commit().await?)
    }
}

/// A pull whose lock is held.
struct Locked {
    id: AllocationId,
    partner: i64,
    partner_version: i64,
    campaign: CampaignId,
    campaign_version: i64,
    pool_no: u16,
    offer_no: i64,
    weight: i64,
    expires_at: Option<i64>,
    lease_until: DateTime<Utc>,
    sub_id: Option<String>,
    is_ended: bool,
    exposed: u64,
}

async fn locked(tx: &mut Tx<'_>, id: AllocationId) -> Result<Option<Locked>, StoreError> {
    let rows = tx.read(&LOCK, &[vec![id.0.as_slice().into()]], &[]).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    Ok(Some(Locked {
        id,
        partner: row.int(0)?,
        partner_version: row.int(1)?,
        campaign: CampaignId(row.number(2)?),
        campaign_version: row.int(3)?,
        pool_no: row.number(4)?,
        offer_no: row.int(5)?,
        weight: row.int(6)?,
        expires_at: row.maybe_int(7)?,
        lease_until: from_millis(row.int(8)?),
        sub_id: row.maybe_text(9)?,
        is_ended: row.int(10)? != 0,
        exposed: row.number(11)?,
    }))
}

impl Locked {
    fn issuance(&self, position: u64, now: DateTime<Utc>) -> Vec<Cell> {
        vec![
            self.campaign.0.into(),
            self.pool_no.into(),
            position.into(),
            self.offer_no.into(),
            self.campaign_version.into(),
            self.weight.into(),
            millis(now).into(),
            self.expires_at.into(),
            self.partner.into(),
            self.partner_version.into(),
            self.sub_id.clone().into(),
            self.id.0.as_slice().into(),
        ]
    }

    /// Counts codes that are out from now on, as a batch does.
    async fn count(&self, tx: &mut Tx<'_>, positions: &[u64], now: DateTime<Utc>) -> Result<(), StoreError> {
        let n = i64::try_from(positions.len()).unwrap_or(i64::MAX);
        let quarter = millis(now).div_euclid(QUARTER_MS);
        let credit: Vec<Cell> = vec![
            "partner".into(),
            self.partner.into(),
            self.campaign.0.into(),
            quarter.into(),
            0_i64.into(),
            self.sub_id.clone().unwrap_or_default().into(),
            "streamed".into(),
            n.into(),
            0_i64.into(),
            0_i64.into(),
        ];
        tx.write(&COUNT_CREDITS, &[credit]).await?;
        let day = self.expires_at.map_or(NEVER_DAY, |end| end.div_euclid(DAY_MS));
        let out: Vec<Cell> = vec![self.campaign.0.into(), day.into(), n.into(), (n * self.weight).into()];
        tx.write(&COUNT_OUTSTANDING, &[out]).await
    }
}

fn allocation(row: AllocationRow) -> Result<Allocation, StoreError> {
    let bad = |column| StoreError::BadRow { table: "allocation", column, id: format!("of partner {}", row.partner_id) };
    let number = |n: i64, column| u64::try_from(n).map_err(|_| bad(column));
    let small = |n: i64, column| u32::try_from(n).map_err(|_| bad(column));
    Ok(Allocation {
        id: AllocationId(row.allocation_id.as_slice().try_into().map_err(|_| bad("allocation_id"))?),
        partner: PartnerId(small(row.partner_id, "partner_id")?),
        partner_version: small(row.partner_version, "partner_version")?,
        campaign: CampaignId(small(row.campaign_id, "campaign_id")?),
        pool_no: u16::try_from(row.pool_no).map_err(|_| bad("pool_no"))?,
        count: number(row.count, "count")?,
        exposed: number(row.exposed, "exposed")?,
        restocked: number(row.restocked, "restocked")?,
        allocated_at: from_millis(row.allocated_at),
        expires_at: row.expires_at.map(from_millis),
        lease_until: from_millis(row.lease_until),
        acked_at: row.acked_at.map(from_millis),
        ended_at: row.ended_at.map(from_millis),
        sub_id: row.sub_id,
        digest: row.digest,
    })
}
