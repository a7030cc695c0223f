//! What a claim page shows, in words.

use super::state::Claimant;
use super::{Closed, OWN, key};
use crate::domain::act::Seeks;
use crate::domain::campaign::{Campaign, Status};
use crate::domain::cap::Reached;
use crate::domain::catalog::{Catalog, LinkRow};
use crate::domain::creator::{Slug, SubId};
use crate::domain::decision::outcome::{Outcome, Refusal};
use crate::domain::ids::{CreatorId, SenderId};
use crate::domain::reply::full_words;
use crate::domain::world::Proof;
use crate::engine::Engine;
use crate::http::web;
use crate::http::web::claim::{ClaimStep, ClaimView, CodeForm, GiverView, HiddenField, PhoneForm, Resend};
use crate::http::web::coupon::BrandView;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use std::sync::Arc;

/// Where numbers without a country code are from, when the campaign does not say.
const HOME: &str = "US";

/// A claim page at a moment.
pub(super) struct Page {
    pub(super) slug: Slug,
    pub(super) sub: Option<SubId>,
    pub(super) campaign: Arc<Campaign>,
    /// Why nothing can be claimed, where that is so.
    pub(super) closed: Closed,
    /// What she wants of it; her own code only where no other is to be had.
    pub(super) seeks: Seeks,
    /// Whether a number of ours could text her digits.
    can_text: bool,
    brand: String,
    giver: Option<GiverView>,
    by_text: Option<(String, String)>,
}

/// The country that a campaign's numbers without a country code are from.
pub(super) fn region(campaign: &Campaign) -> &str {
    campaign.countries.first().map_or(HOME, String::as_str)
}

impl Page {
    pub(super) fn new(
        engine: &Engine,
        (slug, sub, seeks): (Slug, Option<SubId>, Seeks),
        link: &LinkRow,
        campaign: Arc<Campaign>,
        (left, full): (u64, Option<Reached>),
    ) -> Self {
        let catalog = engine.catalog();
        let sender = catalog.claim_sender(campaign.id).and_then(|id| catalog.senders.get(&id));
        let creator = link.creator.and_then(|id| catalog.creators.get(&id));
        let is_served = sender.is_some() && creator.is_none_or(|creator| creator.is_active);
        let is_nobodys = link.creator.is_some() && creator.is_none();
        let closed = if is_served && !is_nobodys {
            let now = engine.now();
            let not_hers = || link.creator.and_then(|id| not_speaking(&campaign, id, now));
            let capped =
                || full.map(|cap| ClaimStep::Capped { again: cap.resets_at.map(|at| full_words(at, campaign.zone)) });
            closed(&campaign, now)
                .or_else(not_hers)
                .or_else(capped)
                .or_else(|| (left == 0).then_some(ClaimStep::SoldOut))
        } else {
            Some(ClaimStep::Paused)
        };
        let giver = creator.map(|creator| GiverView {
            name: creator.name.clone(),
            monogram: creator.name.chars().next().map(|first| first.to_uppercase().to_string()).unwrap_or_default(),
            disclosure: creator.disclosure.clone(),
        });
        let brand = sender.map_or_else(|| campaign.name.clone(), |sender| sender.brand.clone());
        let by_text = by_text(&catalog, link);
        let can_text = sender.is_some();
        let is_own = can_text && closed.as_ref().and_then(why_none).is_some();
        let seeks = if is_own { seeks } else { Seeks::AnyCode };
        Self { slug, sub, campaign, closed, seeks, can_text, brand, giver, by_text }
    }

    pub(super) fn show(&self, status: StatusCode, step: ClaimStep) -> Response {
        web::page(status, &self.view(step, None))
    }

    /// Why nothing is to be had, and the way to a code that was.
    pub(super) fn show_closed(&self, closed: ClaimStep) -> Response {
        let own = (self.can_text && why_none(&closed).is_some()).then(|| self.address_for(Seeks::OwnCode));
        web::page(StatusCode::OK, &self.view(closed, own))
    }

    fn view(&self, step: ClaimStep, own: Option<String>) -> ClaimView {
        let offer = self.campaign.offers.first();
        let terms = offer.map(|offer| offer.terms.lines().map(str::to_owned).collect()).unwrap_or_default();
        ClaimView {
            brand: BrandView { name: self.brand.clone(), colour: None },
            giver: self.giver.clone(),
            offer_title: offer.map(|offer| offer.title.clone()).unwrap_or_default(),
            terms,
            step,
            own,
        }
    }

    fn address(&self) -> String {
        self.address_for(self.seeks)
    }

    fn address_for(&self, seeks: Seeks) -> String {
        let sub = self.sub.as_ref().map(|sub| format!("sub={sub}"));
        let own = (seeks == Seeks::OwnCode).then(|| OWN.to_owned());
        let query: Vec<_> = sub.into_iter().chain(own).collect();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("/x/{}{mark}{}", self.slug, query.join("&"))
    }

