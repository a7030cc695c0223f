//! Words that lead nowhere: what they could have meant, and how one becomes an alias.

use super::{Engine, EngineError};
use crate::domain::campaign::PoolKind;
use crate::domain::catalog::{Catalog, Heard, KeywordRecord, SenderRow};
use crate::domain::document::{Document, Located};
use crate::domain::ids::SenderId;
use crate::domain::keyword::{Cluster, Keyword, KeywordError, clusters};
use crate::store::StoreError;
use crate::store::words::UnknownWord;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use thiserror::Error;

/// So many edits away a keyword is still suggested, if it is at least twice as long.
const FAR: usize = 3;

/// The unknown words of one number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownWords {
    /// What people text.
    pub address: String,
    /// Spellings of one thing together, the most frequent first.
    pub clusters: Vec<Suggested>,
    /// Texts whose words are not kept: sentences, numbers, words beyond the thousandth.
    pub others: u64,
}

/// A group of unknown words, and the keyword that may have been meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggested {
    /// The words.
    pub cluster: Cluster,
    /// When one of them was texted last.
    pub last_at: DateTime<Utc>,
    /// The nearest keyword, if one is near.
    pub keyword: Option<String>,
}

/// Why a word becomes no alias.
#[derive(Debug, Error)]
pub enum AliasError {
    /// It is no keyword at all.
    #[error("{word} cannot be a keyword: {source}")]
    NoWord {
        /// As it was typed.
        word: String,
        /// Why.
        source: KeywordError,
    },
    /// No campaign has that keyword, or several numbers have.
    #[error("{}", if *.many { format!("several numbers have the keyword {keyword}") } else { format!("no campaign has the keyword {keyword}{}", nearest.as_ref().map(|near| format!("; did you mean {near}?")).unwrap_or_default()) })]
    NoKeyword {
        /// What was asked for.
        keyword: String,
        /// What may have been meant.
        nearest: Option<String>,
        /// It stands on several numbers.
        many: bool,
    },
    /// There is no number of that address.
    #[error("there is no sender {0}")]
    NoSender(String),
    /// It leads somewhere already.
    #[error("{word} leads to campaign {campaign} already")]
    Taken {
        /// The word.
        word: String,
        /// The campaign.
        campaign: String,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// The words that lead nowhere, of one number or of all; a word that has become a keyword since is left out.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn unknown_words(&self, address: Option<&str>) -> Result<Vec<UnknownWords>, EngineError> {
        let catalog = self.fresh_catalog().await?;
        let mut by_sender: BTreeMap<SenderId, Vec<UnknownWord>> = BTreeMap::new();
        for word in self.parts().store.unknown_words().await? {
            by_sender.entry(word.sender).or_default().push(word);
        }
        let told = by_sender.into_iter().filter_map(|(id, words)| {
            let sender = catalog.senders.get(&id)?;
            let wanted = address.is_none_or(|address| address == sender.address);
            wanted.then(|| grouped(&catalog, sender, &words))
        });
        Ok(told.collect())
    }

