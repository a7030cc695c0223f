//! What is said to people: the outbox, who said STOP, and the evidence of both.

use crate::{drop_all, run};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLES: &[&str] = &["outbox_message", "opt_out", "consent_event"];

const UP: &str = "
CREATE TABLE outbox_message (
    message_id BYTES PRIMARY KEY,
    subject BYTES NOT NULL,
    sender_id BIGINT NOT NULL,
    reply TEXT NOT NULL,
    priority BIGINT NOT NULL,
    campaign_id BIGINT,
    pool_no BIGINT,
    position BIGINT,
    params TEXT NOT NULL,
    door TEXT NOT NULL,
    request_key TEXT NOT NULL,
    status TEXT NOT NULL,
    is_open BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    provider_id TEXT,
    segments BIGINT,
    body_hash BYTES,
    history TEXT NOT NULL,
    created_at BIGINT NOT NULL
) KEYED;
CREATE INDEX outbox_message_due ON outbox_message (due_at) WHERE is_open = 1;
CREATE INDEX outbox_message_person ON outbox_message (subject) WHERE is_open = 1;
CREATE INDEX outbox_message_provider ON outbox_message (provider_id) WHERE provider_id IS NOT NULL;
CREATE UNIQUE INDEX outbox_message_request ON outbox_message (door, request_key);
CREATE TABLE opt_out (
    brand TEXT NOT NULL,
    subject BYTES NOT NULL,
    opted_out_at BIGINT NOT NULL,
    PRIMARY KEY (brand, subject)
) KEYED;
CREATE TABLE consent_event (
    door TEXT NOT NULL,
    request_key TEXT NOT NULL,
    brand TEXT NOT NULL,
    subject BYTES NOT NULL,
    kind TEXT NOT NULL,
    matched TEXT NOT NULL,
    occurred_at BIGINT NOT NULL,
    PRIMARY KEY (door, request_key)
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
