//! The layers of a configuration laid over each other: compiled-in defaults, a file, variables.

use std::collections::BTreeMap;

use super::document;
use super::error::{ConfigError, Origin};

/// The defaults, with unit and reason of every key. What does not stand there is not a key.
const DEFAULTS: &str = include_str!("../../config/default.toml");

/// Keys of rows, which have no default to stand in the list of keys.
const ROW_KEYS: [&str; 8] = [
    "senders[]",
    "senders[].address",
    "senders[].rate",
    "senders[].spend_hour",
    "senders[].spend_day",
    "prices[]",
    "prices[].country",
    "prices[].segment",
];
/// Lists of rows: set in a file only.
const ROWS: [&str; 4] = ["senders", "prices", "carriers", "peers"];

/// The keys of every row that we check.
fn row_keys<'a>() -> impl Iterator<Item = &'a str> {
    ROW_KEYS.into_iter().chain(super::peer::KEYS)
}

/// Rows whose keys are for others to know: what an account needs is said by its carrier.
const OPEN_ROWS: [&str; 1] = ["carriers[]"];
/// The keys of such rows that are shown in messages; everything else may be a secret.
const SHOWN_IN_ROWS: [&str; 7] = ["", ".name", ".kind", ".base_url", ".rate", ".spend_hour", ".spend_day"];

/// Keys whose value is never shown; rows without their numbers.
const SECRET_KEYS: [&str; 4] =
    ["database.url", "peers[].secret", "peers[].webhook_secret", "peers[].webhook_secret_before"];

/// Every variable of ours begins so.
const PREFIX: &str = "CODEWELL_";

/// A value as it was written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    Boolean(bool),
    List(Vec<Value>),
    /// The head of a table or row; its keys are settings of their own.
    Table,
    /// The text of a variable: what it means is for the key to say.
    Variable(String),
    /// What no key takes: numbers with a fraction, dates, integers beyond 64 bits.
    Other,
}

/// One key with its value and the place it came from.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    pub(super) key: String,
    pub(super) value: Value,
    /// The value for messages: as written, shortened, secrets replaced.
    pub(super) shown: String,
    pub(super) origin: Origin,
}

/// All layers as one: for every key the setting of the highest layer that has it.
#[derive(Debug)]
pub(super) struct Settings {
    found: BTreeMap<String, Setting>,
    /// The defaults as they stand in the file, for messages.
    defaults: BTreeMap<String, String>,
}

impl Settings {
    /// The compiled-in defaults alone.
    ///
    /// # Errors
    /// [`ConfigError::Syntax`] if the compiled-in file is no TOML, which a test rules out.
    pub(super) fn defaults() -> Result<Self, ConfigError> {
        let mut settings = Self { found: BTreeMap::new(), defaults: BTreeMap::new() };
        for setting in document::parse(DEFAULTS, "config/default.toml")? {
            settings.defaults.insert(setting.key.clone(), setting.shown.clone());
            settings.put(Setting { origin: Origin::Default, ..setting });
        }
        Ok(settings)
    }

    /// Lays the file over what is there.
    ///
    /// # Errors
    /// [`ConfigError::Syntax`], or [`ConfigError::UnknownKey`] for the first such line.
    pub(super) fn add_file(&mut self, text: &str, file: &str) -> Result<(), ConfigError> {
        for setting in document::parse(text, file)? {
            if setting.value == Value::Table && self.is_section(&setting.key) {
                continue;
            }
            if !self.is_known(&setting.key) {
                let hint = self.hint(&setting.key, |near| near);
                let key = masked(&setting.key);
                return Err(ConfigError::UnknownKey { origin: setting.origin, key, hint });
            }
            self.put(setting);
        }
        Ok(())
    }

    /// Lays variables named `CODEWELL_SECTION__KEY` over what is there; others are not ours.
    ///
    /// # Errors
    /// [`ConfigError::UnknownKey`] for the first such name in alphabetical order.
    pub(super) fn add_variables(
        &mut self,
        variables: impl Iterator<Item = (String, String)>,
    ) -> Result<(), ConfigError> {
        let ours: BTreeMap<String, String> = variables.filter(|(name, _)| name.starts_with(PREFIX)).collect();
        for (name, text) in ours {
            let words = name.trim_start_matches(PREFIX).to_ascii_lowercase();
            let key = words.replace("__", ".");
            if !key.contains('.') && key != "environment" && !self.is_slip(&key) {
                // Container platforms invent names such as CODEWELL_SERVICE_HOST from a service's own name.
                continue;
            }
            if !self.is_known(&key) || ROWS.contains(&key.as_str()) {
                let hint = self.hint(&key, |near| variable_name(&near));
                return Err(ConfigError::UnknownKey { origin: Origin::Variable(name), key, hint });
            }
            let shown = shown(&key, &format!("{text:?}"));
            let origin = Origin::Variable(name);
            self.put(Setting { key, value: Value::Variable(text), shown, origin });
        }
        Ok(())
    }

