//! `codewell doctor`: looks at everything that a house needs, and says what to do about what is wrong.

mod database;
mod house;
mod outside;
mod shop;

use super::Ending;
use super::console::Console;
use super::place::PlaceArgs;
use crate::app::peers;
use crate::config::Config;
use crate::sms::{Finding, Grade};
use clap::Args;
use serde_json::json;

/// Check configuration, keys, database, carriers and redemption systems, and say what to do
///
/// It changes nothing and sends no text. Ends with exit code 3 when something is wrong (✗); what may surprise (!) is no
/// failure. Sensible before anything exists.
#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// Of the senders look at this one only, and of redemption systems at none
    #[arg(long, value_name = "ADDRESS")]
    sender: Option<String>,
    /// Of the redemption systems look at this one only, and of senders at none
    #[arg(long, value_name = "NAME", conflicts_with = "sender")]
    peer: Option<String>,
    /// Print everything as one JSON object
    #[arg(long)]
    json: bool,
}

/// What was found so far.
#[derive(Debug, Default)]
struct Report {
    found: Vec<(String, Finding)>,
}

impl Report {
    fn add(&mut self, area: &str, finding: Finding) {
        self.found.push((area.to_owned(), finding));
    }

    fn ok(&mut self, area: &str, what: impl Into<String>) {
        self.add(area, Finding::ok(what));
    }

    fn warn(&mut self, area: &str, what: impl Into<String>, next: impl Into<String>) {
        self.add(area, Finding::warn(what, next));
    }

    fn fail(&mut self, area: &str, what: impl Into<String>, next: impl Into<String>) {
        self.add(area, Finding::fail(what, next));
    }

    /// A failure of a command, with its whole chain and what to do next.
    fn failed(&mut self, area: &str, error: &anyhow::Error) {
        let next = super::failure::next_step(error);
        let next = next.unwrap_or_else(|| "Look at the cause it names.".to_owned());
        self.fail(area, super::failure::chain(error), next);
    }

    fn count(&self, grade: Grade) -> usize {
        self.found.iter().filter(|(_, finding)| finding.grade == grade).count()
    }

    fn ending(&self) -> Ending {
        if self.count(Grade::Fail) > 0 { Ending::Unwell } else { Ending::Done }
    }
}

pub(super) async fn doctor(args: &DoctorArgs, console: &mut Console<'_>) -> anyhow::Result<Ending> {
    let mut report = Report::default();
    match args.place.config(console) {
        Ok(config) => Box::pin(examine(args, config, &mut report)).await,
        Err(error) => report.failed("configuration", &error),
    }
    if args.json {
        print_json(&report, console)?;
    } else {
        print(&report, console)?;
    }
    Ok(report.ending())
}

/// Goes from the ground up and stops where the next thing has nothing to stand on.
async fn examine(args: &DoctorArgs, config: Config, report: &mut Report) {
    house::configuration(&config, report);
    let Some(house) = house::open(config, report).await else { return };
    house::spool(&house.config, report);
    shop::alerts(&house, report).await;
    let engine = match house.desk().await {
        Ok(engine) => engine,
        Err(error) => return report.failed("campaigns", &error.into()),
    };
    if args.sender.is_none() && args.peer.is_none() {
        shop::campaigns(&engine, report).await;
    }
    if args.peer.is_none() {
        outside::senders(&house, &engine, args.sender.as_deref(), report).await;
    }
    if args.sender.is_none() {
        match peers::open(&house.config) {
            Ok(peers) => outside::peers(&peers, &engine, args.peer.as_deref(), report).await,
            Err(error) => report.failed("redemption", &error.into()),
        }
    }
}

fn print(report: &Report, console: &mut Console<'_>) -> anyhow::Result<()> {
    for (area, finding) in &report.found {
        console.say(&format!("{} {area}: {}", sign(finding.grade), finding.what))?;
        if let Some(next) = &finding.do_next {
            console.say(&format!("    {next}"))?;
        }
    }
    console.note(&match (report.count(Grade::Fail), report.count(Grade::Warn)) {
        (0, 0) => "All is well.".to_owned(),
        (0, warnings) => format!("Nothing is wrong; {warnings} to know."),
        (failures, 0) => format!("{failures} wrong."),
        (failures, warnings) => format!("{failures} wrong, {warnings} to know."),
    });
    Ok(())
}

fn print_json(report: &Report, console: &mut Console<'_>) -> anyhow::Result<()> {
    let one = |(area, finding): &(String, Finding)| {
        let grade = match finding.grade {
            Grade::Ok => "ok",
            Grade::Warn => "warn",
            Grade::Fail => "fail",
        };
        json!({"area": area, "grade": grade, "what": finding.what, "next": finding.do_next})
    };
    let found: Vec<_> = report.found.iter().map(one).collect();
    console.say(&json!({"ok": report.ending() == Ending::Done, "findings": found}).to_string())
}

fn sign(grade: Grade) -> char {
    match grade {
        Grade::Ok => '✓',
        Grade::Warn => '!',
        Grade::Fail => '✗',
    }
}
