//! `[[carriers]]`: the carrier accounts of this house.
//!
//! What an account needs is for its adapter to say; here a row is only read: its keys, and the files that hold secrets.

use std::collections::BTreeMap;
use std::fmt;

use super::allowance::Allowance;
use super::error::{ConfigError, Origin};
use super::layers::{Setting, Settings, Value};
use super::read::as_text;
use crate::domain::secret::Secret;

/// A key with this ending names a file that holds the value of the key before it.
const FILE: &str = "_file";
/// The longest name of an account.
const MAX_NAME: usize = 40;
/// The highest rate of one account, segments per second.
const MAX_RATE: u64 = 10_000;

/// One carrier account.
#[derive(Clone)]
pub struct CarrierConfig {
    /// Its name in the documents of senders.
    pub name: String,
    /// Which carrier: `twilio`, `generic`, …
    pub kind: String,
    /// Where its API is, where that is not the carrier's own address.
    pub base_url: Option<String>,
    /// Everything else that stands in the row, files read. All of it is kept like a secret.
    pub keys: BTreeMap<String, Secret<String>>,
    /// What may leave through it.
    pub allowance: Allowance,
    /// Where the row stands.
    pub origin: Origin,
}

/// Names only.
impl fmt::Debug for CarrierConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.keys.keys().collect();
        write!(f, "CarrierConfig({} of {}, with {keys:?})", self.name, self.kind)
    }
}

/// Reads every row; no name stands twice.
pub(super) fn read_rows(settings: &Settings) -> Result<Vec<CarrierConfig>, ConfigError> {
    if let Some(list) = settings.get("carriers")
        && list.value != Value::List(Vec::new())
    {
        return Err(settings.bad_value(list, "[[carriers]] with kind and what its account needs"));
    }
    let mut rows: Vec<CarrierConfig> = Vec::new();
    while let Some(head) = settings.get(&format!("carriers[{}]", rows.len())) {
        let row = read_row(settings, head)?;
        if rows.iter().any(|other| other.name == row.name) {
            let named = settings.get(&format!("{}.name", head.key));
            let named = named.or(settings.get(&format!("{}.kind", head.key))).unwrap_or(head);
            return Err(
                settings.bad_value(named, "a name that no row above has; the name of a row without one is its kind")
            );
        }
        rows.push(row);
    }
    Ok(rows)
}

fn read_row(settings: &Settings, head: &Setting) -> Result<CarrierConfig, ConfigError> {
    let mut keys = BTreeMap::new();
    for setting in settings.row(&head.key) {
        let key = setting.key.rsplit('.').next().unwrap_or_default();
        if Allowance::KEYS.contains(&key) {
            continue;
        }
        let text = text_of(&setting.value).filter(|text| !text.is_empty());
        let text = text.ok_or_else(|| settings.bad_value(setting, "a text, a whole number, true or false"))?;
        let (key, value) = match key.strip_suffix(FILE) {
            Some(key) => (key, read_file(&text)?),
            None => (key, text),
        };
        if keys.insert(key.to_owned(), value).is_some() {
            return Err(settings.bad_value(setting, &format!("either {key} or {key}{FILE}, not both")));
        }
    }
    let kind = keys.remove("kind").ok_or_else(|| ConfigError::Missing {
        origin: head.origin.clone(),
        key: format!("{}.kind", head.key),
        expected: "which carrier it is, such as \"twilio\"".to_owned(),
    })?;
    let name = keys.remove("name").unwrap_or_else(|| kind.clone());
    if !is_name(&name) {
        let named = settings.get(&format!("{}.name", head.key)).unwrap_or(head);
        return Err(settings.bad_value(named, "lower-case letters, digits, - and _"));
    }
    Ok(CarrierConfig {
        name,
        kind,
        base_url: keys.remove("base_url"),
        keys: keys.into_iter().map(|(key, value)| (key, Secret::new(value))).collect(),
        allowance: Allowance::read(settings, &head.key, None, MAX_RATE)?,
        origin: head.origin.clone(),
    })
}

/// Numbers and switches as their adapters read them: as texts.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Integer(number) => Some(number.to_string()),
        Value::Boolean(flag) => Some(flag.to_string()),
        Value::Text(_) | Value::List(_) | Value::Table | Value::Variable(_) | Value::Other => {
            as_text(value).map(str::to_owned)
        }
    }
}

/// The text of a file, without the line's end that editors add.
fn read_file(path: &str) -> Result<String, ConfigError> {
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|source| ConfigError::Unreadable { file: path.to_owned(), source })?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(fits)
}
