//! Pools: how many codes, in which space, under whose prefix.

use super::{Ground, Lines, creators, peers};
use crate::domain::campaign::PoolKind;
use crate::domain::catalog::{CampaignRecord, PoolRecord};
use crate::domain::derived::Derived;
use crate::domain::document::{CampaignDoc, Located, PatternText, PoolSource, Total};
use crate::domain::token::MAX_POSITION;
use crate::store::config::PoolWrite;
use std::path::{Path, PathBuf};

/// A pool as it shall be, and what it needs.
pub(super) struct Wanted {
    pub(super) write: PoolWrite,
    /// Positions that are live already.
    pub(super) live: u64,
    /// Codes that a file brings.
    pub(super) new_codes: u64,
    pub(super) file: Option<PathBuf>,
}

impl Wanted {
    /// How many codes it grows by.
    pub(super) fn growth(&self) -> u64 {
        self.write.size.saturating_sub(self.live) + self.new_codes
    }
}

pub(super) fn wanted(ground: &Ground<'_>, located: &Located<CampaignDoc>, live: Option<&CampaignRecord>) -> Wanted {
    let doc = &located.value;
    let kind = doc.pool.source.kind();
    let live = live.and_then(|record| row(ground, record)).map_or(0, |row| row.pool.size);
    let survey = ground.facts.surveys.get(&doc.name).and_then(|survey| survey.as_ref().ok());
    let size = match kind {
        PoolKind::Generated | PoolKind::Derived => doc.pool.size.unwrap_or(0),
        PoolKind::Imported => live,
    };
    let folder = Path::new(&located.file).parent().unwrap_or(Path::new(""));
    Wanted {
        write: PoolWrite {
            kind,
            pattern: doc.code.pattern.as_ref().map(|text| text.as_str().to_owned()).unwrap_or_default(),
            key_id: if kind == PoolKind::Derived { ground.house.key_id } else { 0 },
            size: size.max(live),
        },
        live,
        new_codes: survey.map_or(0, |survey| survey.not_live),
        file: doc.pool.file.as_ref().map(|file| folder.join(file)),
    }
}

fn row<'a>(ground: &'a Ground<'_>, record: &CampaignRecord) -> Option<&'a PoolRecord> {
    let mut own = ground.catalog.rows.pools.iter().filter(|pool| pool.campaign == record.id);
    own.find(|pool| pool.pool.creator.is_none())
}

/// A code as long as any the campaign has or will have.
pub(super) fn longest_code(ground: &Ground<'_>, doc: &CampaignDoc) -> String {
    let house = house_code(ground, doc);
    let creators = creators::longest_code(ground, doc).unwrap_or_default();
    if creators.chars().count() > house.chars().count() { creators } else { house }
}

fn house_code(ground: &Ground<'_>, doc: &CampaignDoc) -> String {
    if let Some(code) = doc.code.pattern.as_ref().and_then(|text| text.pattern().format(0)) {
        return code.expose().to_owned();
    }
    let survey = ground.facts.surveys.get(&doc.name).and_then(|survey| survey.as_ref().ok());
    let named = |record: &&CampaignRecord| record.doc.name == doc.name;
    let old = ground.catalog.rows.campaigns.iter().find(named).and_then(|record| row(ground, record));
    let codes = [survey.map(|survey| survey.longest_code.clone()), old.map(|row| row.longest_code.clone())];
    codes.into_iter().flatten().max_by_key(|code| code.chars().count()).unwrap_or_default()
}

pub(super) fn lint(
    ground: &Ground<'_>,
    doc: &CampaignDoc,
    live: Option<&CampaignRecord>,
    wanted: &Wanted,
    lines: &mut Lines<'_>,
) {
    if let Some(old) = live.and_then(|record| row(ground, record)) {
        unchanged(doc, old, lines);
    }
    match doc.pool.source {
        PoolSource::Generate | PoolSource::Derive => patterned(ground, doc, lines),
        PoolSource::Import => imported(ground, doc, wanted, lines),
    }
    let total = match doc.caps.campaign.total {
        Some(Total::Number(total)) => total,
        Some(Total::Pool(_)) | None => 0,
    };
    let size = wanted.write.size + wanted.new_codes;
    peers::lint(ground, doc, live, size, lines);
    if total > size {
        lines.warn(format!("the cap of {total} is above the pool of {size}: the pool ends it first"));
    }
}

