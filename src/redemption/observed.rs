//! Writes every try at a peer down on the caller's trail.

use super::{
    Authentic, CallContext, CallRecord, Capabilities, EventPage, Forged, Health, ImportPage, Peer, PeerError,
    PeerEvent, Reading, Redeem, Redemption, Rollback, Surroundings, Trail, Unreadable, Verb, Webhook,
};
use crate::domain::code::Code;
use chrono::{DateTime, Utc};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

/// A peer whose tries are written down.
#[derive(Debug)]
pub struct Observed {
    inner: Arc<dyn Peer>,
    surroundings: Arc<dyn Surroundings>,
}

/// A try under way; dropped without an answer it was given up, and that is written down too.
struct Try<'a> {
    trail: &'a dyn Trail,
    surroundings: &'a dyn Surroundings,
    begun: Duration,
    record: Option<CallRecord>,
}

impl Observed {
    /// Watches a peer.
    #[must_use]
    pub fn new(inner: Arc<dyn Peer>, surroundings: Arc<dyn Surroundings>) -> Self {
        Self { inner, surroundings }
    }

    fn asked<'a>(&'a self, verb: Verb, of: &str, context: &CallContext<'a>) -> Try<'a> {
        let asked = if of.is_empty() { verb.word().to_owned() } else { format!("{} {of}", verb.word()) };
        let record = CallRecord {
            peer: self.inner.name().to_owned(),
            verb,
            asked,
            answered: "no answer in time".to_owned(),
            at: context.now,
            took: Duration::ZERO,
        };
        let surroundings = self.surroundings.as_ref();
        Try { trail: context.trail, surroundings, begun: surroundings.elapsed(), record: Some(record) }
    }
}

impl Try<'_> {
    fn answered(mut self, answered: String) {
        if let Some(record) = &mut self.record {
            record.answered = answered;
        }
    }

    fn told<T>(self, answer: &Result<T, PeerError>, words: impl FnOnce(&T) -> String) {
        let answered = match answer {
            Ok(done) => words(done),
            Err(error) => refusal(error),
        };
        self.answered(answered);
    }
}

impl Drop for Try<'_> {
    fn drop(&mut self) {
        if let Some(mut record) = self.record.take() {
            record.took = self.surroundings.elapsed().saturating_sub(self.begun);
            self.trail.called(record);
        }
    }
}

/// A failure in stable words, with what was seen.
fn refusal(error: &PeerError) -> String {
    let seen = match error {
        PeerError::Unavailable { detail, .. } | PeerError::Auth { detail } | PeerError::Protocol(detail) => {
            Some(detail)
        }
        PeerError::Rejected { detail, .. } => detail.as_ref(),
        PeerError::RateLimited { .. }
        | PeerError::Timeout { .. }
        | PeerError::Unsupported
        | PeerError::OutcomeUnknown => None,
    };
    with_detail(error.word(), seen.map(String::as_str))
}

fn with_detail(word: &str, detail: Option<&str>) -> String {
    match detail {
        Some(detail) if detail != word => format!("{word} ({detail})"),
        Some(_) | None => word.to_owned(),
    }
}

/// The codes of a question: of one its end, of several how many.
fn named(codes: &[Code]) -> String {
    match codes {
        [code] => code.to_string(),
        several => format!("{} codes", several.len()),
    }
}

/// The answers: of one its word, of several how many of each, the most frequent first.
fn counted(answers: &[Result<Reading, PeerError>]) -> String {
    if let [answer] = answers {
        return match answer {
            Ok(reading) => with_detail(reading.status.word(), reading.reason.as_deref()),
            Err(error) => refusal(error),
        };
    }
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for answer in answers {
        let word = answer.as_ref().map_or_else(PeerError::word, |reading| reading.status.word());
        match counts.iter_mut().find(|(known, _)| *known == word) {
            Some((_, count)) => *count += 1,
            None => counts.push((word, 1)),
        }
    }
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let mut words = String::new();
    for (word, count) in counts {
        // Writing to a String cannot fail.
        let _ = write!(words, "{}{count} {word}", if words.is_empty() { "" } else { ", " });
    }
    words
}

#[async_trait::async_trait]
impl Peer for Observed {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn kind(&self) -> &'static str {
        self.inner.kind()
    }

    fn capabilities(&self) -> &Capabilities {
        self.inner.capabilities()
    }

    async fn validate(&self, codes: &[Code], context: &CallContext<'_>) -> Vec<Result<Reading, PeerError>> {
        let asked = self.asked(Verb::Validate, &named(codes), context);
        let answers = self.inner.validate(codes, context).await;
        asked.answered(counted(&answers));
        answers
    }

    async fn redeem(&self, ask: &Redeem, context: &CallContext<'_>) -> Result<Redemption, PeerError> {
        let asked = self.asked(Verb::Redeem, &ask.code.to_string(), context);
        let answer = self.inner.redeem(ask, context).await;
        asked.told(&answer, |_| "redeemed".to_owned());
        answer
    }

    async fn find_redemption(
        &self,
        code: &Code,
        reference: &str,
        context: &CallContext<'_>,
    ) -> Result<Option<Redemption>, PeerError> {
        let asked = self.asked(Verb::FindRedemption, &code.to_string(), context);
        let answer = self.inner.find_redemption(code, reference, context).await;
        asked.told(&answer, |found| if found.is_some() { "found" } else { "not found" }.to_owned());
        answer
    }

    async fn rollback(&self, ask: &Rollback, context: &CallContext<'_>) -> Result<(), PeerError> {
        let asked = self.asked(Verb::RollBack, &ask.code.to_string(), context);
        let answer = self.inner.rollback(ask, context).await;
        asked.told(&answer, |()| "rolled_back".to_owned());
        answer
    }

    async fn poll_events(&self, after: Option<&str>, context: &CallContext<'_>) -> Result<EventPage, PeerError> {
        let asked = self.asked(Verb::PollEvents, "", context);
        let answer = self.inner.poll_events(after, context).await;
        asked.told(&answer, |page| format!("{} events", page.events.len()));
        answer
    }

    async fn import(&self, after: Option<&str>, context: &CallContext<'_>) -> Result<ImportPage, PeerError> {
        let asked = self.asked(Verb::Import, "", context);
        let answer = self.inner.import(after, context).await;
        asked.told(&answer, |page| format!("{} codes", page.codes.len()));
        answer
    }

    async fn health(&self, context: &CallContext<'_>) -> Result<Health, PeerError> {
        let asked = self.asked(Verb::Health, "", context);
        let answer = self.inner.health(context).await;
        asked.told(&answer, |_| "there".to_owned());
        answer
    }

    fn authenticate<'a>(&self, hook: &'a Webhook<'a>, now: DateTime<Utc>) -> Result<Authentic<'a>, Forged> {
        self.inner.authenticate(hook, now)
    }

    fn parse(&self, hook: Authentic<'_>) -> Vec<Result<PeerEvent, Unreadable>> {
        self.inner.parse(hook)
    }
}
