//! Numbers of phones, and our own numbers that phones write to.

use std::fmt;
use std::str::FromStr;

use crate::domain::act::NumberRange;

use phonenumber::{Mode, country};

mod area;
mod sender;
#[cfg(test)]
mod tests;

pub use sender::{BadSender, SenderAddress};

/// The fewest and the most digits of a number with its calling code (ITU-T E.164; the shortest in use have seven).
const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;
/// A person's input is not longer than this many bytes.
const MAX_INPUT_BYTES: usize = 64;

/// A phone number in E.164 form: `+`, then 7 to 15 digits. `Debug` and `Display` show the last two.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PhoneNumber(Box<str>);

impl PhoneNumber {
    /// Reads what a person or a partner wrote: international (`+44 7400 123456`), or national when `default_region`
    /// (ISO 3166 alpha-2, upper case) says of which country. Letters and extensions are refused.
    ///
    /// Numbers of the North American plan are judged by their form alone (`NXX NXX XXXX`), which needs no tables and
    /// under a microsecond; all others must be valid by the numbering plan of their country.
    ///
    /// # Errors
    /// [`BadPhone`].
    pub fn parse(text: &str, default_region: Option<&str>) -> Result<Self, BadPhone> {
        let typed = compact(text)?;
        if let Some(international) = typed.strip_prefix('+') {
            return if international.starts_with('1') {
                north_american(international).ok_or(BadPhone::NotInUse)
            } else {
                by_the_plan(&typed, None)
            };
        }
        let region = default_region.ok_or(BadPhone::NoCountry)?;
        if area::is_north_american(region) {
            let international = if typed.len() == 10 { format!("1{typed}") } else { typed.clone() };
            if let Some(number) = north_american(&international) {
                return Ok(number);
            }
        }
        let region = country::Id::from_str(region).map_err(|_| BadPhone::UnknownRegion)?;
        by_the_plan(&typed, Some(region))
    }

    /// Takes a number over from a carrier, which vouches for it: E.164, with or without the `+`. Form alone is looked
    /// at, so that a stale numbering plan never loses a customer. Short codes and names are refused.
    ///
    /// # Errors
    /// [`BadPhone::NotANumber`].
    pub fn from_e164(text: &str) -> Result<Self, BadPhone> {
        let digits = text.strip_prefix('+').unwrap_or(text);
        if is_e164(digits) { Ok(Self(format!("+{digits}").into_boxed_str())) } else { Err(BadPhone::NotANumber) }
    }

    /// The whole number with its `+`. It is personal data: never log it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The country (ISO 3166 alpha-2, upper case), if the number tells. Countries under +1 are told apart by area
    /// code; where others share a calling code (+7, +44 …) by the numbering plan.
    #[must_use]
    pub fn country(&self) -> Option<String> {
        let digits = self.0.strip_prefix('+')?;
        if let Some(national) = digits.strip_prefix('1') {
            return Some(area::country(national.get(..3)?).to_owned());
        }
        let number = phonenumber::parse(None, &*self.0).ok()?;
        number.country().id().map(|id| id.as_ref().to_owned())
    }
}

/// Area codes of the North American plan that whoever is called pays for.
const TOLL_FREE: [&str; 7] = ["800", "833", "844", "855", "866", "877", "888"];

impl PhoneNumber {
    /// Whether it is a toll-free number of North America: a firm's, and behind it mostly a machine.
    #[must_use]
    pub fn is_toll_free(&self) -> bool {
        let area = self.0.strip_prefix("+1").and_then(|national| national.get(..3));
        area.is_some_and(|area| TOLL_FREE.contains(&area)) && self.0.len() == 12
    }

    /// Its first seven digits.
    #[must_use]
    pub fn range(&self) -> Option<NumberRange> {
        self.0.get(1..8).and_then(|digits| digits.parse().ok()).map(NumberRange)
    }
}

fn is_e164(digits: &str) -> bool {
    DIGITS.contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0')
}

/// The digits, with a leading `+` if there is one. Full-width digits and the usual punctuation are read.
fn compact(text: &str) -> Result<String, BadPhone> {
    use unicode_normalization::UnicodeNormalization;

    if text.len() > MAX_INPUT_BYTES {
        return Err(BadPhone::NotANumber);
    }
    let mut typed = String::with_capacity(text.len());
    for c in text.trim().nfkc() {
        match c {
            '0'..='9' => typed.push(c),
            '+' if typed.is_empty() => typed.push(c),
            ' '
            | '-'
            | '.'
            | '('
            | ')'
            | '/'
            | '\u{2010}'..='\u{2015}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'
            | '\u{2066}'..='\u{2069}' => {}
            _ => return Err(BadPhone::NotANumber),
        }
    }
    if typed.len() < 3 { Err(BadPhone::NotANumber) } else { Ok(typed) }
}

/// `1 NXX NXX XXXX`, N from 2 to 9.
fn north_american(digits: &str) -> Option<PhoneNumber> {
    let national = digits.strip_prefix('1').filter(|national| national.len() == 10)?;
    let from_two = |at| national.as_bytes().get(at).is_some_and(|b| (b'2'..=b'9').contains(b));
    (from_two(0) && from_two(3)).then(|| PhoneNumber(format!("+{digits}").into_boxed_str()))
}

fn by_the_plan(typed: &str, region: Option<country::Id>) -> Result<PhoneNumber, BadPhone> {
    let number = phonenumber::parse(region, typed).map_err(|_| BadPhone::NotANumber)?;
    if !phonenumber::is_valid(&number) {
        return Err(BadPhone::NotInUse);
    }
    PhoneNumber::from_e164(&number.format().mode(Mode::E164).to_string())
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "…{}", self.0.get(self.0.len().saturating_sub(2)..).unwrap_or_default())
    }
}

/// Why a text is no phone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPhone {
    /// Letters, too few or too many digits.
    #[error("this is no phone number")]
    NotANumber,
    /// The country's plan has no such number.
    #[error("the country has no such phone number")]
    NotInUse,
    /// It has no `+`, and no country is assumed.
    #[error("write the phone number with + and its country code")]
    NoCountry,
    /// The region is not an ISO 3166 alpha-2 code.
    #[error("the default region is not a country")]
    UnknownRegion,
}
