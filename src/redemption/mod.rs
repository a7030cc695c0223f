//! The wing of redemption peers: systems of somebody else that know whether a code is good and take it. It knows no
//! database and no HTTP server; the engine knows only the types named here.
//!
//! A new peer is one file here and its line where [`Registry`] is filled. Adapters are pure protocol: they ask once and
//! sort the answer. Time-outs, tries, the breaker, pacing and the cache are [`Guarded`]'s.

mod capabilities;
mod encoding;
mod error;
mod event;
#[cfg(any(test, feature = "faults"))]
mod faulty;
mod guarded;
mod http;
mod observed;
mod registry;
mod signature;
mod status;
mod surroundings;
#[cfg(test)]
mod testing;
mod trail;
mod voucherify;
mod wire;

pub use capabilities::{Capabilities, Idempotency};
pub use error::{Effect, PeerError};
pub use event::{Authentic, EventKind, EventPage, Forged, PeerEvent, Unreadable, Webhook};
#[cfg(any(test, feature = "faults"))]
pub use faulty::{Fault, Faulty};
pub use guarded::{BreakerLimits, BreakerState, GuardLimits, Guarded};
pub use http::{BadMapping, HttpPeer};
pub use observed::Observed;
pub use registry::{KINDS, PeerSettings, Registry, RegistryError, adapter};
pub use status::{Authority, Reading, Reason, Status, reason_key};
pub use surroundings::{Machine, Surroundings, Wait};
pub use trail::{CallContext, CallRecord, NoTrail, Noted, Trail, Verb};
pub use voucherify::Voucherify;

use crate::domain::code::Code;
use crate::domain::money::Money;
use chrono::{DateTime, Utc};

/// A use to be told to a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redeem {
    /// The code.
    pub code: Code,
    /// Our name of this use, the same at every try: idempotency key and what [`Peer::find_redemption`] looks for.
    pub reference: String,
    /// The store.
    pub store: Option<String>,
    /// The order.
    pub order: Option<String>,
    /// What the sale comes to.
    pub amount: Option<Money>,
}

/// A use that a peer has in its books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redemption {
    /// The peer's name of it, which rollback and events use.
    pub redemption_id: String,
    /// When, by the peer's clock, where it says it.
    pub at: Option<DateTime<Utc>>,
    /// What it took off the sale, where it says it.
    pub discount: Option<Money>,
}

/// A use to be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollback {
    /// The code.
    pub code: Code,
    /// The peer's name of the use.
    pub redemption_id: String,
    /// Our name of taking it back, the same at every try.
    pub reference: String,
    /// Why, in a word: `refund`.
    pub reason: String,
}

/// A page of a peer's codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportPage {
    /// The codes, in the peer's order.
    pub codes: Vec<ImportedCode>,
    /// Lines that are no code.
    pub unreadable: u64,
    /// Where to go on; `None` after the last page.
    pub next: Option<String>,
}

/// A code of a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedCode {
    /// As the peer writes it.
    pub code: Code,
    /// How it stands, where the list says it.
    pub status: Option<Status>,
    /// Its last moment, where the list says it.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A peer that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Calls left in the running window, where the peer says it.
    pub calls_left: Option<u64>,
}

/// A redemption peer. Nothing has a default body: every adapter answers every question.
#[async_trait::async_trait]
pub trait Peer: std::fmt::Debug + Send + Sync {
    /// Its name in the configuration, in campaigns and in the address of its webhook.
    fn name(&self) -> &str;

    /// Which adapter it is: `http`, `voucherify`.
    fn kind(&self) -> &'static str;

    /// What it can do.
    fn capabilities(&self) -> &Capabilities;

    /// How codes stand: as many answers as codes, in their order. At most [`Capabilities::batch_max`] codes.
    async fn validate(&self, codes: &[Code], context: &CallContext<'_>) -> Vec<Result<Reading, PeerError>>;

    /// Tells it that a code is used.
    ///
    /// # Errors
    /// [`PeerError`]; where [`PeerError::effect`] is unknown it must not be asked again without a look.
    async fn redeem(&self, ask: &Redeem, context: &CallContext<'_>) -> Result<Redemption, PeerError>;

    /// The use of a code that bears our reference, if the peer has one.
    ///
    /// # Errors
    /// [`PeerError`]; [`PeerError::Unsupported`] where nothing can be looked up.
    async fn find_redemption(
        &self,
        code: &Code,
        reference: &str,
        context: &CallContext<'_>,
    ) -> Result<Option<Redemption>, PeerError>;

    /// Takes a use back; taking back what was taken back is no error.
    ///
    /// # Errors
    /// [`PeerError`].
    async fn rollback(&self, ask: &Rollback, context: &CallContext<'_>) -> Result<(), PeerError>;

    /// A page of what happened after a place in the feed; `None` is its beginning.
    ///
    /// # Errors
    /// [`PeerError`]; [`PeerError::Unsupported`] without a feed.
    async fn poll_events(&self, after: Option<&str>, context: &CallContext<'_>) -> Result<EventPage, PeerError>;

    /// A page of its codes after a place in the list; `None` is its beginning.
    ///
    /// # Errors
    /// [`PeerError`]; [`PeerError::Unsupported`] without a list.
    async fn import(&self, after: Option<&str>, context: &CallContext<'_>) -> Result<ImportPage, PeerError>;

    /// Whether it is there and accepts our key.
    ///
    /// # Errors
    /// [`PeerError`].
    async fn health(&self, context: &CallContext<'_>) -> Result<Health, PeerError>;

    /// Believes a webhook or not.
    ///
    /// # Errors
    /// [`Forged`] when the signature does not hold, and always where the peer sends none.
    fn authenticate<'a>(&self, hook: &'a Webhook<'a>, now: DateTime<Utc>) -> Result<Authentic<'a>, Forged>;

    /// Reads what it tells, in its order. A body of which nothing can be read is one [`Unreadable`]; one that tells
    /// nothing for us is empty.
    fn parse(&self, hook: Authentic<'_>) -> Vec<Result<PeerEvent, Unreadable>>;
}
