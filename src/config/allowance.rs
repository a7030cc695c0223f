//! What may leave through a number or an account: segments a second, and money an hour and a day.

use super::error::ConfigError;
use super::layers::{Setting, Settings, Value};
use super::read::{as_text, whole};

/// Digits behind the point that a price may have: prices are kept in millionths.
const DECIMALS: usize = 6;
/// Digits before it.
const MAX_WHOLE_DIGITS: usize = 9;
/// What a price or cap looks like.
pub(super) const MONEY: &str = "an amount as text, such as \"0.0079\"";

/// The limits of one number or account; what is not set is not limited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Allowance {
    /// Segments per second.
    pub rate: Option<u32>,
    /// What an hour of messages may cost, millionths of the currency of the prices.
    pub spend_hour: Option<i64>,
    /// What a day (UTC) of messages may cost, likewise.
    pub spend_day: Option<i64>,
}

impl Allowance {
    /// The keys of a row that are an allowance.
    pub(super) const KEYS: [&'static str; 3] = ["rate", "spend_hour", "spend_day"];

    /// Reads them from a row; `default` is the rate of a row without one.
    ///
    /// # Errors
    /// [`ConfigError::BadValue`].
    pub(super) fn read(settings: &Settings, row: &str, default: Option<u32>, most: u64) -> Result<Self, ConfigError> {
        let rate = match settings.get(&format!("{row}.rate")) {
            Some(setting) => Some(read_rate(settings, setting, default, most)?),
            None => default,
        };
        let money = |key: &str| {
            let setting = settings.get(&format!("{row}.{key}"));
            setting.map(|setting| read_money(settings, setting)).transpose()
        };
        Ok(Self { rate, spend_hour: money("spend_hour")?, spend_day: money("spend_day")? })
    }

    /// Whether money is counted for it.
    #[must_use]
    pub fn has_cap(&self) -> bool {
        self.spend_hour.is_some() || self.spend_day.is_some()
    }
}

fn read_rate(settings: &Settings, setting: &Setting, default: Option<u32>, most: u64) -> Result<u32, ConfigError> {
    let rate = whole(&setting.value, &(1..=most)).and_then(|rate| u32::try_from(rate).ok());
    let default = default.map_or(String::new(), |default| format!(" (default {default})"));
    rate.ok_or_else(|| settings.bad_value(setting, &format!("segments per second, 1 to {most}{default}")))
}

/// Reads an amount of money, in millionths.
///
/// # Errors
/// [`ConfigError::BadValue`].
pub(super) fn read_money(settings: &Settings, setting: &Setting) -> Result<i64, ConfigError> {
    let amount = as_text(&setting.value).and_then(millionths);
    amount.ok_or_else(|| settings.bad_value(setting, MONEY))
}

/// "0.0079" in millionths: 7900.
pub(super) fn millionths(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let fits = !whole.is_empty() && whole.len() <= MAX_WHOLE_DIGITS && part.len() <= DECIMALS;
    let ends_well = !text.ends_with('.');
    if !(fits && ends_well && digits(whole) && digits(part)) {
        return None;
    }
    format!("{whole}{part:0<DECIMALS$}").parse().ok()
}

/// Countries by two capital letters; in a variable they are separated by commas.
pub(super) fn countries(value: &Value) -> Option<Vec<String>> {
    let words: Vec<&str> = match value {
        Value::List(items) => items.iter().map(as_text).collect::<Option<_>>()?,
        Value::Variable(text) => text.split(',').map(str::trim).filter(|word| !word.is_empty()).collect(),
        Value::Text(_) | Value::Integer(_) | Value::Boolean(_) | Value::Table | Value::Other => return None,
    };
    words.iter().all(|word| is_country(word)).then(|| words.into_iter().map(str::to_owned).collect())
}

/// Two capital letters.
pub(super) fn is_country(word: &str) -> bool {
    word.len() == 2 && word.bytes().all(|byte| byte.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::millionths;

    #[test]
    fn money_is_read_exactly_or_not_at_all() {
        for (text, amount) in [("0", 0), ("0.0079", 7_900), ("12", 12_000_000), ("1.000001", 1_000_001)] {
            assert_eq!(millionths(text), Some(amount), "{text}");
        }
        for text in ["", ".5", "5.", "-1", "1e3", "1,5", "0.0000001", "1234567890", "$1"] {
            assert_eq!(millionths(text), None, "{text}");
        }
    }
}