/// A pool keeps its kind and pattern for ever, and never shrinks.
fn unchanged(doc: &CampaignDoc, old: &PoolRecord, lines: &mut Lines<'_>) {
    if old.pool.kind != doc.pool.source.kind() {
        lines.refuse(format!(
            "its codes are {}: they cannot become {}",
            old.pool.kind.word(),
            doc.pool.source.kind().word()
        ));
    }
    let pattern = doc.code.pattern.as_ref().map(PatternText::as_str).unwrap_or_default();
    if old.pool.pattern != pattern {
        lines.refuse(format!("its codes are made as {}: another pattern is another campaign", old.pool.pattern));
    }
    if let Some(size) = doc.pool.size.filter(|size| *size < old.pool.size && doc.pool.source != PoolSource::Import) {
        lines.refuse(format!(
            "its pool has {} codes and cannot shrink to {size}; a cap limits what is issued",
            old.pool.size
        ));
    }
}

fn patterned(ground: &Ground<'_>, doc: &CampaignDoc, lines: &mut Lines<'_>) {
    if doc.pool.file.is_some() {
        lines.refuse("pool.file is for source = \"import\"");
    }
    let (Some(text), Some(size)) = (&doc.code.pattern, doc.pool.size.filter(|size| *size > 0)) else {
        return lines.refuse("codes of our own need code.pattern and pool.size");
    };
    let pattern = text.pattern();
    let total = match doc.caps.campaign.total {
        Some(Total::Number(total)) => total,
        Some(Total::Pool(_)) | None => u64::MAX,
    };
    // Of a derived pool only as many are live as may be issued; a stored one may be issued whole after a change.
    let at_once = if doc.pool.source == PoolSource::Derive { size.min(total) } else { size };
    if let Err(error) = pattern.check_space(at_once) {
        lines.refuse(error.to_string());
    }
    if size > MAX_POSITION {
        lines.refuse(format!("a pool has at most {MAX_POSITION} codes"));
    }
    if doc.pool.source == PoolSource::Derive {
        // How many positions have a clean code depends on the pattern alone, not on the key.
        let capacity = Derived::new(pattern.clone(), &[0; 32]).capacity();
        if u128::from(size) > capacity {
            lines.refuse(format!("the pattern has {capacity} codes that spell nothing rude, the pool wants {size}"));
        }
    }
    prefixes(ground, doc, lines);
}

/// A derived prefix is its own: neither begins with the other. Two generated pools may share one, their rows differ.
fn prefixes(ground: &Ground<'_>, doc: &CampaignDoc, lines: &mut Lines<'_>) {
    let Some(text) = &doc.code.pattern else {
        return;
    };
    let (prefix, derives) = (text.pattern().literal_prefix(), doc.pool.source == PoolSource::Derive);
    if derives && prefix.is_empty() {
        lines.refuse("a derived pattern begins with fixed characters of its own, such as WLC-");
    }
    if let Some(owner) = ground.facts.imported_under.get(prefix) {
        lines.refuse(format!("campaign {owner} has imported codes that begin with \"{prefix}\""));
    }
    let records = &ground.catalog.rows.campaigns;
    let stored = ground.catalog.code_pools.iter().filter_map(|pool| {
        let name = &records.iter().find(|record| record.id == pool.campaign)?.doc.name;
        Some((name.as_str(), pool.pattern.literal_prefix(), pool.kind == PoolKind::Derived))
    });
    let written = ground.documents.campaigns.iter().filter_map(|located| {
        let other = &located.value;
        let pattern = other.code.pattern.as_ref()?.pattern();
        Some((other.name.as_str(), pattern.literal_prefix(), other.pool.source == PoolSource::Derive))
    });
    let mut others = stored.chain(written).filter(|(name, _, _)| *name != doc.name);
    let clash = others.find(|(_, other, other_derives)| {
        (derives || *other_derives) && (other.starts_with(prefix) || prefix.starts_with(other))
    });
    if let Some((name, other, _)) = clash {
        lines.refuse(format!(
            "codes that begin with \"{prefix}\" could be codes of campaign {name}, which begin with \"{other}\""
        ));
    }
}

fn imported(ground: &Ground<'_>, doc: &CampaignDoc, wanted: &Wanted, lines: &mut Lines<'_>) {
    if doc.code.pattern.is_some() {
        lines.refuse("imported codes come as they are: leave code.pattern out");
    }
    match ground.facts.surveys.get(&doc.name) {
        Some(Ok(survey)) => {
            if survey.refused > 0 {
                let first = survey.first_refused.as_deref().unwrap_or_default();
                lines.warn(format!("{} lines of the file are left out; {first}", survey.refused));
            }
            let found = wanted.live + survey.not_live;
            if let Some(size) = doc.pool.size.filter(|size| *size != found) {
                lines.warn(format!("pool.size says {size}, the file brings it to {found}"));
            }
        }
        Some(Err(why)) => lines.refuse(why.clone()),
        None if wanted.live == 0 => {
            lines.refuse("an imported pool needs pool.file, a CSV file with a column named code");
        }
        None => {}
    }
}
