//! `codewell creator`.

use super::apply::apply_documents;
use super::campaign::grouped;
use super::console::{Console, Yes};
use super::failure::Refused;
use super::place::PlaceArgs;
use crate::domain::creator::WhenEmpty;
use crate::domain::document::{CommissionDoc, CreatorDoc, IsoDuration, LocalTime, Major};
use crate::domain::keyword::Keyword;
use crate::engine::{CreatorChange, CreatorError, CreatorIn, CreatorRecord, Engine, JoinIn};
use clap::{Args, Subcommand};
use std::collections::BTreeMap;

/// Make creators, give them a part in campaigns, and let them into their desks
///
/// A creator speaks for a campaign by a keyword and a link of her own; her followers get codes that begin with her name,
/// and the credit is hers.
#[derive(Debug, Args)]
pub(super) struct CreatorArgs {
    #[command(flatten)]
    place: PlaceArgs,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a creator; she has no part in any campaign yet
    Add(AddArgs),
    /// Change her name, her number or what her audience is told; what is left out stays
    Change(ChangeArgs),
    /// List every creator
    List,
    /// Show a creator and her parts in campaigns
    Show {
        /// Her handle
        handle: String,
    },
    /// Give her a part in a campaign, or change hers; what is left out stays
    Join(Box<JoinArgs>),
    /// Print a link that opens her desk once, within ten minutes
    Link {
        /// Her handle
        handle: String,
    },
    /// Stop her word and her link for now; codes already out stay good
    Pause {
        /// Her handle
        handle: String,
    },
    /// Let her word and her link bring codes again
    Resume {
        /// Her handle
        handle: String,
    },
}

#[derive(Debug, Args)]
struct AddArgs {
    /// Her handle: 3 to 20 letters and digits
    handle: String,
    /// Her name for people
    #[arg(long)]
    name: String,
    /// Her own number as +12025550123: DESK from it opens her desk, and codes for it earn nothing
    #[arg(long)]
    phone: Option<String>,
    /// What her audience is told of her interest
    #[arg(long)]
    disclosure: Option<String>,
}

#[derive(Debug, Args)]
struct ChangeArgs {
    /// Her handle
    handle: String,
    /// Her name for people
    #[arg(long)]
    name: Option<String>,
    /// Her own number as +12025550123
    #[arg(long)]
    phone: Option<String>,
    /// Forget her number: DESK opens nothing then
    #[arg(long, conflicts_with = "phone")]
    no_phone: bool,
    /// What her audience is told of her interest; "" for the standard words
    #[arg(long)]
    disclosure: Option<String>,
}

#[derive(Debug, Args)]
struct JoinArgs {
    /// Her handle
    handle: String,
    /// The campaign's name
    #[arg(long)]
    campaign: String,
    /// The most codes that are her merit, for ever
    #[arg(long)]
    cap: Option<u64>,
    /// The most a day
    #[arg(long)]
    day: Option<u64>,
    /// How many codes begin with her name [default: as many as her cap]
    #[arg(long)]
    size: Option<u64>,
    /// When those are gone, sell out instead of giving codes of the house
    #[arg(long)]
    sold_out: bool,
    /// Her word [default: her handle]
    #[arg(long)]
    keyword: Option<String>,
    /// A word for a post of hers, as EMMA7=reel7; may be given several times
    #[arg(long = "post", value_name = "WORD=POST")]
    posts: Vec<String>,
    /// The last part of her link [default: her handle]
    #[arg(long)]
    link: Option<String>,
    /// From when, local time of the campaign
    #[arg(long)]
    start: Option<String>,
    /// Until when, local time of the campaign
    #[arg(long)]
    end: Option<String>,
    /// What a redemption earns her: per cent of the sale
    #[arg(long, conflicts_with = "flat")]
    percent: Option<String>,
    /// What a redemption earns her: minor units
    #[arg(long)]
    flat: Option<u32>,
    /// How long that can be taken back, such as P30D
    #[arg(long)]
    hold: Option<String>,
}

