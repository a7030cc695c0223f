//! Changes by people: each in one transaction, every campaign locked, the catalog's version raised.
//!
//! The engine works out what is wanted and against which version; what stands in the rows is looked at again here,
//! under the locks, and a picture that has changed since is [`StoreError::Stale`].

pub(in crate::store) mod caps;
mod creators;
mod draft;
pub(in crate::store) mod followers;
mod write;

pub use creators::{CreatorEdit, NewCreator, add_creator, change_creator, switch_creator};
pub use draft::{Draft, draft};
pub use followers::partners_capped;

use crate::domain::campaign::PoolKind;
use crate::domain::cap::Scope;
use crate::domain::document::{CampaignDoc, CapDoc, CapSpec, SenderDoc};
use crate::domain::ids::{CampaignId, CreatorId};
use crate::store::catalog::{self, version_in};
use crate::store::{Store, StoreError};
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, Statement, Value};
use write::json;

/// What is to be written, worked out against one version of the catalog.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// The catalog's version it was worked out against.
    pub planned_on: i64,
    /// Numbers to make or change, by address.
    pub senders: Vec<SenderDoc>,
    /// Campaigns to make or change.
    pub campaigns: Vec<CampaignWrite>,
    /// Scopes across campaigns, each with all its caps.
    pub across: Vec<AcrossWrite>,
}

/// A campaign as it shall be.
#[derive(Debug, Clone)]
pub struct CampaignWrite {
    /// Its number; `None` makes a new one.
    pub id: Option<CampaignId>,
    /// Its document.
    pub doc: CampaignDoc,
    /// The pool of the house.
    pub pool: PoolWrite,
    /// Its creators, each with the pool of her own that she has or gets.
    pub creators: Vec<CreatorWrite>,
    /// The number its words belong to; `None` without words.
    pub sender: Option<String>,
}

/// A creator of a campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatorWrite {
    /// Who.
    pub id: CreatorId,
    /// Her handle, by which the document has her part.
    pub handle: String,
    /// Codes that begin with her name; `None` leaves what there is.
    pub pool: Option<PoolWrite>,
}

/// A pool as it shall be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolWrite {
    /// Where its codes come from.
    pub kind: PoolKind,
    /// The pattern's text; empty for imported pools.
    pub pattern: String,
    /// The keyring of a derived pool; 0 elsewhere.
    pub key_id: i64,
    /// Positions run from 0 to this, exclusive; the codes of stored pools are there by now.
    pub size: u64,
}

/// All caps of one scope across campaigns.
#[derive(Debug, Clone)]
pub struct AcrossWrite {
    /// Over what.
    pub scope: Scope,
    /// What was written, for the history of these caps; its calendar windows are of its zone.
    pub doc: CapDoc,
    /// What remains; other caps of the scope go.
    pub caps: Vec<CapSpec>,
}

/// Writes a change. The house's pool of a campaign is number 1, those of creators follow.
///
/// `clock` is read under the locks: whatever was issued under the picture before the change, was issued before it.
///
/// # Errors
/// [`StoreError::Stale`] when the catalog has changed since it was worked out; [`StoreError::Conflict`] may be tried
/// again; [`StoreError::CommitUnknown`] is answered by looking again; what the database says.
pub async fn commit(
    store: &Store,
    change: &Change,
    clock: impl Fn() -> DateTime<Utc> + Send,
) -> Result<i64, StoreError> {
    let tx = store.begin_change().await?;
    lock_catalog(&tx).await?;
    let moves = followers::lock(&tx, &change.campaigns).await?;
    lock_campaigns(&tx, change.planned_on).await?;
    let now = clock();
    let rows = catalog::rows(&tx).await?;
    for sender in &change.senders {
        write::sender(&tx, sender).await?;
    }
    for campaign in &change.campaigns {
        write::campaign(&tx, &rows, campaign, now).await?;
    }
    for to in &moves {
        followers::follow(&tx, to, now).await?;
    }
    if !change.across.is_empty() {
        caps::write_across(&tx, &change.across, now).await?;
    }
    finish(tx).await
}

/// Whether a code of the campaign is out: then its worth and looks stay as they are.
///
/// # Errors
/// What the database says.
pub async fn has_issued(store: &Store, campaign: CampaignId) -> Result<bool, StoreError> {
    let sql = "SELECT CAST(1 AS BIGINT) AS n FROM issuance WHERE campaign_id = $1 LIMIT 1";
    Ok(ints(store.read(), sql, vec![campaign.0.into()]).await?.is_some())
}

