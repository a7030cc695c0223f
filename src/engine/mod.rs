//! The use-cases; the only place that decides. Every door leads here, and none of them is known here.

mod access;
mod alerts;
mod allocations;
mod apply;
mod bursts;
mod campaigns;
mod catch_up;
mod chance;
mod claims;
mod clock;
mod committer;
mod compose;
mod creators;
mod credit_report;
mod decisions;
mod desk;
mod fault;
mod feed;
mod generate;
mod holds;
mod import;
mod looks;
mod needs;
mod numbers;
mod outbox;
mod partner_api;
mod partner_reports;
mod partners;
mod peer_sale;
mod peers;
pub mod plan;
mod prune;
mod reports;
mod sale;
mod spool;
mod terms;
mod text;
mod verify;
mod webhooks;
mod words;

pub use crate::store::claims::Leak;
pub use crate::store::partners::PartnerRecord;
pub use crate::store::partners::credentials::{AuthFailure, Credential, CredentialKind};
pub use access::{Admin, Till};
pub use alerts::{AlertCursor, AlertRecord, Which};
pub use allocations::{Allocation, Piece};
pub use apply::{Applied, ApplyError, OnProgress, Progress};
pub use campaigns::{Changed, StatusError};
pub use chance::draw;
pub use claims::ClaimPage;
pub use clock::{Clock, SystemClock};
pub use committer::{Committer, Settled, Turn};
pub use compose::{ComposeError, Composed};
pub use creators::{CreatorChange, CreatorError, CreatorIn, CreatorRecord, JoinIn};
pub use credit_report::{CreditLine, CreditReport, Grouping, Party};
pub use decisions::DecisionRecord;
pub use desk::{AtDesk, DeskDoor, DeskReport, Earned, Figures, MOST_SUBS, Reversal, SubRow};
pub use fault::Faults;
pub use feed::{FEED_PAGE, FeedPage};
pub use import::{ImportError, ImportReport, LineFault, Survey};
pub use numbers::{NumberFault, NumbersError, NumbersReport};
pub use outbox::{Due, EarlyReports, IN_DOUBT, MaySend, Moment, Reported, STILL_IN_DOUBT, THROTTLED, step};
pub use partner_api::{
    AllocationAnswer, AllocationAsk, AllocationView, CampaignView, CapView, Customer, IssuanceAnswer, IssuanceAsk,
    IssuanceView, LeaseAnswer, Merit, Opening,
};
pub use partner_reports::DailyLine;
pub use partners::{
    AccessToken, CallError, Client, CredentialError, FailureLog, FailureNotes, Flaw, NotAKey, Partner, PartnerError,
    PublishedKey, TakeOver,
};
pub use peers::{Matched, Seen};
pub use reports::{BadDays, ReportAsk, ReportFigures};
pub use sale::Found;
pub use spool::{Away, SpoolDrain, Step, Taken};
pub use text::{Received, fingerprint};
pub use verify::{Look, time_to_verify};
pub use webhooks::{
    Delivery, ENDPOINTS, Endpoint, EndpointChange, EndpointLease, EndpointWork, NewEndpoint, NewEndpointError,
    Outgoing, Sent, WaitingDelivery,
};
pub use words::{AliasError, Suggested, UnknownWords};

use crate::domain::act::Act;
use crate::domain::catalog::{Catalog, Limits};
use crate::domain::decision::changes::NewMessage;
use crate::domain::decision::outcome::Bar;
use crate::domain::ids::{PartnerId, RequestId, SenderId, Spot};
use crate::domain::keyring::Keys;
use crate::domain::partner::PartnerTerms;
use crate::redemption::{CallRecord, PeerError, Registry as Peers};
use crate::store::{Store, StoreError};
use chrono::{DateTime, Utc};
use committer::{Pending, Work};
use moka::sync::Cache;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};

/// Partners whose terms are kept in memory.
const TERMS: u64 = 10_000;
/// Calls of other systems kept to be shown.
const PEER_CALLS: u64 = 10_000;
/// Keys of access tokens kept at hand: three are live while one gives way to the next.
const TOKEN_KEYS: u64 = 16;

