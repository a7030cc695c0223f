//! What a call is made with, and what is written down of it.

use chrono::{DateTime, Utc};
use std::fmt::Debug;
use std::sync::Mutex;
use std::time::Duration;

/// What every call is made with.
#[derive(Debug, Clone, Copy)]
pub struct CallContext<'a> {
    /// The time of the caller: readings and events are judged by it.
    pub now: DateTime<Utc>,
    /// The most this call may take, all its tries and waits together.
    pub within: Duration,
    /// Who writes down what was asked and answered.
    pub trail: &'a dyn Trail,
}

impl<'a> CallContext<'a> {
    /// A call whose record somebody wants.
    #[must_use]
    pub fn new(now: DateTime<Utc>, within: Duration, trail: &'a dyn Trail) -> Self {
        Self { now, within, trail }
    }

    /// A call of which nothing is written down.
    #[must_use]
    pub fn unrecorded(now: DateTime<Utc>, within: Duration) -> CallContext<'static> {
        CallContext { now, within, trail: &NoTrail }
    }

    /// The same with less time.
    #[must_use]
    pub fn at_most(self, within: Duration) -> Self {
        Self { within: within.min(self.within), ..self }
    }
}

/// What can be asked of a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    /// How codes stand.
    Validate,
    /// Use a code.
    Redeem,
    /// Whether we used a code.
    FindRedemption,
    /// Take a use back.
    RollBack,
    /// What happened since.
    PollEvents,
    /// Which codes there are.
    Import,
    /// Whether it is there.
    Health,
}

impl Verb {
    /// The stable word for records and metrics.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Validate => "validate",
            Self::Redeem => "redeem",
            Self::FindRedemption => "find_redemption",
            Self::RollBack => "rollback",
            Self::PollEvents => "poll_events",
            Self::Import => "import",
            Self::Health => "health",
        }
    }
}

/// One try at a peer, as a person may read it: no secret, no more of a code than its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRecord {
    /// The peer's name.
    pub peer: String,
    /// What kind of question.
    pub verb: Verb,
    /// The question: `validate …7KMQ`, `validate 30 codes`.
    pub asked: String,
    /// The answer in stable words: `valid`, `already_redeemed (quantity_exceeded)`, `timeout`.
    pub answered: String,
    /// When it was asked, by the caller's clock.
    pub at: DateTime<Utc>,
    /// How long the answer took.
    pub took: Duration,
}

/// Writes down tries at peers. Called once a try, also for those that were given up; must not wait.
pub trait Trail: Debug + Send + Sync {
    /// One try is over.
    fn called(&self, call: CallRecord);
}

/// Writes nothing down.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoTrail;

impl Trail for NoTrail {
    fn called(&self, _: CallRecord) {}
}

/// Keeps the records in memory, for a caller that stores or shows them with its own result.
#[derive(Debug, Default)]
pub struct Noted(Mutex<Vec<CallRecord>>);

impl Noted {
    /// What was written down, oldest first; it is forgotten here.
    #[must_use]
    pub fn take(&self) -> Vec<CallRecord> {
        self.0.lock().map(|mut calls| std::mem::take(&mut *calls)).unwrap_or_default()
    }
}

impl Trail for Noted {
    fn called(&self, call: CallRecord) {
        if let Ok(mut calls) = self.0.lock() {
            calls.push(call);
        }
    }
}
