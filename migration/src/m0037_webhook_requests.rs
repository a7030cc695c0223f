//! What partners asked of their endpoints, by Idempotency-Key.

use crate::{drop_all, run};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLES: &[&str] = &["webhook_request"];

const UP: &str = "
CREATE TABLE webhook_request (
    endpoint_id TEXT NOT NULL,
    request_key TEXT NOT NULL,
    asked TEXT NOT NULL,
    event_no BIGINT,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (endpoint_id, request_key)
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
