//! Hands messages to carriers: fresh ones as they are committed, orphans and retries from the table.
//!
//! A message belongs to this process until its lease runs out. Waits in memory may outlast that; such a message is let
//! go and taken from the table again, by whoever comes first.

mod attempt;

use crate::config::SenderConfig;
use crate::domain::act::MessageStatus;
use crate::domain::decision::changes::NewMessage;
use crate::domain::ids::SenderId;
use crate::engine::{Due, EarlyReports, Engine};
use crate::sms::Registry;
use attempt::Hands;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::{Id, JoinSet};

/// Messages kept in memory beyond the fresh ones; the table keeps the rest in order.
const MAX_TAKEN: usize = 1024;
/// The table is looked at again this soon when more was due than we took.
const SOON: TimeDelta = TimeDelta::seconds(1);

/// The task that sends; one a process.
#[derive(Debug)]
pub struct Sender {
    hands: Arc<Hands>,
    lanes: HashMap<SenderId, Lane>,
    /// Attempts under way, by their task.
    under_way: HashMap<Id, (SenderId, [u8; 16])>,
    attempts: JoinSet<Option<DateTime<Utc>>>,
    look_at: DateTime<Utc>,
}

/// What waits for one number of ours, in the order in which it leaves: answers to STOP, HELP and START first.
#[derive(Debug, Default)]
struct Lane {
    waiting: BTreeMap<(bool, DateTime<Utc>, [u8; 16]), Due>,
    running: usize,
}

impl Sender {
    /// A sender over those carriers. `early` is shared with the door that takes their reports.
    #[must_use]
    pub fn new(engine: Engine, carriers: Registry, early: EarlyReports, config: SenderConfig) -> Self {
        let look_at = engine.now();
        Self {
            hands: Arc::new(Hands::new(engine, carriers, early, config)),
            lanes: HashMap::new(),
            under_way: HashMap::new(),
            attempts: JoinSet::new(),
            look_at,
        }
    }

    /// Sends until `stop` resolves, then finishes what is under way and lets the rest go to the next process.
    pub async fn run(mut self, mut fresh: mpsc::UnboundedReceiver<NewMessage>, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        loop {
            let look = tokio::time::sleep(self.until_look());
            tokio::select! {
                () = &mut stop => break,
                Some(message) = fresh.recv() => {
                    let due = self.fresh(message);
                    self.push(due);
                }
                Some(ended) = self.attempts.join_next_with_id() => self.ended(ended),
                () = look => self.look().await,
            }
        }
        while self.attempts.join_next().await.is_some() {}
    }

    /// A message that was committed a moment ago, under the lease of its batch.
    #[must_use]
    pub fn fresh(&self, message: NewMessage) -> Due {
        let sizes = self.hands.engine.parts().sizes;
        Due {
            status: MessageStatus::Queued,
            attempts: 0,
            doubts: 0,
            lease_until: message.created_at + TimeDelta::milliseconds(sizes.lease_ms),
            message,
        }
    }

    /// One attempt to hand over one message that is ours; when the table is to be looked at again for it.
    pub async fn attempt(&self, due: Due) -> Option<DateTime<Utc>> {
        self.hands.attempt(due).await
    }

    fn until_look(&self) -> Duration {
        let wait = self.look_at - self.hands.engine.now();
        wait.to_std().unwrap_or_default()
    }

    /// Takes what is due from the table.
    async fn look(&mut self) {
        let now = self.hands.engine.now();
        let held: usize = self.lanes.values().map(|lane| lane.waiting.len()).sum();
        let room = MAX_TAKEN.saturating_sub(held);
        self.look_at = now + self.hands.lease();
        if room == 0 {
            self.look_at = now + SOON;
            return;
        }
        let limit = u32::try_from(room).unwrap_or(u32::MAX);
        match self.hands.engine.claim_due(self.hands.lease(), limit).await {
            Ok(taken) => {
                if taken.len() == room {
                    self.look_at = now + SOON;
                }
                for due in taken {
                    self.push(due);
                }
            }
            Err(error) => {
                self.look_at = now + SOON;
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "messages that are due cannot be read; they wait"
                );
            }
        }
    }

    /// Puts a message in its lane; one that waits there already gets its new lease.
    fn push(&mut self, due: Due) {
        let id = due.message.id;
        if self.under_way.values().any(|(_, running)| *running == id) {
            return;
        }
        let sender = due.message.sender;
        let key = (!due.message.reply.is_compliance(), due.message.created_at, id);
        let lane = self.lanes.entry(sender).or_default();
        lane.waiting.insert(key, due);
        self.pump(sender);
    }

    fn pump(&mut self, sender: SenderId) {
        let Some(lane) = self.lanes.get_mut(&sender) else {
            return;
        };
        while lane.running < self.hands.config.in_flight {
            let Some((_, due)) = lane.waiting.pop_first() else {
                return;
            };
            let id = due.message.id;
            let hands = Arc::clone(&self.hands);
            let task = self.attempts.spawn(async move { hands.attempt(due).await });
            self.under_way.insert(task.id(), (sender, id));
            lane.running += 1;
        }
    }

    fn ended(&mut self, ended: Result<(Id, Option<DateTime<Utc>>), tokio::task::JoinError>) {
        let (task, look_at) = match ended {
            Ok((task, look_at)) => (task, look_at),
            Err(error) => {
                let task = error.id();
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "an attempt to send broke off; the message is taken up when its lease ends"
                );
                (task, None)
            }
        };
        if let Some(at) = look_at {
            self.look_at = self.look_at.min(at);
        }
        if let Some((sender, _)) = self.under_way.remove(&task) {
            if let Some(lane) = self.lanes.get_mut(&sender) {
                lane.running -= 1;
            }
            self.pump(sender);
        }
    }
}
