//! Carriers and redemption peers: are they configured, do they answer, what do they have to be told.

use super::Report;
use crate::app::House;
use crate::app::server::carriers_of;
use crate::domain::phone::SenderAddress;
use crate::engine::Engine;
use crate::redemption::{CallContext, Peer as _, Registry};
use crate::sms::{Finding, Hooks};
use std::time::Duration;

/// The most that one peer may take to say how it is.
const PEER_TIME: Duration = Duration::from_secs(10);

/// Looks at every sender, or at one.
pub(super) async fn senders(house: &House, engine: &Engine, only: Option<&str>, report: &mut Report) {
    let carriers = match carriers_of(house) {
        Ok(carriers) => carriers,
        Err(error) => return report.failed("carriers", &error.into()),
    };
    let catalog = engine.catalog();
    let wanted = |address: &str| only.is_none_or(|only| only == address);
    let rows: Vec<_> = catalog.senders.values().filter(|row| wanted(&row.address)).collect();
    if rows.is_empty() {
        none(only, report);
    }
    for row in rows {
        let area = format!("sender {}", row.address);
        let Some(carrier) = carriers.get(&row.carrier) else {
            let names: Vec<_> = carriers.names().collect();
            report.fail(
                &area,
                format!("its carrier {} is not configured here", row.carrier),
                format!(
                    "Add [[carriers]] with name = \"{}\", or apply the sender with one of: {}.",
                    row.carrier,
                    names.join(", ")
                ),
            );
            continue;
        };
        let Ok(address) = SenderAddress::parse(&row.address) else {
            report.fail(&area, "its address is none", "Apply it again with a short code or a number with +.");
            continue;
        };
        let hooks = Hooks::of(&engine.parts().public_url, &row.address);
        for finding in carrier.check(&address, &hooks).await {
            report.add(&area, finding);
        }
        let told = format!("its carrier sends texts to {} and reports to {}", hooks.inbound, hooks.status);
        report.add(&area, Finding::ok(told));
    }
}

fn none(only: Option<&str>, report: &mut Report) {
    match only {
        Some(address) => report.fail(
            "senders",
            format!("there is no sender {address}"),
            "Write it as it stands in the file that was applied, with its + where it has one.",
        ),
        None => report.warn(
            "senders",
            "there is none: nobody can text us",
            "Apply a file with a [[sender]]; examples/tacos.toml has one.",
        ),
    }
}

/// Looks at every redemption peer, or at one.
pub(super) async fn peers(peers: &Registry, engine: &Engine, only: Option<&str>, report: &mut Report) {
    if let Some(name) = only.filter(|name| peers.get(name).is_none()) {
        let names: Vec<_> = peers.names().collect();
        let known =
            if names.is_empty() { "none is configured".to_owned() } else { format!("there are {}", names.join(", ")) };
        report.fail("redemption", format!("there is no redemption system {name}: {known}"), "Check its name.");
        return;
    }
    for peer in peers.all().filter(|peer| only.is_none_or(|only| only == peer.name())) {
        let area = format!("redemption {}", peer.name());
        match peer.health(&CallContext::unrecorded(engine.now(), PEER_TIME)).await {
            Ok(health) => {
                let left = health.calls_left.map(|left| format!(", {left} calls left")).unwrap_or_default();
                report.ok(&area, format!("it answers and accepts our key{left}"));
            }
            Err(error) => report.fail(
                &area,
                error.to_string(),
                "Check its address and key in the configuration, and that it runs; texts are answered meanwhile as its campaigns say.",
            ),
        }
    }
}
