//! The desk of a creator: how she gets in, and what she sees. Only her own numbers, never a follower's.

use super::{CreatorError, Engine, EngineError, draw};
use crate::domain::campaign::{Campaign, Status};
use crate::domain::cap::Scope;
use crate::domain::catalog::{Catalog, CreatorRow, DESK_LINK};
use crate::domain::creator::{Commission, CreatorTerms, WhenEmpty};
use crate::domain::decision::changes::DeskLink;
use crate::domain::desk::{DESK_LINK_LIVES, DESK_SESSION_LIVES, DeskSession};
use crate::domain::document::CreatorDoc;
use crate::domain::ids::{CreatorId, PlacementId};
use crate::domain::window::{Window, local_date};
use crate::store::desk::CreditRow;
use chrono::{DateTime, Days, NaiveDate, TimeZone, Utc};
use std::collections::BTreeMap;
use std::sync::Arc;

pub use crate::store::desk::{Earned, MOST_SUBS, Reversal, SubRow};

/// What becomes of somebody with a link to a desk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeskDoor {
    /// It opens a desk.
    Opens(CreatorRow),
    /// It did.
    Used,
    /// It is too old.
    Expired,
    /// It is no link of ours.
    Unknown,
}

/// Who sits at a desk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AtDesk {
    /// She does.
    Her(CreatorRow),
    /// She did, and her time is over.
    Over,
    /// Nobody.
    Nobody,
}

/// Sums of a stretch of time, or of one place in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// Who asked by her word or link, her own asking apart.
    pub requests: i64,
    /// Codes that are her merit.
    pub issued: i64,
    /// Of those, redeemed and not taken back.
    pub redeemed: i64,
    /// The money of those sales, minor units.
    pub revenue: i64,
    /// Asked for what they had from somebody else.
    pub assists: i64,
}

/// Her part in a campaign, counted.
#[derive(Debug, Clone)]
pub struct DeskReport {
    /// The campaign.
    pub campaign: Arc<Campaign>,
    /// Her part in it, as its document has it now.
    pub part: CreatorDoc,
    /// Her terms by it.
    pub terms: CreatorTerms,
    /// The local days that are shown, the last one today.
    pub days: Vec<(NaiveDate, Figures)>,
    /// Their sum.
    pub now: Figures,
    /// The sum of as many days before.
    pub before: Figures,
    /// By place: the post's name and its word; no name is everything else.
    pub posts: Vec<(Option<(String, String)>, Figures)>,
    /// How often her link was opened in these days.
    pub opens: i64,
    /// By what her link's address said of a post, the best first.
    pub subs: Vec<SubRow>,
    /// What a redemption earns her, and what she has earned at all.
    pub commission: Option<(Commission, Earned, Vec<Reversal>)>,
    /// How many codes she still has to give.
    pub left: u64,
    /// How many she has to give in all.
    pub of: u64,
    /// How many codes of hers were tried by strangers, or before anybody was given them, and since when.
    pub leak: Option<(i64, DateTime<Utc>)>,
    /// Whether anybody ever asked.
    pub is_new: bool,
}

impl Engine {
    /// Where a link opens a desk.
    #[must_use]
    pub fn desk_path(&self, link: [u8; 16]) -> String {
        format!("{DESK_LINK}{}", self.parts().keys.desk_tokens().seal_block(link).expose())
    }

    /// Makes a link to a creator's desk; it opens once, within ten minutes.
    ///
    /// # Errors
    /// [`CreatorError`].
    pub async fn new_desk_link(&self, handle: &str) -> Result<(String, DateTime<Utc>), CreatorError> {
        let creator = self.creator(handle).await?.row.id;
        let at = self.parts().clock.now();
        let link = DeskLink { id: draw(), creator, at, expires_at: at + DESK_LINK_LIVES };
        self.parts().store.add_desk_link(&link).await?;
        let url = format!("{}{}", self.parts().public_url.trim_end_matches('/'), self.desk_path(link.id));
        Ok((url, link.expires_at))
    }

    /// What a link would open; it is not used up by looking, because messengers look at links too.
    ///
    /// # Errors
    /// What the database says.
    pub async fn desk_door(&self, token: &str) -> Result<DeskDoor, EngineError> {
        let catalog = self.fresh_catalog().await?;
        let Some(id) = self.parts().keys.desk_tokens().open_block(token) else {
            return Ok(DeskDoor::Unknown);
        };
        let link = self.parts().store.desk_link(id).await?;
        let Some((link, row)) = link.and_then(|link| Some((link, catalog.creators.get(&link.creator)?))) else {
            return Ok(DeskDoor::Unknown);
        };
        Ok(if link.is_used {
            DeskDoor::Used
        } else if link.expires_at <= self.parts().clock.now() {
            DeskDoor::Expired
        } else {
            DeskDoor::Opens(row.clone())
        })
    }

