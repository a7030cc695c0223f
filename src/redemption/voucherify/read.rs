//! From Voucherify's answers to their meaning.

use super::super::{ImportPage, ImportedCode, PeerError, Redemption, Status, reason_key};
use super::{REFERENCE, reason_of};
use crate::domain::code::Code;
use crate::net::{Answer, Url};
use chrono::{DateTime, Utc};
use serde_json::Value;

/// Exports lie on hosts of this domain.
const DOWNLOADS: &str = ".voucherify.io";

/// The `key` of an error object.
pub(super) fn key(answer: &Answer) -> Option<String> {
    let body: Value = serde_json::from_slice(&answer.body).ok()?;
    body.get("key").and_then(Value::as_str).map(str::to_owned)
}

/// What a 4xx refuses.
pub(super) fn refusal(answer: &Answer) -> PeerError {
    let key = match (answer.status, key(answer)) {
        (_, Some(key)) => key,
        (404, None) => "not_found".to_owned(),
        (423, None) => "locked".to_owned(),
        (status, None) => return PeerError::Protocol(format!("status {status}")),
    };
    refused(&key).unwrap_or_else(|| {
        let known = reason_key(&key).unwrap_or_else(|| "a key that is none".to_owned());
        PeerError::Protocol(format!("status {}, {known}", answer.status))
    })
}

fn refused(key: &str) -> Option<PeerError> {
    reason_of(key).map(|reason| PeerError::Rejected { reason, at: None, detail: reason_key(key) })
}

fn time(value: &Value, name: &str) -> Option<DateTime<Utc>> {
    let text = value.get(name).and_then(Value::as_str)?;
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc())
}

fn number(value: &Value, pointer: &str) -> Option<u64> {
    value.pointer(pointer).and_then(Value::as_u64)
}

/// How a code stands by its voucher; used is said before everything else.
pub(super) fn voucher(voucher: &Value, now: DateTime<Utc>) -> Result<Status, PeerError> {
    let Some(active) = voucher.get("active").and_then(Value::as_bool) else {
        return Err(PeerError::Protocol("a voucher that does not say whether it is active".to_owned()));
    };
    let used = number(voucher, "/redemption/redeemed_quantity").unwrap_or_default();
    // A quantity of null is one without end.
    let is_used = number(voucher, "/redemption/quantity").is_some_and(|quantity| used >= quantity);
    let entries = voucher.pointer("/redemption/redemption_entries").and_then(Value::as_array);
    let last = entries.and_then(|entries| entries.iter().rfind(|entry| is_success(entry)));
    let (start, end) = (time(voucher, "start_date"), time(voucher, "expiration_date"));
    let rules = number(voucher, "/validation_rules_assignments/total").unwrap_or_default();
    Ok(if is_used {
        let redemption_id = last.and_then(|entry| entry.get("id")).and_then(Value::as_str).map(str::to_owned);
        Status::Redeemed { at: last.and_then(|entry| time(entry, "date")), redemption_id }
    } else if !active {
        Status::Disabled
    } else if end.is_some_and(|end| now > end) {
        Status::Expired(end)
    } else if start.is_some_and(|start| now < start) {
        Status::NotYetActive(start)
    } else if number(voucher, "/publish/count").is_some_and(|count| count > 0) {
        Status::IssuedElsewhere
    } else if rules > 0 {
        Status::Conditional(super::Reason::ConditionsNotMet)
    } else {
        Status::Valid
    })
}

/// What a validation says of one code: how it stands and Voucherify's own key.
type Said = Result<(Status, Option<String>), PeerError>;

/// What a validation says of each code; those it skips are missing.
pub(super) fn validation(body: &Value) -> Vec<(String, Said)> {
    let lists = ["redeemables", "inapplicable_redeemables"];
    let items = lists.iter().filter_map(|list| body.get(list).and_then(Value::as_array)).flatten();
    let said = items.filter_map(|item| {
        let id = item.get("id").and_then(Value::as_str)?;
        let said = match item.get("status").and_then(Value::as_str)? {
            "APPLICABLE" => Ok((Status::Valid, None)),
            "INAPPLICABLE" => {
                let key = item.pointer("/result/error/key").and_then(Value::as_str)?;
                match reason_of(key).and_then(|reason| reason.status(None)) {
                    Some(status) => Ok((status, reason_key(key))),
                    None => Err(PeerError::Protocol("a key that says nothing of a code".to_owned())),
                }
            }
            _ => return None,
        };
        Some((id.to_owned(), said))
    });
    said.collect()
}

fn is_success(entry: &Value) -> bool {
    entry.get("result").and_then(Value::as_str) == Some("SUCCESS")
}

fn redemption(entry: &Value) -> Option<Redemption> {
    let redemption_id = entry.get("id").and_then(Value::as_str)?.to_owned();
    Some(Redemption { redemption_id, at: time(entry, "date"), discount: None })
}

