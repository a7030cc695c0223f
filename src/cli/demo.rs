//! `codewell demo`.

use super::apply;
use super::console::Console;
use super::failure::Refused;
use super::place::DEMO_DIR;
use crate::app::demo::peer::{DemoPeer, DemoPeerParts};
use crate::app::demo::{PEER, SENDER, ZONE, creators};
use crate::app::demo_dir::DemoDir;
use crate::app::lock::ServerLock;
use crate::app::server::{PortTaken, ServeError, Server, listen, open_for_server, stop_signal};
use crate::app::{OldTables, logging};
use crate::config::{self, Config, LogConfig, LogLevel};
use crate::domain::access_key::BearerKey;
use crate::engine::{Clock as _, Engine, SystemClock};
use crate::net::Url;
use anyhow::Context as _;
use clap::Args;
use serde::Serialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::TcpListener;

/// Try it: a phone in the browser, demo campaigns, an embedded database
///
/// The first run writes its campaigns as TOML files to DIR/campaigns, with dates around today; later runs go on where
/// the last one stopped. Nothing leaves this machine.
#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// Address and port; a taken port gives the next free one, port 0 any
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Where the demo lives
    #[arg(long, value_name = "DIR", default_value = DEMO_DIR)]
    dir: PathBuf,
    /// Forget everything and begin anew
    #[arg(long)]
    fresh: bool,
    /// Print one JSON object instead of words: `base_url`, `simulator_url`, `sender`, `keywords`, `till_key`,
    /// `peer_url`, `partner` (`client_id`, `client_secret`, `token_url`, `private_key_pem`)
    #[arg(long)]
    json: bool,
}

/// Variables that must not reach a demo: they name a production's place or manners.
const NOT_HERE: [&str; 5] = [
    "CODEWELL_ENVIRONMENT",
    "CODEWELL_DATABASE__URL",
    "CODEWELL_SERVER__DATA_DIR",
    "CODEWELL_SERVER__LISTEN",
    "CODEWELL_SIMULATOR__ENABLED",
];

/// What runs where.
#[derive(Debug, Serialize)]
struct Running<'a> {
    base_url: &'a str,
    simulator_url: String,
    sender: &'a str,
    keywords: Vec<String>,
    till_key: &'a str,
    peer_url: &'a str,
    partner: RunningPartner<'a>,
}

/// What its affiliate partner calls with.
#[derive(Debug, Serialize)]
struct RunningPartner<'a> {
    client_id: &'a str,
    client_secret: &'a str,
    token_url: String,
    private_key_pem: &'a str,
}

pub(super) async fn demo(args: DemoArgs, console: &mut Console<'_>) -> anyhow::Result<()> {
    let config = settings(&args.dir)?;
    start_log(config.log);
    let stop = stop_signal()?;
    let dir = DemoDir::take(&args.dir)?;
    if args.fresh {
        dir.start_over(&config.database.url)?;
    }
    // Held while the directory's own settings are written; the server takes it again below.
    let writing = ServerLock::take(&config.database.url).map_err(ServeError::from)?;
    let taken = match args.listen.port() {
        0 => PortTaken::Refuse,
        _ => PortTaken::Next,
    };
    let listener = listen(args.listen, taken).await?;
    let port = listener.local_addr()?.port();
    if taken == PortTaken::Next && port != args.listen.port() {
        let wanted = args.listen.port();
        console.note(&format!("Port {wanted} is taken, so the demo uses {port}."));
    }
    let burger_shop = open_shop(&dir, &config, &listener).await?;
    let mut config = settings(&args.dir)?;
    config.server.listen = args.listen;
    drop(writing);
    let (house, lock) = open_for_server(config, OldTables::Migrate).await?;
    let server = Server::start(&house, listener, lock).await?;
    fill(&server.engine, &dir, console).await?;
    let key = dir.till_key(&server.engine).await?;
    let partner = dir.partner(&server.engine).await?;
    let running = Running {
        base_url: &server.public_url,
        simulator_url: format!("{}/simulator", server.public_url),
        sender: SENDER,
        keywords: keywords(&server.engine),
        till_key: key.expose(),
        peer_url: &burger_shop.url(),
        partner: RunningPartner {
            client_id: &partner.client_id,
            client_secret: &partner.client_secret,
            token_url: format!("{}/oauth2/token", server.public_url),
            private_key_pem: &partner.private_key_pem,
        },
    };
    if args.json {
        console.say(&serde_json::to_string(&running)?)?;
    } else {
        say_what_runs(&running, &key, &args.dir, console)?;
    }
    console.flush()?;
    server.run(stop).await?;
    Ok(())
}

