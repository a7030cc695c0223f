//! What a batch could need, by the configuration: fallback pools and every counter included.

use crate::domain::act::{Act, Ask, Claim, Lease, LeaseStep, Pull, Stray, Text};
use crate::domain::alert::AlertKind;
use crate::domain::campaign::{Attribution, Authority, Campaign, Channel, Pool, Unverified};
use crate::domain::cap::Cap;
use crate::domain::catalog::{Catalog, Heard};
use crate::domain::ids::{CampaignId, PartnerId, SenderId, Spot, Subject};
use crate::domain::partner::PartnerTerms;
use crate::domain::session::{Choice, Open, Session, SessionKey, SessionKind};
use crate::store::batch::{Needs, Stock};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Persons who may answer, and what is open with them.
type Answering = (BTreeSet<Subject>, HashMap<SessionKey, Session>);

/// Questions that one batch puts, with their choices.
type Put = BTreeMap<(SenderId, Subject), Vec<Vec<Choice>>>;

/// The persons whose texts may be answers to a question of ours.
pub(super) fn answering(catalog: &Catalog, acts: &[&Act]) -> BTreeSet<Subject> {
    let answers = acts.iter().filter_map(|act| match &act.ask {
        Ask::Text(text) => catalog.answer(text.sender, &text.text).and(act.who.as_ref()),
        Ask::Issue(..)
        | Ask::Allocate(..)
        | Ask::Lease(..)
        | Ask::Looked(..)
        | Ask::Prove(_)
        | Ask::Claim(_)
        | Ask::Redeem(..)
        | Ask::Rollback(..)
        | Ask::Void(..)
        | Ask::Message(_)
        | Ask::HandOver(_)
        | Ask::Said(..)
        | Ask::Excuse(..)
        | Ask::Fulfil(..)
        | Ask::Raise(_)
        | Ask::Opened(_)
        | Ask::Stray(..)
        | Ask::RunsLow(_)
        | Ask::Clear(..) => None,
    });
    answers.map(|who| who.subject).collect()
}

/// The locks and reads of a batch at `now`. `answering` are the persons who may answer, with what is open with them.
/// `partners` are the terms of those who ask.
pub(super) fn of(
    catalog: &Catalog,
    acts: &[&Act],
    now: DateTime<Utc>,
    answering: Answering,
    partners: BTreeMap<PartnerId, Arc<PartnerTerms>>,
) -> Needs {
    let mut needs =
        Needs { catalog_version: catalog.version, acts: acts.len(), answering, partners, ..Needs::default() };
    // Questions that this very batch will put.
    let mut put = Put::new();
    for act in acts {
        if let Some(who) = &act.who {
            let phone = needs.persons.entry(who.subject).or_default();
            if phone.is_none() {
                phone.clone_from(&who.sealed_phone);
            }
        }
        needs.feeds.extend(act.partner);
        if let Some(id) = act.allocation {
            needs.pulls.entry(id).or_default();
        }
        match &act.ask {
            rowless @ (Ask::Message(_)
            | Ask::Raise(_)
            | Ask::Clear(..)
            | Ask::Opened(_)
            | Ask::Stray(..)
            | Ask::RunsLow(_)) => {
                of_rowless(&mut needs, rowless, act);
                continue;
            }
            Ask::Prove(_) => needs.proving.extend(act.who.iter().map(|who| who.subject)),
            Ask::Claim(asked) => claim(&mut needs, catalog, act, asked, now),
            Ask::Issue(campaign, from, _) => {
                needs.feeds.extend(from.partner.map(|by| by.id));
                if let Some(campaign) = catalog.campaigns.get(campaign) {
                    issue(&mut needs, catalog, campaign, from, now);
                }
            }
            Ask::Allocate(campaign, asked) => pull(&mut needs, catalog, *campaign, asked, now),
            Ask::Lease(lease, step) => lease_step(&mut needs, catalog, lease, step),
            Ask::HandOver(_) => hand_over(&mut needs, act),
            Ask::Text(asked) => text(&mut needs, &mut put, catalog, act, asked, now),
            Ask::Fulfil(campaign, _) => {
                if let Some(campaign) = catalog.campaigns.get(campaign) {
                    needs.campaigns.insert(campaign.id);
                    pools(&mut needs, campaign, campaign.pools.iter(), now);
                }
            }
            Ask::Redeem(spot, _) => {
                needs.tried.insert(*spot);
                if act.allocation.is_some() {
                    needs.loose.insert(*spot);
                }
            }
            Ask::Rollback(spot, _) | Ask::Void(spot, _) | Ask::Said(spot, _) | Ask::Looked(spot, _) => {
                if act.allocation.is_some() {
                    needs.loose.insert(*spot);
                }
            }
            Ask::Excuse(..) => {}
        }
        needs.requests.insert(act.request.clone());
    }
    needs
}

/// What an act without a request row needs.
fn of_rowless(needs: &mut Needs, ask: &Ask, act: &Act) {
    if let Ask::Message(step) = ask {
        needs.messages.insert(step.message);
        needs.spend.extend(step.charges.iter().map(|charge| charge.key.clone()));
    }
    if let Ask::Stray(Stray { spot, pull, .. }) = ask {
        needs.tried.insert(*spot);
        needs.feeds.extend(pull.map(|(partner, _)| partner));
        if act.allocation.is_some() {
            needs.loose.insert(*spot);
        } else if act.who.is_none() {
            // Who looks at stock holds its campaign's lock.
            needs.campaigns.insert(spot.campaign);
        }
    }
    if let Ask::RunsLow(low) = ask {
        needs.campaigns.insert(low.campaign);
        needs.standing.insert((AlertKind::LowStock, low.alert.about.clone()));
        needs.feeds.extend(&low.partners);
    }
}

