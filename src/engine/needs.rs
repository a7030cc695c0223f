//! What a batch could need, by the configuration: fallback pools and every counter included.

use crate::domain::act::{Act, Ask, Text};
use crate::domain::campaign::{Attribution, Authority, Campaign, Unverified};
use crate::domain::catalog::{Catalog, Heard};
use crate::store::batch::{Needs, Stock};
use chrono::{DateTime, Utc};

/// The locks and reads of a batch at `now`.
pub(super) fn of(catalog: &Catalog, acts: &[&Act], now: DateTime<Utc>) -> Needs {
    let mut needs = Needs { catalog_version: catalog.version, acts: acts.len(), ..Needs::default() };
    for act in acts {
        if let Some(who) = &act.who {
            let phone = needs.persons.entry(who.subject).or_default();
            if phone.is_none() {
                phone.clone_from(&who.sealed_phone);
            }
        }
        match &act.ask {
            // These three have no request row.
            Ask::Message(step) => {
                needs.messages.insert(step.message);
                needs.spend.extend(step.charges.iter().map(|charge| charge.key.clone()));
                continue;
            }
            Ask::Raise(_) | Ask::Clear(..) => continue,
            Ask::Issue(campaign, from) => {
                if let Some(campaign) = catalog.campaigns.get(campaign) {
                    issue(&mut needs, catalog, campaign, from, now);
                }
            }
            Ask::Text(asked) => text(&mut needs, catalog, act, asked, now),
            Ask::Fulfil(campaign, _) => {
                if let Some(campaign) = catalog.campaigns.get(campaign) {
                    needs.campaigns.insert(campaign.id);
                    pools(&mut needs, campaign, now);
                }
            }
            Ask::Redeem(..) | Ask::Rollback(..) | Ask::Void(..) | Ask::Said(..) | Ask::Excuse(..) => {}
        }
        needs.requests.insert(act.request.clone());
    }
    needs
}

fn text(needs: &mut Needs, catalog: &Catalog, act: &Act, text: &Text, now: DateTime<Utc>) {
    let Some(who) = &act.who else { return };
    needs.texters.insert(who.subject);
    match catalog.hear_text(text) {
        Heard::Keyword { campaign, from, .. } => {
            if let Some(campaign) = catalog.campaigns.get(&campaign) {
                issue(needs, catalog, campaign, &from, now);
            }
        }
        Heard::OptOut(_) => {
            needs.opting_out.insert(who.subject);
        }
        Heard::OptIn | Heard::Help | Heard::MyCodes | Heard::Unknown | Heard::Nothing => {}
    }
}

fn issue(needs: &mut Needs, catalog: &Catalog, campaign: &Campaign, from: &Attribution, now: DateTime<Utc>) {
    needs.campaigns.insert(campaign.id);
    pools(needs, campaign, now);
    for cap in catalog.counted(campaign, from) {
        needs.quotas.insert((cap.id, cap.window.key(now, cap.zone)), cap.cap);
    }
}

/// The pools that might be drawn from; of those whose codes another system honours, what was looked at lately.
fn pools(needs: &mut Needs, campaign: &Campaign, now: DateTime<Utc>) {
    let stock = match &campaign.authority {
        Authority::Here => Stock::Ours,
        Authority::Peer(peer) => match peer.unverified {
            Unverified::Hold => Stock::Peers { looked_at_after: Some(now - peer.max_age) },
            Unverified::IssueUnverified => Stock::Peers { looked_at_after: None },
        },
    };
    needs.pools.extend(campaign.pools.iter().map(|pool| ((campaign.id, pool.pool_no), stock)));
}
