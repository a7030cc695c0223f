//! Floor 4: the doors to the outside. All routes stand on this page.

pub mod admin;
mod body;
pub mod caller;
pub mod claim;
pub mod coupon;
pub mod desk;
mod docs;
mod edge;
mod home;
pub mod idempotency;
mod limits;
pub mod listen;
mod machines;
pub mod oauth;
pub mod openapi;
pub mod partner;
mod peers;
pub mod problem;
mod reports;
pub mod simulator;
pub mod sms;
pub mod till;
pub mod till_page;
pub mod web;

use crate::config::HttpConfig;
use crate::engine::Engine;
use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef};
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use tokio::sync::watch;

/// Where a server stands between start and stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Not yet.
    Starting,
    /// It serves.
    Ready,
    /// It finishes what is under way and takes nothing new.
    Stopping,
    /// No request is under way any more; workers finish.
    Drained,
}

/// What the doors share.
#[derive(Debug, Clone)]
pub struct Site {
    /// The engine.
    pub engine: Engine,
    /// Where the server stands; streams end when it stops.
    pub phase: watch::Receiver<Phase>,
    /// Limits of requests.
    pub limits: HttpConfig,
    /// The budgets of tills that name wrong codes.
    pub guesses: till::Guesses,
    /// Where partners knock.
    pub partners: partner::PartnerDoor,
    /// Where partners may have their feed sent.
    pub webhooks: partner::WebhookDoor,
    /// How often claim pages send digits and take them.
    pub claims: claim::ClaimLimits,
    /// Where carriers knock.
    pub sms: sms::SmsDoor,
    /// Phones in the browser that stand in for a carrier, where they are on; the start page and the till's page come
    /// with them.
    pub simulator: Option<simulator::SimulatorDoor>,
}

impl FromRef<Site> for Engine {
    fn from_ref(site: &Site) -> Self {
        site.engine.clone()
    }
}

impl FromRef<Site> for till::Guesses {
    fn from_ref(site: &Site) -> Self {
        site.guesses.clone()
    }
}

impl FromRef<Site> for partner::PartnerDoor {
    fn from_ref(site: &Site) -> Self {
        site.partners.clone()
    }
}

impl FromRef<Site> for partner::WebhookDoor {
    fn from_ref(site: &Site) -> Self {
        site.webhooks.clone()
    }
}

impl FromRef<Site> for sms::SmsDoor {
    fn from_ref(site: &Site) -> Self {
        site.sms.clone()
    }
}

/// Every route of this process.
pub fn router(site: Site) -> Router {
    let paced = (site.clone(), limits::PartnerRates::default());
    let partners = partner::routes().route_layer(from_fn_with_state(paced, limits::pace));
    let mut routes = Router::new()
        .merge(partners)
        .merge(web::assets::routes())
        .merge(sms::routes())
        .merge(till::routes())
        .merge(oauth::routes())
        .merge(admin::routes())
        .merge(coupon::routes())
        .merge(claim::routes())
        .merge(desk::routes())
        .merge(peers::routes())
        .route("/docs", get(docs::show_docs))
        .route("/openapi.json", get(openapi::show_openapi))
        .route("/healthz", get(machines::show_health))
        .route("/readyz", get(machines::show_readiness));
    routes = match &site.simulator {
        Some(door) => {
            let phones = simulator::routes::<simulator::SimulatorDoor>().with_state(door.clone());
            routes.route("/", get(home::show_home)).merge(till_page::routes()).merge(phones)
        }
        None => routes.route("/", get(home::show_host)),
    };
    let routes = routes
        .fallback(edge::not_found)
        .method_not_allowed_fallback(edge::method_not_allowed)
        .layer(DefaultBodyLimit::max(site.limits.body_max_bytes));
    let scheme = edge::Scheme::of(&site.engine.parts().public_url);
    edge::layers(routes, &site.phase, &site.limits, scheme).with_state(site)
}

#[cfg(test)]
mod tests;