/// The redemption system that honours BURGER's codes, on the next free port.
async fn open_shop(dir: &DemoDir, config: &Config, server: &TcpListener) -> anyhow::Result<DemoPeer> {
    let ours = server.local_addr()?;
    let today = SystemClock.now().with_timezone(&ZONE).date_naive();
    dir.documents(today)?;
    let (port, taken) = match ours.port().checked_add(1) {
        Some(next) => (next, PortTaken::Next),
        None => (0, PortTaken::Refuse),
    };
    let listener = listen(SocketAddr::new(ours.ip(), port), taken).await?;
    let events = format!("{}/redemption/{PEER}/events", config.server.public_url_at(ours).as_str());
    let shop = DemoPeer::start(DemoPeerParts {
        listener,
        store: dir.peer_books(),
        secret: dir.peer_secret()?,
        events_url: Url::parse(&events)?,
        codes: dir.peer_codes()?,
        clock: Arc::new(SystemClock),
    })?;
    dir.write_settings(ours, &shop.url())?;
    Ok(shop)
}

/// The settings of a demo: the directory's, whatever production the variables describe.
fn settings(dir: &Path) -> anyhow::Result<Config> {
    if dir.to_str().is_none() {
        return Err(Refused::because(
            format!("the name of {} is not UTF-8", dir.display()),
            "Choose a directory whose name is.",
        ));
    }
    let variables = config::environment().filter(|(name, _)| !NOT_HERE.contains(&name.as_str()));
    Config::for_dir(dir, variables).context("the configuration is refused")
}

/// The page is the demo's own report; the log adds only what went wrong, unless more was asked for.
fn start_log(config: LogConfig) {
    let level = match config.level {
        LogLevel::Info => LogLevel::Warn,
        other @ (LogLevel::Error | LogLevel::Warn | LogLevel::Debug | LogLevel::Trace) => other,
    };
    logging::start(LogConfig { level, ..config });
}

/// Applies the documents while there is no campaign. Later runs leave campaigns as people made them.
async fn fill(engine: &Engine, dir: &DemoDir, console: &mut Console<'_>) -> anyhow::Result<()> {
    let is_filled = engine.catalog().rows.campaigns.iter().any(|record| record.status.is_some());
    let today = engine.parts().clock.now().with_timezone(&ZONE).date_naive();
    let files = dir.documents(today)?;
    if is_filled {
        return Ok(());
    }
    console.note("Writing the demo's codes: a few seconds, this once.");
    let documents = apply::read(&files)?;
    creators::open(engine).await?;
    apply::carry_out(engine, &documents, console).await?;
    Ok(())
}

/// The keywords of the demo's number, in the order of their campaigns.
fn keywords(engine: &Engine) -> Vec<String> {
    let catalog = engine.catalog();
    let campaigns = catalog.rows.campaigns.iter();
    let words = campaigns.flat_map(|record| {
        let own = catalog.rows.keywords.iter().filter(|row| row.campaign == record.id);
        own.filter(|row| row.word == row.keyword && row.word == record.doc.name).map(|row| row.word.clone())
    });
    words.collect()
}

fn say_what_runs(running: &Running<'_>, key: &BearerKey, dir: &Path, console: &mut Console<'_>) -> anyhow::Result<()> {
    let Running { base_url, simulator_url, sender, peer_url, partner, .. } = running;
    let RunningPartner { client_id, client_secret, .. } = partner;
    let program = program();
    let dir = dir.display();
    let again = if dir.to_string() == DEMO_DIR { String::new() } else { format!(" --dir {dir}") };
    let key = key.expose();
    console.say(&format!(
        "Codewell runs. Open {base_url}

  {simulator_url:<34}  a phone in your browser
  {till:<34}  a till in your browser
  {docs:<34}  the API, described

Text to {sender}:
  PIZZA   $5 off. Text it twice: the same code comes again
  BURGER  codes of another shop: {peer_url} honours them
  LUCKY   only 20 of them, two per phone, one a day
  EMMA    10% off, and the credit is Emma's; the same person, the same code: {base_url}/x/emma
  STOP    and she gets no more messages, until START

A till in one line (put in the code from the phone):
  curl -s {base_url}/v1/codes/redeem -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' -H \"Idempotency-Key: $(date +%s%N)\" -d '{{\"code\":\"PZA-...\",\"store\":\"1\"}}'

A partner (examples/partner.sh is a complete one in curl; {base_url}/docs tells the rest):
  export CODEWELL_URL={base_url} PARTNER={client_id}:{client_secret}
  examples/partner.sh PIZZA ann-1

Emma's desk, by a link that opens once: {program} creator link emma{again}

Stop that shop and bring it back, while you text BURGER:
  curl -s {peer_url}/control -H 'Content-Type: application/json' -d '{{\"mode\":\"down\"}}'    ({{\"mode\":\"ok\"}})

Change an offer: edit {dir}/campaigns/pizza.toml, then, beside this server: {program} apply {dir}/campaigns/pizza.toml{again}
Start over: {program} demo --fresh{again}    Stop: ctrl-c",
        till = format!("{base_url}/till"),
        docs = format!("{base_url}/docs"),
    ))
}

/// How this program was called, so that what we print can be pasted.
fn program() -> String {
    let called = std::env::args_os().next();
    let called = called.and_then(|name| name.into_string().ok());
    called.unwrap_or_else(|| "codewell".to_owned())
}
