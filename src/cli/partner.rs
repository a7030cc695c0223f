//! `codewell partner`.

mod credentials;
mod said;

use super::console::Console;
use super::failure::Refused;
use super::place::PlaceArgs;
use crate::domain::partner::{AcrossCaps, ClientId, Edit, Grant, PartnerDoc, PartnerScope, PartnerStatus, Rate};
use crate::engine::{Engine, PartnerRecord};
use clap::{Args, Subcommand};
use said::{Said, say, say_all};

/// Partners on one page of a list; all pages are shown.
const PAGE: u16 = 500;

/// Make, grant, suspend and list partners, and their keys and secrets
#[derive(Debug, Args)]
pub(super) struct PartnerArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// Print the answer as one JSON object
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a partner; give it a secret or a key next
    Create(CreateArgs),
    /// List every partner
    List,
    /// Show one partner
    Show {
        /// Its client id
        client_id: String,
    },
    /// Let a partner give codes of a campaign, or set other caps on it
    Grant(GrantArgs),
    /// Let it give codes of a campaign no longer
    RevokeGrant {
        /// Its client id
        client_id: String,
        /// The campaign's name
        campaign: String,
    },
    /// Set a partner's caps over all campaigns; those not named are none
    Caps {
        /// Its client id
        client_id: String,
        /// Codes for ever
        #[arg(long)]
        total: Option<i64>,
        /// Codes in a day (UTC)
        #[arg(long)]
        day: Option<i64>,
    },
    /// Set what a partner may ask for
    Scopes {
        /// Its client id
        client_id: String,
        /// codes:issue, codes:bulk, codes:read, events:read, reports:read, webhooks:manage
        #[arg(required = true)]
        scopes: Vec<String>,
    },
    /// Set how fast a partner may call; without numbers, as fast as any
    Rate {
        /// Its client id
        client_id: String,
        /// Calls in a second
        #[arg(long, requires = "burst")]
        per_second: Option<u32>,
        /// Calls at once
        #[arg(long, requires = "per_second")]
        burst: Option<u32>,
    },
    /// Stop a partner: once this returns, nothing is issued to it any more, in any process
    Suspend {
        /// Its client id
        client_id: String,
    },
    /// Let a suspended partner call again
    Resume {
        /// Its client id
        client_id: String,
    },
    /// Public keys, by which a partner signs its assertions
    #[command(subcommand)]
    Key(credentials::KeyWhat),
    /// Client secrets, for partners that sign nothing
    #[command(subcommand)]
    Secret(credentials::SecretWhat),
    /// Bring in a new key for signing access tokens: in an hour, without one failed call
    RotateSigningKey {
        /// At once: every token given so far is worth nothing
        #[arg(long)]
        now: bool,
    },
}

#[derive(Debug, Args)]
struct CreateArgs {
    /// Its name at the token endpoint, as in acme-deals; test-… for a sandbox
    client_id: String,
    /// Its name, for people
    #[arg(long)]
    name: String,
    /// What it may ask for [default: codes:issue codes:read events:read reports:read]
    #[arg(long = "scope")]
    scopes: Vec<String>,
    /// Whom it is told to ask when it is suspended
    #[arg(long)]
    contact: Option<String>,
    /// A campaign it may give codes of, without caps of its own there; `partner grant` sets them
    #[arg(long = "grant", value_name = "CAMPAIGN")]
    grants: Vec<String>,
}

#[derive(Debug, Args)]
struct GrantArgs {
    /// Its client id
    client_id: String,
    /// The campaign's name
    campaign: String,
    /// Codes for ever
    #[arg(long)]
    total: Option<i64>,
    /// Codes in a day of the campaign's zone
    #[arg(long)]
    day: Option<i64>,
    /// Codes in a week
    #[arg(long)]
    week: Option<i64>,
    /// Codes in a month
    #[arg(long)]
    month: Option<i64>,
}

