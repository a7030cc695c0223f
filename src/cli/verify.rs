//! `codewell verify`.

use super::console::Console;
use super::failure::Refused;
use super::place::PlaceArgs;
use crate::domain::campaign::Authority;
use clap::Args;

/// Say how the codes of a campaign stand with the system that honours them
///
/// Codes are looked at ahead of use; what that system calls dead is put aside with its words. Too many dead codes stop
/// the looks until you go on with --resume.
#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// The campaign's name
    campaign: String,
    /// Go on looking after too many codes were dead
    #[arg(long)]
    resume: bool,
}

pub(super) async fn verify(args: &VerifyArgs, console: &mut Console<'_>) -> anyhow::Result<()> {
    let house = args.place.open(console).await?;
    let engine = house.desk().await?;
    let record = engine.campaign(&args.campaign).await?;
    let catalog = engine.catalog();
    let campaign = catalog.campaigns.get(&record.id);
    let peers = campaign.and_then(|campaign| match &campaign.authority {
        Authority::Here => None,
        Authority::Peer(terms) => Some((campaign, terms)),
    });
    let Some((campaign, terms)) = peers else {
        return Err(Refused::because(
            format!("the codes of {} are honoured here", record.doc.name),
            "Only a campaign with [campaign.redemption] peer = \"…\" has another system to ask.",
        ));
    };
    if args.resume {
        engine.resume_verifying(campaign).await?;
        console.note("Its codes are looked at again.");
    }
    for pool in &campaign.pools {
        let stock = engine.verified_stock((campaign.id, pool.pool_no), terms).await?;
        let state = if stock.is_paused { "waits for --resume" } else { "goes on" };
        let line = format!(
            "{}: {} of {} codes are ready, {} promised, {} dead, {} undecided; looking {state}",
            campaign.name, stock.fresh, pool.size, stock.promised, stock.dead, stock.undecided
        );
        console.say(&line)?;
        for (why, codes) in &stock.evidence {
            console.say(&format!("    {codes} put aside: {why}"))?;
        }
    }
    Ok(())
}
