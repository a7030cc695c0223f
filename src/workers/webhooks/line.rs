//! The deliveries to one endpoint: started in the order of the feed, a few under way at once.

use crate::domain::webhook::{EndpointId, Health, Reply};
use crate::engine::{Delivery, EndpointLease, Engine, EngineError, Outgoing, Sent};
use crate::net::{Call, CallError, GuardedClient, Method, Url};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Deliveries under way at once.
const AT_ONCE: usize = 8;
/// Deliveries read at once.
const LOT: u32 = 64;
/// Between the first result and its being written: the others of that moment share the write.
const LINGER: Duration = Duration::from_millis(50);
/// A line without work ends after this.
const IDLE: Duration = Duration::from_secs(5);
/// Between two tries of the database.
const AGAIN: Duration = Duration::from_secs(1);
/// An endpoint that is down is tried with something new no more often than this.
const PROBE: TimeDelta = TimeDelta::minutes(1);
/// What is under way at a stop may take so long; the server's own workers have ten seconds.
const LAST: Duration = Duration::from_secs(3);

/// The deliveries to one endpoint.
pub(super) struct Line {
    engine: Engine,
    client: GuardedClient,
    lease: EndpointLease,
    /// Every event of the feed up to this was started.
    started: u64,
    /// Read and not started yet.
    next: VecDeque<Delivery>,
    flying: JoinSet<Sent>,
    /// Numbers that are under way, or back and not written down.
    busy: BTreeSet<i64>,
    /// Of them, those under way that came from the feed.
    fresh: BTreeSet<u64>,
    /// Back and not written down.
    sent: Vec<Sent>,
    /// How the endpoint fares with what is not written down yet.
    health: Health,
    /// It is too busy and left alone until then.
    quiet_until: Option<DateTime<Utc>>,
    probed_at: Option<DateTime<Utc>>,
    /// There may be more to read.
    may_have_more: bool,
    settle_at: Option<Instant>,
    made: usize,
}

/// Whether the line goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goes {
    On,
    /// The endpoint is another's, changed, gone or disabled.
    Over,
}

impl Line {
    pub(super) fn new(engine: Engine, client: GuardedClient, lease: EndpointLease) -> Self {
        let (started, health) = (lease.endpoint().taken_no, lease.endpoint().health);
        Self {
            engine,
            client,
            lease,
            started,
            next: VecDeque::new(),
            flying: JoinSet::new(),
            busy: BTreeSet::new(),
            fresh: BTreeSet::new(),
            sent: Vec::new(),
            health,
            quiet_until: None,
            probed_at: None,
            may_have_more: true,
            settle_at: None,
            made: 0,
        }
    }

