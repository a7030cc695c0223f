#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::domain::language::Language;
use crate::domain::vectors;

#[derive(Deserialize)]
struct File {
    program_keywords: Vec<Keyword>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    raw: String,
    normalised: String,
    route: String,
    detail: Option<String>,
}

fn book(words: &[&str]) -> Book<usize> {
    let parsed = words.iter().enumerate().map(|(at, word)| (Keyword::parse(word).unwrap(), at));
    Book::new(parsed).unwrap()
}

fn shop() -> Book<usize> {
    book(&["PIZZA", "PIZZA20", "TACO", "ICE CREAM", "STOPSHOP", "GO", "BURGER"])
}

fn described(route: Route<usize>) -> (&'static str, Option<String>) {
    match route {
        Route::OptOut { matched, .. } => ("opt_out", Some(matched.word().to_owned())),
        Route::OptIn(_) => ("opt_in", None),
        Route::Help(_) => ("help", None),
        Route::MyCodes => ("my_codes", None),
        Route::Keyword { word, .. } => ("keyword", Some(word.to_string())),
        Route::NearMiss { word, .. } => ("did_you_mean", Some(word.to_string())),
        Route::Ambiguous([(one, _), (other, _)]) => ("ask", Some(format!("{one} {other}"))),
        Route::Unknown => ("unknown", None),
        Route::Reaction => ("reaction_ignore", None),
        Route::Automatic => ("automatic", None),
        Route::Empty => ("empty", None),
    }
}

fn routed(book: &Book<usize>, raw: &str) -> String {
    match described(book.route(raw)) {
        (route, Some(detail)) => format!("{route} {detail}"),
        (route, None) => route.to_owned(),
    }
}

#[test]
fn every_recorded_text_takes_the_recorded_route() {
    let file: File = serde_json::from_str(&vectors::read("keyword_routing.json")).unwrap();
    let words = file.program_keywords.into_iter().enumerate().map(|(at, word)| (word, at));
    let book = Book::new(words).unwrap();
    assert!(file.cases.len() >= 40, "only {} cases were read", file.cases.len());
    for case in &file.cases {
        assert_eq!(normalise(&case.raw).text(), case.normalised, "{:?}", case.raw);
        let want = (case.route.as_str(), case.detail.clone());
        assert_eq!(described(book.route(&case.raw)), want, "{:?}", case.raw);
    }
}

#[test]
fn stop_outranks_a_keyword_that_follows_it() {
    let shop = shop();
    for text in ["stop pizza", "STOP, no more pizza", "unsubscribe me from the pizza list please now"] {
        assert!(routed(&shop, text).starts_with("opt_out"), "{text}");
    }
}

#[test]
fn a_typo_of_a_reserved_word_is_never_a_coupon() {
    let near = book(&["SHOP", "STOPS", "STARS", "HELPS", "ENDS", "STEP"]);
    for text in ["STPO", "STOPP", "SOTP", "STP", "stop1", "st0p"] {
        assert_eq!(routed(&near, text), "opt_out intent", "{text}");
    }
    assert_eq!(routed(&near, "SТOP"), "opt_out exact", "with a letter of another alphabet");
    for text in ["STRT", "HELPP", "infoo"] {
        assert_eq!(routed(&near, text), "unknown", "{text}");
    }
    assert_eq!(routed(&near, "shop"), "keyword SHOP");
    assert_eq!(routed(&near, "stops"), "keyword STOPS");
}

#[test]
fn opt_out_in_other_words_and_languages_is_understood() {
    let shop = shop();
    let exact = [
        "S T O P",
        "s.t.o.p",
        "Stop now",
        "please STOP!!!",
        "ＳＴＯＰ",
        "stop 🛑",
        "Text STOP to 12345",
        "alto",
        "Baja",
        "parar por favor",
        "arrêt",
        "désabonner svp",
        "cancel please",
        "END.",
        "quit",
        "TD",
    ];
    for text in exact {
        assert_eq!(routed(&shop, text), "opt_out exact", "{text}");
    }
    let intent = [
        "do not text me",
        "never message me again",
        "remove me from this list",
        "take me off your list",
        "no more messages",
        "leave me alone",
        "wrong number",
        "quit spamming",
        "stop these messages now ok?",
        "please take my number out of your list",
        "No me manden mensajes",
        "opt me out",
        "i want to unsubscribe",
    ];
    for text in intent {
        assert_eq!(routed(&shop, text), "opt_out intent", "{text}");
    }
}

