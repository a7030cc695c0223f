//! Our short codes and numbers.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sender")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub sender_id: i64,
    pub address: String,
    pub carrier: String,
    pub brand: String,
    /// What was applied, as JSON.
    pub document: String,
}

/// No relations: rows are read by key.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