/// What is open with the old holder ends, and what waits for her.
fn hand_over(needs: &mut Needs, act: &Act) {
    let who = act.who.iter().map(|who| who.subject);
    needs.texters.extend(who.clone());
    needs.opting_out.extend(who);
}

fn pull(needs: &mut Needs, catalog: &Catalog, campaign: CampaignId, pull: &Pull, now: DateTime<Utc>) {
    needs.feeds.extend(pull.from.partner.map(|by| by.id));
    if let Some(campaign) = catalog.campaigns.get(&campaign) {
        issue(needs, catalog, campaign, &pull.from, now);
        // A pull takes as many ranges as it has codes, where stock is all crumbs.
        needs.ranges = needs.ranges.saturating_add(pull.count);
    }
}

fn text(needs: &mut Needs, put: &mut Put, catalog: &Catalog, act: &Act, text: &Text, now: DateTime<Utc>) {
    let Some(who) = &act.who else { return };
    needs.texters.insert(who.subject);
    let here = (text.sender, who.subject);
    if let Some(at) = catalog.answer(text.sender, &text.text) {
        let put = put.get(&here).into_iter().flatten().filter_map(|choices| choices.get(at)).cloned();
        for choice in put.chain(open_choice(needs, here, at)).collect::<Vec<_>>() {
            if let Some(campaign) = catalog.campaigns.get(&choice.campaign) {
                issue(needs, catalog, campaign, &choice.from(text.sender), now);
            }
        }
    }
    match catalog.hear_text(text) {
        Heard::Keyword { campaign, from, .. } => {
            if let Some(campaign) = catalog.campaigns.get(&campaign) {
                issue(needs, catalog, campaign, &from, now);
            }
        }
        Heard::OptOut(..) => {
            needs.opting_out.insert(who.subject);
        }
        Heard::Ambiguous(choices) => put.entry(here).or_default().push(choices),
        Heard::OptIn(_) | Heard::Help(_) | Heard::MyCodes | Heard::Unknown | Heard::Nothing => {}
    }
}

fn claim(needs: &mut Needs, catalog: &Catalog, act: &Act, claim: &Claim, now: DateTime<Utc>) {
    needs.proving.extend(act.who.iter().map(|who| who.subject));
    let Some(link) = catalog.links.get(claim.slug.as_str()) else {
        return;
    };
    if let Some(campaign) = catalog.campaigns.get(&link.campaign) {
        let from = Attribution { placement: link.placement, creator: link.creator, ..Attribution::by(Channel::Web) };
        issue(needs, catalog, campaign, &from, now);
    }
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
    pools(needs, campaign, campaign.pools_of(from.creator), now);
    for cap in counted(needs, catalog, campaign, from) {
        needs.quotas.insert((cap.id, cap.window.key(now, cap.zone)), cap.cap);
    }
}

/// Every counter that a request may charge: the campaign's, those across campaigns, its partner's.
fn counted(needs: &Needs, catalog: &Catalog, campaign: &Campaign, from: &Attribution) -> Vec<Cap> {
    let terms = from.partner.and_then(|by| needs.partners.get(&by.id));
    let partners = terms.into_iter().flat_map(|terms| terms.caps(campaign.id));
    catalog.counted(campaign, from).chain(partners).cloned().collect()
}

/// What is given back goes to the windows that it was counted in.
fn lease_step(needs: &mut Needs, catalog: &Catalog, lease: &Lease, step: &LeaseStep) {
    let Some(campaign) = catalog.campaigns.get(&lease.campaign) else {
        return;
    };
    match step {
        LeaseStep::Withdrawn(positions, _) => {
            let pool = |position: &u64| Spot { campaign: lease.campaign, pool: lease.pool_no, position: *position };
            needs.loose.extend(positions.iter().map(pool));
        }
        LeaseStep::Acknowledged(_) | LeaseStep::Returned | LeaseStep::Expired => {
            needs.pulls.insert(lease.id, true);
            needs.campaigns.insert(campaign.id);
            for cap in counted(needs, catalog, campaign, &lease.from) {
                needs.quotas_back.insert((cap.id, cap.window.key(lease.allocated_at, cap.zone)));
            }
        }
    }
}

/// The pools that might be drawn from; of those whose codes another system honours, what was looked at lately.
fn pools<'c>(needs: &mut Needs, campaign: &'c Campaign, pools: impl Iterator<Item = &'c Pool>, now: DateTime<Utc>) {
    let stock = match &campaign.authority {
        Authority::Here => Stock::Ours,
        Authority::Peer(peer) => match peer.unverified {
            Unverified::Hold => Stock::Peers { looked_at_after: Some(now - peer.max_age) },
            Unverified::IssueUnverified => Stock::Peers { looked_at_after: None },
        },
    };
    needs.pools.extend(pools.map(|pool| ((campaign.id, pool.pool_no), stock)));
}
