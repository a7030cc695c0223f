#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::domain::campaign::{Channel, Places};
use crate::domain::cap::{Scope, Unit};
use crate::domain::window::Window;

const PIZZA: &str = r#"
[[campaign]]
name = "PIZZA"
zone = "America/New_York"
start = 2026-11-24T09:00:00
end = "2026-12-31T23:59"
countries = ["US"]
offer = { type = "amount_off", value = 500, min_spend = 2000 }
code = { pattern = "PZA-????-????*", expires = { after_issue = "P30D" } }
pool = { source = "generate", size = 50000 }
keywords = { sender = "12345", main = "pizza", aliases = ["Pizzas"], placements = { PIZZA2 = "radio", PIZZA3 = { name = "print", cost = 1200.5 } } }
texts = { T05 = "{brand}: gone. STOP to end." }
redemption = { places = ["17", "18"], holder_only = true }

[campaign.caps]
person = { lifetime = 2, daily = 1, rolling = { count = 3, within = "P7D" } }
campaign = { total = 40000, per_minute = 60000, money = 250000.00 }
channel.sms = { day = 100 }
keyword.PIZZA2 = { week = 7 }
placement.print = { total = "pool", month = 9 }

[campaign.meta]
owner = "marketing"
"#;

fn campaign(text: &str) -> CampaignDoc {
    let document = Document::parse("pizza.toml", text).unwrap();
    document.campaigns.into_iter().next().unwrap().value
}

fn error(text: &str) -> String {
    Document::parse("pizza.toml", text).unwrap_err().to_string()
}

#[test]
fn a_document_survives_the_way_through_json() {
    let doc = campaign(PIZZA);
    let json = serde_json::to_string(&doc).unwrap();
    assert_eq!(serde_json::from_str::<CampaignDoc>(&json).unwrap(), doc);
}

#[test]
fn every_cap_becomes_one_plain_row() {
    let doc = campaign(PIZZA);
    let caps: Vec<_> = doc
        .caps
        .specs(doc.offer.currency)
        .into_iter()
        .map(|cap| (cap.over, cap.unit, cap.window, cap.cap.unwrap()))
        .collect();
    let scope = Over::Scope;
    let week_ms = 7 * 86_400_000;
    assert_eq!(
        caps,
        [
            (scope(Scope::Person), Unit::Count, Window::Lifetime, 2),
            (scope(Scope::Person), Unit::Count, Window::Day, 1),
            (scope(Scope::Person), Unit::Count, Window::Rolling(week_ms), 3),
            (scope(Scope::Campaign), Unit::Count, Window::Lifetime, 40_000),
            (scope(Scope::Campaign), Unit::Count, Window::Minute, 60_000),
            (scope(Scope::Campaign), Unit::Money, Window::Lifetime, 25_000_000),
            (scope(Scope::Channel(Channel::Sms)), Unit::Count, Window::Day, 100),
            (scope(Scope::Keyword("PIZZA2".to_owned())), Unit::Count, Window::Week, 7),
            (Over::Placement("print".to_owned()), Unit::Count, Window::Month, 9),
        ]
    );
}

#[test]
fn a_campaign_that_says_nothing_gives_one_code_a_person() {
    let one = CapsDoc::default().specs(crate::domain::money::Currency::USD);
    assert_eq!(one.len(), 1);
    assert_eq!(one.first().map(|cap| (cap.window, cap.cap)), Some((Window::Lifetime, Some(1))));
}

#[test]
fn local_times_mean_the_campaigns_own_clock() {
    let doc = campaign(PIZZA);
    assert_eq!(doc.starts_at().unwrap().unwrap().to_rfc3339(), "2026-11-24T14:00:00+00:00");
    assert_eq!(doc.ends_at().unwrap().unwrap().to_rfc3339(), "2027-01-01T04:59:00+00:00");
    assert_eq!(doc.expiry().unwrap().at, doc.ends_at().unwrap(), "codes end with the campaign unless it says no");
    assert_eq!(doc.terms().unwrap().places, Places::Only(vec!["17".to_owned(), "18".to_owned()]));
}

