//! What sandboxes asked and how their pulls stand: no facts of the ledger, in tables that nothing else reads.

use super::config::{end, run, run_one};
use super::{Store, StoreError};
use crate::domain::decision::outcome::{Outcome, Record};
use crate::domain::ids::{AllocationId, CampaignId, PartnerId, RequestId, from_millis, millis};
use crate::domain::sandbox::TestPull;
use crate::store::allocations::Allocation;
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction, FromQueryResult, Value};

/// Something a sandbox asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestRequest {
    /// Its door and key.
    pub id: RequestId,
    /// What is compared when the key comes again.
    pub fingerprint: [u8; 32],
    /// When.
    pub at: DateTime<Utc>,
}

/// What a sandbox was told.
#[derive(Debug, Clone, PartialEq)]
pub struct TestAnswer {
    /// What was decided when it was asked first.
    pub outcome: Outcome,
    /// When that was.
    pub first_at: DateTime<Utc>,
}

#[derive(FromQueryResult)]
struct RequestRow {
    fingerprint: Vec<u8>,
    outcome: String,
    rule: String,
    reference: Option<String>,
    used: Option<i64>,
    received_at: i64,
}

const COLUMNS: &str = "allocation_id, partner_id, campaign_id, count, exposed, restocked, withdrawn, allocated_at,
    expires_at, lease_until, acked_at, digest";

#[derive(FromQueryResult)]
struct PullRow {
    allocation_id: Vec<u8>,
    partner_id: i64,
    campaign_id: i64,
    count: i64,
    exposed: i64,
    restocked: i64,
    withdrawn: Vec<u8>,
    allocated_at: i64,
    expires_at: Option<i64>,
    lease_until: i64,
    acked_at: Option<i64>,
    digest: Option<String>,
}

impl Store {
    /// Remembers what a sandbox asked that moves nothing; `None` where its key was used for something else.
    ///
    /// # Errors
    /// What the database says; [`StoreError::BadRow`].
    pub async fn note_in_sandbox(&self, asked: &TestRequest) -> Result<Option<TestAnswer>, StoreError> {
        let tx = self.begin_change().await?;
        if self.is_new(&tx, asked).await? {
            end(tx).await?;
            return Ok(Some(TestAnswer { outcome: Outcome::Noted, first_at: asked.at }));
        }
        self.known(&tx, asked).await
    }

