//! Signs that a code leaked, and that a campaign runs out: seen in the transaction of what shows them, told once.

use super::Work;
use crate::domain::act::{Act, Presented, RunsLow, Stray};
use crate::domain::alert::{Alert, AlertKind};
use crate::domain::ids::{CampaignId, CreatorId, PartnerId, Spot};
use crate::domain::till::TillRefusal;
use crate::domain::world::{Held, Whose};

/// So many different customers or tills that try one code in vain are a sign that it was passed on.
pub const STRANGERS: u32 = 3;

/// So many who tried one code are written down: a posted code is tried by thousands.
const ATTEMPTS: usize = 100;

impl Work<'_> {
    /// Writes down who tried somebody's code in vain; the third one raises an alert, and the code's partner hears of it.
    pub(super) fn in_vain(&mut self, act: &Act, (holder, held): (Whose, &Held), shown: &Presented, why: TillRefusal) {
        let is_sign = matches!(why, TillRefusal::AlreadyRedeemed | TillRefusal::WrongRecipient);
        // Her own second try at her own code is none.
        let is_hers = shown.customer.is_some() && shown.customer == holder.person();
        if !is_sign || is_hers {
            return;
        }
        let who = shown.customer.map_or_else(|| act.request.door.clone(), |customer| customer.expose_hex());
        self.tried(held, &who);
    }

    /// Somebody tried a code that is not for her.
    fn tried(&mut self, held: &Held, who: &str) {
        if self.attempt(held.spot, who) != Some(STRANGERS) {
            return;
        }
        let Spot { pool, position, .. } = held.spot;
        let detail = format!(
            "{STRANGERS} different customers or tills tried the code at position {position} of pool {pool} in vain; \
             the last one is {who}"
        );
        let alert = Alert { kind: AlertKind::LeakSuspected, about: self.owner(held), detail };
        self.changes.raise(alert, self.world.now);
        let data = format!("{{\"attempts\":{STRANGERS}}}");
        self.tell_partner(held.from.partner, "leak_suspected", held.spot.campaign, Some(held.spot), data);
    }

    /// A till only asked about somebody's code in vain; or a code that lies in stock was shown: it leaked, or it was
    /// guessed. Once for each who shows it; the partner in whose pull it waits hears of it, without the code.
    pub(super) fn stray(&mut self, act: &Act, stray: &Stray) {
        let Stray { spot, who, pull } = stray;
        if let Some((_, held)) = self.held(act, *spot) {
            self.tried(&held, who);
            return;
        }
        let Some(attempts) = self.attempt(*spot, who) else {
            return;
        };
        let Spot { pool, position, campaign } = *spot;
        let creator = self.campaign(campaign).and_then(|campaign| campaign.pool(pool)?.creator);
        let about = self.trouble_of(campaign, creator, pull.map(|(partner, _)| partner));
        let detail = format!("the code at position {position} of pool {pool} was shown at a till and never given out");
        self.changes.raise(Alert { kind: AlertKind::LeakSuspected, about, detail }, self.world.now);
        if let Some((partner, allocation)) = pull {
            let data = format!("{{\"attempts\":{attempts},\"allocation\":\"{}\"}}", allocation.text());
            self.tell_id(*partner, "leak_suspected", campaign, None, data);
        }
    }

    /// Adds somebody to those who tried a code; with her, how many they are. `None` where she is known, or where there are enough.
    fn attempt(&mut self, spot: Spot, who: &str) -> Option<u32> {
        let now = self.world.now;
        let known = self.world.attempts.entry(spot).or_default();
        if known.len() >= ATTEMPTS || known.iter().any(|one| one == who) {
            return None;
        }
        known.push(who.to_owned());
        let count = u32::try_from(known.len()).ok()?;
        self.changes.attempts.push((spot, who.to_owned(), now));
        Some(count)
    }

    /// Whose the trouble with a code is: its campaign's, and whose merit it is.
    fn owner(&self, held: &Held) -> String {
        self.trouble_of(held.spot.campaign, held.from.creator, held.from.partner.map(|by| by.id))
    }

    fn trouble_of(&self, id: CampaignId, creator: Option<CreatorId>, partner: Option<PartnerId>) -> String {
        let mut about = self
            .campaign(id)
            .map_or_else(|| format!("campaign {id}"), |campaign| format!("campaign {}", campaign.name));
        if let Some(creator) = creator.and_then(|id| self.catalog.creators.get(&id)) {
            about.push_str(", creator ");
            about.push_str(&creator.handle);
        }
        if let Some(partner) = partner {
            about.push_str(", partner ");
            about.push_str(&partner.to_string());
        }
        about
    }

    /// A campaign came below its mark: people are told, and its partners, once until it is above it again.
    pub(super) fn runs_low(&mut self, low: &RunsLow) {
        let stands = (AlertKind::LowStock, low.alert.about.clone());
        if !self.world.standing.insert(stands) {
            return;
        }
        self.changes.raise(low.alert.clone(), self.world.now);
        let data = format!("{{\"count\":{}}}", low.left);
        for partner in &low.partners {
            self.tell_id(*partner, "low_stock", low.campaign, None, data.clone());
        }
    }
}
