//! What a person typed, brought to the one form in which words are compared.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Characters of a text that are read; carriers cut at 1 600, so more is never sent by a person.
pub(super) const READ_CHARS: usize = 1_600;

/// Words around a request that mean nothing for it.
const COURTESY: &[&str] = &["PLEASE", "PLS", "PLZ", "THANKS", "THX", "TY", "KINDLY", "GRACIAS", "MERCI", "SVP"];

/// Words that may stand around a program keyword besides the courtesies. Not around END or QUIT:
/// "the end" is no request.
const FILLERS: &[&str] = &["HI", "HEY", "HELLO", "THE"];

/// What call-to-action copy wraps around the keyword: "Text PIZZA to 55501", sent word for word.
const WRAPPERS: &[&str] = &["TEXT", "TXT", "SEND", "REPLY", "SMS"];

/// A text in upper case, without accents, emoji, punctuation and invisible characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Normalised {
    text: String,
    joined: String,
}

impl Normalised {
    /// The words with one space between them, for example `ICE CREAM`; empty when nothing is left.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The same without spaces: `ICECREAM`.
    #[must_use]
    pub fn joined(&self) -> &str {
        &self.joined
    }

    /// The words one by one.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.text.split(' ').filter(|word| !word.is_empty())
    }

    /// The words without please, thanks and the like.
    #[must_use]
    pub fn without_courtesy(&self) -> Vec<&str> {
        without_courtesy(self.words())
    }

    /// The words without courtesies, greetings and article.
    #[must_use]
    pub fn core(&self) -> Vec<&str> {
        let mut words = self.without_courtesy();
        words.retain(|word| !FILLERS.contains(word));
        words
    }
}

/// The words inside a `TEXT … TO 55501`, or all of them when there is no such wrapper.
pub(super) fn unwrap_request<'a, 'b>(words: &'b [&'a str]) -> &'b [&'a str] {
    let mut inner = words;
    if let [rest @ .., to, number] = inner
        && *to == "TO"
        && number.len() >= 3
        && number.chars().all(|c| c.is_ascii_digit())
    {
        inner = rest;
    }
    match inner {
        [first, rest @ ..] if !rest.is_empty() && WRAPPERS.contains(first) => rest,
        _ => inner,
    }
}

fn without_courtesy<'a>(words: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut kept: Vec<&str> = Vec::new();
    for word in words {
        let pair = kept.last().is_some_and(|before| matches!((*before, word), ("THANK", "YOU") | ("POR", "FAVOR")));
        if pair {
            kept.pop();
        } else if !COURTESY.contains(&word) {
            kept.push(word);
        }
    }
    kept
}

/// Brings `raw` to the compared form; reads at most the first 1 600 characters.
///
/// Compatibility forms (full width, mathematical letters) become plain ones, apostrophes vanish
/// (don't → DONT), accents are stripped, every other sign separates words.
#[must_use]
pub fn normalise(raw: &str) -> Normalised {
    let mut text = String::with_capacity(raw.len().min(READ_CHARS));
    if raw.is_ascii() {
        raw.chars()
            .take(READ_CHARS)
            .filter(|c| !is_apostrophe(*c))
            .for_each(|c| push(&mut text, c.to_ascii_uppercase()));
    } else {
        raw.chars()
            .take(READ_CHARS)
            .filter(|c| !is_invisible(*c) && !is_apostrophe(*c))
            .map(emoji_letter)
            .nfkc()
            .filter(|c| !is_apostrophe(*c))
            .flat_map(char::to_uppercase)
            .nfd()
            .filter(|c| !is_combining_mark(*c))
            .nfc()
            .for_each(|c| push(&mut text, c));
    }
    text.truncate(text.trim_end().len());
    let joined = text.chars().filter(|c| *c != ' ').collect();
    Normalised { text, joined }
}

fn push(text: &mut String, c: char) {
    if c.is_alphanumeric() {
        text.push(c);
    } else if !text.is_empty() && !text.ends_with(' ') {
        text.push(' ');
    }
}

fn is_apostrophe(c: char) -> bool {
    matches!(
        c,
        '\'' | '`'
            | '\u{b4}'
            | '\u{2018}'
            | '\u{2019}'
            | '\u{201b}'
            | '\u{2032}'
            | '\u{2b9}'
            | '\u{2bb}'
            | '\u{2bc}'
            | '\u{2bd}'
            | '\u{ff07}'
    )
}

/// Format characters (Unicode category Cf) and variation selectors.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{8e2}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0001}'
            | '\u{e0020}'..='\u{e007f}' | '\u{e0100}'..='\u{e01ef}'
    )
}

/// Letters drawn as emoji (🅿, 🅐) have no compatibility form of their own; they are the letter.
fn emoji_letter(c: char) -> char {
    let base = match u32::from(c) {
        0x1f150..=0x1f169 => 0x1f150,
        0x1f170..=0x1f189 => 0x1f170,
        _ => return c,
    };
    char::from_u32(u32::from('A') + u32::from(c) - base).unwrap_or(c)
}

/// Letters of other scripts that look like Latin ones, as the Latin one. For comparing only.
pub(super) fn latin_look(word: &str) -> String {
    word.chars().map(latin_letter).collect()
}

fn latin_letter(c: char) -> char {
    match c {
        'А' | 'Α' => 'A',
        'В' | 'Β' => 'B',
        'С' | 'Ϲ' => 'C',
        'Е' | 'Ε' => 'E',
        'Н' | 'Η' => 'H',
        'І' | 'Ι' | 'Ӏ' => 'I',
        'Ј' => 'J',
        'К' | 'Κ' => 'K',
        'М' | 'Μ' => 'M',
        'Ν' => 'N',
        'О' | 'Ο' => 'O',
        'Р' | 'Ρ' => 'P',
        'Ѕ' => 'S',
        'Т' | 'Τ' => 'T',
        'У' | 'Υ' => 'Y',
        'Х' | 'Χ' => 'X',
        'Ζ' => 'Z',
        other => other,
    }
}
