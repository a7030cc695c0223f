//! A partner's pulls of many codes: leased ranges, exposed chunk by chunk as they are streamed.

use crate::{drop_all, run};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLES: &[&str] = &["allocation", "allocation_range"];

const UP: &str = "
CREATE TABLE allocation (
    allocation_id BYTES PRIMARY KEY,
    partner_id BIGINT NOT NULL,
    partner_version BIGINT NOT NULL,
    campaign_id BIGINT NOT NULL,
    campaign_version BIGINT NOT NULL,
    pool_no BIGINT NOT NULL,
    offer_no BIGINT NOT NULL,
    weight_minor BIGINT NOT NULL,
    sub_id TEXT,
    count BIGINT NOT NULL,
    exposed BIGINT NOT NULL,
    restocked BIGINT NOT NULL,
    given_back BIGINT NOT NULL,
    allocated_at BIGINT NOT NULL,
    expires_at BIGINT,
    lease_until BIGINT NOT NULL,
    acked_at BIGINT,
    ended_at BIGINT,
    voided_at BIGINT,
    digest TEXT,
    CHECK (exposed >= 0 AND restocked >= 0 AND exposed + restocked <= count)
) KEYED;
CREATE INDEX allocation_of ON allocation (partner_id, allocated_at);
CREATE INDEX allocation_open ON allocation (lease_until) WHERE acked_at IS NULL AND voided_at IS NULL;
CREATE TABLE allocation_range (
    allocation_id BYTES NOT NULL,
    range_no BIGINT NOT NULL,
    first BIGINT NOT NULL,
    last BIGINT NOT NULL,
    next BIGINT NOT NULL,
    PRIMARY KEY (allocation_id, range_no),
    CHECK (first <= last AND next >= first AND next <= last + 1)
) KEYED;
ALTER TABLE issuance ADD COLUMN allocation_id BYTES
";
const DOWN: &str = "
ALTER TABLE issuance DROP COLUMN allocation_id
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
