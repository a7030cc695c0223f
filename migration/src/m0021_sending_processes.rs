//! The processes that send: they share the rates of numbers and accounts (ADR 0011).

use crate::{drop_all, run};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const UP: &str = "
CREATE TABLE sending_process (
    process_id BYTES PRIMARY KEY,
    seen_until BIGINT NOT NULL
) KEYED
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, UP).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_all(manager, &["sending_process"]).await
    }
}
