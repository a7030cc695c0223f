//! `codewell words`.

use super::apply::apply_documents;
use super::campaign::grouped;
use super::console::{Console, Yes};
use super::failure::Refused;
use super::place::PlaceArgs;
use crate::engine::{AliasError, Engine, Suggested};
use clap::{Args, Subcommand};

/// Spellings of one group that are shown.
const SPELLINGS: usize = 6;

/// Show the words that people text and that lead nowhere, and make one of them an alias
///
/// Near spellings stand together, the most frequent group first, with the command that makes it an alias. Sentences and
/// what could be a phone number are counted, but not kept.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct WordsArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// Only this number
    #[arg(long, value_name = "ADDRESS")]
    sender: Option<String>,
    /// Print the words as one JSON object
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Let a word lead where a keyword leads, from the next text on
    Alias {
        /// The word, as people text it; an emoji will do
        word: String,
        /// A keyword of the campaign
        keyword: String,
        /// The number, where several have that keyword
        #[arg(long, value_name = "ADDRESS")]
        sender: Option<String>,
    },
}

pub(super) async fn words(args: &WordsArgs, console: &mut Console<'_>) -> anyhow::Result<()> {
    let house = args.place.open(console).await?;
    let engine = house.desk().await?;
    match &args.what {
        Some(What::Alias { word, keyword, sender }) => alias(&engine, word, keyword, sender.as_deref(), console).await,
        None if args.json => as_json(&engine, args.sender.as_deref(), console).await,
        None => list(&engine, args, console).await,
    }
}

async fn list(engine: &Engine, args: &WordsArgs, console: &mut Console<'_>) -> anyhow::Result<()> {
    let all = engine.unknown_words(args.sender.as_deref()).await?;
    if all.iter().all(|words| words.clusters.is_empty() && words.others == 0) {
        console.note("Every text so far led somewhere.");
        return Ok(());
    }
    for words in all {
        console.say(&format!("{}:", words.address))?;
        for group in &words.clusters {
            console.say(&line(group, &args.place.again(), &words.address))?;
        }
        if words.others > 0 {
            console.say(&format!("  {:>6}  sentences, numbers and rare words, not kept", grouped(words.others)))?;
        }
    }
    Ok(())
}

fn line(group: &Suggested, place: &str, address: &str) -> String {
    let spellings: Vec<_> = group.cluster.words.iter().take(SPELLINGS).map(|(word, _)| word.as_str()).collect();
    let more = if group.cluster.words.len() > SPELLINGS { ", …" } else { "" };
    let spellings = format!("{}{more}", spellings.join(", "));
    let (n, day) = (grouped(group.cluster.count()), group.last_at.format("%-d %b %Y"));
    let name = group.cluster.name();
    let word = if name.contains(' ') { format!("\"{name}\"") } else { name.to_owned() };
    let keyword = group.keyword.as_deref().unwrap_or("KEYWORD");
    format!(
        "  {n:>6}  {spellings}  (last {day})\n          codewell words alias {word} {keyword} --sender {address}{place}"
    )
}

async fn as_json(engine: &Engine, sender: Option<&str>, console: &mut Console<'_>) -> anyhow::Result<()> {
    let all = engine.unknown_words(sender).await?;
    let group = |group: &Suggested| {
        let words = group.cluster.words.iter().map(|(word, n)| serde_json::json!({"word": word, "count": n}));
        serde_json::json!({
            "count": group.cluster.count(),
            "words": words.collect::<Vec<_>>(),
            "last_at": group.last_at,
            "keyword": group.keyword,
        })
    };
    let senders = all.iter().map(|words| {
        let groups: Vec<_> = words.clusters.iter().map(group).collect();
        serde_json::json!({"sender": words.address, "groups": groups, "others": words.others})
    });
    console.say(&serde_json::json!({"senders": senders.collect::<Vec<_>>()}).to_string())
}

async fn alias(
    engine: &Engine,
    word: &str,
    keyword: &str,
    sender: Option<&str>,
    console: &mut Console<'_>,
) -> anyhow::Result<()> {
    let documents = match engine.aliased(word, keyword, sender).await {
        Ok(documents) => documents,
        Err(AliasError::Taken { word, campaign }) => {
            return console.say(&format!("{word} leads to campaign {campaign} already."));
        }
        Err(error @ AliasError::NoKeyword { many: true, .. }) => {
            return Err(Refused::because(error.to_string(), "Say which number with --sender."));
        }
        Err(error @ AliasError::NoKeyword { .. }) => {
            return Err(Refused::because(error.to_string(), "`codewell campaign show NAME` shows a campaign's words."));
        }
        Err(error @ (AliasError::NoWord { .. } | AliasError::NoSender(_))) => {
            return Err(Refused::because(error.to_string(), "`codewell words` shows what people text, by number."));
        }
        Err(error @ AliasError::Store(_)) => return Err(error.into()),
    };
    // Asked for word by word: there is nothing left to confirm.
    apply_documents(engine, &documents, Yes::Given, console).await?;
    let name = documents.campaigns.first().map_or("its", |located| located.value.name.as_str());
    console.note(&format!("Write it into the file of {name} too: keywords.aliases."));
    Ok(())
}
