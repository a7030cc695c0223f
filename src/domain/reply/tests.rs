#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;

use super::*;

const TOKEN: &str = "/c/9tQ2xW7kM4vB8nR3pL6yHd";

fn worst(host: &str, (keyword, offer, code): (&str, &str, &str)) -> Values {
    Values::new()
        .with(Slot::Digits, "482915")
        .with(Slot::Brand, "Acme")
        .with(Slot::Offer, offer)
        .with(Slot::Keyword, keyword)
        .with(Slot::Read, &format!("{keyword}S"))
        .with(Slot::Code, code)
        .with(Slot::Ending, "4XTD")
        .with(Slot::Expires, "31 Dec")
        .with(Slot::UsedAt, "14 Nov 12:22 PM")
        .with(Slot::Link, &show_link(host, TOKEN))
        .with(Slot::When, "24 Nov 10:00 AM ET")
        .with(Slot::Limit, "2 coupons for November")
        .with(Slot::Codes, "PIZZA 4XTD unused to 31 Dec; BURGER 2HTP used 3 Nov")
        .with(Slot::Help, "coupons.acme.example/help or 800-555-0199")
        .with(Slot::Words, "PIZZA, BURGER or MYCODES")
        .with(Slot::Choices, "1 PIZZA or 2 BURGER")
        .with(Slot::Digits, "000000")
}

fn compiled(source: &str, values: &Values) -> Compiled {
    Template::parse(source).unwrap().compile(values).unwrap()
}

fn brand(text: &str) -> Values {
    Values::new().with(Slot::Brand, text)
}

#[test]
fn optional_parts_go_from_the_highest_number_and_only_as_far_as_needed() {
    let source = "{brand}[2| two][3| three][1| one][2| zwei]";
    let text = |length: usize| {
        let values = brand(&"x".repeat(length));
        compiled(source, &values).render(&brand("x"))
    };
    assert_eq!(text(141), "x two three one zwei");
    assert_eq!(text(142), "x two one zwei");
    assert_eq!(text(147), "x two one zwei");
    assert_eq!(text(148), "x one");
    assert_eq!(text(157), "x");
}

#[test]
fn a_part_without_its_value_is_left_out_and_a_needed_value_is_asked_for() {
    let template = Template::parse("{brand}: off[0|, valid to {expires}].").unwrap();
    assert_eq!(template.compile(&brand("A")).unwrap().render(&brand("A")), "A: off.");
    let with = brand("A").with(Slot::Expires, "31 Dec");
    let dated = template.compile(&with).unwrap();
    assert_eq!(dated.render(&with), "A: off, valid to 31 Dec.");
    assert_eq!(dated.render(&brand("A")), "A: off.");
    let error = template.compile(&Values::new()).unwrap_err();
    assert_eq!(error, CompileError::MissingValue { slot: Slot::Brand });
    assert_eq!(error.to_string(), "it needs a value for {brand}");
}

#[test]
fn a_text_that_cannot_fit_says_by_how_much() {
    let values = brand(&"x".repeat(165));
    let error = Template::parse("{brand} STOP[1| more][0| keep]").unwrap().compile(&values).unwrap_err();
    let CompileError::TooLong(long) = error else { unreachable!("{error}") };
    assert_eq!((long.segments, long.units, long.over), (2, 175, 15));
    let dear = Template::parse("{brand}").unwrap().compile(&brand(&"я".repeat(71))).unwrap_err();
    assert!(dear.to_string().starts_with("its shortest form takes 2 SMS (71 units, 1 too many)"), "{dear}");
}

#[test]
fn values_are_inserted_literally_and_folded() {
    let values = brand("{code} [1|x] “Joe’s”").with(Slot::Code, "SECRET");
    assert_eq!(compiled("{brand}!", &values).render(&values), "{code} [1|x] \"Joe's\"!");
    assert_eq!(Values::new().with(Slot::Read, "РIZZAЖ é").get(Slot::Read), Some("?IZZA? é"));
}

