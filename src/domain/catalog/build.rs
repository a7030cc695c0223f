//! From rows to the picture.

use super::{
    Catalog, CodePool, CreatorRow, Limits, LinkRow, SenderRow, Target, TextError, campaign_texts, sender_texts,
};
use crate::domain::campaign::{Campaign, Pool, PoolKind, Status};
use crate::domain::cap::Cap;
use crate::domain::derived::Derived;
use crate::domain::document::{CampaignDoc, LocalTimeError, OfferRecord};
use crate::domain::ids::{CampaignId, CreatorId, PlacementId, SenderId};
use crate::domain::keyring::Keys;
use crate::domain::keyword::{Book, Clash, Keyword, KeywordError};
use crate::domain::pattern::{Pattern, PatternError};
use std::collections::HashMap;
use std::sync::Arc;

/// Every row of the configuration, parsed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rows {
    /// `catalog.version`.
    pub version: i64,
    /// Numbers of ours.
    pub senders: Vec<SenderRecord>,
    /// Campaigns with their newest documents; drafts too.
    pub campaigns: Vec<CampaignRecord>,
    /// Promises.
    pub offers: Vec<OfferRow>,
    /// Pools.
    pub pools: Vec<PoolRecord>,
    /// Caps that decide, with their campaign; `None` is across campaigns.
    pub caps: Vec<(Option<CampaignId>, Cap)>,
    /// Words.
    pub keywords: Vec<KeywordRecord>,
    /// Places.
    pub placements: Vec<PlacementRecord>,
    /// Creators.
    pub creators: Vec<CreatorRow>,
    /// Links of creators and places.
    pub links: Vec<LinkRow>,
}

/// A row of `sender`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderRecord {
    /// The row, with what its document adds.
    pub row: SenderRow,
}

/// A row of `campaign` with its newest version.
#[derive(Debug, Clone, PartialEq)]
pub struct CampaignRecord {
    /// Its number.
    pub id: CampaignId,
    /// Its newest version.
    pub version: u32,
    /// Whether it issues; `None` for a draft, whose codes are still being written.
    pub status: Option<Status>,
    /// Its newest document.
    pub doc: CampaignDoc,
}

/// A row of `offer`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferRow {
    /// The campaign.
    pub campaign: CampaignId,
    /// Its number there.
    pub offer_no: u16,
    /// The promise.
    pub record: OfferRecord,
}

/// A row of `pool`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolRecord {
    /// The campaign.
    pub campaign: CampaignId,
    /// The pool.
    pub pool: Pool,
    /// Positions in stock.
    pub in_stock: u64,
    /// The keyring of a derived pool's key; 0 elsewhere.
    pub key_id: i64,
    /// The longest code of an imported pool; empty elsewhere.
    pub longest_code: String,
}

impl PoolRecord {
    /// A code as long as any of the pool; empty where a stored pattern does not parse.
    #[must_use]
    pub fn sample_code(&self) -> String {
        match self.pool.kind {
            PoolKind::Imported => self.longest_code.clone(),
            PoolKind::Generated | PoolKind::Derived => {
                let code = Pattern::parse(&self.pool.pattern).ok().and_then(|pattern| pattern.format(0));
                code.map(|code| code.expose().to_owned()).unwrap_or_default()
            }
        }
    }
}

/// A row of `keyword`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeywordRecord {
    /// The number.
    pub sender: SenderId,
    /// The word as texted.
    pub word: String,
    /// The campaign.
    pub campaign: CampaignId,
    /// The keyword it counts under.
    pub keyword: String,
    /// Where it stands.
    pub placement: PlacementId,
    /// The creator whose word it is; `None`: the house's.
    pub creator: Option<CreatorId>,
}

/// A row of `placement`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacementRecord {
    /// Its number.
    pub id: PlacementId,
    /// The campaign.
    pub campaign: CampaignId,
    /// Its name.
    pub name: String,
    /// What it costs, minor units.
    pub cost_minor: i64,
    /// The creator whose post it is; `None`: the house's.
    pub creator: Option<CreatorId>,
}

