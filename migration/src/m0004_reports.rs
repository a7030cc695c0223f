//! Counts that are written with the fact: one table a question.

use crate::{drop_all, run};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLES: &[&str] = &["rollup_channel", "rollup_outstanding"];

const UP: &str = "
CREATE TABLE rollup_channel (
    campaign_id BIGINT NOT NULL,
    quarter BIGINT NOT NULL,
    channel TEXT NOT NULL,
    placement_id BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    n BIGINT NOT NULL,
    amount_minor BIGINT NOT NULL,
    PRIMARY KEY (campaign_id, quarter, channel, placement_id, outcome)
) KEYED;
CREATE TABLE rollup_outstanding (
    campaign_id BIGINT NOT NULL,
    expiry_day BIGINT NOT NULL,
    n BIGINT NOT NULL,
    value_minor BIGINT NOT NULL,
    PRIMARY KEY (campaign_id, expiry_day)
) KEYED
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, UP).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_all(manager, TABLES).await
    }
}
