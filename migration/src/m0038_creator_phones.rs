//! Every number that is or was a creator's own.

use crate::{drop_all, run};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLES: &[&str] = &["creator_phone"];

const UP: &str = "
CREATE TABLE creator_phone (
    subject BYTES PRIMARY KEY,
    creator_id BIGINT NOT NULL,
    given_at BIGINT NOT NULL
) KEYED;
INSERT INTO creator_phone (subject, creator_id, given_at)
    SELECT subject, creator_id, created_at FROM creator WHERE subject IS NOT NULL
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
