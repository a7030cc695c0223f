//! Names that clash with nobody's: keyword, code prefix and what to offer when a handle is gone.

use super::Handle;
use crate::domain::{
    keyword::{Keyword, KeywordError},
    pattern::{Pattern, SpaceTooSmall},
};

/// Random symbols at least: with fewer, guesses among a few thousand live codes hit too often.
const MIN_RANDOM: usize = 7;
/// Random symbols at most: beside the longest handle and the check character they fill a code.
const MAX_RANDOM: usize = 11;
/// Symbols between two hyphens of a code.
const GROUP: usize = 4;

/// What is in use already.
#[derive(Clone, Copy, Debug, Default)]
pub struct Taken<'a> {
    /// Every creator's handle.
    pub handles: &'a [Handle],
    /// Every live keyword of the sender, placements and posts included; the creator's own left out.
    pub keywords: &'a [Keyword],
    /// The literal prefixes of all pools and the prefixes of imported codes, without separators.
    pub prefixes: &'a [String],
}

/// What follows from a handle that is free.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// `anna`.
    pub handle: Handle,
    /// `ANNA`.
    pub keyword: Keyword,
    /// `ANNA`: what her codes begin with, without its hyphen. No other prefix begins with it or begins it.
    pub prefix: String,
}

/// Why a handle cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Somebody goes by it.
    #[error("the handle {0} is taken")]
    Handle(Handle),
    /// The keyword is live, or people would mistype one for the other.
    #[error("its keyword would be mistaken for {0}, which is in use")]
    Keyword(Keyword),
    /// No beginning for her codes is left.
    #[error("every beginning of codes that fits {0} is in use")]
    Prefix(Handle),
}

/// What `handle` gives, if nothing clashes.
///
/// # Errors
/// [`NameError`]; [`alternatives`] has what to offer then.
pub fn name(handle: &Handle, taken: Taken<'_>) -> Result<Name, NameError> {
    if taken.handles.contains(handle) {
        return Err(NameError::Handle(handle.clone()));
    }
    let keyword = handle.keyword();
    if let Some(other) = near(&keyword, taken.keywords) {
        return Err(NameError::Keyword(other.clone()));
    }
    let prefix = prefixes(handle).find(|prefix| is_free(prefix, taken.prefixes));
    let prefix = prefix.ok_or_else(|| NameError::Prefix(handle.clone()))?;
    Ok(Name { handle: handle.clone(), keyword, prefix })
}

/// The live keyword that `keyword` equals or is one edit from (two neighbours swapped are one edit).
#[must_use]
pub fn near<'a>(keyword: &Keyword, live: &'a [Keyword]) -> Option<&'a Keyword> {
    live.iter().find(|other| strsim::osa_distance(keyword.as_str(), other.as_str()) <= 1)
}

/// At most `most` names close to `wanted` that can be had, the most natural first; the same for the same arguments.
#[must_use]
pub fn alternatives(wanted: &Handle, taken: Taken<'_>, most: usize) -> Vec<Name> {
    let texts = candidates(wanted.as_str());
    let handles = texts.filter_map(|text| Handle::parse(&text).ok()).filter(|handle| handle != wanted);
    handles.filter_map(|handle| name(&handle, taken).ok()).take(most).collect()
}

/// What stands before and after a name and is said easily, the best first; then every two-digit number.
const BESIDE: [(&str, &str); 10] = [
    ("", "2"),
    ("", "24"),
    ("", "h"),
    ("its", ""),
    ("", "says"),
    ("", "live"),
    ("hey", ""),
    ("", "daily"),
    ("ask", ""),
    ("real", ""),
];

fn candidates(base: &str) -> impl Iterator<Item = String> {
    let words = BESIDE.into_iter().map(move |(front, end)| joined(base, front, end));
    words.chain((10..100).map(move |number| joined(base, "", &number.to_string())))
}

/// `front`, as much of the name as fits, `end`.
fn joined(base: &str, front: &str, end: &str) -> String {
    let room = crate::domain::keyword::MAX_CHARS - front.len() - end.len();
    format!("{front}{}{end}", base.get(..room.min(base.len())).unwrap_or(base))
}

/// Beginnings for codes, the handle itself first; then with its number in front (`24ANNA`), which a taken `ANNA` does
/// not begin; then with another digit there. 0 and 1 are left out: they are misread.
fn prefixes(handle: &Handle) -> impl Iterator<Item = String> {
    let whole = handle.upper();
    let letters = whole.trim_end_matches(|sign: char| sign.is_ascii_digit()).to_owned();
    let number = whole.get(letters.len()..).unwrap_or_default().to_owned();
    let turned = (!number.is_empty()).then(|| format!("{number}{letters}"));
    let counted = whole.clone();
    std::iter::once(whole).chain(turned).chain((2..=9).map(move |digit| format!("{digit}{counted}")))
}

fn is_free(prefix: &str, taken: &[String]) -> bool {
    // A longest handle with a digit in front leaves no room for the random part.
    let fits = prefix.len() <= crate::domain::keyword::MAX_CHARS;
    fits && !taken.iter().any(|other| other.starts_with(prefix) || prefix.starts_with(other.as_str()))
}

/// The pattern of her codes, e.g. `ANNA-????-???*`: as many random symbols as `cap` live codes need, at least seven,
/// and a check character.
///
/// # Errors
/// [`SpaceTooSmall`] for a cap above two and a half thousand million.
pub fn code_pattern(name: &Name, cap: u64) -> Result<Pattern, SpaceTooSmall> {
    let with = |symbols: usize| {
        let mut text = format!("{}-", name.prefix);
        for at in 0..symbols {
            if at > 0 && at % GROUP == 0 {
                text.push('-');
            }
            text.push('?');
        }
        text.push('*');
        #[expect(clippy::expect_used, reason = "at most 20 literals, 11 places and a check character fill 32")]
        let pattern = Pattern::parse(&text).expect("a prefix of letters and digits, places and a check character");
        pattern
    };
    let wide = (MIN_RANDOM..MAX_RANDOM).map(with).find(|pattern| pattern.check_space(cap).is_ok());
    let pattern = wide.unwrap_or_else(|| with(MAX_RANDOM));
    pattern.check_space(cap).map(|()| pattern)
}

/// The keyword of one post: `ANNA7` of ANNA and 7.
///
/// # Errors
/// [`KeywordError::TooLong`] when a long handle leaves no room for the number.
pub fn sub_keyword(keyword: &Keyword, post: u16) -> Result<Keyword, KeywordError> {
    Keyword::parse(&format!("{keyword}{post}"))
}

#[cfg(test)]
mod tests;
