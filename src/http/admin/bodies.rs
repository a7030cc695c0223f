//! What partners look like in the admin API.

use crate::domain::ids::CampaignId;
use crate::domain::partner::{AcrossCaps, ClientId, Edit, Grant, PartnerDoc, PartnerScope, Rate};
use crate::engine::PartnerRecord;
use crate::engine::{Engine, StatusError};
use crate::http::problem::Problem;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

/// Characters of the longest name of a key or a secret.
const LABEL_CHARS: usize = 200;

/// A partner that shall be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PartnerIn {
    /// Its name at the token endpoint; one that begins with `test-` is a sandbox, where nothing counts.
    #[schema(pattern = "^[a-z][a-z0-9-]{1,39}$", min_length = 2, max_length = 40, example = "daily-deals")]
    pub(super) client_id: String,
    /// Its name, for people.
    #[schema(min_length = 1, max_length = 200, example = "Daily Deals")]
    name: String,
    /// What it may ask for; where it is left out: codes one by one, and what became of them.
    #[schema(example = json!(["codes:issue", "codes:read"]))]
    scopes: Option<Vec<String>>,
    /// Whom it is told to ask when it is suspended.
    #[schema(min_length = 1, max_length = 200)]
    contact: Option<String>,
    #[serde(default)]
    caps: PartnerCaps,
    rate: Option<PartnerRate>,
    /// The campaigns it may give codes of.
    #[serde(default)]
    grants: Vec<GrantIn>,
}

/// A partner's caps over all campaigns, by the calendar of UTC; what is left out is none.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PartnerCaps {
    /// Codes for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, example = 10_000)]
    total: Option<i64>,
    /// Codes in a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, example = 500)]
    day: Option<i64>,
}

/// How fast a partner may call.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PartnerRate {
    /// Calls in a second.
    #[schema(minimum = 1, example = 50)]
    per_second: u32,
    /// Calls at once.
    #[schema(minimum = 1, example = 100)]
    burst: u32,
}

impl From<PartnerCaps> for AcrossCaps {
    fn from(PartnerCaps { total, day }: PartnerCaps) -> Self {
        Self { total, day }
    }
}

impl From<AcrossCaps> for PartnerCaps {
    fn from(AcrossCaps { total, day }: AcrossCaps) -> Self {
        Self { total, day }
    }
}

impl From<PartnerRate> for Rate {
    fn from(PartnerRate { per_second, burst }: PartnerRate) -> Self {
        Self { per_second, burst }
    }
}

impl From<Rate> for PartnerRate {
    fn from(Rate { per_second, burst }: Rate) -> Self {
        Self { per_second, burst }
    }
}

/// A campaign that a partner may give codes of, with its caps there; what is left out is no cap.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GrantIn {
    /// The campaign's name.
    #[schema(example = "PIZZA")]
    campaign: String,
    /// Codes for ever.
    #[schema(minimum = 0)]
    total: Option<i64>,
    /// Codes in a day of the campaign's zone.
    #[schema(minimum = 0, example = 50)]
    day: Option<i64>,
    /// Codes in a week.
    #[schema(minimum = 0)]
    week: Option<i64>,
    /// Codes in a month.
    #[schema(minimum = 0)]
    month: Option<i64>,
}

/// What shall be different; what is not named stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PartnerChangeIn {
    /// Its name, for people.
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    /// What it may ask for.
    scopes: Option<Vec<String>>,
    /// Whom it is told to ask when it is suspended; `null`: nobody.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "partners@acme.example")]
    contact: Wish<String>,
    /// All of them at once.
    caps: Option<PartnerCaps>,
    /// How fast it may call; `null`: as fast as any.
    #[serde(default)]
    #[schema(value_type = Option<PartnerRate>)]
    rate: Wish<PartnerRate>,
    /// Every campaign it may give codes of.
    grants: Option<Vec<GrantIn>>,
}

/// A value that may be left alone, set, or taken away by `null`.
#[derive(Debug, Default)]
pub(super) enum Wish<T> {
    #[default]
    Stay,
    Be(Option<T>),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Wish<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Option::deserialize(from).map(Self::Be)
    }
}

impl<T> Wish<T> {
    pub(super) fn edit<E>(self, edit: impl FnOnce(Option<T>) -> E) -> Option<E> {
        match self {
            Self::Stay => None,
            Self::Be(value) => Some(edit(value)),
        }
    }
}

/// A partner as it is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PartnerOut {
    /// Its name at the token endpoint.
    #[schema(example = "daily-deals")]
    pub(super) client_id: String,
    /// Its name, for people.
    #[schema(example = "Daily Deals")]
    name: String,
    /// `live`, or `test` for a sandbox.
    #[schema(example = "live")]
    environment: &'static str,
    /// `active` or `suspended`.
    #[schema(example = "active")]
    status: &'static str,
    /// Since when it may not call; left out while it may.
    #[serde(skip_serializing_if = "Option::is_none")]
    suspended_at: Option<DateTime<Utc>>,
    /// Raised by every change.
    #[schema(example = 1)]
    version: u32,
    /// What it may ask for.
    #[schema(example = json!(["codes:issue", "codes:read"]))]
    scopes: Vec<&'static str>,
    /// Whom it is told to ask when it is suspended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "partners@acme.example")]
    contact: Option<String>,
    caps: PartnerCaps,
    /// How fast it may call; left out where it may as fast as any.
    #[serde(skip_serializing_if = "Option::is_none")]
    rate: Option<PartnerRate>,
    /// The campaigns it may give codes of.
    grants: Vec<GrantOut>,
    created_at: DateTime<Utc>,
}

