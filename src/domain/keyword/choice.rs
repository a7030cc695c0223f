//! Answers to a question with two choices.

use super::normalise::Normalised;

/// Ways to say the first and the second; normalised.
const WORDS: [&[&str]; 2] = [
    &["1", "ONE", "FIRST", "1ST", "UNO", "PRIMERO", "PRIMERA", "UN", "UNE", "PREMIER", "PREMIERE", "FIRST ONE"],
    &["2", "TWO", "SECOND", "2ND", "DOS", "SEGUNDO", "SEGUNDA", "DEUX", "SECONDE", "DEUXIEME", "SECOND ONE"],
];

/// Words around a number that mean nothing for it.
const AROUND: &[&str] = &["NUMBER", "NO", "OPTION", "OPCION", "ANSWER", "CHOICE", "REPLY", "LA", "EL", "LE"];

/// Which of two choices a text takes, from 0; `None` when it says anything else.
pub(super) fn choice(text: &Normalised) -> Option<usize> {
    let mut words = text.core();
    words.retain(|word| !AROUND.contains(word));
    let said = words.join(" ");
    WORDS.iter().position(|ways| ways.contains(&said.as_str()))
}
