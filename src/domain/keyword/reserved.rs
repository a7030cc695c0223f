//! Words that are ours or the law's: opt-out, opt-in, help, MYCODES. They outrank every campaign.
//!
//! Word sets: CTIA messaging principles (May 2023), 47 CFR 64.1200(a)(10), and what large carriers
//! treat as mandatory in the US and Canada (TD, ARRET), with Spanish and French.

use super::normalise::{Normalised, unwrap_request};

/// Opt-out words that count when they are all that is said, courtesies apart.
const OPT_OUT: &[&str] = &[
    "STOP",
    "STOPALL",
    "UNSUBSCRIBE",
    "UNSUB",
    "END",
    "QUIT",
    "CANCEL",
    "OPTOUT",
    "REVOKE",
    "REMOVE",
    "TD",
    "ALTO",
    "PARAR",
    "BAJA",
    "CANCELAR",
    "DETENER",
    "NOMAS",
    "ARRET",
    "ARRETER",
    "DESABONNER",
];

/// Opt-out words that count as the first or the last word of a short text too. END, QUIT and CANCEL
/// do not: they occur in speech.
const HARD: &[&str] = &["STOP", "STOPALL", "UNSUBSCRIBE", "UNSUB", "OPTOUT", "REVOKE"];

const OPT_IN: &[&str] = &["START", "UNSTOP", "RESUME", "SUBSCRIBE"];
const HELP: &[&str] = &["HELP", "INFO", "AYUDA", "AIDE"];
const MY_CODES: &[&str] = &["MYCODES", "MYCODE"];
/// Answers to questions of ours: no command by itself, but not to be had as a keyword either.
const ANSWERS: &[&str] = &["YES"];

/// Words of a text that still counts as short.
const SHORT_TEXT: usize = 5;

/// Ways to say opt out in a sentence. Each pattern is a run of neighbouring words, each word given
/// by its alternatives.
const INTENTS: &[&[&[&str]]] = &[
    &[&["STOP", "QUIT", "CEASE"], CONTACTING],
    &[&["STOP", "QUIT", "CANCEL", "END"], &["MY", "THE", "THESE", "THIS", "YOUR", "ALL"], MESSAGES],
    &[&["STOP", "QUIT", "CANCEL", "END"], MESSAGES],
    &[&["DONT", "NEVER"], TO_TEXT, ADDRESSEE],
    &[&["DO"], &["NOT"], TO_TEXT, ADDRESSEE],
    &[&["DONT", "NEVER", "NOT"], &["EVER", "EVEN"], TO_TEXT, ADDRESSEE],
    &[&["REMOVE", "DELETE"], &["ME"]],
    &[&["REMOVE", "DELETE", "TAKE"], &["MY"], &["NUMBER", "PHONE"]],
    &[&["TAKE"], &["ME"], &["OFF", "OUT"]],
    &[&["NO"], &["MORE"], MESSAGES],
    &[&["LEAVE"], &["ME"], &["ALONE"]],
    &[&["WRONG"], &["NUMBER", "PERSON"]],
    &[&["UNSUBSCRIBE"]],
    &[&["OPT"], &["OUT"]],
    &[&["OPT"], &["ME"], &["OUT"]],
    &[&["NO"], &["MAS"]],
    &[&["NO"], &["ME"], &["MANDEN", "MANDES", "ENVIEN", "ENVIES", "ESCRIBAN", "ESCRIBAS"]],
    &[&["PLUS"], &["DE"], &["MESSAGES", "SMS", "TEXTOS"]],
];

const CONTACTING: &[&str] =
    &["TEXTING", "TXTING", "MESSAGING", "SENDING", "CONTACTING", "BOTHERING", "SPAMMING", "CALLING"];