pub(super) async fn partner(args: &PartnerArgs, console: &mut Console<'_>) -> anyhow::Result<()> {
    let house = args.place.open(console).await?;
    let engine = house.desk().await?;
    let said = Said::of(args.json);
    let changed = match &args.what {
        What::Create(create) => make(&engine, create).await?,
        What::List => return say_all(&engine, &all(&engine).await?, said, console),
        What::Show { client_id } => engine.partner(&client(client_id)?).await?,
        What::Key(what) => return credentials::key(&engine, what, said, console).await,
        What::Secret(what) => return credentials::secret(&engine, what, said, console).await,
        What::RotateSigningKey { now } => return credentials::rotate(&engine, *now, said, console).await,
        change @ (What::Grant(_)
        | What::RevokeGrant { .. }
        | What::Caps { .. }
        | What::Scopes { .. }
        | What::Rate { .. }
        | What::Suspend { .. }
        | What::Resume { .. }) => {
            let (id, edit) = edit(&engine, change).await?;
            engine.change_partner(&client(id)?, &[edit]).await?
        }
    };
    say(&engine, &changed, said, console)
}

/// The one change that a command asks for, and of whom.
async fn edit<'a>(engine: &Engine, what: &'a What) -> anyhow::Result<(&'a str, Edit)> {
    Ok(match what {
        What::Grant(GrantArgs { client_id, campaign, total, day, week, month }) => {
            let campaign = engine.campaign(campaign).await?.id;
            let grant = Grant { campaign, total: *total, day: *day, week: *week, month: *month };
            (client_id, Edit::Grant(grant))
        }
        What::RevokeGrant { client_id, campaign } => (client_id, Edit::Revoke(engine.campaign(campaign).await?.id)),
        What::Caps { client_id, total, day } => (client_id, Edit::Caps(AcrossCaps { total: *total, day: *day })),
        What::Scopes { client_id, scopes: words } => (client_id, Edit::Scopes(scopes(words)?)),
        What::Rate { client_id, per_second, burst } => {
            let rate = per_second.zip(*burst).map(|(per_second, burst)| Rate { per_second, burst });
            (client_id, Edit::Rate(rate))
        }
        What::Suspend { client_id } => (client_id, Edit::Status(PartnerStatus::Suspended)),
        What::Resume { client_id } => (client_id, Edit::Status(PartnerStatus::Active)),
        What::Create(_)
        | What::List
        | What::Show { .. }
        | What::Key(_)
        | What::Secret(_)
        | What::RotateSigningKey { .. } => {
            return Err(Refused::because("this changes nothing of a partner", "`codewell partner --help` says more."));
        }
    })
}

async fn make(engine: &Engine, args: &CreateArgs) -> anyhow::Result<PartnerRecord> {
    let mut grants = Vec::with_capacity(args.grants.len());
    for name in &args.grants {
        grants.push(Grant::free(engine.campaign(name).await?.id));
    }
    let scopes = if args.scopes.is_empty() { PartnerScope::STANDARD.to_vec() } else { scopes(&args.scopes)? };
    let doc =
        PartnerDoc { name: args.name.clone(), scopes, contact: args.contact.clone(), grants, ..PartnerDoc::default() };
    Ok(engine.create_partner(client(&args.client_id)?, doc).await?)
}

async fn all(engine: &Engine) -> anyhow::Result<Vec<PartnerRecord>> {
    let mut all: Vec<PartnerRecord> = Vec::new();
    loop {
        let after = all.last().map(|partner| partner.client.to_string()).unwrap_or_default();
        let page = engine.partners(&after, PAGE).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

/// A client id on the command line.
fn client(text: &str) -> anyhow::Result<ClientId> {
    ClientId::parse(text).map_err(|error| {
        Refused::because(error.to_string(), "`codewell partner list` shows every partner with its client id.")
    })
}

fn scopes(words: &[String]) -> anyhow::Result<Vec<PartnerScope>> {
    let scope = |word: &String| {
        PartnerScope::parse(word).ok_or_else(|| {
            let known = PartnerScope::ALL.map(PartnerScope::word).join(", ");
            Refused::because(format!("there is no scope {word}"), format!("The scopes are {known}."))
        })
    };
    words.iter().map(scope).collect()
}
