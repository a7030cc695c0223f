//! A step in the life of a code; only ever inserted.

use sea_orm::entity::prelude::*;

/// A row of `code_event`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "code_event")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub campaign_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub pool_no: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub step: i64,
    /// `redeemed`, `rolled_back`, `voided`.
    pub kind: String,
    /// `till` or `house`.
    pub provider: String,
    /// The name its source gave it; a redemption's id.
    pub provider_ref: String,
    /// The step it takes back.
    pub reverses: Option<i64>,
    /// Milliseconds since 1970 UTC.
    pub occurred_at: i64,
    pub store: Option<String>,
    pub order_ref: Option<String>,
    pub amount_minor: Option<i64>,
    pub currency: Option<String>,
    pub reason: Option<String>,
    /// What the creator earns by it, minor units.
    pub commission_minor: Option<i64>,
}

/// None: the hot tables have no foreign keys.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
