//! One code given to one person, with its attribution, for ever.

use sea_orm::entity::prelude::*;

/// A row of `issuance`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "issuance")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub campaign_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub pool_no: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    /// The person; none for stock that lies with a partner.
    pub subject: Option<Vec<u8>>,
    pub epoch: i64,
    /// Her how-manieth of the campaign, from 1.
    pub seq: i64,
    pub offer_no: i64,
    pub campaign_version: i64,
    /// What it adds to a cap in money, minor units.
    pub weight_minor: i64,
    pub channel: String,
    pub sender_id: Option<i64>,
    pub keyword: Option<String>,
    pub placement_id: i64,
    /// Milliseconds since 1970 UTC.
    pub issued_at: i64,
    /// Milliseconds since 1970 UTC, exclusive.
    pub expires_at: Option<i64>,
    /// When it was counted, where a promise came before it; else at issue.
    pub charged_at: Option<i64>,
    /// The affiliate partner who asked; 0 is none.
    pub partner_id: i64,
    /// The version of its terms that it was issued under.
    pub partner_version: i64,
    /// The creator whose merit it is; 0 is none.
    pub creator_id: i64,
    pub sub_id: Option<String>,
    /// What a partner wants echoed, JSON.
    pub note: Option<String>,
    /// The pull it belongs to, where it lies with a partner.
    pub allocation_id: Option<Vec<u8>>,
}

/// None: the hot tables have no foreign keys.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