/// Rows that make no picture.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A reply does not fit one SMS under the configured public address.
    #[error("campaign {campaign}: {source}")]
    CampaignText {
        /// Which.
        campaign: String,
        /// Why.
        source: TextError,
    },
    /// A reply of a number does not fit.
    #[error("sender {sender}: {source}")]
    SenderText {
        /// Which.
        sender: String,
        /// Why.
        source: TextError,
    },
    /// A stored pattern does not parse.
    #[error("campaign {campaign}: its pattern does not parse")]
    Pattern {
        /// Which.
        campaign: CampaignId,
        /// Why.
        #[source]
        source: PatternError,
    },
    /// The codes of a derived pool come from another keyring: with this one they would be others.
    #[error(
        "campaign {0}: its codes are derived from another keyring; restore the keyring file that belongs to this database"
    )]
    OtherKeyring(CampaignId),
    /// A stored keyword does not parse.
    #[error("keyword {word} does not parse")]
    Keyword {
        /// Which.
        word: String,
        /// Why.
        #[source]
        source: KeywordError,
    },
    /// Two stored keywords are one word.
    #[error(transparent)]
    Clash(#[from] Clash),
    /// A stored date does not exist.
    #[error("campaign {campaign}: {source}")]
    Time {
        /// Which.
        campaign: String,
        /// Why.
        source: LocalTimeError,
    },
}

impl Catalog {
    /// Builds the picture. `public_url` is what coupon links begin with.
    ///
    /// # Errors
    /// [`BuildError`]; `apply` lets no such rows in, but the public address may have grown since.
    pub fn build(rows: Rows, keys: &Keys, public_url: &str, limits: Limits) -> Result<Self, BuildError> {
        let senders: HashMap<_, _> = rows.senders.iter().map(|sender| (sender.row.id, sender.row.clone())).collect();
        let mut catalog = Self { version: rows.version, senders, limits, ..Self::default() };
        for record in &rows.campaigns {
            let Some(status) = record.status else {
                continue;
            };
            let campaign = campaign(&rows, record, status)?;
            catalog.campaigns.insert(record.id, Arc::new(campaign));
            if let Some(texts) = texts_of(&rows, record, &catalog, public_url)? {
                catalog.campaign_texts.insert(record.id, texts);
            }
        }
        catalog.caps_across =
            rows.caps.iter().filter(|(campaign, _)| campaign.is_none()).map(|(_, cap)| cap.clone()).collect();
        // Codes of a draft are not live, but its prefix is taken.
        catalog.code_pools =
            rows.pools.iter().filter_map(|pool| code_pool(pool, keys).transpose()).collect::<Result<_, _>>()?;
        for sender in catalog.senders.values() {
            catalog.books.insert(sender.id, book(&rows, sender.id)?);
            let texts = sender_texts(sender, public_url, &named_words(&rows, sender.id))
                .map_err(|source| BuildError::SenderText { sender: sender.address.clone(), source })?;
            catalog.sender_texts.insert(sender.id, texts);
        }
        catalog.creators = rows.creators.iter().map(|creator| (creator.id, creator.clone())).collect();
        catalog.links = rows.links.iter().map(|link| (link.slug.clone(), link.clone())).collect();
        catalog.rows = Arc::new(rows);
        Ok(catalog)
    }
}

fn campaign(rows: &Rows, record: &CampaignRecord, status: Status) -> Result<Campaign, BuildError> {
    let doc = &record.doc;
    let time = |source| BuildError::Time { campaign: doc.name.clone(), source };
    let offers = rows.offers.iter().filter(|offer| offer.campaign == record.id);
    let pools = rows.pools.iter().filter(|pool| pool.campaign == record.id);
    let caps = rows.caps.iter().filter(|(campaign, _)| *campaign == Some(record.id));
    let creators = rows.creators.iter().filter_map(|row| doc.creator_terms(&row.handle, row.id).transpose());
    Ok(Campaign {
        id: record.id,
        name: doc.name.clone(),
        version: record.version,
        status,
        zone: doc.tz(),
        starts_at: doc.starts_at().map_err(time)?,
        ends_at: doc.ends_at().map_err(time)?,
        countries: doc.countries.iter().map(|country| country.as_str().to_owned()).collect(),
        offers: offers.map(|offer| offer.record.offer(offer.offer_no)).collect(),
        pools: pools.map(|pool| pool.pool.clone()).collect(),
        caps: caps.map(|(_, cap)| cap.clone()).collect(),
        repeat: doc.repeat,
        expiry: doc.expiry().map_err(time)?,
        terms: doc.terms().map_err(time)?,
        authority: doc.authority(),
        partners: doc.partners.policy(),
        creators: creators.collect::<Result<_, _>>().map_err(time)?,
    })
}