#[test]
fn cancel_end_and_quit_inside_a_sentence_are_speech() {
    let shop = shop();
    for text in ["the end", "i cant quit you", "is this the end of it", "cancel that"] {
        assert_eq!(routed(&shop, text), "unknown", "{text}");
    }
    assert_eq!(routed(&shop, "pizza for the weekend end"), "keyword PIZZA");
}

#[test]
fn a_keyword_is_found_through_wrapping_greeting_and_spacing() {
    let shop = shop();
    for (text, word) in [
        ("Text PIZZA to 12345", "PIZZA"),
        ("hi the pizza thank you", "PIZZA"),
        ("can i have pizza", "PIZZA"),
        ("pizza 20 now", "PIZZA20"),
        ("PIZZA or TACO", "PIZZA"),
        ("🅿️izza", "PIZZA"),
        ("stop shop", "STOPSHOP"),
        ("go", "GO"),
        ("ｐｉｚｚａ", "PIZZA"),
        ("pi\u{200b}zza", "PIZZA"),
        ("some ice cream", "ICECREAM"),
    ] {
        assert_eq!(routed(&shop, text), format!("keyword {word}"), "{text}");
    }
    assert_eq!(routed(&shop, "either pizza or taco"), "ask PIZZA TACO");
    assert_eq!(routed(&shop, "either pizza or taco or burger"), "unknown");
    assert_eq!(routed(&shop, "i want to go home"), "unknown");
}

#[test]
fn a_near_miss_needs_four_letters_and_one_candidate() {
    let words = book(&["PIZZA", "PLAZA", "TACO", "SUN", "BURGER"]);
    for (text, word) in [
        ("piza", "PIZZA"),
        ("pziza", "PIZZA"),
        ("burgers please", "BURGER"),
        ("my burgerr", "BURGER"),
        ("РІZZА", "PIZZA"),
    ] {
        assert_eq!(routed(&words, text), format!("did_you_mean {word}"), "{text}");
    }
    assert_eq!(routed(&words, "plzza"), "ask PIZZA PLAZA");
    assert_eq!(routed(&words, "plaza"), "keyword PLAZA");
    for text in ["tac", "sunn", "pizzazz", "give me one tacko right now"] {
        assert_eq!(routed(&words, text), "unknown", "{text}");
    }
}

#[test]
fn a_number_in_digits_or_words_takes_a_choice_unless_it_is_a_keyword() {
    let shop = shop();
    for (text, choice) in [
        ("1", Some(0)),
        (" 2. ", Some(1)),
        ("#1", Some(0)),
        ("1️⃣", Some(0)),
        ("one please", Some(0)),
        ("The second one", Some(1)),
        ("option 2", Some(1)),
        ("dos", Some(1)),
        ("12", None),
        ("3", None),
        ("1 pizza", None),
        ("", None),
    ] {
        assert_eq!(shop.choice(text), choice, "{text:?}");
    }
    assert_eq!(book(&["ONE", "TWO"]).choice("one"), None);
}

#[test]
fn two_names_of_one_campaign_are_no_ambiguity() {
    let names = ["PIZZA", "PIZZAS"].map(|word| (Keyword::parse(word).unwrap(), 7));
    let route = Book::new(names).unwrap().route("pizzaz");
    let Route::NearMiss { read, target, .. } = route else { unreachable!("{route:?}") };
    assert_eq!((read.as_str(), target), ("PIZZAZ", 7));
}

#[test]
fn reactions_of_phones_are_told_from_words_of_people() {
    let shop = shop();
    for text in [
        "Liked “Acme: PIZZA”",
        "Laughed at \"STOP to end\"",
        "Reacted ❤️ to “PIZZA”",
        "Removed a heart from “PIZZA”",
        "Loved an image",
        "\u{200a}👍\u{200a} to “Acme”",
    ] {
        assert_eq!(routed(&shop, text), "reaction_ignore", "{text}");
    }
    for text in ["liked it, pizza", "send pizza to “me”"] {
        assert_eq!(routed(&shop, text), "keyword PIZZA", "{text}");
    }
}

#[test]
fn my_codes_start_and_help_are_ours() {
    let shop = shop();
    for (text, route) in [
        ("my codes", "my_codes"),
        ("MYCODES please", "my_codes"),
        ("Start", "opt_in"),
        ("resume", "opt_in"),
        ("I need help", "help"),
        ("aide", "help"),
        ("yes", "unknown"),
    ] {
        assert_eq!(routed(&shop, text), route, "{text}");
    }
}

#[test]
fn keywords_that_clash_with_reserved_words_are_named() {
    for (word, clash) in [
        ("STOP", Some("STOP")),
        ("SHOP", Some("STOP")),
        ("STARS", Some("START")),
        ("END", Some("END")),
        ("AND", None),
        ("PIZZA", None),
        ("my code", Some("MYCODE")),
        ("TD", Some("TD")),
        ("TV", None),
    ] {
        assert_eq!(reserved_clash(&Keyword::parse(word).unwrap()), clash, "{word}");
    }
}

