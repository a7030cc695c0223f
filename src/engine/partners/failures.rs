//! Calls that were not let in, and why: kept for operators, written in small batches off the request's way.

use super::jws::Flaw;
use crate::domain::partner::ClientId;
use crate::engine::{Engine, EngineError};
use crate::store::partners::credentials::{self, AuthFailure};
use chrono::Duration;
use tokio::sync::mpsc;

/// Failures that may wait to be written; under attack what does not fit is dropped.
const WAITING: usize = 2_000;
/// Failures in one statement.
const BATCH: usize = 100;
/// How long a failure can be asked about.
const KEPT: Duration = Duration::days(7);
/// Between two looks at what is old.
const PRUNE_EVERY: std::time::Duration = std::time::Duration::from_mins(5);

/// Where doors say whom they did not let in; cheap to clone.
#[derive(Debug, Clone)]
pub struct FailureLog {
    engine: Engine,
    waiting: mpsc::Sender<AuthFailure>,
}

/// What was said there, to be written; one a process.
#[derive(Debug)]
pub struct FailureNotes {
    engine: Engine,
    said: mpsc::Receiver<AuthFailure>,
}

impl FailureLog {
    /// The two ends.
    #[must_use]
    pub fn open(engine: &Engine) -> (Self, FailureNotes) {
        let (waiting, said) = mpsc::channel(WAITING);
        (Self { engine: engine.clone(), waiting }, FailureNotes { engine: engine.clone(), said })
    }

    /// Notes why a request was not let in.
    pub fn note(&self, request_id: &str, flaw: Flaw, client: Option<&ClientId>) {
        let failure = AuthFailure {
            request_id: request_id.to_owned(),
            failed_at: self.engine.parts().clock.now(),
            reason: flaw.to_string(),
            client: client.map(ToString::to_string),
        };
        // The answer does not depend on it: under attack some reasons are lost.
        let _ = self.waiting.try_send(failure);
    }
}

impl FailureNotes {
    /// Writes what has been said; waits for the first. `false` when nobody is left to say anything.
    ///
    /// # Errors
    /// What the database says; what could not be written is lost.
    pub async fn write(&mut self) -> Result<bool, EngineError> {
        let mut failures = Vec::with_capacity(BATCH);
        if self.said.recv_many(&mut failures, BATCH).await == 0 {
            return Ok(false);
        }
        credentials::note_failures(&self.engine.parts().store, &failures).await?;
        Ok(true)
    }

    /// Writes, and drops what is old, until nobody is left to say anything or `stop` resolves.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        let mut prune = tokio::time::interval(PRUNE_EVERY);
        loop {
            let done = tokio::select! {
                () = &mut stop => break,
                written = self.write() => written,
                _ = prune.tick() => self.engine.prune_partners().await.map(|()| true),
            };
            match done {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "refused calls could not be noted");
                }
            }
        }
        self.said.close();
        while self.write().await.is_ok_and(|is_more| is_more) {}
    }
}

impl Engine {
    /// Drops assertions and revoked tokens that have ended by themselves, and failures that nobody asks about.
    ///
    /// # Errors
    /// What the database says.
    pub async fn prune_partners(&self) -> Result<(), EngineError> {
        let parts = self.parts();
        let now = parts.clock.now();
        Ok(credentials::prune(&parts.store, now, now - KEPT).await?)
    }

    /// Why the request of that id was not let in; `None` when it was, or is not known.
    ///
    /// # Errors
    /// What the database says.
    pub async fn refused_call(&self, request_id: &str) -> Result<Option<AuthFailure>, EngineError> {
        Ok(credentials::failure(&self.parts().store, request_id).await?)
    }
}
