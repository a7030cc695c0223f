//! `/admin/v1/partners/{client_id}`: changed, suspended, resumed; campaigns granted and taken back.

use super::bodies::{GrantIn, PartnerChangeIn, PartnerOut, campaign, client};
use crate::domain::partner::{Edit, PartnerStatus};
use crate::engine::{Admin, Engine};
use crate::http::problem::{Json, Path, Problem};
use axum::extract::State;

/// `PATCH /admin/v1/partners/{client_id}`: changes what is named, all of it or nothing.
///
/// # Errors
/// 404; the caller's mistakes as 4xx.
#[utoipa::path(
    patch,
    path = "/admin/v1/partners/{client_id}",
    tag = "house",
    summary = "Change a partner",
    description = "What is left out stays; all of it is changed, or nothing.",
    security(("admin_key" = [])),
    params(("client_id" = String, Path, description = "The partner", example = "daily-deals")),
    request_body = PartnerChangeIn,
    responses(
        (status = 200, description = "As it is now", body = PartnerOut),
        (status = 404, description = "No such partner: `not_found`"),
    )
)]
pub(super) async fn change_partner(
    admin: Admin,
    State(engine): State<Engine>,
    Path(id): Path<String>,
    Json(ask): Json<PartnerChangeIn>,
) -> Result<Json<PartnerOut>, Problem> {
    let edits = ask.edits(&engine).await?;
    change(&admin, &engine, &id, &edits).await
}

/// `POST /admin/v1/partners/{client_id}/suspend`: once it is answered, nothing is issued to the partner any more.
///
/// # Errors
/// 404.
#[utoipa::path(
    post,
    path = "/admin/v1/partners/{client_id}/suspend",
    tag = "house",
    summary = "Stop a partner",
    description = "Once this is answered, nothing is issued to it any more, in any process. What it has given out stays good.",
    security(("admin_key" = [])),
    params(("client_id" = String, Path, description = "The partner", example = "daily-deals")),
    responses(
        (status = 200, description = "As it is now", body = PartnerOut),
        (status = 404, description = "No such partner: `not_found`"),
    )
)]
pub(super) async fn suspend_partner(
    admin: Admin,
    State(engine): State<Engine>,
    Path(id): Path<String>,
) -> Result<Json<PartnerOut>, Problem> {
    change(&admin, &engine, &id, &[Edit::Status(PartnerStatus::Suspended)]).await
}

/// `POST /admin/v1/partners/{client_id}/resume`.
///
/// # Errors
/// 404.
#[utoipa::path(
    post,
    path = "/admin/v1/partners/{client_id}/resume",
    tag = "house",
    summary = "Let a partner call again",
    security(("admin_key" = [])),
    params(("client_id" = String, Path, description = "The partner", example = "daily-deals")),
    responses(
        (status = 200, description = "As it is now", body = PartnerOut),
        (status = 404, description = "No such partner: `not_found`"),
    )
)]
pub(super) async fn resume_partner(
    admin: Admin,
    State(engine): State<Engine>,
    Path(id): Path<String>,
) -> Result<Json<PartnerOut>, Problem> {
    change(&admin, &engine, &id, &[Edit::Status(PartnerStatus::Active)]).await
}

/// `POST /admin/v1/partners/{client_id}/grants`: grants a campaign, or sets other caps on it.
///
/// # Errors
/// 404; 400 for a campaign that is not there.
#[utoipa::path(
    post,
    path = "/admin/v1/partners/{client_id}/grants",
    tag = "house",
    summary = "Grant a campaign",
    description = "Lets the partner give codes of a campaign, or sets other caps there.",
    security(("admin_key" = [])),
    params(("client_id" = String, Path, description = "The partner", example = "daily-deals")),
    request_body = GrantIn,
    responses(
        (status = 200, description = "As it is now", body = PartnerOut),
        (status = 404, description = "No such partner: `not_found`"),
    )
)]
pub(super) async fn grant_campaign(
    admin: Admin,
    State(engine): State<Engine>,
    Path(id): Path<String>,
    Json(ask): Json<GrantIn>,
) -> Result<Json<PartnerOut>, Problem> {
    let grant = ask.read(&engine).await?;
    change(&admin, &engine, &id, &[Edit::Grant(grant)]).await
}

/// `DELETE /admin/v1/partners/{client_id}/grants/{campaign}`.
///
/// # Errors
/// 404; 400 for a campaign that is not there.
#[utoipa::path(
    delete,
    path = "/admin/v1/partners/{client_id}/grants/{campaign}",
    tag = "house",
    summary = "Take a campaign back",
    description = "What was given out stays good.",
    security(("admin_key" = [])),
    params(("client_id" = String, Path, description = "The partner", example = "daily-deals"), ("campaign" = String, Path, description = "The campaign's name", example = "PIZZA")),
    responses(
        (status = 200, description = "As it is now", body = PartnerOut),
        (status = 400, description = "There is no such campaign: `invalid_request`"),
        (status = 404, description = "No such partner: `not_found`"),
    )
)]
pub(super) async fn revoke_grant(
    admin: Admin,
    State(engine): State<Engine>,
    Path((id, name)): Path<(String, String)>,
) -> Result<Json<PartnerOut>, Problem> {
    let campaign = campaign(&engine, &name).await?;
    change(&admin, &engine, &id, &[Edit::Revoke(campaign)]).await
}

async fn change(admin: &Admin, engine: &Engine, id: &str, edits: &[Edit]) -> Result<Json<PartnerOut>, Problem> {
    let changed = engine.change_partner(&client(id)?, edits).await?;
    let (partner, version) = (changed.client.as_str(), changed.version);
    tracing::info!(partner.id = partner, partner.version = version, admin.id = admin.id(), "changed a partner");
    Ok(Json(PartnerOut::of(engine, changed)))
}
