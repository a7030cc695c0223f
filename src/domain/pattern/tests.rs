#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use proptest::prelude::*;

use super::super::alphabet::{BASE23, BASE31, DIGITS};
use super::*;

fn pattern(text: &str) -> Pattern {
    Pattern::parse(text).unwrap()
}

fn norm(text: &str) -> CodeNorm {
    CodeNorm::parse(text).unwrap()
}

/// Patterns of every kind of check, and without one.
const KINDS: [&str; 8] = [
    "PZA-????-????*",
    "WLC-?????-?????*",
    "SUM-####-????*",
    "B !!!! !!!!*",
    "[0123456789]{9}*",
    "####-####*-X",
    "@@[AB]?\\_{2}#!",
    "?[XYZ]A?*",
];

#[test]
fn the_figures_of_the_demo_pattern_are_known() {
    let pizza = pattern("PZA-????-????*");
    assert_eq!(pizza.literal_prefix(), "PZA");
    assert_eq!(pizza.space(), 31_u128.pow(8));
    assert!((pizza.bits() - 39.63).abs() < 0.01);
    assert_eq!((pizza.display_len(), pizza.as_str(), pizza.has_check()), (14, "PZA-????-????*", true));
    assert_eq!(pizza.format(0).unwrap().expose(), "PZA-2222-22222");
    assert_eq!(pizza.format(pizza.space()), None);
}

#[test]
fn repeats_sets_escapes_and_case_read_as_the_grammar_says() {
    assert_eq!(pattern("sum-?{4}-?{4}*").format(0).unwrap().expose(), "SUM-2222-22222");
    assert_eq!(pattern("A{3}?").format(1).unwrap().expose(), "AAA3");
    assert_eq!(pattern("\\#\\a[qz]").format(1).unwrap().expose(), "#AZ");
    assert_eq!(pattern("[yx]").format(0).unwrap().expose(), "Y");
    assert_eq!(pattern("A-1 B?").literal_prefix(), "A1B");
    assert_eq!(pattern("?A").literal_prefix(), "");
}

#[test]
fn a_pattern_that_cannot_work_is_refused_with_its_reason() {
    for (text, error) in [
        ("", PatternError::NothingRandom),
        ("ABC", PatternError::NothingRandom),
        ("ABC*", PatternError::NothingRandom),
        ("A?{40}", PatternError::Repeat { at: 3 }),
        ("?{0}", PatternError::Repeat { at: 2 }),
        ("?{2}{2}", PatternError::Repeat { at: 2 }),
        ("{2}?", PatternError::Repeat { at: 1 }),
        ("-{2}?", PatternError::Separator { at: 1 }),
        ("?-{2}?", PatternError::Repeat { at: 3 }),
        ("?*{2}", PatternError::Repeat { at: 3 }),
        ("?{creator}", PatternError::Repeat { at: 2 }),
        ("A{32}?", PatternError::TooLong(33)),
        ("?--?", PatternError::Separator { at: 3 }),
        ("??-", PatternError::Separator { at: 3 }),
        ("?_?", PatternError::Unknown { at: 2, found: '_' }),
        ("é?", PatternError::Unknown { at: 1, found: 'é' }),
        ("?\\-?", PatternError::Escape { at: 2 }),
        ("?\\", PatternError::Escape { at: 2 }),
        ("?[AB", PatternError::OpenSet { at: 2 }),
        ("?[AA]", PatternError::Set { at: 2, source: BadAlphabet::Twice('A') }),
        ("??*?", PatternError::CheckPlace),
        ("??**", PatternError::CheckPlace),
        ("?@*", PatternError::CheckAlphabet),
        ("[0O]?*", PatternError::CheckAlphabet),
        ("!{22}*", PatternError::CheckTooLong(21)),
        ("?{25}", PatternError::TooManyCodes),
    ] {
        assert_eq!(Pattern::parse(text), Err(error), "{text}");
    }
    assert!(Pattern::parse("?{24}").is_ok() && Pattern::parse("!{21}*").is_ok());
}

#[test]
fn the_check_character_comes_from_the_set_that_is_drawn_from() {
    for (text, set) in [("?{8}*", BASE31), ("#?{7}*", BASE31), ("!{8}*", BASE23), ("#{8}*", DIGITS)] {
        let pattern = pattern(text);
        for index in 0..200 {
            let code = pattern.format(index * 7919).unwrap();
            assert!(set.contains(code.expose().chars().last().unwrap()), "{text} {}", code.expose());
        }
    }
}

#[test]
fn foreign_codes_are_told_apart_by_shape_and_by_check() {
    let pizza = pattern("PZA-????-????*");
    assert_eq!(pizza.index_of(&norm("PZA-2222-22222")), Ok(0));
    assert_eq!(pizza.index_of(&norm("PZA-2222-22223")), Err(NotMine::Check));
    assert_eq!(pizza.index_of(&norm("PZB-2222-22222")), Err(NotMine::Shape));
    assert_eq!(pizza.index_of(&norm("PZA-2222-2222")), Err(NotMine::Shape));
    assert_eq!(pizza.index_of(&norm("PZA-2222-2222O")), Err(NotMine::Shape));
    assert_eq!(pizza.index_of(&norm("PZA-2222-222ÉÉ")), Err(NotMine::Shape));
    assert!(!pizza.check_ok(&norm("PZA-2222-22223")) && pizza.check_ok(&norm("pza 2222 22222")));
}

