//! What no campaign may be, and what it is probably not meant to be.

use super::compare::words;
use super::{Ground, Lines, pools};
use crate::domain::campaign::{Places, Status};
use crate::domain::cap::{Scope, Unit};
use crate::domain::catalog::{CampaignRecord, campaign_texts};
use crate::domain::document::{CampaignDoc, OfferKind, Over, PlacementDoc};
use crate::domain::keyword::{Keyword, reserved_clash};

/// Longest name of a campaign, characters.
const LONGEST_NAME: usize = 40;

/// The number that a campaign's words belong to: the one it names, or the only one there is.
pub(super) fn sender(ground: &Ground<'_>, doc: &CampaignDoc) -> Option<String> {
    let keywords = doc.keywords.as_ref()?;
    match (&keywords.sender, ground.senders.as_slice()) {
        (Some(address), senders) => senders.iter().find(|sender| sender.address == *address).map(|_| address.clone()),
        (None, [only]) => Some(only.address.clone()),
        (None, _) => None,
    }
}

pub(super) fn campaign(
    ground: &Ground<'_>,
    doc: &CampaignDoc,
    known: Option<&CampaignRecord>,
    sender: Option<&str>,
    lines: &mut Lines<'_>,
) {
    let long = doc.name.chars().count() > LONGEST_NAME;
    if doc.name.trim() != doc.name || doc.name.is_empty() || long || doc.name.chars().any(char::is_control) {
        lines.refuse(format!("a name has 1 to {LONGEST_NAME} characters and no space at its ends"));
    }
    if ground.documents.campaigns.iter().filter(|other| other.value.name == doc.name).count() > 1 {
        lines.refuse("it is written twice");
    }
    dates(ground, doc, lines);
    offer(doc, lines);
    keywords(ground, doc, known, sender, lines);
    caps(doc, lines);
    if let Some(row) = ground.senders.iter().find(|row| Some(row.address.as_str()) == sender) {
        let code = pools::longest_code(ground, doc);
        if let Err(error) = campaign_texts(doc, row, &ground.house.public_url, &code) {
            lines.refuse(error.to_string());
        }
    }
}

fn dates(ground: &Ground<'_>, doc: &CampaignDoc, lines: &mut Lines<'_>) {
    let (start, end) = match (doc.starts_at(), doc.ends_at()) {
        (Ok(start), Ok(end)) => (start, end),
        (Err(error), _) | (_, Err(error)) => return lines.refuse(error.to_string()),
    };
    if let (Some(from), Some(to)) = (start, end)
        && to <= from
    {
        lines.refuse("it ends before it starts");
    }
    if end.is_some_and(|end| end <= ground.house.now) {
        lines.warn("its end is in the past: nobody will get a code");
    }
    let (expiry, terms) = match (doc.expiry(), doc.terms()) {
        (Ok(expiry), Ok(terms)) => (expiry, terms),
        (Err(error), _) | (_, Err(error)) => return lines.refuse(error.to_string()),
    };
    if let (Some(from), Some(at)) = (start, expiry.at)
        && at <= from
    {
        lines.refuse("its codes expire before it starts");
    }
    if let (Some(from), Some(at)) = (terms.valid_from, expiry.at)
        && at <= from
    {
        lines.refuse("its codes expire before they count");
    }
    if doc.code.expires.at.is_some() && expiry.at.is_some_and(|at| at <= ground.house.now) {
        lines.warn("its codes have expired before they are issued");
    }
}

fn offer(doc: &CampaignDoc, lines: &mut Lines<'_>) {
    let offer = &doc.offer;
    match (offer.kind, offer.value) {
        (OfferKind::AmountOff, Some(value)) if value > 0 => {}
        (OfferKind::AmountOff, _) => {
            lines.refuse("offer: amount_off needs a value in minor units: 500 is $5");
        }
        (OfferKind::PercentOff, Some(value)) if (1..=100).contains(&value) => {}
        (OfferKind::PercentOff, _) => {
            lines.refuse("offer: percent_off needs a value from 1 to 100");
        }
        (OfferKind::FreeItem | OfferKind::Other, _) if offer.title.is_none() => {
            lines.refuse("offer: it needs a title, the words that texts and pages say");
        }
        (OfferKind::FreeItem | OfferKind::Other, _) => {}
    }
    if offer.title.as_ref().is_some_and(|title| title.trim().is_empty()) {
        lines.refuse("offer: the title is empty");
    }
    if offer.min_spend < 0 || offer.max_discount.is_some_and(|most| most < 0) {
        lines.refuse("offer: min_spend and max_discount are not negative");
    }
}

