//! What sandboxes asked, by Idempotency-Key, and how their pulls stand.

use crate::{drop_all, run};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLES: &[&str] = &["sandbox_request", "sandbox_pull"];

const UP: &str = "
CREATE TABLE sandbox_request (
    door TEXT NOT NULL,
    request_key TEXT NOT NULL,
    fingerprint BYTES NOT NULL,
    outcome TEXT NOT NULL,
    rule TEXT NOT NULL,
    reference TEXT,
    used BIGINT,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (door, request_key)
) KEYED;
CREATE INDEX sandbox_request_over ON sandbox_request (received_at);
CREATE TABLE sandbox_pull (
    allocation_id BYTES PRIMARY KEY,
    partner_id BIGINT NOT NULL,
    campaign_id BIGINT NOT NULL,
    count BIGINT NOT NULL,
    exposed BIGINT NOT NULL,
    restocked BIGINT NOT NULL,
    withdrawn BYTES NOT NULL,
    allocated_at BIGINT NOT NULL,
    expires_at BIGINT,
    lease_until BIGINT NOT NULL,
    acked_at BIGINT,
    digest TEXT,
    CHECK (exposed >= 0 AND restocked >= 0 AND exposed + restocked <= count)
) KEYED;
CREATE INDEX sandbox_pull_over ON sandbox_pull (lease_until)
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
