//! A redemption peer in memory: it knows a list of dead codes, and its mood is set by the test.

use chrono::{DateTime, Utc};
use codewell::domain::code::Code;
use codewell::redemption::{
    Authentic, Authority, BreakerLimits, CallContext, Capabilities, Effect, EventPage, Forged, GuardLimits, Guarded,
    Health, Idempotency, ImportPage, Machine, Peer, PeerError, PeerEvent, Reading, Reason, Redeem, Redemption,
    Registry, Rollback, Status, Unreadable, Webhook,
};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How many codes one look hands to it.
const LOT: usize = 128;

/// How it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Ok,
    /// No call arrives.
    Down,
    /// Every call arrives, and no answer comes back.
    Mute,
}

/// A redemption peer.
#[derive(Debug, Clone)]
pub(crate) struct StandIn(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    name: &'static str,
    capabilities: Capabilities,
    mood: Mutex<Mood>,
    codes: Mutex<HashMap<String, Status>>,
    redemptions: Mutex<HashMap<String, (String, String)>>,
    validated: AtomicU64,
}

impl StandIn {
    pub(crate) fn new() -> Self {
        Self::named("shop")
    }

    pub(crate) fn named(name: &'static str) -> Self {
        let capabilities = Capabilities {
            can_redeem: true,
            can_rollback: true,
            can_find_redemption: true,
            can_import: false,
            pushes_events: true,
            polls_events: false,
            rollback_rearms: true,
            batch_max: LOT / 32,
            quota_per_minute: None,
            authority: Authority::Strong,
            idempotency: Idempotency::ByReference,
        };
        Self(Arc::new(Inner {
            name,
            capabilities,
            mood: Mutex::new(Mood::Ok),
            codes: Mutex::default(),
            redemptions: Mutex::default(),
            validated: AtomicU64::default(),
        }))
    }

    /// It behind its guard, as the one peer there is.
    pub(crate) fn registry(&self) -> Registry {
        // Waits of its guard are the guard's own tests; here a test would only stand still.
        let soon = Duration::from_millis(1);
        let breaker = BreakerLimits { pause: soon, ..BreakerLimits::default() };
        let limits = GuardLimits { first_wait: soon, longest_wait: soon, breaker, ..GuardLimits::default() };
        Registry::new([Guarded::with(Arc::new(self.clone()), limits, Arc::new(Machine::new()))])
    }

    pub(crate) fn is(&self, mood: Mood) {
        *self.0.mood.lock().expect("no test died here") = mood;
    }

    /// How it will call a code from now on.
    pub(crate) fn calls(&self, code: &Code, status: Status) {
        self.0.codes.lock().expect("no test died here").insert(code.norm().expose().to_owned(), status);
    }

    /// How many codes it was asked about.
    pub(crate) fn validated(&self) -> u64 {
        self.0.validated.load(Ordering::SeqCst)
    }

    /// How many uses it has in its books.
    pub(crate) fn redemptions(&self) -> usize {
        self.0.redemptions.lock().expect("no test died here").len()
    }

    fn reached(&self) -> Result<Mood, PeerError> {
        let mood = *self.0.mood.lock().expect("no test died here");
        match mood {
            Mood::Ok | Mood::Mute => Ok(mood),
            Mood::Down => Err(PeerError::Unavailable {
                retry_after: None,
                effect: Effect::None,
                detail: "no connection".to_owned(),
            }),
        }
    }

    fn answered<T>(mood: Mood, answer: T) -> Result<T, PeerError> {
        if mood == Mood::Mute { Err(PeerError::Timeout { effect: Effect::Unknown }) } else { Ok(answer) }
    }

    fn status(&self, code: &Code) -> Status {
        let codes = self.0.codes.lock().expect("no test died here");
        codes.get(code.norm().expose()).cloned().unwrap_or(Status::Valid)
    }
}

#[async_trait::async_trait]
impl Peer for StandIn {
    fn name(&self) -> &str {
        self.0.name
    }

    fn kind(&self) -> &'static str {
        "stand-in"
    }

    fn capabilities(&self) -> &Capabilities {
        &self.0.capabilities
    }

    async fn validate(&self, codes: &[Code], context: &CallContext<'_>) -> Vec<Result<Reading, PeerError>> {
        assert!(codes.len() <= self.0.capabilities.batch_max, "no more than it takes");
        self.0.validated.fetch_add(codes.len() as u64, Ordering::SeqCst);
        let one = |code: &Code| {
            let mood = self.reached()?;
            let reading =
                Reading { status: self.status(code), as_of: context.now, authority: Authority::Strong, reason: None };
            Self::answered(mood, reading)
        };
        codes.iter().map(one).collect()
    }

    async fn redeem(&self, ask: &Redeem, context: &CallContext<'_>) -> Result<Redemption, PeerError> {
        let mood = self.reached()?;
        let status = self.status(&ask.code);
        if !status.is_alive() {
            let reason = Reason::parse(status.word()).unwrap_or(Reason::Disabled);
            return Err(PeerError::Rejected { reason, at: None, detail: None });
        }
        let redemption_id = {
            let mut books = self.0.redemptions.lock().expect("no test died here");
            let next = format!("r_{}", books.len() + 1);
            assert!(!books.contains_key(&ask.reference), "asked twice for one use");
            let code = ask.code.norm().expose().to_owned();
            books.insert(ask.reference.clone(), (next.clone(), code));
            next
        };
        self.calls(&ask.code, Status::Redeemed { at: Some(context.now), redemption_id: Some(redemption_id.clone()) });
        Self::answered(mood, Redemption { redemption_id, at: Some(context.now), discount: None })
    }

    async fn find_redemption(
        &self,
        code: &Code,
        reference: &str,
        _: &CallContext<'_>,
    ) -> Result<Option<Redemption>, PeerError> {
        let mood = self.reached()?;
        let books = self.0.redemptions.lock().expect("no test died here");
        let found = books.get(reference).filter(|(_, of)| of == code.norm().expose());
        let found = found.map(|(id, _)| Redemption { redemption_id: id.clone(), at: None, discount: None });
        Self::answered(mood, found)
    }

    async fn rollback(&self, ask: &Rollback, _: &CallContext<'_>) -> Result<(), PeerError> {
        let mood = self.reached()?;
        self.calls(&ask.code, Status::Valid);
        Self::answered(mood, ())
    }

    async fn poll_events(&self, _: Option<&str>, _: &CallContext<'_>) -> Result<EventPage, PeerError> {
        Err(PeerError::Unsupported)
    }

    async fn import(&self, _: Option<&str>, _: &CallContext<'_>) -> Result<ImportPage, PeerError> {
        Err(PeerError::Unsupported)
    }

    async fn health(&self, _: &CallContext<'_>) -> Result<Health, PeerError> {
        self.reached().map(|_| Health { calls_left: None })
    }

    fn authenticate<'a>(&self, _: &'a Webhook<'a>, _: DateTime<Utc>) -> Result<Authentic<'a>, Forged> {
        Err(Forged::Unsigned)
    }

    fn parse(&self, _: Authentic<'_>) -> Vec<Result<PeerEvent, Unreadable>> {
        Vec::new()
    }
}
