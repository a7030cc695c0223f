//! Where a partner wants its feed sent, and what could not be delivered yet.

use crate::{drop_all, run};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLES: &[&str] = &["webhook_endpoint", "webhook_retry"];

const UP: &str = "
CREATE TABLE webhook_endpoint (
    endpoint_id TEXT PRIMARY KEY,
    partner_id BIGINT NOT NULL,
    url TEXT NOT NULL,
    events TEXT NOT NULL,
    codes TEXT NOT NULL,
    secret BYTES NOT NULL,
    secret_before BYTES,
    secret_before_until BIGINT,
    status TEXT NOT NULL,
    disabled_why TEXT,
    created_at BIGINT NOT NULL,
    taken_no BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    failing_since BIGINT,
    noticed_at BIGINT,
    delivered_at BIGINT
);
CREATE INDEX webhook_endpoint_of ON webhook_endpoint (partner_id);
CREATE TABLE webhook_retry (
    endpoint_id TEXT NOT NULL,
    event_no BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    last_status BIGINT,
    last_error TEXT,
    PRIMARY KEY (endpoint_id, event_no)
) KEYED;
CREATE INDEX webhook_retry_due ON webhook_retry (endpoint_id, due_at)
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
