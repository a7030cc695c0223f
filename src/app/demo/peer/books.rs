//! The books of the demo's peer: one JSON file, written whole at each change.

use crate::app::keyring::write_private;
use crate::domain::code::{Code, CodeNorm};
use crate::redemption::Reason;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// Items on one page of events or codes.
const PAGE: usize = 500;

/// Everything the peer knows.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Written {
    codes: BTreeMap<String, Entry>,
    uses: Vec<Use>,
    events: Vec<Value>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Entry {
    code: String,
    /// `valid`, or a reason of the contract.
    status: String,
    changed_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Use {
    code: String,
    reference: String,
    at: DateTime<Utc>,
    voided: bool,
    sale: Sale,
}

/// What a till says of a sale.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sale {
    pub(super) store: Option<String>,
    pub(super) order: Option<String>,
    pub(super) amount: Option<i64>,
    pub(super) currency: Option<String>,
}

/// The books, and where they are kept.
#[derive(Debug)]
pub(super) struct Books {
    path: PathBuf,
    written: Written,
}

/// What a change answers and, where something happened, tells.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Told {
    pub(super) status: u16,
    pub(super) answer: Value,
    pub(super) event: Option<Value>,
}

fn told(status: u16, answer: Value) -> Told {
    Told { status, answer, event: None }
}

