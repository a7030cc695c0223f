//! What a partner hears of its codes: events numbered without gaps, and a cursor into them.

use crate::domain::ids::{CampaignId, PartnerId, Spot};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value};
use std::fmt;

macro_rules! kinds {
    ($(#[doc = $doc:literal] $kind:ident = $word:literal),+ $(,)?) => {
        /// What happened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FeedKind {
            $(#[doc = $doc] $kind,)+
        }

        impl FeedKind {
            /// Every kind, in the order in which lists name them.
            pub const ALL: &[Self] = &[$(Self::$kind),+];

            /// The word that tables and JSON use; the `type` of an event.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Self::$kind => $word,)+ }
            }

            /// What happened, in a sentence.
            #[must_use]
            pub fn sentence(self) -> &'static str {
                match self { $(Self::$kind => $doc,)+ }.trim()
            }
        }
    };
}

kinds! {
    /// A code was given out, or a pull of many.
    Issued = "issued",
    /// The text with the code reached the phone.
    Delivered = "delivered",
    /// The coupon page was opened.
    Viewed = "viewed",
    /// A till asked about the code.
    Validated = "validated",
    /// A till took the code.
    Redeemed = "redeemed",
    /// A redemption was taken back.
    RolledBack = "rolled_back",
    /// Some of a sale's money went back to the customer; the code stays used.
    Refunded = "refunded",
    /// The code was made worthless.
    Voided = "voided",
    /// Codes came back unseen.
    Returned = "returned",
    /// A pull was not acknowledged in time.
    LeaseExpired = "lease_expired",
    /// A campaign is running out of codes.
    LowStock = "low_stock",
    /// A cap was changed.
    CapChanged = "cap_changed",
    /// The partner was stopped.
    Suspended = "suspended",
    /// The partner may call again.
    Resumed = "resumed",
    /// A code is tried by strangers, or was shown or used without having been given out.
    LeakSuspected = "leak_suspected",
    /// An endpoint was disabled by the house: it answered 410, or took nothing for three days.
    WebhookDisabled = "webhook_disabled",
}

impl FeedKind {
    /// Reads [`FeedKind::word`] back.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.word() == word)
    }
}

/// A place in a partner's feed: everything up to it was heard. The default is the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Cursor(pub u64);

impl Cursor {
    /// Reads a cursor, or an event's id, after which the next one comes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // Numbers stay below 2^63, as the tables have it.
        let number = |no: u64| i64::try_from(no).ok().map(|_| Self(no));
        if let Some(hex) = text.strip_prefix("fc_").filter(|hex| hex.len() == 16) {
            return hex
                .bytes()
                .all(|b| b.is_ascii_hexdigit())
                .then(|| u64::from_str_radix(hex, 16).ok())?
                .and_then(number);
        }
        let (_, no) = text.strip_prefix("evt_")?.rsplit_once('_')?;
        no.bytes().all(|b| b.is_ascii_digit()).then(|| no.parse().ok())?.and_then(number)
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fc_{:016x}", self.0)
    }
}

/// An event as its row says.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedRow {
    /// Whose feed.
    pub partner: PartnerId,
    /// The partner's client id, for the event's name.
    pub client: String,
    /// Its number; the next event has the next one.
    pub no: u64,
    /// What happened.
    pub kind: FeedKind,
    /// When.
    pub happened_at: DateTime<Utc>,
    /// With which campaign.
    pub campaign: Option<CampaignId>,
    /// With which code.
    pub spot: Option<Spot>,
    /// What else is to be said: amounts, the store, counts.
    pub data: Map<String, Value>,
    /// What the partner wanted to know the code by.
    pub sub_id: Option<String>,
    /// What it wanted echoed: `click_id`, `publisher_id`, `metadata`.
    pub note: Map<String, Value>,
    /// The text of a stored code.
    pub code: Option<String>,
}

/// How much of a code its events show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codes {
    /// The last four characters.
    Ending,
    /// All of it.
    Full,
}

impl Codes {
    /// The word that tables and JSON use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ending => "ending",
            Self::Full => "full",
        }
    }

    /// Reads [`Codes::word`] back.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Ending, Self::Full].into_iter().find(|codes| codes.word() == word)
    }
}

/// An event as partners read it, by their asking and by ours.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FeedEvent {
    /// `evt_<client>_<number>`, the same for ever.
    pub id: String,
    /// The word of its kind.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// When it happened.
    pub timestamp: DateTime<Utc>,
    /// The rest.
    pub data: Map<String, Value>,
}

/// The most that an event may take as JSON, bytes (Standard Webhooks advises 20 kB).
pub const EVENT_BYTES: usize = 20_000;

impl FeedEvent {
    /// As JSON. What a partner wanted echoed is left out where the whole would be too long.
    #[must_use]
    pub fn body(&self) -> String {
        let whole = |event: &Self| serde_json::to_string(event).unwrap_or_default();
        let body = whole(self);
        if body.len() <= EVENT_BYTES {
            return body;
        }
        let mut short = self.clone();
        short.data.remove("metadata");
        whole(&short)
    }
}

/// The name of an event.
#[must_use]
pub fn event_id(client: &str, no: u64) -> String {
    format!("evt_{client}_{no}")
}

#[cfg(test)]
mod tests {
    use super::{Codes, Cursor, EVENT_BYTES, FeedEvent, FeedKind, event_id};
    use chrono::DateTime;
    use serde_json::json;

    #[test]
    fn kinds_are_read_back_from_their_words() {
        assert!(FeedKind::ALL.iter().all(|kind| FeedKind::parse(kind.word()) == Some(*kind)));
        assert_eq!(FeedKind::parse("code.redeemed"), None);
        assert!([Codes::Ending, Codes::Full].into_iter().all(|codes| Codes::parse(codes.word()) == Some(codes)));
    }

    #[test]
    fn a_cursor_is_read_back_and_an_events_id_is_one_too() {
        for no in [0, 1, 500, u64::from(u32::MAX) + 7] {
            assert_eq!(Cursor::parse(&Cursor(no).to_string()), Some(Cursor(no)));
            assert_eq!(Cursor::parse(&event_id("acme-deals", no)), Some(Cursor(no)));
        }
        for bad in ["", "5", "fc_5", "fc_ffffffffffffffff", "fc_+00000000000000f", "evt_5", "evt_acme_+5", "evt_acme_x"]
        {
            assert_eq!(Cursor::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_event_that_would_be_too_long_leaves_out_what_was_only_to_be_echoed() {
        let mut event = FeedEvent {
            id: event_id("acme", 7),
            kind: FeedKind::Redeemed.word(),
            timestamp: DateTime::UNIX_EPOCH,
            data: json!({"amount": 500}).as_object().cloned().unwrap_or_default(),
        };
        let short = r#"{"id":"evt_acme_7","type":"redeemed","timestamp":"1970-01-01T00:00:00Z","data":{"amount":500}}"#;
        assert_eq!(event.body(), short);
        event.data.insert("metadata".to_owned(), "x".repeat(EVENT_BYTES).into());
        assert_eq!(event.body(), short);
    }
}
