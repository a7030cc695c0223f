//! Carriers' webhooks while the database is away: put on disk, answered, and settled by the same acts when it is back.

use super::{EarlyReports, Engine, EngineError, Received, Reported, Settled};
use crate::domain::ids::{SenderId, millis};
use crate::store::spool::{Leave, Segment, Spool, SpoolError, SpoolStatus, Spooled};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// A record that was refused so often, and not for want of a database, holds up those behind it: it is put aside.
const TRIES: u32 = 5;

/// The spool of this process and when it is used.
#[derive(Debug)]
pub(super) struct Spooling {
    spool: Spool,
    patience: Duration,
}

/// What became of a received text.
#[derive(Debug, Clone, PartialEq)]
pub enum Taken {
    /// It was committed.
    Settled(Settled),
    /// It is on disk and will be committed; no answer to it exists yet.
    Spooled,
}

impl Engine {
    /// This engine with a spool, for a process that drains it. A webhook is put there when its commit takes longer than
    /// `patience`, and while anything waits there.
    #[must_use]
    pub fn with_spool(self, spool: Spool, patience: Duration) -> Self {
        Self { spooling: Some(Arc::new(Spooling { spool, patience })), ..self }
    }

    /// What waits on disk; `None` where there is no spool.
    #[must_use]
    pub fn spool_status(&self) -> Option<SpoolStatus> {
        self.spooling.as_ref().map(|spooling| spooling.spool.status())
    }

    /// As [`Engine::receive_text`], but what cannot be committed now is durable on disk when this returns, and is settled
    /// later under the same key.
    ///
    /// # Errors
    /// As [`Engine::receive_text`] for what waiting does not mend; [`EngineError::Busy`] when it could not be put on
    /// disk either.
    pub async fn receive_or_spool(&self, sender: SenderId, received: Received) -> Result<Taken, EngineError> {
        let Some(spooling) = self.spooling.as_deref() else {
            return self.receive_text(sender, received).await.map(Taken::Settled);
        };
        if let Some(settled) = spooling.in_time(self.receive_text(sender, received.clone())).await? {
            return Ok(Taken::Settled(settled));
        }
        let Received { message_id, from, text, carrier_said } = received;
        let at = millis(self.now());
        spooling.keep(&Spooled::Text { sender, message_id, from, text, carrier_said, at }).await?;
        Ok(Taken::Spooled)
    }

    /// As [`Engine::report`], but what cannot be committed now is durable on disk when this returns.
    ///
    /// # Errors
    /// As [`Engine::receive_or_spool`].
    pub async fn report_or_spool(
        &self,
        early: &EarlyReports,
        sender: SenderId,
        report: Reported,
    ) -> Result<(), EngineError> {
        let Some(spooling) = self.spooling.as_deref() else {
            return self.report(early, sender, report).await;
        };
        if spooling.in_time(self.report(early, sender, report.clone())).await?.is_some() {
            return Ok(());
        }
        let Reported { provider_id, reference, status, refused, note } = report;
        let (status, at) = (status.word().to_owned(), millis(self.now()));
        spooling.keep(&Spooled::Report { sender, provider_id, reference, status, refused, note, at }).await
    }

    /// The one that drains the spool; `None` where there is none. Only one may run in a process.
    #[must_use]
    pub fn spool_drain(&self, early: EarlyReports) -> Option<SpoolDrain> {
        let spool = self.spooling.as_ref()?.spool.clone();
        Some(SpoolDrain { engine: self.clone(), spool, early, current: None })
    }
}

impl Spooling {
    /// What the database said within our patience; `None` when it must wait on disk.
    async fn in_time<T>(&self, asked: impl Future<Output = Result<T, EngineError>>) -> Result<Option<T>, EngineError> {
        if self.spool.is_in_use() {
            return Ok(None);
        }
        match tokio::time::timeout(self.patience, asked).await {
            Ok(Ok(done)) => Ok(Some(done)),
            Ok(Err(error)) if may_pass(&error) => Ok(None),
            Ok(Err(error)) => Err(error),
            // It may still be committed; drained, it is then a replay.
            Err(_) => Ok(None),
        }
    }

    async fn keep(&self, record: &Spooled) -> Result<(), EngineError> {
        self.spool.append(record).await.map_err(|error| match error {
            SpoolError::Full => {
                tracing::error!("the spool is full: carriers are told to send their webhooks again");
                EngineError::Busy
            }
            // Logged by the writer, once for all that waited.
            SpoolError::Disk { .. } => EngineError::Busy,
            SpoolError::Stopped => EngineError::Stopped,
        })
    }
}

/// Whether it may go by itself.
fn may_pass(error: &EngineError) -> bool {
    match error {
        EngineError::Busy | EngineError::Peer(_) => true,
        EngineError::Store(error) => error.may_pass(),
        EngineError::KeyReused | EngineError::Barred(_) | EngineError::Stopped => false,
    }
}

/// Settles what waits on disk, oldest first.
#[derive(Debug)]
pub struct SpoolDrain {
    engine: Engine,
    spool: Spool,
    early: EarlyReports,
    current: Option<Current>,
}

/// The segment that is being drained.
#[derive(Debug)]
struct Current {
    segment: Segment,
    waiting: VecDeque<Record>,
    leave: Leave,
    /// Why it will be put aside, until that was said.
    why: Option<String>,
}

#[derive(Debug)]
struct Record {
    spooled: Spooled,
    tries: u32,
}

/// What a step of the drain did.
#[derive(Debug)]
pub enum Step {
    /// Some were settled; there may be more.
    Settled {
        /// How many.
        count: usize,
        /// How long the oldest of them waited, seconds.
        longest_s: i64,
        /// Why their segment will be put aside, said once: what of it can be settled is.
        put_aside: Option<String>,
    },
    /// Nothing waits.
    Empty,
    /// The database, or the disk, is not there; what waits waits on.
    Away(Away),
}

