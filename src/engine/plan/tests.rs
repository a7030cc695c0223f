#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use chrono::TimeZone;

const SENDER: &str = "[[sender]]\naddress = \"12345\"\nbrand = \"Acme\"\nhelp = \"acme.example/help\"\n";
const PIZZA: &str = r#"
[[campaign]]
name = "PIZZA"
zone = "America/New_York"
offer = { type = "amount_off", value = 500 }
code = { pattern = "PZA-????-????*", expires = { after_issue = "P30D" } }
pool = { source = "generate", size = 50000 }
keywords = { main = "PIZZA" }
caps.campaign = { total = 50000 }
"#;

fn plan_of(text: &str) -> Plan {
    plan_with(text, "http://127.0.0.1:8080", &Facts::default())
}

fn plan_with(text: &str, public_url: &str, facts: &Facts) -> Plan {
    let house = House {
        public_url: public_url.to_owned(),
        carriers: vec!["simulator".to_owned()],
        peers: vec![PeerFacts { name: "shop".to_owned(), batch_max: 1, quota_per_minute: Some(10) }],
        key_id: 7,
        now: Utc.with_ymd_and_hms(2026, 11, 20, 12, 0, 0).unwrap(),
    };
    let documents = Document::parse("test.toml", text).unwrap();
    plan(&Catalog::default(), &documents, facts, &house)
}

fn said(plan: &Plan, mark: Mark) -> Vec<&str> {
    plan.steps.iter().filter(|step| step.mark == mark).map(|step| step.text.as_str()).collect()
}

/// The refusals of PIZZA with one thing changed.
fn refused(right: &str, wrong: &str) -> Vec<String> {
    assert!(PIZZA.contains(right), "{right}");
    let plan = plan_of(&format!("{SENDER}{}", PIZZA.replace(right, wrong)));
    said(&plan, Mark::Refuse).into_iter().map(str::to_owned).collect()
}

