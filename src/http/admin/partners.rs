//! `/admin/v1/partners`: made, listed, shown.

use super::bodies::{PartnerIn, PartnerOut, client};
use crate::domain::partner::ClientId;
use crate::engine::{Admin, Engine};
use crate::http::problem::{Json, Problem, Query};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

/// Partners on one page, unless asked otherwise.
const PAGE: u16 = 100;
/// Partners on the longest page.
const LONGEST_PAGE: u16 = 500;

/// Which page.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PageIn {
    after: Option<String>,
    limit: Option<u16>,
}

/// A page of partners.
#[derive(Debug, Serialize)]
pub(super) struct PartnersOut {
    data: Vec<PartnerOut>,
    next_cursor: Option<String>,
}

/// `POST /admin/v1/partners`: makes a partner. It has no key and no secret yet.
///
/// # Errors
/// 409 when the client id has an owner; the caller's mistakes as 4xx.
#[tracing::instrument(skip_all, fields(admin.id = admin.id()))]
pub(super) async fn create_partner(
    admin: Admin,
    State(engine): State<Engine>,
    Json(ask): Json<PartnerIn>,
) -> Result<(StatusCode, Json<PartnerOut>), Problem> {
    let client = ClientId::parse(&ask.client_id).map_err(|error| Problem::invalid(&[error.to_string()]))?;
    let doc = ask.doc(&engine).await?;
    let made = engine.create_partner(client, doc).await?;
    tracing::info!(partner.id = made.client.as_str(), "made a partner");
    Ok((StatusCode::CREATED, Json(PartnerOut::of(&engine, made))))
}

/// `GET /admin/v1/partners`: every partner, in the order of client ids, from page to page.
///
/// # Errors
/// 400 for a page that cannot be.
pub(super) async fn list_partners(
    _admin: Admin,
    State(engine): State<Engine>,
    Query(page): Query<PageIn>,
) -> Result<Json<PartnersOut>, Problem> {
    let limit = page.limit.unwrap_or(PAGE);
    if !(1..=LONGEST_PAGE).contains(&limit) {
        return Err(Problem::invalid(&[format!("limit is a number from 1 to {LONGEST_PAGE}")]));
    }
    let mut found = engine.partners(page.after.as_deref().unwrap_or_default(), limit + 1).await?;
    let is_more = found.len() > usize::from(limit);
    found.truncate(usize::from(limit));
    let last = found.last().map(|partner| partner.client.to_string());
    engine.fresh_catalog().await.map_err(crate::engine::EngineError::from)?;
    let data = found.into_iter().map(|partner| PartnerOut::of(&engine, partner)).collect();
    Ok(Json(PartnersOut { data, next_cursor: last.filter(|_| is_more) }))
}

/// `GET /admin/v1/partners/{client_id}`.
///
/// # Errors
/// 404.
pub(super) async fn show_partner(
    _admin: Admin,
    State(engine): State<Engine>,
    Path(id): Path<String>,
) -> Result<Json<PartnerOut>, Problem> {
    let partner = engine.partner(&client(&id)?).await?;
    engine.fresh_catalog().await.map_err(crate::engine::EngineError::from)?;
    Ok(Json(PartnerOut::of(&engine, partner)))
}
