//! What a batch could need, by the configuration: fallback pools and every counter included.

use crate::domain::act::{Act, Ask};
use crate::domain::campaign::{Attribution, Campaign};
use crate::domain::catalog::{Catalog, Heard};
use crate::domain::ids::{SenderId, Subject};
use crate::domain::session::{Choice, Open, Session, SessionKey, SessionKind};
use crate::store::batch::Needs;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Persons who may answer, and what is open with them.
type Answering = (BTreeSet<Subject>, HashMap<SessionKey, Session>);

/// The persons whose texts may be answers to a question of ours.
pub(super) fn answering(catalog: &Catalog, acts: &[&Act]) -> BTreeSet<Subject> {
    let answers = acts.iter().filter_map(|act| match &act.ask {
        Ask::Text(text) => catalog.answer(text.sender, &text.text).and(act.who.as_ref()),
        Ask::Issue(..)
        | Ask::Redeem(..)
        | Ask::Rollback(..)
        | Ask::Void(..)
        | Ask::Message(_)
        | Ask::Raise(_)
        | Ask::Clear(..) => None,
    });
    answers.map(|who| who.subject).collect()
}

/// The locks and reads of a batch at `now`. `answering` are the persons who may answer, with what is open with them.
pub(super) fn of(catalog: &Catalog, acts: &[&Act], now: DateTime<Utc>, answering: Answering) -> Needs {
    let mut needs = Needs { catalog_version: catalog.version, acts: acts.len(), answering, ..Needs::default() };
    // Questions that this very batch will put.
    let mut put: BTreeMap<(SenderId, Subject), Vec<Vec<Choice>>> = BTreeMap::new();
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
                let here = (text.sender, who.subject);
                if let Some(at) = catalog.answer(text.sender, &text.text) {
                    let put = put.get(&here).into_iter().flatten().filter_map(|choices| choices.get(at)).cloned();
                    for choice in put.chain(open_choice(&needs, here, at)).collect::<Vec<_>>() {
                        if let Some(campaign) = catalog.campaigns.get(&choice.campaign) {
                            issue(&mut needs, catalog, campaign, &choice.from(text.sender), now);
                        }
                    }
                }
                match catalog.hear(text.sender, &text.text) {
                    Heard::Keyword { campaign, from, .. } => {
                        if let Some(campaign) = catalog.campaigns.get(&campaign) {
                            issue(&mut needs, catalog, campaign, &from, now);
                        }
                    }
                    Heard::OptOut(..) => {
                        needs.opting_out.insert(who.subject);
                    }
                    Heard::Ambiguous(choices) => {
                        put.entry(here).or_default().push(choices);
                    }
                    Heard::OptIn(_) | Heard::Help(_) | Heard::MyCodes | Heard::Unknown | Heard::Nothing => {}
                }
            }
            Ask::Redeem(..) | Ask::Rollback(..) | Ask::Void(..) | Ask::Message(_) | Ask::Raise(_) | Ask::Clear(..) => {}
        }
    }
    needs
}

/// The choice that an answer takes of what is open.
fn open_choice(needs: &Needs, (sender, subject): (SenderId, Subject), at: usize) -> Option<Choice> {
    let key = SessionKey { subject, sender, kind: SessionKind::Question };
    match &needs.answering.1.get(&key)?.open {
        Open::Question(question) => question.choices.get(at).cloned(),
        Open::Repeats(_) => None,
    }
}

fn issue(needs: &mut Needs, catalog: &Catalog, campaign: &Campaign, from: &Attribution, now: DateTime<Utc>) {
    needs.campaigns.insert(campaign.id);
    needs.pools.extend(campaign.pools.iter().map(|pool| (campaign.id, pool.pool_no)));
    for cap in catalog.counted(campaign, from) {
        needs.quotas.insert((cap.id, cap.window.key(now, cap.zone)), cap.cap);
    }
}