    /// Sets a text above all layers, as an option of the command line does.
    pub(super) fn put_text(&mut self, key: &str, text: String, origin: Origin) {
        let shown = shown(key, &format!("{text:?}"));
        self.put(Setting { key: key.to_owned(), value: Value::Text(text), shown, origin });
    }

    pub(super) fn get(&self, key: &str) -> Option<&Setting> {
        self.found.get(key)
    }

    /// The settings of one row, by key.
    pub(super) fn row(&self, head: &str) -> impl Iterator<Item = &Setting> {
        let prefix = format!("{head}.");
        self.found.values().filter(move |setting| setting.key.starts_with(&prefix))
    }

    /// Every setting, by key.
    #[cfg(test)]
    pub(super) fn all(&self) -> impl Iterator<Item = &Setting> {
        self.found.values()
    }

    /// The default as it stands in the file.
    pub(super) fn default_of(&self, key: &str) -> Option<&str> {
        self.defaults.get(key).map(String::as_str)
    }

    fn put(&mut self, setting: Setting) {
        self.found.insert(setting.key.clone(), setting);
    }

    fn is_known(&self, key: &str) -> bool {
        self.defaults.contains_key(key) || row_keys().any(|known| known == unnumbered(key)) || is_open_row(key)
    }

    fn is_section(&self, key: &str) -> bool {
        let prefix = format!("{key}.");
        self.defaults.keys().any(|known| known.starts_with(&prefix))
    }

    /// A name with one underscore where two belong, or nearly `environment`: surely meant for us.
    fn is_slip(&self, key: &str) -> bool {
        strsim::damerau_levenshtein(key, "environment") <= 2
            || self.defaults.keys().any(|known| known.replace('.', "_") == key)
    }

    /// `did you mean …?` with the nearest key, or where all keys are listed.
    fn hint(&self, key: &str, spell: impl Fn(String) -> String) -> String {
        let wanted = unnumbered(key);
        let known = self.defaults.keys().map(String::as_str).chain(row_keys());
        let nearest = known
            .map(|known| (distance(&wanted, known), known))
            .min_by_key(|(distance, _)| *distance)
            .filter(|(distance, _)| *distance <= 1 + wanted.len() / 5);
        match nearest {
            Some((_, near)) => format!("did you mean {}?", spell(numbered_like(near, key))),
            None => "config/default.toml has every key".to_owned(),
        }
    }
}

/// Whether a key stands in a row that others check.
fn is_open_row(key: &str) -> bool {
    let key = unnumbered(key);
    let name = OPEN_ROWS.iter().find_map(|row| key.strip_prefix(row));
    name.is_some_and(|name| name.is_empty() || name.starts_with('.') && !name.contains('[') && name.len() > 1)
}

/// Edits between two keys; a right name in a wrong section is one edit away.
fn distance(wanted: &str, known: &str) -> usize {
    let name = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
    let edits = strsim::damerau_levenshtein(wanted, known);
    if name(wanted) == name(known) { edits.min(1) } else { edits }
}

/// `senders[3].rate` as `senders[].rate`.
fn unnumbered(key: &str) -> String {
    match (key.find('['), key.find(']')) {
        (Some(open), Some(close)) if open < close => {
            let (head, tail) = key.split_at(open);
            let tail = tail.get(close - open..).unwrap_or_default();
            format!("{head}[{tail}")
        }
        _ => key.to_owned(),
    }
}

/// `senders[].rate` with the row number that `key` has, if any.
fn numbered_like(known: &str, key: &str) -> String {
    let number = key.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map_or("", |(n, _)| n);
    known.replacen("[]", &format!("[{number}]"), 1)
}

/// The variable that sets a key.
fn variable_name(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_ascii_uppercase())
}

/// A value for messages: at most one line of 60 characters, and nothing that could hold a password.
pub(super) fn shown(key: &str, written: &str) -> String {
    let open = OPEN_ROWS.iter().find_map(|row| unnumbered(key).strip_prefix(row).map(str::to_owned));
    if SECRET_KEYS.contains(&unnumbered(key).as_str())
        || open.is_some_and(|name| !SHOWN_IN_ROWS.contains(&name.as_str()))
    {
        return HIDDEN.to_owned();
    }
    let line = masked(written);
    let first = line.lines().next().unwrap_or_default();
    if first.chars().count() > 60 || first.len() < line.len() {
        return first.chars().take(60).chain("…".chars()).collect();
    }
    first.to_owned()
}

pub(super) const HIDDEN: &str = "(not shown)";

/// The text, unless it looks like a database's address or a password that strayed into another key.
fn masked(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let stray = lower.contains('@') || lower.contains("postgres") || lower.contains("password");
    if stray { HIDDEN.to_owned() } else { text.to_owned() }
}