    /// Keeps a new pull of a sandbox; `None` where its key was used for something else.
    ///
    /// # Errors
    /// What the database says; [`StoreError::BadRow`].
    pub async fn pull_in_sandbox(
        &self,
        asked: &TestRequest,
        pull: &Allocation,
    ) -> Result<Option<TestAnswer>, StoreError> {
        let tx = self.begin_change().await?;
        if !self.is_new(&tx, asked).await? {
            return self.known(&tx, asked).await;
        }
        let sql = "INSERT INTO sandbox_pull (allocation_id, partner_id, campaign_id, count, exposed, restocked,
                withdrawn, allocated_at, expires_at, lease_until)
             VALUES ($1, $2, $3, $4, 0, 0, $5, $6, $7, $8)";
        let values = vec![
            Value::from(pull.id.0.to_vec()),
            i64::from(pull.partner.0).into(),
            i64::from(pull.campaign.0).into(),
            whole(pull.count),
            Vec::<u8>::new().into(),
            millis(pull.allocated_at).into(),
            pull.expires_at.map(millis).into(),
            millis(pull.lease_until).into(),
        ];
        run_one(&tx, sql, values).await?;
        let outcome = Outcome::Allocated(pull.id, pull.count);
        self.told(&tx, asked, &outcome).await?;
        end(tx).await?;
        Ok(Some(TestAnswer { outcome, first_at: asked.at }))
    }

    /// Lets a pull of a sandbox take a step; `None` where its key was used for something else.
    ///
    /// # Errors
    /// What the database says; [`StoreError::BadRow`].
    pub async fn step_in_sandbox(
        &self,
        asked: &TestRequest,
        id: AllocationId,
        step: impl FnOnce(&mut TestPull) -> Outcome + Send,
    ) -> Result<Option<TestAnswer>, StoreError> {
        let tx = self.begin_change().await?;
        if !self.is_new(&tx, asked).await? {
            return self.known(&tx, asked).await;
        }
        let lock = if self.locks_rows() { "FOR UPDATE" } else { "" };
        let sql = format!("SELECT {COLUMNS} FROM sandbox_pull WHERE allocation_id = $1 {lock}");
        let statement = self.statement(&sql, [id.0.to_vec().into()]);
        let row = PullRow::find_by_statement(statement).one(&tx).await?;
        let bad = || StoreError::BadRow { table: "sandbox_pull", column: "allocation_id", id: id.text() };
        let row = row.ok_or_else(bad)?;
        let withdrawn = row.withdrawn.clone();
        let mut pull = moving(&allocation(row)?, withdrawn);
        let outcome = step(&mut pull);
        let sql = "UPDATE sandbox_pull SET restocked = $2, withdrawn = $3, acked_at = $4 WHERE allocation_id = $1";
        let id = Value::from(id.0.to_vec());
        let acked_at = pull.acked_at.map(millis);
        run_one(&tx, sql, vec![id, whole(pull.restocked), pull.withdrawn.into(), acked_at.into()]).await?;
        self.told(&tx, asked, &outcome).await?;
        end(tx).await?;
        Ok(Some(TestAnswer { outcome, first_at: asked.at }))
    }

    /// A pull of a sandbox.
    ///
    /// # Errors
    /// What the database says; [`StoreError::BadRow`].
    pub async fn sandbox_pull(&self, partner: PartnerId, id: AllocationId) -> Result<Option<Allocation>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM sandbox_pull WHERE allocation_id = $1 AND partner_id = $2");
        let statement = self.statement(&sql, [id.0.to_vec().into(), i64::from(partner.0).into()]);
        let row = PullRow::find_by_statement(statement).one(self.read()).await?;
        row.map(allocation).transpose()
    }

    /// Makes the next codes of a sandbox's pull known of which `after` are out, at most `most`; of many at once, one
    /// does. What has ended or was given back stays as it is.
    ///
    /// # Errors
    /// What the database says.
    pub async fn expose_in_sandbox(
        &self,
        id: AllocationId,
        (after, most): (u64, u64),
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE sandbox_pull
             SET exposed = CASE WHEN exposed + $3 > count THEN count ELSE exposed + $3 END
             WHERE allocation_id = $1 AND exposed = $2 AND restocked = 0 AND acked_at IS NULL AND lease_until > $4";
        let values = [Value::from(id.0.to_vec()), whole(after), whole(most), millis(now).into()];
        self.write().execute_raw(self.statement(sql, values)).await?;
        Ok(())
    }

    /// Keeps the digest of a sandbox's pull.
    ///
    /// # Errors
    /// What the database says.
    pub async fn keep_digest_in_sandbox(&self, id: AllocationId, digest: &str) -> Result<(), StoreError> {
        let sql = "UPDATE sandbox_pull SET digest = $2 WHERE allocation_id = $1 AND digest IS NULL";
        self.write().execute_raw(self.statement(sql, [Value::from(id.0.to_vec()), digest.into()])).await?;
        Ok(())
    }

    /// Whether the key is new; from here on it is taken. Whoever comes at once waits here for this transaction's end.
    async fn is_new(&self, tx: &DatabaseTransaction, asked: &TestRequest) -> Result<bool, StoreError> {
        let sql = "INSERT INTO sandbox_request (door, request_key, fingerprint, outcome, rule, received_at)
             VALUES ($1, $2, $3, $4, '', $5) ON CONFLICT DO NOTHING";
        let RequestId { door, key } = &asked.id;
        let noted = Outcome::Noted.record().outcome;
        let print = asked.fingerprint.to_vec();
        let values =
            vec![door.as_str().into(), key.as_str().into(), print.into(), noted.into(), millis(asked.at).into()];
        Ok(run(tx, sql, values).await? == 1)
    }

    /// What was told when it was asked first.
    async fn known(&self, tx: &DatabaseTransaction, asked: &TestRequest) -> Result<Option<TestAnswer>, StoreError> {
        let RequestId { door, key } = &asked.id;
        let sql = "SELECT fingerprint, outcome, rule, reference, used, received_at FROM sandbox_request
             WHERE door = $1 AND request_key = $2";
        let statement = self.statement(sql, [Value::from(door.as_str()), key.as_str().into()]);
        let row = RequestRow::find_by_statement(statement).one(tx).await?;
        let bad = || StoreError::BadRow { table: "sandbox_request", column: "outcome", id: asked.id.to_string() };
        let RequestRow { fingerprint, outcome, rule, reference, used, received_at } = row.ok_or_else(bad)?;
        if fingerprint != asked.fingerprint {
            return Ok(None);
        }
        let record = Record { outcome, rule, used, reference, ..Record::default() };
        let outcome = Outcome::from_record(&record).ok_or_else(bad)?;
        Ok(Some(TestAnswer { outcome, first_at: from_millis(received_at) }))
    }

    /// Writes down what was decided.
    async fn told(&self, tx: &DatabaseTransaction, asked: &TestRequest, outcome: &Outcome) -> Result<(), StoreError> {
        let sql = "UPDATE sandbox_request SET outcome = $3, rule = $4, reference = $5, used = $6
             WHERE door = $1 AND request_key = $2";
        let (RequestId { door, key }, Record { outcome, rule, reference, used, .. }) = (&asked.id, outcome.record());
        let asked = vec![door.as_str().into(), key.as_str().into()];
        let told = [outcome.into(), rule.into(), reference.into(), used.into()];
        run_one(tx, sql, asked.into_iter().chain(told).collect()).await
    }
}

/// Counts of a pull stay below 2^17.
fn whole(n: u64) -> Value {
    i64::try_from(n).unwrap_or(i64::MAX).into()
}

fn moving(pull: &Allocation, withdrawn: Vec<u8>) -> TestPull {
    let Allocation { id, count, exposed, restocked, lease_until, acked_at, .. } = *pull;
    TestPull { id, count, exposed, restocked, withdrawn, lease_until, acked_at }
}

fn allocation(row: PullRow) -> Result<Allocation, StoreError> {
    let bad =
        |column| StoreError::BadRow { table: "sandbox_pull", column, id: format!("of partner {}", row.partner_id) };
    let number = |n: i64, column| u64::try_from(n).map_err(|_| bad(column));
    let small = |n: i64, column| u32::try_from(n).map_err(|_| bad(column));
    Ok(Allocation {
        id: AllocationId(row.allocation_id.as_slice().try_into().map_err(|_| bad("allocation_id"))?),
        partner: PartnerId(small(row.partner_id, "partner_id")?),
        partner_version: 0,
        campaign: CampaignId(small(row.campaign_id, "campaign_id")?),
        pool_no: 0,
        sub_id: None,
        count: number(row.count, "count")?,
        exposed: number(row.exposed, "exposed")?,
        restocked: number(row.restocked, "restocked")?,
        allocated_at: from_millis(row.allocated_at),
        expires_at: row.expires_at.map(from_millis),
        lease_until: from_millis(row.lease_until),
        acked_at: row.acked_at.map(from_millis),
        ended_at: None,
        digest: row.digest,
    })
}
