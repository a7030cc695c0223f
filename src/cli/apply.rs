//! `codewell apply`.

use super::console::{Console, Yes};
use super::failure::Refused;
use super::place::PlaceArgs;
use crate::domain::document::Document;
use crate::engine::plan::Plan;
use crate::engine::{Applied, Engine, Progress};
use clap::Args;
use indicatif::ProgressBar;
use std::path::{Path, PathBuf};

/// Create or change senders, campaigns and caps from TOML files
///
/// Prints what would change, asks, then changes all of it at once. A running server sees it on the next text. Applying
/// the same files again changes nothing. What would break codes already out is refused.
#[derive(Debug, Args)]
pub(super) struct ApplyArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// TOML files; a campaign may name a sender of an earlier file
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

pub(super) async fn apply(args: &ApplyArgs, console: &mut Console<'_>) -> anyhow::Result<()> {
    // The files come first: a mistyped one must not make a house.
    let documents = read(&args.files)?;
    let house = args.place.open_or_make(console).await?;
    let engine = house.desk().await?;
    apply_documents(&engine, &documents, args.yes.into(), console).await
}

/// Shows the plan, asks, applies.
pub(super) async fn apply_documents(
    engine: &Engine,
    documents: &Document,
    yes: Yes,
    console: &mut Console<'_>,
) -> anyhow::Result<()> {
    let plan = engine.plan(documents).await?;
    console.say(plan.to_string().trim_end())?;
    check(&plan)?;
    if plan.is_empty() {
        return Ok(());
    }
    if !console.confirm("Apply this?", yes)? {
        return console.say("Nothing was changed.");
    }
    let applied = carry_out(engine, documents, console).await?;
    for (campaign, report) in &applied.imports {
        console.say(&format!("{campaign}: {report}"))?;
    }
    console.say("Applied: it holds from the next text on.")
}

/// Applies documents, with a bar while codes are written.
pub(super) async fn carry_out(engine: &Engine, documents: &Document, console: &Console<'_>) -> anyhow::Result<Applied> {
    let bar = console.progress(None);
    let applied = engine.apply(documents, &|progress| show(&bar, progress)).await;
    bar.finish_and_clear();
    Ok(applied?)
}

/// Shows on a bar how far the writing of codes has come.
pub(super) fn show(bar: &ProgressBar, progress: Progress<'_>) {
    let Progress { campaign, done, total } = progress;
    let of = total.map_or_else(String::new, |total| format!(" of {total}"));
    bar.set_message(format!("{campaign}: {done}{of} codes"));
}

fn check(plan: &Plan) -> anyhow::Result<()> {
    if plan.is_refused() {
        return Err(Refused::because(
            "the plan is refused, and nothing was changed",
            "Correct the lines that begin with ! and apply again.",
        ));
    }
    Ok(())
}

/// The documents of files, in their order.
pub(super) fn read(files: &[impl AsRef<Path>]) -> anyhow::Result<Document> {
    let mut documents = Document::default();
    for file in files {
        let path = file.as_ref();
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| {
            Refused::because(format!("{name} cannot be read: {error}"), "Check the name of the file.")
        })?;
        let document = Document::parse(&name, &text).map_err(|error| {
            Refused::because(error.to_string(), "Correct the line and apply again; nothing was changed.")
        })?;
        documents.append(document);
    }
    Ok(documents)
}
