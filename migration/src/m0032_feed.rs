//! What a partner hears of its codes, numbered without gaps.

use crate::{drop_all, run};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLES: &[&str] = &["feed_counter", "feed"];

const UP: &str = "
CREATE TABLE feed_counter (
    partner_id BIGINT PRIMARY KEY,
    last_no BIGINT NOT NULL
) KEYED;
CREATE TABLE feed (
    partner_id BIGINT NOT NULL,
    event_no BIGINT NOT NULL,
    kind TEXT NOT NULL,
    happened_at BIGINT NOT NULL,
    campaign_id BIGINT,
    pool_no BIGINT,
    position BIGINT,
    data TEXT NOT NULL,
    PRIMARY KEY (partner_id, event_no)
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
