//! Emoji as words: matched as drawn, before a text is cleaned to letters.

use super::normalise::is_invisible;

/// The emoji of a text in one row, without skin tones, variation selectors and joiners; all other signs are left out.
pub(super) fn emoji(raw: &str) -> String {
    raw.chars().take(super::normalise::READ_CHARS).filter(|c| is_emoji(*c)).collect()
}

/// A sign that is drawn. Letters drawn as signs (🅿) are letters, keycaps (1️⃣) are digits.
fn is_emoji(c: char) -> bool {
    let drawn = matches!(
        c,
        '\u{2190}'..='\u{21ff}'
            | '\u{2300}'..='\u{23ff}'
            | '\u{25a0}'..='\u{27bf}'
            | '\u{2934}'..='\u{2935}'
            | '\u{2b00}'..='\u{2bff}'
            | '\u{3030}'
            | '\u{303d}'
            | '\u{3297}'
            | '\u{3299}'
            | '\u{1f000}'..='\u{1f0ff}'
            | '\u{1f18a}'..='\u{1faff}'
    );
    let skin = matches!(c, '\u{1f3fb}'..='\u{1f3ff}');
    drawn && !skin && !is_invisible(c)
}
