//! Turns the key: from settings to a house with its keyring, its database and its engine.

pub mod carriers;
pub mod demo;
pub mod demo_dir;
pub mod keyring;
pub mod lock;
pub mod logging;
pub mod peers;
pub mod server;

use crate::config::{Config, Simulator};
use crate::domain::catalog::Limits;
use crate::domain::decision::changes::NewMessage;
use crate::domain::keyring::Keys;
use crate::engine::{Clock, Committer, Engine, Faults, Parts, Sizes, SystemClock};
use crate::redemption::Registry as Peers;
use crate::sms::SIMULATOR;
use crate::store::{Options, Store, StoreError, Tables};
use keyring::{KeyringError, WhenMissing};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::mpsc;

/// What was opened: settings, keys, database.
#[derive(Debug)]
pub struct House {
    /// The settings it was opened with.
    pub config: Config,
    /// The keys of its keyring.
    pub keys: Arc<Keys>,
    /// Its database, with tables of this release.
    pub store: Store,
    /// The systems that honour codes of campaigns.
    pub peers: Peers,
    /// What was made on the way, each in a sentence for its owner.
    pub made: Vec<String>,
}

/// What to do where nothing is yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstRun {
    /// Make the directory, the keyring and the tables.
    Make,
    /// Say that there is nothing: a mistyped directory must not become a house.
    Refuse,
}

/// What to do with tables of an older release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OldTables {
    /// Bring them to this release.
    Migrate,
    /// Leave them, and say so.
    Refuse,
}

/// Why a house could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no house yet.
    #[error("there is nothing in {0} yet")]
    Nothing(PathBuf),
    /// The data directory could not be made.
    #[error("the directory {path} cannot be made")]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The keyring.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The keyring is that of another database.
    #[error("the keyring in {0} does not belong to this database")]
    OtherKeyring(PathBuf),
    /// The tables are of an older release.
    #[error("the tables are of an older release: {0} changes are still to come")]
    OldTables(usize),
    /// The configured redemption systems.
    #[error("the redemption systems cannot be used")]
    Peers(#[from] Box<peers::PeersError>),
    /// The database.
    #[error("the database cannot be opened")]
    Store(#[from] StoreError),
}

impl House {
    /// Opens the house of a configuration.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open(config: Config, first_run: FirstRun, old_tables: OldTables) -> Result<Self, OpenError> {
        let dir = config.server.data_dir.clone();
        let mut made = Vec::new();
        match first_run {
            FirstRun::Make => made.extend(make_dir(&dir)?),
            FirstRun::Refuse if !is_there(&config) => return Err(OpenError::Nothing(dir)),
            FirstRun::Refuse => {}
        }
        let store = Store::connect(&options(&config)).await?;
        let tables = store.tables().await?;
        let when_missing = match (tables, first_run) {
            (Tables::None, FirstRun::Refuse) => return Err(OpenError::Nothing(dir)),
            (Tables::None, FirstRun::Make) => WhenMissing::Make,
            (Tables::Older(_) | Tables::Current, _) => WhenMissing::Refuse,
        };
        let ring = keyring::open(&dir, when_missing, SystemClock.now())?;
        made.extend(ring.made.as_deref().map(keyring_words));
        match (tables, old_tables) {
            (Tables::Older(changes), OldTables::Refuse) => {
                return Err(OpenError::OldTables(changes));
            }
            (Tables::None, _) | (Tables::Older(_), OldTables::Migrate) => store.migrate().await?,
            (Tables::Current, _) => {}
        }
        if !belongs(&ring.keys, store.any_sealed_phone().await?.as_deref()) {
            return Err(OpenError::OtherKeyring(dir));
        }
        let peers = peers::open(&config).map_err(Box::new)?;
        Ok(Self { config, keys: Arc::new(ring.keys), store, peers, made })
    }

    /// The engine of this house, its committer to run, and the messages it will make.
    ///
    /// # Errors
    /// [`StoreError`] when the configuration of campaigns cannot be read.
    pub async fn engine(
        &self,
        public_url: &str,
    ) -> Result<(Engine, Committer, mpsc::UnboundedReceiver<NewMessage>), StoreError> {
        Engine::new(Parts {
            store: self.store.clone(),
            keys: Arc::clone(&self.keys),
            clock: Arc::new(SystemClock),
            public_url: public_url.to_owned(),
            carriers: carrier_names(&self.config),
            sizes: sizes(&self.config),
            faults: Faults::default(),
            peers: self.peers.clone(),
        })
        .await
    }

    /// The engine for a command: it commits in this process, beside any server.
    ///
    /// # Errors
    /// As [`House::engine`].
    pub async fn desk(&self) -> Result<Engine, StoreError> {
        let server = &self.config.server;
        let public_url = server.public_url_at(server.listen);
        let (engine, committer, _) = self.engine(public_url.as_str()).await?;
        // Ends by itself when the command drops its engine.
        tokio::spawn(committer.run());
        Ok(engine)
    }
}

