//! Asks carriers for the texts that came while nobody here took them: after a start, after an outage, and where a
//! webhook was refused. They are settled under the names their webhooks have, so none counts twice.

use crate::domain::alert::AlertKind;
use crate::domain::catalog::SenderRow;
use crate::domain::ids::SenderId;
use crate::domain::phone::SenderAddress;
use crate::engine::{Engine, EngineError, Received};
use crate::sms::{Inbound, Registry, SendError, SmsProvider};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// How often the marks are moved along; a write a number.
const BEAT: Duration = Duration::from_secs(30);
/// A mark older than this was left by an outage: three beats.
const GAP: TimeDelta = TimeDelta::seconds(90);
/// Carriers' lists lag and clocks differ: so much more is asked for, and again until so long after an outage.
const OVERLAP: TimeDelta = TimeDelta::minutes(2);
/// Older texts are not answered any more: who texted yesterday has gone home.
const LONGEST: TimeDelta = TimeDelta::hours(24);
/// Texts settled at once: they share commits and leave room in the queue for fresh ones.
const AT_ONCE: usize = 64;

/// The task that catches up; one a process.
#[derive(Debug)]
pub struct CatchUp {
    engine: Engine,
    carriers: Registry,
    /// Numbers asked for since this process started, under which carrier, and whether it keeps a list.
    asked: BTreeMap<SenderId, (String, Keeps)>,
    /// Numbers that are to be asked for at every look, and from when on.
    owed: BTreeMap<SenderId, DateTime<Utc>>,
}

/// Whether a carrier keeps a list of texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keeps {
    List,
    Nothing,
}

/// Why a number is still owed a look.
#[derive(Debug, thiserror::Error)]
enum Owed {
    #[error("the carrier could not be asked")]
    Carrier(#[from] SendError),
    #[error("its texts could not be settled")]
    Engine(#[from] EngineError),
}

impl CatchUp {
    /// A watcher over those carriers.
    #[must_use]
    pub fn new(engine: Engine, carriers: Registry) -> Self {
        Self { engine, carriers, asked: BTreeMap::new(), owed: BTreeMap::new() }
    }

    /// Watches until `stop` resolves.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => return,
                () = async { self.beat().await; tokio::time::sleep(BEAT).await; } => {}
            }
        }
    }

    /// One look at every number; answers with how many texts were new.
    pub async fn beat(&mut self) -> usize {
        for (sender, since) in self.engine.take_refused() {
            let owed = self.owed.entry(sender).or_insert(since);
            *owed = (*owed).min(since);
        }
        let catalog = self.engine.catalog();
        let mut new = 0;
        for sender in catalog.senders.values() {
            let Some(carrier) = self.carriers.get(&sender.carrier).cloned() else { continue };
            let asked = self.asked.get(&sender.id).filter(|(carrier, _)| *carrier == sender.carrier);
            let keeps = asked.map(|(_, keeps)| *keeps);
            if keeps == Some(Keeps::Nothing) {
                self.owed.remove(&sender.id);
                continue;
            }
            match self.look(sender, &carrier, keeps.is_none()).await {
                Ok((keeps, texts)) => {
                    self.asked.insert(sender.id, (sender.carrier.clone(), keeps));
                    new += texts;
                }
                Err(error) => self.failed(sender, &error).await,
            }
        }
        new
    }

    /// Asks for what one number missed, and moves its mark along.
    async fn look(
        &mut self,
        sender: &SenderRow,
        carrier: &Arc<dyn SmsProvider>,
        is_first: bool,
    ) -> Result<(Keeps, usize), Owed> {
        let now = self.engine.now();
        let mark = self.engine.seen_until(sender.id).await?.unwrap_or(now);
        let is_gap = is_first || now - mark > GAP;
        let since = [is_gap.then_some(mark), self.owed.get(&sender.id).copied()].into_iter().flatten().min();
        let mut new = 0;
        if let (Some(since), Ok(address)) = (since, SenderAddress::parse(&sender.address)) {
            let Some(texts) = carrier.pull(&address, (since - OVERLAP).max(now - LONGEST)).await? else {
                return Ok((Keeps::Nothing, 0));
            };
            new = self.settle(sender, texts).await?;
            self.owed.retain(|id, since| *id != sender.id || now - *since <= OVERLAP);
        }
        self.engine.note_seen(sender.id, now).await?;
        if is_gap {
            // What came in its last moments may be listed a moment from now.
            self.owed.entry(sender.id).or_insert(now);
        }
        if new > 0 {
            tracing::info!(sender.id = sender.id.0, "caught up with {new} texts that came while we were away");
        }
        Ok((Keeps::List, new))
    }

    /// Settles the texts that are not settled yet, in their order.
    async fn settle(&self, sender: &SenderRow, texts: Vec<Inbound>) -> Result<usize, EngineError> {
        let is_ours = |text: &Inbound| SenderAddress::parse(&text.to).is_ok_and(|to| to.as_str() == sender.address);
        let names: Vec<_> = texts.iter().map(|text| text.message_id.as_str()).collect();
        let known = self.engine.settled_texts(&sender.address, &names).await?;
        let fresh = texts.into_iter().filter(|text| is_ours(text) && !known.contains(&text.message_id));
        let (mut under_way, mut new) = (JoinSet::new(), 0);
        for text in fresh {
            if under_way.len() >= AT_ONCE {
                new += finish(under_way.join_next().await)?;
            }
            let (engine, id) = (self.engine.clone(), sender.id);
            under_way.spawn(async move { receive(&engine, id, text).await });
        }
        while let Some(done) = under_way.join_next().await {
            new += finish(Some(done))?;
        }
        Ok(new)
    }

    async fn failed(&mut self, sender: &SenderRow, error: &Owed) {
        tracing::warn!(
            error = error as &dyn std::error::Error,
            sender.id = sender.id.0,
            "texts that came while we were away could not be asked for; the next look does"
        );
        if let Owed::Carrier(SendError::Config { code, .. }) = error {
            let detail = format!("its carrier does not let us read what came while we were away: {code}");
            self.engine.raise(AlertKind::CarrierAccount, &sender.address, detail).await;
        }
    }
}

async fn receive(engine: &Engine, sender: SenderId, text: Inbound) -> Result<usize, EngineError> {
    let Inbound { message_id, from, text, opt_out, .. } = text;
    match engine.receive_text(sender, Received { message_id, from, text, carrier_said: opt_out }).await {
        // A webhook that says it in other words came first, and stands.
        Err(EngineError::KeyReused) => Ok(0),
        done => done.map(|_| 1),
    }
}

/// A task that broke off is looked at again like one that failed.
fn finish(done: Option<Result<Result<usize, EngineError>, tokio::task::JoinError>>) -> Result<usize, EngineError> {
    match done {
        None => Ok(0),
        Some(Ok(result)) => result,
        Some(Err(_)) => Err(EngineError::Stopped),
    }
}
