//! Message text cut into pieces, so that links can be tapped and codes copied.

/// A piece of a message, in order; together they are the text again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Words and spaces as they are.
    Words(String),
    /// A link: what is shown, and where it leads.
    Link {
        /// As written in the message, often without a scheme.
        shown: String,
        /// A full address; without a scheme in the text it takes the scheme of the page.
        href: String,
    },
    /// A coupon code: letters and digits in at least two groups with hyphens, all upper case, with a digit.
    Code(String),
}

/// Cuts a message into pieces.
#[must_use]
pub fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for chunk in text.split_inclusive(char::is_whitespace) {
        let word = chunk.trim_end();
        let core = word.trim_end_matches(['.', ',', ';', ':', '!', '?', ')']).trim_start_matches('(');
        let piece = if core.is_empty() { None } else { read_word(core) };
        match (piece, chunk.split_once(core)) {
            (Some(piece), Some((before, after))) => {
                push_words(&mut pieces, before);
                pieces.push(piece);
                push_words(&mut pieces, after);
            }
            _ => push_words(&mut pieces, chunk),
        }
    }
    pieces
}

/// The first coupon code of a message.
#[must_use]
pub fn first_code(text: &str) -> Option<String> {
    pieces(text).into_iter().find_map(|piece| match piece {
        Piece::Code(code) => Some(code),
        Piece::Words(_) | Piece::Link { .. } => None,
    })
}

fn read_word(word: &str) -> Option<Piece> {
    if word.starts_with("http://") || word.starts_with("https://") {
        return Some(Piece::Link { shown: word.to_owned(), href: word.to_owned() });
    }
    if let Some((host, path)) = word.split_once('/') {
        let is_host =
            host.contains('.') && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':'));
        let ends_in_name = host.rsplit('.').next().is_some_and(|last| !last.is_empty());
        return (is_host && ends_in_name && !path.is_empty())
            .then(|| Piece::Link { shown: word.to_owned(), href: format!("//{word}") });
    }
    is_code(word).then(|| Piece::Code(word.to_owned()))
}

fn is_code(word: &str) -> bool {
    let groups: Vec<&str> = word.split('-').collect();
    groups.len() >= 2
        && word.len() >= 8
        && groups.iter().all(|group| {
            group.len() >= 2 && group.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        })
        && word.bytes().any(|byte| byte.is_ascii_uppercase())
}

fn push_words(pieces: &mut Vec<Piece>, words: &str) {
    if words.is_empty() {
        return;
    }
    if let Some(Piece::Words(last)) = pieces.last_mut() {
        last.push_str(words);
    } else {
        pieces.push(Piece::Words(words.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Piece {
        Piece::Words(text.to_owned())
    }

    #[test]
    fn a_reply_falls_into_words_its_code_and_its_link() {
        let link = "acme.example/c/9tQ2xWq7LmN4pRs8VbYzKd";
        assert_eq!(
            pieces(&format!("Acme: $5 off code PZA-7KMQ-4XTDK, 1 use. Show it: {link} HELP for help")),
            vec![
                words("Acme: $5 off code "),
                Piece::Code("PZA-7KMQ-4XTDK".to_owned()),
                words(", 1 use. Show it: "),
                Piece::Link { shown: link.to_owned(), href: format!("//{link}") },
                words(" HELP for help"),
            ]
        );
    }

    #[test]
    fn a_link_with_its_scheme_keeps_it_and_loses_the_full_stop() {
        assert_eq!(
            pieces("See http://127.0.0.1:8080/c/abc."),
            vec![
                words("See "),
                Piece::Link {
                    shown: "http://127.0.0.1:8080/c/abc".to_owned(),
                    href: "http://127.0.0.1:8080/c/abc".to_owned()
                },
                words("."),
            ]
        );
    }

    #[test]
    fn dates_telephone_numbers_and_slashed_words_stay_words() {
        for text in
            ["24/7 and/or a.", "call 800-555-0199 now", "T-SHIRT", "Msg&data rates", "2026-12-31", "../etc/passwd"]
        {
            assert_eq!(pieces(text), vec![words(text)]);
        }
    }

    #[test]
    fn the_pieces_of_any_text_are_the_text_again() {
        for text in ["", "  a  b ", "(see acme.example/c/x)", "x\ny PZA-7KMQ-4XTD! ", "!!! ..."] {
            let joined: String = pieces(text)
                .into_iter()
                .map(|piece| match piece {
                    Piece::Words(words) => words,
                    Piece::Link { shown, .. } => shown,
                    Piece::Code(code) => code,
                })
                .collect();
            assert_eq!(joined, text);
        }
    }
}
