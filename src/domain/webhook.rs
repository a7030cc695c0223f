//! Where a partner wants its feed sent: what a receiver's answer means, and when an event goes out again.

use crate::domain::feed::FeedKind;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeSet;
use std::fmt;

/// The name of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndpointId(String);

impl EndpointId {
    /// The name made of a draw: `we_` and 32 hexadecimal digits.
    #[must_use]
    pub fn of(draw: [u8; 16]) -> Self {
        Self(format!("we_{:032x}", u128::from_be_bytes(draw)))
    }

    /// Reads one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let hex = text.strip_prefix("we_").filter(|hex| hex.len() == 32)?;
        let plain = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        hex.bytes().all(plain).then(|| Self(text.to_owned()))
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EndpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which events an endpoint wants; none named is all, those of later releases included.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WantedEvents(BTreeSet<FeedKind>);

impl WantedEvents {
    /// Those, or all where there are none.
    #[must_use]
    pub fn new(kinds: impl IntoIterator<Item = FeedKind>) -> Self {
        Self(kinds.into_iter().collect())
    }

    /// Whether events of that kind are sent.
    #[must_use]
    pub fn holds(&self, kind: FeedKind) -> bool {
        self.0.is_empty() || self.0.contains(&kind)
    }

    /// Those that are named.
    pub fn kinds(&self) -> impl Iterator<Item = FeedKind> {
        self.0.iter().copied()
    }

    /// As the table has it: words between commas.
    #[must_use]
    pub fn words(&self) -> String {
        self.kinds().map(FeedKind::word).collect::<Vec<_>>().join(",")
    }

    /// Reads [`WantedEvents::words`] back.
    #[must_use]
    pub fn parse(words: &str) -> Option<Self> {
        words.split(',').filter(|word| !word.is_empty()).map(FeedKind::parse).collect::<Option<_>>().map(Self)
    }
}

/// Why nothing is sent to an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disabled {
    /// The partner said so.
    ByPartner,
    /// It answered 410.
    Gone,
    /// It has failed for three days.
    Failing,
}

impl Disabled {
    /// The word that tables and JSON use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::ByPartner => "by_partner",
            Self::Gone => "gone",
            Self::Failing => "failing",
        }
    }

    /// Reads [`Disabled::word`] back.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::ByPartner, Self::Gone, Self::Failing].into_iter().find(|why| why.word() == word)
    }
}

/// What came of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// An answer.
    Answered {
        /// Its status.
        status: u16,
        /// How long it asks us to wait.
        retry_after: Option<TimeDelta>,
    },
    /// None; in words that name no address.
    Unanswered(String),
}

impl Reply {
    /// Whether it was taken: any 2xx. A redirect is a failure: nobody checked where it leads.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        matches!(self, Self::Answered { status: 200..=299, .. })
    }

    /// How long a receiver that is too busy, or has nothing behind it, is left alone: as long as it asks, an hour at the
    /// most, or 30 s where it asks for nothing. `None` where other events may go there at once.
    #[must_use]
    pub fn wanted_wait(&self) -> Option<TimeDelta> {
        match self {
            Self::Answered { status: 429 | 502 | 503 | 504, retry_after } => {
                Some(retry_after.unwrap_or(USUAL_WAIT).clamp(TimeDelta::zero(), LONGEST_WANTED_WAIT))
            }
            Self::Answered { .. } | Self::Unanswered(_) => None,
        }
    }

    /// The status, where there is one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Answered { status, .. } => Some(*status),
            Self::Unanswered(_) => None,
        }
    }

    /// What to tell the partner of a failure.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Answered { status: 300..=399, .. } => "redirects are not followed".to_owned(),
            Self::Answered { status, .. } => format!("it answered {status}"),
            Self::Unanswered(words) => words.clone(),
        }
    }
}

/// A receiver that is too busy and does not say for how long: about a restart of whatever is behind it.
const USUAL_WAIT: TimeDelta = TimeDelta::seconds(30);
/// A receiver that asks for more is tried anyway.
const LONGEST_WANTED_WAIT: TimeDelta = TimeDelta::hours(1);
/// Waits between the attempts of one event, seconds: 5 s, 5 m, 30 m, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h; three days in all.
const WAITS_S: [i64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
/// An endpoint that took nothing for so long is disabled.
const PATIENCE: TimeDelta = TimeDelta::days(3);
/// An endpoint that took nothing for so long is told of.
const NOTICE: TimeDelta = TimeDelta::hours(1);
/// Failures in a row after which an endpoint is only tried out.
const DOWN_AFTER: u32 = 8;

/// The wait after so many attempts, up to a tenth longer by `draw`, so that what failed together does not come back
/// together; `None` when there were enough.
#[must_use]
pub fn wait_after(attempts: u32, draw: u16) -> Option<TimeDelta> {
    let index = usize::try_from(attempts.checked_sub(1)?).ok()?;
    let ms = WAITS_S.get(index)? * 1_000;
    Some(TimeDelta::milliseconds(ms + ms / 10 * i64::from(draw) / i64::from(u16::MAX)))
}

/// When an event that has failed `attempts` times goes out again.
#[must_use]
pub fn again_at(reply: &Reply, attempts: u32, now: DateTime<Utc>, draw: u16) -> Option<DateTime<Utc>> {
    let wait = wait_after(attempts, draw)?;
    Some(now + reply.wanted_wait().map_or(wait, |wanted| wanted.max(wait)))
}

/// How an endpoint fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Health {
    /// Failures since it last took something.
    pub failures: u32,
    /// When the first of them was.
    pub failing_since: Option<DateTime<Utc>>,
    /// When somebody was told.
    pub noticed_at: Option<DateTime<Utc>>,
    /// When it last took something.
    pub delivered_at: Option<DateTime<Utc>>,
}

/// What an attempt means for its endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Nothing new.
    Same,
    /// It takes events again after it was down: whatever waits goes out now.
    Back,
    /// Somebody is to be told that it fails.
    Notice,
    /// It is to be disabled.
    Disable(Disabled),
}

impl Health {
    /// Whether it is only tried out: a receiver that is down is not asked for every event.
    #[must_use]
    pub fn is_down(&self) -> bool {
        self.failures >= DOWN_AFTER
    }

    /// Counts one attempt.
    pub fn count(&mut self, reply: &Reply, now: DateTime<Utc>) -> Turn {
        if reply.is_taken() {
            let was_bad = self.is_down() || self.noticed_at.is_some();
            *self = Self { delivered_at: Some(now), ..Self::default() };
            return if was_bad { Turn::Back } else { Turn::Same };
        }
        self.failures = self.failures.saturating_add(1);
        let since = *self.failing_since.get_or_insert(now);
        if reply.status() == Some(410) {
            return Turn::Disable(Disabled::Gone);
        }
        if now - since >= PATIENCE {
            return Turn::Disable(Disabled::Failing);
        }
        if now - since >= NOTICE && self.noticed_at.is_none() {
            self.noticed_at = Some(now);
            return Turn::Notice;
        }
        Turn::Same
    }
}

#[cfg(test)]
mod tests;
