//! What is sold: campaigns with their stock, and what somebody must look at.

use super::Report;
use crate::app::House;
use crate::domain::alert::AlertKind;
use crate::domain::campaign::Status;
use crate::engine::{Engine, Which};

/// Alerts that are shown; `codewell alerts` has all.
const MOST_ALERTS: u32 = 20;

pub(super) async fn alerts(house: &House, report: &mut Report) {
    let open = match house.store.alerts(Which::Open, MOST_ALERTS).await {
        Ok(open) => open,
        Err(error) => return report.failed("alerts", &error.into()),
    };
    for alert in &open {
        let next = AlertKind::parse(&alert.kind).map_or("`codewell alerts` says more.", AlertKind::next_step);
        report.warn("alerts", format!("{} {}: {}", alert.kind, alert.about, alert.detail), next);
    }
    if open.is_empty() {
        report.ok("alerts", "nothing needs anybody");
    }
}

pub(super) async fn campaigns(engine: &Engine, report: &mut Report) {
    let catalog = engine.catalog();
    let counts = match engine.code_counts().await {
        Ok(counts) => counts,
        Err(error) => return report.failed("campaigns", &error.into()),
    };
    let live: Vec<_> = catalog.rows.campaigns.iter().filter(|campaign| campaign.status == Some(Status::Live)).collect();
    let mut stocked = 0;
    for campaign in &live {
        if counts.get(&campaign.id).is_some_and(|count| count.of_house > 0) {
            stocked += 1;
            continue;
        }
        report.warn(
            "campaigns",
            format!("{} is live and has no code left", campaign.doc.name),
            AlertKind::LowStock.next_step(),
        );
    }
    if live.is_empty() {
        let next = "Apply a file with a [[campaign]]; examples/tacos.toml is one.";
        report.warn("campaigns", "none is live: nothing is given out", next);
    } else {
        report.ok("campaigns", format!("{} live, {stocked} with codes", live.len()));
    }
}