/// How to reach the database of a configuration.
#[must_use]
pub fn options(config: &Config) -> Options {
    let database = &config.database;
    Options {
        url: database.url.expose().to_owned(),
        readers: database.read_connections,
        acquire: database.acquire_timeout,
        statement: database.statement_timeout,
        lock: database.lock_timeout,
        idle_in_transaction: database.idle_in_transaction_timeout,
        busy: database.busy_timeout,
    }
}

/// The carriers that this configuration has.
fn carrier_names(config: &Config) -> Vec<String> {
    let simulator = match config.simulator {
        Simulator::On => Some(SIMULATOR.to_owned()),
        Simulator::Off => None,
    };
    let accounts = config.carriers.iter().map(|account| account.name.clone());
    accounts.chain(simulator).collect()
}

fn sizes(config: &Config) -> Sizes {
    let limits = &config.limits;
    let count = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
    Sizes {
        batch: config.engine.batch_max,
        backlog_batch: config.engine.backlog_batch_max,
        queue: config.engine.queue,
        replays: config.engine.replay_cache,
        lease_ms: i64::try_from(config.sender.lease.as_millis()).unwrap_or(i64::MAX),
        limits: Limits {
            asks_per_hour: count(limits.asks_per_hour),
            same_answer: chrono::Duration::from_std(limits.same_answer_window).unwrap_or(chrono::Duration::MAX),
            replies_per_day: count(limits.replies_per_day),
            burst_per_range: count(limits.burst_per_range),
            burst_window: chrono::Duration::from_std(limits.burst_window).unwrap_or(chrono::Duration::MAX),
            serve_toll_free: limits.serve_toll_free,
            question_timeout: chrono::Duration::from_std(limits.question_timeout).unwrap_or(chrono::Duration::MAX),
        },
    }
}

/// Whether opening this house would find something; of a database server only opening it can tell.
fn is_there(config: &Config) -> bool {
    lock::database_file(&config.database.url).is_none_or(|file| file.exists())
}

/// Makes the data directory for its owner alone; a sentence about it when it was not there.
fn make_dir(dir: &Path) -> Result<Option<String>, OpenError> {
    if dir.is_dir() {
        return Ok(None);
    }
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|source| OpenError::Directory { path: dir.to_owned(), source })?;
    Ok(Some(format!("Made the directory {}.", dir.display())))
}

fn keyring_words(path: &Path) -> String {
    format!(
        "Made the keyring {}. Back it up: without it, phone numbers and coupon links cannot be read.",
        path.display()
    )
}

/// Whether a sealed phone names these keys; no phone contradicts none.
fn belongs(keys: &Keys, sealed: Option<&[u8]>) -> bool {
    // Version (1 byte), then the id of the keys (4 bytes).
    let id = sealed.and_then(|sealed| sealed.get(1..5));
    id.is_none_or(|id| id == keys.id().as_bytes())
}

#[cfg(test)]
mod tests;
