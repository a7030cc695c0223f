//! Tells the texts that phones write by themselves (reactions, answers while driving) from the texts of people.

use super::normalise::{Normalised, is_invisible};

/// What phones and mailboxes answer by themselves; normalised.
const AUTOMATIC: &[&str] = &[
    "AUTOMATIC REPLY",
    "AUTO REPLY",
    "AUTOREPLY",
    "AUTO RESPONSE",
    "AUTORESPONSE",
    "AUTOMATED REPLY",
    "AUTOMATED RESPONSE",
    "AUTOMATED MESSAGE",
    "OUT OF OFFICE",
    "OUT OF THE OFFICE",
    "DO NOT DISTURB WHILE DRIVING",
    "DRIVING FOCUS",
    "ILL SEE YOUR MESSAGE WHEN",
    "IM DRIVING RIGHT NOW",
    "I AM DRIVING RIGHT NOW",
    "IM CURRENTLY DRIVING",
    "NOT MONITORED",
    "UNMONITORED",
    "CANT TALK RIGHT NOW",
    "DOES NOT ACCEPT TEXT MESSAGES",
    "RESPUESTA AUTOMATICA",
    "REPONSE AUTOMATIQUE",
];

/// Verbs with which phones report a reaction in words: `Loved “Acme: your code”`.
const REACTIONS: &[&str] = &["liked ", "loved ", "disliked ", "laughed at ", "emphasized ", "questioned "];
const THINGS: &[&str] = &["an image", "a photo", "a movie", "an attachment", "a sticker"];

/// Whether a phone wrote this text to report a reaction to a message of ours.
pub(super) fn is_reaction(raw: &str) -> bool {
    let head: String = raw
        .chars()
        .take(80)
        .filter(|c| !is_invisible(*c))
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .flat_map(char::to_lowercase)
        .collect();
    let head = head.trim_start();
    let verb = REACTIONS.iter().find_map(|verb| head.strip_prefix(verb)).map(str::trim_start);
    if let Some(object) = verb {
        return opens_quote(object) || THINGS.iter().any(|thing| object.starts_with(thing));
    }
    if let Some(rest) = head.strip_prefix("removed a") {
        return rest.split_once(" from ").is_some_and(|(_, object)| opens_quote(object));
    }
    head.split_once(" to ").is_some_and(|(before, object)| {
        let drawn = before.starts_with("reacted ") || !before.chars().any(char::is_alphanumeric);
        drawn && !before.trim().is_empty() && opens_quote(object)
    })
}

/// Whether a phone or a mailbox answered by itself.
pub(super) fn is_automatic(text: &Normalised) -> bool {
    let spaced = format!(" {} ", text.text());
    AUTOMATIC.iter().any(|phrase| spaced.contains(&format!(" {phrase} ")))
}

fn opens_quote(text: &str) -> bool {
    text.trim_start().starts_with(['"', '\u{201c}', '\u{201e}', '\u{ab}', '\u{2018}'])
}