    /// Why she can look for her own code only, where that is so.
    fn why_own(&self) -> Option<&'static str> {
        self.closed.as_ref().filter(|_| self.seeks == Seeks::OwnCode).and_then(why_none)
    }

    /// What is said when digits are asked for once more.
    pub(super) fn sent_again(&self) -> &'static str {
        match self.seeks {
            Seeks::AnyCode => "We sent new digits. The old ones no longer count.",
            // Nothing may show whether the number has a code.
            Seeks::OwnCode => "If this number has a code, new digits are on their way. The old ones no longer count.",
        }
    }

    /// The first step; `typed` is kept, `fix` says how to mend it.
    pub(super) fn phone_form(&self, typed: &str, fix: Option<String>) -> ClaimStep {
        ClaimStep::Phone(PhoneForm {
            action: self.address(),
            hidden: vec![HiddenField { name: "key", value: key() }],
            phone: typed.to_owned(),
            phone_error: fix,
            country_hint: country_hint(&self.campaign),
            consent_line: "By going on you agree to get one text with a 6-digit code. Msg & data rates may apply."
                .to_owned(),
            why_own: self.why_own(),
            marketing: None,
            by_text: self.by_text.clone(),
        })
    }

    fn code(&self, engine: &Engine, claimant: &Claimant, proof: &Proof) -> CodeForm {
        CodeForm {
            action: self.address(),
            hidden: vec![
                HiddenField { name: "claim", value: claimant.seal(engine, &self.slug) },
                HiddenField { name: "key", value: key() },
            ],
            sent_to: claimant.masked(),
            why_own: self.why_own(),
            code: String::new(),
            code_error: None,
            tries_left: u8::try_from(proof.tries_left()).unwrap_or(u8::MAX),
            valid_until: clock_words(proof.expires_at, self.campaign.zone),
            resend: Resend::Now,
            notice: None,
            other_number: self.address(),
        }
    }

    /// The second step.
    pub(super) fn code_form(
        &self,
        engine: &Engine,
        claimant: &Claimant,
        proof: &Proof,
        notice: Option<&str>,
    ) -> ClaimStep {
        let form = self.code(engine, claimant, proof);
        ClaimStep::Code(CodeForm { notice: notice.map(str::to_owned), ..form })
    }

    /// The second step where no more digits are sent until then.
    pub(super) fn code_form_until(
        &self,
        engine: &Engine,
        claimant: &Claimant,
        proof: &Proof,
        again: DateTime<Utc>,
    ) -> ClaimStep {
        let resend = Resend::Later(format!("at {}", clock_words(again, self.campaign.zone)));
        ClaimStep::Code(CodeForm { resend, ..self.code(engine, claimant, proof) })
    }

    /// The second step with what was typed and how to mend it.
    pub(super) fn code_form_again(
        &self,
        engine: &Engine,
        claimant: &Claimant,
        proof: &Proof,
        (typed, fix): (&str, &str),
    ) -> ClaimStep {
        let form = self.code(engine, claimant, proof);
        ClaimStep::Code(CodeForm { code: typed.to_owned(), code_error: Some(fix.to_owned()), ..form })
    }

    pub(super) fn throttled(&self, again: &str) -> ClaimStep {
        ClaimStep::Throttled { again: again.to_owned(), back: self.address() }
    }

    pub(super) fn busy(&self) -> ClaimStep {
        ClaimStep::Busy { back: self.address() }
    }

    /// The page of an outcome that gives no code.
    pub(super) fn refused(&self, outcome: &Outcome) -> Response {
        let zone = self.campaign.zone;
        let (status, step) = match outcome {
            Outcome::Held(_) => (StatusCode::OK, ClaimStep::Promised),
            Outcome::Refused(why, _) => match why {
                Refusal::NotStarted(at) => (StatusCode::OK, ClaimStep::NotStarted { from: full_words(*at, zone) }),
                Refusal::Ended => (StatusCode::OK, ClaimStep::Ended { at: None }),
                Refusal::PoolEmpty => (StatusCode::OK, ClaimStep::SoldOut),
                Refusal::CapReached(cap) => {
                    let again = cap.resets_at.map(|at| full_words(at, zone));
                    (StatusCode::OK, ClaimStep::Capped { again })
                }
                Refusal::ProofsReached(at) => {
                    let again = format!("at {}", clock_words(*at, zone));
                    (StatusCode::TOO_MANY_REQUESTS, self.throttled(&again))
                }
                Refusal::WrongDigits(_) | Refusal::ProofOver => {
                    let fix = "The digits were used up or are too old. Have new ones sent.".to_owned();
                    (StatusCode::GONE, self.phone_form("", Some(fix)))
                }
                Refusal::Paused
                | Refusal::CountryNotAllowed
                | Refusal::NumberBurst
                | Refusal::CustomerHasCode
                | Refusal::NotEligible
                | Refusal::LeaseExpired
                | Refusal::CountDiffers(_) => (StatusCode::OK, ClaimStep::Paused),
            },
            Outcome::Told(_)
            | Outcome::Issued(_)
            | Outcome::Repeat(..)
            | Outcome::Redeemed(..)
            | Outcome::RolledBack(..)
            | Outcome::Refunded(..)
            | Outcome::Recorded(..)
            | Outcome::Voided(_)
            | Outcome::Declined(..)
            | Outcome::Noted
            | Outcome::Allocated(..)
            | Outcome::Leased(..)
            | Outcome::Looked(..) => (StatusCode::OK, ClaimStep::Paused),
        };
        self.show(status, step)
    }
}

