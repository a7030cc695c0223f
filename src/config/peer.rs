//! `[[peers]]`: the redemption systems of others that honour codes of ours.

use std::time::Duration;

use super::error::{ConfigError, Origin};
use super::layers::{Setting, Settings, Value};
use super::read::{as_text, whole};
use crate::domain::secret::Secret;

/// Every key of a row, for the list of known keys.
pub(super) const KEYS: [&str; 16] = [
    "peers[]",
    "peers[].name",
    "peers[].kind",
    "peers[].base_url",
    "peers[].user",
    "peers[].secret",
    "peers[].secret_file",
    "peers[].webhook_secret",
    "peers[].webhook_secret_file",
    "peers[].webhook_secret_before",
    "peers[].webhook_secret_before_file",
    "peers[].quota_per_minute",
    "peers[].read_timeout_ms",
    "peers[].redeem_timeout_ms",
    "peers[].bulk_timeout_ms",
    "peers[].mapping_file",
];

/// The longest name of a peer: it stands in the address of its webhook.
const MAX_NAME: usize = 40;
/// Who says what became of a code, where it is we: a peer of that name would speak for us (ADR 0009).
const OURS: [&str; 2] = ["till", "house"];
/// Times of one try: a read is on a person's way, a redeem on a cashier's, a page on nobody's.
const READ_MS: u64 = 1500;
const REDEEM_MS: u64 = 4000;
const BULK_MS: u64 = 30_000;

/// One redemption peer.
#[derive(Debug, Clone)]
pub struct PeerConfig {
    /// Its name in campaigns and in the address of its webhook.
    pub name: String,
    /// Which adapter: `http`, `voucherify`.
    pub kind: String,
    /// Where it is: http:// or https://, with a path if it has one.
    pub base_url: String,
    /// Our account there.
    pub user: Option<String>,
    /// Our key there.
    pub secret: Option<Secret<String>>,
    /// What its webhooks are signed with: the current secret first, then the one before.
    pub webhook_secrets: Vec<Secret<String>>,
    /// Calls a minute that our account may make.
    pub quota_per_minute: Option<u32>,
    /// One try at a question about codes.
    pub read_timeout: Duration,
    /// One try at a redeem.
    pub redeem_timeout: Duration,
    /// One try at a page of codes or events.
    pub bulk_timeout: Duration,
    /// The text of its mapping file.
    pub mapping: Option<String>,
    /// Where the row stands.
    pub origin: Origin,
}

/// Reads every row; no name stands twice.
pub(super) fn read_rows(settings: &Settings) -> Result<Vec<PeerConfig>, ConfigError> {
    if let Some(list) = settings.get("peers")
        && list.value != Value::List(Vec::new())
    {
        return Err(settings.bad_value(list, "[[peers]] with name, kind and base_url"));
    }
    let mut rows: Vec<PeerConfig> = Vec::new();
    while let Some(head) = settings.get(&format!("peers[{}]", rows.len())) {
        let row = Row { settings, head }.read()?;
        if rows.iter().any(|other| other.name == row.name) {
            let named = settings.get(&format!("{}.name", head.key)).unwrap_or(head);
            return Err(settings.bad_value(named, "a name that no row above has"));
        }
        rows.push(row);
    }
    Ok(rows)
}

/// One row while it is read.
struct Row<'s> {
    settings: &'s Settings,
    head: &'s Setting,
}

impl Row<'_> {
    fn read(&self) -> Result<PeerConfig, ConfigError> {
        let is_web = |text: &str| text.starts_with("https://") || text.starts_with("http://");
        let secrets = [self.secret("webhook_secret")?, self.secret("webhook_secret_before")?];
        Ok(PeerConfig {
            name: self.required(
                "name",
                "lower-case letters, digits, - and _; not till and not house, which are ours",
                is_name,
            )?,
            kind: self.required("kind", "which peer it is: \"http\" or \"voucherify\"", |_| true)?,
            base_url: self.required("base_url", "http:// or https:// and where the peer is", is_web)?,
            user: self.text("user", "a text", |_| true)?,
            secret: self.secret("secret")?,
            webhook_secrets: secrets.into_iter().flatten().collect(),
            quota_per_minute: self.number("quota_per_minute", "calls a minute, 1 to 1000000", (1, 1_000_000))?,
            read_timeout: self.milliseconds("read_timeout_ms", READ_MS)?,
            redeem_timeout: self.milliseconds("redeem_timeout_ms", REDEEM_MS)?,
            bulk_timeout: self.milliseconds("bulk_timeout_ms", BULK_MS)?,
            mapping: self.text("mapping_file", "a file", |_| true)?.map(|path| read_file(&path)).transpose()?,
            origin: self.head.origin.clone(),
        })
    }

    fn get(&self, key: &str) -> Option<&Setting> {
        self.settings.get(&format!("{}.{key}", self.head.key))
    }

    fn text(&self, key: &str, expected: &str, fits: impl Fn(&str) -> bool) -> Result<Option<String>, ConfigError> {
        let Some(setting) = self.get(key) else {
            return Ok(None);
        };
        let text = as_text(&setting.value).filter(|text| !text.is_empty() && fits(text));
        let text = text.ok_or_else(|| self.settings.bad_value(setting, expected))?;
        Ok(Some(text.to_owned()))
    }

    fn required(&self, key: &str, expected: &str, fits: impl Fn(&str) -> bool) -> Result<String, ConfigError> {
        self.text(key, expected, fits)?.ok_or_else(|| ConfigError::Missing {
            origin: self.head.origin.clone(),
            key: format!("{}.{key}", self.head.key),
            expected: expected.to_owned(),
        })
    }

    /// A secret as it stands, or from the file that `KEY_file` names.
    fn secret(&self, key: &str) -> Result<Option<Secret<String>>, ConfigError> {
        let written = self.text(key, "a text", |_| true)?;
        let file_key = format!("{key}_file");
        let file = self.text(&file_key, "a file", |_| true)?;
        match (written, file, self.get(&file_key)) {
            (Some(_), Some(_), Some(setting)) => {
                Err(self.settings.bad_value(setting, &format!("either {key} or {file_key}, not both")))
            }
            (Some(text), _, _) => Ok(Some(Secret::new(text))),
            (None, Some(path), _) => Ok(Some(Secret::new(read_file(&path)?.trim_end_matches(['\r', '\n']).to_owned()))),
            (None, None, _) => Ok(None),
        }
    }

    fn number(&self, key: &str, expected: &str, (low, high): (u64, u64)) -> Result<Option<u32>, ConfigError> {
        let Some(setting) = self.get(key) else {
            return Ok(None);
        };
        let number = whole(&setting.value, &(low..=high)).and_then(|number| u32::try_from(number).ok());
        number.map(Some).ok_or_else(|| self.settings.bad_value(setting, expected))
    }

    fn milliseconds(&self, key: &str, default: u64) -> Result<Duration, ConfigError> {
        let expected = format!("milliseconds, 50 to 60000 (default {default})");
        let given = self.number(key, &expected, (50, 60_000))?;
        Ok(Duration::from_millis(given.map_or(default, u64::from)))
    }
}

fn read_file(path: &str) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable { file: path.to_owned(), source })
}

fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    text.len() <= MAX_NAME && text.bytes().all(fits) && !OURS.contains(&text)
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn a_peer_bears_no_name_under_which_the_ledger_keeps_our_own_word() {
        for name in ["till", "house", "Till", "a b"] {
            assert!(!is_name(name), "{name}");
        }
        assert!(is_name("burger-shop") && is_name("till-2"));
    }
}
