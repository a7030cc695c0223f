//! The carrier wing: from a webhook's bytes to events, from a message to a carrier's call. It knows no database and no
//! HTTP server, so an adapter is tested from bytes alone.
//!
//! A new carrier is one file here and its line where [`Registry`] is filled.

mod account;
mod form;
mod generic;
mod handset;
mod hook;
mod kannel;
mod message;
mod registry;
mod signing;
mod simulator;
mod telnyx;
mod twilio;
mod vonage;

pub use crate::domain::act::{CarrierSaid, Refused};
pub use account::{Account, AccountError};
pub use handset::{Bubble, BubbleStatus, Change, Direction, Handset, MAX_BUBBLES, MAX_PHONES, Phones};
pub use hook::{Authentic, Event, Forged, Inbound, Media, Method, Report, ReportStatus, Unreadable, Webhook};
pub use message::{Accepted, Lookup, Outgoing, Pace, Retry, SendError};
pub use registry::Registry;
pub use signing::Signing;
pub use simulator::{Notice, Outside, SIMULATOR, SIMULATOR_SECRET, Simulator};

use crate::domain::phone::SenderAddress;
use chrono::{DateTime, Utc};
use std::fmt::Write as _;

/// What a carrier wants to hear when a webhook was understood; always a 2xx.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acknowledgement {
    /// 200 or 204.
    pub status: u16,
    /// The type of the body, where there is one.
    pub content_type: Option<&'static str>,
    /// The body; mostly empty, so that no carrier texts it to the phone.
    pub body: &'static str,
}

/// The public addresses of one number of ours, as its carrier must have them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hooks {
    /// For texts.
    pub inbound: String,
    /// For reports.
    pub status: String,
}

impl Hooks {
    /// The addresses of a number under a public address. A full number stands there without its `+`, which is signed
    /// in one form and sent in another by whoever encodes it.
    #[must_use]
    pub fn of(public_url: &str, sender: &str) -> Self {
        let (base, sender) = (public_url.trim_end_matches('/'), sender.trim_start_matches('+'));
        Self { inbound: format!("{base}/sms/{sender}/inbound"), status: format!("{base}/sms/{sender}/status") }
    }
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// As it should be.
    Ok,
    /// It works, and may surprise.
    Warn,
    /// Texts or reports will not come through.
    Fail,
}

/// One thing found when an account was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad.
    pub grade: Grade,
    /// What was found: one sentence, no secrets.
    pub what: String,
    /// What to do next, and where; for [`Grade::Ok`] mostly nothing.
    pub do_next: Option<String>,
}

impl Finding {
    /// As it should be.
    #[must_use]
    pub fn ok(what: impl Into<String>) -> Self {
        Self { grade: Grade::Ok, what: what.into(), do_next: None }
    }

    /// It works, and may surprise.
    #[must_use]
    pub fn warn(what: impl Into<String>, do_next: impl Into<String>) -> Self {
        Self { grade: Grade::Warn, what: what.into(), do_next: Some(do_next.into()) }
    }

    /// Texts or reports will not come through.
    #[must_use]
    pub fn fail(what: impl Into<String>, do_next: impl Into<String>) -> Self {
        Self { grade: Grade::Fail, what: what.into(), do_next: Some(do_next.into()) }
    }
}

/// A carrier. Nothing has a default body: every adapter answers every question, above all the first.
#[async_trait::async_trait]
pub trait SmsProvider: std::fmt::Debug + Send + Sync {
    /// The name of this account in the documents of senders: `[[carriers]] name`.
    fn name(&self) -> &str;

    /// Believes a webhook or not.
    ///
    /// # Errors
    /// [`Forged`] when the signature does not hold.
    fn authenticate<'a>(&self, hook: &'a Webhook<'a>, now: DateTime<Utc>) -> Result<Authentic<'a>, Forged>;

    /// Reads what it tells, in its order.
    ///
    /// # Errors
    /// [`Unreadable`] when nothing in it can be read; one bad part among others is an [`Event::Unreadable`].
    fn parse(&self, hook: Authentic<'_>) -> Result<Vec<Event>, Unreadable>;

    /// What the carrier wants to hear then.
    fn acknowledge(&self) -> Acknowledgement;

    /// How fast it may be used.
    fn pace(&self) -> Pace;

    /// Hands a message over, once: an adapter never tries again by itself.
    ///
    /// # Errors
    /// [`SendError`], sorted by what may be done about it.
    async fn send(&self, out: &Outgoing) -> Result<Accepted, SendError>;

    /// Asks what became of a message whose hand-over is in doubt; `out.at` is when it was handed over.
    ///
    /// # Errors
    /// [`SendError`] when the carrier could not be asked now; nothing is known then.
    async fn lookup(&self, out: &Outgoing) -> Result<Lookup, SendError>;

    /// The texts to that number since then, oldest first, under the names their webhooks gave them: what came while we
    /// were away. `None` from a carrier that keeps no such list.
    ///
    /// # Errors
    /// [`SendError`] when the carrier could not be asked now.
    async fn pull(&self, sender: &SenderAddress, since: DateTime<Utc>) -> Result<Option<Vec<Inbound>>, SendError>;

    /// Looks at the account and at that number in it, as far as the carrier lets us; the first finding that is wrong
    /// comes with what to do.
    async fn check(&self, sender: &SenderAddress, hooks: &Hooks) -> Vec<Finding>;
}

/// Bytes in lower-case hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_no_sign_that_is_encoded_in_two_ways() {
        let hooks = Hooks::of("https://c.example/", "+12025550199");
        assert_eq!(hooks.inbound, "https://c.example/sms/12025550199/inbound");
        assert_eq!(Hooks::of("https://c.example", "12345").status, "https://c.example/sms/12345/status");
    }
}
