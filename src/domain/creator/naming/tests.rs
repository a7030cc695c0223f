#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
use proptest::prelude::*;

use super::*;

fn handle(text: &str) -> Handle {
    Handle::parse(text).unwrap()
}

fn keywords(words: &[&str]) -> Vec<Keyword> {
    words.iter().map(|word| Keyword::parse(word).unwrap()).collect()
}

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn offered(wanted: &str, taken: Taken<'_>) -> Vec<String> {
    alternatives(&handle(wanted), taken, 4).into_iter().map(|name| name.keyword.as_str().to_owned()).collect()
}

#[test]
fn a_free_handle_gives_its_keyword_and_its_prefix() {
    let (live, prefixes) = (keywords(&["PIZZA", "EMMA"]), strings(&["PZA", "EMMA"]));
    let taken = Taken { handles: &[handle("emma")], keywords: &live, prefixes: &prefixes };
    let anna = name(&handle("anna"), taken).unwrap();
    assert_eq!((anna.keyword.as_str(), anna.prefix.as_str()), ("ANNA", "ANNA"));
}

#[test]
fn what_is_taken_or_one_edit_away_is_refused_with_what_it_is_mistaken_for() {
    let handles = [handle("anna")];
    let live = keywords(&["EMMA", "PIZZA"]);
    let taken = Taken { handles: &handles, keywords: &live, prefixes: &[] };
    assert_eq!(name(&handle("anna"), taken), Err(NameError::Handle(handle("anna"))));
    for near in ["emma", "emmy", "emm", "emmas", "mema"] {
        assert_eq!(name(&handle(near), taken), Err(NameError::Keyword(handle("emma").keyword())), "{near}");
    }
}

#[test]
fn a_second_anna_is_offered_readable_names_two_edits_from_the_first() {
    let (handles, live, prefixes) = ([handle("anna")], keywords(&["ANNA"]), strings(&["ANNA"]));
    let taken = Taken { handles: &handles, keywords: &live, prefixes: &prefixes };
    assert_eq!(offered("anna", taken), ["ANNA24", "ITSANNA", "ANNASAYS", "ANNALIVE"]);
    // ANNA2 and ANNAH are one edit from ANNA, yet fine where only the handle is gone.
    let taken = Taken { handles: &handles, ..Taken::default() };
    assert_eq!(offered("anna", taken), ["ANNA2", "ANNA24", "ANNAH", "ITSANNA"]);
}

#[test]
fn the_prefix_of_a_second_anna_is_not_begun_by_the_first() {
    let prefixes = strings(&["ANNA", "24ANNA"]);
    let taken = Taken { prefixes: &prefixes, ..Taken::default() };
    assert_eq!(name(&handle("anna25"), taken).unwrap().prefix, "25ANNA");
    assert_eq!(name(&handle("anna24"), taken).unwrap().prefix, "2ANNA24");
    assert_eq!(name(&handle("itsanna"), taken).unwrap().prefix, "ITSANNA");
    assert_eq!(name(&handle("ann"), taken).unwrap().prefix, "2ANN");
}

#[test]
fn a_pool_without_a_prefix_leaves_none_to_anybody() {
    let prefixes = strings(&[""]);
    let taken = Taken { prefixes: &prefixes, ..Taken::default() };
    assert_eq!(name(&handle("anna"), taken), Err(NameError::Prefix(handle("anna"))));
}

#[test]
fn the_random_part_grows_with_the_cap() {
    let anna = name(&handle("anna"), Taken::default()).unwrap();
    for (cap, pattern) in [
        (0, "ANNA-????-???*"),
        (2_000, "ANNA-????-???*"),
        (2_751, "ANNA-????-???*"),
        (2_752, "ANNA-????-????*"),
        (85_289, "ANNA-????-????*"),
        (85_290, "ANNA-????-????-?*"),
        (1_000_000, "ANNA-????-????-?*"),
        (2_000_000_000, "ANNA-????-????-???*"),
    ] {
        assert_eq!(code_pattern(&anna, cap).unwrap().as_str(), pattern, "{cap}");
    }
    assert!(code_pattern(&anna, 3_000_000_000).is_err());
}

#[test]
fn the_longest_handle_still_has_room_for_its_codes() {
    let long = name(&handle("abcdefghijklmnopqrst"), Taken::default()).unwrap();
    assert!(code_pattern(&long, 2_000_000_000).is_ok());
}

#[test]
fn a_post_has_the_keyword_with_its_number() {
    let anna = handle("anna").keyword();
    assert_eq!(sub_keyword(&anna, 7).unwrap().as_str(), "ANNA7");
    let long = handle("abcdefghijklmnopqrst").keyword();
    assert_eq!(sub_keyword(&long, 7), Err(KeywordError::TooLong));
}

proptest! {
    #[test]
    fn what_is_offered_can_be_had_and_its_codes_belong_to_nobody_else(
        wanted in "[a-z][a-z0-9]{2,19}",
        live in proptest::collection::vec("[A-Z]{3,8}", 0..6),
        cap in 0..1_000_000_000_u64,
    ) {
        if let Ok(wanted) = Handle::parse(&wanted) {
            let mut words = keywords(&live.iter().map(String::as_str).collect::<Vec<_>>());
            words.push(wanted.keyword());
            let mut prefixes = live;
            prefixes.push(wanted.keyword().as_str().to_owned());
            let handles = [wanted.clone()];
            let taken = Taken { handles: &handles, keywords: &words, prefixes: &prefixes };
            let names = alternatives(&wanted, taken, 3);
            prop_assert_eq!(names.len(), 3);
            for other in names {
                prop_assert!(other.handle != wanted && near(&other.keyword, &words).is_none());
                let pattern = code_pattern(&other, cap).unwrap();
                let own = pattern.literal_prefix();
                prop_assert!(!prefixes.iter().any(|p| p.starts_with(own) || own.starts_with(p.as_str())));
            }
        }
    }
}
