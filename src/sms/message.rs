//! What we hand to carriers and what they answer: a closed list, so that the sender can act on every answer.

use crate::domain::act::Refused;
use crate::domain::phone::{PhoneNumber, SenderAddress};
use crate::net::{CallError, Url};
use chrono::{DateTime, Utc};
use std::time::Duration;
use thiserror::Error;

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
    /// The decision's id, for people who search a carrier's log.
    pub reference: String,
    /// The public address for reports of this number, without a query.
    pub status_url: String,
    /// When it is handed over.
    pub at: DateTime<Utc>,
}

impl Outgoing {
    /// Our name of it in 32 hexadecimal digits, as reports bring it back.
    #[must_use]
    pub fn message_ref(&self) -> String {
        format!("{:032x}", u128::from_be_bytes(self.message_id))
    }

    /// The address that reports of this message go to: `…/status?ref=<our name of it>`.
    #[must_use]
    pub fn callback_url(&self) -> String {
        format!("{}?ref={}", self.status_url, self.message_ref())
    }

    /// Whether carriers on the internet can reach us: some refuse a message whose callback they cannot.
    #[must_use]
    pub fn is_reachable(&self) -> bool {
        Url::parse(&self.status_url).is_ok_and(|url| !is_local(&url))
    }
}

/// Whether an address is one of this machine.
pub(super) fn is_local(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    host.is_empty() || host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

impl std::fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Outgoing({} to {}, {} segments)", self.from, self.to, self.segments)
    }
}

/// A carrier took a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The carrier's name of it, which its reports will use; `None` for the one kind of carrier that gives none.
    pub provider_id: Option<String>,
    /// The segments it counted, where it says; else ours.
    pub segments: u16,
}

/// What a look-up of a message in doubt says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// The carrier has it: it must not be handed over again.
    Taken(Accepted),
    /// The carrier surely does not have it: it may be handed over again.
    NotTaken,
    /// This carrier cannot be asked, or its answer does not settle it.
    CannotSay,
}

/// Why a message was not, or not surely, handed over. The list is closed: an adapter sorts what it meets into it.
/// `detail` is never personal.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SendError {
    /// It was surely not taken, and may be later: no connection, the carrier's 5xx that says "not processed".
    #[error("the carrier could not take the message now: {detail}")]
    Transient {
        /// What was seen.
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
        /// What was seen.
        detail: String,
    },
    /// This message never will be.
    #[error("the carrier refuses the message: {code} {detail}")]
    Permanent {
        /// Why, as far as we act on it.
        class: Refused,
        /// The carrier's code.
        code: String,
        /// In words.
        detail: String,
    },
    /// Nothing is wrong with the message but with our account or number there: nothing leaves until somebody has put
    /// it right.
    #[error("the carrier refuses our account or number: {code} {detail}")]
    Config {
        /// The carrier's code.
        code: String,
        /// In words.
        detail: String,
    },
}

/// A call without an answer: what never left may be made again.
impl From<CallError> for SendError {
    fn from(error: CallError) -> Self {
        let detail = error.to_string();
        if error.may_have_arrived() { Self::Ambiguous { detail } } else { Self::Transient { detail } }
    }
}

/// Whether a message may be handed over again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// After the next step of our own waits.
    Later,
    /// After the time the carrier asked for.
    After(Duration),
    /// Once the account is put right; until then this number sends nothing and keeps its queue.
    WhenRepaired,
    /// After a look-up; where that cannot say, only a message that may arrive twice, and once only.
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
            Self::Config { .. } => Retry::WhenRepaired,
        }
    }

    /// Why it was refused for good, where it was.
    #[must_use]
    pub fn refused(&self) -> Option<Refused> {
        match self {
            Self::Permanent { class, .. } => Some(*class),
            Self::Transient { .. } | Self::Throttled { .. } | Self::Ambiguous { .. } | Self::Config { .. } => None,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_send_error_says_whether_the_message_may_be_handed_over_again() {
        let words = String::new;
        let retry_after = Duration::from_secs(7);
        let told = [
            SendError::Transient { detail: words() },
            SendError::Throttled { retry_after },
            SendError::Ambiguous { detail: words() },
            SendError::Permanent { class: Refused::Filtered, code: words(), detail: words() },
            SendError::Config { code: words(), detail: words() },
        ]
        .map(|error| error.retry());
        let after = Retry::After(retry_after);
        assert_eq!(told, [Retry::Later, after, Retry::OnceIfHarmless, Retry::Never, Retry::WhenRepaired]);
    }
}
