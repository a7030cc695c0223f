//! The words themselves.
//!
//! Sources: CTIA messaging principles (May 2023), 47 CFR 64.1200(a)(10), the words that large carriers treat as
//! mandatory in the US and Canada (TD, ARRET; Canada: STOP, ARRET, HELP, AIDE, INFO), and what people say in Spanish
//! and French. Without accents and spaces, as words are compared.

use crate::domain::language::Language::{self, English, French, Spanish};

/// Words of one meaning, by language.
pub(super) type Words = [(Language, &'static [&'static str])];

/// Opt-out words that count when they are all that is said, courtesies apart.
pub(super) const OPT_OUT: &Words = &[
    (
        English,
        &["STOP", "STOPALL", "UNSUBSCRIBE", "UNSUB", "END", "QUIT", "CANCEL", "OPTOUT", "REVOKE", "REMOVE", "TD"],
    ),
    (Spanish, &["ALTO", "PARAR", "BAJA", "CANCELAR", "DETENER", "NOMAS"]),
    (French, &["ARRET", "ARRETER", "DESABONNER"]),
];

/// Opt-out words that count as the first or the last word of a short text too. END, QUIT and CANCEL do not: they occur
/// in speech.
pub(super) const HARD: &Words =
    &[(English, &["STOP", "STOPALL", "UNSUBSCRIBE", "UNSUB", "OPTOUT", "REVOKE"]), (French, &["DESABONNER"])];

pub(super) const OPT_IN: &Words =
    &[(English, &["START", "UNSTOP", "RESUME", "SUBSCRIBE"]), (Spanish, &["INICIAR"]), (French, &["COMMENCER"])];

pub(super) const HELP: &Words = &[(English, &["HELP", "INFO"]), (Spanish, &["AYUDA"]), (French, &["AIDE"])];

pub(super) const MY_CODES: &Words = &[(English, &["MYCODES", "MYCODE"])];

/// Answers to questions of ours: no command by itself, but not to be had as a keyword either.
pub(super) const ANSWERS: &Words = &[(English, &["YES"])];

/// Signs that say stop when nothing else is said. They cannot be had as an alias.
pub(super) const STOP_SIGNS: &[char] = &['🛑', '⛔', '🚫', '🔕'];

/// Words that make "stop" at the end of a text a noun or its opposite: bus stop, non stop, do not stop, one stop.
pub(super) const BEFORE_NOUN: &[&str] = &[
    "A", "AN", "THE", "THAT", "WHAT", "WHICH", "MY", "OUR", "YOUR", "HIS", "HER", "THEIR", "FIRST", "NEXT", "LAST",
    "ONE", "EVERY", "EACH", "ANOTHER", "SECOND", "THIRD", "FULL", "QUICK", "SHORT", "BUS", "TRAIN", "TRAM", "METRO",
    "SUBWAY", "TRUCK", "REST", "PIT", "TOUR", "GAS", "WATER", "FOOD", "LUNCH", "COFFEE", "DOOR", "TAB", "F", "NON",
    "DONT", "NOT", "NEVER", "CANT", "CANNOT", "WONT", "COULDNT", "WOULDNT", "DIDNT", "SHOULDNT", "CAR", "STORE", "IT",
];

/// Words that make "stop" at the head of a text a visit, a thing or talk: stop by, stop sign, stop and shop.
pub(super) const AFTER_VERB: &[&str] = &[
    "BY", "IN", "OVER", "AT", "AND", "N", "OFF", "ON", "SIGN", "SIGNS", "LIGHT", "LIGHTS", "WATCH", "MOTION", "LOSS",
    "SHOP", "SHOPS", "KIDDING", "LYING", "JOKING", "LAUGHING", "CRYING", "WORRYING", "PLAYING", "TALKING", "EATING",
    "DRIVING", "WORKING", "SMOKING", "THINKING", "WHINING",
];

/// What people say before and after a word and mean nothing by.
pub(super) const INTERJECTIONS: &[&str] =
    &["HEY", "HI", "HELLO", "OK", "OKAY", "OMG", "UGH", "YO", "JUST", "NOW", "SORRY", "SO", "WTF", "DUDE", "ASAP"];

/// The language of `word` in `set`.
pub(super) fn language_of(set: &Words, word: &str) -> Option<Language> {
    set.iter().find(|(_, words)| words.contains(&word)).map(|(language, _)| *language)
}
