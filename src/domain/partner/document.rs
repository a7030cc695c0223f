//! What one version of a partner says of it, as its document keeps it, and how people change it.

use super::{PartnerScope, PartnerStatus};
use crate::domain::ids::CampaignId;
use crate::domain::window::Window;
use serde::{Deserialize, Serialize};

/// The highest cap that can be written: a number nobody means.
const HIGHEST_CAP: i64 = 1_000_000_000_000;
/// Characters of the longest name or contact.
const TEXT_CHARS: usize = 200;
/// More calls in a second than one process serves.
const HIGHEST_RATE: u32 = 100_000;

/// All that is configured of a partner, its status apart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartnerDoc {
    /// Its name, for people.
    pub name: String,
    /// What it may ask for.
    #[serde(with = "words")]
    pub scopes: Vec<PartnerScope>,
    /// Whom a suspended partner is told to ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// Its caps over all campaigns.
    #[serde(default)]
    pub caps: AcrossCaps,
    /// How fast it may call; the house's rate where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
    /// The campaigns it may give codes of.
    #[serde(default)]
    pub grants: Vec<Grant>,
}

/// Caps over all campaigns; their calendar is UTC's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcrossCaps {
    /// For ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<i64>,
    /// In a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<i64>,
}

/// How fast a partner may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Calls in a second.
    pub per_second: u32,
    /// Calls at once.
    pub burst: u32,
}

/// One campaign that a partner may give codes of, with its caps there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The campaign's number.
    pub campaign: CampaignId,
    /// For ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<i64>,
    /// In a day of the campaign's zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<i64>,
    /// In a week.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub week: Option<i64>,
    /// In a month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub month: Option<i64>,
}

impl AcrossCaps {
    /// The caps that are there.
    pub fn caps(self) -> impl Iterator<Item = (Window, i64)> {
        present([(Window::Lifetime, self.total), (Window::Day, self.day)])
    }
}

impl Grant {
    /// A grant without caps.
    #[must_use]
    pub fn free(campaign: CampaignId) -> Self {
        Self { campaign, total: None, day: None, week: None, month: None }
    }

    /// The caps that are there.
    pub fn caps(self) -> impl Iterator<Item = (Window, i64)> {
        let Self { campaign: _, total, day, week, month } = self;
        present([(Window::Lifetime, total), (Window::Day, day), (Window::Week, week), (Window::Month, month)])
    }
}

fn present<const N: usize>(caps: [(Window, Option<i64>); N]) -> impl Iterator<Item = (Window, i64)> {
    caps.into_iter().filter_map(|(window, cap)| Some((window, cap?)))
}

/// One change of a partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Its name.
    Name(String),
    /// Whom a suspended partner is told to ask.
    Contact(Option<String>),
    /// What it may ask for.
    Scopes(Vec<PartnerScope>),
    /// Its caps over all campaigns.
    Caps(AcrossCaps),
    /// How fast it may call.
    Rate(Option<Rate>),
    /// A campaign it may give codes of, or other caps there.
    Grant(Grant),
    /// A campaign it may give codes of no longer.
    Revoke(CampaignId),
    /// Every campaign it may give codes of.
    Grants(Vec<Grant>),
    /// Whether it may call.
    Status(PartnerStatus),
}

impl Edit {
    /// Carries the change out.
    pub fn apply(&self, doc: &mut PartnerDoc, status: &mut PartnerStatus) {
        match self {
            Self::Name(name) => doc.name.clone_from(name),
            Self::Contact(contact) => doc.contact.clone_from(contact),
            Self::Scopes(scopes) => doc.scopes.clone_from(scopes),
            Self::Caps(caps) => doc.caps = *caps,
            Self::Rate(rate) => doc.rate = *rate,
            Self::Grant(grant) => {
                doc.grants.retain(|other| other.campaign != grant.campaign);
                doc.grants.push(*grant);
            }
            Self::Revoke(campaign) => doc.grants.retain(|grant| grant.campaign != *campaign),
            Self::Grants(grants) => doc.grants.clone_from(grants),
            Self::Status(to) => *status = *to,
        }
        doc.tidy();
    }
}

/// What a partner hears of a change in its feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// Its caps of a campaign; `None`: it may give codes of that one no longer.
    Grant(CampaignId, Option<Grant>),
    /// Its caps over all campaigns.
    Across(AcrossCaps),
    /// It may not call any more.
    Suspended,
    /// It may call again.
    Resumed,
}

impl PartnerDoc {
    /// Scopes and grants in the one order that documents have, each once: the last word on a campaign counts.
    pub fn tidy(&mut self) {
        self.scopes.sort_unstable();
        self.scopes.dedup();
        self.grants.reverse();
        self.grants.sort_by_key(|grant| grant.campaign);
        self.grants.dedup_by_key(|grant| grant.campaign);
    }

