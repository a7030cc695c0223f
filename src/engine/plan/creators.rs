//! Creators of a campaign: their words, links, dates and terms, and the pool of codes that begin with each one's name.

use super::{Ground, Lines, Mark};
use crate::domain::campaign::{PoolKind, Status};
use crate::domain::catalog::{CampaignRecord, Catalog, CreatorRow, PoolRecord};
use crate::domain::creator::{Handle, Name, Slug, Taken, WhenEmpty, alternatives, code_pattern, name, near};
use crate::domain::document::{CampaignDoc, CreatorDoc, Document, PlacementDoc};
use crate::domain::ids::CreatorId;
use crate::domain::keyword::Keyword;
use crate::domain::pattern::Pattern;
use crate::store::config::{CreatorWrite, PoolWrite};
use std::collections::{BTreeMap, BTreeSet};

/// So many times as many codes as at first fit the pattern of a pool.
const GROWTH: u64 = 10;
/// Other names that are offered where one clashes.
const OFFERED: usize = 3;
/// What stands between a creator's handle and the name of her post in the name of its placement.
const POST: char = '/';

/// The patterns of pools that are to be made, by campaign and handle; the text says why there is none.
pub(in crate::engine) type NewPools = BTreeMap<(String, String), Result<Pattern, String>>;

/// Whether creators of a campaign have codes with their names: another system honours only the codes it made.
fn has_own_codes(doc: &CampaignDoc, creator: &CreatorDoc) -> bool {
    doc.redemption.peer.is_none() && creator.codes() > 0
}

fn known<'a>(catalog: &'a Catalog, handle: &str) -> Option<&'a CreatorRow> {
    catalog.rows.creators.iter().find(|row| row.handle == handle)
}

fn pool_of<'a>(catalog: &'a Catalog, campaign: &str, creator: CreatorId) -> Option<&'a PoolRecord> {
    let record = catalog.rows.campaigns.iter().find(|record| record.doc.name == campaign)?;
    catalog.rows.pools.iter().find(|pool| pool.campaign == record.id && pool.pool.creator == Some(creator))
}

/// What the codes of every new pool look like. `imported` are beginnings that imported codes have.
pub(in crate::engine) fn new_pools(catalog: &Catalog, documents: &Document, imported: &[String]) -> NewPools {
    let stored = catalog.code_pools.iter().map(|pool| pool.pattern.literal_prefix().to_owned());
    let docs = documents.campaigns.iter().map(|located| &located.value);
    let written = docs.clone().filter_map(|doc| Some(doc.code.pattern.as_ref()?.pattern().literal_prefix().to_owned()));
    let mut prefixes: Vec<String> = stored.chain(written).chain(imported.iter().cloned()).collect();
    let mut pools = NewPools::new();
    for doc in docs {
        for (handle, creator) in doc.creators.iter().filter(|(_, creator)| has_own_codes(doc, creator)) {
            let (Ok(parsed), Some(row)) = (Handle::parse(handle), known(catalog, handle)) else {
                continue;
            };
            if pool_of(catalog, &doc.name, row.id).is_some() {
                continue;
            }
            let named = name(&parsed, Taken { handles: &[], keywords: &[], prefixes: &prefixes });
            let pattern = named.map_err(|error| error.to_string()).and_then(|found: Name| {
                prefixes.push(found.prefix.clone());
                // The pattern stays for ever: it is made for a pool that grows.
                let roomy = code_pattern(&found, creator.codes().saturating_mul(GROWTH));
                roomy.or_else(|_| code_pattern(&found, creator.codes())).map_err(|error| error.to_string())
            });
            pools.insert((doc.name.clone(), handle.clone()), pattern);
        }
    }
    pools
}

/// What is to be written for the creators of a campaign; those that cannot be are left to [`lint`].
pub(super) fn wanted(ground: &Ground<'_>, doc: &CampaignDoc) -> Vec<CreatorWrite> {
    let write = |(handle, creator): (&String, &CreatorDoc)| {
        let row = known(ground.catalog, handle)?;
        let pool = has_own_codes(doc, creator).then(|| pool(ground, doc, (handle, creator), row.id)).flatten();
        Some(CreatorWrite { id: row.id, handle: handle.clone(), pool })
    };
    doc.creators.iter().filter_map(write).collect()
}

fn pool(
    ground: &Ground<'_>,
    doc: &CampaignDoc,
    (handle, creator): (&str, &CreatorDoc),
    id: CreatorId,
) -> Option<PoolWrite> {
    let old = pool_of(ground.catalog, &doc.name, id).map(|record| &record.pool);
    let pattern = match old {
        Some(old) => old.pattern.clone(),
        None => ground.new_pools.get(&(doc.name.clone(), handle.to_owned()))?.as_ref().ok()?.as_str().to_owned(),
    };
    let size = creator.codes().max(old.map_or(0, |old| old.size));
    Some(PoolWrite { kind: PoolKind::Derived, pattern, key_id: ground.house.key_id, size })
}

