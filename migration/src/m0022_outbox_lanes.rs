//! What is due is taken a number at a time, the most urgent first, so that no number's backlog hides another's.

use crate::run;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const UP: &str = "
DROP INDEX outbox_message_due;
CREATE INDEX outbox_message_due ON outbox_message (sender_id, priority, due_at) WHERE is_open = 1
";

const DOWN: &str = "
DROP INDEX outbox_message_due;
CREATE INDEX outbox_message_due ON outbox_message (due_at) WHERE is_open = 1
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
