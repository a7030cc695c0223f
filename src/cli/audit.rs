//! `codewell audit` and `codewell explain`.

use super::Ending;
use super::console::Console;
use super::place::PlaceArgs;
use clap::Args;

/// Check every rule of value against the ledger
///
/// Works out from the ledger alone what every counter, cap, stock and report must be. It only reads. Ends with exit
/// code 3 when anything does not fit.
#[derive(Debug, Args)]
pub(super) struct AuditArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// Print the report as one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) async fn audit(args: &AuditArgs, console: &mut Console<'_>) -> anyhow::Result<Ending> {
    let house = args.place.open(console).await?;
    let bar = console.progress(None);
    let mut progress = |what: &str| bar.set_message(what.to_owned());
    let report = crate::store::audit::audit(house.store.read(), &mut progress).await?;
    bar.finish_and_clear();
    if args.json {
        console.say(&serde_json::to_string(&report)?)?;
    } else {
        for check in &report.checks {
            let name = check.name.replace('_', " ");
            if check.breaches.is_empty() {
                console.say(&format!("ok      {name} ({} rows)", check.rows))?;
            }
            for breach in &check.breaches {
                console.say(&format!("BREACH  {name}: {}", breach.what))?;
            }
            if check.more {
                console.say(&format!("BREACH  {name}: and more of the same"))?;
            }
        }
    }
    if report.is_clean() {
        console.note("Every rule holds.");
        return Ok(Ending::Done);
    }
    let broken = report
        .checks
        .iter()
        .filter(|check| !check.breaches.is_empty());
    console.note(&format!("{} rules do not hold.", broken.count()));
    Ok(Ending::Breached)
}