    /// The document that makes `word` an alias of the campaign that has `keyword`; apply it as any other.
    ///
    /// # Errors
    /// [`AliasError`].
    pub async fn aliased(&self, word: &str, keyword: &str, address: Option<&str>) -> Result<Document, AliasError> {
        let catalog = self.fresh_catalog().await?;
        let alias = Keyword::parse(word).map_err(|source| AliasError::NoWord { word: word.to_owned(), source })?;
        let sender = match address {
            Some(address) => {
                Some(catalog.sender_at(address).ok_or_else(|| AliasError::NoSender(address.to_owned()))?.id)
            }
            None => None,
        };
        let row = meant(&catalog, keyword, sender)?;
        let name = |id| catalog.campaigns.get(&id).map_or_else(String::new, |campaign| campaign.name.clone());
        let taken =
            catalog.rows.keywords.iter().find(|known| known.sender == row.sender && known.word == alias.as_str());
        if let Some(taken) = taken {
            return Err(AliasError::Taken { word: alias.as_str().to_owned(), campaign: name(taken.campaign) });
        }
        let record = catalog.rows.campaigns.iter().find(|record| record.id == row.campaign);
        let Some((record, mut keywords)) = record.and_then(|record| Some((record, record.doc.keywords.clone()?)))
        else {
            return Err(AliasError::NoKeyword { keyword: keyword.to_owned(), nearest: None, many: false });
        };
        keywords.aliases.push(alias);
        let mut doc = record.doc.clone();
        doc.keywords = Some(keywords);
        if doc.pool.source.kind() == PoolKind::Imported {
            // Its file lies with whoever applied it; what it brought is here.
            doc.pool.file = None;
        }
        let located = Located { file: doc.name.clone(), line: 1, value: doc };
        Ok(Document { campaigns: vec![located], ..Document::default() })
    }
}

/// The keyword that somebody named, which must be one alone.
fn meant<'a>(catalog: &'a Catalog, keyword: &str, sender: Option<SenderId>) -> Result<&'a KeywordRecord, AliasError> {
    let unknown = |nearest, many| AliasError::NoKeyword { keyword: keyword.to_owned(), nearest, many };
    let wanted = Keyword::parse(keyword).map_err(|_| unknown(None, false))?;
    let here = |row: &&KeywordRecord| sender.is_none_or(|sender| sender == row.sender);
    let rows: Vec<_> = catalog.rows.keywords.iter().filter(here).collect();
    let found: Vec<_> = rows.iter().filter(|row| row.word == wanted.as_str()).collect();
    match found.as_slice() {
        [row] => Ok(row),
        [] => {
            let near = rows.iter().min_by_key(|row| strsim::osa_distance(&row.word, wanted.as_str()));
            Err(unknown(near.map(|row| row.word.clone()), false))
        }
        _ => Err(unknown(None, true)),
    }
}

fn grouped(catalog: &Catalog, sender: &SenderRow, words: &[UnknownWord]) -> UnknownWords {
    let is_open = |word: &&UnknownWord| match catalog.hear(sender.id, &word.word) {
        Heard::Unknown | Heard::Ambiguous(_) => true,
        Heard::OptOut(..)
        | Heard::OptIn(_)
        | Heard::Help(_)
        | Heard::MyCodes
        | Heard::Keyword { .. }
        | Heard::Nothing => false,
    };
    let open: Vec<_> = words.iter().filter(|word| !word.word.is_empty()).filter(is_open).collect();
    let last = |cluster: &Cluster| {
        let times = cluster.words.iter().filter_map(|(name, _)| open.iter().find(|word| word.word == *name));
        times.map(|word| word.last_at).max().unwrap_or_default()
    };
    let found = clusters(open.iter().map(|word| (word.word.clone(), word.n)).collect());
    let suggested = found.into_iter().map(|cluster| {
        let (keyword, last_at) = (nearest(catalog, sender.id, cluster.name()), last(&cluster));
        Suggested { cluster, last_at, keyword }
    });
    UnknownWords {
        address: sender.address.clone(),
        clusters: suggested.collect(),
        others: words.iter().filter(|word| word.word.is_empty()).map(|word| word.n).sum(),
    }
}

/// The keyword of a number that a word looks like.
fn nearest(catalog: &Catalog, sender: SenderId, word: &str) -> Option<String> {
    let joined: String = word.chars().filter(|c| *c != ' ').collect();
    let rows = catalog.rows.keywords.iter().filter(|row| row.sender == sender);
    let near = rows.map(|row| (strsim::osa_distance(&row.word, &joined), row));
    let (distance, row) = near.min_by_key(|(distance, row)| (*distance, row.word.clone()))?;
    (distance <= FAR && distance * 2 <= row.word.chars().count()).then(|| row.keyword.clone())
}