/// Why no new code is to be had where codes were given out before; `None` where none was, or waiting helps.
fn why_none(closed: &ClaimStep) -> Option<&'static str> {
    match closed {
        ClaimStep::SoldOut => Some("All codes of this offer are gone."),
        ClaimStep::Ended { .. } => Some("This offer has ended."),
        ClaimStep::Paused => Some("This page gives out no new codes right now."),
        ClaimStep::Capped { .. } => Some("There are no more new codes right now."),
        ClaimStep::Phone(_)
        | ClaimStep::Code(_)
        | ClaimStep::NotStarted { .. }
        | ClaimStep::Throttled { .. }
        | ClaimStep::Promised
        | ClaimStep::Busy { .. } => None,
    }
}

/// Why a page has nothing to claim.
fn closed(campaign: &Campaign, now: DateTime<Utc>) -> Closed {
    let zone = campaign.zone;
    let ended = campaign.ends_at.filter(|end| *end <= now);
    match campaign.status {
        Status::Paused => return Some(ClaimStep::Paused),
        Status::Live if ended.is_none() => {}
        Status::Live | Status::Ended => {
            return Some(ClaimStep::Ended { at: ended.map(|end| full_words(end - Duration::seconds(1), zone)) });
        }
    }
    if let Some(opens) = campaign.starts_at.filter(|start| now < *start) {
        return Some(ClaimStep::NotStarted { from: full_words(opens, zone) });
    }
    None
}

/// Why a creator does not speak for a campaign now, though it is open.
fn not_speaking(campaign: &Campaign, creator: CreatorId, now: DateTime<Utc>) -> Closed {
    let Some(terms) = campaign.creator(creator) else {
        return Some(ClaimStep::Ended { at: None });
    };
    if let Some(opens) = terms.starts_at.filter(|start| now < *start) {
        return Some(ClaimStep::NotStarted { from: full_words(opens, campaign.zone) });
    }
    let ended = terms.ends_at.filter(|end| now >= *end)?;
    Some(ClaimStep::Ended { at: Some(full_words(ended - Duration::seconds(1), campaign.zone)) })
}

/// The word and the number of the other way to the same code.
fn by_text(catalog: &Catalog, link: &LinkRow) -> Option<(String, String)> {
    let rows = &catalog.rows.keywords;
    let is_hers = |row: &&crate::domain::catalog::KeywordRecord| {
        row.campaign == link.campaign && row.creator == link.creator && row.placement == link.placement
    };
    let of_link = rows.iter().find(is_hers).map(|row| (row.sender, row.word.clone()));
    let of_creator = rows.iter().find(|row| row.campaign == link.campaign && row.creator == link.creator);
    let of_creator = of_creator.map(|row| (row.sender, row.keyword.clone()));
    let (sender, word): (SenderId, String) = of_link.or(of_creator)?;
    Some((word, catalog.senders.get(&sender)?.address.clone()))
}

fn country_hint(campaign: &Campaign) -> String {
    let names = |code: &String| match code.as_str() {
        "US" => "the US".to_owned(),
        "CA" => "Canada".to_owned(),
        other => other.to_owned(),
    };
    let words: Vec<_> = campaign.countries.iter().map(names).collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    if words.is_empty() {
        "A mobile number; outside the US and Canada it begins with + and the country code.".to_owned()
    } else {
        format!("A mobile number from {}.", crate::domain::reply::or_list(&words))
    }
}

/// "2:41 PM ET".
fn clock_words(at: DateTime<Utc>, zone: Tz) -> String {
    let whole = full_words(at, zone);
    let zone_word = whole.rsplit(' ').next().unwrap_or_default().to_owned();
    format!("{} {zone_word}", at.with_timezone(&zone).format("%-I:%M %p"))
}
