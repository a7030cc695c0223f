//! The admin API: what `codewell` commands do, for programs that have an admin key.

mod alerts;
mod auth;
mod bodies;
mod change_partner;
mod creators;
mod credentials;
mod credit_report;
mod page;
mod partners;

pub(crate) use credit_report::CreditReportOut;

use crate::engine::Engine;
use axum::Router;
use axum::extract::FromRef;
use axum::routing::{delete, get, post};
use utoipa::OpenApi;

/// The description of these routes.
#[derive(OpenApi)]
#[openapi(
    paths(
        partners::list_partners,
        partners::create_partner,
        partners::show_partner,
        change_partner::change_partner,
        change_partner::suspend_partner,
        change_partner::resume_partner,
        change_partner::grant_campaign,
        change_partner::revoke_grant,
        credentials::list_partner_keys,
        credentials::add_partner_key,
        credentials::revoke_partner_key,
        credentials::list_partner_secrets,
        credentials::create_partner_secret,
        credentials::revoke_partner_secret,
        creators::list_creators,
        creators::create_creator,
        creators::show_creator,
        creators::change_creator,
        creators::suspend_creator,
        creators::resume_creator,
        creators::create_creator_link,
        alerts::list_alerts,
        alerts::clear_alert,
        credit_report::show_credit_report,
    ),
    components(schemas(credit_report::ByIn))
)]
pub(super) struct Api;

/// The routes of the admin API.
pub fn routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Engine: FromRef<S>,
{
    let partners = get(partners::list_partners).post(partners::create_partner);
    let partner = get(partners::show_partner).patch(change_partner::change_partner);
    let keys = get(credentials::list_partner_keys).post(credentials::add_partner_key);
    let secrets = get(credentials::list_partner_secrets).post(credentials::create_partner_secret);
    let creators = get(creators::list_creators).post(creators::create_creator);
    Router::new()
        .route("/admin/v1/creators", creators)
        .route("/admin/v1/creators/{handle}", get(creators::show_creator).patch(creators::change_creator))
        .route("/admin/v1/creators/{handle}/suspend", post(creators::suspend_creator))
        .route("/admin/v1/creators/{handle}/resume", post(creators::resume_creator))
        .route("/admin/v1/creators/{handle}/link", post(creators::create_creator_link))
        .route("/admin/v1/alerts", get(alerts::list_alerts))
        .route("/admin/v1/alerts/clear", post(alerts::clear_alert))
        .route("/admin/v1/reports/credit", get(credit_report::show_credit_report))
        .route("/admin/v1/partners", partners)
        .route("/admin/v1/partners/{client_id}", partner)
        .route("/admin/v1/partners/{client_id}/suspend", post(change_partner::suspend_partner))
        .route("/admin/v1/partners/{client_id}/resume", post(change_partner::resume_partner))
        .route("/admin/v1/partners/{client_id}/grants", post(change_partner::grant_campaign))
        .route("/admin/v1/partners/{client_id}/grants/{campaign}", delete(change_partner::revoke_grant))
        .route("/admin/v1/partners/{client_id}/keys", keys)
        .route("/admin/v1/partners/{client_id}/keys/{id}", delete(credentials::revoke_partner_key))
        .route("/admin/v1/partners/{client_id}/secrets", secrets)
        .route("/admin/v1/partners/{client_id}/secrets/{id}", delete(credentials::revoke_partner_secret))
}
