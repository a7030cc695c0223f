//! The values of documents: each reads its own text, so that an error has the line of the value.

use crate::domain::pattern::Pattern;
use chrono::{Duration, NaiveDate, NaiveDateTime, NaiveTime};
use chrono_tz::{TZ_VARIANTS, Tz};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A zone by its IANA name: `America/New_York`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub struct Zone(pub Tz);

impl Default for Zone {
    fn default() -> Self {
        Self(Tz::UTC)
    }
}

impl TryFrom<String> for Zone {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        name.parse().map(Self).map_err(|_| {
            let known = TZ_VARIANTS.iter().map(|zone| zone.name());
            let nearest = known.min_by_key(|known| strsim::osa_distance(&name, known)).unwrap_or("UTC");
            format!("there is no zone \"{name}\"; did you mean \"{nearest}\"?")
        })
    }
}

impl From<Zone> for &'static str {
    fn from(zone: Zone) -> Self {
        zone.0.name()
    }
}

/// A date and time of day without a zone: `"2026-11-24T09:00"`, or a date, which means its midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "TimeIn", into = "String")]
pub struct LocalTime(pub NaiveDateTime);

/// TOML has times of its own; JSON and most people write text.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a local date and time such as \"2026-11-24T09:00\"")]
enum TimeIn {
    Text(String),
    Toml(toml::value::Datetime),
}

impl TryFrom<TimeIn> for LocalTime {
    type Error = String;

    fn try_from(given: TimeIn) -> Result<Self, String> {
        let text = match given {
            TimeIn::Text(text) => text,
            TimeIn::Toml(time) => time.to_string(),
        };
        Self::parse(&text).ok_or_else(|| {
            format!("\"{text}\" is no local date and time such as \"2026-11-24T09:00\" (the campaign's zone applies)")
        })
    }
}

impl LocalTime {
    /// Reads `2026-11-24`, `2026-11-24T09:00` or `2026-11-24T09:00:00`; a space may stand for the `T`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().replacen(' ', "T", 1);
        let date = NaiveDate::parse_from_str(&text, "%Y-%m-%d").map(|date| date.and_time(NaiveTime::MIN));
        date.or_else(|_| NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M"))
            .or_else(|_| NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S"))
            .ok()
            .map(Self)
    }
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.format("%Y-%m-%dT%H:%M:%S").fmt(f)
    }
}

impl From<LocalTime> for String {
    fn from(time: LocalTime) -> Self {
        time.to_string()
    }
}

/// A length of time in ISO 8601: `P30D`, `PT4H`, `P1DT12H`, `P2W`. Months and years have no fixed length and are refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IsoDuration {
    text: String,
    seconds: i64,
}

/// The longest length that is taken: a hundred years.
const LONGEST_SECONDS: i64 = 36_525 * 86_400;

impl IsoDuration {
    /// Reads it; `None` when it is no such length, zero, or beyond a hundred years.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix('P')?;
        let (days, time) = match rest.split_once('T') {
            Some((_, "")) => return None,
            Some((days, time)) => (days, time),
            None => (rest, ""),
        };
        let days = sum(days, &[('W', 604_800), ('D', 86_400)])?;
        let time = sum(time, &[('H', 3_600), ('M', 60), ('S', 1)])?;
        let seconds = days.checked_add(time)?;
        (1..=LONGEST_SECONDS).contains(&seconds).then(|| Self { text: text.to_owned(), seconds })
    }

    /// The length.
    #[must_use]
    pub fn duration(&self) -> Duration {
        Duration::seconds(self.seconds)
    }

    /// The length in milliseconds.
    #[must_use]
    pub fn millis(&self) -> i64 {
        self.seconds * 1_000
    }
}

/// Adds up `1W2D` by its units, each at most once and in order.
fn sum(text: &str, units: &[(char, i64)]) -> Option<i64> {
    let (mut rest, mut total) = (text, 0_i64);
    for (unit, seconds) in units {
        if let Some((number, after)) = rest.split_once(*unit) {
            if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            total = total.checked_add(number.parse::<i64>().ok()?.checked_mul(*seconds)?)?;
            rest = after;
        }
    }
    rest.is_empty().then_some(total)
}

impl TryFrom<String> for IsoDuration {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| {
            format!("\"{text}\" is no length of time such as \"P30D\", \"PT4H\" or \"P2W\" (weeks, days, hours, minutes, seconds)")
        })
    }
}

impl From<IsoDuration> for String {
    fn from(length: IsoDuration) -> Self {
        length.text
    }
}

impl fmt::Display for IsoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Money in major units: `250000` or `250000.50`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "MajorIn", into = "String")]
pub struct Major(String);

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected money in major units such as 250000.00")]
enum MajorIn {
    Whole(u64),
    Parts(f64),
    Text(String),
}

impl TryFrom<MajorIn> for Major {
    type Error = String;

    fn try_from(given: MajorIn) -> Result<Self, String> {
        let text = match given {
            MajorIn::Whole(number) => number.to_string(),
            // The shortest text that reads back as the same number: what the person wrote.
            MajorIn::Parts(number) => number.to_string(),
            MajorIn::Text(text) => text,
        };
        let plain = |part: &str| part.len() <= 15 && part.bytes().all(|byte| byte.is_ascii_digit());
        let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
        if whole.is_empty() || !plain(whole) || !plain(part) {
            return Err(format!("{text} is no money in major units such as 250000.00"));
        }
        let part = part.trim_end_matches('0');
        Ok(Self(if part.is_empty() { whole.to_owned() } else { format!("{whole}.{part}") }))
    }
}

impl From<Major> for String {
    fn from(money: Major) -> Self {
        money.0
    }
}

impl Major {
    /// In minor units of a currency with so many decimals; `None` when it has more decimals than that.
    #[must_use]
    pub fn minor(&self, decimals: u32) -> Option<i64> {
        let (whole, part) = self.0.split_once('.').unwrap_or((&self.0, ""));
        let missing = usize::try_from(decimals).ok()?.checked_sub(part.len())?;
        format!("{whole}{part}{}", "0".repeat(missing)).parse().ok()
    }
}

impl fmt::Display for Major {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A country by two letters of ISO 3166.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Country(String);

impl Country {
    /// The two letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Country {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let right = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase());
        if right {
            Ok(Self(text))
        } else {
            Err(format!("\"{text}\" is no country of two capital letters such as \"US\""))
        }
    }
}

impl From<Country> for String {
    fn from(country: Country) -> Self {
        country.0
    }
}

/// The text of a valid [`Pattern`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PatternText(Pattern);

impl PatternText {
    /// What it means.
    #[must_use]
    pub fn pattern(&self) -> &Pattern {
        &self.0
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl TryFrom<String> for PatternText {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Pattern::parse(&text).map(Self).map_err(|error| format!("pattern \"{text}\": {error}"))
    }
}

impl From<PatternText> for String {
    fn from(text: PatternText) -> Self {
        text.as_str().to_owned()
    }
}
