//! `codewell void`, `import`, `generate`.

use super::console::Console;
use super::failure::Refused;
use super::place::PlaceArgs;
use crate::domain::decision::outcome::Outcome;
use crate::domain::ids::RequestId;
use crate::domain::till::TillRefusal;
use clap::Args;

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
    let request = RequestId {
        door: "house".to_owned(),
        key: uuid::Uuid::now_v7().to_string(),
    };
    let settled = engine.void(request.clone(), &args.code, &args.reason).await?;
    match settled.map(|settled| settled.outcome) {
        Some(Outcome::Voided(_)) => {
            console.say(&format!("{} is void. Evidence: {request}", args.code))
        }
        Some(Outcome::Declined(_, TillRefusal::AlreadyRedeemed)) => Err(Refused::new(
            format!("{} was used, so it cannot be taken back", args.code),
            "Roll the redemption back at the till first.",
        )),
        Some(_) | None => Err(Refused::new(
            format!("{} is not a code that is out", args.code),
            "It may be mistyped, never issued, or void already; `codewell explain CODE` says what is known.",
        )),
    }
}
