//! Partners: who they are, every version of what they may do, their keys, and who may no longer call.

use crate::{drop_all, run};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLES: &[&str] =
    &["partner", "partner_version", "partner_key", "used_assertion", "revoked_token", "signing_key", "auth_failure"];

const UP: &str = "
CREATE TABLE partner (
    partner_id BIGINT PRIMARY KEY,
    client_id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    environment TEXT NOT NULL,
    status TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE TABLE partner_version (
    partner_id BIGINT NOT NULL,
    version BIGINT NOT NULL,
    status TEXT NOT NULL,
    document TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (partner_id, version)
) KEYED;
CREATE INDEX cap_of_scope ON cap (scope, scope_id);
CREATE TABLE partner_key (
    key_id TEXT PRIMARY KEY,
    partner_id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    material TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX partner_key_of ON partner_key (partner_id);
CREATE TABLE used_assertion (
    partner_id BIGINT NOT NULL,
    jti TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (partner_id, jti)
) KEYED;
CREATE INDEX used_assertion_over ON used_assertion (expires_at);
CREATE TABLE revoked_token (
    jti TEXT PRIMARY KEY,
    expires_at BIGINT NOT NULL
) KEYED;
CREATE INDEX revoked_token_over ON revoked_token (expires_at);
CREATE TABLE signing_key (
    key_no BIGINT PRIMARY KEY,
    kid TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    signs_from BIGINT NOT NULL,
    retired_at BIGINT
);
CREATE TABLE auth_failure (
    request_id TEXT PRIMARY KEY,
    failed_at BIGINT NOT NULL,
    reason TEXT NOT NULL,
    client_id TEXT
) KEYED;
CREATE INDEX auth_failure_over ON auth_failure (failed_at)
";
const DOWN: &str = "
DROP INDEX cap_of_scope
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