pub(super) async fn creator(args: &CreatorArgs, console: &mut Console<'_>) -> anyhow::Result<()> {
    let house = args.place.open(console).await?;
    let engine = house.desk().await?;
    match &args.what {
        What::Add(add) => made(&engine, add, console).await,
        What::Change(change) => changed(&engine, change, console).await,
        What::List => list(&engine, console).await,
        What::Show { handle } => show(&found(&engine, handle).await?, console),
        What::Join(join) => joined(&engine, join, console).await,
        What::Link { handle } => link(&engine, handle, console).await,
        What::Pause { handle } => {
            let words = ["is paused: her word and her link bring no code from now on", "was paused already"];
            switch(&engine, handle, false, words, console).await
        }
        What::Resume { handle } => {
            let words = ["speaks again", "was speaking already"];
            switch(&engine, handle, true, words, console).await
        }
    }
}

async fn made(engine: &Engine, args: &AddArgs, console: &mut Console<'_>) -> anyhow::Result<()> {
    let AddArgs { handle, name, phone, disclosure } = args;
    let wanted =
        CreatorIn { handle: handle.clone(), name: name.clone(), phone: phone.clone(), disclosure: disclosure.clone() };
    let record = engine.add_creator(&wanted).await.map_err(explained)?;
    let handle = &record.row.handle;
    console.say(&format!("{handle} is a creator."))?;
    console.note(&format!("Give her a part: codewell creator join {handle} --campaign NAME --cap 2000"));
    Ok(())
}

async fn changed(engine: &Engine, args: &ChangeArgs, console: &mut Console<'_>) -> anyhow::Result<()> {
    let ChangeArgs { handle, name, phone, no_phone, disclosure } = args;
    let phone = if *no_phone { Some(None) } else { phone.clone().map(Some) };
    let (name, disclosure) = (name.clone().map(CreatorChange::Name), disclosure.clone().map(CreatorChange::Disclosure));
    let changes: Vec<_> = [name, phone.map(CreatorChange::Phone), disclosure].into_iter().flatten().collect();
    if changes.is_empty() {
        let why = "nothing is named that shall be different".to_owned();
        return Err(Refused::because(why, "Add --name, --phone, --no-phone or --disclosure."));
    }
    let record = engine.change_creator(handle, changes).await.map_err(explained)?;
    show(&record, console)
}

async fn list(engine: &Engine, console: &mut Console<'_>) -> anyhow::Result<()> {
    let creators = engine.creators("", usize::MAX).await.map_err(explained)?;
    if creators.is_empty() {
        console.note("There is no creator yet: codewell creator add HANDLE --name NAME");
        return Ok(());
    }
    let width = creators.iter().map(|record| record.row.handle.len()).max().unwrap_or_default();
    for CreatorRecord { row, parts } in &creators {
        let campaigns: Vec<_> = parts.iter().map(|(name, _)| name.as_str()).collect();
        let campaigns = if campaigns.is_empty() { "no campaign yet".to_owned() } else { campaigns.join(", ") };
        console.say(&format!("{:width$}  {:6}  {}  {campaigns}", row.handle, status(row.is_active), row.name))?;
    }
    Ok(())
}

fn status(is_active: bool) -> &'static str {
    if is_active { "active" } else { "paused" }
}

fn show(record: &CreatorRecord, console: &mut Console<'_>) -> anyhow::Result<()> {
    let CreatorRecord { row, parts } = record;
    let phone =
        if row.subject.is_some() { "DESK from her number opens her desk" } else { "no number of hers is known" };
    console.say(&format!("{} ({}), {}; {phone}", row.name, row.handle, status(row.is_active)))?;
    console.say(&format!("says: {}", row.disclosure))?;
    for (campaign, part) in parts {
        let word = part.word(&row.handle).map(|word| word.to_string()).unwrap_or_default();
        let posts: Vec<_> = part.posts.iter().map(|(word, post)| format!(", {word} for {post}")).collect();
        let earns = earns(part);
        let link = part.slug(&row.handle);
        console.say(&format!(
            "{campaign}: at most {} codes, {word}{}, link /x/{link}{earns}",
            grouped(part.cap),
            posts.concat()
        ))?;
    }
    Ok(())
}

fn earns(part: &CreatorDoc) -> String {
    let Some(CommissionDoc { percent, flat, .. }) = &part.commission else {
        return String::new();
    };
    match (percent, flat) {
        (Some(percent), _) => format!(", earns {percent} %"),
        (None, Some(flat)) => format!(", earns {flat} a redemption, minor units"),
        (None, None) => String::new(),
    }
}

