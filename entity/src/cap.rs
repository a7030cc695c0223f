//! Caps of campaigns, and across them (campaign 0).

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "cap")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub cap_id: i64,
    pub campaign_id: i64,
    pub scope: String,
    pub scope_id: String,
    pub unit: String,
    pub window_kind: String,
    /// The length of a rolling window, else 0.
    pub window_ms: i64,
    pub zone: String,
    pub cap: i64,
    /// Milliseconds since 1970 UTC; a removed cap decides nothing and keeps its number.
    pub removed_at: Option<i64>,
}

/// No relations: rows are read by key.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