fn keywords(
    ground: &Ground<'_>,
    doc: &CampaignDoc,
    known: Option<&CampaignRecord>,
    sender: Option<&str>,
    lines: &mut Lines<'_>,
) {
    let Some(keywords) = &doc.keywords else {
        return;
    };
    let Some(address) = sender else {
        let known: Vec<_> = ground.senders.iter().map(|sender| sender.address.as_str()).collect();
        return lines.refuse(match &keywords.sender {
            Some(address) => format!("there is no sender {address} (known: {})", known.join(", ")),
            None => format!("keywords.sender must say which number (known: {})", known.join(", ")),
        });
    };
    let both = keywords.aliases.iter().find(|word| **word == keywords.main || keywords.placements.contains_key(*word));
    if let Some(word) = both {
        lines.refuse(format!("keyword {word} is an alias and a word of its own"));
    }
    for word in counted_words(doc).into_iter().filter(|word| word.is_emoji()) {
        lines.refuse(format!(
            "keyword {word} is an emoji, which every answer would show and cost double: make it an alias"
        ));
    }
    for word in &words(doc) {
        match reserved_clash(word) {
            Some(reserved) if reserved == word.as_str() => {
                lines.refuse(format!("keyword {word} is reserved"));
            }
            Some(reserved) => lines.refuse(format!("keyword {word} is one edit from the reserved word {reserved}")),
            None => {}
        }
        if let Some(owner) = owner(ground, doc, known, address, word.as_str()) {
            lines.refuse(format!("keyword {word} in use by campaign {owner}"));
        }
    }
}

/// Who else has the word: another document, else a campaign that is not over and no document changes.
fn owner(
    ground: &Ground<'_>,
    doc: &CampaignDoc,
    known: Option<&CampaignRecord>,
    address: &str,
    word: &str,
) -> Option<String> {
    let others = ground.documents.campaigns.iter().map(|located| &located.value).filter(|other| other.name != doc.name);
    let written = others.clone().find(|other| {
        let there = sender(ground, other).as_deref() == Some(address);
        there && words(other).iter().any(|taken| taken.as_str() == word)
    });
    if let Some(other) = written {
        return Some(other.name.clone());
    }
    let id = ground.catalog.sender_at(address)?.id;
    let row = ground.catalog.rows.keywords.iter().find(|row| row.sender == id && row.word == word)?;
    let record = ground.catalog.rows.campaigns.iter().find(|record| record.id == row.campaign)?;
    let is_own = known.is_some_and(|own| own.id == record.id);
    let gives_up = record.status == Some(Status::Ended) || others.clone().any(|other| other.name == record.doc.name);
    (!is_own && !gives_up).then(|| record.doc.name.clone())
}

fn caps(doc: &CampaignDoc, lines: &mut Lines<'_>) {
    let places: Vec<_> =
        doc.keywords.iter().flat_map(|keywords| keywords.placements.values()).map(PlacementDoc::name).collect();
    for cap in doc.caps.specs(doc.offer.currency) {
        if cap.cap.is_none() {
            lines.refuse(format!("a money cap has more decimals than {}", doc.offer.currency));
        }
        if cap.unit == Unit::Money && doc.offer.most().is_none() {
            lines.refuse("a money cap needs offer.max_discount: nobody could say what a code may cost");
        }
        match &cap.over {
            Over::Placement(name) if !places.contains(&name.as_str()) => {
                lines.refuse(format!("caps.placement names {name}, which no keyword has"));
            }
            Over::Scope(Scope::Keyword(word))
                if !counted_words(doc).iter().any(|known| known.as_str() == word.as_str()) =>
            {
                lines.refuse(format!("caps.keyword names {word}, which is no main or placement keyword of it"));
            }
            Over::Placement(_) | Over::Scope(_) | Over::Creator(_) => {}
        }
    }
}

/// The words that reports and caps know: aliases count as the main one.
fn counted_words(doc: &CampaignDoc) -> Vec<&Keyword> {
    let keywords = doc.keywords.iter();
    keywords.flat_map(|keywords| [&keywords.main].into_iter().chain(keywords.placements.keys())).collect()
}

/// Whether every place of `old` is one of `new`.
pub(super) fn still_counts_everywhere(old: &Places, new: &Places) -> bool {
    match (old, new) {
        (_, Places::Any) | (Places::Stores, Places::Stores) | (Places::Online, Places::Online) => true,
        (Places::Only(old), _) => old.iter().all(|store| new.allow(Some(store))),
        (Places::Any | Places::Stores | Places::Online, Places::Stores | Places::Online | Places::Only(_)) => false,
    }
}
