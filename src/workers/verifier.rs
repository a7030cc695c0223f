//! Lives with the systems that honour our codes: looks at stock ahead of use, keeps promises, asks about codes that are
//! out. One task a system, so that a slow one keeps no other waiting.

use crate::domain::alert::AlertKind;
use crate::domain::campaign::{Campaign, Status};
use crate::engine::{Engine, EngineError, Look};
use crate::redemption::{BreakerState, Guarded, Peer as _};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Between two rounds while there is nothing to look at; a promise waits no longer than this for its code.
const IDLE: Duration = Duration::from_millis(500);
/// Between two rounds while there is more to look at: the guard paces the calls.
const BUSY: Duration = Duration::from_millis(10);
/// After a call that failed: the guard's breaker does the rest.
const FAILED: Duration = Duration::from_secs(1);
/// Between two looks at reports without a code, and at a feed.
const SELDOM: Duration = Duration::from_secs(30);

/// Runs one task a system until `stop` resolves.
pub async fn run(engine: Engine, stop: impl Future<Output = ()>) {
    let mut tasks = JoinSet::new();
    for peer in engine.parts().peers.all() {
        let verifier = Verifier { engine: engine.clone(), peer: Arc::clone(peer), is_open: false, seldom_at: None };
        tasks.spawn(verifier.run());
    }
    stop.await;
    tasks.shutdown().await;
}

/// The life with one system.
struct Verifier {
    engine: Engine,
    peer: Arc<Guarded>,
    /// The breaker was open at the last look.
    is_open: bool,
    seldom_at: Option<Instant>,
}

impl Verifier {
    async fn run(mut self) {
        loop {
            let wait = match self.round().await {
                Ok(wait) => wait,
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, peer = self.peer.name(), "codes cannot be verified now");
                    FAILED
                }
            };
            tokio::time::sleep(wait).await;
        }
    }

    /// One look at every pool of the system's campaigns; how long to wait then.
    async fn round(&mut self) -> Result<Duration, EngineError> {
        let mut wait = IDLE;
        for (campaign, name, _) in self.engine.peers_campaigns() {
            if name == self.peer.name() && campaign.status == Status::Live {
                wait = wait.min(self.serve(&campaign).await?);
            }
        }
        self.watch_breaker().await;
        if self.seldom_at.is_none_or(|at| at.elapsed() >= SELDOM) {
            self.seldom_at = Some(Instant::now());
            self.engine.match_kept_events().await?;
            if self.peer.capabilities().polls_events {
                while self.engine.poll_peer(&self.peer).await? {}
            }
        }
        Ok(wait)
    }

    async fn serve(&self, campaign: &Campaign) -> Result<Duration, EngineError> {
        let mut wait = IDLE;
        for pool in &campaign.pools {
            wait = wait.min(match self.engine.look_at_pool(campaign, pool, &self.peer).await? {
                Look::Looked { .. } => BUSY,
                Look::Enough | Look::Paused | Look::Elsewhere => IDLE,
                Look::Failed(error) => {
                    tracing::debug!(error = &error as &dyn std::error::Error, peer = self.peer.name(), "a look failed");
                    FAILED
                }
            });
        }
        if self.engine.keep_promises(campaign).await? > 0 {
            wait = BUSY;
        }
        self.engine.excuse_late(campaign).await?;
        self.engine.check_issued(campaign, &self.peer).await?;
        Ok(wait)
    }

    async fn watch_breaker(&mut self) {
        let about = format!("peer {}", self.peer.name());
        let is_open = match self.peer.breaker() {
            BreakerState::Open => true,
            BreakerState::Closed => false,
            // It is being tried: what was said of it stands.
            BreakerState::HalfOpen => self.is_open,
        };
        match (self.is_open, is_open) {
            (false, true) => {
                let detail = "it fails so often that it is asked only now and then; promises wait";
                self.engine.raise(AlertKind::BreakerOpen, &about, detail).await;
            }
            (true, false) => self.engine.clear(AlertKind::BreakerOpen, &about).await,
            (true, true) | (false, false) => {}
        }
        self.is_open = is_open;
    }
}
