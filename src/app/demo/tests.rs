#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::domain::catalog::{CAMPAIGN_REPLIES, SenderRow, campaign_texts, sender_texts};
use crate::domain::code::Code;
use crate::domain::document::{CampaignDoc, Document};
use crate::domain::gsm7;
use crate::domain::ids::SenderId;
use crate::domain::reply::{Compiled, ReplyId, Slot, Values, show_link};
use std::collections::HashSet;
use std::fmt::Write as _;

fn files() -> Vec<(&'static str, String)> {
    documents(NaiveDate::from_ymd_opt(2026, 11, 20).unwrap(), &[7; 32])
}

/// The demo's documents, read as `apply` reads them.
fn read() -> Vec<Document> {
    let texts = files().into_iter().filter(|(name, _)| *name != CODES);
    texts.map(|(name, text)| Document::parse(name, &text).unwrap()).collect()
}

fn campaigns() -> Vec<CampaignDoc> {
    read().into_iter().flat_map(|document| document.campaigns).map(|located| located.value).collect()
}

fn sender() -> SenderRow {
    let doc = read().into_iter().flat_map(|document| document.senders).next().unwrap().value;
    let (id, address, carrier) = (SenderId(1), doc.address, doc.carrier);
    SenderRow { id, address, carrier, brand: doc.brand, help: doc.help, opt_out_handled_by: doc.opt_out_handled_by }
}

#[test]
fn every_document_parses_and_no_slot_is_left() {
    for (name, text) in files().iter().filter(|(name, _)| *name != CODES) {
        assert!(!text.contains('{') || !text.contains("days}"), "{name}: {text}");
    }
    let names: Vec<_> = campaigns().into_iter().map(|campaign| campaign.name).collect();
    assert_eq!(names, ["PIZZA", "WELCOME", "BURGER", "LUCKY", "MORNING", "SUMMER"]);
}

#[test]
fn the_list_has_a_thousand_different_codes_under_its_head() {
    let files = files();
    let (_, list) = files.iter().find(|(name, _)| *name == CODES).unwrap();
    let mut lines = list.lines();
    assert_eq!(lines.next(), Some("code"));
    let codes: HashSet<_> = lines.map(|line| Code::parse(line).unwrap().norm()).collect();
    assert_eq!(codes.len(), 1_000);
}

/// A code as the campaign's pool has them: of its pattern, or the first one of its list.
fn a_code(campaign: &CampaignDoc) -> String {
    let made = campaign.code.pattern.as_ref().and_then(|text| text.pattern().format(512_345_678_901));
    made.map_or_else(|| codes(&[7; 32]).lines().nth(1).unwrap().to_owned(), |code| code.expose().to_owned())
}

/// One text, once compiled with the longest values, filled with likely ones.
fn line(page: &mut String, reply: ReplyId, compiled: &Compiled, values: &Values) {
    let text = compiled.render(values);
    let segments = gsm7::segments(&text);
    assert_eq!(segments.count, 1, "{reply}: {text}");
    writeln!(page, "{:4} {:3} | {text}", reply.as_str(), segments.total()).unwrap();
}

/// Every text the demo can send, with its units. It fails where the longest form of one takes more than one SMS.
fn every_text(host: &str) -> String {
    let (sender, campaigns) = (sender(), campaigns());
    let mut page = String::new();
    for campaign in &campaigns {
        let code = a_code(campaign);
        let texts = campaign_texts(campaign, &sender, host, &code).unwrap();
        let word = campaign.keywords.as_ref().unwrap().main.as_str();
        let values = texts
            .fixed
            .clone()
            .with(Slot::Keyword, word)
            .with(Slot::Read, &format!("{word}S"))
            .with(Slot::Code, &code)
            .with(Slot::Ending, &code[code.len() - 4..])
            .with(Slot::Expires, "31 Dec")
            .with(Slot::UsedAt, "14 Nov 6:22 PM")
            .with(Slot::Link, &show_link(host, "/c/9tQ2xW7kM4vB8nR3pL6yHd"))
            .with(Slot::When, "24 Nov 9:00 AM ET")
            .with(Slot::Limit, "2 coupons for today");
        writeln!(page, "{word}").unwrap();
        for reply in CAMPAIGN_REPLIES {
            line(&mut page, reply, texts.get(reply).unwrap(), &values);
        }
    }
    let words: Vec<_> = campaigns.iter().map(|campaign| campaign.name.clone()).collect();
    let texts = sender_texts(&sender, "https://coupons.acme.example", &words).unwrap();
    let values = texts
        .fixed
        .clone()
        .with(Slot::Codes, "PIZZA 4XTD unused to 31 Dec; BURGER 2HTP used 3 Nov")
        .with(Slot::Digits, "482915")
        .with(Slot::Link, &show_link(host, "/creator/open/9tQ2xW7kM4vB8nR3pL6yHd7kM4vB8"));
    writeln!(page, "{}", sender.address).unwrap();
    let own = ReplyId::ALL.into_iter().filter(|reply| !CAMPAIGN_REPLIES.contains(reply));
    for reply in own {
        line(&mut page, reply, texts.get(reply).unwrap(), &values);
    }
    page
}

#[test]
fn every_text_of_every_campaign_is_one_sms_behind_a_https_host() {
    insta::assert_snapshot!("https_host", every_text("https://coupons.acme.example"));
}

#[test]
fn every_text_of_every_campaign_is_one_sms_behind_a_http_host() {
    insta::assert_snapshot!("http_host", every_text("http://127.0.0.1:8080"));
}
