//! What a creator says and writes. The paid connection is said in the same breath (16 CFR 255).

use crate::domain::keyword::Keyword;

/// What stands beside a creator's link unless the campaign says it in other words.
pub const DEFAULT_DISCLOSURE: &str = "Ad: I earn a commission if you use my code";

/// Lines to copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareKit {
    /// To say aloud: "Text EMMA to 12345 for your own $5 off code".
    pub spoken: String,
    /// To write under a post: disclosure first, then the line and the link.
    pub caption: String,
}

/// The lines for one keyword, be it of the creator or of one post.
///
/// `benefit` is what a code gives in a few words ("$5 off"), `link` the address of the claim page as it is shown.
#[must_use]
pub fn share_kit(keyword: &Keyword, sender: &str, benefit: &str, link: &str, disclosure: &str) -> ShareKit {
    let spoken = format!("Text {keyword} to {sender} for your own {benefit} code");
    let disclosure = disclosure.trim();
    let disclosure = if disclosure.is_empty() { DEFAULT_DISCLOSURE } else { disclosure };
    let stop = if disclosure.ends_with(['.', '!', '?']) { "" } else { "." };
    let caption = format!("{disclosure}{stop} {spoken}, or get it here: {link}");
    ShareKit { spoken, caption }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn the_spoken_line_names_word_and_number_and_the_caption_discloses_first() {
        let emma = Keyword::parse("emma").unwrap();
        let kit = share_kit(&emma, "12345", "$5 off", "acme.example/x/emma", DEFAULT_DISCLOSURE);
        assert_eq!(kit.spoken, "Text EMMA to 12345 for your own $5 off code");
        assert_eq!(
            kit.caption,
            "Ad: I earn a commission if you use my code. \
             Text EMMA to 12345 for your own $5 off code, or get it here: acme.example/x/emma"
        );
    }

    #[test]
    fn no_caption_is_without_a_disclosure() {
        let emma = Keyword::parse("emma").unwrap();
        assert!(share_kit(&emma, "12345", "$5 off", "x", "  ").caption.starts_with(DEFAULT_DISCLOSURE));
        assert!(share_kit(&emma, "12345", "$5 off", "x", "Paid ad!").caption.starts_with("Paid ad! Text"));
    }
}
