//! `codewell migrate`.

use super::console::Console;
use super::place::PlaceArgs;
use crate::app::{FirstRun, House, OldTables};
use clap::Args;

/// Bring the database's tables to this release
///
/// `serve` and `demo` do this by themselves; run it when `serve --no-migrate` is your way of starting.
#[derive(Debug, Args)]
pub(super) struct MigrateArgs {
    #[command(flatten)]
    place: PlaceArgs,
}

pub(super) async fn migrate(args: &MigrateArgs, console: &mut Console<'_>) -> anyhow::Result<()> {
    let config = args.place.config(console)?;
    let house = House::open(config, FirstRun::Make, OldTables::Migrate).await?;
    for made in &house.made {
        console.note(made);
    }
    console.say("The tables are up to date.")
}
