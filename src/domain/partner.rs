//! An affiliate partner: who may call, for what, within which caps.

use crate::domain::cap::Cap;
use crate::domain::ids::{CampaignId, PartnerId};
use std::collections::BTreeMap;
use std::fmt;

mod document;

pub use document::{AcrossCaps, Edit, Grant, News, PartnerDoc, Rate};

/// Characters of the longest client id.
const CLIENT_CHARS: usize = 40;

/// The name by which a partner authenticates: 2 to 40 lower-case letters, digits and `-`, a letter first. Those of
/// sandboxes begin with `test-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(String);

/// The text is no client id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a client id has 2 to 40 lower-case letters, digits and hyphens and begins with a letter: acme-deals")]
pub struct NotAClientId;

impl ClientId {
    /// Reads one.
    ///
    /// # Errors
    /// [`NotAClientId`].
    pub fn parse(text: &str) -> Result<Self, NotAClientId> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let fits = (2..=CLIENT_CHARS).contains(&text.len()) && text.bytes().all(plain);
        let begins = text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
        if fits && begins { Ok(Self(text.to_owned())) } else { Err(NotAClientId) }
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a partner's calls count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Environment {
    /// They do.
    Live,
    /// It is a sandbox: nothing it asks for moves a counter.
    Test,
}

impl Environment {
    /// That of a client id.
    #[must_use]
    pub fn of(client: &ClientId) -> Self {
        if client.as_str().starts_with("test-") { Self::Test } else { Self::Live }
    }

    /// The word that tables, tokens and JSON use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }

    /// Reads [`Environment::word`] back.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Live, Self::Test].into_iter().find(|environment| environment.word() == word)
    }
}

/// One thing a partner may be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PartnerScope {
    /// One code for one customer.
    Issue,
    /// Many codes at once.
    Bulk,
    /// See campaigns, its issuances and allocations.
    Read,
    /// See what became of its codes.
    Events,
    /// Daily figures.
    Reports,
    /// Say where its feed is sent.
    Webhooks,
}

impl PartnerScope {
    /// Every scope, in the order in which lists name them.
    pub const ALL: [Self; 6] = [Self::Issue, Self::Bulk, Self::Read, Self::Events, Self::Reports, Self::Webhooks];

    /// What a new partner may ask for unless somebody says otherwise: codes for its customers, and what became of them.
    pub const STANDARD: [Self; 4] = [Self::Issue, Self::Read, Self::Events, Self::Reports];

    /// The word in tokens and documents.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Issue => "codes:issue",
            Self::Bulk => "codes:bulk",
            Self::Read => "codes:read",
            Self::Events => "events:read",
            Self::Reports => "reports:read",
            Self::Webhooks => "webhooks:manage",
        }
    }

    /// Reads [`PartnerScope::word`] back.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.word() == word)
    }
}

/// Whether a partner may call at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartnerStatus {
    /// It may.
    Active,
    /// A person stopped it; what it has given out stays good.
    Suspended,
}

impl PartnerStatus {
    /// The word that tables and JSON use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }

    /// Reads [`PartnerStatus::word`] back.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Active, Self::Suspended].into_iter().find(|status| status.word() == word)
    }
}

/// What a partner may do, as one version of it says: the engine decides by this, under the partner's lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartnerTerms {
    /// Its number.
    pub id: PartnerId,
    /// Its name at the token endpoint, and in doors (`api-<client id>`).
    pub client: ClientId,
    /// Which version this is; a batch that was planned with another one starts again.
    pub version: u32,
    /// Whether it may call.
    pub status: PartnerStatus,
    /// What it may ask for.
    pub scopes: Vec<PartnerScope>,
    /// The caps of each campaign that it may give codes of; a campaign that is not here does not exist for it.
    pub grants: BTreeMap<CampaignId, Vec<Cap>>,
    /// Its caps over all campaigns.
    pub across: Vec<Cap>,
}

impl PartnerTerms {
    /// Whether it may ask for this.
    #[must_use]
    pub fn allows(&self, scope: PartnerScope) -> bool {
        self.scopes.contains(&scope)
    }

    /// Every cap that a code of that campaign counts in; none where it is not granted.
    pub fn caps(&self, campaign: CampaignId) -> impl Iterator<Item = &Cap> {
        let own = self.grants.get(&campaign);
        own.into_iter().flatten().chain(own.map(|_| &self.across).into_iter().flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::{ClientId, PartnerScope, PartnerStatus};

    #[test]
    fn a_client_id_is_a_short_plain_word() {
        for good in ["acme-deals", "ab", "test-acme", "a1"] {
            assert!(ClientId::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "a", "1a", "-a", "Acme", "a.b", "a b", "é1", &"a".repeat(41)] {
            assert!(ClientId::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn scopes_and_states_are_read_back_from_their_words() {
        assert!(PartnerScope::ALL.into_iter().all(|scope| PartnerScope::parse(scope.word()) == Some(scope)));
        let states = [PartnerStatus::Active, PartnerStatus::Suspended];
        assert!(states.into_iter().all(|status| PartnerStatus::parse(status.word()) == Some(status)));
    }
}
