//! `codewell alerts`.

use super::console::Console;
use super::failure::Refused;
use super::place::PlaceArgs;
use crate::domain::alert::AlertKind;
use crate::engine::{AlertRecord, Which};
use clap::{Args, Subcommand};

/// Say what somebody must look at, and what to do about it
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct AlertsArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// Those that are over, too
    #[arg(long)]
    all: bool,
    /// At most so many, newest first
    #[arg(long, default_value_t = 100)]
    limit: u32,
    /// Print them as JSON, one object a line
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Say that what an alert tells was looked into; seen again, it stands again
    Clear {
        #[command(flatten)]
        place: PlaceArgs,
        /// What is wrong, as the list begins, such as `leak_suspected`
        kind: String,
        /// With what, as the list goes on: "campaign PIZZA". Without it, every alert of that kind
        about: Option<String>,
    },
}

pub(super) async fn alerts(args: &AlertsArgs, console: &mut Console<'_>) -> anyhow::Result<()> {
    if let Some(What::Clear { place, kind, about }) = &args.what {
        return clear(place, kind, about.as_deref(), console).await;
    }
    let house = args.place.open(console).await?;
    let which = if args.all { Which::All } else { Which::Open };
    let alerts = house.store.alerts(which, args.limit).await?;
    for alert in &alerts {
        if args.json {
            console.say(&serde_json::to_string(alert)?)?;
        } else {
            show(alert, console)?;
        }
    }
    if alerts.is_empty() {
        console.note("Nothing needs anybody.");
    }
    Ok(())
}

async fn clear(place: &PlaceArgs, kind: &str, about: Option<&str>, console: &mut Console<'_>) -> anyhow::Result<()> {
    let Some(kind) = AlertKind::parse(kind) else {
        return Err(Refused::because(format!("there is no alert {kind}"), "`codewell alerts` names what stands."));
    };
    let house = place.open(console).await?;
    let engine = house.desk().await?;
    let cleared = match about {
        Some(about) => usize::from(engine.clear_standing(kind, about).await?),
        None => engine.clear_kind(kind).await?,
    };
    match cleared {
        0 => Err(Refused::because("no such alert stands", "`codewell alerts` names what stands.")),
        1 => console.say("One alert is cleared."),
        n => console.say(&format!("{n} alerts are cleared.")),
    }
}

fn show(alert: &AlertRecord, console: &mut Console<'_>) -> anyhow::Result<()> {
    let AlertRecord { kind, about, detail, times, raised_at, cleared_at, .. } = alert;
    let since = raised_at.format("%Y-%m-%d %H:%M:%S UTC");
    let stands = match cleared_at {
        Some(at) => format!("over since {}", at.format("%Y-%m-%d %H:%M:%S UTC")),
        None => "stands".to_owned(),
    };
    let often = if *times > 1 { format!(", {times} times") } else { String::new() };
    console.say(&format!("{kind}  {about}: {detail}"))?;
    console.say(&format!("    since {since}{often}; {stands}"))?;
    match AlertKind::parse(kind).filter(|_| cleared_at.is_none()) {
        Some(kind) => console.say(&format!("    {}", kind.next_step())),
        None => Ok(()),
    }
}