#[test]
fn a_time_that_clocks_skip_is_named() {
    let doc = campaign(&PIZZA.replace("\"2026-12-31T23:59\"", "\"2027-03-14T02:30\""));
    let wrong = doc.ends_at().unwrap_err().to_string();
    assert_eq!(wrong, "2027-03-14T02:30:00 does not exist in America/New_York: clocks are put forward over it");
}

#[test]
fn a_mistyped_key_names_its_line_and_the_nearest_one() {
    let wrong = error(&PIZZA.replace("countries =", "countrys ="));
    assert!(wrong.starts_with("pizza.toml:7: unknown key \"countrys\"; did you mean \"countries\"?"), "{wrong}");
    let wrong = error(&PIZZA.replace("source = \"generate\"", "source = \"generated\""));
    assert!(wrong.contains("unknown word \"generated\"; did you mean \"generate\"?"), "{wrong}");
}

#[test]
fn a_wrong_value_names_its_line_and_what_would_do() {
    for (right, wrong, said) in [
        ("\"P30D\"", "\"P1M\"", "pizza.toml:9: \"P1M\" is no length of time such as \"P30D\""),
        (
            "America/New_York",
            "America/NewYork",
            "pizza.toml:4: there is no zone \"America/NewYork\"; did you mean \"America/New_York\"?",
        ),
        ("\"US\"", "\"usa\"", "pizza.toml:7: \"usa\" is no country of two capital letters"),
        ("\"2026-12-31T23:59\"", "\"31.12.2026\"", "pizza.toml:6: \"31.12.2026\" is no local date and time"),
        ("PZA-????-????*", "PZA-", "pizza.toml:9: pattern \"PZA-\": "),
        ("\"pizza\"", "\"!!\"", "pizza.toml:11: a keyword needs at least one letter or digit"),
        ("T05 =", "T99 =", "pizza.toml:12: there is no text \"T99\""),
    ] {
        let got = error(&PIZZA.replace(right, wrong));
        assert!(got.starts_with(said), "{got}");
    }
}

#[test]
fn lengths_of_time_are_iso_8601_without_months() {
    for (text, seconds) in
        [("P30D", 2_592_000), ("PT4H", 14_400), ("P1DT12H", 129_600), ("P2W", 1_209_600), ("PT90S", 90)]
    {
        assert_eq!(IsoDuration::parse(text).unwrap().millis(), seconds * 1_000, "{text}");
    }
    for text in ["", "P", "PT", "30D", "P1M", "P1Y", "PD", "P-1D", "PT0S", "P1D ", "PT1H2D", "P99999999W"] {
        assert_eq!(IsoDuration::parse(text), None, "{text}");
    }
}

#[test]
fn money_in_major_units_is_exact() {
    let major = |text: &str| toml::from_str::<std::collections::BTreeMap<String, Major>>(&format!("m = {text}"));
    let minor = |text: &str, decimals| major(text).unwrap().get("m").unwrap().minor(decimals);
    assert_eq!(minor("250000.00", 2), Some(25_000_000));
    assert_eq!(minor("0.1", 2), Some(10));
    assert_eq!(minor("19", 0), Some(19));
    assert_eq!(minor("\"1.005\"", 2), None);
    assert!(major("-1").is_err() && major("\"1e5\"").is_err() && major("true").is_err());
}

#[test]
fn caps_across_campaigns_name_their_scope() {
    let read = |text: &str| Document::parse("caps.toml", text).unwrap().caps.into_iter().next().unwrap().value;
    let person = read(
        "[[cap]]\nscope = \"person\"\nzone = \"Europe/London\"\nday = 1\nrolling = { count = 2, within = \"P7D\" }\n",
    );
    assert_eq!(person.scope(), Some(Scope::Person));
    assert_eq!(person.specs(&Scope::Person).len(), 2);
    let keyword = read("[[cap]]\nscope = \"keyword\"\nday = 1\n");
    assert_eq!(keyword.scope(), None, "it does not say which");
}
