//! What somebody must look at.

use crate::{drop_all, run};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const UP: &str = "
CREATE TABLE alert (
    kind TEXT NOT NULL,
    about TEXT NOT NULL,
    detail TEXT NOT NULL,
    times BIGINT NOT NULL,
    raised_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    cleared_at BIGINT
);
CREATE UNIQUE INDEX alert_open ON alert (kind, about) WHERE cleared_at IS NULL;
CREATE INDEX alert_raised ON alert (raised_at)
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, UP).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_all(manager, &["alert"]).await
    }
}
