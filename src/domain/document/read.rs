//! From a file's text to documents, with the file and line of whatever is wrong.

use super::{CampaignDoc, CapDoc, SenderDoc};
use serde::Deserialize;
use std::fmt;
use toml::Spanned;

/// Something a person wrote, and where.
#[derive(Debug, Clone, PartialEq)]
pub struct Located<T> {
    /// The file as it was named.
    pub file: String,
    /// The line it begins on, from 1.
    pub line: usize,
    /// What was written.
    pub value: T,
}

impl<T> Located<T> {
    /// `pizza.toml:14`.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }
}

/// Everything that some files ask for, in their order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Document {
    /// Numbers of ours.
    pub senders: Vec<Located<SenderDoc>>,
    /// Campaigns.
    pub campaigns: Vec<Located<CampaignDoc>>,
    /// Caps across campaigns.
    pub caps: Vec<Located<CapDoc>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileIn {
    #[serde(default)]
    sender: Vec<Spanned<SenderDoc>>,
    #[serde(default)]
    campaign: Vec<Spanned<CampaignDoc>>,
    #[serde(default)]
    cap: Vec<Spanned<CapDoc>>,
}

/// A file that cannot be read: where, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct DocumentError {
    /// The file as it was named.
    pub file: String,
    /// The line, from 1; 0 when the whole file is meant.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.message),
            line => write!(f, "{}:{line}: {}", self.file, self.message),
        }
    }
}

impl Document {
    /// Reads one file's text; `file` is how errors name it.
    ///
    /// # Errors
    /// [`DocumentError`], the first one found.
    pub fn parse(file: &str, text: &str) -> Result<Self, DocumentError> {
        let read: FileIn = toml::from_str(text).map_err(|error| DocumentError {
            file: file.to_owned(),
            line: error.span().map_or(0, |span| line_of(text, span.start)),
            message: with_nearest(error.message()),
        })?;
        Ok(Self {
            senders: locate(file, text, read.sender),
            campaigns: locate(file, text, read.campaign),
            caps: locate(file, text, read.cap),
        })
    }

    /// Appends another file.
    pub fn append(&mut self, mut other: Self) {
        self.senders.append(&mut other.senders);
        self.campaigns.append(&mut other.campaigns);
        self.caps.append(&mut other.caps);
    }
}

fn locate<T>(file: &str, text: &str, found: Vec<Spanned<T>>) -> Vec<Located<T>> {
    let one = |spanned: Spanned<T>| {
        let line = line_of(text, spanned.span().start);
        Located { file: file.to_owned(), line, value: spanned.into_inner() }
    };
    found.into_iter().map(one).collect()
}

fn line_of(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

/// serde lists every key it knows; a person wants the one she meant.
fn with_nearest(message: &str) -> String {
    let kinds = ["unknown field `", "unknown variant `"];
    let found = kinds.iter().find_map(|kind| {
        let (wrong, known) = message.strip_prefix(kind)?.split_once('`')?;
        let known: Vec<_> = known.split('`').skip(1).step_by(2).collect();
        let nearest = known.iter().min_by_key(|name| strsim::osa_distance(wrong, name))?;
        let what = if kind.contains("field") { "key" } else { "word" };
        Some(format!("unknown {what} \"{wrong}\"; did you mean \"{nearest}\"? (known: {})", known.join(", ")))
    });
    found.unwrap_or_else(|| message.trim().to_owned())
}
