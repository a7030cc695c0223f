//! How a code stands at its peer, in one vocabulary for all peers.

use chrono::{DateTime, Utc};
use std::time::Duration;

/// How a code stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// A till would take it now.
    Valid,
    /// Alive, but not for every sale or everybody: a basket, a store or a customer decides.
    Conditional(Reason),
    /// Not before this time, where the peer says it.
    NotYetActive(Option<DateTime<Utc>>),
    /// Since this time, where the peer says it.
    Expired(Option<DateTime<Utc>>),
    /// Every use it had is used.
    Redeemed {
        /// When, where the peer says it.
        at: Option<DateTime<Utc>>,
        /// The peer's name of the redemption, where it says it.
        redemption_id: Option<String>,
    },
    /// Switched off by the peer's people.
    Disabled,
    /// The peer does not know it.
    Unknown,
    /// A sale under way holds it.
    Locked,
    /// Alive, but somebody else has already given it out.
    IssuedElsewhere,
}

impl Status {
    /// Whether it may be given to somebody.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        match self {
            Self::Valid | Self::Conditional(_) => true,
            Self::NotYetActive(_)
            | Self::Expired(_)
            | Self::Redeemed { .. }
            | Self::Disabled
            | Self::Unknown
            | Self::Locked
            | Self::IssuedElsewhere => false,
        }
    }

    /// The stable word for tables, evidence and the till.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Conditional(reason) => reason.word(),
            Self::NotYetActive(_) => Reason::NotYetActive.word(),
            Self::Expired(_) => Reason::Expired.word(),
            Self::Redeemed { .. } => Reason::AlreadyRedeemed.word(),
            Self::Disabled => Reason::Disabled.word(),
            Self::Unknown => Reason::UnknownCode.word(),
            Self::Locked => Reason::Locked.word(),
            Self::IssuedElsewhere => "issued_elsewhere",
        }
    }
}

/// Why a peer does not take a code, normalised over all peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// It knows no such code.
    UnknownCode,
    /// Its first day is still to come.
    NotYetActive,
    /// Its last day is over.
    Expired,
    /// It was used.
    AlreadyRedeemed,
    /// It was switched off.
    Disabled,
    /// Every use it had is used.
    LimitReached,
    /// It belongs to somebody else.
    WrongRecipient,
    /// It does not count in that store.
    WrongStore,
    /// The sale is not what it asks for.
    ConditionsNotMet,
    /// A sale under way holds it.
    Locked,
    /// Its campaign stands still.
    CampaignInactive,
    /// The peer itself failed.
    ProviderError,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 12] = [
        Self::UnknownCode,
        Self::NotYetActive,
        Self::Expired,
        Self::AlreadyRedeemed,
        Self::Disabled,
        Self::LimitReached,
        Self::WrongRecipient,
        Self::WrongStore,
        Self::ConditionsNotMet,
        Self::Locked,
        Self::CampaignInactive,
        Self::ProviderError,
    ];

    /// The stable word of the Simple Redemption Contract.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::UnknownCode => "unknown_code",
            Self::NotYetActive => "not_yet_active",
            Self::Expired => "expired",
            Self::AlreadyRedeemed => "already_redeemed",
            Self::Disabled => "disabled",
            Self::LimitReached => "limit_reached",
            Self::WrongRecipient => "wrong_recipient",
            Self::WrongStore => "wrong_store",
            Self::ConditionsNotMet => "conditions_not_met",
            Self::Locked => "locked",
            Self::CampaignInactive => "campaign_inactive",
            Self::ProviderError => "provider_error",
        }
    }

    /// Reads [`Reason::word`] back.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.word() == word)
    }

    /// What it says of the code, `at` being the time that belongs to it; `None` when it says nothing of the code.
    #[must_use]
    pub fn status(self, at: Option<DateTime<Utc>>) -> Option<Status> {
        Some(match self {
            Self::UnknownCode => Status::Unknown,
            Self::NotYetActive => Status::NotYetActive(at),
            Self::Expired => Status::Expired(at),
            Self::AlreadyRedeemed | Self::LimitReached => Status::Redeemed { at, redemption_id: None },
            Self::Disabled | Self::CampaignInactive => Status::Disabled,
            Self::WrongRecipient | Self::WrongStore | Self::ConditionsNotMet => Status::Conditional(self),
            Self::Locked => Status::Locked,
            Self::ProviderError => return None,
        })
    }
}

/// How far a peer's word reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authority {
    /// What it says holds when it says it.
    Strong,
    /// It counts uses later, typically by so much.
    Lagging(Duration),
}

/// What a peer says of one code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// How the code stands.
    pub status: Status,
    /// When the peer was asked, or its own word for when that held.
    pub as_of: DateTime<Utc>,
    /// How far its word reaches.
    pub authority: Authority,
    /// The peer's own key for it, as [`reason_key`] lets it through.
    pub reason: Option<String>,
}

/// The most characters of a peer's own key that are kept.
const MAX_KEY_CHARS: usize = 48;

/// A peer's own key of a reason, if it is one: a word of letters, `_`, `-` and `.`. Sentences and numbers may hold a
/// name, a code or a phone number, so they are not kept.
#[must_use]
pub fn reason_key(text: &str) -> Option<String> {
    let is_key = |c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '-' | '.');
    let fits = !text.is_empty() && text.len() <= MAX_KEY_CHARS && text.chars().all(is_key);
    fits.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_read_back_from_its_word() {
        for reason in Reason::ALL {
            assert_eq!(Reason::parse(reason.word()), Some(reason));
        }
    }

    #[test]
    fn only_valid_and_conditional_codes_may_be_given_away() {
        let alive: Vec<_> = Reason::ALL
            .into_iter()
            .filter(|reason| reason.status(None).is_some_and(|status| status.is_alive()))
            .map(Reason::word)
            .collect();
        assert_eq!(alive, ["wrong_recipient", "wrong_store", "conditions_not_met"]);
        assert!(Status::Valid.is_alive() && !Status::IssuedElsewhere.is_alive());
    }

    #[test]
    fn a_peers_sentence_is_not_kept_as_a_reason() {
        assert_eq!(reason_key("quantity_exceeded").as_deref(), Some("quantity_exceeded"));
        for words in ["", "no voucher for Ann", "12025550123", "PZA7KMQ", &"a".repeat(49)] {
            assert_eq!(reason_key(words), None, "{words}");
        }
    }
}
