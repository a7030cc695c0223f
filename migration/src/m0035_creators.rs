//! Creators, the links of creators and placements, and how often those were opened.

use crate::{drop_all, run};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLES: &[&str] = &["creator", "link", "rollup_link"];

const UP: &str = "
CREATE TABLE creator (
    creator_id BIGINT PRIMARY KEY,
    handle TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    subject BYTES,
    phone_ciphertext BYTES,
    disclosure TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX creator_subject ON creator (subject);
ALTER TABLE keyword ADD COLUMN creator_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE placement ADD COLUMN creator_id BIGINT NOT NULL DEFAULT 0;
CREATE TABLE link (
    slug TEXT PRIMARY KEY,
    campaign_id BIGINT NOT NULL,
    creator_id BIGINT NOT NULL,
    placement_id BIGINT NOT NULL
);
CREATE TABLE rollup_link (
    slug TEXT NOT NULL,
    sub_id TEXT NOT NULL,
    quarter BIGINT NOT NULL,
    n BIGINT NOT NULL,
    PRIMARY KEY (slug, sub_id, quarter)
) KEYED
";
const DOWN: &str = "
ALTER TABLE keyword DROP COLUMN creator_id;
ALTER TABLE placement DROP COLUMN creator_id
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, UP).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, DOWN).await?;
        drop_all(manager, TABLES).await
    }
}
