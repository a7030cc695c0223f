//! What somebody must look at: raised once, counted while it stands, cleared when it is over.

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlertKind {
    /// A campaign is running out of codes.
    LowStock,
    /// The redemption system calls many codes of one look dead; the rest of its pool waits for a person.
    DeadCodes,
    /// A redemption system or carrier fails so often that it is left alone for a while.
    BreakerOpen,
    /// A redemption system reports what cannot be by our ledger; its word was recorded.
    ImpossibleEvent,
    /// A code that was never given out was shown, or strangers try one: it leaked, or it was guessed.
    LeakSuspected,
    /// A redemption was asked of its system, and nobody knows whether it was done.
    UnknownOutcome,
    /// Webhooks wait on disk because the database cannot be reached.
    SpoolInUse,
    /// A file of waiting webhooks was torn; what could not be read was put aside.
    SpoolQuarantine,
    /// A carrier says that our account with it is wrong; what waits for it is kept.
    CarrierAccount,
    /// No more messages are sent in this hour or day: they have cost what was allowed.
    SpendCap,
    /// Many new phones of one range of numbers asked at once.
    NumberBurst,
    /// A carrier will not carry what should have arrived: a filter took it for spam, or it is an answer to STOP or HELP.
    MessageRefused,
    /// A partner's endpoint takes no events.
    WebhookFailing,
}

impl AlertKind {
    /// Every kind.
    pub const ALL: [Self; 13] = [
        Self::LowStock,
        Self::DeadCodes,
        Self::BreakerOpen,
        Self::ImpossibleEvent,
        Self::LeakSuspected,
        Self::UnknownOutcome,
        Self::SpoolInUse,
        Self::SpoolQuarantine,
        Self::CarrierAccount,
        Self::SpendCap,
        Self::NumberBurst,
        Self::MessageRefused,
        Self::WebhookFailing,
    ];

    /// The word that tables and JSON use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::LowStock => "low_stock",
            Self::DeadCodes => "dead_codes",
            Self::BreakerOpen => "breaker_open",
            Self::ImpossibleEvent => "impossible_event",
            Self::LeakSuspected => "leak_suspected",
            Self::UnknownOutcome => "unknown_outcome",
            Self::SpoolInUse => "spool_in_use",
            Self::SpoolQuarantine => "spool_quarantine",
            Self::CarrierAccount => "carrier_account",
            Self::SpendCap => "spend_cap",
            Self::NumberBurst => "number_burst",
            Self::MessageRefused => "message_refused",
            Self::WebhookFailing => "webhook_failing",
        }
    }

    /// Reads [`AlertKind::word`] back.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// What to do about it, as a sentence.
    #[must_use]
    pub fn next_step(self) -> &'static str {
        match self {
            Self::LowStock => {
                "Give the campaign more codes: a higher pool size or another file, then `codewell apply`."
            }
            Self::DeadCodes => {
                "Ask the redemption system's people about these codes, then `codewell verify CAMPAIGN --resume`."
            }
            Self::BreakerOpen => "It is tried again by itself; look at the other system if this stays.",
            Self::ImpossibleEvent => "Compare the code's history (`codewell explain`) with the other system's.",
            Self::LeakSuspected => "Find out who passed this code on: strangers show it, or nobody was given it by us.",
            Self::UnknownOutcome => "Look the order up in the redemption system and correct it there.",
            Self::SpoolInUse => "Bring the database back; what waits is settled by itself then.",
            Self::SpoolQuarantine => "Keep the file and compare with the carrier's log of that minute.",
            Self::CarrierAccount => "Run `codewell doctor --sender ADDRESS`: it says what to change in the account.",
            Self::SpendCap => "Raise the cap in the configuration, or find out who sends so much.",
            Self::NumberBurst => "Look whether these are customers; the campaign can be paused meanwhile.",
            Self::WebhookFailing => {
                "Tell the partner; it mends its endpoint, switches it on again and has it replayed."
            }
            Self::MessageRefused => "Ask the carrier why, with its code; the same words another way is forbidden.",
        }
    }
}

/// An alert to raise. At most one of a kind stands about one thing; raised again, it is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// What is wrong.
    pub kind: AlertKind,
    /// With what: `campaign PIZZA`, `peer till`, `sender 12345`.
    pub about: String,
    /// In words, with figures; no personal data.
    pub detail: String,
}

#[cfg(test)]
mod tests {
    use super::AlertKind;

    #[test]
    fn every_kind_is_read_back_from_its_word() {
        for kind in AlertKind::ALL {
            assert_eq!(AlertKind::parse(kind.word()), Some(kind));
            assert!(kind.next_step().ends_with('.'));
        }
    }
}
