//! Until when each number's webhooks are known to have come in: what came later is asked of its carrier.

use crate::{drop_all, run};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLES: &[&str] = &["catch_up"];

const UP: &str = "
CREATE TABLE catch_up (
    sender_id BIGINT PRIMARY KEY,
    seen_until BIGINT NOT NULL
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
