//! Creators: making them, stopping them, giving them a part in a campaign. Changes run alone in the committer's queue.

use super::{Engine, EngineError, draw};
use crate::domain::campaign::PoolKind;
use crate::domain::catalog::{Catalog, CreatorRow};
use crate::domain::creator::{
    DEFAULT_DISCLOSURE, Handle, HandleError, NameError, Taken, WhenEmpty, alternatives, name as named,
};
use crate::domain::document::{CampaignDoc, CommissionDoc, CreatorDoc, Document, LocalTime, Located};
use crate::domain::ids::{CreatorId, Subject};
use crate::domain::keyword::Keyword;
use crate::domain::phone::{BadPhone, PhoneNumber};
use crate::store::StoreError;
use crate::store::config::{CreatorEdit, NewCreator, add_creator, change_creator, switch_creator};
use std::collections::BTreeMap;
use std::time::Duration;
use thiserror::Error;

/// Each try waits up to 2 s for the locks of batches.
const TRIES: u32 = 30;
/// Between tries.
const PAUSE: Duration = Duration::from_millis(10);
/// Other names that are offered where one is taken.
const OFFERED: usize = 3;

/// Characters of the longest name for people.
const NAME_CHARS: usize = 60;
/// Characters of the longest disclosure: it stands beside her code.
const DISCLOSURE_CHARS: usize = 200;

/// A creator herself, by her number, and the number sealed.
type Phone = (Subject, Vec<u8>);

/// A creator to make.
#[derive(Debug, Clone)]
pub struct CreatorIn {
    /// Her name in links and keywords.
    pub handle: String,
    /// Her name for people.
    pub name: String,
    /// Her own number, from which DESK opens her desk.
    pub phone: Option<String>,
    /// What her audience is told of her interest.
    pub disclosure: Option<String>,
}

/// What shall be different of a creator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CreatorChange {
    /// Her name for people.
    Name(String),
    /// Her own number; `None`: none is known any more.
    Phone(Option<String>),
    /// What her audience is told of her interest; the standard words where it is nothing.
    Disclosure(String),
}

/// A part in a campaign; what is left out stays as it is, or gets what a new part has.
#[derive(Debug, Clone, Default)]
pub struct JoinIn {
    /// The most codes that are her merit.
    pub cap: Option<u64>,
    /// The most a local day.
    pub day: Option<u64>,
    /// How many codes begin with her name.
    pub size: Option<u64>,
    /// What follows when those are gone.
    pub when_empty: Option<WhenEmpty>,
    /// Her word.
    pub keyword: Option<Keyword>,
    /// Words for posts of hers.
    pub posts: BTreeMap<Keyword, String>,
    /// The last part of her link.
    pub link: Option<String>,
    /// From when, local time.
    pub start: Option<LocalTime>,
    /// Until when, local time.
    pub end: Option<LocalTime>,
    /// What a redemption earns her.
    pub commission: Option<CommissionDoc>,
}