#[test]
fn too_small_a_space_says_how_much_is_missing() {
    let pizza = pattern("PZA-????-????*");
    assert_eq!(required_space(50_000), 500_000_000_000);
    assert_eq!(pizza.check_space(50_000), Ok(()));
    let error = pattern("PZA-????-??*").check_space(50_000).unwrap_err();
    assert_eq!(error.to_string(), "key space 8.9e8 is below 10^7 x 50000 live codes = 5.0e11: add 2 more ?");
    let digits = pattern("####").check_space(1).unwrap_err();
    assert_eq!((digits.more, digits.symbol), (4, '#'));
    assert_eq!(pattern("[AB]").check_space(u64::MAX).unwrap_err().symbol, '?');
}

#[test]
fn drawn_words_are_seen_and_the_marketers_own_are_not() {
    let pizza = pattern("PZA-????-????");
    assert!(!pizza.reads_clean(&norm("PZA-2FUC-K222")));
    assert!(!pizza.reads_clean(&norm("PZA-22FV-CK22")));
    assert!(pizza.reads_clean(&norm("PZA-7K2M-9QXT")));
    assert!(pattern("ASSET-????").reads_clean(&norm("ASSET-7K2M")));
    assert!(!pattern("!!!!").can_spell() && !pattern("####*").can_spell() && pattern("?").can_spell());
}

#[test]
fn the_draw_is_even_and_refuses_the_incomplete_end() {
    let thirty_one = pattern("?");
    let mut random = [0_u8; 32];
    random[15] = 33;
    assert_eq!(thirty_one.random_index(random), Some(2));
    random[..16].fill(0xff);
    random[31] = 5;
    // 2^128 mod 31 = 8: the eight numbers at the very top are not used, the second half is.
    assert_eq!(thirty_one.random_index(random), Some(5));
    random[15] = 0xff - 8;
    assert_eq!(thirty_one.random_index(random), Some(30));
    assert_eq!(thirty_one.random_index([0xff; 32]), None);
    // A power of two has no incomplete end.
    assert_eq!(pattern("#").random_index([0xff; 32]), Some(7));
}

proptest! {
    #[test]
    fn a_number_comes_back_from_its_code(kind in 0..KINDS.len(), any: u128) {
        let pattern = pattern(KINDS[kind]);
        let index = any % pattern.space();
        let code = pattern.format(index).unwrap();
        prop_assert_eq!(code.expose().chars().count(), pattern.display_len());
        prop_assert!(code.norm().expose().starts_with(pattern.literal_prefix()));
        prop_assert!(pattern.check_ok(&code.norm()));
        prop_assert_eq!(pattern.index_of(&code.norm()), Ok(index));
    }

    #[test]
    fn different_numbers_are_different_codes(kind in 0..KINDS.len(), one: u128, two: u128) {
        let pattern = pattern(KINDS[kind]);
        let (one, two) = (one % pattern.space(), two % pattern.space());
        prop_assert_eq!(one == two, pattern.format(one) == pattern.format(two));
    }

    #[test]
    fn a_random_index_is_a_number_of_the_pattern(kind in 0..KINDS.len(), random: [u8; 32]) {
        let pattern = pattern(KINDS[kind]);
        prop_assert!(pattern.random_index(random).is_none_or(|index| index < pattern.space()));
    }

    #[test]
    fn the_check_shows_every_wrong_character(kind in 0..6_usize, any: u128) {
        let pattern = pattern(KINDS[kind]);
        let code = pattern.format(any % pattern.space()).unwrap().norm();
        for at in 0..code.expose().len() {
            for wrong in BASE31.chars().chain("01ILO".chars()) {
                let mut typo: Vec<char> = code.expose().chars().collect();
                if std::mem::replace(&mut typo[at], wrong) != wrong {
                    let typo: String = typo.into_iter().collect();
                    prop_assert!(pattern.index_of(&norm(&typo)).is_err(), "{} {}", code.expose(), typo);
                }
            }
        }
    }

    #[test]
    fn the_check_shows_every_swap_of_neighbours(kind in 0..6_usize, any: u128) {
        let pattern = pattern(KINDS[kind]);
        let code = pattern.format(any % pattern.space()).unwrap().norm();
        for at in 1..code.expose().len() {
            let mut typo: Vec<char> = code.expose().chars().collect();
            typo.swap(at - 1, at);
            let typo: String = typo.into_iter().collect();
            if typo != code.expose() {
                prop_assert!(pattern.index_of(&norm(&typo)).is_err(), "{} {}", code.expose(), typo);
            }
        }
    }

    #[test]
    fn any_text_is_a_pattern_or_an_error_and_what_parses_can_count(text in "[A-Z#?!@*{}0-9\\[\\]\\\\ -]{0,14}") {
        if let Ok(pattern) = Pattern::parse(&text) {
            let last = pattern.space() - 1;
            let code = pattern.format(last).unwrap().norm();
            prop_assert_eq!(pattern.index_of(&code), Ok(last));
        }
    }
}
