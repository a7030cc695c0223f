//! `GET /`: the start page where phones in the browser stand in for a carrier, else a page that says what answers here.

use super::web::{self, home::CreatorTile, home::HomeView, home::HostView};
use super::web::{simulator::KeywordState, simulator::KeywordView};
use crate::domain::campaign::Status;
use crate::domain::catalog::{CampaignRecord, Catalog};
use crate::domain::keyword::Keyword;
use crate::engine::Engine;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};

/// The carrier whose numbers phones in the browser can text.
const SIMULATOR: &str = "simulator";

/// `GET /`.
pub(super) async fn show_home(State(engine): State<Engine>) -> Response {
    let catalog = match engine.fresh_catalog().await {
        Ok(catalog) => catalog,
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "the start page cannot read the campaigns");
            return web::server_error();
        }
    };
    let has_partner = match engine.partners("", 1).await {
        Ok(partners) => !partners.is_empty(),
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "the start page cannot read the partners");
            return web::server_error();
        }
    };
    let view = HomeView {
        sender: address(&catalog).unwrap_or_default(),
        keywords: keywords(&catalog, engine.parts().clock.now()),
        partner: has_partner.then(|| "/docs".to_owned()),
        creator: creator(&catalog),
    };
    web::page(StatusCode::OK, &view)
}

/// `GET /` where the simulator is off.
pub(super) async fn show_host() -> Response {
    web::page(StatusCode::OK, &HostView)
}

/// The first number that phones in the browser can text.
fn address(catalog: &Catalog) -> Option<String> {
    let mut senders: Vec<_> = catalog.senders.values().collect();
    senders.sort_by_key(|sender| sender.id);
    senders.iter().find(|sender| sender.carrier == SIMULATOR).map(|sender| sender.address.clone())
}

/// The first creator who has a link: her page shows what her followers see.
fn creator(catalog: &Catalog) -> Option<CreatorTile> {
    let mut all: Vec<_> = catalog.creators.values().filter(|creator| creator.is_active).collect();
    all.sort_by_key(|creator| creator.id);
    all.into_iter().find_map(|creator| {
        let mut docs = catalog.rows.campaigns.iter().map(|record| &record.doc);
        let part = docs.find_map(|doc| doc.creators.get(&creator.handle))?;
        let keyword = part.keyword.as_ref().map_or(creator.handle.as_str(), Keyword::as_str).to_uppercase();
        let slug = part.link.as_deref().unwrap_or(&creator.handle);
        Some(CreatorTile { name: creator.name.clone(), keyword, href: format!("/x/{slug}") })
    })
}

/// The main keyword of every campaign of those numbers (no aliases, no other words for placements), the running ones
/// first, each group in the order of the campaigns' numbers.
pub(super) fn keywords(catalog: &Catalog, now: DateTime<Utc>) -> Vec<KeywordView> {
    let mut views = Vec::new();
    for record in &catalog.rows.campaigns {
        let words = catalog.rows.keywords.iter().filter(|row| {
            let sender = catalog.senders.get(&row.sender);
            row.campaign == record.id
                && record.doc.keywords.as_ref().is_some_and(|own| own.main.as_str() == row.word)
                && sender.is_some_and(|sender| sender.carrier == SIMULATOR)
        });
        let state = state(catalog, record, now);
        views.extend(words.map(|row| KeywordView {
            word: row.word.clone(),
            offer: record.doc.offer.words(),
            state: state.clone(),
        }));
    }
    views.sort_by_key(|view| !view.is_running());
    views
}

fn state(catalog: &Catalog, record: &CampaignRecord, now: DateTime<Utc>) -> KeywordState {
    let Some(campaign) = catalog.campaigns.get(&record.id) else {
        return KeywordState::Closed("Being prepared".to_owned());
    };
    let day = |at: DateTime<Utc>| at.with_timezone(&campaign.zone).format("%-d %b");
    let ended = campaign.ends_at.filter(|ends| *ends <= now);
    let closed = match (campaign.status, campaign.starts_at, ended) {
        (Status::Ended, _, None) => "Ended".to_owned(),
        // It ended with the day before the instant at which it no longer runs.
        (_, _, Some(ends)) => format!("Ended {}", day(ends - chrono::Duration::seconds(1))),
        (_, Some(starts), None) if starts > now => format!("Opens {}", day(starts)),
        (Status::Paused, ..) => "Paused".to_owned(),
        (Status::Live, ..) => return KeywordState::Running,
    };
    KeywordState::Closed(closed)
}
