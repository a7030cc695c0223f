//! `codewell keys`.

use super::console::Console;
use super::failure::Refused;
use super::place::PlaceArgs;
use clap::{Args, Subcommand};

/// Make, list and revoke the keys of tills and of the admin API
#[derive(Debug, Args)]
pub(super) struct KeysArgs {
    #[command(flatten)]
    place: PlaceArgs,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a key and print it, this once
    #[command(subcommand)]
    Create(Create),
    /// List every key with its id, never the key itself
    List,
    /// Take a key back: from now on it opens nothing
    Revoke {
        /// The key's id, as `keys list` shows it
        id: String,
    },
}

#[derive(Debug, Subcommand)]
enum Create {
    /// A key for a till or a shop's system: it validates, redeems and rolls back
    Till {
        /// Whose key it is, in words
        #[arg(long)]
        name: String,
    },
    /// A key for the admin API: whoever has it runs the house
    Admin {
        /// Whose key it is, in words
        #[arg(long)]
        name: String,
    },
}

pub(super) async fn keys(args: &KeysArgs, console: &mut Console<'_>) -> anyhow::Result<()> {
    let house = args.place.open(console).await?;
    let engine = house.desk().await?;
    match &args.what {
        What::Create(create) => {
            let key = match create {
                Create::Till { name } => engine.create_till_key(name).await?,
                Create::Admin { name } => engine.create_admin_key(name).await?,
            };
            console.say(key.expose())?;
            console.note("Keep it: it is shown this once. Send it as Authorization: Bearer.");
        }
        What::List => {
            for key in engine.access_keys().await? {
                let day = |at: chrono::DateTime<chrono::Utc>| at.format("%Y-%m-%d").to_string();
                let state = match key.revoked_at {
                    None => format!("made {}", day(key.created_at)),
                    Some(at) => format!("revoked {}", day(at)),
                };
                console.say(&format!("{}  {}  {state}  {}", key.id, key.kind, key.name))?;
            }
        }
        What::Revoke { id } => {
            if !engine.revoke_access_key(id).await? {
                return Err(Refused::because(
                    format!("there is no key {id} that still opens anything"),
                    "`codewell keys list` shows every key with its id.",
                ));
            }
            console.say(&format!("{id} opens nothing any more."))?;
        }
    }
    Ok(())
}
