//! The only way a fact is written: one task takes what is waiting and commits it in one transaction (ADR 0002).

use super::fault::fault;
use super::{EngineError, Shared, needs};
use crate::domain::act::Act;
use crate::domain::decision::changes::Changes;
use crate::domain::decision::outcome::Outcome;
use crate::domain::decision::{Decision, decide};
use crate::store::{StoreError, batch};
use chrono::{DateTime, Utc};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

/// Locks that took longer than this make `now` stale: windows would be charged in the past.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);
/// After so many tries a slow lock is accepted: late is better than never.
const PATIENT_TRIES: u32 = 3;
/// Passing conflicts are tried again this often; each waits for the other writer, so more means something is broken.
const CONFLICT_TRIES: u32 = 40;
/// Of a batch, one act in so many may be in bulk.
const BULK_SHARE: usize = 4;
/// How long an unreachable database is waited for before the callers are told.
const OUTAGE_PATIENCE: Duration = Duration::from_secs(2);

/// What was decided on an act, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Settled {
    /// The outcome.
    pub outcome: Outcome,
    /// When it was decided, the first time it was asked.
    pub at: DateTime<Utc>,
}

/// A turn in the committer's queue; dropping it lets the next batch run.
#[derive(Debug)]
pub struct Turn {
    pub(super) _over: oneshot::Sender<()>,
}

#[derive(Debug)]
pub(super) enum Work {
    Act(Box<Pending>),
    Turn { granted: oneshot::Sender<()>, over: oneshot::Receiver<()> },
}

#[derive(Debug)]
pub(super) struct Pending {
    pub(super) act: Act,
    pub(super) answer: oneshot::Sender<Result<Settled, EngineError>>,
}

/// The task that commits; one a process.
#[derive(Debug)]
pub struct Committer {
    shared: Arc<Shared>,
    work: mpsc::Receiver<Work>,
    bulk: mpsc::Receiver<Box<Pending>>,
}

impl Committer {
    pub(super) fn new(shared: Arc<Shared>, work: mpsc::Receiver<Work>, bulk: mpsc::Receiver<Box<Pending>>) -> Self {
        Self { shared, work, bulk }
    }

    /// Commits until every [`super::Engine`] is gone and the queue is empty.
    pub async fn run(mut self) {
        let sizes = self.shared.parts.sizes;
        let mut waiting = Vec::with_capacity(sizes.backlog_batch);
        loop {
            let backlog = self.work.len() > sizes.batch;
            let most = if backlog { sizes.backlog_batch } else { sizes.batch };
            let mut acts = Vec::with_capacity(waiting.len());
            // People first; what partners do in bulk fills at most a quarter of a batch.
            tokio::select! {
                biased;
                n = self.work.recv_many(&mut waiting, most) => {
                    if n == 0 {
                        // Both ways end together: what is left in bulk is settled before the end.
                        self.bulk.close();
                    }
                }
                Some(first) = self.bulk.recv() => acts.push(*first),
            }
            while acts.len() < most.div_ceil(BULK_SHARE)
                && let Ok(pending) = self.bulk.try_recv()
            {
                acts.push(*pending);
            }
            if acts.is_empty() && waiting.is_empty() {
                return;
            }
            for work in waiting.drain(..) {
                let (granted, over) = match work {
                    Work::Act(pending) => {
                        acts.push(*pending);
                        continue;
                    }
                    Work::Turn { granted, over } => (granted, over),
                };
                self.settle(std::mem::take(&mut acts)).await;
                if granted.send(()).is_ok() {
                    // Resolves when the turn is dropped.
                    let _ = over.await;
                }
            }
            self.settle(acts).await;
        }
    }

    /// Settles a batch; one that the database refuses twice is halved, so that one bad act never fails its neighbours.
    async fn settle(&self, acts: Vec<Pending>) {
        let mut batches = vec![(acts, Tried::Never)];
        while let Some((mut batch, tried)) = batches.pop() {
            if batch.is_empty() {
                continue;
            }
            match (self.persist(&batch).await, tried) {
                (Ok(decisions), _) => self.answer(batch, decisions),
                (Err(error), _) if is_outage(&error) => fail(batch, error),
                (Err(_), Tried::Never) => batches.push((batch, Tried::Once)),
                (Err(error), Tried::Once) if batch.len() == 1 => {
                    tracing::error!(error = &error as &dyn std::error::Error, "an act cannot be written");
                    fail(batch, error);
                }
                (Err(_), Tried::Once) => {
                    let second = batch.split_off(batch.len() / 2);
                    batches.push((second, Tried::Once));
                    batches.push((batch, Tried::Once));
                }
            }
        }
    }