async fn joined(engine: &Engine, args: &JoinArgs, console: &mut Console<'_>) -> anyhow::Result<()> {
    let part = args.part()?;
    let documents = engine.joined(&args.handle, &args.campaign, &part).await.map_err(explained)?;
    // Asked for word by word: there is nothing left to confirm.
    apply_documents(engine, &documents, Yes::Given, console).await?;
    let name = documents.campaigns.first().map_or("its", |located| located.value.name.as_str());
    console.note(&format!("Write it into the file of {name} too: [campaign.creators.{}].", args.handle));
    Ok(())
}

async fn link(engine: &Engine, handle: &str, console: &mut Console<'_>) -> anyhow::Result<()> {
    let (url, expires_at) = engine.new_desk_link(handle).await.map_err(explained)?;
    console.say(&url)?;
    console.note(&format!("It opens her desk once, until {}.", expires_at.format("%H:%M UTC")));
    Ok(())
}

async fn switch(
    engine: &Engine,
    handle: &str,
    is_active: bool,
    [done, before]: [&str; 2],
    console: &mut Console<'_>,
) -> anyhow::Result<()> {
    let changed = engine.switch_creator(handle, is_active).await.map_err(explained)?;
    console.say(&format!("{handle} {}.", if changed { done } else { before }))
}

async fn found(engine: &Engine, handle: &str) -> anyhow::Result<CreatorRecord> {
    engine.creator(handle).await.map_err(explained)
}

impl JoinArgs {
    fn part(&self) -> anyhow::Result<JoinIn> {
        let mut posts = BTreeMap::new();
        for post in &self.posts {
            let (word, name) = post.split_once('=').ok_or_else(|| {
                Refused::because(format!("{post} is no post"), "Write the word and the post as EMMA7=reel7.")
            })?;
            posts.insert(keyword(word)?, name.to_owned());
        }
        Ok(JoinIn {
            cap: self.cap,
            day: self.day,
            size: self.size,
            when_empty: self.sold_out.then_some(WhenEmpty::SoldOut),
            keyword: self.keyword.as_deref().map(keyword).transpose()?,
            posts,
            link: self.link.clone(),
            start: self.start.as_deref().map(local).transpose()?,
            end: self.end.as_deref().map(local).transpose()?,
            commission: self.commission()?,
        })
    }

    fn commission(&self) -> anyhow::Result<Option<CommissionDoc>> {
        if self.percent.is_none() && self.flat.is_none() {
            return Ok(None);
        }
        let wrong = |what: &str, hint: &str| Refused::because(what.to_owned(), hint);
        let percent = self.percent.as_deref().map(|text| toml::Value::String(text.to_owned()).try_into::<Major>());
        let percent = percent.transpose().map_err(|_| wrong("that is no percentage", "Write it as 10 or 7.5."))?;
        let hold = self.hold.as_deref().map(|text| {
            IsoDuration::parse(text).ok_or_else(|| wrong("that is no length of time", "Write it as P30D."))
        });
        Ok(Some(CommissionDoc { percent, flat: self.flat, hold: hold.transpose()? }))
    }
}

fn keyword(text: &str) -> anyhow::Result<Keyword> {
    Keyword::parse(text)
        .map_err(|error| Refused::because(format!("{text}: {error}"), "A keyword is one word people can text."))
}

fn local(text: &str) -> anyhow::Result<LocalTime> {
    LocalTime::parse(text).ok_or_else(|| {
        Refused::because(format!("\"{text}\" is no local date and time"), "Write it as 2026-11-24 or 2026-11-24T09:00.")
    })
}

fn explained(error: CreatorError) -> anyhow::Error {
    let hint = match &error {
        CreatorError::Unknown(_) => "`codewell creator list` shows every creator.",
        CreatorError::Taken { .. } => "Choose another handle.",
        CreatorError::Handle { .. } => "A handle is one word of 3 to 20 letters and digits, such as emma.",
        CreatorError::Name => "Give her a name with --name.",
        CreatorError::Disclosure => "Say it in one short line, such as \"Ad: I earn a commission.\"",
        CreatorError::Phone(_) => "Write it with its country, such as +12025550123.",
        CreatorError::PhoneTaken(_) => "One number belongs to one creator, for good.",
        CreatorError::PhoneUsed => "What is counted stays as it is; give her another number of hers.",
        CreatorError::NoCap => "Add --cap 2000.",
        CreatorError::Campaign(_) | CreatorError::Engine(_) => return error.into(),
    };
    Refused::because(error.to_string(), hint)
}
