//! Typed reading of settings. What is expected is said once, here, for the check and for the message.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::error::{ConfigError, Origin};
use super::layers::{HIDDEN, Setting, Settings, Value};

impl Settings {
    /// A whole number. `unit` says what is counted.
    ///
    /// # Errors
    /// [`ConfigError::BadValue`] outside the range.
    pub(super) fn integer<T: TryFrom<u64>>(
        &self,
        key: &str,
        unit: &str,
        range: &RangeInclusive<u64>,
    ) -> Result<T, ConfigError> {
        let expected = format!("{unit}, {} to {}", range.start(), range.end());
        self.read(key, &expected, |value| whole(value, range))
    }

    /// A count of seconds.
    ///
    /// # Errors
    /// As [`Settings::integer`].
    pub(super) fn seconds(&self, key: &str, range: &RangeInclusive<u64>) -> Result<Duration, ConfigError> {
        Ok(Duration::from_secs(self.integer(key, "seconds", range)?))
    }

    /// A count of milliseconds.
    ///
    /// # Errors
    /// As [`Settings::integer`].
    pub(super) fn milliseconds(&self, key: &str, range: &RangeInclusive<u64>) -> Result<Duration, ConfigError> {
        Ok(Duration::from_millis(self.integer(key, "milliseconds", range)?))
    }

    /// Several counts of seconds; in a variable they are separated by commas.
    ///
    /// # Errors
    /// [`ConfigError::BadValue`] for an empty list and for one number outside the range.
    pub(super) fn seconds_list(&self, key: &str, range: &RangeInclusive<u64>) -> Result<Vec<Duration>, ConfigError> {
        let (low, high) = (range.start(), range.end());
        let expected = format!("a list of seconds, each {low} to {high}");
        self.read(key, &expected, |value| {
            let items: Vec<Value> = match value {
                Value::List(items) => items.clone(),
                Value::Variable(text) => text.split(',').map(|part| Value::Variable(part.trim().to_owned())).collect(),
                Value::Text(_) | Value::Integer(_) | Value::Boolean(_) | Value::Table | Value::Other => {
                    return None;
                }
            };
            let steps = items.iter().map(|item| whole(item, range).map(Duration::from_secs));
            steps.collect::<Option<Vec<_>>>().filter(|steps| !steps.is_empty())
        })
    }

    /// A list that `parse` understands; `expected` describes it.
    ///
    /// # Errors
    /// [`ConfigError::BadValue`] when it does not.
    pub(super) fn list<T>(
        &self,
        key: &str,
        expected: &str,
        parse: impl Fn(&Value) -> Option<T>,
    ) -> Result<T, ConfigError> {
        self.read(key, expected, parse)
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// [`ConfigError::BadValue`] for anything else.
    pub(super) fn boolean(&self, key: &str) -> Result<bool, ConfigError> {
        self.read(key, "true or false", |value| match value {
            Value::Boolean(flag) => Some(*flag),
            Value::Variable(text) => text.parse().ok(),
            Value::Text(_) | Value::Integer(_) | Value::List(_) | Value::Table | Value::Other => None,
        })
    }

    /// One of a few words.
    ///
    /// # Errors
    /// [`ConfigError::BadValue`] for any other word.
    pub(super) fn choice<T: Copy>(&self, key: &str, choices: &[(&str, T)]) -> Result<T, ConfigError> {
        let words: Vec<String> = choices.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        let expected = match words.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
            _ => words.concat(),
        };
        self.text(key, &expected, |text| choices.iter().find(|(word, _)| *word == text).map(|(_, choice)| *choice))
    }

    /// A text that `parse` understands; `expected` describes it.
    ///
    /// # Errors
    /// [`ConfigError::BadValue`] when it does not.
    pub(super) fn text<T>(
        &self,
        key: &str,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<T, ConfigError> {
        self.read(key, expected, |value| as_text(value).and_then(&parse))
    }

    /// The complaint about a key's value; the default is added where the defaults have one.
    pub(super) fn bad_value(&self, setting: &Setting, expected: &str) -> ConfigError {
        let default = match self.default_of(&setting.key) {
            None | Some("\"\"" | "[]" | HIDDEN) => String::new(),
            Some(default) => format!(" (default {default})"),
        };
        ConfigError::BadValue {
            origin: setting.origin.clone(),
            key: setting.key.clone(),
            shown: setting.shown.clone(),
            expected: format!("{expected}{default}"),
        }
    }

    fn read<T, V>(&self, key: &str, expected: &str, parse: impl Fn(&Value) -> Option<V>) -> Result<T, ConfigError>
    where
        T: TryFrom<V>,
    {
        let setting = self.get(key).ok_or_else(|| ConfigError::Missing {
            origin: Origin::Default,
            key: key.to_owned(),
            expected: expected.to_owned(),
        })?;
        parse(&setting.value).and_then(|value| T::try_from(value).ok()).ok_or_else(|| self.bad_value(setting, expected))
    }
}

/// The text of a value, if it is one.
pub(super) fn as_text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) | Value::Variable(text) => Some(text),
        Value::Integer(_) | Value::Boolean(_) | Value::List(_) | Value::Table | Value::Other => None,
    }
}

/// The texts of a list, or of a variable with commas between them.
pub(super) fn texts(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::List(items) => items.iter().map(as_text).collect(),
        Value::Variable(text) => Some(text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).collect()),
        Value::Text(_) | Value::Integer(_) | Value::Boolean(_) | Value::Table | Value::Other => None,
    }
}

/// The whole number of a value, if it is one of the range.
pub(super) fn whole(value: &Value, range: &RangeInclusive<u64>) -> Option<u64> {
    let number = match value {
        Value::Integer(number) => u64::try_from(*number).ok(),
        Value::Variable(text) => text.parse().ok(),
        Value::Text(_) | Value::Boolean(_) | Value::List(_) | Value::Table | Value::Other => None,
    };
    number.filter(|number| range.contains(number))
}