/// Whether anybody said STOP to the brand.
///
/// # Errors
/// What the database says.
pub async fn has_opt_outs(store: &Store, brand: &str) -> Result<bool, StoreError> {
    let sql = "SELECT CAST(1 AS BIGINT) AS n FROM opt_out WHERE brand = $1 LIMIT 1";
    Ok(ints(store.read(), sql, vec![brand.into()]).await?.is_some())
}

/// Begins a change and takes its locks: the catalog's row, so that changes of all processes come one after the other,
/// then every campaign's, in the order in which batches take them.
async fn begin(store: &Store, planned_on: i64) -> Result<DatabaseTransaction, StoreError> {
    let tx = store.begin_change().await?;
    lock_catalog(&tx).await?;
    lock_campaigns(&tx, planned_on).await?;
    Ok(tx)
}

/// The first lock of every change by people that takes others: no batch takes it.
pub(in crate::store) async fn lock_catalog(tx: &DatabaseTransaction) -> Result<(), StoreError> {
    if tx.get_database_backend() == DbBackend::Postgres {
        run(tx, "SELECT 1 FROM catalog FOR UPDATE", vec![]).await?;
    }
    Ok(())
}

async fn lock_campaigns(tx: &DatabaseTransaction, planned_on: i64) -> Result<(), StoreError> {
    if tx.get_database_backend() == DbBackend::Postgres {
        // Counting what a new cap would have counted reads a campaign's whole ledger.
        run(tx, "SET LOCAL statement_timeout = 0", vec![]).await?;
        run(tx, "SELECT 1 FROM campaign ORDER BY campaign_id FOR NO KEY UPDATE", vec![]).await?;
    }
    if planned_on != version_in(tx).await? {
        return Err(StoreError::Stale);
    }
    Ok(())
}

/// Raises the catalog's version, commits, and answers with it.
async fn finish(tx: DatabaseTransaction) -> Result<i64, StoreError> {
    run(&tx, "UPDATE catalog SET version = version + 1 WHERE catalog_id = 1", vec![]).await?;
    let version = version_in(&tx).await?;
    end(tx).await?;
    Ok(version)
}

/// Commits a change.
pub(in crate::store) async fn end(tx: DatabaseTransaction) -> Result<(), StoreError> {
    tx.commit().await.map_err(|error| match StoreError::from(error) {
        StoreError::Database(error) | StoreError::Unavailable(error) => StoreError::CommitUnknown(error),
        known @ (StoreError::Conflict(_)
        | StoreError::Constraint(_)
        | StoreError::CommitUnknown(_)
        | StoreError::Stale
        | StoreError::Miscounted { .. }
        | StoreError::BadRow { .. }
        | StoreError::Orm(_)
        | StoreError::Configuration(_)) => known,
    })
}

/// Runs one statement with values `$1`, `$2` …, and says how many rows it changed.
pub(in crate::store) async fn run(tx: &DatabaseTransaction, sql: &str, values: Vec<Value>) -> Result<u64, StoreError> {
    let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
    Ok(tx.execute_raw(statement).await.map_err(StoreError::from)?.rows_affected())
}

/// Runs one statement that must change exactly one row.
pub(in crate::store) async fn run_one(
    tx: &DatabaseTransaction,
    sql: &'static str,
    values: Vec<Value>,
) -> Result<(), StoreError> {
    match run(tx, sql, values).await? {
        1 => Ok(()),
        written => Err(StoreError::Miscounted { statement: sql, written, expected: 1 }),
    }
}

/// The integer `n` of the first row a statement answers with.
pub(in crate::store) async fn ints(
    db: &impl ConnectionTrait,
    sql: &str,
    values: Vec<Value>,
) -> Result<Option<i64>, StoreError> {
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    let row = db.query_one_raw(statement).await.map_err(StoreError::from)?;
    Ok(row.map(|row| row.try_get::<i64>("", "n")).transpose()?)
}

/// A number as the tables have it. Sizes and positions stay below 2^48.
fn big(number: u64) -> Value {
    Value::from(i64::try_from(number).unwrap_or(i64::MAX))
}
