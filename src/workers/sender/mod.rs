//! Hands messages to carriers: fresh ones as they are committed, orphans and retries from the table.
//!
//! A message belongs to this process until its lease runs out. Waits in memory may outlast that; such a message is let
//! go and taken from the table again, by whoever comes first. Processes share the rates by their number (ADR 0011).

mod answer;
mod attempt;
mod lanes;
mod meter;
mod write;

use crate::config::SenderConfig;
use crate::domain::act::MessageStatus;
use crate::domain::decision::changes::NewMessage;
use crate::domain::ids::SenderId;
use crate::engine::{Due, EarlyReports, Engine, draw};
use crate::sms::Registry;
use attempt::{Hands, Over, Prepared};
use chrono::{DateTime, TimeDelta, Utc};
use lanes::{Key, Lanes, News, Next, Ready};
use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;

/// The table is looked at again this soon when more was due than we took.
const SOON: TimeDelta = TimeDelta::seconds(1);
/// How often a process says that it sends.
const BEAT: Duration = Duration::from_secs(10);
/// How long it counts after it said so last: two beats may be missed.
const BEAT_LIFE: TimeDelta = TimeDelta::seconds(30);

/// The task that sends; one a process.
#[derive(Debug)]
pub struct Sender {
    hands: Arc<Hands>,
    lanes: Lanes<Due, Prepared>,
    tasks: JoinSet<Done>,
    /// What is under way, by its task.
    under_way: HashMap<Id, Task>,
    look_at: DateTime<Utc>,
    process: [u8; 16],
    beat_at: Instant,
    /// Processes that send, this one included.
    processes: u32,
}

/// What a task works on.
#[derive(Debug, Clone)]
enum Task {
    Prepare(SenderId, Key),
    HandOver(SenderId, Key, String),
    Check(SenderId),
}

/// What came of it.
#[derive(Debug)]
enum Done {
    Prepared(Box<Result<Prepared, Over>>),
    HandedOver(Over),
    Checked(News),
}

fn key_of(due: &Due) -> Key {
    (due.message.reply.priority(), due.message.created_at, due.message.id)
}

impl Sender {
    /// A sender over those carriers. `early` is shared with the door that takes their reports.
    #[must_use]
    pub fn new(engine: Engine, carriers: Registry, early: EarlyReports, config: SenderConfig) -> Self {
        let look_at = engine.now();
        Self {
            lanes: Lanes::new(config.in_flight),
            hands: Arc::new(Hands::new(engine, carriers, early, config)),
            tasks: JoinSet::new(),
            under_way: HashMap::new(),
            look_at,
            process: draw(),
            beat_at: Instant::now(),
            processes: 1,
        }
    }

    /// Sends until `stop` resolves, then finishes what is under way and lets the rest go to the next process.
    pub async fn run(mut self, mut fresh: mpsc::UnboundedReceiver<NewMessage>, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        loop {
            self.beat().await;
            let wake = self.start();
            let wake = wake.map_or(self.beat_at, |wake| wake.min(self.beat_at));
            let look = tokio::time::sleep(self.until_look());
            tokio::select! {
                () = &mut stop => break,
                Some(message) = fresh.recv() => {
                    if self.lanes.keeps(message.sender, message.reply.priority()) {
                        let due = self.fresh(message);
                        self.push(due);
                    }
                }
                Some(ended) = self.tasks.join_next_with_id() => self.ended(ended),
                () = look => self.look().await,
                () = tokio::time::sleep_until(wake) => {}
            }
        }
        while self.tasks.join_next().await.is_some() {}
        if let Err(error) = self.hands.engine.leave(self.process).await {
            // The others see it by its silence.
            tracing::debug!(error = &error as &dyn std::error::Error, "a process that stops sending cannot say so");
        }
    }

    /// A message that was committed a moment ago, under the lease of its batch.
    #[must_use]
    pub fn fresh(&self, message: NewMessage) -> Due {
        let sizes = self.hands.engine.parts().sizes;
        Due {
            status: MessageStatus::Queued,
            attempts: 0,
            doubts: 0,
            in_doubt: false,
            marked_at: None,
            lease_until: message.created_at + TimeDelta::milliseconds(sizes.lease_ms),
            message,
        }
    }

    /// One attempt to hand over one message that is ours, at once; when the table is to be looked at again for it.
    pub async fn attempt(&self, due: Due) -> Option<DateTime<Utc>> {
        match self.hands.prepare(due).await {
            Ok(prepared) => self.hands.hand_over(prepared, true).await.look_at,
            Err(over) => over.look_at,
        }
    }

