//! What differs between two documents, in words.

use super::Mark;
use crate::domain::cap::{Scope, Unit};
use crate::domain::document::{CampaignDoc, CapSpec, Over};
use crate::domain::keyword::Keyword;
use crate::domain::window::Window;
use serde_json::Value;

/// What differs between two lists of caps.
pub(super) fn caps(old: &[CapSpec], new: &[CapSpec]) -> Vec<(Mark, String)> {
    let same = |a: &CapSpec, b: &CapSpec| a.over == b.over && a.unit == b.unit && a.window == b.window;
    let mut found = Vec::new();
    for cap in new {
        match old.iter().find(|known| same(known, cap)) {
            None => found.push((Mark::Add, format!("cap {} ({})", amount(cap), over_words(cap)))),
            Some(known) if known.cap != cap.cap => {
                let text = format!("cap {} → {} ({})", amount(known), amount(cap), over_words(cap));
                found.push((Mark::Change, text));
            }
            Some(_) => {}
        }
    }
    let gone = old.iter().filter(|known| !new.iter().any(|cap| same(known, cap)));
    found.extend(gone.map(|cap| (Mark::Remove, format!("cap {} ({})", amount(cap), over_words(cap)))));
    found
}

/// A cap as a sentence needs it: "cap 100 (campaign, day)".
pub(super) fn cap_words(cap: &CapSpec) -> String {
    format!("cap {} ({})", amount(cap), over_words(cap))
}

fn amount(cap: &CapSpec) -> String {
    let number = cap.cap.map_or_else(|| "?".to_owned(), |cap| cap.to_string());
    match cap.unit {
        Unit::Count => number,
        Unit::Money => format!("{number} in minor units"),
    }
}

fn over_words(cap: &CapSpec) -> String {
    let over = match &cap.over {
        Over::Placement(name) => format!("placement {name}"),
        Over::Creator(handle) => format!("creator {handle}"),
        Over::Scope(Scope::Person) => "a person".to_owned(),
        Over::Scope(Scope::Campaign) => "all together".to_owned(),
        Over::Scope(Scope::Channel(channel)) => format!("channel {}", channel.word()),
        Over::Scope(Scope::Keyword(word)) => format!("keyword {word}"),
        Over::Scope(Scope::Placement(id)) => format!("placement {id}"),
        Over::Scope(Scope::Partner(id)) => format!("partner {id}"),
        Over::Scope(Scope::Creator(id)) => format!("creator {id}"),
    };
    let window = match cap.window {
        Window::Lifetime => "for ever".to_owned(),
        Window::Minute => "a minute".to_owned(),
        Window::Day => "a day".to_owned(),
        Window::Week => "a week".to_owned(),
        Window::Month => "a month".to_owned(),
        Window::Rolling(ms) => format!("in {} hours", ms / 3_600_000),
    };
    format!("{over}, {window}")
}

/// Every word of a campaign.
pub(super) fn words(doc: &CampaignDoc) -> Vec<Keyword> {
    let keywords = doc.keywords.iter();
    let house = keywords
        .flat_map(|keywords| [&keywords.main].into_iter().chain(&keywords.aliases).chain(keywords.placements.keys()));
    let all = house.cloned().chain(doc.creator_words().into_iter().map(|(word, _, _)| word));
    let mut seen = Vec::new();
    for word in all {
        // The main word may be a placement's too.
        if !seen.contains(&word) {
            seen.push(word);
        }
    }
    seen
}

/// What differs between two versions of a campaign.
pub(super) fn campaigns(old: &CampaignDoc, new: &CampaignDoc) -> Vec<(Mark, String)> {
    let mut found = Vec::new();
    let (was, is) = (words(old), words(new));
    found.extend(is.iter().filter(|word| !was.contains(word)).map(|word| (Mark::Add, format!("keyword {word}"))));
    found.extend(was.iter().filter(|word| !is.contains(word)).map(|word| (Mark::Remove, format!("keyword {word}"))));
    found.extend(caps(&old.all_caps(), &new.all_caps()));
    let (mut was, mut is) = (Vec::new(), Vec::new());
    flatten("", &serde_json::to_value(old).unwrap_or_default(), &mut was);
    flatten("", &serde_json::to_value(new).unwrap_or_default(), &mut is);
    let told = |path: &str| {
        let of_creator = path.starts_with("creators.") && matches!(path.rsplit('.').next(), Some("cap" | "day"));
        let words = path.starts_with("keywords.main") || path.starts_with("keywords.aliases");
        path.starts_with("caps.") || words || of_creator
    };
    for (path, value) in is.iter().filter(|(path, _)| !told(path)) {
        match was.iter().find(|(known, _)| known == path) {
            None => found.push((Mark::Change, format!("{path} {value}"))),
            Some((_, known)) if known != value => {
                found.push((Mark::Change, format!("{path} {known} → {value}")));
            }
            Some(_) => {}
        }
    }
    let gone = was.iter().filter(|(path, _)| !told(path) && !is.iter().any(|(known, _)| known == path));
    found.extend(gone.map(|(path, value)| (Mark::Remove, format!("{path} {value}"))));
    found
}

/// The leaves of a document by their paths; what is not set has none.
fn flatten(path: &str, value: &Value, into: &mut Vec<(String, String)>) {
    let join = |name: &str| {
        if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
    };
    match value {
        Value::Null => {}
        Value::Object(map) => map.iter().for_each(|(name, value)| flatten(&join(name), value, into)),
        Value::Array(list) if list.is_empty() => {}
        Value::Array(_) | Value::Bool(_) | Value::Number(_) => {
            into.push((path.to_owned(), value.to_string()));
        }
        Value::String(text) if text.is_empty() => {}
        Value::String(text) => into.push((path.to_owned(), text.clone())),
    }
}