#[test]
fn a_template_says_what_is_wrong_with_it() {
    for (source, message) in [
        ("Hi {brnd}", "unknown placeholder {brnd}, nearest is {brand}"),
        ("{brand} {expire}", "unknown placeholder {expire}, nearest is {expires}"),
        ("Hi {brand", "\"{\" at character 4 is not closed (write it twice to mean the sign)"),
        ("Hi [2|there", "\"[\" at character 4 is not closed (write it twice to mean the sign)"),
        ("Hi } there", "\"}\" at character 4 does not belong there (write it twice to mean the sign)"),
        ("a [1|b [2|c]]", "\"[\" at character 8 does not belong there (write it twice to mean the sign)"),
        ("a [b|c]", "the optional part at character 3 is not written [n|text] with n from 0 to 9"),
        ("[1|all]", "the text is empty"),
        ("", "the text is empty"),
    ] {
        assert_eq!(Template::parse(source).unwrap_err().to_string(), message, "{source}");
    }
    assert_eq!(compiled("{{a}} [[b]]", &Values::new()).render(&Values::new()), "{a} [b]");
}

#[test]
fn a_replacement_must_keep_brand_code_link_and_stop() {
    let replaced = |id, text: &str| ReplySet::embedded().with_overrides(&[(id, text.to_owned())].into_iter().collect());
    let refused = |id, text| replaced(id, text).unwrap_err().to_string();
    let first = ReplyId::T01FirstIssue;
    assert_eq!(refused(first, "{brand} {code} STOP"), "text T01 must always show {link}");
    assert_eq!(refused(first, "{brand} [1|{code}] {link} STOP"), "text T01 must always show {code}");
    assert_eq!(refused(first, "{brand} {code} {link}"), "text T01 must always show STOP");
    assert_eq!(refused(ReplyId::T05SoldOut, "gone, STOP"), "text T05 must always show {brand}");
    assert_eq!(refused(ReplyId::Busy, "{brand} {whe} STOP"), "text T07M: unknown placeholder {whe}, nearest is {when}");
    let set = replaced(ReplyId::T05SoldOut, "{brand}: gone. STOP").unwrap();
    assert_eq!(*set.get(ReplyId::T05SoldOut), Template::parse("{brand}: gone. STOP").unwrap());
    assert_eq!(set.get(first), ReplySet::embedded().get(first));
}

#[test]
fn a_file_of_texts_is_complete_and_knows_its_names() {
    assert_eq!(ReplySet::parse("").unwrap_err().to_string(), "text T01 is missing");
    assert!(matches!(ReplySet::parse("T06 = 'x'"), Err(ReplySetError::NotToml(_))));
    for id in ReplyId::ALL {
        assert_eq!(ReplyId::parse(id.as_str()), Ok(id));
        assert_eq!(serde_json::to_value(id).unwrap(), id.as_str());
    }
}