fn texts_of(
    rows: &Rows,
    record: &CampaignRecord,
    catalog: &Catalog,
    public_url: &str,
) -> Result<Option<super::Texts>, BuildError> {
    let Some(keywords) = &record.doc.keywords else {
        return Ok(None);
    };
    let named = keywords.sender.as_ref().and_then(|address| catalog.sender_at(address));
    let Some(sender) = named.or_else(|| catalog.senders.values().min_by_key(|sender| sender.id)) else {
        return Ok(None);
    };
    let longest = longest_code(rows, record)?;
    let texts = campaign_texts(&record.doc, sender, public_url, &longest);
    texts.map(Some).map_err(|source| BuildError::CampaignText { campaign: record.doc.name.clone(), source })
}

fn longest_code(rows: &Rows, record: &CampaignRecord) -> Result<String, BuildError> {
    let pools = rows.pools.iter().filter(|pool| pool.campaign == record.id);
    let codes = pools.map(|pool| match pool.pool.kind {
        PoolKind::Imported => Ok(pool.longest_code.clone()),
        PoolKind::Generated | PoolKind::Derived => {
            let pattern = pattern(pool)?;
            Ok(pattern.format(0).map(|code| code.expose().to_owned()).unwrap_or_default())
        }
    });
    let codes = codes.collect::<Result<Vec<String>, BuildError>>()?;
    Ok(codes.into_iter().max_by_key(|code| code.chars().count()).unwrap_or_default())
}

fn pattern(pool: &PoolRecord) -> Result<Pattern, BuildError> {
    Pattern::parse(&pool.pool.pattern).map_err(|source| BuildError::Pattern { campaign: pool.campaign, source })
}

fn code_pool(record: &PoolRecord, keys: &Keys) -> Result<Option<CodePool>, BuildError> {
    let Pool { pool_no, kind, size, .. } = record.pool;
    let campaign = record.campaign;
    let derived = match kind {
        PoolKind::Imported => return Ok(None),
        PoolKind::Generated => None,
        PoolKind::Derived if record.key_id != key_number(keys) => {
            return Err(BuildError::OtherKeyring(campaign));
        }
        PoolKind::Derived => Some(Arc::new(Derived::new(pattern(record)?, &keys.pool_key(campaign.0, pool_no)))),
    };
    let pattern = Arc::new(pattern(record)?);
    Ok(Some(CodePool { campaign, pool_no, kind, pattern, size, derived }))
}

/// The keyring as `pool.key_id` names it.
#[must_use]
pub fn key_number(keys: &Keys) -> i64 {
    i64::from(u32::from_be_bytes(*keys.id().as_bytes()))
}

fn book(rows: &Rows, sender: SenderId) -> Result<Book<Target>, BuildError> {
    let of_sender = rows.keywords.iter().filter(|keyword| keyword.sender == sender);
    let words = of_sender.map(|row| {
        let word =
            Keyword::parse(&row.word).map_err(|source| BuildError::Keyword { word: row.word.clone(), source })?;
        let (campaign, keyword) = (row.campaign, row.keyword.clone());
        let target = Target { campaign, keyword, placement: row.placement, creator: row.creator };
        Ok((word, target))
    });
    let words = words.collect::<Result<Vec<_>, BuildError>>()?;
    Ok(Book::new(words)?)
}

/// Main words of campaigns that may still issue, in the order in which they were made.
fn named_words(rows: &Rows, sender: SenderId) -> Vec<String> {
    let open: Vec<_> = rows.campaigns.iter().filter(|record| record.status == Some(Status::Live)).collect();
    let main = open.iter().filter_map(|record| {
        let main = record.doc.keywords.as_ref()?.main.as_str();
        let held = |row: &&KeywordRecord| row.sender == sender && row.campaign == record.id && row.word == main;
        rows.keywords.iter().find(held).map(|row| row.word.clone())
    });
    main.collect()
}
