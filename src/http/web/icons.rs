//! The one embedded set of icons: stroked, 20 px, in the colour of the text beside them.
//!
//! An icon never stands alone for a meaning: templates put words (or a visually hidden label) next to it, so every
//! icon is hidden from assistive technology.

use std::fmt;

use askama::filters::HtmlSafe;

/// An icon; its `Display` is the finished inline SVG.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    /// Something needs attention.
    Alert,
    /// An arrow to the right: go on.
    Arrow,
    /// A calendar: something begins later.
    Calendar,
    /// Bars of a chart: a desk with numbers.
    Chart,
    /// One tick: handed over.
    Check,
    /// Two ticks: delivered.
    Checks,
    /// A small chevron pointing down: there is more.
    Chevron,
    /// A clock: waiting, or too late.
    Clock,
    /// A cross: close.
    Close,
    /// Angle brackets: for programs.
    Code,
    /// Two sheets: copy to the clipboard.
    Copy,
    /// A speech bubble.
    Message,
    /// A half-filled disc: light or dark.
    Contrast,
    /// A hand-set phone.
    Phone,
    /// Add one more.
    Plus,
    /// An arrow down onto a line: save as a file.
    Save,
    /// A paper plane: send.
    Send,
    /// A shop's till.
    Till,
    /// A coupon with its notches.
    Ticket,
    /// An arrow turning back: undo.
    Undo,
    /// A barred circle: not valid.
    Void,
}

impl Icon {
    /// The strokes inside the 20 × 20 box.
    const fn strokes(self) -> &'static str {
        match self {
            Self::Alert => r#"<path d="M10 3 2.5 16.5h15L10 3Z"/><path d="M10 8v4M10 14.2v.1"/>"#,
            Self::Arrow => r#"<path d="M4 10h12M11 5l5 5-5 5"/>"#,
            Self::Calendar => {
                r#"<rect x="3" y="4.5" width="14" height="12.5" rx="2"/><path d="M3 8.5h14M7 2.5v4M13 2.5v4"/>"#
            }
            Self::Chart => r#"<path d="M3 17h14M5.5 14v-4M10 14V4M14.5 14V7.5"/>"#,
            Self::Code => r#"<path d="m7 5.5-5 4.5 5 4.5M13 5.5l5 4.5-5 4.5"/>"#,
            Self::Check => r#"<path d="m4.5 10.5 4 4 7.5-9"/>"#,
            Self::Checks => r#"<path d="m1.5 10.5 4 4 7.5-9M10 13.3l1.2 1.2 7.3-9"/>"#,
            Self::Chevron => r#"<path d="m5 7.5 5 5 5-5"/>"#,
            Self::Clock => r#"<circle cx="10" cy="10" r="7.5"/><path d="M10 5.5V10l3 2"/>"#,
            Self::Close => r#"<path d="m5 5 10 10M15 5 5 15"/>"#,
            Self::Copy => {
                r#"<rect x="7" y="7" width="10" height="10" rx="2"/><path d="M13 7V5a2 2 0 0 0-2-2H5a2 2 0 0 0-2 2v6a2 2 0 0 0 2 2h2"/>"#
            }
            Self::Message => {
                r#"<path d="M4.5 3.5h11a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2H9l-4 3v-3h-.5a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2Z"/>"#
            }
            Self::Contrast => {
                r#"<circle cx="10" cy="10" r="7.5"/><path d="M10 2.5v15a7.5 7.5 0 0 0 0-15Z" fill="currentColor"/>"#
            }
            Self::Phone => r#"<rect x="5.5" y="2" width="9" height="16" rx="2"/><path d="M9 15.5h2"/>"#,
            Self::Plus => r#"<path d="M10 4v12M4 10h12"/>"#,
            Self::Save => r#"<path d="M10 3v9M6 8.5l4 4 4-4M4 16.5h12"/>"#,
            Self::Send => r#"<path d="M17.5 2.5 9 11M17.5 2.5 12 17.5l-3-6.5-6.5-3 15-5.5Z"/>"#,
            Self::Till => {
                r#"<path d="M5 9.5V3h10v6.5M7.5 6h5"/><path d="M3.5 9.5h13l1 7.5h-15l1-7.5ZM7 12.5h.1M10 12.5h.1M13 12.5h.1"/>"#
            }
            Self::Ticket => {
                r#"<path d="M2.5 5.5h15v3a1.5 1.5 0 0 0 0 3v3h-15v-3a1.5 1.5 0 0 0 0-3v-3Z"/><path d="M12 6v1.5M12 9.2v1.6M12 12.5V14"/>"#
            }
            Self::Undo => r#"<path d="M7.5 4 3.5 8l4 4"/><path d="M3.5 8h8a5 5 0 0 1 0 10H9"/>"#,
            Self::Void => r#"<circle cx="10" cy="10" r="7.5"/><path d="m4.7 4.7 10.6 10.6"/>"#,
        }
    }
}

impl fmt::Display for Icon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            r#"<svg class="icon" viewBox="0 0 20 20" width="20" height="20" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">{}</svg>"#,
            self.strokes()
        )
    }
}

impl HtmlSafe for Icon {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_icon_is_hidden_from_assistive_technology_and_names_no_colour() {
        for icon in [Icon::Alert, Icon::Contrast, Icon::Till, Icon::Void] {
            let svg = icon.to_string();
            assert!(svg.contains(r#"aria-hidden="true""#), "{icon:?}");
            assert!(!svg.contains("style=") && !svg.contains('#'), "{icon:?} must take its colour from the text");
        }
    }
}
