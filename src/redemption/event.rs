//! What a peer tells by itself: signed webhooks and the pages of its feed.

use super::Status;
use crate::domain::code::Code;
use crate::domain::money::Money;
use chrono::{DateTime, Utc};
use thiserror::Error;

/// A webhook as it was received.
#[derive(Clone, Copy)]
pub struct Webhook<'a> {
    /// Names in lower case, in the order received.
    pub headers: &'a [(String, String)],
    /// The bytes, untouched.
    pub body: &'a [u8],
}

impl<'a> Webhook<'a> {
    /// The value of a header that came exactly once; a doubled one is nobody's word.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        let mut found = self.headers.iter().filter(|(known, _)| known == name);
        let (_, value) = found.next()?;
        found.next().is_none().then_some(value.as_str())
    }
}

/// Codes are inside: only sizes are shown.
impl std::fmt::Debug for Webhook<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Webhook({} headers, {} bytes)", self.headers.len(), self.body.len())
    }
}

/// A webhook whose signature held: having one is the proof, and only adapters make it.
#[derive(Debug, Clone, Copy)]
pub struct Authentic<'a>(&'a Webhook<'a>);

impl<'a> Authentic<'a> {
    /// For adapters, after the signature held.
    pub(super) fn vouched(hook: &'a Webhook<'a>) -> Self {
        Self(hook)
    }

    /// The bytes that were signed.
    #[must_use]
    pub fn body(&self) -> &'a [u8] {
        self.0.body
    }
}

/// Why a webhook is not believed. The sender of a forgery learns none of this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Forged {
    /// No signature, or not of its form.
    #[error("the webhook has no signature that can be read")]
    Unsigned,
    /// It was signed too long ago or too far ahead.
    #[error("the webhook's signature is not of this time")]
    OutOfTime,
    /// Another secret, or altered bytes.
    #[error("the webhook's signature does not hold")]
    Mismatch,
}

/// An authentic body, or a part of it, that does not say what it must; never with the peer's words.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct Unreadable(pub String);

/// One thing a peer tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerEvent {
    /// The peer's name of the telling: the same at every delivery, also when the feed tells it again.
    pub event_id: String,
    /// What happened.
    pub kind: EventKind,
    /// The code it happened to, as the peer writes it.
    pub code: Code,
    /// The peer's name of the redemption, where it has one: one redemption may be told by several events.
    pub redemption_id: Option<String>,
    /// When it happened, by the peer's clock.
    pub at: DateTime<Utc>,
    /// The store, as the peer names it.
    pub store: Option<String>,
    /// The order, as the peer names it.
    pub order: Option<String>,
    /// What the sale came to, where the peer says it with its currency.
    pub amount: Option<Money>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// It was used.
    Redeemed,
    /// A use was taken back.
    RolledBack,
    /// It stands otherwise than before; `None` when only asking tells how.
    StateChanged(Option<Status>),
}

impl EventKind {
    /// The stable word for tables and logs.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Redeemed => "redeemed",
            Self::RolledBack => "rolled_back",
            Self::StateChanged(_) => "state_changed",
        }
    }
}

/// A page of a peer's feed, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPage {
    /// What it tells; one bad part loses no other.
    pub events: Vec<Result<PeerEvent, Unreadable>>,
    /// Where to go on; to be kept when the events are. `None` when the peer gave no place: ask from the same one.
    pub next: Option<String>,
    /// Whether more is waiting already.
    pub more: bool,
}
