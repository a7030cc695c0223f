//! Ways to what is old in tables that forget.

use crate::run;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const UP: &str = "
CREATE INDEX proof_over ON proof (created_at);
CREATE INDEX creator_link_over ON creator_link (expires_at);
CREATE INDEX code_attempt_over ON code_attempt (tried_at)
";
const DOWN: &str = "
DROP INDEX code_attempt_over;
DROP INDEX creator_link_over;
DROP INDEX proof_over
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, UP).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, DOWN).await
    }
}
