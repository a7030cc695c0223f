//! Changes by people: apply, import, generate. Each is a turn in the committer's queue.

mod facts;
mod list;

use super::import::{self, Claims, ImportError, ImportReport};
use super::plan::{CodeWork, House, PeerFacts, Plan, plan};
use super::{Engine, EngineError, generate};
use crate::domain::campaign::{PoolKind, Status};
use crate::domain::catalog::{Catalog, key_number};
use crate::domain::document::{Document, Located};
use crate::domain::ids::CampaignId;
use crate::redemption::{Guarded, Peer as _};
use crate::store::config::{self, Change};
use crate::store::{StoreError, codes};
use facts::{claims, names};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The house's pool of a campaign; those of creators have later numbers.
const POOL_NO: u16 = 1;
/// Other people's changes that one change gives way to.
const ROUNDS: u32 = 10;
/// Lock time-outs under load that one change waits out, 2 s each on PostgreSQL.
const LOCK_TRIES: u32 = 30;

/// How far the writing of codes has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress<'a> {
    /// The campaign.
    pub campaign: &'a str,
    /// Codes or lines done.
    pub done: u64,
    /// Of so many, where that is known.
    pub total: Option<u64>,
}

/// Hears how far the writing of codes has come.
pub type OnProgress<'a> = &'a (dyn Fn(Progress<'_>) + Send + Sync);

/// What was applied.
#[derive(Debug, Default)]
pub struct Applied {
    /// The plan that was carried out; empty when there was nothing to change.
    pub plan: Plan,
    /// What was imported, by campaign.
    pub imports: Vec<(String, ImportReport)>,
}

/// Why nothing was applied, or not all of it.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The plan has lines that forbid it.
    #[error("the plan is refused:\n{0}")]
    Refused(Box<Plan>),
    /// There is no campaign of that name.
    #[error("there is no campaign {name}{}", nearest.as_ref().map(|near| format!("; did you mean {near}?")).unwrap_or_default())]
    NoCampaign {
        /// The name that was asked for.
        name: String,
        /// The most similar one.
        nearest: Option<String>,
    },
    /// An ended campaign stays as it is.
    #[error("campaign {0} is over for ever")]
    Ended(String),
    /// Only imported pools take files, only pools of our own are generated.
    #[error("campaign {campaign} has {kind} codes")]
    WrongPool {
        /// Which.
        campaign: String,
        /// Its kind of pool.
        kind: &'static str,
    },
    /// A file of codes.
    #[error("{}: {source}", path.display())]
    Import {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: ImportError,
    },
    /// A file cannot be opened.
    #[error("{} cannot be opened: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The engine has stopped.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn peer_facts(peer: &Guarded) -> PeerFacts {
    let capabilities = peer.capabilities();
    PeerFacts {
        name: peer.name().to_owned(),
        batch_max: capabilities.batch_max,
        quota_per_minute: capabilities.quota_per_minute,
    }
}

impl Engine {
    /// Works out what the documents would change. Nothing is written.
    ///
    /// # Errors
    /// [`ApplyError::Store`]; what the documents ask for wrongly stands in the plan.
    pub async fn plan(&self, documents: &Document) -> Result<Plan, ApplyError> {
        let catalog = self.fresh_catalog().await?;
        let parts = self.parts();
        let facts = self.facts(&catalog, documents).await?;
        let house = House {
            public_url: parts.public_url.clone(),
            carriers: parts.carriers.clone(),
            peers: parts.peers.all().map(|peer| peer_facts(peer)).collect(),
            key_id: key_number(&parts.keys),
            now: parts.clock.now(),
        };
        Ok(plan(&catalog, documents, &facts, &house))
    }

    /// Applies documents: writes codes that are missing, then everything else in one transaction. The next text sees
    /// it, in every process. Interrupted, it is simply run again. A committer must be running.
    ///
    /// # Errors
    /// [`ApplyError::Refused`] with the plan; a file or the database.
    pub async fn apply(&self, documents: &Document, on: OnProgress<'_>) -> Result<Applied, ApplyError> {
        let mut applied = Applied::default();
        for round in 1.. {
            let plan = self.plan(documents).await?;
            if plan.is_refused() {
                return Err(ApplyError::Refused(Box::new(plan)));
            }
            if round == 1 {
                applied.plan = plan.clone();
            }
            if plan.is_empty() {
                break;
            }
            match self.carry_out(plan, &mut applied.imports, on).await {
                Ok(()) => break,
                // Somebody else's change came between, or nobody knows whether ours was: look again.
                Err(ApplyError::Store(StoreError::Stale | StoreError::CommitUnknown(_))) if round < ROUNDS => {}
                Err(error) => return Err(error),
            }
        }
        self.fresh_catalog().await?;
        Ok(applied)
    }

    async fn carry_out(
        &self,
        plan: Plan,
        imports: &mut Vec<(String, ImportReport)>,
        on: OnProgress<'_>,
    ) -> Result<(), ApplyError> {
        let mut change = plan.change;
        for work in &plan.codes {
            let (id, size) = self.write_codes(work, &mut change.planned_on, imports, on).await?;
            let mut campaigns = change.campaigns.iter_mut();
            if let Some(campaign) = campaigns.find(|campaign| campaign.doc.name == work.doc.name) {
                campaign.id = Some(id);
                campaign.pool.size = size;
            }
        }
        self.commit(&change).await
    }

    /// Writes the codes of one campaign; answers with its number and how many positions have codes.
    async fn write_codes(
        &self,
        work: &CodeWork,
        planned_on: &mut i64,
        imports: &mut Vec<(String, ImportReport)>,
        on: OnProgress<'_>,
    ) -> Result<(CampaignId, u64), ApplyError> {
        let store = &self.parts().store;
        let id = match work.id {
            Some(id) => id,
            None => self.draft(work, planned_on).await?,
        };
        let campaign = work.doc.name.as_str();
        match (work.pool.kind, &work.doc.code.pattern, &work.file) {
            (PoolKind::Generated, Some(text), _) => {
                let total = Some(work.pool.size - work.live);
                let done = |done| {
                    on(Progress { campaign, done, total });
                };
                generate::fill(store, (id, POOL_NO), text.pattern(), (work.live, work.pool.size), done).await?;
                Ok((id, work.pool.size))
            }
            (PoolKind::Imported, _, Some(path)) => {
                let catalog = self.fresh_catalog().await?;
                let claims = claims(&catalog, None);
                let report = self.run_import((id, work.live), campaign, path, &claims, on).await?;
                imports.push((campaign.to_owned(), report));
                Ok((id, codes::next_position(store, id, POOL_NO).await?))
            }
            // No codes to write: a draft of another kind was left and is taken over.
            (PoolKind::Derived, _, _) => Ok((id, work.pool.size)),
            (PoolKind::Generated | PoolKind::Imported, _, _) => Ok((id, work.live)),
        }
    }

    async fn draft(&self, work: &CodeWork, planned_on: &mut i64) -> Result<CampaignId, ApplyError> {
        let parts = self.parts();
        let now = parts.clock.now();
        let draft = self.in_turn(async || config::draft(&parts.store, &work.doc, &work.pool, *planned_on, now).await);
        let draft = draft.await?;
        *planned_on = draft.version;
        Ok(draft.id)
    }

    async fn run_import(
        &self,
        (id, live): (CampaignId, u64),
        campaign: &str,
        path: &Path,
        claims: &Claims,
        on: OnProgress<'_>,
    ) -> Result<ImportReport, ApplyError> {
        let catalog = self.catalog();
        let names = names(&catalog);
        let ground = import::Ground { store: &self.parts().store, campaign: Some(id), live, claims, names: &names };
        let source = open(path)?;
        let done = |done| {
            on(Progress { campaign, done, total: None });
        };
        let report = import::run(&ground, (id, POOL_NO), source, done).await;
        report.map_err(|source| ApplyError::Import { path: path.to_owned(), source })
    }

    /// The document that brings a campaign's own pool to `size` codes; apply it as any other.
    ///
    /// # Errors
    /// [`ApplyError::NoCampaign`], [`ApplyError::WrongPool`] for imported codes.
    pub async fn grown(&self, name: &str, size: u64) -> Result<Document, ApplyError> {
        let catalog = self.fresh_catalog().await?;
        let (record, _) = find(&catalog, name)?;
        let mut doc = record.doc.clone();
        if doc.pool.source.kind() == PoolKind::Imported {
            return Err(ApplyError::WrongPool { campaign: name.to_owned(), kind: PoolKind::Imported.word() });
        }
        doc.pool.size = Some(size);
        let located = Located { file: name.to_owned(), line: 1, value: doc };
        Ok(Document { campaigns: vec![located], ..Document::default() })
    }

    async fn commit(&self, change: &Change) -> Result<(), ApplyError> {
        let parts = self.parts();
        self.in_turn(async || config::commit(&parts.store, change, || parts.clock.now()).await).await?;
        self.fresh_catalog().await?;
        Ok(())
    }

    /// Runs a change alone in the committer's queue, again while other processes hold its locks.
    async fn in_turn<T>(&self, work: impl AsyncFn() -> Result<T, StoreError>) -> Result<T, ApplyError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let turn = self.turn().await?;
            let result = work().await;
            drop(turn);
            match result {
                Err(StoreError::Conflict(_)) if tries < LOCK_TRIES => {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                result => return Ok(result?),
            }
        }
    }
}

fn open(path: &Path) -> Result<File, ApplyError> {
    File::open(path).map_err(|source| ApplyError::File { path: path.to_owned(), source })
}

fn find<'a>(
    catalog: &'a Catalog,
    name: &str,
) -> Result<(&'a crate::domain::catalog::CampaignRecord, Status), ApplyError> {
    let found = catalog.rows.campaigns.iter().find_map(|record| {
        let status = record.status?;
        (record.doc.name == name).then_some((record, status))
    });
    found.ok_or_else(|| {
        let names = catalog.campaigns.values().map(|campaign| campaign.name.clone());
        let nearest = names.min_by_key(|known| strsim::osa_distance(&known.to_uppercase(), &name.to_uppercase()));
        ApplyError::NoCampaign { name: name.to_owned(), nearest }
    })
}