/// The longest code of its creators.
pub(super) fn longest_code(ground: &Ground<'_>, doc: &CampaignDoc) -> Option<String> {
    let patterns = wanted(ground, doc).into_iter().filter_map(|write| Pattern::parse(&write.pool?.pattern).ok());
    let codes = patterns.filter_map(|pattern| pattern.format(0)).map(|code| code.expose().to_owned());
    codes.max_by_key(|code| code.chars().count())
}

/// Says who is new, with which codes and link.
pub(super) fn announce(ground: &Ground<'_>, live: Option<&CampaignRecord>, doc: &CampaignDoc, lines: &mut Lines<'_>) {
    for write in wanted(ground, doc) {
        let Some(creator) = doc.creators.get(&write.handle) else {
            continue;
        };
        let link = format!("/x/{}", creator.slug(&write.handle));
        let old = pool_of(ground.catalog, &doc.name, write.id).map_or(0, |record| record.pool.size);
        let is_new = live.is_none_or(|record| !record.doc.creators.contains_key(&write.handle));
        let codes = write
            .pool
            .as_ref()
            .map_or_else(|| "codes of the house".to_owned(), |pool| format!("{} codes {}", pool.size, pool.pattern));
        let grows = write.pool.as_ref().map_or(0, |pool| pool.size.saturating_sub(old));
        if is_new {
            lines.say(Mark::Add, format!("  creator {}: {codes}, link {link}", write.handle));
        } else if grows > 0 {
            lines.say(Mark::Add, format!("  {grows} more codes of creator {}", write.handle));
        }
    }
}

/// What creators and links may not be.
pub(super) fn lint(ground: &Ground<'_>, doc: &CampaignDoc, sender: Option<&str>, lines: &mut Lines<'_>) {
    for (handle, creator) in &doc.creators {
        one(ground, doc, (handle, creator), sender, lines);
    }
    let mut seen = BTreeSet::new();
    for (word, handle, _) in doc.creator_words() {
        let taken = doc
            .keywords
            .iter()
            .any(|own| own.main == word || own.aliases.contains(&word) || own.placements.contains_key(&word));
        if taken || !seen.insert(word.clone()) {
            lines.refuse(format!("keyword {word} of creator {handle} stands in this campaign twice"));
        }
    }
    slugs(ground, doc, lines);
}

fn one(
    ground: &Ground<'_>,
    doc: &CampaignDoc,
    (handle, creator): (&str, &CreatorDoc),
    sender: Option<&str>,
    lines: &mut Lines<'_>,
) {
    let parsed = match Handle::parse(handle) {
        Ok(parsed) if parsed.as_str() == handle => parsed,
        Ok(parsed) => return lines.refuse(format!("creator {handle}: write her handle {parsed}")),
        Err(error) => return lines.refuse(format!("creator {handle}: {error}")),
    };
    if known(ground.catalog, handle).is_none() {
        return lines.refuse(format!(
            "there is no creator {handle}; add her first: codewell creator add {handle} --name \"…\""
        ));
    }
    if doc.keywords.is_none() {
        lines.refuse(format!("creator {handle}: her word needs [campaign.keywords], the number it is texted to"));
    }
    if creator.commission.as_ref().is_some_and(|terms| terms.terms().is_none()) {
        lines.refuse(format!(
            "creator {handle}: commission is {{ percent = 10 }} of at most 100 with two decimals, or {{ flat = 100 }} in minor units"
        ));
    }
    match doc.creator_terms(handle, CreatorId(0)) {
        Err(error) => lines.refuse(format!("creator {handle}: {error}")),
        Ok(terms) => {
            let dates = terms.and_then(|terms| terms.starts_at.zip(terms.ends_at));
            if dates.is_some_and(|(from, to)| to <= from) {
                lines.refuse(format!("creator {handle}: she ends before she starts"));
            }
        }
    }
    codes(ground, doc, (handle, creator), lines);
    if let Some(post) = creator.posts.values().find(|post| post.trim().is_empty() || post.contains(POST)) {
        lines.refuse(format!("creator {handle}: \"{post}\" is no name of a post"));
    }
    words(ground, doc, (&parsed, creator), sender, lines);
}

