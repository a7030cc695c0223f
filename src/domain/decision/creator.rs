//! Creators: whether one speaks for a campaign now, and what a redemption earns her.

use super::Work;
use crate::domain::act::Who;
use crate::domain::campaign::{Attribution, Campaign};
use crate::domain::decision::outcome::Refusal;
use crate::domain::desk::DESK_WORD;
use crate::domain::ids::{CreatorId, Subject};
use crate::domain::world::{Held, Whose};

impl Work<'_> {
    /// Whether the creator whose word it was speaks for the campaign now; a word of the house always does.
    pub(super) fn speaks(&self, campaign: &Campaign, from: &Attribution) -> Result<(), Refusal> {
        let Some(id) = from.creator else {
            return Ok(());
        };
        let now = self.world.now;
        let terms = campaign.creator(id).ok_or(Refusal::Ended)?;
        if !self.catalog.creators.get(&id).is_some_and(|creator| creator.is_active) {
            return Err(Refusal::Paused);
        }
        if let Some(opens) = terms.starts_at.filter(|start| now < *start) {
            return Err(Refusal::NotStarted(opens));
        }
        if terms.ends_at.is_some_and(|end| now >= end) {
            return Err(Refusal::Ended);
        }
        Ok(())
    }

    /// Whether a person is the creator herself.
    pub(super) fn is_own(&self, creator: Option<CreatorId>, subject: Subject) -> bool {
        let row = creator.and_then(|id| self.catalog.creators.get(&id));
        row.is_some_and(|row| row.numbers.iter().any(|(own, _)| *own == subject))
    }

    /// The creator whose own number asks for her desk; for everybody else the word means nothing. Who has the number
    /// since it changed hands is not her.
    pub(super) fn at_desk(&self, who: &Who, words: &str) -> Option<CreatorId> {
        if !words.trim().trim_end_matches(['.', '!', '?']).eq_ignore_ascii_case(DESK_WORD) {
            return None;
        }
        let row = self.catalog.creators.values().find(|row| row.subject == Some(who.subject))?;
        let person = self.world.persons.get(&who.subject);
        let given_at = row.numbers.iter().find(|(own, _)| *own == who.subject).map(|(_, given_at)| *given_at)?;
        let is_hers = person.is_none_or(|person| person.epoch == 0 || person.since <= given_at);
        is_hers.then_some(row.id)
    }

    /// What a sale earns the creator whose merit the code is, by the terms of now; `None` where it is nobody's merit, or
    /// she uses her own code.
    pub(super) fn earned(&self, holder: Whose, held: &Held, amount: Option<i64>) -> Option<i64> {
        let creator = held.from.creator?;
        if holder.person().is_some_and(|subject| self.is_own(Some(creator), subject)) {
            return None;
        }
        let terms = self.catalog.campaigns.get(&held.spot.campaign)?.creator(creator)?;
        terms.commission.map(|commission| commission.earned(amount))
    }
}
