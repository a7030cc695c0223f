//! The one row that every change of the configuration raises.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "catalog")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub catalog_id: i64,
    pub version: i64,
    /// The restore generation; differs from the data directory's after a restore.
    pub generation: String,
}

/// No relations: rows are read by key.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