    /// Uses a link up: the sign by which this browser is known for twelve hours. Of many who try at once, one gets it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn enter_desk(&self, token: &str) -> Result<Result<String, DeskDoor>, EngineError> {
        let parts = self.parts();
        let door = self.desk_door(token).await?;
        let DeskDoor::Opens(creator) = door else {
            return Ok(Err(door));
        };
        let now = parts.clock.now();
        let id = parts.keys.desk_tokens().open_block(token).unwrap_or_default();
        if !parts.store.use_desk_link(id, now).await? {
            return Ok(Err(DeskDoor::Used));
        }
        Ok(Ok(parts.keys.desk_sessions().sign(creator.id, now + DESK_SESSION_LIVES)))
    }

    /// Who sits at the desk with this sign; a creator who was stopped is still herself.
    ///
    /// # Errors
    /// What the database says.
    pub async fn at_desk(&self, sign: &str) -> Result<AtDesk, EngineError> {
        let catalog = self.fresh_catalog().await?;
        Ok(match self.parts().keys.desk_sessions().read(sign, self.parts().clock.now()) {
            Some(DeskSession::Open(id)) => catalog.creators.get(&id).cloned().map_or(AtDesk::Nobody, AtDesk::Her),
            Some(DeskSession::Over) => AtDesk::Over,
            None => AtDesk::Nobody,
        })
    }

    /// The names of the campaigns that a creator has a part in, those over last.
    #[must_use]
    pub fn desk_campaigns(&self, creator: CreatorId) -> Vec<String> {
        let catalog = self.catalog();
        let hers = catalog.campaigns.values().filter(|campaign| campaign.creator(creator).is_some());
        let mut hers: Vec<_> = hers.map(|campaign| (campaign.status == Status::Ended, campaign.name.clone())).collect();
        hers.sort();
        hers.into_iter().map(|(_, name)| name).collect()
    }

    /// What came of a creator's part in a campaign in the last `days` days; `None` where she has none.
    ///
    /// # Errors
    /// What the database says.
    pub async fn desk_report(
        &self,
        creator: &CreatorRow,
        campaign: &str,
        days: u64,
    ) -> Result<Option<DeskReport>, EngineError> {
        let catalog = self.catalog();
        let Some(campaign) = catalog.campaign_named(campaign).cloned() else {
            return Ok(None);
        };
        let record = catalog.rows.campaigns.iter().find(|record| record.id == campaign.id);
        let part = record.and_then(|record| record.doc.creators.get(&creator.handle));
        let (Some(part), Some(terms)) = (part.cloned(), campaign.creator(creator.id).cloned()) else {
            return Ok(None);
        };
        let (store, now) = (&self.parts().store, self.parts().clock.now());
        let hers = (creator.id, campaign.id);
        let today = local_date(now, campaign.zone);
        let first = today - Days::new(days.saturating_sub(1));
        let since = midnight(&campaign, first - Days::new(days));
        let from = midnight(&campaign, first);
        let until = now + chrono::Duration::hours(1);
        let credits = store.credits_of(hers, (since, until)).await?;
        let slug = part.slug(&creator.handle).to_owned();
        let (left, of) = self.left(&campaign, &terms, part.cap).await?;
        let mut report = DeskReport {
            left,
            of,
            opens: store.opens_of(&slug, from, until).await?,
            subs: store.subs_of(hers, &slug, (from, until)).await?,
            leak: self.tried_codes(creator.id, &campaign).await?,
            commission: None,
            days: first.iter_days().take_while(|day| *day <= today).map(|day| (day, Figures::default())).collect(),
            now: Figures::default(),
            before: Figures::default(),
            posts: Vec::new(),
            is_new: credits.is_empty() && !store.was_credited(hers.0, hers.1).await?,
            campaign: Arc::clone(&campaign),
            part,
            terms,
        };
        if let Some(commission) = report.terms.commission {
            let earned = store.earned_by(hers, now.checked_sub_signed(commission.hold).unwrap_or_default()).await?;
            report.commission = Some((commission, earned, store.reversals_of(hers.0, hers.1).await?));
        }
        let places = report.count(&credits, from);
        report.posts = posts(&catalog, creator, &report.part, places);
        Ok(Some(report))
    }

    /// How many codes of hers strangers tried in a campaign, or anybody before they were given out, and since when.
    async fn tried_codes(
        &self,
        creator: CreatorId,
        campaign: &Campaign,
    ) -> Result<Option<(i64, DateTime<Utc>)>, EngineError> {
        let leaks = self.leaks_of(creator).await?.into_iter().filter(|leak| leak.spot.campaign == campaign.id);
        let mut seen: Vec<_> = leaks.map(|leak| (1, leak.since)).collect();
        for pool in campaign.pools.iter().filter(|pool| pool.creator == Some(creator)) {
            seen.extend(self.parts().store.strays_of(campaign.id, pool.pool_no).await?);
        }
        let since = seen.iter().map(|(_, since)| *since).min();
        Ok(since.map(|since| (seen.iter().map(|(n, _)| n).sum(), since)))
    }

    /// What her cap has left, and of how many; where no codes follow hers, no more than her pool has.
    async fn left(&self, campaign: &Campaign, terms: &CreatorTerms, cap: u64) -> Result<(u64, u64), EngineError> {
        let mut caps = campaign.caps.iter();
        let of_cap = caps.find(|cap| cap.scope == Scope::Creator(terms.id) && cap.window == Window::Lifetime);
        let Some(of_cap) = of_cap else {
            return Ok((0, cap));
        };
        let used = self.parts().store.used_of(of_cap.id, 0).await?;
        let left = u64::try_from(of_cap.cap - used).unwrap_or(0);
        Ok(match terms.when_empty {
            WhenEmpty::HousePool => (left, cap),
            WhenEmpty::SoldOut => {
                let size = campaign.pools_of(Some(terms.id)).map(|pool| pool.size).sum();
                (left.min(self.left_for(campaign, Some(terms.id)).await?), cap.min(size))
            }
        })
    }
}

