//! How partners are shown.

use crate::cli::console::Console;
use crate::domain::ids::CampaignId;
use crate::engine::{Engine, PartnerRecord};
use serde_json::{Value, json};

/// For whom it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// For people.
    Words,
    /// For programs.
    Json,
}

impl Said {
    pub(super) fn of(json: bool) -> Self {
        if json { Self::Json } else { Self::Words }
    }
}

fn name(engine: &Engine, id: CampaignId) -> String {
    let catalog = engine.catalog();
    let known = catalog.rows.campaigns.iter().find(|campaign| campaign.id == id);
    known.map_or_else(|| id.to_string(), |campaign| campaign.doc.name.clone())
}

fn object(engine: &Engine, partner: &PartnerRecord) -> Value {
    let grant = |grant: &crate::domain::partner::Grant| {
        json!({
            "campaign": name(engine, grant.campaign),
            "total": grant.total,
            "day": grant.day,
            "week": grant.week,
            "month": grant.month,
        })
    };
    json!({
        "client_id": partner.client.as_str(),
        "name": partner.doc.name,
        "environment": partner.environment.word(),
        "status": partner.status.word(),
        "suspended_at": partner.suspended_at,
        "version": partner.version,
        "scopes": partner.doc.scopes.iter().map(|scope| scope.word()).collect::<Vec<_>>(),
        "contact": partner.doc.contact,
        "caps": partner.doc.caps,
        "rate": partner.doc.rate,
        "grants": partner.doc.grants.iter().map(grant).collect::<Vec<_>>(),
        "created_at": partner.created_at,
    })
}

/// Shows one partner.
pub(super) fn say(
    engine: &Engine,
    partner: &PartnerRecord,
    said: Said,
    console: &mut Console<'_>,
) -> anyhow::Result<()> {
    if said == Said::Json {
        return console.say(&object(engine, partner).to_string());
    }
    let scopes: Vec<_> = partner.doc.scopes.iter().map(|scope| scope.word()).collect();
    console.say(&format!("{}  {}", partner.client, partner.doc.name))?;
    let (status, environment) = (partner.status.word(), partner.environment.word());
    let since = partner.suspended_at.map(|at| format!(" since {}", at.format("%F")));
    console.say(&format!("  {status}{}, {environment}, version {}", since.unwrap_or_default(), partner.version))?;
    console.say(&format!("  may ask for  {}", scopes.join(" ")))?;
    let across = limits(partner.doc.caps.caps());
    console.say(&format!("  in all       {across}"))?;
    if let Some(rate) = partner.doc.rate {
        console.say(&format!("  calls        {} a second, {} at once", rate.per_second, rate.burst))?;
    }
    for grant in &partner.doc.grants {
        console.say(&format!("  {}  {}", name(engine, grant.campaign), limits(grant.caps())))?;
    }
    Ok(())
}

fn limits(caps: impl Iterator<Item = (crate::domain::window::Window, i64)>) -> String {
    let caps: Vec<_> = caps.map(|(window, cap)| format!("{cap} a {}", window.word())).collect();
    if caps.is_empty() { "no cap".to_owned() } else { caps.join(", ") }
}

/// Lists partners.
pub(super) fn say_all(
    engine: &Engine,
    partners: &[PartnerRecord],
    said: Said,
    console: &mut Console<'_>,
) -> anyhow::Result<()> {
    if said == Said::Json {
        let all: Vec<_> = partners.iter().map(|partner| object(engine, partner)).collect();
        return console.say(&json!({ "data": all }).to_string());
    }
    if partners.is_empty() {
        console.note("There is no partner yet; `codewell partner create` makes one.");
    }
    for partner in partners {
        let grants: Vec<_> = partner.doc.grants.iter().map(|grant| name(engine, grant.campaign)).collect();
        let grants = if grants.is_empty() { "no campaign".to_owned() } else { grants.join(" ") };
        console.say(&format!("{}  {}  {}  {grants}", partner.client, partner.status.word(), partner.doc.name))?;
    }
    Ok(())
}