/// The redemption that was made.
pub(super) fn redeemed(body: &Value) -> Result<Redemption, PeerError> {
    let entry = body.pointer("/redemptions/0").filter(|entry| is_success(entry));
    entry.and_then(redemption).ok_or_else(|| PeerError::Protocol("a success without its redemption".to_owned()))
}

/// Our redemption among a voucher's, unless it was rolled back.
pub(super) fn entry(body: &Value, reference: &str) -> Option<Redemption> {
    let entries = body.get("redemption_entries").and_then(Value::as_array)?;
    let text = |entry: &Value, name: &str| entry.get(name).and_then(Value::as_str).map(str::to_owned);
    let rolled_back = |id: &str| {
        let of = |entry: &Value| text(entry, "object").as_deref() == Some("redemption_rollback") && is_success(entry);
        entries.iter().any(|entry| of(entry) && text(entry, "redemption").as_deref() == Some(id))
    };
    let ours = entries.iter().filter(|entry| {
        let is_ours = entry.pointer(&format!("/metadata/{REFERENCE}")).and_then(Value::as_str) == Some(reference);
        is_ours && is_success(entry) && text(entry, "object").as_deref() == Some("redemption")
    });
    ours.filter_map(redemption).find(|found| !rolled_back(&found.redemption_id))
}

/// How far an export is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Export {
    UnderWay,
    Done(String),
}

pub(super) fn export(body: &Value) -> Result<Export, PeerError> {
    match body.get("status").and_then(Value::as_str) {
        Some("SCHEDULED" | "IN_PROGRESS") => Ok(Export::UnderWay),
        Some("DONE") => {
            let url = body.pointer("/result/url").and_then(Value::as_str);
            url.map(|url| Export::Done(url.to_owned()))
                .ok_or_else(|| PeerError::Protocol("an export without its address".to_owned()))
        }
        _ => Err(PeerError::Protocol("an export that failed".to_owned())),
    }
}

/// The address of an export, if it is one of theirs: it comes from an answer, and answers are not trusted with ours.
pub(super) fn download(url: &str, base: &Url) -> Result<Url, PeerError> {
    let url = Url::parse(url).map_err(|_| PeerError::Protocol("an export without an address".to_owned()))?;
    let is_near = url.host_str() == base.host_str() && url.port_or_known_default() == base.port_or_known_default();
    let is_theirs = url.scheme() == "https" && url.host_str().is_some_and(|host| host.ends_with(DOWNLOADS));
    if is_near && url.scheme() == base.scheme() || is_theirs {
        return Ok(url);
    }
    Err(PeerError::Protocol("an export that lies elsewhere".to_owned()))
}

/// The codes of an export, by the names of its columns.
pub(super) fn csv(bytes: &[u8], now: DateTime<Utc>) -> Result<ImportPage, PeerError> {
    let bad = |_| PeerError::Protocol("an export that is no CSV".to_owned());
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
    let plain = |name: &str| name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let columns: Vec<String> = reader.headers().map_err(bad)?.iter().map(plain).collect();
    let column = |name: &str| columns.iter().position(|known| known == name);
    let code_at = column("code").ok_or_else(|| PeerError::Protocol("an export without codes".to_owned()))?;
    let (active, start, end) = (column("active"), column("startdate"), column("expirationdate"));
    let (quantity, count) = (column("redemptionquantity"), column("redemptioncount"));
    let mut page = ImportPage { codes: Vec::new(), unreadable: 0, next: None };
    for record in reader.records() {
        let code = record.as_ref().ok().and_then(|record| Code::parse(record.get(code_at)?).ok());
        let (Ok(record), Some(code)) = (record, code) else {
            page.unreadable += 1;
            continue;
        };
        let field = |at: Option<usize>| at.and_then(|at| record.get(at)).filter(|text| !text.is_empty());
        let when = |at| field(at).and_then(|text| DateTime::parse_from_rfc3339(text).ok()).map(|at| at.to_utc());
        let whole = |at| field(at).and_then(|text| text.parse::<u64>().ok());
        let is_used = whole(quantity).is_some_and(|quantity| whole(count).unwrap_or_default() >= quantity);
        let status = if is_used {
            Some(Status::Redeemed { at: None, redemption_id: None })
        } else if field(active).is_some_and(|text| text.eq_ignore_ascii_case("false")) {
            Some(Status::Disabled)
        } else if when(end).is_some_and(|end| now > end) {
            Some(Status::Expired(when(end)))
        } else {
            when(start).filter(|start| now < *start).map(|start| Status::NotYetActive(Some(start)))
        };
        page.codes.push(ImportedCode { code, status, expires_at: when(end) });
    }
    Ok(page)
}
