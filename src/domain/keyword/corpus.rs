//! How well opt-out is heard, measured over texts made for it.
//!
//! The lists stand in `tests/fixtures/opt_out`; the variants are made of them here, the same at every run.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use super::{Book, Keyword, Route};
use crate::domain::language::Language;
use std::collections::BTreeSet;

const LEGAL: &str = include_str!("../../../tests/fixtures/opt_out/legal.txt");
const SENTENCES: &str = include_str!("../../../tests/fixtures/opt_out/sentences.txt");
const OWN_WORDS: &str = include_str!("../../../tests/fixtures/opt_out/words_of_their_own.txt");
const ORDINARY: &str = include_str!("../../../tests/fixtures/opt_out/ordinary.txt");

const KEYWORDS: [&str; 12] = [
    "PIZZA", "PLAZA", "BURGER", "TACO", "ICECREAM", "DRINK", "LUCKY", "MORNING", "WELCOME", "SUMMER", "TEXAS", "STEAK",
];

/// A number with the keywords of a busy shop; opt-out must win against all of them.
fn book() -> Book<usize> {
    let words = KEYWORDS.iter().enumerate().map(|(at, word)| (Keyword::parse(word).unwrap(), at));
    Book::new(words).unwrap()
}

fn lines(file: &str) -> impl Iterator<Item = &str> {
    file.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn own_words() -> BTreeSet<&'static str> {
    lines(OWN_WORDS).flat_map(str::split_whitespace).collect()
}

fn is_opt_out(route: &Route<usize>) -> bool {
    matches!(route, Route::OptOut { .. })
}

/// Every text one edit away: a letter more, less, another one, or two neighbours swapped.
fn one_edit(word: &str) -> BTreeSet<String> {
    let letters: Vec<char> = word.chars().collect();
    let mut made = BTreeSet::new();
    for at in 0..=letters.len() {
        let (before, rest) = letters.split_at(at);
        let text = |middle: &[char], after: &[char]| before.iter().chain(middle).chain(after).collect::<String>();
        for letter in 'a'..='z' {
            made.insert(text(&[letter], rest));
            if let [_, after @ ..] = rest {
                made.insert(text(&[letter], after));
            }
        }
        if let [_, after @ ..] = rest {
            made.insert(text(&[], after));
        }
        if let [one, other, after @ ..] = rest {
            made.insert(text(&[*other, *one], after));
        }
    }
    made.remove(word);
    made
}

/// Politeness, shouting and signs around a sentence, and one swap inside its longest word.
fn said_otherwise(sentence: &str) -> BTreeSet<String> {
    let mut made = BTreeSet::new();
    for (before, after) in [
        ("", ""),
        ("please ", ""),
        ("hey ", ""),
        ("pls ", " thx"),
        ("", " please"),
        ("", " now"),
        ("", "!!!"),
        ("", "."),
        ("ok ", " thanks"),
        ("omg ", " 😡"),
    ] {
        let text = format!("{before}{sentence}{after}");
        made.insert(text.to_uppercase());
        made.insert(text);
    }
    let longest = sentence.split(' ').max_by_key(|word| word.chars().count()).unwrap_or_default();
    let letters: Vec<char> = longest.chars().collect();
    for at in 1..letters.len().saturating_sub(2) {
        let mut swapped = letters.clone();
        swapped.swap(at, at + 1);
        made.insert(sentence.replacen(longest, &swapped.iter().collect::<String>(), 1));
    }
    made
}

/// Asks `book` for each text; the share that is heard as opt-out, those that are not, and those that are a code.
fn heard<'a>(texts: impl IntoIterator<Item = &'a str>) -> (usize, Vec<&'a str>, Vec<&'a str>) {
    let book = book();
    let (mut all, mut missed, mut coupons) = (0, Vec::new(), Vec::new());
    for text in texts {
        all += 1;
        let route = book.route(text);
        if matches!(route, Route::Keyword { .. } | Route::NearMiss { .. }) {
            coupons.push(text);
        }
        if !is_opt_out(&route) {
            missed.push(text);
        }
    }
    (all, missed, coupons)
}

fn per_mille(part: usize, all: usize) -> f64 {
    let small = |n: usize| f64::from(u32::try_from(n).unwrap());
    1_000.0 * small(part) / small(all)
}

#[test]
fn every_word_of_the_legal_list_is_heard_in_its_language() {
    let book = book();
    let listed: Vec<_> = lines(LEGAL).map(|line| line.rsplit_once(' ').unwrap()).collect();
    assert!(listed.len() >= 25, "{} words", listed.len());
    for (word, code) in listed {
        for text in
            [word.to_owned(), word.to_uppercase(), format!("{word}."), format!("{word} please"), format!(" {word}!!")]
        {
            let Route::OptOut { language, .. } = book.route(&text) else { panic!("{text:?} is not heard as opt-out") };
            assert_eq!(language.code(), code, "{text:?}");
        }
    }
}