/// Why nothing can be drained now.
#[derive(Debug, thiserror::Error)]
pub enum Away {
    /// The database.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The disk.
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

impl SpoolDrain {
    /// Whether anything waits.
    #[must_use]
    pub fn is_needed(&self) -> bool {
        self.spool.is_in_use()
    }

    /// Resolves when something waits.
    pub async fn used(&self) {
        self.spool.until(true).await;
    }

    /// Bytes that wait.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.spool.status().bytes
    }

    /// Whom to tell.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Settles up to `most` of what waits.
    pub async fn step(&mut self, most: usize) -> Step {
        if self.current.is_none()
            && let Err(error) = self.open().await
        {
            return Step::Away(error.into());
        }
        let Some(current) = &mut self.current else { return Step::Empty };
        let count = current.waiting.len().min(most);
        let batch: Vec<Record> = current.waiting.drain(..count).collect();
        let now = millis(self.engine.now());
        let longest_s = batch.iter().map(|record| (now - record.spooled.at()) / 1000).max().unwrap_or_default();
        let fates = settle(&self.engine, &self.early, &batch).await;
        let (count, away) = current.take(batch, fates);
        if count == 0
            && let Some(error) = away
        {
            return Step::Away(error.into());
        }
        let put_aside = current.why.take();
        // Whoever looks for a file that was put aside has heard of it before.
        if put_aside.is_none()
            && let Some(done) = self.current.take_if(|current| current.waiting.is_empty())
        {
            self.spool.finish(done.segment, done.leave).await;
        }
        Step::Settled { count, longest_s, put_aside }
    }

    /// Opens the oldest segment, if there is one.
    async fn open(&mut self) -> Result<(), SpoolError> {
        let Some(waiting) = self.spool.oldest().await? else { return Ok(()) };
        let records = waiting.records.into_iter().map(|spooled| Record { spooled, tries: 0 });
        let mut current =
            Current { segment: waiting.segment, waiting: records.collect(), leave: Leave::Nothing, why: None };
        if waiting.damaged_bytes > 0 {
            let bytes = waiting.damaged_bytes;
            current.put_aside(format!("{bytes} bytes of a file of waiting webhooks cannot be read"));
        }
        self.current = Some(current);
        Ok(())
    }
}

impl Current {
    fn put_aside(&mut self, why: String) {
        (self.leave, self.why) = (Leave::Evidence, Some(why));
    }

    /// Keeps in their order what is to be tried again; how many were settled, and why others could not be.
    fn take(&mut self, batch: Vec<Record>, fates: Vec<Fate>) -> (usize, Option<EngineError>) {
        let (mut settled, mut again, mut away) = (0, Vec::new(), None);
        for (record, fate) in batch.into_iter().zip(fates) {
            match fate {
                Fate::Settled => settled += 1,
                Fate::Away(error) => {
                    away = Some(error);
                    again.push(record);
                }
                Fate::Refused if record.tries + 1 < TRIES => again.push(Record { tries: record.tries + 1, ..record }),
                Fate::Refused => self.put_aside("a waiting webhook cannot be settled: see the log".to_owned()),
            }
        }
        for record in again.into_iter().rev() {
            self.waiting.push_front(record);
        }
        (settled, away)
    }
}

/// What became of a record.
#[derive(Debug)]
enum Fate {
    Settled,
    /// Waiting helps.
    Away(EngineError),
    /// It does not.
    Refused,
}

impl From<Result<(), EngineError>> for Fate {
    fn from(result: Result<(), EngineError>) -> Self {
        match result {
            // Of two texts with one name the first stands.
            Ok(()) | Err(EngineError::KeyReused) => Self::Settled,
            Err(EngineError::Stopped) => Self::Away(EngineError::Stopped),
            Err(error) if may_pass(&error) => Self::Away(error),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "a webhook that waited on disk cannot be settled");
                Self::Refused
            }
        }
    }
}

/// Settles records side by side, the texts among them in their order.
async fn settle(engine: &Engine, early: &EarlyReports, batch: &[Record]) -> Vec<Fate> {
    // What breaks off, which its panic reports, was not settled.
    let mut fates: Vec<Fate> = batch.iter().map(|_| Fate::Refused).collect();
    let mut texts = Vec::new();
    let mut reports = JoinSet::new();
    for (fate, (at, record)) in fates.iter_mut().zip(batch.iter().enumerate()) {
        match record.spooled.clone() {
            Spooled::Text { sender, message_id, from, text, carrier_said, .. } => {
                let received = Received { message_id, from, text, carrier_said };
                texts.push((fate, engine.submit(engine.text_act(sender, received))));
            }
            Spooled::Report { sender, provider_id, reference, refused, note, .. } => {
                let Some(status) = record.spooled.status() else {
                    // A word that only a later release knows says nothing to this one.
                    *fate = Fate::Settled;
                    continue;
                };
                let report = Reported { provider_id, reference, status, refused, note };
                let (engine, early) = (engine.clone(), early.clone());
                reports.spawn(async move { (at, engine.report(&early, sender, report).await) });
            }
        }
    }
    for (fate, submitted) in texts {
        let settled = match submitted {
            Ok(submitted) => submitted.settled().await,
            Err(error) => Err(error),
        };
        *fate = settled.map(drop).into();
    }
    while let Some(ended) = reports.join_next().await {
        if let Ok((at, result)) = ended
            && let Some(fate) = fates.get_mut(at)
        {
            *fate = result.into();
        }
    }
    fates
}
