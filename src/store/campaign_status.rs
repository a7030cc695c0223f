//! Pause, resume, end: one transaction under the campaign's lock, so that after it no issuance commits.

use crate::domain::campaign::Status;
use crate::domain::ids::{CampaignId, millis};
use crate::store::config::lock_catalog;
use crate::store::{Store, StoreError};
use chrono::{DateTime, Utc};
use codewell_entity::{campaign, campaign_version, catalog, pool};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, ExprTrait, FromQueryResult,
    QueryFilter, QuerySelect, Statement,
};

/// What a change of status did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switched {
    /// It is done; so many codes in stock were retired (0 unless it ended).
    Done {
        /// Positions that nobody will ever get.
        retired: u64,
    },
    /// The campaign had another status than the one the change starts from; this is it. `None`: its codes are still
    /// being written.
    Not(Option<Status>),
}

#[derive(FromQueryResult)]
struct Number {
    n: Option<i64>,
}

/// Gives the campaign a new status if its present one is among `from`.
///
/// The catalog's row is locked first, as every change by people does, then the campaign's: a batch that holds it commits
/// before, a later one reads the new version and starts again.
///
/// # Errors
/// [`StoreError`]; also when there is no such campaign.
pub async fn switch(
    store: &Store,
    id: CampaignId,
    from: &[Status],
    to: Status,
    now: DateTime<Utc>,
) -> Result<Switched, StoreError> {
    let change = store.begin_change().await?;
    lock_catalog(&change).await?;
    let locked = campaign::Entity::find_by_id(i64::from(id.0)).lock_exclusive();
    let row = locked.one(&change).await?.ok_or_else(|| bad(id, "campaign_id"))?;
    let status = Status::parse(&row.status);
    if !status.is_some_and(|status| from.contains(&status)) {
        return Ok(Switched::Not(status));
    }
    let retired = match to {
        Status::Ended => retire(&change, row.campaign_id, now).await?,
        Status::Live | Status::Paused => 0,
    };
    next_version(&change, &row, to, now).await?;
    raise_catalog(&change).await?;
    change.commit().await?;
    Ok(Switched::Done { retired })
}

const IN_STOCK: &str = "SELECT CAST(SUM(last - first + 1) AS BIGINT) AS n FROM stock WHERE campaign_id = $1";

async fn retire(change: &DatabaseTransaction, id: i64, now: DateTime<Utc>) -> Result<u64, StoreError> {
    let retired = number(change, IN_STOCK, id).await?;
    let backend = change.get_database_backend();
    let lapse = "UPDATE hold SET ended_at = $2 WHERE campaign_id = $1 AND ended_at IS NULL";
    change.execute_raw(Statement::from_sql_and_values(backend, lapse, [id.into(), millis(now).into()])).await?;
    let delete = "DELETE FROM stock WHERE campaign_id = $1";
    change.execute_raw(Statement::from_sql_and_values(backend, delete, [id.into()])).await?;
    pool::Entity::update_many()
        .col_expr(pool::Column::InStock, Expr::value(0_i64))
        .filter(pool::Column::CampaignId.eq(id))
        .exec(change)
        .await?;
    Ok(retired)
}

/// The same document once more under the next number: every version of a campaign has one.
async fn next_version(
    change: &DatabaseTransaction,
    row: &campaign::Model,
    to: Status,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let id = CampaignId(u32::try_from(row.campaign_id).unwrap_or_default());
    let known = campaign_version::Entity::find_by_id((row.campaign_id, row.version));
    let document = known.one(change).await?.ok_or_else(|| bad(id, "version"))?.document;
    let version = row.version + 1;
    let next = campaign_version::ActiveModel {
        campaign_id: Set(row.campaign_id),
        version: Set(version),
        status: Set(to.word().to_owned()),
        document: Set(document),
        created_at: Set(millis(now)),
    };
    campaign_version::Entity::insert(next).exec_without_returning(change).await?;
    let changed = campaign::Entity::update_many()
        .col_expr(campaign::Column::Status, Expr::value(to.word()))
        .col_expr(campaign::Column::Version, Expr::value(version))
        .filter(campaign::Column::CampaignId.eq(row.campaign_id))
        .exec(change)
        .await?;
    exactly_one("campaign", changed.rows_affected)
}

async fn raise_catalog(change: &DatabaseTransaction) -> Result<(), StoreError> {
    let raised = catalog::Entity::update_many()
        .col_expr(catalog::Column::Version, Expr::col(catalog::Column::Version).add(1))
        .exec(change)
        .await?;
    exactly_one("catalog", raised.rows_affected)
}

fn exactly_one(statement: &'static str, written: u64) -> Result<(), StoreError> {
    match written {
        1 => Ok(()),
        _ => Err(StoreError::Miscounted { statement, written, expected: 1 }),
    }
}

async fn number(db: &impl ConnectionTrait, text: &str, id: i64) -> Result<u64, StoreError> {
    let statement = Statement::from_sql_and_values(db.get_database_backend(), text, [id.into()]);
    let found = Number::find_by_statement(statement).one(db).await?;
    let number = found.and_then(|row| row.n).unwrap_or_default();
    u64::try_from(number).map_err(|_| StoreError::BadRow { table: "stock", column: "first", id: id.to_string() })
}

fn bad(id: CampaignId, column: &'static str) -> StoreError {
    StoreError::BadRow { table: "campaign", column, id: id.to_string() }
}
