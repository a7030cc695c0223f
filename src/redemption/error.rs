//! Why a peer did not do what it was asked, sorted by what may be done about it.

use super::{Reason, Status};
use chrono::{DateTime, Utc};
use std::time::Duration;
use thiserror::Error;

/// Whether a call that failed may have changed something at the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Surely not: it may be asked again.
    None,
    /// Nobody knows: what happened is looked up before anything is asked again.
    Unknown,
}

/// Why a peer did not do what it was asked. The list is closed: an adapter sorts what it meets into it. Texts in it
/// hold no code, no name and no secret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PeerError {
    /// No connection, a 5xx, or our own breaker is open.
    #[error("the peer cannot be had now: {detail}")]
    Unavailable {
        /// How long it asks to wait, or until the breaker lets a call through.
        retry_after: Option<Duration>,
        /// Whether it may have acted.
        effect: Effect,
        /// What was seen.
        detail: String,
    },
    /// Too many calls; surely nothing was done.
    #[error("the peer's quota is used up for {} ms", retry_after.as_millis())]
    RateLimited {
        /// How long to wait.
        retry_after: Duration,
    },
    /// No whole answer in time.
    #[error("the peer did not answer in time")]
    Timeout {
        /// Whether it may have acted.
        effect: Effect,
    },
    /// Our account or key is not accepted: a person must look.
    #[error("the peer does not accept our key: {detail}")]
    Auth {
        /// What was seen.
        detail: String,
    },
    /// It understood and says no.
    #[error("the peer refuses: {}", reason.word())]
    Rejected {
        /// Why.
        reason: Reason,
        /// The time that belongs to it: when it was used, expired or will begin.
        at: Option<DateTime<Utc>>,
        /// The peer's own key for it.
        detail: Option<String>,
    },
    /// This peer cannot do that.
    #[error("the peer cannot do that")]
    Unsupported,
    /// An answer that cannot be read: garbage, too long, of another shape. It may have acted.
    #[error("the peer's answer cannot be read: {0}")]
    Protocol(String),
    /// It was asked, nobody knows what became of it, and looking it up did not tell. A person or a later look settles
    /// it; it must not be asked again.
    #[error("nobody knows whether the peer did it")]
    OutcomeUnknown,
}

impl PeerError {
    /// Whether the peer may have acted.
    #[must_use]
    pub fn effect(&self) -> Effect {
        match self {
            Self::Unavailable { effect, .. } | Self::Timeout { effect } => *effect,
            Self::Protocol(_) | Self::OutcomeUnknown => Effect::Unknown,
            Self::RateLimited { .. } | Self::Auth { .. } | Self::Rejected { .. } | Self::Unsupported => Effect::None,
        }
    }

    /// Whether a question that changes nothing may be asked again soon.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unavailable { .. } | Self::RateLimited { .. } | Self::Timeout { .. } | Self::Protocol(_) => true,
            Self::Auth { .. } | Self::Rejected { .. } | Self::Unsupported | Self::OutcomeUnknown => false,
        }
    }

    /// How long the peer asks to wait.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unavailable { retry_after, .. } => *retry_after,
            Self::RateLimited { retry_after } => Some(*retry_after),
            Self::Timeout { .. }
            | Self::Auth { .. }
            | Self::Rejected { .. }
            | Self::Unsupported
            | Self::Protocol(_)
            | Self::OutcomeUnknown => None,
        }
    }

    /// What a refusal says of the code itself, for a caller who must tell a person.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        match self {
            Self::Rejected { reason, at, .. } => reason.status(*at),
            Self::Unavailable { .. }
            | Self::RateLimited { .. }
            | Self::Timeout { .. }
            | Self::Auth { .. }
            | Self::Unsupported
            | Self::Protocol(_)
            | Self::OutcomeUnknown => None,
        }
    }

    /// The stable word for tables and evidence.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Unavailable { .. } => "unavailable",
            Self::RateLimited { .. } => "rate_limited",
            Self::Timeout { .. } => "timeout",
            Self::Auth { .. } => "auth",
            Self::Rejected { reason, .. } => reason.word(),
            Self::Unsupported => "unsupported",
            Self::Protocol(_) => "protocol",
            Self::OutcomeUnknown => "outcome_unknown",
        }
    }
}