#[test]
fn variants_of_the_legal_list_are_heard_and_none_is_a_coupon() {
    let own = own_words();
    // Every two letters are one edit from TD; of three letters only END is read with a typo, from three letters on.
    let words =
        lines(LEGAL).map(|line| line.rsplit_once(' ').unwrap().0).filter(|word| word.len() > 2 && word.is_ascii());
    let typos: BTreeSet<String> = words.flat_map(one_edit).filter(|typo| typo.trim().len() > 2).collect();
    let typos: Vec<&str> = typos.iter().map(String::as_str).filter(|typo| !own.contains(typo)).collect();
    let (all, missed, coupons) = heard(typos.iter().copied());
    assert_eq!(coupons, [""; 0], "coupons for typos of opt-out words");
    let share = per_mille(missed.len(), all);
    assert!(
        all > 5_000 && share <= 10.0,
        "{} of {all} typos ({share:.2} per mille) are missed: {missed:?}",
        missed.len()
    );
}

#[test]
fn sentences_that_mean_opt_out_are_heard_and_none_is_a_coupon() {
    let sentences: BTreeSet<String> = lines(SENTENCES).flat_map(said_otherwise).collect();
    let (all, missed, coupons) = heard(sentences.iter().map(String::as_str));
    assert_eq!(coupons, [""; 0], "coupons for sentences that mean opt out");
    let share = per_mille(missed.len(), all);
    assert!(all > 2_000 && share <= 10.0, "{} of {all} ({share:.2} per mille) are missed: {missed:?}", missed.len());
}

#[test]
fn an_opt_out_word_before_a_keyword_wins_also_with_a_typo() {
    let book = book();
    for keyword in KEYWORDS {
        for word in ["stop", "STOP", "stpo", "unsubscribe", "unsubscribr", "optout", "revoke"] {
            let text = format!("{word} {}", keyword.to_lowercase());
            assert!(is_opt_out(&book.route(&text)), "{text}");
        }
    }
}

#[test]
fn ordinary_texts_are_almost_never_heard_as_opt_out() {
    let fill: [(&str, &[&str]); 4] = [
        ("{k}", &KEYWORDS),
        ("{n}", &["Anna", "Tom", "Enid", "Tomas", "Ned", "Alton", "Maria", "Jo", "Stan", "Quinn"]),
        (
            "{f}",
            &[
                "pizza",
                "burger",
                "taco",
                "ice cream",
                "fries",
                "coffee",
                "wings",
                "salad",
                "pasta",
                "sushi",
                "bbq",
                "soup",
            ],
        ),
        (
            "{t}",
            &[
                "tonight",
                "tomorrow",
                "at 5",
                "later",
                "on friday",
                "this weekend",
                "today",
                "soon",
                "at noon",
                "next week",
            ],
        ),
    ];
    let mut texts: BTreeSet<String> = lines(ORDINARY).map(str::to_owned).collect();
    for (hole, words) in fill {
        let filled = texts.iter().flat_map(|text| {
            let each: Vec<String> = if text.contains(hole) {
                words.iter().map(|word| text.replacen(hole, word, 1).replace(hole, "fries")).collect()
            } else {
                vec![text.clone()]
            };
            each
        });
        texts = filled.collect();
    }
    texts.extend(own_words().into_iter().map(str::to_owned));
    let shaped = texts.iter().flat_map(|text| {
        [text.clone(), text.to_uppercase(), format!("{text}!"), format!("{text} :)"), format!("hi {text}")]
    });
    let shaped: BTreeSet<String> = shaped.collect();
    let book = book();
    let wrong: Vec<_> = shaped.iter().filter(|text| is_opt_out(&book.route(text))).collect();
    let share = per_mille(wrong.len(), shaped.len());
    let (n, all) = (wrong.len(), shaped.len());
    assert!(all >= 2_000 && share < 1.0, "{n} of {all} ({share:.2} per mille) are wrongly opt-outs: {wrong:?}");
}

#[test]
fn start_and_help_are_heard_in_three_languages() {
    let book = book();
    for (text, language) in
        [("start", Language::English), ("iniciar", Language::Spanish), ("commencer", Language::French)]
    {
        assert_eq!(book.route(text), Route::OptIn(language), "{text}");
    }
    for (text, language) in [
        ("help", Language::English),
        ("info", Language::English),
        ("ayuda por favor", Language::Spanish),
        ("aide svp", Language::French),
    ] {
        assert_eq!(book.route(text), Route::Help(language), "{text}");
    }
}
