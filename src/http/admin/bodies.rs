//! What partners look like in the admin API.

use crate::domain::ids::CampaignId;
use crate::domain::partner::{AcrossCaps, ClientId, Edit, Grant, PartnerDoc, PartnerScope, Rate};
use crate::engine::PartnerRecord;
use crate::engine::{Engine, StatusError};
use crate::http::problem::Problem;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};

/// A partner that shall be.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PartnerIn {
    pub(super) client_id: String,
    name: String,
    scopes: Option<Vec<String>>,
    contact: Option<String>,
    #[serde(default)]
    caps: AcrossCaps,
    rate: Option<Rate>,
    #[serde(default)]
    grants: Vec<GrantIn>,
}

/// A campaign that a partner may give codes of, with its caps there.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GrantIn {
    campaign: String,
    total: Option<i64>,
    day: Option<i64>,
    week: Option<i64>,
    month: Option<i64>,
}

/// What shall be different; what is not named stays.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PartnerChangeIn {
    name: Option<String>,
    scopes: Option<Vec<String>>,
    #[serde(default)]
    contact: Wish<String>,
    caps: Option<AcrossCaps>,
    #[serde(default)]
    rate: Wish<Rate>,
    grants: Option<Vec<GrantIn>>,
}

/// A value that may be left alone, set, or taken away by `null`.
#[derive(Debug, Default)]
enum Wish<T> {
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
    fn edit(self, edit: impl FnOnce(Option<T>) -> Edit) -> Option<Edit> {
        match self {
            Self::Stay => None,
            Self::Be(value) => Some(edit(value)),
        }
    }
}

/// A partner as it is.
#[derive(Debug, Serialize)]
pub(super) struct PartnerOut {
    pub(super) client_id: String,
    name: String,
    environment: &'static str,
    status: &'static str,
    version: u32,
    scopes: Vec<&'static str>,
    contact: Option<String>,
    caps: AcrossCaps,
    rate: Option<Rate>,
    grants: Vec<GrantOut>,
    created_at: DateTime<Utc>,
}

#[derive(Debug, Serialize)]
struct GrantOut {
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
        Ok(PartnerDoc { name: self.name, scopes, contact: self.contact, caps: self.caps, rate: self.rate, grants })
    }
}

impl PartnerChangeIn {
    pub(super) async fn edits(self, engine: &Engine) -> Result<Vec<Edit>, Problem> {
        let mut edits = Vec::new();
        edits.extend(self.name.map(Edit::Name));
        edits.extend(self.contact.edit(Edit::Contact));
        edits.extend(self.caps.map(Edit::Caps));
        edits.extend(self.rate.edit(Edit::Rate));
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
            version: record.version,
            scopes: scopes.into_iter().map(PartnerScope::word).collect(),
            contact,
            caps,
            rate,
            grants: grants.into_iter().map(grant).collect(),
            created_at: record.created_at,
        }
    }
}
