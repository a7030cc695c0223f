//! `/admin/v1/partners`: made, listed, shown.

use super::bodies::{PartnerIn, PartnerOut, client};
use super::page::rows;
use crate::domain::partner::ClientId;
use crate::engine::{Admin, Engine};
use crate::http::problem::{Json, Path, Problem, Query};
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PageIn {
    /// The `next_cursor` of the page before.
    #[serde(default)]
    after: Option<String>,
    /// How many at most; 100 where it is left out.
    #[param(minimum = 1, maximum = 500)]
    #[serde(default)]
    limit: Option<u16>,
}

/// A page of partners.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PartnersOut {
    data: Vec<PartnerOut>,
    /// Ask for the next page with it; left out on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "daily-deals")]
    next_cursor: Option<String>,
}

/// `POST /admin/v1/partners`: makes a partner. It has no key and no secret yet.
///
/// # Errors
/// 409 when the client id has an owner; the caller's mistakes as 4xx.
#[utoipa::path(
    post,
    path = "/admin/v1/partners",
    tag = "house",
    summary = "Make a partner",
    description = "It has no key and no secret yet.",
    security(("admin_key" = [])),
    request_body = PartnerIn,
    responses(
        (status = 201, description = "It is there", body = PartnerOut),
        (status = 409, description = "The client id has an owner: `already_exists`"),
    )
)]
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
#[utoipa::path(
    get,
    path = "/admin/v1/partners",
    tag = "house",
    summary = "Every partner",
    description = "In the order of client ids, from page to page.",
    security(("admin_key" = [])),
    params(PageIn),
    responses(
        (status = 200, description = "A page", body = PartnersOut),
        (status = 400, description = "The request is wrong, `errors` say where and how to mend it: `invalid_request`"),
    )
)]
pub(super) async fn list_partners(
    _admin: Admin,
    State(engine): State<Engine>,
    Query(page): Query<PageIn>,
) -> Result<Json<PartnersOut>, Problem> {
    let limit = rows(page.limit)?;
    let after = page.after.as_deref().unwrap_or_default();
    if !after.is_empty() && ClientId::parse(after).is_err() {
        return Err(Problem::invalid(&["after is a next_cursor of ours".to_owned()]));
    }
    let mut found = engine.partners(after, limit + 1).await?;
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
#[utoipa::path(
    get,
    path = "/admin/v1/partners/{client_id}",
    tag = "house",
    summary = "One partner",
    description = "With its caps and the campaigns it may give codes of.",
    security(("admin_key" = [])),
    params(("client_id" = String, Path, description = "The partner", example = "daily-deals")),
    responses(
        (status = 200, description = "The partner", body = PartnerOut),
        (status = 404, description = "No such partner: `not_found`"),
    )
)]
pub(super) async fn show_partner(
    _admin: Admin,
    State(engine): State<Engine>,
    Path(id): Path<String>,
) -> Result<Json<PartnerOut>, Problem> {
    let partner = engine.partner(&client(&id)?).await?;
    engine.fresh_catalog().await.map_err(crate::engine::EngineError::from)?;
    Ok(Json(PartnerOut::of(&engine, partner)))
}