    /// Runs one batch until it is committed or something other than passing trouble stops it.
    async fn persist(&self, batch: &[Pending]) -> Result<Vec<Decision>, StoreError> {
        let acts: Vec<&Act> = batch.iter().map(|pending| &pending.act).collect();
        let began = Instant::now();
        let mut tries = 0;
        loop {
            tries += 1;
            let error = match self.attempt(&acts, tries).await {
                Ok((decisions, changes)) => {
                    self.shared.bursts.add(&acts, &changes, self.shared.parts.sizes.limits.burst_window);
                    self.publish(changes);
                    return Ok(decisions);
                }
                Err(error) => error,
            };
            let goes_on = if matches!(error, StoreError::Unavailable(_)) {
                began.elapsed() < OUTAGE_PATIENCE
            } else {
                error.is_passing() && tries < CONFLICT_TRIES
            };
            if !goes_on {
                return Err(error);
            }
            if matches!(error, StoreError::Stale) {
                self.shared.forget_terms(&acts);
                self.shared.reload().await?;
            } else {
                tracing::debug!(error = &error as &dyn std::error::Error, tries, "a batch is run again");
                pause(tries).await;
            }
        }
    }

    async fn attempt(&self, acts: &[&Act], tries: u32) -> Result<(Vec<Decision>, Changes), StoreError> {
        let parts = &self.shared.parts;
        let catalog = self.shared.catalog();
        let mut tx = parts.store.begin().await?;
        let now = parts.clock.now();
        let began = Instant::now();
        let answering = needs::answering(&catalog, acts);
        let open = batch::open_questions(&mut tx, &answering).await?;
        let partners = self.shared.terms_of(acts).await?;
        let needs = needs::of(&catalog, acts, now, (answering, open), partners);
        let locked = async || {
            if began.elapsed() > LOCK_PATIENCE && tries < PATIENT_TRIES {
                return Err(StoreError::Stale);
            }
            fault!(parts.faults, "after_locks");
            Ok(())
        };
        let mut world = batch::read(&mut tx, &needs, now, locked).await?;
        world.bursts = self.shared.bursts.lately(acts, now, parts.sizes.limits.burst_window);
        let (decisions, changes) = decide(&catalog, world, acts);
        batch::write(&mut tx, &catalog, &changes, parts.sizes.lease_ms).await?;
        fault!(parts.faults, "before_commit");
        tx.commit().await?;
        fault!(parts.faults, "after_commit");
        Ok((decisions, changes))
    }

    /// Hands fresh messages to the sender; those of a lost process are found by their lease.
    fn publish(&self, changes: Changes) {
        self.shared.feed.written(changes.feeds.into_keys());
        for message in changes.messages {
            // Nobody listens in commands that only change something.
            let _ = self.shared.messages.send(message);
        }
    }

    fn answer(&self, batch: Vec<Pending>, decisions: Vec<Decision>) {
        for (pending, decision) in batch.into_iter().zip(decisions) {
            let answer = match decision {
                Decision::Made(outcome, at) => {
                    let settled = Settled { outcome, at };
                    if settled.outcome != Outcome::Noted {
                        let kept = (pending.act.fingerprint, settled.clone());
                        self.shared.replays.insert(pending.act.request, kept);
                    }
                    Ok(settled)
                }
                Decision::KeyReused => Err(EngineError::KeyReused),
                Decision::Barred(bar) => Err(EngineError::Barred(bar)),
            };
            // A caller that went away finds its answer under the same key.
            let _ = pending.answer.send(answer);
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Tried {
    Never,
    Once,
}

fn is_outage(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Unavailable(_) | StoreError::CommitUnknown(_) | StoreError::Conflict(_) | StoreError::Stale
    )
}

fn fail(batch: Vec<Pending>, error: StoreError) {
    let error = Arc::new(error);
    for pending in batch {
        // A caller that went away asks again under the same key.
        let _ = pending.answer.send(Err(EngineError::Store(Arc::clone(&error))));
    }
}

/// Waits a little, longer each time and never the same: 1 to 2 ms at first, 32 to 64 ms at the most.
async fn pause(tries: u32) {
    let base = 1_u64 << tries.min(5);
    let jitter = u64::from(uuid::Uuid::now_v7().as_bytes()[15]) % base;
    tokio::time::sleep(Duration::from_millis(base + jitter)).await;
}