const MESSAGES: &[&str] = &[
    "TEXT",
    "TEXTS",
    "TXT",
    "TXTS",
    "MESSAGE",
    "MESSAGES",
    "MSG",
    "MSGS",
    "SMS",
    "ALERTS",
    "SPAM",
    "SUBSCRIPTION",
    "SUBSCRIPTIONS",
];
const TO_TEXT: &[&str] = &["TEXT", "TXT", "MESSAGE", "MSG", "CONTACT", "SEND", "BOTHER", "SPAM"];
const ADDRESSEE: &[&str] = &["ME", "US", "THIS", "HERE", "AGAIN", "ANYMORE", "ANY", "ANYTHING", "MESSAGES", "TEXTS"];

/// How an opt-out was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Matched {
    /// By a word of the list.
    Exact,
    /// By a sentence that means it.
    Intent,
}

/// The reserved meaning of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    OptOut(Matched),
    OptIn,
    Help,
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
pub(super) fn command(text: &Normalised, holds: impl FnOnce() -> Holds) -> Option<Command> {
    let words: Vec<&str> = text.words().collect();
    let request = text.without_courtesy();
    let (polite, inner) = (request.concat(), unwrap_request(&request).concat());
    let forms = [text.joined(), &polite, &inner];
    let said = |set: &[&str]| forms.iter().any(|form| set.contains(form));
    // "no mas" is the one phrase that is a joined word too; spoken as two words it is a sentence
    if said(OPT_OUT) && words != ["NO", "MAS"] {
        return Some(Command::OptOut(Matched::Exact));
    }
    if INTENTS.iter().any(|pattern| stands_in(pattern, &words)) && !alone(&words, HARD) {
        return Some(Command::OptOut(Matched::Intent));
    }
    if said(HELP) {
        return Some(Command::Help);
    }
    if said(OPT_IN) {
        return Some(Command::OptIn);
    }
    if said(MY_CODES) {
        return Some(Command::MyCodes);
    }
    at_the_edge(&words, holds)
}

/// An opt-out or help word as the first or last word of a short text. STOP in front outranks a
/// keyword behind it; at the end of a text that holds a keyword it is read as part of that text.
fn at_the_edge(words: &[&str], holds: impl FnOnce() -> Holds) -> Option<Command> {
    if words.len() > SHORT_TEXT {
        return None;
    }
    let (first, last) = (words.first()?, words.last()?);
    let command = |set: &[&str]| (set.contains(first), set.contains(last));
    let (stop_first, stop_last) = command(HARD);
    let (help_first, help_last) = command(HELP);
    if !(stop_first || stop_last || help_first || help_last) {
        return None;
    }
    match holds() {
        Holds::Whole => None,
        Holds::Part => stop_first.then_some(Command::OptOut(Matched::Exact)),
        Holds::No if stop_first || stop_last => Some(Command::OptOut(Matched::Exact)),
        Holds::No => Some(Command::Help),
    }
}

/// Whether a short text opens with one of `set`, so that the word itself decides.
fn alone(words: &[&str], set: &[&str]) -> bool {
    words.len() <= 2
        && words.first().is_some_and(|word| set.contains(word))
        && words.get(1).is_none_or(|word| *word == "ME")
}

fn stands_in(pattern: &[&[&str]], words: &[&str]) -> bool {
    words
        .windows(pattern.len())
        .any(|run| run.iter().zip(pattern).all(|(word, alternatives)| alternatives.contains(word)))
}

/// The reserved word that `word` equals, or is one edit away from (two neighbours swapped are one
/// edit). Words of up to three letters clash only when equal: END and AND are neighbours in speech.
pub(super) fn clash(word: &str) -> Option<&'static str> {
    let all = [OPT_OUT, OPT_IN, HELP, MY_CODES, ANSWERS];
    let words = || all.into_iter().flatten().copied();
    words().find(|reserved| *reserved == word).or_else(|| {
        let length = word.chars().count();
        words().find(|reserved| {
            reserved.len() > 3 && reserved.len().abs_diff(length) <= 1 && strsim::osa_distance(word, reserved) <= 1
        })
    })
}
