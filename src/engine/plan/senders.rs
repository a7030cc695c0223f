//! Numbers of ours, and caps across campaigns.

use super::compare::{cap_words, caps};
use super::{Ground, Mark, Plan, lines};
use crate::domain::cap::Cap;
use crate::domain::catalog::{Catalog, PoolRecord, SenderRow, campaign_texts, sender_texts};
use crate::domain::document::{CapDoc, CapSpec, Document, Located, Over, SenderDoc};
use crate::domain::ids::SenderId;
use crate::domain::phone::SenderAddress;
use crate::store::config::AcrossWrite;

/// Every number as it will be when the documents are applied.
pub(super) fn after(catalog: &Catalog, documents: &Document) -> Vec<SenderRow> {
    let mut senders: Vec<_> = catalog.rows.senders.iter().map(|sender| sender.row.clone()).collect();
    for located in &documents.senders {
        let SenderDoc { address, carrier, brand, help, opt_out_handled_by } = located.value.clone();
        let known = senders.iter().position(|sender| sender.address == address);
        // A new number's id is not known yet, and nothing here asks for it.
        let id = known.and_then(|at| senders.get(at)).map_or(SenderId(0), |sender| sender.id);
        let row = SenderRow { id, address, carrier, brand, help, opt_out_handled_by };
        match known.and_then(|at| senders.get_mut(at)) {
            Some(sender) => *sender = row,
            None => senders.push(row),
        }
    }
    senders
}

pub(super) fn plan(ground: &Ground<'_>, located: &Located<SenderDoc>, plan: &mut Plan) {
    let doc = &located.value;
    let known = ground.catalog.sender_at(&doc.address);
    let mut lines = lines(&mut plan.steps, located, format!("sender {}", doc.address));
    lint(ground, doc, &mut lines);
    let row = ground.senders.iter().find(|sender| sender.address == doc.address);
    let Some(old) = known else {
        lines.say(Mark::Add, format!("sender {} ({}, {})", doc.address, doc.brand, doc.carrier));
        plan.change.senders.push(doc.clone());
        return;
    };
    let stopped = old.brand != doc.brand && ground.facts.stopped_brands.contains(&old.brand);
    if stopped {
        lines.refuse(format!(
            "people said STOP to {}; under the name {} they would hear from it again",
            old.brand, doc.brand
        ));
    }
    let words = [
        ("carrier", old.carrier.as_str(), doc.carrier.as_str()),
        ("brand", &old.brand, &doc.brand),
        ("help", &old.help, &doc.help),
        ("opt_out_handled_by", old.opt_out_handled_by.word(), doc.opt_out_handled_by.word()),
    ];
    let changed: Vec<_> = words.into_iter().filter(|(_, old, new)| old != new).collect();
    if changed.is_empty() {
        return;
    }
    for (what, old, new) in changed {
        lines.say(Mark::Change, format!("sender {}: {what} {old} → {new}", doc.address));
    }
    if let Some(row) = row {
        others_still_fit(ground, row, &mut lines);
    }
    plan.change.senders.push(doc.clone());
}

fn lint(ground: &Ground<'_>, doc: &SenderDoc, lines: &mut super::Lines<'_>) {
    if SenderAddress::parse(&doc.address).is_err() {
        lines.refuse("a sender is a short code of 3 to 8 digits or a full number such as +12025550123");
    }
    if !ground.house.carriers.contains(&doc.carrier) {
        let known = ground.house.carriers.join(", ");
        lines.refuse(format!("there is no carrier \"{}\" (known: {known})", doc.carrier));
    }
    if doc.brand.trim().is_empty() || doc.help.trim().is_empty() {
        lines.refuse("every text names the brand and HELP says where help is: neither may be empty");
    }
    let twice = ground.documents.senders.iter().filter(|other| other.value.address == doc.address).count() > 1;
    if twice {
        lines.refuse("it is written twice");
    }
    let row = ground.senders.iter().find(|sender| sender.address == doc.address);
    if let Some(Err(error)) = row.map(|row| sender_texts(row, &ground.house.public_url, &[])) {
        lines.refuse(error.to_string());
    }
}

/// A longer brand may make a text of an older campaign too long.
fn others_still_fit(ground: &Ground<'_>, row: &SenderRow, lines: &mut super::Lines<'_>) {
    let rewritten = |name: &str| ground.documents.campaigns.iter().any(|located| located.value.name == name);
    for record in ground.catalog.rows.campaigns.iter().filter(|record| !rewritten(&record.doc.name)) {
        let sender = record.doc.keywords.as_ref().and_then(|keywords| keywords.sender.as_deref());
        if sender.is_some_and(|address| address != row.address) || record.doc.keywords.is_none() {
            continue;
        }
        let pools = ground.catalog.rows.pools.iter().filter(|pool| pool.campaign == record.id);
        let code = pools.map(PoolRecord::sample_code).max_by_key(|code| code.chars().count()).unwrap_or_default();
        if let Err(error) = campaign_texts(&record.doc, row, &ground.house.public_url, &code) {
            lines.refuse(format!("campaign {}: {error}", record.doc.name));
        }
    }
}

pub(super) fn plan_across(ground: &Ground<'_>, located: &Located<CapDoc>, plan: &mut Plan) {
    let doc = &located.value;
    let mut lines = lines(&mut plan.steps, located, "cap across campaigns".to_owned());
    let Some(scope) = doc.scope() else {
        lines.refuse(
            "scope \"channel\" needs channel = \"sms\", scope \"keyword\" needs keyword = \"PIZZA\", others neither",
        );
        return;
    };
    let specs = doc.specs(&scope);
    if specs.iter().any(|spec| spec.cap.is_none()) {
        lines.refuse(format!("money with more decimals than {} has", doc.currency));
    }
    let known: Vec<&Cap> = ground.catalog.caps_across.iter().filter(|cap| cap.scope == scope).collect();
    let old: Vec<CapSpec> = known.iter().map(|cap| spec(cap)).collect();
    let zone_moves = known.iter().any(|cap| cap.zone != doc.zone.0);
    let changes = caps(&old, &specs);
    if changes.is_empty() && !zone_moves {
        return;
    }
    for (mark, text) in changes {
        lines.say(mark, format!("across campaigns: {text}"));
    }
    if zone_moves {
        lines.say(Mark::Change, format!("across campaigns: zone → {}", doc.zone.0.name()));
    }
    for spec in &specs {
        if spec.cap == Some(0) {
            lines.warn(format!("{} lets nothing through", cap_words(spec)));
        }
    }
    plan.change.across.push(AcrossWrite { scope, doc: doc.clone(), caps: specs });
}

fn spec(cap: &Cap) -> CapSpec {
    CapSpec { over: Over::Scope(cap.scope.clone()), unit: cap.unit, window: cap.window, cap: Some(cap.cap) }
}
