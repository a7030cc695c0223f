//! Calls of this wing: one try each, an answer of at most 1 MB, failures sorted.

use super::{Effect, PeerError};
use crate::net::{Answer, Call, CallError, Client, ClientError, Limits};
use serde_json::Value;
use std::time::Duration;

/// A peer's answer about a few codes takes some kB, a page of its list some 100 kB.
const ANSWER_BYTES: usize = 1 << 20;
/// An export of 100 000 codes takes some 10 MB.
const EXPORT_BYTES: usize = 64 << 20;
/// A peer that does not take a connection in a second is down.
const CONNECT: Duration = Duration::from_secs(1);
/// The longest any call takes, whatever its caller allows.
const TOTAL: Duration = Duration::from_secs(30);
/// What is waited after a 429 that does not say how long.
const UNSAID_WAIT: Duration = Duration::from_secs(1);

/// The way to one peer.
#[derive(Debug, Clone)]
pub(super) struct Wire {
    client: Client,
}

impl Wire {
    /// # Errors
    /// [`ClientError`].
    pub(super) fn new() -> Result<Self, ClientError> {
        Self::reading(ANSWER_BYTES)
    }

    /// For whole exports.
    ///
    /// # Errors
    /// [`ClientError`].
    pub(super) fn for_exports() -> Result<Self, ClientError> {
        Self::reading(EXPORT_BYTES)
    }

    fn reading(answer_bytes: usize) -> Result<Self, ClientError> {
        Ok(Self { client: Client::new(Limits { connect: CONNECT, total: TOTAL, answer_bytes })? })
    }

    /// Makes a call; `effect` says whether one that arrives may change something.
    pub(super) async fn call(&self, call: Call, effect: Effect) -> Result<Answer, PeerError> {
        self.client.call(call).await.map_err(|error| match error {
            // The words of a failed connection may name an address of ours; what matters is that there is none.
            CallError::Unreachable(_) => unavailable(None, Effect::None, "no connection"),
            CallError::Unanswered(_) => PeerError::Timeout { effect },
            CallError::TooLong { limit, .. } => PeerError::Protocol(format!("longer than {limit} bytes")),
        })
    }
}

/// What a status says of the peer itself; `None` for one that speaks of what was asked.
pub(super) fn failure(answer: &Answer, effect: Effect) -> Option<PeerError> {
    let seen = format!("status {}", answer.status);
    match answer.status {
        401 | 402 | 403 | 407 => Some(PeerError::Auth { detail: seen }),
        429 => Some(PeerError::RateLimited { retry_after: answer.retry_after().unwrap_or(UNSAID_WAIT) }),
        // Turned away at the door.
        501 | 503 => Some(unavailable(answer.retry_after(), Effect::None, &seen)),
        408 | 500..=599 => Some(unavailable(answer.retry_after(), effect, &seen)),
        _ => None,
    }
}

/// The answer's JSON.
///
/// # Errors
/// [`PeerError::Protocol`], without the peer's words.
pub(super) fn json(answer: &Answer) -> Result<Value, PeerError> {
    serde_json::from_slice(&answer.body)
        .map_err(|error| PeerError::Protocol(format!("no JSON at line {} column {}", error.line(), error.column())))
}

pub(super) fn unavailable(retry_after: Option<Duration>, effect: Effect, detail: &str) -> PeerError {
    PeerError::Unavailable { retry_after, effect, detail: detail.to_owned() }
}