impl DeskReport {
    /// Adds up what was counted, `from` on as what is shown and what was before apart; the sums by place.
    fn count(&mut self, credits: &[CreditRow], from: DateTime<Utc>) -> BTreeMap<PlacementId, Figures> {
        let mut places: BTreeMap<PlacementId, Figures> = BTreeMap::new();
        for row in credits {
            if row.at < from {
                self.before.add(&row.outcome, row.n, row.amount);
                continue;
            }
            let day = local_date(row.at, self.campaign.zone);
            if let Some((_, figures)) = self.days.iter_mut().find(|(known, _)| *known == day) {
                figures.add(&row.outcome, row.n, row.amount);
            }
            self.now.add(&row.outcome, row.n, row.amount);
            places.entry(row.placement).or_default().add(&row.outcome, row.n, row.amount);
        }
        places
    }
}

impl Figures {
    fn add(&mut self, outcome: &str, n: i64, amount: i64) {
        // Her own code is nobody's merit.
        if outcome == "self" {
            return;
        }
        self.revenue += amount;
        match outcome {
            "redeemed" | "recorded:redeemed" => self.redeemed += n,
            "rolled_back" | "recorded:rolled_back" => self.redeemed -= n,
            "issued" => {
                self.issued += n;
                self.requests += n;
            }
            "assist" => {
                self.assists += n;
                self.requests += n;
            }
            "held" => self.requests += n,
            other if other.starts_with("repeat") || other.starts_with("refused") => self.requests += n,
            _ => {}
        }
    }
}

fn midnight(campaign: &Campaign, day: NaiveDate) -> DateTime<Utc> {
    let local = day.and_time(chrono::NaiveTime::MIN);
    let at = campaign.zone.from_local_datetime(&local).earliest();
    // Where clocks are put forward over midnight, the day begins later.
    at.map_or_else(|| local.and_utc(), |at| at.with_timezone(&Utc))
}

/// Her posts by what they brought, everything else last.
fn posts(
    catalog: &Catalog,
    creator: &CreatorRow,
    part: &CreatorDoc,
    places: BTreeMap<PlacementId, Figures>,
) -> Vec<(Option<(String, String)>, Figures)> {
    let (mut posts, mut rest) = (Vec::new(), Figures::default());
    for (place, figures) in places {
        let row = catalog.rows.placements.iter().find(|row| row.id == place && row.creator == Some(creator.id));
        let name = row.and_then(|row| row.name.strip_prefix(&format!("{}/", creator.handle)));
        match name {
            Some(name) => {
                let word = part.posts.iter().find(|(_, post)| post.as_str() == name).map(|(word, _)| word.to_string());
                posts.push((Some((name.to_owned(), word.unwrap_or_default())), figures));
            }
            None => rest.join(figures),
        }
    }
    posts.sort_by_key(|(_, figures)| std::cmp::Reverse((figures.redeemed, figures.issued)));
    posts.push((None, rest));
    posts
}

impl Figures {
    fn join(&mut self, other: Self) {
        self.requests += other.requests;
        self.issued += other.issued;
        self.redeemed += other.redeemed;
        self.revenue += other.revenue;
        self.assists += other.assists;
    }
}
