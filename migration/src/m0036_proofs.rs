//! Phones that are being proved on a claim page, one-time links of creators, and who has tried a code.

use crate::{drop_all, run};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLES: &[&str] = &["proof", "creator_link", "code_attempt"];

const UP: &str = "
CREATE TABLE proof (
    proof_id BYTES PRIMARY KEY,
    subject BYTES NOT NULL,
    slug TEXT NOT NULL,
    sub_id TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    proved_at BIGINT
) KEYED;
CREATE INDEX proof_person ON proof (subject, created_at);
CREATE TABLE creator_link (
    link_id BYTES PRIMARY KEY,
    creator_id BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
) KEYED;
CREATE TABLE code_attempt (
    campaign_id BIGINT NOT NULL,
    pool_no BIGINT NOT NULL,
    position BIGINT NOT NULL,
    who TEXT NOT NULL,
    tried_at BIGINT NOT NULL,
    PRIMARY KEY (campaign_id, pool_no, position, who)
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
