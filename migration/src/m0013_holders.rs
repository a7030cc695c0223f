//! Since when the present holder of a number has had it.

use crate::run;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Empty: since we know the number at all.
const UP: &str = "ALTER TABLE recipient ADD COLUMN epoch_at BIGINT";
const DOWN: &str = "ALTER TABLE recipient DROP COLUMN epoch_at";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, UP).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, DOWN).await
    }
}
