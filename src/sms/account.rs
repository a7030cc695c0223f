//! One account at a carrier, as the configuration gives it, and what its adapter may ask of it.

use super::SmsProvider;
use crate::domain::secret::Secret;
use crate::net::{Client, Url};
use std::collections::BTreeMap;
use std::sync::Arc;
use thiserror::Error;

/// One account: `[[carriers]]`.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its name in the documents of senders.
    pub name: String,
    /// Which carrier.
    pub kind: String,
    /// Where its API is, where that is not the carrier's own address.
    pub base_url: Option<String>,
    /// Everything else; all of it is kept like a secret.
    pub keys: BTreeMap<String, Secret<String>>,
}

/// Why an account cannot be used. No value is quoted: it may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AccountError {
    /// No adapter of that kind.
    #[error("carrier {name}: there is no kind \"{kind}\" (known: {known})")]
    Kind {
        /// The account.
        name: String,
        /// As written.
        kind: String,
        /// What there is.
        known: String,
    },
    /// A key that this kind needs.
    #[error("carrier {name}: {key} is missing; {kind} needs {needs}")]
    Missing {
        /// The account.
        name: String,
        /// Its kind.
        kind: &'static str,
        /// The key.
        key: String,
        /// All that it needs.
        needs: String,
    },
    /// A key that this kind does not know.
    #[error("carrier {name}: {kind} knows no key {key}: {hint}")]
    Unknown {
        /// The account.
        name: String,
        /// Its kind.
        kind: &'static str,
        /// As written.
        key: String,
        /// The nearest one, or all.
        hint: String,
    },
    /// A value that does not fit.
    #[error("carrier {name}: {key} does not fit: expected {expected}")]
    Value {
        /// The account.
        name: String,
        /// The key.
        key: String,
        /// What would.
        expected: &'static str,
    },
}

/// An account's adapter, or why there is none.
pub(super) type Opened = Result<Arc<dyn SmsProvider>, AccountError>;

/// A kind of carrier: what its accounts are made of, and how its adapter is built.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    /// Its word in the configuration.
    pub(super) word: &'static str,
    /// Its own address; where there is none, every account must give one.
    pub(super) base_url: Option<&'static str>,
    /// Keys without which nothing works.
    pub(super) needs: &'static [&'static str],
    /// Keys that may be left out.
    pub(super) takes: &'static [&'static str],
    /// Builds the adapter of an account whose keys are all known.
    pub(super) build: fn(&Account, &Client) -> Opened,
}

impl Account {
    /// A key that its kind needs, or a complaint.
    ///
    /// # Errors
    /// [`AccountError::Missing`].
    pub(super) fn need(&self, kind: &Kind, key: &str) -> Result<Secret<String>, AccountError> {
        self.maybe(key).ok_or_else(|| AccountError::Missing {
            name: self.name.clone(),
            kind: kind.word,
            key: key.to_owned(),
            needs: kind.needs.join(", "),
        })
    }

    /// A key that may be left out.
    pub(super) fn maybe(&self, key: &str) -> Option<Secret<String>> {
        self.keys.get(key).cloned()
    }

    /// The complaint about a value.
    pub(super) fn misfit(&self, key: &str, expected: &'static str) -> AccountError {
        AccountError::Value { name: self.name.clone(), key: key.to_owned(), expected }
    }

    /// Where the carrier's API is; never with a query.
    ///
    /// # Errors
    /// [`AccountError`] when none is given where one is needed, and for one that is no address.
    pub(super) fn base_url(&self, kind: &Kind) -> Result<Url, AccountError> {
        let text = self.base_url.as_deref().or(kind.base_url).ok_or_else(|| AccountError::Missing {
            name: self.name.clone(),
            kind: kind.word,
            key: "base_url".to_owned(),
            needs: format!("base_url, {}", kind.needs.join(", ")),
        })?;
        let url = Url::parse(text).ok();
        let fits = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none();
        url.filter(fits).ok_or_else(|| self.misfit("base_url", "http:// or https://, a host, maybe a path, no query"))
    }

    /// Refuses keys that the kind does not know, and the lack of those it needs.
    fn check(&self, kind: &Kind) -> Result<(), AccountError> {
        for key in kind.needs {
            self.need(kind, key)?;
        }
        let known: Vec<&str> = kind.needs.iter().chain(kind.takes).copied().collect();
        let stranger = self.keys.keys().find(|key| !known.contains(&key.as_str()));
        let Some(stranger) = stranger else {
            return Ok(());
        };
        let near = known.iter().find(|known| strsim::damerau_levenshtein(known, stranger) <= 2);
        let all = || format!("it knows {}", known.join(", "));
        let hint = near.map_or_else(all, |near| format!("did you mean {near}?"));
        Err(AccountError::Unknown { name: self.name.clone(), kind: kind.word, key: stranger.clone(), hint })
    }

    /// The adapter of this account.
    ///
    /// # Errors
    /// [`AccountError`].
    pub(super) fn open(&self, kinds: &[Kind], client: &Client) -> Opened {
        let kind = kinds.iter().find(|kind| kind.word == self.kind).ok_or_else(|| AccountError::Kind {
            name: self.name.clone(),
            kind: self.kind.clone(),
            known: kinds.iter().map(|kind| kind.word).collect::<Vec<_>>().join(", "),
        })?;
        self.check(kind)?;
        (kind.build)(self, client)
    }
}
