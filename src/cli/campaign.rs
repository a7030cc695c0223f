//! `codewell campaign`.

use super::console::{Console, Yes};
use super::place::PlaceArgs;
use crate::domain::campaign::Status;
use crate::domain::catalog::CampaignRecord;
use crate::engine::{Changed, Engine};
use crate::store::counts::CodeCount;
use clap::{Args, Subcommand};

/// List and show campaigns; pause, resume and end them
#[derive(Debug, Args)]
pub(super) struct CampaignArgs {
    #[command(flatten)]
    place: PlaceArgs,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List every campaign with its status and its codes
    List,
    /// Show a campaign's file as it was applied last
    Show {
        /// The campaign's name
        name: String,
    },
    /// Stop issuing for now; codes already out stay good
    Pause {
        /// The campaign's name
        name: String,
    },
    /// Issue again
    Resume {
        /// The campaign's name
        name: String,
    },
    /// Stop issuing for ever and retire the codes that nobody has; codes already out stay good
    End {
        /// The campaign's name
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

pub(super) async fn campaign(args: &CampaignArgs, console: &mut Console<'_>) -> anyhow::Result<()> {
    let house = args.place.open(console).await?;
    let engine = house.desk().await?;
    match &args.what {
        What::List => list(&engine, console).await,
        What::Show { name } => show(&engine, name, console).await,
        What::Pause { name } => {
            let words = ["is paused: no code is issued from now on", "was paused already"];
            set(&engine, name, Status::Paused, words, console).await
        }
        What::Resume { name } => {
            let words = ["issues again", "was issuing already"];
            set(&engine, name, Status::Live, words, console).await
        }
        What::End { name, yes } => end(&engine, name, (*yes).into(), console).await,
    }
}

fn status_word(record: &CampaignRecord) -> &'static str {
    record.status.map_or("draft", Status::word)
}

async fn list(engine: &Engine, console: &mut Console<'_>) -> anyhow::Result<()> {
    let catalog = engine.fresh_catalog().await?;
    let counts = engine.code_counts().await?;
    let records = &catalog.rows.campaigns;
    if records.is_empty() {
        console.note("There is no campaign yet. Write one as TOML and run `codewell apply FILE`.");
        return Ok(());
    }
    let longest = records.iter().map(|record| record.doc.name.len()).max();
    let width = longest.unwrap_or_default();
    for record in records {
        let name = &record.doc.name;
        let status = status_word(record);
        let CodeCount { issued, in_stock, .. } = counts.get(&record.id).copied().unwrap_or_default();
        let (issued, in_stock) = (grouped(issued), grouped(in_stock));
        let offer = record.doc.offer.words();
        console.say(&format!("{name:width$}  {status:6}  {issued:>9} issued  {in_stock:>13} left  {offer}"))?;
    }
    Ok(())
}

async fn show(engine: &Engine, name: &str, console: &mut Console<'_>) -> anyhow::Result<()> {
    let record = engine.campaign(name).await?;
    let counts = engine.code_counts().await?;
    let CodeCount { issued, in_stock, .. } = counts.get(&record.id).copied().unwrap_or_default();
    console.say(&format!(
        "# {}, version {}: {} codes issued, {} left",
        status_word(&record),
        record.version,
        grouped(issued),
        grouped(in_stock)
    ))?;
    let mut document = serde_json::to_value(&record.doc)?;
    drop_nulls(&mut document);
    let campaigns = std::collections::BTreeMap::from([("campaign", [document])]);
    console.say(toml::to_string_pretty(&campaigns)?.trim_end())
}

/// TOML has no null: a key that is not set is not there.
fn drop_nulls(value: &mut serde_json::Value) {
    if let serde_json::Value::Object(members) = value {
        members.retain(|_, member| !member.is_null());
        members.values_mut().for_each(drop_nulls);
    }
}

async fn set(
    engine: &Engine,
    name: &str,
    to: Status,
    [done, already]: [&str; 2],
    console: &mut Console<'_>,
) -> anyhow::Result<()> {
    let name = engine.campaign(name).await?.doc.name;
    match engine.set_status(&name, to).await? {
        Changed::Done { .. } => console.say(&format!("{name} {done}.")),
        Changed::Already => console.say(&format!("{name} {already}.")),
    }
}

async fn end(engine: &Engine, name: &str, yes: Yes, console: &mut Console<'_>) -> anyhow::Result<()> {
    let record = engine.campaign(name).await?;
    let name = &record.doc.name;
    if record.status == Some(Status::Ended) {
        return console.say(&format!("{name} had ended already."));
    }
    let counts = engine.code_counts().await?;
    let CodeCount { issued, in_stock, .. } = counts.get(&record.id).copied().unwrap_or_default();
    console.note(&format!(
        "Ending {name} is for ever: {} issued codes stay valid, {} are retired.",
        grouped(issued),
        grouped(in_stock)
    ));
    if !console.confirm(&format!("End {name}?"), yes)? {
        return console.say(&format!("{name} goes on."));
    }
    match engine.set_status(name, Status::Ended).await? {
        Changed::Done { retired } => {
            console.say(&format!("{name} has ended: {} unissued codes are retired.", grouped(retired)))
        }
        Changed::Already => console.say(&format!("{name} had ended already.")),
    }
}

/// `49 188`: digits in threes.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let lead = digits.len() % 3;
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && at % 3 == lead {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}
