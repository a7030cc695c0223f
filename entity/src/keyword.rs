//! Words that lead to a campaign.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "keyword")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub sender_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub word: String,
    pub campaign_id: i64,
    /// The keyword that reports and caps count this word under.
    pub keyword: String,
    pub placement_id: i64,
    /// The creator whose word it is; 0 is the house.
    pub creator_id: i64,
}

/// No relations: rows are read by key.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
