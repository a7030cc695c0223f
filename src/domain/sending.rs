//! How urgent a message is, and what follows: how long it is worth sending, when it is tried again, whether it may
//! arrive twice. And what it costs.

use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;

/// Waits before a message that nobody waits for is tried again; the last one is repeated.
const RELAXED_STEPS: [Duration; 3] = [Duration::from_mins(1), Duration::from_mins(5), Duration::from_mins(15)];

/// How a message's history says that a spend cap held it back.
pub const SPEND_CAP: &str = "spend_cap";

/// How urgent a message is; the smaller leaves first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Answers to STOP, HELP and START: owed to everyone, at once, and never twice.
    Compliance,
    /// Answers to somebody who looks at her phone.
    Reply,
    /// Questions back.
    Prompt,
    /// What follows later by itself.
    Reminder,
    /// What goes to many.
    Bulk,
}

impl Priority {
    /// Every one, the most urgent first.
    pub const ALL: [Self; 5] = [Self::Compliance, Self::Reply, Self::Prompt, Self::Reminder, Self::Bulk];

    /// The number in tables: 0 leaves first.
    #[must_use]
    pub fn number(self) -> i64 {
        match self {
            Self::Compliance => 0,
            Self::Reply => 1,
            Self::Prompt => 2,
            Self::Reminder => 3,
            Self::Bulk => 4,
        }
    }

    /// Whether a share of every rate is kept free for it.
    #[must_use]
    pub fn is_urgent(self) -> bool {
        matches!(self, Self::Compliance | Self::Reply)
    }

    /// How long a message is worth sending after it was made: an answer that is half an hour late only puzzles, a
    /// confirmation of STOP after five minutes looks like the next message.
    #[must_use]
    pub fn life(self) -> TimeDelta {
        match self {
            Self::Compliance => TimeDelta::minutes(5),
            Self::Reply | Self::Prompt => TimeDelta::minutes(30),
            Self::Reminder | Self::Bulk => TimeDelta::hours(12),
        }
    }

    /// Whether a message that may have gone out goes out once more. The same code twice is harmless; a second
    /// confirmation of STOP, or a second advertisement, is a complaint.
    #[must_use]
    pub fn may_repeat(self) -> bool {
        matches!(self, Self::Reply | Self::Prompt)
    }

    /// The wait after so many failed attempts. `steps` are those of answers.
    #[must_use]
    pub fn wait(self, steps: &[Duration], failed: u32) -> Duration {
        let steps = match self {
            Self::Compliance | Self::Reply | Self::Prompt => steps,
            Self::Reminder | Self::Bulk => &RELAXED_STEPS,
        };
        let failed = usize::try_from(failed).unwrap_or(usize::MAX);
        steps.get(failed).or(steps.last()).copied().unwrap_or(Duration::from_secs(1))
    }
}

/// The stretch of time that a spend cap counts in, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SpendWindow {
    /// An hour.
    Hour,
    /// A day.
    Day,
}

impl SpendWindow {
    /// The word in tables.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    /// Reads [`SpendWindow::word`] back.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Hour, Self::Day].into_iter().find(|window| window.word() == word)
    }

    /// Its length.
    #[must_use]
    pub fn length(self) -> TimeDelta {
        match self {
            Self::Hour => TimeDelta::hours(1),
            Self::Day => TimeDelta::days(1),
        }
    }

    /// The begin of the one that `at` lies in, milliseconds since 1970 UTC.
    #[must_use]
    pub fn start(self, at: DateTime<Utc>) -> i64 {
        let at = at.timestamp_millis();
        at - at.rem_euclid(self.length().num_milliseconds())
    }
}

/// What is counted: an address or account, in one window.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpendKey {
    /// `sender 12345`, `account twilio`.
    pub scope: String,
    /// Which length.
    pub window: SpendWindow,
    /// Its begin, milliseconds since 1970 UTC.
    pub start: i64,
}

/// What the hand-over of a message adds to one such count; below zero it gives back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// Where.
    pub key: SpendKey,
    /// Millionths of the currency of the prices.
    pub cost: i64,
    /// The count may not rise above this.
    pub cap: i64,
}

#[cfg(test)]
mod tests {
    use super::{Priority, SpendWindow};
    use crate::domain::ids::from_millis;
    use std::time::Duration;

    #[test]
    fn waits_follow_the_steps_and_then_repeat_the_last() {
        let steps = [1, 5].map(Duration::from_secs);
        let waits = [0, 1, 2, 9].map(|failed| Priority::Reply.wait(&steps, failed).as_secs());
        assert_eq!(waits, [1, 5, 5, 5]);
        let relaxed = [0, 1, 2, 9].map(|failed| Priority::Bulk.wait(&steps, failed).as_secs());
        assert_eq!(relaxed, [60, 300, 900, 900]);
    }

    #[test]
    fn only_answers_with_nothing_to_complain_about_may_arrive_twice() {
        let twice: Vec<_> = Priority::ALL.into_iter().filter(|one| one.may_repeat()).collect();
        assert_eq!(twice, [Priority::Reply, Priority::Prompt]);
    }

    #[test]
    fn a_window_begins_at_the_full_hour_or_day_of_utc() {
        let at = from_millis(86_400_000 + 3 * 3_600_000 + 5);
        assert_eq!(SpendWindow::Hour.start(at), 86_400_000 + 3 * 3_600_000);
        assert_eq!(SpendWindow::Day.start(at), 86_400_000);
    }
}