/// Why a creator stays as she is.
#[derive(Debug, Error)]
pub enum CreatorError {
    /// The handle cannot be one.
    #[error("{handle}: {source}")]
    Handle {
        /// What was asked for.
        handle: String,
        /// Why.
        source: HandleError,
    },
    /// The handle, its keyword or every beginning of codes is in use.
    #[error("{source}{}", if free.is_empty() { String::new() } else { format!("; free: {}", free.join(", ")) })]
    Taken {
        /// What is in use.
        source: NameError,
        /// What may be had instead.
        free: Vec<String>,
    },
    /// She has no name.
    #[error("a name has 1 to {NAME_CHARS} characters")]
    Name,
    /// Nobody could read what her audience is told.
    #[error("a disclosure has at most {DISCLOSURE_CHARS} characters, on one line")]
    Disclosure,
    /// Her number is none.
    #[error("the phone number cannot be read: {0}")]
    Phone(#[from] BadPhone),
    /// Another creator has that number.
    #[error("that phone number is {0}'s")]
    PhoneTaken(String),
    /// That number asked by her word before it was hers.
    #[error("codes were asked for from that phone number by her word, and counted as her merit")]
    PhoneUsed,
    /// There is no creator of that handle.
    #[error("there is no creator {0}")]
    Unknown(String),
    /// A new part needs a cap.
    #[error("say how many codes are her merit at most")]
    NoCap,
    /// There is no such campaign.
    #[error(transparent)]
    Campaign(#[from] super::StatusError),
    /// The engine failed.
    #[error("the creator could not be changed")]
    Engine(#[from] EngineError),
}

impl From<StoreError> for CreatorError {
    fn from(error: StoreError) -> Self {
        Self::Engine(error.into())
    }
}

/// A creator, and the campaigns she has a part in.
#[derive(Debug, Clone)]
pub struct CreatorRecord {
    /// Her row.
    pub row: CreatorRow,
    /// Her parts by the names of campaigns.
    pub parts: Vec<(String, CreatorDoc)>,
}

impl Engine {
    /// Makes a creator. A committer must be running.
    ///
    /// # Errors
    /// [`CreatorError`].
    pub async fn add_creator(&self, wanted: &CreatorIn) -> Result<CreatorRecord, CreatorError> {
        let handle = Handle::parse(&wanted.handle)
            .map_err(|source| CreatorError::Handle { handle: wanted.handle.clone(), source })?;
        let new = NewCreator {
            handle: handle.as_str().to_owned(),
            name: called(&wanted.name)?,
            phone: wanted.phone.as_deref().map(|phone| self.her_phone(phone)).transpose()?,
            disclosure: disclosed(wanted.disclosure.as_deref().unwrap_or_default())?,
        };
        self.retried(&Wish::Add(&new, &handle)).await?;
        self.creator(handle.as_str()).await
    }

    /// Changes a creator. Issuances keep the credit that they have. A committer must be running.
    ///
    /// # Errors
    /// [`CreatorError`].
    pub async fn change_creator(
        &self,
        handle: &str,
        changes: Vec<CreatorChange>,
    ) -> Result<CreatorRecord, CreatorError> {
        let edit = |change| match change {
            CreatorChange::Name(name) => called(&name).map(CreatorEdit::Name),
            CreatorChange::Disclosure(text) => disclosed(&text).map(CreatorEdit::Disclosure),
            CreatorChange::Phone(None) => Ok(CreatorEdit::Phone(None)),
            CreatorChange::Phone(Some(phone)) => self.her_phone(&phone).map(|phone| CreatorEdit::Phone(Some(phone))),
        };
        let edits = changes.into_iter().map(edit).collect::<Result<Vec<_>, _>>()?;
        self.retried(&Wish::Change(handle, &edits)).await?;
        self.creator(handle).await
    }

    /// Her number as it is kept.
    fn her_phone(&self, text: &str) -> Result<Phone, CreatorError> {
        let (keys, phone) = (&self.parts().keys, PhoneNumber::parse(text, None)?);
        let subject = keys.phone_subject(&phone);
        Ok((subject, keys.seal_phone(&subject, &phone, draw())))
    }

    /// The creators whose handles come after that one, in their order, at most so many.
    ///
    /// # Errors
    /// What the database says.
    pub async fn creators(&self, after: &str, limit: usize) -> Result<Vec<CreatorRecord>, CreatorError> {
        let catalog = self.fresh_catalog().await?;
        let mut rows: Vec<_> = catalog.rows.creators.iter().filter(|row| row.handle.as_str() > after).collect();
        rows.sort_by_key(|row| &row.handle);
        Ok(rows.into_iter().take(limit).map(|row| record(&catalog, row)).collect())
    }

    /// The creator of a handle.
    ///
    /// # Errors
    /// [`CreatorError::Unknown`]; what the database says.
    pub async fn creator(&self, handle: &str) -> Result<CreatorRecord, CreatorError> {
        let catalog = self.fresh_catalog().await?;
        let id = known(&catalog, handle)?;
        let row = catalog.creators.get(&id).ok_or_else(|| CreatorError::Unknown(handle.to_owned()))?;
        Ok(record(&catalog, row))
    }

    /// Stops a creator (`false`) or lets her speak again; her history stays. `false` when she was so already. After it,
    /// no code is issued under what was so before, in any process. A committer must be running.
    ///
    /// # Errors
    /// [`CreatorError`].
    pub async fn switch_creator(&self, handle: &str, is_active: bool) -> Result<bool, CreatorError> {
        let changed = self.retried(&Wish::Switch(handle, is_active)).await?;
        self.fresh_catalog().await?;
        Ok(changed)
    }

    /// The document that gives a creator a part in a campaign, or changes hers; apply it as any other.
    ///
    /// # Errors
    /// [`CreatorError`].
    pub async fn joined(&self, handle: &str, campaign: &str, part: &JoinIn) -> Result<Document, CreatorError> {
        let found = self.campaign(campaign).await?;
        let catalog = self.catalog();
        let id = known(&catalog, handle)?;
        let handle = catalog.creators.get(&id).map_or(handle, |row| row.handle.as_str());
        let mut doc: CampaignDoc = found.doc;
        let old = doc.creators.get(handle).cloned();
        let mut new = match (old, part.cap) {
            (Some(old), _) => old,
            (None, Some(cap)) => CreatorDoc::with_cap(cap),
            (None, None) => return Err(CreatorError::NoCap),
        };
        part.put_into(&mut new);
        doc.creators.insert(handle.to_owned(), new);
        if doc.pool.source.kind() == PoolKind::Imported {
            // Its file lies with whoever applied it; what it brought is here.
            doc.pool.file = None;
        }
        let located = Located { file: doc.name.clone(), line: 1, value: doc };
        Ok(Document { campaigns: vec![located], ..Document::default() })
    }

    async fn settle_wish(&self, catalog: &Catalog, wish: &Wish<'_>) -> Result<bool, CreatorError> {
        let parts = self.parts();
        match wish {
            Wish::Add(new, handle) => {
                free(catalog, handle)?;
                if let Some(phone) = &new.phone {
                    nobodys(catalog, phone, None)?;
                }
                add_creator(&parts.store, new, catalog.version, parts.clock.now()).await?;
                Ok(true)
            }
            Wish::Change(handle, edits) => {
                let id = known(catalog, handle)?;
                for edit in *edits {
                    if let CreatorEdit::Phone(Some(phone)) = edit {
                        nobodys(catalog, phone, Some(id))?;
                    }
                }
                let is_done = change_creator(&parts.store, id, edits, catalog.version, parts.clock.now()).await?;
                if is_done { Ok(true) } else { Err(CreatorError::PhoneUsed) }
            }
            Wish::Switch(handle, is_active) => {
                let id = known(catalog, handle)?;
                Ok(switch_creator(&parts.store, id, *is_active, catalog.version).await?)
            }
        }
    }

    /// Runs a change alone in the committer's queue, again while others hold its locks or were faster.
    async fn retried(&self, wish: &Wish<'_>) -> Result<bool, CreatorError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let catalog = self.fresh_catalog().await?;
            let turn = self.turn().await?;
            let result = self.settle_wish(&catalog, wish).await;
            drop(turn);
            match result {
                Err(CreatorError::Engine(EngineError::Store(error)))
                    if tries < TRIES && (error.is_passing() || matches!(*error, StoreError::Stale)) =>
                {
                    tokio::time::sleep(PAUSE).await;
                }
                result => return result,
            }
        }
    }
}

/// A change of a creator's row.
enum Wish<'a> {
    Add(&'a NewCreator, &'a Handle),
    Change(&'a str, &'a [CreatorEdit]),
    Switch(&'a str, bool),
}

impl JoinIn {
    fn put_into(&self, part: &mut CreatorDoc) {
        part.cap = self.cap.unwrap_or(part.cap);
        part.day = self.day.or(part.day);
        part.size = self.size.or(part.size);
        part.when_empty = self.when_empty.unwrap_or(part.when_empty);
        part.keyword = self.keyword.clone().or_else(|| part.keyword.take());
        part.posts.extend(self.posts.clone());
        part.link = self.link.clone().or_else(|| part.link.take());
        part.start = self.start.or(part.start);
        part.end = self.end.or(part.end);
        part.commission = self.commission.clone().or_else(|| part.commission.take());
    }
}

/// A name for people.
fn called(name: &str) -> Result<String, CreatorError> {
    let name = name.trim();
    let fits = (1..=NAME_CHARS).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if fits { Ok(name.to_owned()) } else { Err(CreatorError::Name) }
}

/// What her audience is told; the standard words where it is nothing.
fn disclosed(text: &str) -> Result<String, CreatorError> {
    let text = Some(text.trim()).filter(|text| !text.is_empty()).unwrap_or(DEFAULT_DISCLOSURE);
    let fits = text.chars().count() <= DISCLOSURE_CHARS && !text.chars().any(char::is_control);
    if fits { Ok(text.to_owned()) } else { Err(CreatorError::Disclosure) }
}

/// Whether a number is nobody's but hers.
fn nobodys(catalog: &Catalog, (subject, _): &Phone, hers: Option<CreatorId>) -> Result<(), CreatorError> {
    let mut others = catalog.rows.creators.iter().filter(|row| Some(row.id) != hers);
    match others.find(|row| row.numbers.iter().any(|(own, _)| own == subject)) {
        Some(other) => Err(CreatorError::PhoneTaken(other.handle.clone())),
        None => Ok(()),
    }
}

fn record(catalog: &Catalog, row: &CreatorRow) -> CreatorRecord {
    let part = |record: &crate::domain::catalog::CampaignRecord| {
        record.status?;
        Some((record.doc.name.clone(), record.doc.creators.get(&row.handle)?.clone()))
    };
    CreatorRecord { row: row.clone(), parts: catalog.rows.campaigns.iter().filter_map(part).collect() }
}

fn known(catalog: &Catalog, handle: &str) -> Result<CreatorId, CreatorError> {
    let wanted = handle.trim().trim_start_matches('@').to_ascii_lowercase();
    let row = catalog.rows.creators.iter().find(|row| row.handle == wanted);
    row.map(|row| row.id).ok_or_else(|| CreatorError::Unknown(handle.to_owned()))
}

/// Whether a handle, its keyword and a beginning of codes are to be had.
fn free(catalog: &Catalog, handle: &Handle) -> Result<(), CreatorError> {
    let handles: Vec<_> = catalog.rows.creators.iter().filter_map(|row| Handle::parse(&row.handle).ok()).collect();
    let keywords: Vec<_> = catalog.rows.keywords.iter().filter_map(|row| Keyword::parse(&row.word).ok()).collect();
    let prefixes = catalog.code_pools.iter().map(|pool| pool.pattern.literal_prefix().to_owned());
    // A pool without a beginning is told of where she joins its campaign.
    let prefixes: Vec<_> = prefixes.filter(|prefix| !prefix.is_empty()).collect();
    let taken = Taken { handles: &handles, keywords: &keywords, prefixes: &prefixes };
    named(handle, taken).map(drop).map_err(|source| {
        let free = alternatives(handle, taken, OFFERED).into_iter().map(|name| name.handle.to_string()).collect();
        CreatorError::Taken { source, free }
    })
}