impl Books {
    /// Opens the books, and enters those of `codes` that do not stand there yet as valid.
    ///
    /// # Errors
    /// When the file cannot be read or written, or holds something else.
    pub(super) fn open(path: &Path, codes: &[Code]) -> io::Result<Self> {
        let written = match std::fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(io::Error::other)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Written::default(),
            Err(error) => return Err(error),
        };
        let mut books = Self { path: path.to_owned(), written };
        for code in codes {
            let entry = Entry { code: code.expose().to_owned(), status: "valid".to_owned(), changed_at: None };
            books.written.codes.entry(code.norm().expose().to_owned()).or_insert(entry);
        }
        books.keep()?;
        Ok(books)
    }

    /// Writes the books beside themselves first, so that an interrupted write leaves the old ones.
    pub(super) fn keep(&self) -> io::Result<()> {
        let draft = self.path.with_extension("draft");
        let text = serde_json::to_string(&self.written).map_err(io::Error::other)?;
        write_private(&draft, &text)?;
        std::fs::rename(&draft, &self.path)
    }

    pub(super) fn validate(&self, code: &str, now: DateTime<Utc>) -> Told {
        let Some(entry) = self.entry(code) else {
            return told(200, json!({ "valid": false, "reason": "unknown_code", "as_of": now }));
        };
        if entry.status == "valid" {
            return told(200, json!({ "valid": true, "as_of": now }));
        }
        let mut answer = json!({ "valid": false, "reason": entry.status, "as_of": now });
        self.add_time(&mut answer, entry);
        told(200, answer)
    }

    pub(super) fn redeem(&mut self, code: &str, reference: &str, sale: Sale, now: DateTime<Utc>) -> Told {
        let Some(entry) = self.entry(code).cloned() else {
            return refusal(409, "unknown_code");
        };
        if let Some(at) = self.written.uses.iter().position(|used| used.reference == reference) {
            let known = self.written.uses.get(at).is_some_and(|used| used.code == entry.code);
            return if known { told(201, self.redemption(at)) } else { refusal(422, "idempotency_mismatch") };
        }
        if entry.status != "valid" {
            let mut refused = refusal(409, &entry.status);
            self.add_time(&mut refused.answer, &entry);
            return refused;
        }
        let (code, reference) = (entry.code, reference.to_owned());
        self.set(&code, Reason::AlreadyRedeemed.word(), now);
        self.written.uses.push(Use { code, reference, at: now, voided: false, sale });
        let at = self.written.uses.len() - 1;
        Told { event: self.event("redeemed", at, now), ..told(201, self.redemption(at)) }
    }

    pub(super) fn find(&self, reference: &str) -> Told {
        let found = self.written.uses.iter().position(|used| used.reference == reference && !used.voided);
        found.map_or_else(|| refusal(404, "unknown_code"), |at| told(200, self.redemption(at)))
    }

    pub(super) fn void(&mut self, redemption_id: &str, now: DateTime<Utc>) -> Told {
        let number = redemption_id.strip_prefix("rd_").and_then(|number| number.parse::<usize>().ok());
        let Some(at) = number.and_then(|number| number.checked_sub(1)) else {
            return refusal(404, "unknown_code");
        };
        let Some(used) = self.written.uses.get_mut(at) else {
            return refusal(404, "unknown_code");
        };
        let done = json!({ "status": "voided" });
        if std::mem::replace(&mut used.voided, true) {
            return told(200, done);
        }
        let code = used.code.clone();
        self.set(&code, "valid", now);
        Told { event: self.event("rolled_back", at, now), ..told(200, done) }
    }

    /// A person at the peer changes how a code stands.
    pub(super) fn change(&mut self, code: &str, status: &str, now: DateTime<Utc>) -> Told {
        if status != "valid" && Reason::parse(status).is_none() {
            return refusal(400, "invalid_request");
        }
        let Some(code) = self.entry(code).map(|entry| entry.code.clone()) else {
            return refusal(404, "unknown_code");
        };
        self.set(&code, status, now);
        let id = self.next_event();
        let event = json!({ "id": id, "type": "state_changed", "code": code, "status": status, "at": now });
        self.written.events.push(event.clone());
        Told { event: Some(event), ..told(200, json!({ "code": code, "status": status })) }
    }

    pub(super) fn events(&self, after: usize) -> Told {
        let page: Vec<_> = self.written.events.iter().skip(after).take(PAGE).collect();
        let next = after.min(self.written.events.len()) + page.len();
        let more = next < self.written.events.len();
        told(200, json!({ "data": page, "next_cursor": next.to_string(), "has_more": more }))
    }

    pub(super) fn codes(&self, after: usize) -> Told {
        let entries = self.written.codes.values().skip(after).take(PAGE);
        let page: Vec<_> = entries.map(|entry| json!({ "code": entry.code, "status": entry.status })).collect();
        let next = after + page.len();
        let next = (next < self.written.codes.len()).then(|| next.to_string());
        told(200, json!({ "data": page, "next_cursor": next }))
    }

    fn entry(&self, code: &str) -> Option<&Entry> {
        self.written.codes.get(CodeNorm::parse(code).ok()?.expose())
    }

    fn set(&mut self, code: &str, status: &str, now: DateTime<Utc>) {
        let norm = CodeNorm::parse(code).ok();
        if let Some(entry) = norm.and_then(|norm| self.written.codes.get_mut(norm.expose())) {
            status.clone_into(&mut entry.status);
            entry.changed_at = Some(now);
        }
    }

    fn add_time(&self, answer: &mut Value, entry: &Entry) {
        let key = match Reason::parse(&entry.status) {
            Some(Reason::AlreadyRedeemed | Reason::LimitReached) => "redeemed_at",
            Some(Reason::Expired) => "expires_at",
            _ => return,
        };
        let used = self.written.uses.iter().rposition(|used| used.code == entry.code && !used.voided);
        if let Some(object) = answer.as_object_mut() {
            object.insert(key.to_owned(), json!(entry.changed_at));
            object.insert("redemption_id".to_owned(), json!(used.map(|at| format!("rd_{}", at + 1))));
        }
    }

    fn redemption(&self, at: usize) -> Value {
        let when = self.written.uses.get(at).map(|used| used.at);
        json!({ "redemption_id": format!("rd_{}", at + 1), "status": "redeemed", "redeemed_at": when })
    }

    fn next_event(&self) -> String {
        format!("ev_{}", self.written.events.len() + 1)
    }

    fn event(&mut self, kind: &str, at: usize, now: DateTime<Utc>) -> Option<Value> {
        let id = self.next_event();
        let Use { code, sale, .. } = self.written.uses.get(at)?;
        let event = json!({
            "id": id, "type": kind, "code": code, "redemption_id": format!("rd_{}", at + 1), "at": now,
            "store": sale.store, "order": sale.order, "amount": sale.amount, "currency": sale.currency,
        });
        self.written.events.push(event.clone());
        Some(event)
    }
}

fn refusal(status: u16, code: &str) -> Told {
    told(status, json!({ "title": code, "code": code }))
}