/// A campaign that a partner may give codes of, with its caps there.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct GrantOut {
    /// The campaign's name.
    #[schema(example = "PIZZA")]
    campaign: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    day: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    week: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    month: Option<i64>,
}

/// A name for people, of a key or a secret; it may be empty.
pub(super) fn label(name: &str) -> Result<&str, Problem> {
    if name.chars().count() > LABEL_CHARS || name.chars().any(char::is_control) {
        return Err(Problem::invalid(&[format!("name has at most {LABEL_CHARS} characters")]));
    }
    Ok(name)
}

/// A client id in a path: one that cannot be is nobody's.
pub(super) fn client(text: &str) -> Result<ClientId, Problem> {
    ClientId::parse(text).map_err(|_| Problem::not_found("partner"))
}

fn scopes(words: &[String]) -> Result<Vec<PartnerScope>, Problem> {
    let scope = |word: &String| {
        PartnerScope::parse(word).ok_or_else(|| {
            let known = PartnerScope::ALL.map(PartnerScope::word).join(", ");
            Problem::invalid(&[format!("scopes are some of {known}")])
        })
    };
    words.iter().map(scope).collect()
}

/// The number of a campaign.
pub(super) async fn campaign(engine: &Engine, name: &str) -> Result<CampaignId, Problem> {
    match engine.campaign(name).await {
        Ok(record) => Ok(record.id),
        Err(StatusError::Engine(error)) => Err(error.into()),
        Err(error @ (StatusError::NoCampaign { .. } | StatusError::Draft(_) | StatusError::Ended(_))) => {
            Err(Problem::invalid(&[error.to_string()]))
        }
    }
}

impl GrantIn {
    pub(super) async fn read(&self, engine: &Engine) -> Result<Grant, Problem> {
        let Self { total, day, week, month, .. } = *self;
        Ok(Grant { campaign: campaign(engine, &self.campaign).await?, total, day, week, month })
    }
}

async fn grants(engine: &Engine, wanted: &[GrantIn]) -> Result<Vec<Grant>, Problem> {
    let mut grants = Vec::with_capacity(wanted.len());
    for grant in wanted {
        grants.push(grant.read(engine).await?);
    }
    Ok(grants)
}

impl PartnerIn {
    pub(super) async fn doc(self, engine: &Engine) -> Result<PartnerDoc, Problem> {
        let scopes = match &self.scopes {
            Some(words) => scopes(words)?,
            None => PartnerScope::STANDARD.to_vec(),
        };
        let grants = grants(engine, &self.grants).await?;
        let (caps, rate) = (self.caps.into(), self.rate.map(Rate::from));
        Ok(PartnerDoc { name: self.name, scopes, contact: self.contact, caps, rate, grants })
    }
}

impl PartnerChangeIn {
    pub(super) async fn edits(self, engine: &Engine) -> Result<Vec<Edit>, Problem> {
        let mut edits = Vec::new();
        edits.extend(self.name.map(Edit::Name));
        edits.extend(self.contact.edit(Edit::Contact));
        edits.extend(self.caps.map(|caps| Edit::Caps(caps.into())));
        edits.extend(self.rate.edit(|rate| Edit::Rate(rate.map(Rate::from))));
        if let Some(words) = &self.scopes {
            edits.push(Edit::Scopes(scopes(words)?));
        }
        if let Some(wanted) = &self.grants {
            edits.push(Edit::Grants(grants(engine, wanted).await?));
        }
        Ok(edits)
    }
}

impl PartnerOut {
    pub(super) fn of(engine: &Engine, record: PartnerRecord) -> Self {
        let catalog = engine.catalog();
        let name = |id: CampaignId| {
            let known = catalog.rows.campaigns.iter().find(|campaign| campaign.id == id);
            known.map_or_else(|| id.to_string(), |campaign| campaign.doc.name.clone())
        };
        let PartnerDoc { name: called, scopes, contact, caps, rate, grants } = record.doc;
        let grant = |grant: Grant| {
            let Grant { campaign, total, day, week, month } = grant;
            GrantOut { campaign: name(campaign), total, day, week, month }
        };
        Self {
            client_id: record.client.to_string(),
            name: called,
            environment: record.environment.word(),
            status: record.status.word(),
            suspended_at: record.suspended_at,
            version: record.version,
            scopes: scopes.into_iter().map(PartnerScope::word).collect(),
            contact,
            caps: caps.into(),
            rate: rate.map(PartnerRate::from),
            grants: grants.into_iter().map(grant).collect(),
            created_at: record.created_at,
        }
    }
}
