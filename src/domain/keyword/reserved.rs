//! Words that are ours or the law's: opt-out, opt-in, help, MYCODES. They outrank every campaign.

mod intents;
mod typos;
mod words;

use super::normalise::{Normalised, latin_look, unwrap_request};
use crate::domain::language::Language;
use words::{
    AFTER_VERB, ANSWERS, BEFORE_NOUN, HARD, HELP, INTERJECTIONS, MY_CODES, OPT_IN, OPT_OUT, STOP_SIGNS, Words,
    language_of,
};

/// Words of a text that still counts as short.
const SHORT_TEXT: usize = 5;
/// Most words that are read as one word with a typo: "opt uot", "un subscibe".
const TYPO_WORDS: usize = 2;

/// How an opt-out was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Matched {
    /// By a word of the list.
    Exact,
    /// By a sentence that means it, or by a word of the list with a typo.
    Intent,
    /// By the carrier, which keeps a list of its own.
    Carrier,
}

impl Matched {
    /// The word that tables use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Intent => "intent",
            Self::Carrier => "carrier",
        }
    }
}

/// The reserved meaning of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    OptOut(Matched, Language),
    OptIn(Language),
    Help(Language),
    MyCodes,
}

/// Whether a program keyword stands in the text, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    /// The whole text is a keyword ("stop shop", where STOPSHOP is one).
    Whole,
    /// A keyword stands among other words.
    Part,
    /// None.
    No,
}

/// What the reserved words make of a text; `holds` is asked only where it matters.
pub(super) fn command(text: &Normalised, holds: impl Fn() -> Holds) -> Option<Command> {
    let words: Vec<&str> = text.words().collect();
    let request = text.without_courtesy();
    let (polite, inner) = (request.concat(), unwrap_request(&request).concat());
    // letters of other scripts that look like ours are ours here: nobody may be kept from stopping
    let forms = [text.joined().to_owned(), latin_look(text.joined()), polite.clone(), latin_look(&polite), inner];
    let said = |set: &Words| forms.iter().find_map(|form| language_of(set, form));
    // "no mas" is the one phrase that is a joined word too; spoken as two words it is a sentence
    if let Some(language) = said(OPT_OUT).filter(|_| words != ["NO", "MAS"]) {
        return Some(Command::OptOut(Matched::Exact, language));
    }
    let bare: Vec<&str> = request.iter().copied().filter(|word| !INTERJECTIONS.contains(word)).collect();
    if let Some(language) = intents::heard(&words, &bare) {
        return Some(Command::OptOut(Matched::Intent, language));
    }
    if let Some(language) = said(HELP) {
        return Some(Command::Help(language));
    }
    if let Some(language) = said(OPT_IN) {
        return Some(Command::OptIn(language));
    }
    if said(MY_CODES).is_some() {
        return Some(Command::MyCodes);
    }
    typo(&request, &forms, &holds).or_else(|| at_the_edge(&bare, &holds))
}

/// An opt-out word with one typo, alone. A word of the sender's own is no typo.
fn typo(request: &[&str], forms: &[String], holds: &impl Fn() -> Holds) -> Option<Command> {
    if request.len() > TYPO_WORDS {
        return None;
    }
    let language = forms.iter().find_map(|form| typos::opt_out(form))?;
    (holds() != Holds::Whole).then_some(Command::OptOut(Matched::Intent, language))
}

/// An opt-out or help word as the first or last word of a short text. STOP in front outranks a
/// keyword behind it; at the end of a text that holds a keyword it is read as part of that text.
fn at_the_edge(words: &[&str], holds: &impl Fn() -> Holds) -> Option<Command> {
    if words.len() > SHORT_TEXT {
        return None;
    }
    let (first, last) = (*words.first()?, *words.last()?);
    let second = words.get(1).copied().unwrap_or_default();
    let before = words.len().checked_sub(2).and_then(|at| words.get(at)).copied().unwrap_or_default();
    let stop_first = hard(first).filter(|_| !AFTER_VERB.contains(&second));
    let stop_last = hard(last).filter(|_| !BEFORE_NOUN.contains(&before));
    let help = language_of(HELP, first).or_else(|| language_of(HELP, last));
    if stop_first.is_none() && stop_last.is_none() && help.is_none() {
        return None;
    }
    let stopped = |(language, matched)| Command::OptOut(matched, language);
    match holds() {
        Holds::Whole => None,
        Holds::Part => stop_first.map(stopped),
        Holds::No => stop_first.or(stop_last).map(stopped).or_else(|| help.map(Command::Help)),
    }
}

/// The language of a hard opt-out word, and whether it is written as it should be.
fn hard(word: &str) -> Option<(Language, Matched)> {
    let exact = language_of(HARD, word).map(|language| (language, Matched::Exact));
    exact.or_else(|| Some((typos::within_one(HARD, word)?, Matched::Intent)))
}

/// Whether these signs and nothing else say stop.
pub(super) fn is_stop_sign(emoji: &str) -> bool {
    !emoji.is_empty() && emoji.chars().all(|c| STOP_SIGNS.contains(&c))
}

/// Whether a sign that says stop is among others.
pub(super) fn has_stop_sign(emoji: &str) -> bool {
    emoji.contains(STOP_SIGNS)
}

/// The reserved word that `word` equals, or is one edit away from (two neighbours swapped are one
/// edit). Words of up to three letters clash only when equal: END and AND are neighbours in speech.
pub(super) fn clash(word: &str) -> Option<&'static str> {
    let all = [OPT_OUT, OPT_IN, HELP, MY_CODES, ANSWERS];
    let words = || all.into_iter().flatten().flat_map(|(_, words)| words.iter().copied());
    let sign = is_stop_sign(word).then_some("🛑");
    sign.or_else(|| words().find(|reserved| *reserved == word)).or_else(|| {
        let length = word.chars().count();
        words().find(|reserved| {
            reserved.len() > 3 && reserved.len().abs_diff(length) <= 1 && strsim::osa_distance(word, reserved) <= 1
        })
    })
}