/// What can fail; a refusal is no failure but an outcome.
#[derive(Debug, Error)]
pub enum EngineError {
    /// More is waiting than can be served soon; nothing was done.
    #[error("too much is waiting")]
    Busy,
    /// The request key was used for something else.
    #[error("the request key was used for another request")]
    KeyReused,
    /// The database failed; whether the act was done is known when it is asked again under the same key.
    #[error("the act could not be settled")]
    Store(#[source] Arc<StoreError>),
    /// The system that honours the code did not answer as it should; the same request may be sent again.
    #[error("the system that honours the code did not answer")]
    Peer(#[source] PeerError),
    /// The partner may not ask for this; nothing was written.
    #[error("the partner may not ask for this")]
    Barred(Bar),
    /// The engine is shutting down.
    #[error("the engine has stopped")]
    Stopped,
}

impl From<StoreError> for EngineError {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

/// The sizes of the engine.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    /// Acts in one transaction.
    pub batch: usize,
    /// Acts in one transaction while more than a batch waits.
    pub backlog_batch: usize,
    /// Acts that may wait.
    pub queue: usize,
    /// Answers kept for exact replays.
    pub replays: u64,
    /// How long a fresh message belongs to this process, milliseconds.
    pub lease_ms: i64,
    /// How often a person is answered.
    pub limits: Limits,
}

/// What the engine is built from.
#[derive(Debug, Clone)]
pub struct Parts {
    /// The database.
    pub store: Store,
    /// The keys of this house.
    pub keys: Arc<Keys>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The public address, for texts and links.
    pub public_url: String,
    /// The carriers that a sender may name.
    pub carriers: Vec<String>,
    /// The sizes.
    pub sizes: Sizes,
    /// Where tests park and cut.
    pub faults: Faults,
    /// The systems that honour codes of campaigns.
    pub peers: Peers,
}

/// The way to ask for something; cheap to clone.
#[derive(Debug, Clone)]
pub struct Engine {
    shared: Arc<Shared>,
    queue: mpsc::Sender<Work>,
    bulk: mpsc::Sender<Box<Pending>>,
    spooling: Option<Arc<spool::Spooling>>,
}

/// Which queue an act waits in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lane {
    /// Somebody waits for one code.
    People,
    /// At most a quarter of a batch.
    Bulk,
}

fn refused<T>(error: &mpsc::error::TrySendError<T>) -> EngineError {
    match error {
        mpsc::error::TrySendError::Full(_) => EngineError::Busy,
        mpsc::error::TrySendError::Closed(_) => EngineError::Stopped,
    }
}

/// An act that was handed in.
enum Submitted {
    /// Exactly this was asked before.
    Known(Settled),
    /// The answer comes after the commit.
    Waits(oneshot::Receiver<Result<Settled, EngineError>>),
}

impl Submitted {
    async fn settled(self) -> Result<Settled, EngineError> {
        match self {
            Self::Known(settled) => Ok(settled),
            Self::Waits(answered) => answered.await.map_err(|_| EngineError::Stopped)?,
        }
    }
}

#[derive(Debug)]
struct Shared {
    parts: Parts,
    catalog: RwLock<Arc<Catalog>>,
    replays: Cache<RequestId, ([u8; 32], Settled)>,
    bursts: bursts::Bursts,
    /// What partners may do, as this process read it last; the batch looks whether it is still so.
    terms: Cache<PartnerId, Arc<PartnerTerms>>,
    /// Whose feeds have new events.
    feed: feed::FeedNews,
    messages: mpsc::UnboundedSender<NewMessage>,
    /// Openings of claim pages that are not written yet.
    opened: claims::Opened,
    /// Who may count a look at a code now.
    looks: Arc<tokio::sync::Semaphore>,
    /// Numbers whose webhooks were refused, and since when.
    missed: Mutex<BTreeMap<SenderId, DateTime<Utc>>>,
    /// What other systems were last asked about a code: to be shown, never to decide by.
    peer_calls: Cache<Spot, Arc<CallRecord>>,
    /// The public halves of keys that sign access tokens, by their names.
    token_keys: Cache<String, Arc<partners::PublicKey>>,
}

impl Shared {
    fn catalog(&self) -> Arc<Catalog> {
        // A picture that was swapped in whole is never half made, so a poisoned lock holds a good one.
        Arc::clone(&self.catalog.read().unwrap_or_else(PoisonError::into_inner))
    }

    async fn reload(&self) -> Result<Arc<Catalog>, StoreError> {
        let parts = &self.parts;
        let fresh =
            crate::store::catalog::load(&parts.store, &parts.keys, &parts.public_url, parts.sizes.limits).await?;
        let fresh = Arc::new(fresh);
        *self.catalog.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&fresh);
        Ok(fresh)
    }
}

