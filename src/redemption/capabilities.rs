//! What a peer can do: read by linters, workers and the till before they ask.

use super::Authority;

/// What a peer can do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a column of yes and no, each read by its name")]
pub struct Capabilities {
    /// It can be told that a code is used; shops that only redeem by an order cannot.
    pub can_redeem: bool,
    /// It can be told to take a use back.
    pub can_rollback: bool,
    /// Whether a use is ours can be looked up by our reference.
    pub can_find_redemption: bool,
    /// It lists its codes.
    pub can_import: bool,
    /// It sends signed webhooks.
    pub pushes_events: bool,
    /// It has a feed of events.
    pub polls_events: bool,
    /// A use that was taken back leaves the code usable.
    pub rollback_rearms: bool,
    /// Codes that one `validate` may name, at least 1.
    pub batch_max: usize,
    /// Calls a minute that our account may make; `None` when nobody counts.
    pub quota_per_minute: Option<u32>,
    /// How far its word reaches.
    pub authority: Authority,
    /// What happens when the same redeem is asked twice.
    pub idempotency: Idempotency,
}

/// What happens when the same redeem is asked twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idempotency {
    /// The same key gets the same answer: it may be asked again.
    Native,
    /// Our reference stands in its books: it may be asked again after a look that did not find it.
    ByReference,
    /// Nothing tells the second from the first: never asked again.
    None,
}