    /// Delivers until there is nothing to do for a while, the endpoint is another's, or a stop was asked for.
    pub(super) async fn run(mut self, wake: Arc<Notify>, mut stopped: watch::Receiver<bool>) {
        loop {
            let step = self.step(&wake, &mut stopped).await;
            match step {
                Ok(Goes::On) => {}
                Ok(Goes::Over) => break,
                Err(error) => {
                    say(&self.lease.endpoint().id, &error);
                    self.settle_at = Some(Instant::now() + AGAIN);
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
        let landing = async {
            while let Some(done) = self.flying.join_next().await {
                self.landed(done.ok());
            }
        };
        // What does not come back in time is sent again by whoever has the endpoint next.
        let _ = tokio::time::timeout(LAST, landing).await;
        let id = self.lease.endpoint().id.clone();
        if let Err(error) = self.finish().await {
            say(&id, &error);
        }
    }

    async fn step(&mut self, wake: &Notify, stopped: &mut watch::Receiver<bool>) -> Result<Goes, EngineError> {
        let is_due = self.settle_at.is_some_and(|at| at <= Instant::now());
        if (is_due || self.lease.is_aging(self.engine.now())) && self.settle().await? == Goes::Over {
            return Ok(Goes::Over);
        }
        if self.fill().await? == Goes::Over {
            return Ok(Goes::Over);
        }
        let settle_at = self.settle_at;
        tokio::select! {
            Some(done) = self.flying.join_next() => self.landed(done.ok()),
            () = async { tokio::time::sleep_until(settle_at.unwrap_or_else(Instant::now)).await }, if settle_at.is_some() => {}
            () = wake.notified() => self.may_have_more = true,
            () = tokio::time::sleep(IDLE) => {
                // One that is left alone for a while keeps its line, which knows for how long.
                let waits = self.health.is_down() || self.is_quiet(self.engine.now());
                if self.flying.is_empty() && settle_at.is_none() && !waits {
                    return Ok(Goes::Over);
                }
                self.may_have_more = true;
            }
            _ = stopped.wait_for(|stopped| *stopped) => return Ok(Goes::Over),
        }
        Ok(Goes::On)
    }

    /// Delivers what is due now; answers with how many attempts were made.
    pub(super) async fn drain(mut self) -> Result<usize, EngineError> {
        loop {
            self.may_have_more = true;
            if self.fill().await? == Goes::Over {
                break;
            }
            if let Some(done) = self.flying.join_next().await {
                self.landed(done.ok());
                while let Some(done) = self.flying.try_join_next() {
                    self.landed(done.ok());
                }
            } else if self.settle_at.is_none() {
                break;
            }
            if self.settle_at.is_some() && self.settle().await? == Goes::Over {
                break;
            }
        }
        let made = self.made;
        self.finish().await?;
        Ok(made)
    }

    fn is_quiet(&self, now: DateTime<Utc>) -> bool {
        self.quiet_until.is_some_and(|until| now < until)
    }

    /// Starts what may be started.
    async fn fill(&mut self) -> Result<Goes, EngineError> {
        let now = self.engine.now();
        while !self.is_quiet(now) {
            if self.next.is_empty() && self.may_have_more && self.read().await? == Goes::Over {
                return Ok(Goes::Over);
            }
            let Some(delivery) = self.next.pop_front() else { break };
            if !self.may_start(&delivery, now) {
                self.next.push_front(delivery);
                break;
            }
            self.start(delivery, now);
        }
        Ok(Goes::On)
    }

    /// Reads the next lot. Whoever changed the endpoint took the lease away, which shows here.
    async fn read(&mut self) -> Result<Goes, EngineError> {
        let Some(lot) = self.engine.next_deliveries(&self.lease, self.started, LOT).await? else {
            return Ok(Goes::Over);
        };
        self.may_have_more = lot.len() >= usize::try_from(LOT).unwrap_or(usize::MAX);
        self.next.extend(lot.into_iter().filter(|one| !one.is_retry || !self.busy.contains(&one.no)));
        Ok(Goes::On)
    }

    fn may_start(&self, delivery: &Delivery, now: DateTime<Utc>) -> bool {
        if !self.health.is_down() {
            return self.flying.len() < AT_ONCE;
        }
        let may_probe = delivery.is_retry || self.probed_at.is_none_or(|at| now - at >= PROBE);
        self.flying.is_empty() && may_probe
    }

    fn start(&mut self, delivery: Delivery, now: DateTime<Utc>) {
        self.probed_at = Some(now);
        if !delivery.is_retry {
            self.started = u64::try_from(delivery.no).unwrap_or(self.started);
        }
        let Some(outgoing) = self.lease.outgoing(&delivery, now) else {
            let reply = Reply::Answered { status: 204, retry_after: None };
            self.sent.push(Sent { delivery, reply });
            self.note();
            return;
        };
        self.busy.insert(delivery.no);
        if !delivery.is_retry {
            self.fresh.insert(self.started);
        }
        self.made += 1;
        let client = self.client.clone();
        self.flying.spawn(async move { Sent { delivery, reply: post(&client, outgoing).await } });
    }

    /// Takes in what came back; a task that broke off counts as never started, and its lease ends it.
    fn landed(&mut self, done: Option<Sent>) {
        let Some(sent) = done else { return };
        if let Ok(no) = u64::try_from(sent.delivery.no) {
            self.fresh.remove(&no);
        }
        let now = self.engine.now();
        let was_down = self.health.is_down();
        if sent.delivery.no > 0 || sent.reply.is_taken() {
            self.health.count(&sent.reply, now);
        }
        if was_down && !self.health.is_down() {
            // What waits goes first.
            self.next.clear();
            self.may_have_more = true;
        }
        if let Some(wait) = sent.reply.wanted_wait() {
            // Of several answers at once the one that asks for most counts.
            self.quiet_until = self.quiet_until.max(Some(now + wait));
        }
        self.sent.push(sent);
        self.note();
    }

    fn note(&mut self) {
        self.settle_at.get_or_insert_with(|| Instant::now() + LINGER);
    }

    /// Writes down what came back.
    async fn settle(&mut self) -> Result<Goes, EngineError> {
        let taken = self.fresh.first().map_or(self.started, |first| first - 1);
        if !self.engine.settle_deliveries(&mut self.lease, taken, &self.sent).await? {
            self.sent.clear();
            self.settle_at = None;
            return Ok(Goes::Over);
        }
        for sent in self.sent.drain(..) {
            self.busy.remove(&sent.delivery.no);
        }
        self.health = self.lease.endpoint().health;
        self.settle_at = None;
        Ok(if self.lease.endpoint().disabled.is_some() { Goes::Over } else { Goes::On })
    }

    async fn finish(mut self) -> Result<(), EngineError> {
        self.flying.abort_all();
        if self.settle_at.is_some() {
            self.settle().await?;
        }
        self.engine.release_endpoint(self.lease).await
    }
}

fn say(endpoint: &EndpointId, error: &EngineError) {
    let error = error as &dyn std::error::Error;
    tracing::warn!(error, endpoint.id = endpoint.as_str(), "what came of webhooks cannot be written down now");
}

/// Makes one call.
async fn post(client: &GuardedClient, outgoing: Outgoing) -> Reply {
    let Outgoing { url, headers, body } = outgoing;
    let Ok(url) = Url::parse(&url) else {
        return Reply::Unanswered("the address cannot be read".to_owned());
    };
    let call = Call { method: Method::POST, url, headers, body: body.into_bytes(), within: None };
    match client.call(call).await {
        Ok(answer) => {
            let retry_after = answer.retry_after().and_then(|wait| TimeDelta::from_std(wait).ok());
            Reply::Answered { status: answer.status, retry_after }
        }
        // Nobody reads the answer; its status counts.
        Err(CallError::TooLong { status, .. }) => Reply::Answered { status, retry_after: None },
        Err(error @ (CallError::Unreachable(_) | CallError::Unanswered(_))) => Reply::Unanswered(error.to_string()),
    }
}
