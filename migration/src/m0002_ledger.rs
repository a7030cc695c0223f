//! The ledger: codes, stock, persons, requests, issuances, events, counters.

use crate::{drop_all, run};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLES: &[&str] = &["code", "stock", "recipient", "request", "issuance", "code_event", "quota"];

const UP: &str = "
CREATE TABLE code (
    campaign_id BIGINT NOT NULL,
    pool_no BIGINT NOT NULL,
    position BIGINT NOT NULL,
    code_norm TEXT NOT NULL UNIQUE,
    code TEXT NOT NULL,
    PRIMARY KEY (campaign_id, pool_no, position)
) KEYED;
CREATE TABLE stock (
    campaign_id BIGINT NOT NULL,
    pool_no BIGINT NOT NULL,
    last BIGINT NOT NULL,
    first BIGINT NOT NULL,
    verified_at BIGINT,
    PRIMARY KEY (campaign_id, pool_no, last),
    CHECK (first >= 0 AND first <= last)
) KEYED;
CREATE TABLE recipient (
    subject BYTES PRIMARY KEY,
    epoch BIGINT NOT NULL,
    phone_ciphertext BYTES,
    created_at BIGINT NOT NULL
) KEYED;
CREATE TABLE request (
    door TEXT NOT NULL,
    request_key TEXT NOT NULL,
    fingerprint BYTES NOT NULL,
    received_at BIGINT NOT NULL,
    subject BYTES,
    kind TEXT NOT NULL,
    outcome TEXT NOT NULL,
    rule TEXT NOT NULL,
    cap_id BIGINT,
    cap BIGINT,
    used BIGINT,
    resets_at BIGINT,
    campaign_id BIGINT,
    pool_no BIGINT,
    position BIGINT,
    reference TEXT,
    channel TEXT NOT NULL,
    sender_id BIGINT,
    word TEXT,
    placement_id BIGINT NOT NULL,
    replied BIGINT NOT NULL,
    amount_minor BIGINT,
    PRIMARY KEY (door, request_key)
) KEYED;
CREATE INDEX request_answered ON request (subject, received_at) WHERE replied = 1;
CREATE TABLE issuance (
    campaign_id BIGINT NOT NULL,
    pool_no BIGINT NOT NULL,
    position BIGINT NOT NULL,
    subject BYTES,
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    offer_no BIGINT NOT NULL,
    campaign_version BIGINT NOT NULL,
    weight_minor BIGINT NOT NULL,
    channel TEXT NOT NULL,
    sender_id BIGINT,
    keyword TEXT,
    placement_id BIGINT NOT NULL,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT,
    PRIMARY KEY (campaign_id, pool_no, position)
) KEYED;
CREATE UNIQUE INDEX issuance_person ON issuance (subject, epoch, campaign_id, seq);
CREATE TABLE code_event (
    campaign_id BIGINT NOT NULL,
    pool_no BIGINT NOT NULL,
    position BIGINT NOT NULL,
    step BIGINT NOT NULL,
    kind TEXT NOT NULL,
    provider TEXT NOT NULL,
    provider_ref TEXT NOT NULL,
    reverses BIGINT,
    occurred_at BIGINT NOT NULL,
    store TEXT,
    order_ref TEXT,
    amount_minor BIGINT,
    currency TEXT,
    reason TEXT,
    PRIMARY KEY (campaign_id, pool_no, position, step),
    UNIQUE (provider, provider_ref, kind)
) KEYED;
CREATE TABLE quota (
    cap_id BIGINT NOT NULL,
    window_start BIGINT NOT NULL,
    used BIGINT NOT NULL,
    cap BIGINT NOT NULL,
    PRIMARY KEY (cap_id, window_start),
    CHECK (used >= 0 AND used <= cap)
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
