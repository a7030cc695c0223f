//! `codewell alerts`.

use super::console::Console;
use super::place::PlaceArgs;
use crate::domain::alert::AlertKind;
use crate::engine::{AlertRecord, Which};
use clap::Args;

/// Say what somebody must look at, and what to do about it
#[derive(Debug, Args)]
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
}

pub(super) async fn alerts(args: &AlertsArgs, console: &mut Console<'_>) -> anyhow::Result<()> {
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
