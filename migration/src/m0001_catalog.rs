//! What is configured: senders, campaigns and their versions, offers, pools, caps, keywords, keys.

use crate::{drop_all, run};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLES: &[&str] = &[
    "catalog",
    "sender",
    "campaign",
    "campaign_version",
    "offer",
    "pool",
    "cap",
    "keyword",
    "placement",
    "access_key",
];

const UP: &str = "
CREATE TABLE catalog (
    catalog_id BIGINT PRIMARY KEY,
    version BIGINT NOT NULL,
    generation TEXT NOT NULL
);
INSERT INTO catalog (catalog_id, version, generation) VALUES (1, 1, '');
CREATE TABLE sender (
    sender_id BIGINT PRIMARY KEY,
    address TEXT NOT NULL UNIQUE,
    carrier TEXT NOT NULL,
    brand TEXT NOT NULL,
    document TEXT NOT NULL
);
CREATE TABLE campaign (
    campaign_id BIGINT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL,
    version BIGINT NOT NULL
);
CREATE TABLE campaign_version (
    campaign_id BIGINT NOT NULL,
    version BIGINT NOT NULL,
    status TEXT NOT NULL,
    document TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (campaign_id, version)
);
CREATE TABLE offer (
    campaign_id BIGINT NOT NULL,
    offer_no BIGINT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (campaign_id, offer_no)
);
CREATE TABLE pool (
    campaign_id BIGINT NOT NULL,
    pool_no BIGINT NOT NULL,
    offer_no BIGINT NOT NULL,
    kind TEXT NOT NULL,
    key_id BIGINT NOT NULL,
    pattern TEXT NOT NULL,
    size BIGINT NOT NULL,
    in_stock BIGINT NOT NULL CHECK (in_stock >= 0),
    owner TEXT NOT NULL,
    PRIMARY KEY (campaign_id, pool_no)
);
CREATE TABLE cap (
    cap_id BIGINT PRIMARY KEY,
    campaign_id BIGINT NOT NULL,
    scope TEXT NOT NULL,
    scope_id TEXT NOT NULL,
    unit TEXT NOT NULL,
    window_kind TEXT NOT NULL,
    window_ms BIGINT NOT NULL,
    zone TEXT NOT NULL,
    cap BIGINT NOT NULL,
    removed_at BIGINT,
    UNIQUE (campaign_id, scope, scope_id, unit, window_kind, window_ms)
);
CREATE TABLE keyword (
    sender_id BIGINT NOT NULL,
    word TEXT NOT NULL,
    campaign_id BIGINT NOT NULL,
    keyword TEXT NOT NULL,
    placement_id BIGINT NOT NULL,
    PRIMARY KEY (sender_id, word)
);
CREATE TABLE placement (
    placement_id BIGINT PRIMARY KEY,
    campaign_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    cost_minor BIGINT NOT NULL,
    UNIQUE (campaign_id, name)
);
CREATE TABLE access_key (
    key_id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    hash BYTES NOT NULL,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT
)
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
