//! `codewell audit` and `codewell explain`.

use super::Ending;
use super::console::Console;
use super::failure::Refused;
use super::place::PlaceArgs;
use crate::domain::ids::RequestId;
use crate::engine::{AuthFailure, Engine};
use crate::store::explain::{self, Explained};
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
    let broken = report.checks.iter().filter(|check| !check.breaches.is_empty());
    console.note(&format!("{} rules do not hold.", broken.count()));
    Ok(Ending::Breached)
}

/// Say why somebody got a code, or none: door, rule, limit, counter, reset
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// A decision (dec_…), an issuance (iss_…), a code, a coupon link, or the X-Request-Id of a refused call
    id: String,
    /// Print it as one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) async fn explain(args: &ExplainArgs, console: &mut Console<'_>) -> anyhow::Result<()> {
    let house = args.place.open(console).await?;
    let engine = house.desk().await?;
    let unknown = || {
        Refused::because(
            format!("nothing is known of {}", args.id),
            "Give an id as the simulator shows it (dec_…), an issuance (iss_…), a code that is out, its link, or the \
             X-Request-Id of a call that was refused with 401 in the last seven days.",
        )
    };
    if let Some(failure) = engine.refused_call(&args.id).await? {
        return refused_call(&failure, args.json, console);
    }
    let what = find(&engine, &args.id).await?.ok_or_else(unknown)?;
    let found = explain::explain(house.store.read(), &what).await?;
    let mut found = found.ok_or_else(unknown)?;
    let catalog = engine.fresh_catalog().await?;
    let mut zone = chrono_tz::UTC;
    if let Some(spot) = found.spot() {
        let code = engine.code_at(spot).await?;
        if let (Some(life), Some(code)) = (&mut found.code, code) {
            // `Display` of a code masks it.
            life.masked = Some(code.to_string());
        }
        let campaign = catalog.campaigns.get(&spot.campaign);
        zone = campaign.map_or(zone, |campaign| campaign.zone);
    }
    if args.json {
        return console.say(&serde_json::to_string(&found)?);
    }
    let lines = found.lines(zone);
    let width = lines.iter().map(|(label, _)| label.len()).max();
    let width = width.unwrap_or_default();
    for (label, value) in lines {
        console.say(&format!("{label:width$}  {value}"))?;
    }
    Ok(())
}

/// Why a call was not let in: the caller was told nothing but that.
fn refused_call(failure: &AuthFailure, json: bool, console: &mut Console<'_>) -> anyhow::Result<()> {
    if json {
        let out = serde_json::json!({
            "request_id": failure.request_id,
            "refused_at": failure.failed_at,
            "client_id": failure.client,
            "reason": failure.reason,
        });
        return console.say(&out.to_string());
    }
    console.say(&format!("Request  {}", failure.request_id))?;
    console.say(&format!("When     {}", failure.failed_at.format("%Y-%m-%d %H:%M:%S UTC")))?;
    console.say(&format!("Client   {}", failure.client.as_deref().unwrap_or("not known")))?;
    console.say(&format!("Refused  {}", failure.reason))
}

/// What an id names, whichever of ours it is.
async fn find(engine: &Engine, id: &str) -> anyhow::Result<Option<Explained>> {
    if let Some(request) = RequestId::parse(id) {
        return Ok(Some(Explained::Request(request)));
    }
    let keys = &engine.parts().keys;
    let token = id.rsplit('/').next().unwrap_or(id);
    let spot = keys.issuance_ids().open(id);
    if let Some(spot) = spot.or_else(|| keys.link_tokens().open(token)) {
        return Ok(Some(Explained::Spot(spot)));
    }
    let found = engine.find_code(id).await?;
    Ok(found.map(|found| Explained::Spot(found.issued.held.spot)))
}
