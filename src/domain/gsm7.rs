//! How many SMS parts a text costs, and the folding that keeps it in the cheap alphabet.
//!
//! A part holds 160 septets of GSM-7 (153 when there are several), or 70 UTF-16 units (67).
//! One character outside GSM-7 turns the whole text into UTF-16 (3GPP TS 23.038, TS 23.040).

use std::borrow::Cow;

/// Septets in a text of one part.
pub const SINGLE_SEPTETS: u16 = 160;
const JOINED_SEPTETS: u16 = 153;
const SINGLE_UTF16: u16 = 70;
const JOINED_UTF16: u16 = 67;

/// The alphabet a text travels in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Seven bits a unit; some characters take two units.
    Gsm7,
    /// UTF-16, sixteen bits a unit; characters beyond the basic plane take two units.
    Ucs2,
}

/// What a text costs: `count` parts, with the units used in each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segments {
    /// The alphabet of the whole text.
    pub encoding: Encoding,
    /// Number of parts, at least 1; saturates at 65 535.
    pub count: u16,
    /// Units (septets or UTF-16 units) in each part, in order.
    pub units: Vec<u16>,
}

impl Segments {
    /// Units of all parts together.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.units.iter().copied().map(u32::from).sum()
    }

    /// Units a text of one part may have in this alphabet.
    #[must_use]
    pub fn single_limit(&self) -> u16 {
        match self.encoding {
            Encoding::Gsm7 => SINGLE_SEPTETS,
            Encoding::Ucs2 => SINGLE_UTF16,
        }
    }
}

/// Counts the parts of `text` as it stands (fold it first if it may be folded).
///
/// A two-unit character never crosses the border of two parts.
#[must_use]
pub fn segments(text: &str) -> Segments {
    let (encoding, units) = match split(text.chars().map(septets), SINGLE_SEPTETS, JOINED_SEPTETS) {
        Some(units) => (Encoding::Gsm7, units),
        None => (
            Encoding::Ucs2,
            split(text.chars().map(|c| Some(utf16_units(c))), SINGLE_UTF16, JOINED_UTF16).unwrap_or_default(),
        ),
    };
    let count = u16::try_from(units.len()).unwrap_or(u16::MAX);
    Segments { encoding, count, units }
}

/// Whether every character of `text` is in GSM-7.
#[must_use]
pub fn is_gsm7(text: &str) -> bool {
    text.chars().all(|c| septets(c).is_some())
}

/// Fills parts greedily; `None` as soon as a character has no cost in this alphabet.
fn split(costs: impl Iterator<Item = Option<u16>>, single: u16, joined: u16) -> Option<Vec<u16>> {
    let mut parts = Vec::new();
    let (mut total, mut current) = (0_u32, 0_u16);
    for cost in costs {
        let cost = cost?;
        total = total.saturating_add(u32::from(cost));
        if current + cost > joined {
            parts.push(current);
            current = 0;
        }
        current += cost;
    }
    if let Some(only) = u16::try_from(total).ok().filter(|total| *total <= single) {
        return Some(vec![only]);
    }
    parts.push(current);
    Some(parts)
}

fn utf16_units(c: char) -> u16 {
    if c.len_utf16() == 2 { 2 } else { 1 }
}

/// Septets of one character: 1, 2 (behind the escape), or `None` outside the alphabet.
fn septets(c: char) -> Option<u16> {
    match c {
        'a'..='z'
        | 'A'..='Z'
        | '0'..='9'
        | ' '
        | '\n'
        | '\r'
        | '!'..='/'
        | ':'..='@'
        | '_'
        | '£'
        | '¥'
        | 'è'
        | 'é'
        | 'ù'
        | 'ì'
        | 'ò'
        | 'Ç'
        | 'Ø'
        | 'ø'
        | 'Å'
        | 'å'
        | 'Δ'
        | 'Φ'
        | 'Γ'
        | 'Λ'
        | 'Ω'
        | 'Π'
        | 'Ψ'
        | 'Σ'
        | 'Θ'
        | 'Ξ'
        | 'Æ'
        | 'æ'
        | 'ß'
        | 'É'
        | '¤'
        | '¡'
        | 'Ä'
        | 'Ö'
        | 'Ñ'
        | 'Ü'
        | '§'
        | '¿'
        | 'ä'
        | 'ö'
        | 'ñ'
        | 'ü'
        | 'à' => Some(1),
        '\u{c}' | '^' | '{' | '}' | '\\' | '[' | ']' | '~' | '|' | '€' => Some(2),
        _ => None,
    }
}

