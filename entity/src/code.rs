//! A stored code of a generated or imported pool; never changed.

use sea_orm::entity::prelude::*;

/// A row of `code`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "code")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub campaign_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub pool_no: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    /// Upper case, without separators; unique over the house.
    #[sea_orm(unique)]
    pub code_norm: String,
    /// As it is shown.
    pub code: String,
}

/// None: the hot tables have no foreign keys.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