#[test]
fn a_new_campaign_is_announced_with_its_pool_words_and_caps() {
    let plan = plan_of(&format!("{SENDER}{PIZZA}"));
    insta::assert_snapshot!(plan.to_string(), @r"
    + sender 12345 (Acme, simulator)
    + campaign PIZZA: $5 off
    +   pool of 50000 generated codes PZA-????-????*
    +   keywords PIZZA on 12345
    +   cap 1 (a person, for ever)
    +   cap 50000 (all together, for ever)
    ");
    assert!(!plan.is_refused());
    assert_eq!(plan.codes.len(), 1);
}

/// What is changed in PIZZA, to what, and what is said of it; nothing for what is fine.
const IMPOSSIBLE: &[(&str, &str, &str)] = &[
    ("caps.campaign = { total = 50000 }", "start = \"2026-12-01\"\nend = \"2026-11-30\"", "it ends before it starts"),
    ("main = \"PIZZA\"", "main = \"STOP\"", "keyword STOP is reserved"),
    ("main = \"PIZZA\"", "main = \"HELPS\"", "keyword HELPS is one edit from the reserved word HELP"),
    ("main = \"PIZZA\"", "main = \"🍕\"", "keyword 🍕 is an emoji"),
    ("main = \"PIZZA\"", "main = \"PIZZA\", aliases = [\"🛑\"]", "keyword 🛑 is reserved"),
    ("main = \"PIZZA\"", "main = \"PIZZA\", aliases = [\"🍕\"]", ""),
    ("main = \"PIZZA\"", "sender = \"99999\", main = \"PIZZA\"", "there is no sender 99999 (known: 12345)"),
    ("value = 500", "value = 0", "amount_off needs a value in minor units"),
    ("amount_off\", value = 500", "percent_off\", value = 101", "percent_off needs a value from 1 to 100"),
    ("size = 50000", "size = 5000000", "key space 8.5e11 is below 10^7 x 5000000 live codes = 5.0e13: add 2 more ?"),
    ("PZA-????-????*\"", "????-????*\"", ""),
    ("source = \"generate\"", "source = \"import\"", "imported codes come as they are"),
    ("total = 50000", "money = 1.005", "a money cap has more decimals than USD"),
    (
        "caps.campaign = { total = 50000 }",
        "caps.placement.radio.day = 1",
        "caps.placement names radio, which no keyword has",
    ),
    ("caps.campaign = { total = 50000 }", "caps.keyword.PIE.day = 1", "caps.keyword names PIE"),
    ("caps.campaign = { total = 50000 }", "texts.T13 = \"{brand}: bye. START\"", "text T13 belongs to the sender"),
    ("caps.campaign = { total = 50000 }", "texts.T05 = \"gone. STOP\"", "text T05 must always show {brand}"),
];

#[test]
fn what_can_never_work_is_refused_in_words() {
    for (right, wrong, said) in IMPOSSIBLE {
        let found = refused(right, wrong);
        if said.is_empty() {
            assert!(found.is_empty(), "{wrong}: {found:?}");
        } else {
            assert!(found.iter().any(|text| text.contains(said)), "{wrong}: {found:?}");
        }
    }
}

#[test]
fn a_money_cap_needs_to_know_what_a_code_may_cost() {
    let wrong = PIZZA.replace("amount_off\", value = 500", "percent_off\", value = 10");
    let wrong = format!("{SENDER}{}", wrong.replace("total = 50000", "money = 100.00"));
    let plan = plan_of(&wrong);
    assert!(said(&plan, Mark::Refuse).iter().any(|text| text.contains("a money cap needs offer.max_discount")));
    let right = wrong.replace("value = 10", "value = 10, max_discount = 2000");
    assert!(!plan_of(&right).is_refused());
}

#[test]
fn a_text_too_long_for_the_real_address_is_refused_with_the_count() {
    let long = format!("{SENDER}{PIZZA}")
        .replace("value = 500", "value = 500, title = \"$5 off any large stone-baked pizza\"");
    assert!(!plan_with(&long, "https://acme.example", &Facts::default()).is_refused());
    let plan = plan_with(&long, "https://coupons.and.more.by.acme.example", &Facts::default());
    let found = said(&plan, Mark::Refuse);
    assert!(found.iter().any(|text| text.contains("takes 2 SMS") && text.contains("too many)")), "{found:?}");
}

#[test]
fn what_is_probably_not_meant_is_only_warned_of() {
    let past = PIZZA.replace("total = 50000", "total = 60000") + "end = \"2026-11-19\"\n";
    let past = past.replace(
        "caps.campaign = { total = 60000 }\nend = \"2026-11-19\"",
        "end = \"2026-11-19\"\ncaps.campaign = { total = 60000 }",
    );
    let plan = plan_of(&format!("{SENDER}{past}"));
    assert_eq!(
        said(&plan, Mark::Warn),
        [
            "campaign PIZZA: its end is in the past: nobody will get a code",
            "campaign PIZZA: the cap of 60000 is above the pool of 50000: the pool ends it first",
        ]
    );
    assert!(!plan.is_refused());
}

#[test]
fn a_derived_prefix_is_its_own_and_a_generated_one_may_be_shared() {
    let other = PIZZA.replace("PIZZA", "PASTA");
    assert!(!plan_of(&format!("{SENDER}{PIZZA}{other}")).is_refused());
    let derived = other.replace("generate", "derive").replace("PZA-????", "PZ-A???");
    let plan = plan_of(&format!("{SENDER}{PIZZA}{derived}"));
    let found = said(&plan, Mark::Refuse);
    assert!(found.iter().any(|text| text.contains("could be codes of campaign PIZZA")), "{found:?}");
    let bare = derived.replace("PZ-A???-????*", "?????-?????*");
    let plan = plan_of(&format!("{SENDER}{bare}"));
    assert!(said(&plan, Mark::Refuse).iter().any(|text| text.contains("fixed characters of its own")));
}

#[test]
fn two_documents_for_one_word_clash_and_name_the_owner_and_the_line() {
    let other = PIZZA.replace("name = \"PIZZA\"", "name = \"PASTA\"");
    let plan = plan_of(&format!("{SENDER}{PIZZA}{other}"));
    let lines: Vec<_> = plan.steps.iter().filter(|step| step.mark == Mark::Refuse).map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "! campaign PIZZA: keyword PIZZA in use by campaign PASTA (test.toml:6)",
            "! campaign PASTA: keyword PIZZA in use by campaign PIZZA (test.toml:15)",
        ]
    );
}

#[test]
fn imported_codes_already_there_forbid_a_pattern_that_begins_like_them() {
    let facts = Facts { imported_under: [("PZA".to_owned(), "BURGER".to_owned())].into(), ..Facts::default() };
    let plan = plan_with(&format!("{SENDER}{PIZZA}"), "https://acme.example", &facts);
    assert_eq!(
        said(&plan, Mark::Refuse),
        ["campaign PIZZA: campaign BURGER has imported codes that begin with \"PZA\""]
    );
}

#[test]
fn a_campaign_of_a_redemption_system_needs_that_system_and_enough_of_its_quota() {
    let with = |name: &str| format!("{SENDER}{PIZZA}\n[campaign.redemption]\npeer = \"{name}\"\n");
    let unknown = plan_of(&with("shopp"));
    assert_eq!(
        said(&unknown, Mark::Refuse),
        ["campaign PIZZA: redemption.peer \"shopp\" is not among the configuration's [[peers]]: there are shop"]
    );
    let slow = plan_of(&with("shop"));
    assert!(said(&slow, Mark::Refuse).is_empty(), "{slow}");
    let needs = "campaign PIZZA: verifying its 50000 codes needs 4 days by shop's quota; texts may have to wait";
    assert!(said(&slow, Mark::Warn).contains(&needs), "{slow}");
}
