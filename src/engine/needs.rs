//! What a batch could need, by the configuration: fallback pools and every counter included.

use crate::domain::act::{Act, Ask};
use crate::domain::campaign::{Attribution, Campaign};
use crate::domain::catalog::{Catalog, Heard};
use crate::store::batch::Needs;
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
            Ask::Message(step) => {
                needs.messages.insert(step.message);
                continue;
            }
            Ask::Raise(_) | Ask::Clear(..) => continue,
            Ask::Issue(..) | Ask::Text(_) | Ask::Redeem(..) | Ask::Rollback(..) | Ask::Void(..) => {}
        }
        needs.requests.insert(act.request.clone());
        match &act.ask {
            Ask::Issue(campaign, from) => {
                if let Some(campaign) = catalog.campaigns.get(campaign) {
                    issue(&mut needs, catalog, campaign, from, now);
                }
            }
            Ask::Text(text) => {
                let Some(who) = &act.who else { continue };
                needs.texters.insert(who.subject);
                match catalog.hear(text.sender, &text.text) {
                    Heard::Keyword { campaign, from, .. } => {
                        if let Some(campaign) = catalog.campaigns.get(&campaign) {
                            issue(&mut needs, catalog, campaign, &from, now);
                        }
                    }
                    Heard::OptOut(..) => {
                        needs.opting_out.insert(who.subject);
                    }
                    Heard::OptIn(_) | Heard::Help(_) | Heard::MyCodes | Heard::Unknown | Heard::Nothing => {}
                }
            }
            Ask::Redeem(..) | Ask::Rollback(..) | Ask::Void(..) | Ask::Message(_) | Ask::Raise(_) | Ask::Clear(..) => {}
        }
    }
    needs
}

fn issue(needs: &mut Needs, catalog: &Catalog, campaign: &Campaign, from: &Attribution, now: DateTime<Utc>) {
    needs.campaigns.insert(campaign.id);
    needs.pools.extend(campaign.pools.iter().map(|pool| (campaign.id, pool.pool_no)));
    for cap in catalog.counted(campaign, from) {
        needs.quotas.insert((cap.id, cap.window.key(now, cap.zone)), cap.cap);
    }
}
