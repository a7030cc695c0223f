//! A person, and her lock.

use sea_orm::entity::prelude::*;

/// A row of `recipient`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "recipient")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub subject: Vec<u8>,
    /// Goes up when her number gets another holder.
    pub epoch: i64,
    /// Sealed; none for a person without a phone.
    pub phone_ciphertext: Option<Vec<u8>>,
    /// Milliseconds since 1970 UTC.
    pub created_at: i64,
}

/// None: the hot tables have no foreign keys.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
