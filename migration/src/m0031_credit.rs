//! Whose merit a code is: partner, creator and what they want to know it by; and the count of it.

use crate::{drop_all, run};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLES: &[&str] = &["rollup_credit"];

const UP: &str = "
ALTER TABLE request ADD COLUMN partner_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE request ADD COLUMN partner_version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE request ADD COLUMN creator_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE request ADD COLUMN sub_id TEXT;
ALTER TABLE request ADD COLUMN note TEXT;
ALTER TABLE issuance ADD COLUMN partner_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE issuance ADD COLUMN partner_version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE issuance ADD COLUMN creator_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE issuance ADD COLUMN sub_id TEXT;
ALTER TABLE issuance ADD COLUMN note TEXT;
ALTER TABLE hold ADD COLUMN partner_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE hold ADD COLUMN partner_version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE hold ADD COLUMN creator_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE hold ADD COLUMN sub_id TEXT;
ALTER TABLE hold ADD COLUMN note TEXT;
ALTER TABLE code_event ADD COLUMN commission_minor BIGINT;
CREATE TABLE rollup_credit (
    kind TEXT NOT NULL,
    credit_id BIGINT NOT NULL,
    campaign_id BIGINT NOT NULL,
    quarter BIGINT NOT NULL,
    placement_id BIGINT NOT NULL,
    sub_id TEXT NOT NULL,
    outcome TEXT NOT NULL,
    n BIGINT NOT NULL,
    amount_minor BIGINT NOT NULL,
    commission_minor BIGINT NOT NULL,
    PRIMARY KEY (kind, credit_id, campaign_id, quarter, placement_id, sub_id, outcome)
) KEYED
";
const DOWN: &str = "
ALTER TABLE code_event DROP COLUMN commission_minor;
ALTER TABLE hold DROP COLUMN note;
ALTER TABLE hold DROP COLUMN sub_id;
ALTER TABLE hold DROP COLUMN creator_id;
ALTER TABLE hold DROP COLUMN partner_version;
ALTER TABLE hold DROP COLUMN partner_id;
ALTER TABLE issuance DROP COLUMN note;
ALTER TABLE issuance DROP COLUMN sub_id;
ALTER TABLE issuance DROP COLUMN creator_id;
ALTER TABLE issuance DROP COLUMN partner_version;
ALTER TABLE issuance DROP COLUMN partner_id;
ALTER TABLE request DROP COLUMN note;
ALTER TABLE request DROP COLUMN sub_id;
ALTER TABLE request DROP COLUMN creator_id;
ALTER TABLE request DROP COLUMN partner_version;
ALTER TABLE request DROP COLUMN partner_id
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
