//! Finds the last START of a person: a carrier's late word of an old STOP must not outrank it.

use crate::run;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Partial: START is rare, and the evidence of every other text costs no second write.
const UP: &str = "CREATE INDEX consent_event_opt_in ON consent_event (subject) WHERE kind = 'opt_in'";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, UP).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, "DROP INDEX consent_event_opt_in").await
    }
}