#[test]
fn a_link_loses_https_and_keeps_http() {
    assert_eq!(show_link("https://acme.example", "/c/T"), "acme.example/c/T");
    assert_eq!(show_link("https://acme.example/", "/c/T"), "acme.example/c/T");
    assert_eq!(show_link("http://127.0.0.1:8080", "/c/T"), "http://127.0.0.1:8080/c/T");
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[test]
fn days_and_times_are_the_zones_own() {
    let (ny, now) = (Tz::America__New_York, at("2026-11-20T12:00:00Z"));
    assert_eq!(day_words(at("2027-01-01T04:59:59Z"), ny, now), "31 Dec");
    assert_eq!(day_words(at("2027-01-03T12:00:00Z"), ny, now), "3 Jan 2027");
    assert_eq!(day_words(at("2026-12-31T12:00:00Z"), ny, at("2027-01-01T04:00:00Z")), "31 Dec");
    assert_eq!(time_words(at("2026-11-14T23:22:00Z"), ny, now), "14 Nov 6:22 PM");
    assert_eq!(time_words(at("2027-07-04T04:05:00Z"), ny, now), "4 Jul 2027 12:05 AM");
}

#[test]
fn an_opening_names_its_zone_as_people_there_do() {
    let now = at("2026-11-20T12:00:00Z");
    for (zone, moment, words) in [
        (Tz::America__New_York, "2026-11-24T14:00:00Z", "24 Nov 9:00 AM ET"),
        (Tz::America__New_York, "2026-07-24T13:00:00Z", "24 Jul 9:00 AM ET"),
        (Tz::America__Chicago, "2026-11-24T15:00:00Z", "24 Nov 9:00 AM CT"),
        (Tz::America__Denver, "2026-11-24T16:00:00Z", "24 Nov 9:00 AM MT"),
        (Tz::America__Los_Angeles, "2026-11-24T17:00:00Z", "24 Nov 9:00 AM PT"),
        (Tz::America__Phoenix, "2026-07-24T16:00:00Z", "24 Jul 9:00 AM MST"),
        (Tz::America__Havana, "2026-11-24T14:00:00Z", "24 Nov 9:00 AM CST"),
        (Tz::Asia__Shanghai, "2026-11-24T01:00:00Z", "24 Nov 9:00 AM CST"),
        (Tz::Europe__Berlin, "2026-11-24T08:00:00Z", "24 Nov 9:00 AM CET"),
        (Tz::Asia__Kathmandu, "2026-11-24T03:15:00Z", "24 Nov 9:00 AM UTC+5:45"),
        (Tz::America__Sao_Paulo, "2026-11-24T12:00:00Z", "24 Nov 9:00 AM UTC-3"),
        (Tz::UTC, "2026-11-24T09:00:00Z", "24 Nov 9:00 AM UTC"),
    ] {
        assert_eq!(opens_words(at(moment), zone, now), words, "{zone}");
    }
}

#[test]
fn lists_read_as_sentences_and_end_where_the_room_ends() {
    assert_eq!(or_list(&[]), "");
    assert_eq!(or_list(&["PIZZA"]), "PIZZA");
    assert_eq!(or_list(&["PIZZA", "DEAL", "MYCODES"]), "PIZZA, DEAL or MYCODES");
    let items = ["PIZZA 4XTD", "TACO 2HTP", "X 1"].map(str::to_owned);
    assert_eq!(join_fitting(&items, "; ", 21), "PIZZA 4XTD; TACO 2HTP");
    assert_eq!(join_fitting(&items, "; ", 20), "PIZZA 4XTD");
    let text = compiled("{brand}: {codes}. STOP", &brand("Acme").with(Slot::Codes, ""));
    assert_eq!(text.room(&brand("Acme")), 160 - 12);
}

proptest! {
    #[test]
    fn any_text_is_a_template_or_a_fault(source in "[ -~]{0,60}", signs in "[\\[\\]{}|0-9a-z]{0,30}") {
        for text in [&source, &signs] {
            if let Ok(template) = Template::parse(text) {
                let values = Slot::ALL.into_iter().fold(Values::new(), |all, slot| all.with(slot, "x"));
                prop_assert!(template.compile(&values).is_ok());
            }
        }
    }

    #[test]
    fn what_compiles_with_the_longest_values_fits_with_shorter_ones(
        name in "[A-Za-z ]{1,40}", cut in 0_usize..40, offer in "[a-z$%]{1,30}",
    ) {
        let longest = worst("https://coupons.acme.example", ("PIZZA", &offer, "PZA-7KMQ-4XTDE"))
            .with(Slot::Brand, &name);
        let shorter = longest.clone().with(Slot::Brand, name.get(..cut).unwrap_or(&name));
        for (_, template) in ReplySet::embedded().iter() {
            match template.compile(&longest) {
                Ok(compiled) => prop_assert_eq!(gsm7::segments(&compiled.render(&shorter)).count, 1),
                Err(error) => prop_assert!(matches!(error, CompileError::TooLong(_)), "{}", error),
            }
        }
    }
}
