#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
use proptest::prelude::*;

use super::*;

fn parsed(text: &str, region: Option<&str>) -> Result<String, BadPhone> {
    PhoneNumber::parse(text, region).map(|number| number.expose().to_owned())
}

#[test]
fn one_number_has_one_form_however_it_is_written() {
    for (text, region, e164) in [
        ("+1 (202) 555-0123", None, "+12025550123"),
        ("202.555.0123", Some("US"), "+12025550123"),
        ("1 202 555 0123", Some("CA"), "+12025550123"),
        ("011 44 7400 123456", Some("US"), "+447400123456"),
        ("\u{202a}+44 7400 123456\u{202c}", None, "+447400123456"),
        ("07400 123456", Some("GB"), "+447400123456"),
        ("+44 (0)7400 123456", None, "+447400123456"),
        ("0049 151 23456789", Some("DE"), "+4915123456789"),
        ("06 1234 5678", Some("IT"), "+390612345678"),
        ("＋４４７４００１２３４５６", None, "+447400123456"),
    ] {
        assert_eq!(parsed(text, region).as_deref(), Ok(e164), "{text}");
    }
}

#[test]
fn what_is_no_number_is_refused_with_its_reason() {
    for (text, region, error) in [
        ("", None, BadPhone::NotANumber),
        ("12345", None, BadPhone::NoCountry),
        ("2025550123", None, BadPhone::NoCountry),
        ("2025550123", Some("XX"), BadPhone::UnknownRegion),
        ("1-800-FLOWERS", Some("US"), BadPhone::NotANumber),
        ("2025550123 ext 5", Some("US"), BadPhone::NotANumber),
        ("+1202555012", None, BadPhone::NotInUse),
        ("+11025550123", None, BadPhone::NotInUse),
        ("+12021550123", None, BadPhone::NotInUse),
        ("+44740012345", None, BadPhone::NotInUse),
        ("++447400123456", None, BadPhone::NotANumber),
        ("+2", None, BadPhone::NotANumber),
    ] {
        assert_eq!(parsed(text, region), Err(error), "{text}");
    }
    assert_eq!(parsed(&"1".repeat(10_000), Some("US")), Err(BadPhone::NotANumber));
}

#[test]
fn a_carriers_number_is_judged_by_form_alone() {
    for (text, e164) in [("+15550001111", "+15550001111"), ("447400123456", "+447400123456"), ("+2999999", "+2999999")]
    {
        assert_eq!(PhoneNumber::from_e164(text).unwrap().expose(), e164);
    }
    for bad in ["12345", "Codewell", "+0123456789", "+1234567890123456", "+1 2025550123", ""] {
        assert_eq!(PhoneNumber::from_e164(bad), Err(BadPhone::NotANumber), "{bad}");
    }
}

#[test]
fn printing_shows_the_last_two_digits() {
    let number = PhoneNumber::from_e164("+12025550123").unwrap();
    assert_eq!(format!("{number} {number:?}"), "…23 …23");
}

#[test]
fn countries_that_share_a_calling_code_are_told_apart() {
    for (number, country) in [
        ("+12025550123", "US"),
        ("+14165550123", "CA"),
        ("+18765550123", "JM"),
        ("+12425550123", "BS"),
        ("+17875550123", "PR"),
        ("+77012345678", "KZ"),
        ("+79161234567", "RU"),
        ("+447400123456", "GB"),
        ("+4915123456789", "DE"),
    ] {
        assert_eq!(PhoneNumber::from_e164(number).unwrap().country().as_deref(), Some(country), "{number}");
    }
    assert_eq!(PhoneNumber::from_e164("+9990000000").unwrap().country(), None);
}

#[test]
fn a_sender_is_a_short_code_or_a_full_number() {
    for (text, address, short) in [
        ("123", "123", true),
        ("12345", "12345", true),
        ("12345678", "12345678", true),
        ("+12025550123", "+12025550123", false),
        ("12025550123", "+12025550123", false),
    ] {
        let sender = SenderAddress::parse(text).unwrap();
        assert_eq!((sender.as_str(), sender.is_short_code()), (address, short));
        assert_eq!(format!("{sender}"), address);
    }
    for bad in ["12", "", "PIZZA", "+123", "12 345", "012345678"] {
        assert_eq!(SenderAddress::parse(bad), Err(BadSender), "{bad}");
    }
    let json = serde_json::to_string(&SenderAddress::parse("12345").unwrap()).unwrap();
    assert_eq!(serde_json::from_str::<SenderAddress>(&json).unwrap().as_str(), "12345");
}

proptest! {
    #[test]
    fn a_typed_north_american_number_is_the_one_its_carrier_names(national in "[2-9][0-9]{2}[2-9][0-9]{6}") {
        let carrier = PhoneNumber::from_e164(&format!("+1{national}"));
        prop_assert_eq!(PhoneNumber::parse(&national, Some("US")), carrier.clone());
        prop_assert_eq!(PhoneNumber::parse(&format!("+1-{national}"), None), carrier);
    }

    #[test]
    fn no_text_makes_parsing_panic(text in "\\PC{0,40}") {
        if let Ok(number) = PhoneNumber::parse(&text, Some("GB")) {
            prop_assert!(is_e164(number.expose().trim_start_matches('+')));
        }
    }
}
