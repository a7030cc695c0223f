//! A message of ours and its steps.

use crate::domain::sending::Charge;
use chrono::{DateTime, Utc};

/// The state of a message of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MessageStatus {
    /// Written, not yet tried.
    Queued,
    /// About to be handed to the carrier; after a crash nobody knows whether it was.
    Submitting,
    /// The carrier has it.
    Submitted,
    /// The carrier says that it is on its way.
    Sent,
    /// Its time ran out, here or on its way.
    Expired,
    /// The carrier had it and gave it up.
    Undelivered,
    /// The carrier refused it for good, or nobody knows whether it took it and it must not go out twice.
    Failed,
    /// We kept it back: the person said STOP before it went out, or it was for a country that we do not text.
    Suppressed,
    /// The phone has it.
    Delivered,
}

impl MessageStatus {
    const ALL: [Self; 9] = [
        Self::Queued,
        Self::Submitting,
        Self::Submitted,
        Self::Sent,
        Self::Expired,
        Self::Undelivered,
        Self::Failed,
        Self::Suppressed,
        Self::Delivered,
    ];

    /// The word that tables and JSON use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Submitting => "submitting",
            Self::Submitted => "submitted",
            Self::Sent => "sent",
            Self::Expired => "expired",
            Self::Undelivered => "undelivered",
            Self::Failed => "failed",
            Self::Suppressed => "suppressed",
            Self::Delivered => "delivered",
        }
    }

    /// Reads [`MessageStatus::word`] back.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.word() == word)
    }

    /// Whether the sender still has work to do.
    #[must_use]
    pub fn is_open(self) -> bool {
        self.rank() == 0
    }

    /// Whether a report of `next` may follow: late and doubled reports never turn a message back, so that in whatever
    /// order they come, the same one stands at the end.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        next.rank() > self.rank() || (self.is_open() && next.is_open())
    }

    /// How far it has come. That the phone has it outranks all: then it went out, whatever we thought.
    fn rank(self) -> u8 {
        match self {
            Self::Queued | Self::Submitting => 0,
            Self::Submitted => 1,
            Self::Sent => 2,
            Self::Expired => 3,
            Self::Undelivered => 4,
            Self::Failed => 5,
            Self::Suppressed => 6,
            Self::Delivered => 7,
        }
    }
}

/// One step of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageStep {
    /// Which message.
    pub message: [u8; 16],
    /// Its new state; `Queued` puts it back for a later try.
    pub status: MessageStatus,
    /// When to try again.
    pub due_at: Option<DateTime<Utc>>,
    /// The carrier's id of it.
    pub provider_id: Option<String>,
    /// How many segments it took.
    pub segments: Option<u16>,
    /// SHA-256 of its body.
    pub body_hash: Option<Vec<u8>>,
    /// The carrier's words on a failure.
    pub note: Option<String>,
    /// What it adds to what messages cost. A step to [`MessageStatus::Submitting`] that one of them does not allow is
    /// not taken: the message stays queued until that window is over.
    pub charges: Vec<Charge>,
}

impl MessageStep {
    /// A step to that state, with nothing else to say.
    #[must_use]
    pub fn to(message: [u8; 16], status: MessageStatus) -> Self {
        Self {
            message,
            status,
            due_at: None,
            provider_id: None,
            segments: None,
            body_hash: None,
            note: None,
            charges: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::MessageStatus;
    use proptest::prelude::*;

    fn after(reports: &[MessageStatus]) -> MessageStatus {
        reports.iter().fold(MessageStatus::Submitting, |now, next| if now.may_become(*next) { *next } else { now })
    }

    proptest! {
        #[test]
        fn six_reports_in_any_order_end_in_one_state_and_never_turn_back(
            reports in prop::sample::subsequence(&MessageStatus::ALL[2..], 1..=6)
                .prop_flat_map(|some| prop::collection::vec(prop::sample::select(some), 6))
                .prop_flat_map(|six| (Just(six.clone()), Just(six).prop_shuffle())),
        ) {
            let (one, other) = reports;
            prop_assert_eq!(after(&one), after(&other));
            let mut now = MessageStatus::Submitting;
            for next in other {
                let was = now;
                now = if now.may_become(next) { next } else { now };
                prop_assert!(now >= was, "{was:?} became {now:?}");
                prop_assert!(!now.is_open());
            }
        }
    }

    #[test]
    fn every_order_of_six_different_reports_ends_in_the_same_state() {
        use MessageStatus::{Delivered, Expired, Failed, Sent, Submitted, Undelivered};
        let mut orders = vec![Vec::new()];
        for next in [Submitted, Sent, Delivered, Undelivered, Failed, Expired] {
            let insert = |order: &Vec<MessageStatus>| {
                let places = 0..=order.len();
                let order = order.clone();
                places.map(move |place| {
                    let mut longer = order.clone();
                    longer.insert(place, next);
                    longer
                })
            };
            orders = orders.iter().flat_map(insert).collect();
        }
        assert_eq!(orders.len(), 720);
        assert!(orders.iter().all(|order| after(order) == Delivered));
    }

    #[test]
    fn every_state_is_read_back_from_its_word() {
        for status in MessageStatus::ALL {
            assert_eq!(MessageStatus::parse(status.word()), Some(status));
        }
    }
}
