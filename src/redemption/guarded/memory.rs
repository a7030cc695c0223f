//! What a peer said of a code not long ago; and of many who ask at once, one asks.

use super::super::{PeerError, Reading, Status, Surroundings};
use crate::domain::code::Code;
use chrono::{DateTime, Utc};
use moka::future::Cache;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Codes remembered at most: some 300 bytes each.
const MAX_CODES: u64 = 100_000;
/// A valid code may be used any moment.
const VALID: Duration = Duration::from_secs(30);
/// An unknown code may be imported any moment, but is mostly a typo.
const UNKNOWN: Duration = Duration::from_mins(1);
/// Used, expired and switched off are nearly for ever; events tell the rest.
const OVER: Duration = Duration::from_hours(24);
/// A first day can be moved.
const NOT_YET: Duration = Duration::from_mins(10);

type Answer = Result<Reading, PeerError>;

#[derive(Debug, Clone)]
struct Kept {
    answer: Answer,
    /// In passed time; an answer that is not to be kept is over when it comes.
    until: Duration,
}

/// The memory of one peer.
#[derive(Debug)]
pub(super) struct Memory {
    surroundings: Arc<dyn Surroundings>,
    kept: Cache<Code, Kept>,
    /// Goes up when something is forgotten: an answer that was under way then is not kept.
    forgotten: AtomicU64,
}

impl Memory {
    pub(super) fn new(surroundings: Arc<dyn Surroundings>) -> Self {
        let kept = Cache::builder().max_capacity(MAX_CODES).build();
        Self { surroundings, kept, forgotten: AtomicU64::new(0) }
    }

    /// What is remembered of a code.
    pub(super) async fn get(&self, code: &Code) -> Option<Answer> {
        let kept = self.kept.get(code).await?;
        (kept.until > self.surroundings.elapsed()).then_some(kept.answer)
    }

    /// What is remembered, or else what `ask` answers; of several at once one asks for all.
    pub(super) async fn get_or_ask(
        &self,
        code: &Code,
        now: DateTime<Utc>,
        ask: impl Future<Output = Answer> + Send,
    ) -> Answer {
        let asked = async {
            let mark = self.mark();
            let answer = ask.await;
            self.fresh(answer, now, mark)
        };
        let over = |kept: &Kept| kept.until <= self.surroundings.elapsed();
        self.kept.entry_by_ref(code).or_insert_with_if(asked, over).await.into_value().answer
    }

    /// To be taken before asking and given to [`Memory::keep`].
    pub(super) fn mark(&self) -> u64 {
        self.forgotten.load(Ordering::Acquire)
    }

    /// Remembers an answer, unless something was forgotten since `mark`.
    pub(super) async fn keep(&self, code: &Code, answer: Answer, now: DateTime<Utc>, mark: u64) {
        let kept = self.fresh(answer, now, mark);
        if kept.until > self.surroundings.elapsed() {
            self.kept.insert(code.clone(), kept).await;
        }
    }

    pub(super) async fn forget(&self, code: &Code) {
        self.forgotten.fetch_add(1, Ordering::AcqRel);
        self.kept.invalidate(code).await;
    }

    fn fresh(&self, answer: Answer, now: DateTime<Utc>, mark: u64) -> Kept {
        let passed = self.surroundings.elapsed();
        let keeps = match &answer {
            Ok(reading) if self.mark() == mark => keeps(&reading.status, now),
            Ok(_) | Err(_) => Duration::ZERO,
        };
        Kept { answer, until: passed + keeps }
    }
}

/// How long an answer is kept.
fn keeps(status: &Status, now: DateTime<Utc>) -> Duration {
    match status {
        Status::Valid => VALID,
        Status::Unknown => UNKNOWN,
        Status::Redeemed { .. } | Status::Expired(_) | Status::Disabled => OVER,
        Status::NotYetActive(start) => start.map_or(NOT_YET, |start| {
            let left = start.signed_duration_since(now).to_std().unwrap_or_default();
            left.min(NOT_YET)
        }),
        // These hang on a sale, or on somebody else's next step.
        Status::Conditional(_) | Status::Locked | Status::IssuedElsewhere => Duration::ZERO,
    }
}
