//! A phone is proved on a page, and the code is claimed: the same code as by a text, in either order.

use super::issue::is_open;
use super::text::Evidence;
use super::{Trace, Work};
use crate::domain::act::{Act, Claim, Digits, ProofId, Prove, Seeks, Who};
use crate::domain::campaign::{Attribution, Campaign, Channel};
use crate::domain::catalog::LinkRow;
use crate::domain::creator::Slug;
use crate::domain::decision::changes::{NewMessage, Params};
use crate::domain::decision::outcome::{Outcome, Refusal, Told};
use crate::domain::ids::{CampaignId, SenderId};
use crate::domain::reply::ReplyId;
use crate::domain::world::Proof;
use chrono::{DateTime, Duration, Utc};
use std::sync::Arc;

/// Texts with digits that a phone gets in an hour, whoever asks: nobody can have another flooded.
const PROOFS_PER_HOUR: usize = 3;

impl Work<'_> {
    /// Sends a person digits; those of before no longer count.
    pub(super) fn prove(&mut self, act: &Act, ask: &Prove, trace: &mut Trace) -> Outcome {
        trace.kind = "prove";
        // Whose merit it is stands with the code: a page that was only looked at is nobody's.
        trace.from = Some(Attribution::by(Channel::Web));
        let (Some(who), Some((link, campaign))) = (&act.who, self.page(&ask.slug)) else {
            return Outcome::Told(Told::Unknown);
        };
        trace.campaign = Some(campaign.id);
        let now = self.world.now;
        let sender = match self.served_by(&link, &campaign, who, ask.seeks) {
            Ok(sender) => sender,
            Err(why) => return Outcome::Refused(why, None),
        };
        if let Some(again) = self.sent_too_often(who) {
            return Outcome::Refused(Refusal::ProofsReached(again), None);
        }
        self.close_proofs(who, &ask.slug);
        let id = ProofId(act.id);
        let proof = Proof {
            id,
            slug: ask.slug.as_str().to_owned(),
            sub_id: ask.sub_id.as_ref().map(|sub| sub.as_str().to_owned()),
            created_at: now,
            expires_at: now + Proof::LIFE,
            tries: 0,
            proved_at: None,
        };
        self.person(who.subject).proofs.push(proof.clone());
        self.changes.proofs.insert(id, (who.subject, proof));
        if ask.seeks == Seeks::OwnCode && !self.was_given(who, campaign.id) {
            // The page is told the same as of a number that has a code: it must not show who has one. No text goes out.
            return Outcome::Told(Told::Proving);
        }
        trace.replied = true;
        self.send(NewMessage {
            id: act.id,
            subject: who.subject,
            sender,
            reply: ReplyId::T23WebCode,
            campaign: Some(campaign.id),
            spot: None,
            params: Params::default(),
            request: act.request.clone(),
            created_at: now,
        });
        Outcome::Told(Told::Proving)
    }

    /// Compares, counts, and issues as for a text.
    pub(super) fn claim(&mut self, act: &Act, claim: &Claim, trace: &mut Trace) -> Outcome {
        trace.kind = "claim";
        trace.from = Some(Attribution::by(Channel::Web));
        let (Some(who), Some((link, campaign))) = (&act.who, self.page(&claim.slug)) else {
            return Outcome::Told(Told::Unknown);
        };
        trace.campaign = Some(campaign.id);
        let now = self.world.now;
        let is_it =
            |proof: &&mut Proof| proof.id == claim.proof && proof.slug == claim.slug.as_str() && proof.is_open(now);
        let Some(proof) = self.person(who.subject).proofs.iter_mut().find(is_it) else {
            return Outcome::Refused(Refusal::ProofOver, None);
        };
        match claim.digits {
            Digits::Wrong => proof.tries += 1,
            Digits::Right => proof.proved_at = proof.proved_at.or(Some(now)),
        }
        let proof = proof.clone();
        self.changes.proofs.insert(proof.id, (who.subject, proof.clone()));
        if claim.digits == Digits::Wrong {
            return Outcome::Refused(Refusal::WrongDigits(proof.tries_left().into()), None);
        }
        // Where a creator was stopped too: what her followers have stays theirs.
        let Some(sender) = self.catalog.claim_sender(link.campaign) else {
            return Outcome::Refused(Refusal::Paused, None);
        };
        let from = Attribution {
            sender: Some(sender),
            placement: link.placement,
            creator: link.creator,
            sub_id: proof.sub_id,
            ..Attribution::by(Channel::Web)
        };
        trace.from = Some(from.clone());
        if let Some(row) = self.catalog.senders.get(&sender) {
            self.consent(act, who, row, Evidence { kind: "request", matched: claim.slug.as_str(), language: None });
        }
        self.issue(act, &campaign, who, &from)
    }

    fn page(&self, slug: &Slug) -> Option<(LinkRow, Arc<Campaign>)> {
        let link = self.catalog.links.get(slug.as_str())?;
        Some((link.clone(), self.campaign(link.campaign)?))
    }

    /// The number that texts the digits, or why there are none; a code that was given is to be had when no other is.
    fn served_by(&self, link: &LinkRow, campaign: &Campaign, who: &Who, seeks: Seeks) -> Result<SenderId, Refusal> {
        match seeks {
            Seeks::AnyCode => {
                is_open(campaign, who.country.as_ref(), self.world.now)?;
                self.speaks(campaign, &Attribution { creator: link.creator, ..Attribution::by(Channel::Web) })?;
            }
            Seeks::OwnCode => {}
        }
        self.catalog.claim_sender(link.campaign).ok_or(Refusal::Paused)
    }

    /// Whether a person was given or promised a code of the campaign.
    fn was_given(&mut self, who: &Who, campaign: CampaignId) -> bool {
        let person = self.person(who.subject);
        let has = person.held.iter().any(|held| held.epoch == person.epoch && held.spot.campaign == campaign);
        has || person.holds.iter().any(|hold| hold.epoch == person.epoch && hold.campaign == campaign)
    }

    /// When the next digits may be sent, where it is not now.
    fn sent_too_often(&mut self, who: &Who) -> Option<DateTime<Utc>> {
        let hour_ago = self.world.now - Duration::hours(1);
        let mut sent: Vec<_> = self.person(who.subject).proofs.iter().map(|proof| proof.created_at).collect();
        sent.retain(|at| *at > hour_ago);
        sent.sort_unstable();
        sent.iter().rev().nth(PROOFS_PER_HOUR - 1).map(|at| *at + Duration::hours(1))
    }

    fn close_proofs(&mut self, who: &Who, slug: &Slug) {
        let now = self.world.now;
        let proofs = &mut self.person(who.subject).proofs;
        let open = proofs.iter_mut().filter(|proof| proof.slug == slug.as_str() && proof.is_open(now));
        let closed = open.map(|proof| {
            proof.expires_at = now;
            (proof.id, (who.subject, proof.clone()))
        });
        let closed: Vec<_> = closed.collect();
        self.changes.proofs.extend(closed);
    }
}
