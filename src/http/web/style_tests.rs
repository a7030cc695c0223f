//! What the stylesheet and the templates promise, computed from the files themselves.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;

const CSS: &str = include_str!("static/app.css");
/// What the claim page and the creator's desk load beside it.
const CREATOR_CSS: &str = include_str!("static/creator.css");
const SCRIPT: &str = include_str!("static/app.js");

/// Every template with its name.
const TEMPLATES: [(&str, &str); 13] = [
    ("base", include_str!("templates/base.html")),
    ("bubble", include_str!("templates/bubble.html")),
    ("chrome", include_str!("templates/chrome.html")),
    ("claim", include_str!("templates/claim.html")),
    ("coupon", include_str!("templates/coupon.html")),
    ("creator_closed", include_str!("templates/creator_closed.html")),
    ("creator_desk", include_str!("templates/creator_desk.html")),
    ("creator_open", include_str!("templates/creator_open.html")),
    ("creator_start", include_str!("templates/creator_start.html")),
    ("error", include_str!("templates/error.html")),
    ("home", include_str!("templates/home.html")),
    ("simulator", include_str!("templates/simulator.html")),
    ("till", include_str!("templates/till.html")),
];

/// The declarations of the block after `opening`, e.g. `:root {`.
fn block_of(css: &'static str, opening: &str) -> &'static str {
    let start = css.find(opening).unwrap_or(usize::MAX);
    assert!(start < css.len(), "no block {opening}");
    css[start + opening.len()..].split('}').next().unwrap()
}

fn block(opening: &str) -> &'static str {
    block_of(CSS, opening)
}

/// Its custom properties that are plain colours, as red, green, blue.
fn colours(block: &str) -> HashMap<String, [u8; 3]> {
    let declarations = block.split(';').filter_map(|line| line.trim().split_once(": "));
    declarations
        .filter_map(|(name, value)| {
            let digits = value.trim().strip_prefix('#')?;
            let channel = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
            Some((name.trim().to_owned(), [channel(0), channel(2), channel(4)]))
        })
        .collect()
}

/// Relative luminance, WCAG 2.2.
fn luminance(colour: [u8; 3]) -> f64 {
    let [red, green, blue] = colour.map(|channel| {
        let share = f64::from(channel) / 255.0;
        if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

const DARK: &str = ":root[data-theme=\"dark\"] {";

fn assert_contrast(theme: &str, colours: &HashMap<String, [u8; 3]>, front: &str, back: &str, least: f64) {
    let ratio = contrast(colours[front], colours[back]);
    assert!(ratio >= least, "{theme}: {front} on {back} is {ratio:.2} : 1, needs {least}");
}

#[test]
fn text_has_a_contrast_of_4_5_and_marks_and_field_borders_of_3_in_both_themes() {
    for (theme, opening) in [("light", ":root {"), ("dark", DARK)] {
        let colours = colours(block(opening));
        for back in ["--paper", "--surface"] {
            for text in ["--ink", "--muted", "--accent", "--good", "--warn", "--bad"] {
                assert_contrast(theme, &colours, text, back, 4.5);
            }
            assert_contrast(theme, &colours, "--field", back, 3.0);
        }
        assert_contrast(theme, &colours, "--paper", "--accent", 4.5);
        // A coupon that is over stands on the grey of lines.
        assert_contrast(theme, &colours, "--muted", "--line", 4.5);
    }
}

#[test]
fn lines_of_charts_have_a_contrast_of_3_in_both_themes() {
    for (theme, opening) in [("light", ":root {"), ("dark", DARK)] {
        let mut colours = colours(block(opening));
        // The same in both themes.
        colours.extend(self::colours(block_of(CREATOR_CSS, ":root {")));
        for series in ["--series-0", "--series-1", "--series-2", "--series-3"] {
            assert_contrast(theme, &colours, series, "--paper", 3.0);
        }
    }
}

#[test]
fn the_contrast_of_black_on_white_is_computed_as_21() {
    assert!((contrast([0; 3], [255; 3]) - 21.0).abs() < 1e-9);
    assert!((contrast([0x77; 3], [255; 3]) - 4.48).abs() < 0.01);
}

#[test]
fn the_chosen_dark_theme_and_the_dark_theme_of_the_system_are_the_same() {
    let words = |opening| block(opening).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(words(DARK), words(":root:not([data-theme=\"light\"]) {"));
}

#[test]
fn nothing_but_the_tokens_names_a_colour() {
    for css in [CSS, CREATOR_CSS] {
        let rules = &css[css.find("/* Ground */").unwrap()..];
        for word in ["#", "rgb(", "hsl(", "gradient", "white", "black"] {
            let found = rules.lines().find(|line| line.contains(word) && !line.contains("white-space"));
            assert_eq!(found, None, "{word} outside the tokens");
        }
    }
}

#[test]
fn every_token_that_is_used_exists() {
    let all = format!("{CSS}{CREATOR_CSS}");
    for used in all.split("var(").skip(1) {
        let name = used.split(')').next().unwrap();
        assert!(all.contains(&format!("{name}:")), "{name} is used and never set");
    }
}

#[test]
fn no_template_and_no_script_writes_inline_styles_or_inline_code() {
    for (name, template) in TEMPLATES.into_iter().chain([("app.js", SCRIPT)]) {
        for banned in [" style=", "<style", "javascript:", " onclick=", " onload=", "cssText", "eval("] {
            assert!(!template.contains(banned), "{name} contains {banned}");
        }
    }
    for (name, template) in TEMPLATES {
        for script in template.split("<script").skip(1) {
            assert!(script.starts_with(" src="), "{name} has an inline script");
        }
    }
}

#[test]
fn pages_ask_no_other_host_for_anything() {
    for (name, text) in
        TEMPLATES.into_iter().chain([("app.css", CSS), ("creator.css", CREATOR_CSS), ("app.js", SCRIPT)])
    {
        for banned in ["src=\"http", "src=\"//", "url(http", "@import", "@font-face", "fetch(\"http"] {
            assert!(!text.contains(banned), "{name} contains {banned}");
        }
    }
}

#[test]
fn motion_of_answers_to_a_hand_stays_within_200_ms_and_ends_under_reduced_motion() {
    assert!(!CREATOR_CSS.contains("transition") && !CREATOR_CSS.contains("animation"));
    for transition in CSS.split("transition: ").skip(1) {
        let rule = transition.split(';').next().unwrap();
        for word in rule.split([' ', ',']).filter(|word| word.ends_with('s') && word.starts_with('.')) {
            let seconds: f64 = format!("0{}", word.trim_end_matches('s')).parse().unwrap();
            assert!(seconds <= 0.2, "{rule}");
        }
    }
    assert!(CSS.contains("@media (prefers-reduced-motion: reduce)"));
}
