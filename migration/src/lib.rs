//! The history of Codewell's tables: one change a file, never edited once shipped.
//!
//! Both databases share four column types (ADR 0007): text, bytes, big integer and JSON as text; a time is a big
//! integer of milliseconds since 1970 UTC.

mod m0001_catalog;
mod m0002_ledger;
mod m0003_messages;
mod m0004_reports;
mod m0005_alerts;
mod m0006_peers;
mod m0007_opt_ins;
mod m0008_catch_up;
mod m0010_consent_language;
mod m0011_sessions;
mod m0012_unknown_words;
mod m0013_holders;
mod m0020_spend;
mod m0021_sending_processes;
mod m0022_outbox_lanes;
mod m0030_partners;
mod m0031_credit;
mod m0032_feed;
mod m0033_webhooks;
mod m0034_allocations;
mod m0035_creators;
mod m0036_proofs;
mod m0037_webhook_requests;
mod m0038_creator_phones;
mod m0039_webhook_asked;
mod m0040_sandbox;
mod m0041_pruning;

pub use sea_orm_migration::MigratorTrait;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// Every change, oldest first.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_catalog::Migration),
            Box::new(m0002_ledger::Migration),
            Box::new(m0003_messages::Migration),
            Box::new(m0004_reports::Migration),
            Box::new(m0005_alerts::Migration),
            Box::new(m0006_peers::Migration),
            Box::new(m0007_opt_ins::Migration),
            Box::new(m0008_catch_up::Migration),
            Box::new(m0010_consent_language::Migration),
            Box::new(m0011_sessions::Migration),
            Box::new(m0012_unknown_words::Migration),
            Box::new(m0013_holders::Migration),
            Box::new(m0020_spend::Migration),
            Box::new(m0021_sending_processes::Migration),
            Box::new(m0022_outbox_lanes::Migration),
            Box::new(m0030_partners::Migration),
            Box::new(m0031_credit::Migration),
            Box::new(m0032_feed::Migration),
            Box::new(m0033_webhooks::Migration),
            Box::new(m0034_allocations::Migration),
            Box::new(m0035_creators::Migration),
            Box::new(m0036_proofs::Migration),
            Box::new(m0037_webhook_requests::Migration),
            Box::new(m0038_creator_phones::Migration),
            Box::new(m0039_webhook_asked::Migration),
            Box::new(m0040_sandbox::Migration),
            Box::new(m0041_pruning::Migration),
        ]
    }
}

/// Runs `;`-separated statements written for both databases: `BYTES` is the type of bytes, `KEYED` closes a table
/// that lives in its primary key.
pub(crate) async fn run(manager: &SchemaManager<'_>, script: &str) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    let is_sqlite = manager.get_database_backend() == DbBackend::Sqlite;
    let (bytes, keyed) = if is_sqlite { ("BLOB", ") WITHOUT ROWID") } else { ("BYTEA", ")") };
    let script = script.replace("BYTES", bytes).replace(") KEYED", keyed);
    for statement in script.split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
        connection.execute_unprepared(statement).await?;
    }
    Ok(())
}

/// Drops tables, last made first.
pub(crate) async fn drop_all(manager: &SchemaManager<'_>, tables: &[&str]) -> Result<(), DbErr> {
    for table in tables.iter().rev() {
        manager.get_connection().execute_unprepared(&format!("DROP TABLE {table}")).await?;
    }
    Ok(())
}
