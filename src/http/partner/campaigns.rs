//! `GET /v1/campaigns` and `GET /v1/campaigns/{id}`.

use super::etag::with_tag;
use super::requires;
use crate::domain::partner::PartnerScope;
use crate::engine::{CampaignView, CapView, Engine, Partner};
use crate::http::problem::{Path, Problem, Query};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Campaigns of one page, where nothing else is said.
const PAGE: usize = 100;
/// Campaigns of the longest page.
const MOST: usize = 500;

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PageIn {
    /// How many at most; 100 where it is left out.
    #[param(minimum = 1, maximum = 500)]
    #[serde(default)]
    limit: Option<usize>,
    /// The `next_cursor` of the page before.
    #[serde(default)]
    cursor: Option<String>,
}

/// A page of campaigns.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CampaignsOut {
    data: Vec<CampaignOut>,
    /// Ask for the next page with it; left out on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// A campaign that you may give codes of.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CampaignOut {
    /// Its name.
    #[schema(example = "PIZZA")]
    id: String,
    /// What a code promises, in words.
    #[schema(example = "$5 off")]
    title: String,
    /// The small print, to be shown beside a code.
    terms: String,
    /// `live`, `not_started`, `paused` or `ended`.
    #[schema(example = "live")]
    status: &'static str,
    /// Codes are given from here on.
    #[serde(skip_serializing_if = "Option::is_none")]
    starts_at: Option<DateTime<Utc>>,
    /// Codes are given before this.
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<DateTime<Utc>>,
    /// The calendar of its days: the IANA name of a zone.
    #[schema(example = "America/New_York")]
    zone: String,
    /// How its codes are made; left out where they come from elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "PZA-####-????*")]
    code_format: Option<String>,
    /// Your caps.
    caps: Vec<CapOut>,
    /// Codes that nobody has.
    #[schema(example = 9_961)]
    stock: u64,
}

/// A cap, as it stands.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CapOut {
    /// Over whom it counts, and in which window.
    #[schema(example = "partner_day")]
    cap: String,
    /// The most.
    #[schema(example = 500)]
    limit: i64,
    /// How much of it is used.
    #[schema(example = 39)]
    used: i64,
    /// When it opens again; left out where it never does.
    #[serde(skip_serializing_if = "Option::is_none")]
    resets_at: Option<DateTime<Utc>>,
}

impl From<CapView> for CapOut {
    fn from(view: CapView) -> Self {
        let CapView { cap, limit, used, resets_at } = view;
        Self { cap, limit, used, resets_at }
    }
}

impl From<CampaignView> for CampaignOut {
    fn from(view: CampaignView) -> Self {
        let CampaignView { campaign, opening, caps, stock } = view;
        let offer = campaign.offers.first();
        let pattern = campaign.pools.first().map(|pool| pool.pattern.clone());
        Self {
            id: campaign.name.clone(),
            title: offer.map(|offer| offer.title.clone()).unwrap_or_default(),
            terms: offer.map(|offer| offer.terms.clone()).unwrap_or_default(),
            status: opening.word(),
            starts_at: campaign.starts_at,
            ends_at: campaign.ends_at,
            zone: campaign.zone.name().to_owned(),
            code_format: pattern.filter(|pattern| !pattern.is_empty()),
            caps: caps.into_iter().map(CapOut::from).collect(),
            stock,
        }
    }
}

/// `GET /v1/campaigns`: what the calling partner may give codes of, in the order of the names.
///
/// # Errors
/// 403 without the scope.
#[utoipa::path(
    get,
    path = "/v1/campaigns",
    tag = "partners",
    summary = "What you may give codes of",
    description = "Only campaigns that are yours, with your caps and what is left.",
    security(("partner" = ["codes:read"])),
    params(PageIn, ("If-None-Match" = Option<String>, Header, description = "The `ETag` of an earlier answer")),
    responses(
        (status = 200, description = "A page of campaigns", body = CampaignsOut,
         headers(("ETag" = String, description = "Changes with the answer"))),
        (status = 304, description = "Nothing changed"),
        (status = 400, description = "The query is wrong: `invalid_request`"),
    )
)]
#[tracing::instrument(skip_all, fields(partner.id = partner.client().as_str()))]
pub(super) async fn list_campaigns(
    partner: Partner,
    Query(page): Query<PageIn>,
    State(engine): State<Engine>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    requires(&partner, PartnerScope::Read)?;
    let limit = page.limit.unwrap_or(PAGE);
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::invalid(&[format!("limit: 1 to {MOST}")]));
    }
    let all = engine.campaigns_of_partner(&partner).await?;
    let after = page.cursor.as_deref().unwrap_or_default();
    let mut rest = all.into_iter().filter(|view| view.campaign.name.as_str() > after).map(CampaignOut::from);
    let data: Vec<_> = rest.by_ref().take(limit).collect();
    let next_cursor = rest.next().and_then(|_| data.last().map(|last| last.id.clone()));
    Ok(with_tag(&headers, &CampaignsOut { data, next_cursor }))
}

/// `GET /v1/campaigns/{id}`: one of them.
///
/// # Errors
/// 404 for a campaign that is not the partner's, as for one that is not there.
#[utoipa::path(
    get,
    path = "/v1/campaigns/{id}",
    tag = "partners",
    summary = "One campaign of yours",
    security(("partner" = ["codes:read"])),
    params(
        ("id" = String, Path, description = "The campaign's name"),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of an earlier answer"),
    ),
    responses(
        (status = 200, description = "The campaign as it stands", body = CampaignOut,
         headers(("ETag" = String, description = "Changes with the answer"))),
        (status = 304, description = "Nothing changed"),
        (status = 404, description = "No such campaign is yours: `not_found`"),
    )
)]
#[tracing::instrument(skip_all, fields(partner.id = partner.client().as_str()))]
pub(super) async fn show_campaign(
    partner: Partner,
    Path(name): Path<String>,
    State(engine): State<Engine>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    requires(&partner, PartnerScope::Read)?;
    let all = engine.campaigns_of_partner(&partner).await?;
    let found = all.into_iter().find(|view| view.campaign.name == name);
    let found = found.ok_or_else(|| Problem::not_found("campaign"))?;
    Ok(with_tag(&headers, &CampaignOut::from(found)))
}