impl Engine {
    /// Builds the engine: the way to ask, the committer to run, and the messages it makes.
    ///
    /// # Errors
    /// [`StoreError`] when the configuration cannot be read.
    pub async fn new(parts: Parts) -> Result<(Self, Committer, mpsc::UnboundedReceiver<NewMessage>), StoreError> {
        let (queue, work) = mpsc::channel(parts.sizes.queue);
        let (bulk, in_bulk) = mpsc::channel(parts.sizes.queue);
        let (messages, made) = mpsc::unbounded_channel();
        let replays = Cache::new(parts.sizes.replays);
        let catalog =
            crate::store::catalog::load(&parts.store, &parts.keys, &parts.public_url, parts.sizes.limits).await?;
        let shared = Arc::new(Shared {
            parts,
            catalog: RwLock::new(Arc::new(catalog)),
            replays,
            bursts: bursts::Bursts::default(),
            terms: Cache::new(TERMS),
            feed: feed::FeedNews::default(),
            messages,
            peer_calls: Cache::new(PEER_CALLS),
            token_keys: Cache::new(TOKEN_KEYS),
            opened: claims::Opened::default(),
            looks: Arc::new(tokio::sync::Semaphore::new(looks::AT_ONCE)),
            missed: Mutex::default(),
        });
        let committer = Committer::new(Arc::clone(&shared), work, in_bulk);
        Ok((Self { shared, queue, bulk, spooling: None }, committer, made))
    }

    /// Settles one act: the answer comes after its commit, or from memory when exactly this was asked before.
    ///
    /// # Errors
    /// [`EngineError::Busy`] when the queue is full; [`EngineError::KeyReused`]; what failed.
    pub async fn settle(&self, act: Act) -> Result<Settled, EngineError> {
        self.submit(act)?.settled().await
    }

    /// Hands an act in: acts that are handed in one after the other are settled in that order.
    fn submit(&self, act: Act) -> Result<Submitted, EngineError> {
        self.submit_to(act, Lane::People)
    }

    fn submit_to(&self, act: Act, lane: Lane) -> Result<Submitted, EngineError> {
        if let Some((fingerprint, settled)) = self.shared.replays.get(&act.request) {
            let is_same = fingerprint == act.fingerprint;
            return if is_same { Ok(Submitted::Known(settled)) } else { Err(EngineError::KeyReused) };
        }
        let (answer, answered) = oneshot::channel();
        let pending = Box::new(Pending { act, answer });
        let sent = match lane {
            Lane::People => self.queue.try_send(Work::Act(pending)).map_err(|error| refused(&error)),
            Lane::Bulk => self.bulk.try_send(pending).map_err(|error| refused(&error)),
        };
        sent.map(|()| Submitted::Waits(answered))
    }

    /// How many acts wait, of people and in bulk.
    #[must_use]
    pub fn waiting(&self) -> (usize, usize) {
        let taken = |max: usize, free: usize| max - free;
        let people = taken(self.queue.max_capacity(), self.queue.capacity());
        (people, taken(self.bulk.max_capacity(), self.bulk.capacity()))
    }

    /// Settles an act that others may overtake: pulls, and the many customers of one call.
    ///
    /// # Errors
    /// As [`Engine::settle`].
    pub async fn settle_in_bulk(&self, act: Act) -> Result<Settled, EngineError> {
        self.submit_to(act, Lane::Bulk)?.settled().await
    }

    /// Waits for a turn in the committer's queue: while it is held, no batch of this process runs.
    ///
    /// # Errors
    /// [`EngineError::Stopped`] when there is no committer any more.
    pub async fn turn(&self) -> Result<Turn, EngineError> {
        let (granted, grant) = oneshot::channel();
        let (turn, over) = oneshot::channel::<()>();
        self.queue.send(Work::Turn { granted, over }).await.map_err(|_| EngineError::Stopped)?;
        grant.await.map_err(|_| EngineError::Stopped)?;
        Ok(Turn { _over: turn })
    }

    /// The configuration as this process knows it.
    #[must_use]
    pub fn catalog(&self) -> Arc<Catalog> {
        self.shared.catalog()
    }

    /// The configuration as the database has it by now: one short read, and a reload only when it changed.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot say.
    pub async fn fresh_catalog(&self) -> Result<Arc<Catalog>, StoreError> {
        let known = self.shared.catalog();
        let version = crate::store::catalog::version(&self.shared.parts.store).await?;
        if version == known.version { Ok(known) } else { self.shared.reload().await }
    }

    /// What the engine was built from.
    #[must_use]
    pub fn parts(&self) -> &Parts {
        &self.shared.parts
    }
}