    /// What is wrong with it, in sentences; nothing for a good one.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let is_text = |text: &str| {
            !text.trim().is_empty() && text.chars().count() <= TEXT_CHARS && !text.chars().any(char::is_control)
        };
        if !is_text(&self.name) {
            faults.push(format!("name has 1 to {TEXT_CHARS} characters"));
        }
        if self.contact.as_deref().is_some_and(|contact| !is_text(contact)) {
            faults.push(format!("contact has 1 to {TEXT_CHARS} characters"));
        }
        let caps = self.caps.caps().chain(self.grants.iter().flat_map(|grant| grant.caps()));
        if caps.into_iter().any(|(_, cap)| !(0..=HIGHEST_CAP).contains(&cap)) {
            faults.push(format!("a cap is a number from 0 to {HIGHEST_CAP}"));
        }
        let sane = |number: u32| (1..=HIGHEST_RATE).contains(&number);
        if self.rate.is_some_and(|rate| !sane(rate.per_second) || !sane(rate.burst)) {
            faults.push(format!("per_second and burst are numbers from 1 to {HIGHEST_RATE}"));
        }
        faults
    }

    /// What the partner hears when this, with that status, becomes the other.
    #[must_use]
    pub fn news(&self, status: PartnerStatus, after: &Self, after_status: PartnerStatus) -> Vec<News> {
        let old = |campaign| self.grants.iter().find(|grant| grant.campaign == campaign);
        let new = |campaign| after.grants.iter().find(|grant| grant.campaign == campaign);
        let gone = self.grants.iter().filter(|grant| new(grant.campaign).is_none());
        let mut news: Vec<_> = gone.map(|grant| News::Grant(grant.campaign, None)).collect();
        let changed = after.grants.iter().filter(|grant| old(grant.campaign) != Some(*grant));
        news.extend(changed.map(|grant| News::Grant(grant.campaign, Some(*grant))));
        if self.caps != after.caps {
            news.push(News::Across(after.caps));
        }
        match (status, after_status) {
            (PartnerStatus::Active, PartnerStatus::Suspended) => news.push(News::Suspended),
            (PartnerStatus::Suspended, PartnerStatus::Active) => news.push(News::Resumed),
            (PartnerStatus::Active, PartnerStatus::Active) | (PartnerStatus::Suspended, PartnerStatus::Suspended) => {}
        }
        news
    }
}

/// Scopes as the words of tokens.
mod words {
    use super::PartnerScope;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(scopes: &[PartnerScope], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(scopes.iter().map(|scope| scope.word()))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<PartnerScope>, D::Error> {
        let words = Vec::<String>::deserialize(from)?;
        let scope = |word: String| PartnerScope::parse(&word).ok_or_else(|| D::Error::custom("an unknown scope"));
        words.into_iter().map(scope).collect()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn doc() -> PartnerDoc {
        let grants = vec![Grant { day: Some(5), ..Grant::free(CampaignId(3)) }];
        PartnerDoc { name: "Acme".to_owned(), scopes: vec![PartnerScope::Issue], grants, ..PartnerDoc::default() }
    }

    #[test]
    fn a_document_is_read_back_from_its_text() {
        let text = serde_json::to_string(&doc()).unwrap();
        let wanted = r#"{"name":"Acme","scopes":["codes:issue"],"caps":{},"grants":[{"campaign":3,"day":5}]}"#;
        assert_eq!(text, wanted);
        assert_eq!(serde_json::from_str::<PartnerDoc>(&text).unwrap(), doc());
    }

    #[test]
    fn a_partner_hears_what_changed_and_nothing_else() {
        let (mut after, mut status) = (doc(), PartnerStatus::Active);
        let grant = Grant { total: Some(9), ..Grant::free(CampaignId(1)) };
        let caps = AcrossCaps { total: None, day: Some(7) };
        let edits = [
            Edit::Grant(grant),
            Edit::Revoke(CampaignId(3)),
            Edit::Name("Acme Ltd".to_owned()),
            Edit::Caps(caps),
            Edit::Status(PartnerStatus::Suspended),
        ];
        for edit in &edits {
            edit.apply(&mut after, &mut status);
        }
        let news = doc().news(PartnerStatus::Active, &after, status);
        let (lost, won) = (News::Grant(CampaignId(3), None), News::Grant(CampaignId(1), Some(grant)));
        assert_eq!(news, [lost, won, News::Across(caps), News::Suspended]);
        assert_eq!(after.news(status, &after, status), []);
    }

    #[test]
    fn the_last_word_on_a_campaign_counts() {
        let (mut doc, mut status) = (doc(), PartnerStatus::Active);
        let (first, last) = (Grant::free(CampaignId(2)), Grant { total: Some(1), ..Grant::free(CampaignId(2)) });
        Edit::Grants(vec![first, last]).apply(&mut doc, &mut status);
        assert_eq!(doc.grants, [last]);
    }

    #[test]
    fn what_nobody_means_is_named() {
        let mut wrong = doc();
        wrong.name = " ".to_owned();
        wrong.caps.day = Some(-1);
        wrong.rate = Some(Rate { per_second: 0, burst: 1 });
        assert_eq!(wrong.faults().len(), 3);
        assert!(doc().faults().is_empty());
    }
}
