//! Numbered sequences of codes.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "pool")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub campaign_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub pool_no: i64,
    /// The promise of codes issued from now on.
    pub offer_no: i64,
    pub kind: String,
    /// The keyring a derived pool's key comes from; 0 elsewhere.
    pub key_id: i64,
    /// Empty for imported pools.
    pub pattern: String,
    /// Positions run from 0 to this, exclusive.
    pub size: i64,
    /// Positions in stock.
    pub in_stock: i64,
    /// `house`.
    pub owner: String,
}

/// No relations: rows are read by key.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
