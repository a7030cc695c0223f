#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::net::Limits;
use crate::sms::Method;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;

const SECRET: &str = "kannel-secret-made-up-1";

#[derive(Deserialize)]
struct Recorded {
    mo: Vec<Text>,
    dlr: Vec<Target>,
}

#[derive(Deserialize)]
struct Text {
    name: String,
    method: String,
    target: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<String>,
    body_hex: Option<String>,
    decoded: Option<String>,
}

#[derive(Deserialize)]
struct Target {
    target: String,
}

fn open(keys: &[(&str, &str)]) -> Result<Kannel, AccountError> {
    let mut all = BTreeMap::from([("secret", SECRET), ("username", "codewell"), ("password", "made-up")]);
    all.extend(keys.iter().copied());
    let keys = all.into_iter().map(|(key, value)| (key.to_owned(), Secret::new(value.to_owned())));
    let base_url = Some("http://127.0.0.1:13013".to_owned());
    let account = Account { name: "kannel".to_owned(), kind: "kannel".to_owned(), base_url, keys: keys.collect() };
    let limits = Limits { connect: Duration::from_secs(1), total: Duration::from_secs(1), answer_bytes: 1000 };
    Kannel::new(&account, &Client::new(limits).unwrap())
}

fn check(kannel: &Kannel, query: &str, password: Option<&str>, remote: &str) -> Result<(), Forged> {
    let url = format!("https://c.example/sms/55501/inbound?{query}");
    let pair = password.map(|password| format!("Basic {}", STANDARD.encode(format!("kannel:{password}"))));
    let headers: Vec<_> = pair.into_iter().map(|pair| ("authorization".to_owned(), pair)).collect();
    let remote = remote.parse().ok();
    let hook = Webhook { method: Method::Get, url: &url, headers: &headers, body: b"", remote };
    kannel.authenticate(&hook, DateTime::UNIX_EPOCH).map(drop)
}

/// What a recorded request tells.
fn told(text: &Text) -> Event {
    let url = format!("https://c.example{}&key={SECRET}", text.target);
    let lower = text.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
    let headers: Vec<_> = lower.collect();
    let digits = text.body_hex.as_deref().unwrap_or_default().as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    let body = text.body.clone().map_or_else(|| digits.chunks(2).map(byte).collect(), String::into_bytes);
    let method = if text.method == "GET" { Method::Get } else { Method::Post };
    let hook = Webhook { method, url: &url, headers: &headers, body: &body, remote: None };
    let kannel = open(&[]).unwrap();
    let proof = kannel.authenticate(&hook, DateTime::UNIX_EPOCH).unwrap();
    kannel.parse(proof).unwrap().remove(0)
}

#[test]
fn every_recorded_request_is_read_as_it_was_texted() {
    let text = include_str!("../../../tests/fixtures/vectors/kannel_recorded.json");
    let recorded: Recorded = serde_json::from_str(text).unwrap();
    assert!(recorded.mo.len() >= 3 && recorded.dlr.len() >= 2);
    for text in &recorded.mo {
        let Event::Inbound(inbound) = told(text) else { unreachable!("{} is a text", text.name) };
        let wanted = text.decoded.as_deref().or(text.body.as_deref()).unwrap_or("PIZZA");
        assert_eq!((inbound.text.as_str(), inbound.to.as_str()), (wanted, "55501"), "{}", text.name);
        assert!(inbound.sent_at.is_some() && inbound.from.starts_with("+1500555010"), "{}", text.name);
    }
    for Target { target } in &recorded.dlr {
        let target = target.replace("mid=", "ref=");
        let name = "a report".to_owned();
        let (headers, body) = (BTreeMap::new(), Some(String::new()));
        let text = Text { name, method: "GET".to_owned(), target, headers, body, body_hex: None, decoded: None };
        let Event::Report(report) = told(&text) else { unreachable!("it is a report") };
        assert_eq!((report.reference.as_deref(), report.status), (Some("abc"), ReportStatus::Sent));
    }
}

#[test]
fn the_secret_is_believed_in_the_query_and_as_a_password_and_no_other() {
    let kannel = open(&[("secret_before", "kannel-secret-made-up-0")]).unwrap();
    let told = |query: &str, password: Option<&str>| check(&kannel, query, password, "");
    assert_eq!(told(&format!("key={SECRET}&st=1"), None), Ok(()));
    assert_eq!(told("key=kannel-secret-made-up-0", None), Ok(()));
    assert_eq!(told("st=1", Some(SECRET)), Ok(()));
    assert_eq!(told("key=kannel-secret-made-up-2", None), Err(Forged::Mismatch));
    assert_eq!(told("key=kannel-secret-made-up-2", Some(SECRET)), Err(Forged::Mismatch), "the query counts");
    assert_eq!(told("st=1", Some("kannel")), Err(Forged::Mismatch));
    assert_eq!(told("key=", None), Err(Forged::Unsigned));
}

#[test]
fn with_a_list_of_networks_nobody_else_may_call_even_with_the_secret() {
    let kannel = open(&[("allow_from", "127.0.0.1, 10.0.0.0/8")]).unwrap();
    let told = |remote: &str| check(&kannel, &format!("key={SECRET}"), None, remote);
    assert_eq!([told("127.0.0.1"), told("10.1.2.3")], [Ok(()), Ok(())]);
    assert_eq!([told("192.0.2.1"), told("")], [Err(Forged::Stranger), Err(Forged::Stranger)]);
}

#[test]
fn an_account_that_cannot_work_is_refused_when_it_is_read() {
    for wrong in [
        ("secret", "short"),
        ("secret", "long-enough-but-with-%d"),
        ("allow_from", "everybody"),
        ("callback_base", "http://127.0.0.1:8080/sms"),
        ("method", "put"),
        ("password", "two\nlines"),
    ] {
        let told = open(&[wrong]);
        assert!(matches!(told, Err(AccountError::Value { .. })), "{wrong:?}: {told:?}");
    }
}

#[test]
fn a_webhook_is_answered_with_the_one_empty_yes_that_kannel_neither_repeats_nor_texts_to_the_phone() {
    let wanted = Acknowledgement { status: 200, content_type: Some("text/plain"), body: "" };
    assert_eq!(open(&[]).unwrap().acknowledge(), wanted);
}
