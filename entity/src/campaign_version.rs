//! Every version of every campaign's document, kept for ever.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "campaign_version")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub campaign_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: i64,
    /// `draft`, `live`, `paused` or `ended`: what the campaign was while this version held.
    pub status: String,
    /// What was applied, as JSON.
    pub document: String,
    /// Milliseconds since 1970 UTC.
    pub created_at: i64,
}

/// No relations: rows are read by key.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
