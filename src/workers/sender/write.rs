//! How what became of a message is written down, while it is ours.

use super::attempt::{Hands, Over};
use crate::domain::act::{MessageStatus, MessageStep};
use crate::domain::sending::Charge;
use crate::engine::{Due, EngineError, MaySend, Moment, step};
use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;

/// The first wait before a step is written again when the queue is full or the database away; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(20);
/// The longest such wait.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(1);

impl Hands {
    pub(super) fn is_late(&self, due: &Due) -> bool {
        self.engine.now() > end_of_life(due)
    }

    /// Queues a message for later; it expires at once when it is worth nothing by then.
    pub(super) async fn later(&self, due: &Due, wait: Duration, why: &str, back: Vec<Charge>) -> Over {
        let wait = TimeDelta::from_std(wait).unwrap_or(TimeDelta::MAX);
        let at = self.engine.now().checked_add_signed(wait).filter(|at| *at <= end_of_life(due));
        let status = if at.is_some() { MessageStatus::Queued } else { MessageStatus::Expired };
        let next =
            MessageStep { due_at: at, note: Some(why.to_owned()), charges: back, ..step(due.message.id, status) };
        match (self.write(due, next).await, at) {
            (Ok(()), Some(at)) => Over::again(at),
            (Ok(()), None) => Over::done(),
            (Err(over), _) => over,
        }
    }

    /// Queues a message until somebody else may take it.
    pub(super) async fn wait_for_lease(&self, due: &Due, why: &str) -> Over {
        self.later(due, self.config.lease, why, Vec::new()).await
    }

    /// Queues a message that the carrier may have: it is asked once it had time to file it, however late that is.
    pub(super) async fn in_doubt(&self, due: &Due, why: &str) -> Over {
        let at = self.engine.now() + self.lease();
        let next =
            MessageStep { due_at: Some(at), note: Some(why.to_owned()), ..step(due.message.id, MessageStatus::Queued) };
        self.write(due, next).await.err().unwrap_or_else(|| Over::again(at))
    }

    /// Ends a message that we keep back; her STOP is the first of all reasons.
    pub(super) async fn refuse(&self, due: &Due, status: MessageStatus, why: &str) -> Over {
        match self.engine.may_send(&due.message, Moment::Waiting).await {
            Ok(MaySend::OptedOut) => self.finish(due, MessageStatus::Suppressed, "opted_out").await,
            Ok(MaySend::Over) => Over::done(),
            Ok(MaySend::Yes | MaySend::HeldBack(_)) | Err(_) => self.finish(due, status, why).await,
        }
    }

    pub(super) async fn finish(&self, due: &Due, status: MessageStatus, why: &str) -> Over {
        let last = MessageStep { note: Some(why.to_owned()), ..step(due.message.id, status) };
        self.write(due, last).await.err().unwrap_or_else(Over::done)
    }

    /// Writes a step down, again and again while the message is ours: a full queue passes.
    pub(super) async fn write(&self, due: &Due, step: MessageStep) -> Result<(), Over> {
        let mut wait = FIRST_WAIT;
        loop {
            let Err(error) = self.engine.note(due.message.subject, step.clone()).await else {
                return Ok(());
            };
            match error {
                EngineError::Stopped | EngineError::KeyReused | EngineError::Barred(_) => {
                    warn(&error);
                    return Err(Over::done());
                }
                EngineError::Busy | EngineError::Store(_) | EngineError::Peer(_) => {}
            }
            let left = due.lease_until - self.engine.now();
            if left < TimeDelta::from_std(wait).unwrap_or(TimeDelta::MAX) {
                warn(&error);
                return Err(Over::again(due.lease_until + TimeDelta::milliseconds(1)));
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }
}

/// Until when a message is worth sending.
pub(super) fn end_of_life(due: &Due) -> DateTime<Utc> {
    due.message.created_at + due.message.reply.life()
}

pub(super) fn warn(error: &EngineError) {
    tracing::warn!(
        error = error as &dyn std::error::Error,
        "what became of a message cannot be written down; its lease decides"
    );
}
