//! `codewell import`, `generate`, `void`.

use super::apply::{apply_documents, show};
use super::campaign::grouped;
use super::console::{Console, Yes};
use super::failure::Refused;
use super::place::PlaceArgs;
use crate::domain::decision::outcome::Outcome;
use crate::domain::ids::RequestId;
use crate::domain::till::TillRefusal;
use clap::Args;
use std::path::PathBuf;

/// Add codes made elsewhere to a campaign
///
/// The file is CSV with a column named `code`. Bad and double lines are named and left out; codes that the campaign
/// has already stay as they are, so an interrupted import is simply run again. The codes are live when it ends.
#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// The campaign's name
    campaign: String,
    /// The file
    #[arg(value_name = "FILE.csv")]
    file: PathBuf,
}

pub(super) async fn import(args: &ImportArgs, console: &mut Console<'_>) -> anyhow::Result<()> {
    let house = args.place.open(console).await?;
    let engine = house.desk().await?;
    let name = engine.campaign(&args.campaign).await?.doc.name;
    let bar = console.progress(None);
    let report = engine.import(&name, &args.file, &|progress| show(&bar, progress)).await;
    bar.finish_and_clear();
    console.say(&format!("{name}: {}", report?))
}

/// Draw more codes for a campaign whose codes we make
///
/// Interrupted, it is simply run again with what is missing. The codes are live when it ends.
#[derive(Debug, Args)]
pub(super) struct GenerateArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// The campaign's name
    campaign: String,
    /// How many more
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    count: u64,
}

pub(super) async fn generate(args: &GenerateArgs, console: &mut Console<'_>) -> anyhow::Result<()> {
    let house = args.place.open(console).await?;
    let engine = house.desk().await?;
    let record = engine.campaign(&args.campaign).await?;
    let name = record.doc.name;
    let pools = &engine.catalog().rows.pools;
    let own = pools.iter().filter(|pool| pool.campaign == record.id && pool.pool.creator.is_none());
    let size: u64 = own.map(|pool| pool.pool.size).sum();
    let size = size.saturating_add(args.count);
    let documents = engine.grown(&name, size).await?;
    // Asked for by name and number: there is nothing left to confirm.
    apply_documents(&engine, &documents, Yes::Given, console).await?;
    console.note(&format!(
        "The pool of {name} has {} codes now: write pool.size = {size} into its file too.",
        grouped(size)
    ));
    Ok(())
}

/// Take one code back: no till accepts it any more
///
/// The person it was issued to keeps her place: asking again tells her that the offer is not available.
#[derive(Debug, Args)]
pub(super) struct VoidArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// The code, as it was sent
    code: String,
    /// Why; kept with the code for ever
    #[arg(long)]
    reason: String,
}

pub(super) async fn void(args: &VoidArgs, console: &mut Console<'_>) -> anyhow::Result<()> {
    let house = args.place.open(console).await?;
    let engine = house.desk().await?;
    let request = RequestId { door: "house".to_owned(), key: uuid::Uuid::now_v7().to_string() };
    let settled = engine.void(request.clone(), &args.code, &args.reason);
    match settled.await?.map(|settled| settled.outcome) {
        Some(Outcome::Voided(_)) => console.say(&format!("{} is void. Evidence: {request}", args.code)),
        Some(Outcome::Declined(_, TillRefusal::AlreadyRedeemed)) => Err(Refused::because(
            format!("{} was used, so it cannot be taken back", args.code),
            "Roll the redemption back at the till first.",
        )),
        Some(_) | None => Err(Refused::because(
            format!("{} is not a code that is out", args.code),
            "It may be mistyped, or nobody has it yet.",
        )),
    }
}
