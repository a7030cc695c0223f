//! Caps: any scope, any unit, any window. The engine knows no special kinds.

use crate::domain::campaign::{Attribution, Channel};
use crate::domain::ids::{CapId, CreatorId, PartnerId, PlacementId};
use crate::domain::window::Window;
use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;

/// What a cap counts over.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scope {
    /// One person; counted from her own issuances, under her lock.
    Person,
    /// The whole campaign (or, for a cap across campaigns, the whole house).
    Campaign,
    /// One channel.
    Channel(Channel),
    /// One keyword.
    Keyword(String),
    /// One placement.
    Placement(PlacementId),
    /// One affiliate partner.
    Partner(PartnerId),
    /// One creator.
    Creator(CreatorId),
}

impl Scope {
    /// Whether a request with this attribution counts here.
    #[must_use]
    pub fn holds(&self, from: &Attribution) -> bool {
        match self {
            Self::Person | Self::Campaign => true,
            Self::Channel(channel) => *channel == from.channel,
            Self::Keyword(word) => from.keyword.as_ref() == Some(word),
            Self::Placement(placement) => *placement == from.placement,
            Self::Partner(partner) => from.partner.is_some_and(|by| by.id == *partner),
            Self::Creator(creator) => from.creator == Some(*creator),
        }
    }

    /// The two words of the cap table: scope and scope id.
    #[must_use]
    pub fn words(&self) -> (&'static str, String) {
        match self {
            Self::Person => ("person", String::new()),
            Self::Campaign => ("campaign", String::new()),
            Self::Channel(channel) => ("channel", channel.word().to_owned()),
            Self::Keyword(word) => ("keyword", word.clone()),
            Self::Placement(placement) => ("placement", placement.to_string()),
            Self::Partner(partner) => ("partner", partner.to_string()),
            Self::Creator(creator) => ("creator", creator.to_string()),
        }
    }

    /// Reads [`Scope::words`] back.
    #[must_use]
    pub fn parse(scope: &str, id: &str) -> Option<Self> {
        match scope {
            "person" => Some(Self::Person),
            "campaign" => Some(Self::Campaign),
            "channel" => Channel::parse(id).map(Self::Channel),
            "keyword" => Some(Self::Keyword(id.to_owned())),
            "placement" => id.parse().ok().map(|number| Self::Placement(PlacementId(number))),
            "partner" => id.parse().ok().map(|number| Self::Partner(PartnerId(number))),
            "creator" => id.parse().ok().map(|number| Self::Creator(CreatorId(number))),
            _ => None,
        }
    }
}

/// What a cap adds up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Codes.
    Count,
    /// Money: minor units at each offer's maximum discount.
    Money,
}

impl Unit {
    /// The word that tables and JSON use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Money => "money",
        }
    }

    /// Reads [`Unit::word`] back.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Count, Self::Money].into_iter().find(|unit| unit.word() == word)
    }

    /// What one code of an offer adds.
    #[must_use]
    pub fn weight(self, max_discount: Option<i64>) -> i64 {
        match self {
            Self::Count => 1,
            Self::Money => max_discount.unwrap_or(0),
        }
    }
}

/// One limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cap {
    /// Its number.
    pub id: CapId,
    /// Over what.
    pub scope: Scope,
    /// Adding up what.
    pub unit: Unit,
    /// In which stretch of time.
    pub window: Window,
    /// The most, in units.
    pub cap: i64,
    /// The zone of its calendar.
    pub zone: Tz,
    /// It counts over all campaigns.
    pub across: bool,
}

/// A counter of a cap in one window, as its locked row says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// What was counted.
    pub used: i64,
    /// The most in this window (a cap lowered below `used` stands at `used`).
    pub cap: i64,
}

/// The cap that refused, with what a person needs to know of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    /// Which.
    pub cap_id: CapId,
    /// The limit.
    pub cap: i64,
    /// What was counted.
    pub used: i64,
    /// When there is room again; `None` is never.
    pub resets_at: Option<DateTime<Utc>>,
}

/// Checks a person's cap against her own issuances: (when, weight), in any order.
///
/// # Errors
/// [`Reached`] when one more of `weight` would not fit.
pub fn check_person(cap: &Cap, had: &[(DateTime<Utc>, i64)], weight: i64, now: DateTime<Utc>) -> Result<(), Reached> {
    let inside = |at: &DateTime<Utc>| match cap.window {
        Window::Rolling(ms) => *at > now - Duration::milliseconds(ms),
        window @ (Window::Lifetime | Window::Minute | Window::Day | Window::Week | Window::Month) => {
            window.key(*at, cap.zone) == window.key(now, cap.zone)
        }
    };
    let mut counted: Vec<_> = had.iter().filter(|(at, _)| inside(at)).copied().collect();
    let used: i64 = counted.iter().map(|(_, weight)| weight).sum();
    if used + weight <= cap.cap {
        return Ok(());
    }
    counted.sort_unstable();
    let resets_at = match cap.window {
        Window::Rolling(ms) => rolling_reset(&counted, used + weight - cap.cap, ms),
        window @ (Window::Lifetime | Window::Minute | Window::Day | Window::Week | Window::Month) => {
            window.next_start(now, cap.zone)
        }
    };
    Err(Reached { cap_id: cap.id, cap: cap.cap, used, resets_at })
}

/// When enough of the oldest have left the window that `excess` fits again; `None` when they never suffice.
fn rolling_reset(oldest_first: &[(DateTime<Utc>, i64)], excess: i64, ms: i64) -> Option<DateTime<Utc>> {
    let mut left = 0;
    oldest_first.iter().find_map(|(at, weight)| {
        left += weight;
        (left >= excess).then(|| *at + Duration::milliseconds(ms))
    })
}

/// Checks a counted cap against its quota.
///
/// # Errors
/// [`Reached`] when one more of `weight` would not fit.
pub fn check_quota(cap: &Cap, quota: Quota, weight: i64, now: DateTime<Utc>) -> Result<(), Reached> {
    if quota.used + weight <= quota.cap {
        return Ok(());
    }
    Err(Reached { cap_id: cap.id, cap: quota.cap, used: quota.used, resets_at: cap.window.next_start(now, cap.zone) })
}
