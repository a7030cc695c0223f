//! The cases of `tests/fixtures/carriers/<kind>/*.json` and the adapters they are for.

use super::signers::{Wire, secret_key, sign};
use super::stand_in::Told;
use codewell::domain::secret::Secret;
use codewell::net::{Client, Limits};
use codewell::sms::{Account, Hooks, Registry, SmsProvider};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub(super) const PUBLIC_URL: &str = "https://coupons.acme.example";
pub(super) const SENDER: &str = "55501";
/// When every fixture happens, unix seconds.
pub(super) const AT: i64 = 1_795_000_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountIn {
    pub(super) keys: BTreeMap<String, String>,
    /// Kinds of cases that this carrier cannot have, and why.
    #[serde(default)]
    pub(super) never: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Case {
    Call(CallCase),
    Webhook(WebhookCase),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WebhookCase {
    pub(super) name: String,
    pub(super) covers: String,
    #[serde(default = "inbound")]
    pub(super) hook: String,
    #[serde(default = "post")]
    pub(super) method: String,
    #[serde(default)]
    pub(super) query: String,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) body: Option<String>,
    #[serde(default)]
    pub(super) body_hex: Option<String>,
    #[serde(default)]
    pub(super) sign: Sign,
    pub(super) expect: Value,
}

fn inbound() -> String {
    "inbound".to_owned()
}

fn post() -> String {
    "POST".to_owned()
}

/// How it is signed.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Sign {
    /// Which key of the account; `""` leaves the headers as they stand.
    pub(super) key: Option<String>,
    /// Another secret than the account's.
    pub(super) secret: Option<String>,
    /// How long ago.
    pub(super) age_s: i64,
    /// What is changed in the body after it was signed: `[from, to]`.
    pub(super) then: Option<(String, String)>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CallCase {
    pub(super) name: String,
    pub(super) covers: String,
    /// `send`, `lookup`, `pull` or `check`.
    pub(super) call: String,
    #[serde(default)]
    pub(super) out: OutIn,
    pub(super) answers: Vec<Told>,
    #[serde(default)]
    pub(super) requests: Vec<RequestOut>,
    pub(super) expect: Value,
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct OutIn {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) text: String,
    pub(super) segments: u16,
}

impl Default for OutIn {
    fn default() -> Self {
        let [from, to, text] = [SENDER, "+12025550123", "Acme: code PZA-7KMQ"].map(str::to_owned);
        Self { from, to, text, segments: 1 }
    }
}

/// What the carrier is asked; only what stands here is looked at.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestOut {
    pub(super) method: String,
    pub(super) path: String,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    pub(super) form: Option<BTreeMap<String, String>>,
    pub(super) json: Option<Value>,
}

pub(super) struct Kind {
    pub(super) word: String,
    pub(super) account: AccountIn,
    pub(super) cases: Vec<(PathBuf, Case)>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/carriers")
}

pub(super) fn kinds() -> Vec<Kind> {
    Registry::kinds().map(kind).collect()
}

fn kind(word: &str) -> Kind {
    let dir = root().join(word);
    let read = |path: &Path| {
        let text = std::fs::read_to_string(path);
        text.unwrap_or_else(|error| panic!("{}: {error}: every kind of carrier has fixtures", path.display()))
    };
    let account = dir.join("account.json");
    let account = serde_json::from_str(&read(&account)).unwrap();
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(&dir).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().is_some_and(|name| name == "account.json") {
            continue;
        }
        let values: Vec<Value> = serde_json::from_str(&read(&path)).unwrap();
        for value in values {
            // Told apart first, so that a mistake in a case is named.
            let parsed = if value.get("call").is_some() {
                serde_json::from_value(value.clone()).map(Case::Call)
            } else {
                serde_json::from_value(value.clone()).map(Case::Webhook)
            };
            let case = parsed.unwrap_or_else(|error| panic!("{}: {}: {error}", path.display(), value["name"]));
            cases.push((path.clone(), case));
        }
    }
    Kind { word: word.to_owned(), account, cases }
}

impl Kind {
    pub(super) fn open(&self, base_url: &str) -> Arc<dyn SmsProvider> {
        let total = Duration::from_millis(500);
        let limits = Limits { connect: Duration::from_secs(5), total, answer_bytes: 100_000 };
        let keys = self.account.keys.iter().map(|(key, value)| (key.clone(), Secret::new(value.clone())));
        let account = Account {
            name: "here".to_owned(),
            kind: self.word.clone(),
            base_url: Some(base_url.to_owned()),
            keys: keys.collect(),
        };
        Registry::open(&account, &Client::new(limits).unwrap()).unwrap()
    }

    pub(super) fn wire(&self, case: &WebhookCase) -> Wire {
        let body = match (&case.body, &case.body_hex) {
            (Some(text), None) => text.clone().into_bytes(),
            (None, Some(digits)) => unhex(digits),
            (None, None) => Vec::new(),
            (Some(_), Some(_)) => panic!("{}: body or body_hex", case.name),
        };
        let hooks = Hooks::of(PUBLIC_URL, SENDER);
        let url = if case.hook == "status" { hooks.status } else { hooks.inbound };
        let (method, query, headers) = (case.method.clone(), case.query.clone(), case.headers.clone());
        let mut wire = Wire { method, url, query, headers, body };
        let key = case.sign.key.as_deref().unwrap_or_else(|| secret_key(&self.word));
        if !key.is_empty() {
            let own = self.account.keys.get(key).map(String::as_str);
            let secret = case.sign.secret.as_deref().or(own);
            let secret = secret.unwrap_or_else(|| panic!("{}: the account has no {key}", case.name));
            sign(&self.word, &mut wire, secret, AT - case.sign.age_s);
        }
        if let Some((from, to)) = &case.sign.then {
            let text = String::from_utf8(wire.body.clone()).unwrap();
            assert!(text.contains(from), "{}: there is no {from} to change", case.name);
            wire.body = text.replace(from, to).into_bytes();
        }
        wire
    }
}

fn unhex(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}
