//! The carrier wing: from a webhook's bytes to events, from a message to a carrier's call. It knows no database and no
//! HTTP server, so an adapter is tested from bytes alone.
//!
//! A new carrier is one file here and its line where [`Registry`] is filled.

mod handset;
mod registry;
mod signing;
mod simulator;

pub use handset::{Bubble, BubbleStatus, Change, Direction, Handset, MAX_BUBBLES, MAX_PHONES, Phones};
pub use registry::Registry;
pub use signing::Signing;
pub use simulator::{Notice, Outside, SIMULATOR, SIMULATOR_SECRET, Simulator};

use crate::domain::phone::{PhoneNumber, SenderAddress};
use chrono::{DateTime, Utc};
use std::time::Duration;
use thiserror::Error;

/// A webhook as it was received.
#[derive(Clone, Copy)]
pub struct Webhook<'a> {
    /// The address the carrier was told: the configured public one, never what a `Host` header claims.
    pub url: &'a str,
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

/// Personal data is inside: only sizes are shown.
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
    fn vouched(hook: &'a Webhook<'a>) -> Self {
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

/// An authentic body that does not say what it must; never with the carrier's words, which may be personal.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct Unreadable(pub String);

/// What a webhook tells. One webhook may tell many things.
#[derive(Clone, PartialEq, Eq)]
pub enum Event {
    /// A phone texted us.
    Inbound(Inbound),
    /// What became of a message of ours.
    Report(Report),
    /// One part of it cannot be read; the others stand.
    Unreadable(Unreadable),
}

impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Inbound(_) => "Inbound(…)",
            Self::Report(_) => "Report(…)",
            Self::Unreadable(_) => "Unreadable(…)",
        })
    }
}

/// A text from a phone.
#[derive(Clone, PartialEq, Eq)]
pub struct Inbound {
    /// The carrier's name of it: the same at every delivery of the same text.
    pub message_id: String,
    /// Who wrote, as the carrier writes numbers; a short code where a machine wrote.
    pub from: String,
    /// Which number of ours.
    pub to: String,
    /// The words.
    pub text: String,
}

/// What became of a message of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The name the carrier gave it when it took it.
    pub provider_id: String,
    /// How it stands.
    pub status: ReportStatus,
    /// The carrier's own code of a failure.
    pub note: Option<String>,
}

/// How a message stands with its carrier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportStatus {
    /// On its way; changes nothing here.
    Sent,
    /// The phone has it.
    Delivered,
    /// It will not arrive.
    Failed,
}

/// A message to hand over.
#[derive(Clone)]
pub struct Outgoing {
    /// Our name of it, the same at every attempt.
    pub message_id: [u8; 16],
    /// Attempts before this one.
    pub attempt: u32,
    /// Our number.
    pub from: SenderAddress,
    /// Her number.
    pub to: PhoneNumber,
    /// The words.
    pub body: String,
    /// How many segments they take.
    pub segments: u16,
    /// Our reference of it, for carriers that keep one: the decision's id.
    pub reference: String,
    /// When it is handed over.
    pub at: DateTime<Utc>,
}

impl std::fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Outgoing({} to {}, {} segments)", self.from, self.to, self.segments)
    }
}

/// A carrier took a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The carrier's name of it, which its reports will use.
    pub provider_id: String,
    /// The segments it counted, where it says; else ours.
    pub segments: u16,
}

/// Why a message was not, or not surely, handed over. The list is closed: an adapter sorts what it meets into it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SendError {
    /// It was surely not taken, and may be later: no connection, the carrier's 5xx before it read us.
    #[error("the carrier could not take the message now: {detail}")]
    Transient {
        /// What was seen, without personal data.
        detail: String,
    },
    /// Too fast; surely not taken.
    #[error("the carrier asks to wait")]
    Throttled {
        /// How long it asks to wait.
        retry_after: Duration,
    },
    /// Nobody knows whether it was taken: the connection broke after the request had left.
    #[error("nobody knows whether the carrier took the message: {detail}")]
    Ambiguous {
        /// What was seen, without personal data.
        detail: String,
    },
    /// It never will be.
    #[error("the carrier refuses the message: {code} {detail}")]
    Permanent {
        /// The carrier's code.
        code: String,
        /// In words, without personal data.
        detail: String,
    },
}

/// Whether a message may be handed over again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// After the next step of our own waits.
    Later,
    /// After the time the carrier asked for.
    After(Duration),
    /// Only a message that may arrive twice, and once only.
    OnceIfHarmless,
    /// Never.
    Never,
}

impl SendError {
    /// Whether the message may be handed over again.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::Transient { .. } => Retry::Later,
            Self::Throttled { retry_after } => Retry::After(*retry_after),
            Self::Ambiguous { .. } => Retry::OnceIfHarmless,
            Self::Permanent { .. } => Retry::Never,
        }
    }
}

/// How fast a carrier may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As the contract of each number says: `[[senders]] rate`, in segments a second.
    PerSender,
    /// As fast as we can: nothing leaves the machine.
    Unlimited,
}

/// What a carrier wants to hear when a webhook was understood; always a 2xx.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acknowledgement {
    /// 200 or 204.
    pub status: u16,
    /// The type of the body, where there is one.
    pub content_type: Option<&'static str>,
    /// The body; mostly empty, so that no carrier texts it to the phone.
    pub body: &'static str,
}

/// A carrier. Nothing has a default body: every adapter answers every question, above all the first.
#[async_trait::async_trait]
pub trait SmsProvider: std::fmt::Debug + Send + Sync {
    /// The carrier's name in the documents of senders.
    fn name(&self) -> &'static str;

    /// Believes a webhook or not.
    ///
    /// # Errors
    /// [`Forged`] when the signature does not hold.
    fn authenticate<'a>(&self, hook: &'a Webhook<'a>, now: DateTime<Utc>) -> Result<Authentic<'a>, Forged>;

    /// Reads what it tells, in its order.
    ///
    /// # Errors
    /// [`Unreadable`] when nothing in it can be read; one bad part among others is an [`Event::Unreadable`].
    fn parse(&self, hook: Authentic<'_>) -> Result<Vec<Event>, Unreadable>;

    /// What the carrier wants to hear then.
    fn acknowledge(&self) -> Acknowledgement;

    /// How fast it may be used.
    fn pace(&self) -> Pace;

    /// Hands a message over, once: an adapter never tries again by itself.
    ///
    /// # Errors
    /// [`SendError`], sorted by what may be done about it.
    async fn send(&self, out: &Outgoing) -> Result<Accepted, SendError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_came_twice_says_nothing() {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let headers = [header("a", "1"), header("b", "2"), header("b", "3")];
        let hook = Webhook { url: "", headers: &headers, body: b"" };
        assert_eq!((hook.header("a"), hook.header("b"), hook.header("c")), (Some("1"), None, None));
    }

    #[test]
    fn every_send_error_says_whether_the_message_may_be_handed_over_again() {
        let words = String::new;
        let retry_after = Duration::from_secs(7);
        let told = [
            SendError::Transient { detail: words() },
            SendError::Throttled { retry_after },
            SendError::Ambiguous { detail: words() },
            SendError::Permanent { code: words(), detail: words() },
        ]
        .map(|error| error.retry());
        assert_eq!(told, [Retry::Later, Retry::After(retry_after), Retry::OnceIfHarmless, Retry::Never]);
    }
}
