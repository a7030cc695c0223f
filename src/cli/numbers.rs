//! `codewell numbers`.

use super::console::Console;
use super::failure::Refused;
use super::place::PlaceArgs;
use crate::engine::NumbersError;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Learn which phone numbers have changed hands
#[derive(Debug, Args)]
pub(super) struct NumbersArgs {
    #[command(flatten)]
    place: PlaceArgs,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Take in a feed of disconnected, reassigned and ported numbers
    ///
    /// The file is CSV with the columns `number` (+12025550123), `event` (disconnected, reassigned or ported) and
    /// `date` (YYYY-MM-DD or RFC 3339). The next holder of a disconnected or reassigned number is a new person: she may
    /// have a code of her own and never sees the old ones, consent is closed, a STOP stands. A ported number keeps its
    /// holder. The same file again changes nothing.
    Import {
        /// The file
        #[arg(value_name = "FILE.csv")]
        file: PathBuf,
    },
}

pub(super) async fn numbers(args: &NumbersArgs, console: &mut Console<'_>) -> anyhow::Result<()> {
    let What::Import { file } = &args.what;
    let house = args.place.open(console).await?;
    let engine = house.desk().await?;
    let bar = console.progress(None);
    let report = engine.import_numbers(file, &|done| bar.set_message(format!("{done} lines"))).await;
    bar.finish_and_clear();
    let report = match report {
        Err(error @ NumbersError::NoColumn(_)) => {
            return Err(Refused::because(error.to_string(), "Its first line must name number, event and date."));
        }
        report => report?,
    };
    console.say(&report.to_string())
}