/// Replaces look-alikes of word processors by their GSM-7 form: quotes, dashes, ellipsis, odd and
/// invisible spaces, tab, backtick. Letters with accents and emoji stay: changing those would change
/// the language.
#[must_use]
pub fn fold(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| plain_form(c).is_some()) {
        return Cow::Borrowed(text);
    }
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        match plain_form(c) {
            Some(plain) => folded.push_str(plain),
            None => folded.push(c),
        }
    }
    Cow::Owned(folded)
}

fn plain_form(c: char) -> Option<&'static str> {
    Some(match c {
        // seven blanks: what the largest carrier's own folding does with a tab, so our count is its count
        '\t' => "       ",
        '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{201f}' | '\u{ab}' | '\u{bb}' | '\u{2033}' | '\u{2036}'
        | '\u{2ba}' | '\u{2ee}' | '\u{275d}' | '\u{275e}' | '\u{301d}' | '\u{301e}' | '\u{ff02}' => "\"",
        '`' | '\u{b4}' | '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}' | '\u{2032}' | '\u{2035}' | '\u{2b9}'
        | '\u{2bb}' | '\u{2bc}' | '\u{2bd}' | '\u{2c8}' | '\u{2ca}' | '\u{2cb}' | '\u{275b}' | '\u{275c}'
        | '\u{ff07}' => "'",
        '\u{2010}'..='\u{2015}' | '\u{2043}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}' => "-",
        '\u{2039}' => "<",
        '\u{203a}' => ">",
        '\u{2022}' | '\u{2219}' | '\u{b7}' => "*",
        '\u{2026}' => "...",
        '\u{203c}' => "!!",
        '\u{2044}' | '\u{2215}' => "/",
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => " ",
        '\u{2028}' | '\u{2029}' => "\n",
        // the zero-width joiner is not here: it holds emoji together
        '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}' => "",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;
    use crate::domain::vectors;

    #[derive(Deserialize)]
    struct File {
        cases: Vec<Case>,
    }

    #[derive(Deserialize)]
    struct Case {
        name: String,
        text: String,
        plain: Counted,
        smart: Counted,
    }

    #[derive(Deserialize)]
    struct Counted {
        encoding: String,
        segments: u16,
        segment_units: Vec<u16>,
    }

    fn assert_counts(name: &str, text: &str, want: &Counted) {
        let got = segments(text);
        let encoding = match got.encoding {
            Encoding::Gsm7 => "GSM-7",
            Encoding::Ucs2 => "UCS-2",
        };
        assert_eq!(encoding, want.encoding, "{name}");
        assert_eq!(got.count, want.segments, "{name}");
        assert_eq!(got.units, want.segment_units, "{name}");
    }

    #[test]
    fn every_recorded_text_has_the_recorded_parts_before_and_after_folding() {
        let file: File = serde_json::from_str(&vectors::read("sms_segments.json")).unwrap();
        assert!(file.cases.len() >= 20, "only {} cases were read", file.cases.len());
        for case in &file.cases {
            assert_counts(&case.name, &case.text, &case.plain);
            assert_counts(&case.name, &fold(&case.text), &case.smart);
        }
    }

    #[test]
    fn folding_leaves_a_text_that_needs_none_untouched() {
        assert!(matches!(fold("Code PZA-7KMQ: 20% off, señor 🍕"), Cow::Borrowed(_)));
        assert_eq!(fold("“Today’s” – deal…"), "\"Today's\" - deal...");
    }

    proptest! {
        #[test]
        fn no_part_is_longer_than_its_limit_and_none_is_lost(text in ".{0,400}") {
            let got = segments(&text);
            let limit = match (got.encoding, got.count) {
                (Encoding::Gsm7, 1) => SINGLE_SEPTETS,
                (Encoding::Gsm7, _) => JOINED_SEPTETS,
                (Encoding::Ucs2, 1) => SINGLE_UTF16,
                (Encoding::Ucs2, _) => JOINED_UTF16,
            };
            prop_assert!(got.units.iter().all(|units| *units <= limit));
            prop_assert_eq!(usize::from(got.count), got.units.len());
            if got.encoding == Encoding::Ucs2 {
                prop_assert_eq!(usize::try_from(got.total()).unwrap(), text.encode_utf16().count());
            }
        }

        #[test]
        fn folding_twice_changes_nothing_more(text in ".{0,200}") {
            let once = fold(&text).into_owned();
            prop_assert_eq!(fold(&once).into_owned(), once);
        }
    }
}
