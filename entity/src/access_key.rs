//! Keys of tills and admins; only a keyed hash is kept.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "access_key")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub key_id: String,
    /// `till` or `admin`.
    pub kind: String,
    pub name: String,
    pub hash: Vec<u8>,
    /// Milliseconds since 1970 UTC.
    pub created_at: i64,
    pub revoked_at: Option<i64>,
}

/// No relations: rows are read by key.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
