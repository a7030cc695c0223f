//! Campaigns whose codes another system honours: promises without a position, codes it calls dead, what it reports.

use crate::{drop_all, run};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLES: &[&str] = &["hold", "quarantine", "verification", "peer_check", "peer_event", "peer_cursor"];

const UP: &str = "
CREATE TABLE hold (
    hold_id BYTES PRIMARY KEY,
    campaign_id BIGINT NOT NULL,
    pool_no BIGINT NOT NULL,
    subject BYTES NOT NULL,
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    offer_no BIGINT NOT NULL,
    campaign_version BIGINT NOT NULL,
    weight_minor BIGINT NOT NULL,
    channel TEXT NOT NULL,
    sender_id BIGINT,
    keyword TEXT,
    placement_id BIGINT NOT NULL,
    held_at BIGINT NOT NULL,
    is_muted BIGINT NOT NULL,
    late_at BIGINT,
    ended_at BIGINT,
    position BIGINT
) KEYED;
CREATE UNIQUE INDEX hold_person ON hold (subject, campaign_id, epoch) WHERE ended_at IS NULL;
CREATE INDEX hold_waiting ON hold (campaign_id, held_at) WHERE ended_at IS NULL;
CREATE TABLE quarantine (
    campaign_id BIGINT NOT NULL,
    pool_no BIGINT NOT NULL,
    position BIGINT NOT NULL,
    verdict TEXT NOT NULL,
    evidence TEXT NOT NULL,
    looked_at BIGINT NOT NULL,
    PRIMARY KEY (campaign_id, pool_no, position)
) KEYED;
CREATE INDEX quarantine_undecided ON quarantine (looked_at) WHERE verdict = 'undecided';
CREATE TABLE verification (
    campaign_id BIGINT NOT NULL,
    pool_no BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    paused_at BIGINT,
    alive BIGINT NOT NULL,
    dead BIGINT NOT NULL,
    PRIMARY KEY (campaign_id, pool_no)
) KEYED;
CREATE TABLE peer_check (
    campaign_id BIGINT NOT NULL,
    pool_no BIGINT NOT NULL,
    position BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    looks BIGINT NOT NULL,
    PRIMARY KEY (campaign_id, pool_no, position)
) KEYED;
CREATE INDEX peer_check_due ON peer_check (due_at);
CREATE TABLE peer_event (
    peer TEXT NOT NULL,
    event_id TEXT NOT NULL,
    code_norm TEXT NOT NULL,
    event TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    settled_at BIGINT,
    PRIMARY KEY (peer, event_id)
) KEYED;
CREATE INDEX peer_event_open ON peer_event (received_at) WHERE settled_at IS NULL;
CREATE TABLE peer_cursor (
    peer TEXT PRIMARY KEY,
    cursor TEXT NOT NULL,
    polled_at BIGINT NOT NULL
) KEYED;
ALTER TABLE issuance ADD COLUMN charged_at BIGINT
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, UP).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("ALTER TABLE issuance DROP COLUMN charged_at").await?;
        drop_all(manager, TABLES).await
    }
}