/// Her pool keeps its pattern for ever, and never shrinks.
fn codes(ground: &Ground<'_>, doc: &CampaignDoc, (handle, creator): (&str, &CreatorDoc), lines: &mut Lines<'_>) {
    let is_own = has_own_codes(doc, creator);
    if !is_own && creator.when_empty == WhenEmpty::SoldOut {
        lines.refuse(format!("creator {handle}: she has no codes of her own here, so when_empty is \"house_pool\""));
    }
    if doc.redemption.peer.is_some() && creator.size.is_some_and(|size| size > 0) {
        lines.refuse(format!("creator {handle}: another system honours only codes it made: leave size out"));
    }
    if !is_own {
        return;
    }
    let old = known(ground.catalog, handle).and_then(|row| pool_of(ground.catalog, &doc.name, row.id));
    let Some(old) = old else {
        if let Some(Err(why)) = ground.new_pools.get(&(doc.name.clone(), handle.to_owned())) {
            lines.refuse(format!("creator {handle}: {why}"));
        }
        return;
    };
    if let Some(size) = creator.size.filter(|size| *size < old.pool.size) {
        lines.refuse(format!(
            "creator {handle}: her pool has {} codes and cannot shrink to {size}; a cap limits what is issued",
            old.pool.size
        ));
    }
    let pattern = Pattern::parse(&old.pool.pattern).ok();
    if let Some(Err(error)) = pattern.map(|pattern| pattern.check_space(creator.codes().max(old.pool.size))) {
        lines.refuse(format!("creator {handle}: her codes {} are too short for that many: {error}", old.pool.pattern));
    }
}

/// Nobody should get another's code by one wrong letter.
fn words(
    ground: &Ground<'_>,
    doc: &CampaignDoc,
    (handle, creator): (&Handle, &CreatorDoc),
    sender: Option<&str>,
    lines: &mut Lines<'_>,
) {
    let Some(word) = creator.word(handle.as_str()) else {
        return;
    };
    let others = others(ground, doc, handle.as_str(), sender);
    let Some(other) = near(&word, &others).filter(|other| **other != word) else {
        return;
    };
    let free: Vec<_> = alternatives(handle, Taken { handles: &[], keywords: &others, prefixes: &[] }, OFFERED)
        .into_iter()
        .map(|name| name.keyword.to_string())
        .collect();
    lines.refuse(format!(
        "creator {handle}: keyword {word} would be mistaken for {other}; set keyword = \"{}\"",
        free.join("\" or \"")
    ));
}

/// Every word on the number but hers, in what is there and in what is written.
fn others(ground: &Ground<'_>, doc: &CampaignDoc, handle: &str, sender: Option<&str>) -> Vec<Keyword> {
    let own: BTreeSet<_> =
        doc.creator_words().into_iter().filter(|(_, of, _)| *of == handle).map(|(word, _, _)| word).collect();
    let written = super::compare::words(doc);
    let id = sender.and_then(|address| ground.catalog.sender_at(address)).map(|sender| sender.id);
    let is_over = |row: &crate::domain::catalog::KeywordRecord| {
        let record = ground.catalog.rows.campaigns.iter().find(|record| record.id == row.campaign);
        record.is_none_or(|record| record.status == Some(Status::Ended) || record.doc.name == doc.name)
    };
    let rows = ground.catalog.rows.keywords.iter().filter(|row| Some(row.sender) == id && !is_over(row));
    let stored = rows.filter_map(|row| Keyword::parse(&row.word).ok());
    written.into_iter().filter(|word| !own.contains(word)).chain(stored).collect()
}

fn slugs(ground: &Ground<'_>, doc: &CampaignDoc, lines: &mut Lines<'_>) {
    let mut seen = BTreeSet::new();
    for slug in slugs_of(doc) {
        match Slug::parse(slug) {
            Ok(parsed) if parsed.as_str() == slug => {}
            Ok(parsed) => lines.refuse(format!("link {slug}: write it {parsed}")),
            Err(error) => lines.refuse(format!("link {slug}: {error}")),
        }
        if !seen.insert(slug) {
            lines.refuse(format!("link {slug} stands here twice"));
        }
        if let Some(owner) = slug_owner(ground, doc, slug) {
            lines.refuse(format!("link {slug} leads to campaign {owner}; give this one another name"));
        }
    }
    let places = doc.links.values().chain(doc.keywords.iter().flat_map(|keywords| keywords.placements.values()));
    for name in places.map(PlacementDoc::name) {
        if name.split_once(POST).is_some_and(|(handle, _)| doc.creators.contains_key(handle)) {
            lines.refuse(format!("placement {name} is named like a post of a creator"));
        }
    }
}

fn slugs_of(doc: &CampaignDoc) -> Vec<&str> {
    let creators = doc.creators.iter().map(|(handle, creator)| creator.slug(handle));
    creators.chain(doc.links.keys().map(String::as_str)).collect()
}

/// Which other campaign has the link, in what is there or in what is written.
fn slug_owner(ground: &Ground<'_>, doc: &CampaignDoc, slug: &str) -> Option<String> {
    let written = ground.documents.campaigns.iter().map(|located| &located.value);
    let mut others = written.filter(|other| other.name != doc.name);
    if let Some(other) = others.clone().find(|other| slugs_of(other).contains(&slug)) {
        return Some(other.name.clone());
    }
    let link = ground.catalog.links.get(slug)?;
    let record = ground.catalog.rows.campaigns.iter().find(|record| record.id == link.campaign)?;
    let gives_up = record.status == Some(Status::Ended)
        || record.doc.name == doc.name
        || others.any(|other| other.name == record.doc.name);
    (!gives_up).then(|| record.doc.name.clone())
}