#[test]
fn a_keyword_is_given_once() {
    let twice = ["Café", "CAFE"].map(|word| (Keyword::parse(word).unwrap(), ()));
    assert_eq!(Book::new(twice).unwrap_err().to_string(), "keyword CAFE is given twice");
    assert_eq!(Keyword::parse("?!"), Err(KeywordError::Empty));
    assert_eq!(Keyword::parse(&"A".repeat(21)), Err(KeywordError::TooLong));
}

#[test]
fn an_emoji_is_an_alias_whatever_its_skin_and_style() {
    let words = book(&["PIZZA", "🍕", "TACO", "🌮", "👍", "🍕🍺", "❤️"]);
    for (text, word) in [
        ("🍕", "🍕"),
        ("🍕🍕🍕", "🍕"),
        ("🍕!", "🍕"),
        ("🍕 please", "🍕"),
        ("gimme 🍕", "🍕"),
        ("👍🏽", "👍"),
        ("👍🏿👍", "👍"),
        ("❤", "❤"),
        ("🍺 🍕🍺", "🍕🍺"),
        ("🌮 or 🍕", "🌮"),
        ("pizza 🌮", "PIZZA"),
    ] {
        assert_eq!(routed(&words, text), format!("keyword {word}"), "{text}");
    }
    assert_eq!(routed(&words, "🍔"), "empty");
    assert_eq!(routed(&words, "so we went out for 🍕 and then home"), "unknown", "talk asks for nothing");
    assert_eq!(routed(&words, "stop 🍕"), "opt_out exact");
    assert_eq!(routed(&words, "👍 to “Acme: your code”"), "reaction_ignore");
}

#[test]
fn signs_that_say_stop_stop_and_are_no_alias() {
    for text in ["🛑", "🛑🛑", "⛔️", "🔕"] {
        assert_eq!(routed(&shop(), text), "opt_out intent", "{text}");
        assert!(reserved_clash(&Keyword::parse(text).unwrap()).is_some(), "{text}");
    }
    assert_eq!(routed(&shop(), "🛑🍕"), "empty");
}

#[test]
fn answers_of_machines_are_told_from_words_of_people() {
    let shop = shop();
    for text in [
        "I'm driving with Do Not Disturb While Driving turned on. I'll see your message when I get where I'm going.",
        "Automatic reply: I am out of the office until Monday.",
        "AUTO-REPLY",
        "This is an automated message. This number is not monitored.",
        "Sorry, can't talk right now.",
    ] {
        assert_eq!(routed(&shop, text), "automatic", "{text}");
    }
    for text in ["im driving, one pizza please", "I'm driving there now, pizza"] {
        assert_eq!(routed(&shop, text), "keyword PIZZA", "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_has_a_route(raw in any::<String>()) {
        prop_assert_eq!(shop().route(&raw), shop().route(&format!("{raw} ")));
    }

    #[test]
    fn long_texts_have_a_route(raw in "([a-zA-Zé🍕 ]{0,40}\\PC{0,20}){0,100}") {
        prop_assert_eq!(shop().route(&raw), shop().route(&format!("{raw} ")));
    }

    #[test]
    fn stop_is_heard_through_any_punctuation_and_case(
        letters in "[!-/:-@ ]{0,4}[sS][!-/:-@ ]{0,2}[tT][!-/:-@ ]{0,2}[oO][!-/:-@ ]{0,2}[pP][!-/:-@\\n ]{0,4}",
    ) {
        prop_assert_eq!(shop().route(&letters), Route::OptOut { matched: Matched::Exact, language: Language::English });
    }

    #[test]
    fn a_keyword_survives_being_written_and_read(raw in "\\PC{1,12}") {
        if let Ok(keyword) = Keyword::parse(&raw) {
            prop_assert_eq!(Keyword::parse(keyword.as_str()), Ok(keyword.clone()));
            prop_assert!(keyword.as_str().chars().count() <= MAX_CHARS);
        }
    }

    #[test]
    fn an_exact_keyword_is_always_its_own_route(at in 0_usize..4, dots in "[ .!]{0,3}") {
        let word = ["PIZZA", "PIZZA20", "TACO", "BURGER"].get(at).copied().unwrap_or("PIZZA");
        let text = format!("{dots}{}{dots}", word.to_lowercase());
        prop_assert_eq!(routed(&shop(), &text), format!("keyword {word}"));
    }
}