    /// Says that this process sends, and learns how many do.
    async fn beat(&mut self) {
        let now = Instant::now();
        if now < self.beat_at {
            return;
        }
        self.beat_at = now + BEAT;
        match self.hands.engine.beat(self.process, BEAT_LIFE).await {
            Ok(processes) => self.processes = processes,
            Err(error) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the processes that send cannot be counted; the last count stands"
            ),
        }
    }

    fn until_look(&self) -> Duration {
        let wait = self.look_at - self.hands.engine.now();
        wait.to_std().unwrap_or_default()
    }

    /// Takes what is due from the table, a number at a time.
    async fn look(&mut self) {
        let now = self.hands.engine.now();
        self.look_at = now + self.hands.lease();
        let catalog = self.hands.engine.catalog();
        for sender in catalog.senders.keys() {
            let room = u32::try_from(self.lanes.room(*sender)).unwrap_or(u32::MAX);
            match self.hands.engine.claim_due(*sender, self.hands.lease(), room).await {
                Ok(taken) => {
                    if taken.len() >= self.lanes.room(*sender) {
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
                    break;
                }
            }
        }
        self.say_queues(now);
        for sender in self.lanes.checks(Instant::now()) {
            let hands = Arc::clone(&self.hands);
            let task = self.tasks.spawn(async move { Done::Checked(hands.check(sender).await) });
            self.under_way.insert(task.id(), Task::Check(sender));
        }
    }

    fn say_queues(&self, now: DateTime<Utc>) {
        for (sender, waiting, oldest, is_paused) in self.lanes.queues() {
            tracing::info!(
                sender.id = sender.0,
                queue.waiting = waiting,
                queue.oldest_ms = (now - oldest).num_milliseconds(),
                queue.paused = is_paused,
                queue.processes = self.processes,
                "{waiting} messages wait to leave"
            );
        }
    }

    fn push(&mut self, due: Due) {
        let renew = |ready: &mut Prepared, due: Due| ready.due.lease_until = due.lease_until;
        self.lanes.push(due.message.sender, key_of(&due), due, Instant::now(), renew);
    }

    /// Starts all that can be started; when the next could be.
    fn start(&mut self) -> Option<Instant> {
        while let Some((sender, key, due)) = self.lanes.prepare() {
            let hands = Arc::clone(&self.hands);
            let task = self.tasks.spawn(async move { Done::Prepared(Box::new(hands.prepare(due).await)) });
            self.under_way.insert(task.id(), Task::Prepare(sender, key));
        }
        loop {
            match self.lanes.next(Instant::now()) {
                Next::Go { sender, key, ready, is_suspect } => {
                    let (hands, account) = (Arc::clone(&self.hands), ready.account);
                    let prepared = ready.what;
                    let task =
                        self.tasks.spawn(async move { Done::HandedOver(hands.hand_over(prepared, is_suspect).await) });
                    self.under_way.insert(task.id(), Task::HandOver(sender, key, account));
                }
                Next::At(wake) => return wake,
            }
        }
    }

    fn ended(&mut self, ended: Result<(Id, Done), JoinError>) {
        let (id, done) = match ended {
            Ok((id, done)) => (id, Some(done)),
            Err(error) => {
                let id = error.id();
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "an attempt to send broke off; the message is taken up when its lease ends"
                );
                (id, None)
            }
        };
        let Some(task) = self.under_way.remove(&id) else { return };
        let now = Instant::now();
        let (mut over, mut ready) = (None, None);
        match done {
            Some(Done::Prepared(prepared)) => match *prepared {
                Ok(prepared) => ready = Some(self.ready(prepared)),
                Err(ended) => over = Some(ended),
            },
            Some(Done::HandedOver(ended)) => over = Some(ended),
            Some(Done::Checked(news)) => over = Some(Over { look_at: None, news }),
            None => {}
        }
        if let Some(at) = over.as_ref().and_then(|over| over.look_at) {
            self.look_at = self.look_at.min(at);
        }
        let news = over.map_or(News::Nothing, |over| over.news);
        match task {
            Task::Prepare(sender, key) => self.lanes.prepared(sender, key, ready),
            Task::HandOver(sender, key, account) => self.lanes.left(sender, key, &account, news, now),
            Task::Check(sender) => self.lanes.learn(sender, news, now),
        }
    }

    fn ready(&self, prepared: Prepared) -> Ready<Prepared> {
        let share = f64::from(self.processes);
        let rates = self.hands.rates(&prepared).map(|rate| rate.map(|rate| f64::from(rate) / share));
        let account = prepared.carrier.name().to_owned();
        Ready { account, rates, segments: prepared.composed.segments, what: prepared }
    }
}
