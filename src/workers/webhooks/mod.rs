//! Sends partners what happened to their codes. One line an endpoint, so that one that hangs delays no other; one
//! process an endpoint at a time. What is sent and not written down yet goes out again after a crash: at least once.

mod line;

use crate::domain::ids::PartnerId;
use crate::domain::webhook::EndpointId;
use crate::engine::{Engine, EngineError};
use crate::net::GuardedClient;
use line::Line;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Between two looks for what other processes wrote and for what is due.
const POLL: Duration = Duration::from_millis(500);
/// Between two looks at the most: many commits in a row are one look.
const BREATH: Duration = Duration::from_millis(50);

/// Delivers until `stop` resolves; then what is under way is given a moment.
pub async fn run(engine: Engine, client: GuardedClient, stop: impl Future<Output = ()>) {
    let (stopping, stopped) = watch::channel(false);
    let mut worker = Worker { engine, client, lines: BTreeMap::new(), tasks: JoinSet::new(), stopped };
    tokio::pin!(stop);
    tokio::select! {
        () = &mut stop => {}
        () = worker.work() => {}
    }
    stopping.send_replace(true);
    while worker.tasks.join_next().await.is_some() {}
}

/// Delivers what is due now and returns when every attempt has ended; answers with how many were made.
///
/// # Errors
/// What the database says.
pub async fn deliver_due(engine: &Engine, client: &GuardedClient) -> Result<usize, EngineError> {
    let mut made = 0;
    for work in engine.endpoints_with_work().await? {
        if let Some(lease) = engine.lease_endpoint(&work.id).await? {
            made += Line::new(engine.clone(), client.clone(), lease).drain().await?;
        }
    }
    Ok(made)
}

struct Worker {
    engine: Engine,
    client: GuardedClient,
    /// The lines that run, whose they are, and how they are woken.
    lines: BTreeMap<EndpointId, (PartnerId, Arc<Notify>)>,
    tasks: JoinSet<EndpointId>,
    stopped: watch::Receiver<bool>,
}

impl Worker {
    async fn work(&mut self) {
        loop {
            let looked_at = Instant::now();
            if let Err(error) = self.look().await {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "it cannot be seen now which webhooks are to be sent");
            }
            let news = tokio::select! {
                news = self.engine.feed_news() => news,
                () = tokio::time::sleep(POLL) => BTreeSet::new(),
                Some(ended) = self.tasks.join_next() => {
                    match ended {
                        Ok(id) => drop(self.lines.remove(&id)),
                        // Nobody knows which line broke off; those that still run are found by their lease.
                        Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "a line broke off"),
                    }
                    BTreeSet::new()
                }
            };
            for (_, wake) in self.lines.values().filter(|(partner, _)| news.contains(partner)) {
                wake.notify_one();
            }
            tokio::time::sleep_until(looked_at + BREATH).await;
        }
    }

    /// Starts a line for every free endpoint with work, and wakes those that run.
    async fn look(&mut self) -> Result<(), EngineError> {
        for work in self.engine.endpoints_with_work().await? {
            if let Some((_, wake)) = self.lines.get(&work.id).filter(|(_, wake)| Arc::strong_count(wake) > 1) {
                wake.notify_one();
                continue;
            }
            if !work.is_free {
                continue;
            }
            let Some(lease) = self.engine.lease_endpoint(&work.id).await? else { continue };
            let wake = Arc::new(Notify::new());
            self.lines.insert(work.id.clone(), (work.partner, Arc::clone(&wake)));
            let line = Line::new(self.engine.clone(), self.client.clone(), lease);
            let stopped = self.stopped.clone();
            self.tasks.spawn(async move {
                line.run(wake, stopped).await;
                work.id
            });
        }
        Ok(())
    }
}
