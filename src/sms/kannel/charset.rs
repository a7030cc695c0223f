//! The characters of a text, as Kannel names them.

/// The text of those bytes. What does not fit becomes U+FFFD: a keyword beside a broken sign is still a keyword.
pub(super) fn decode(bytes: &[u8], charset: &str) -> String {
    match charset.to_ascii_uppercase().as_str() {
        "UTF-16BE" | "UTF-16" | "UCS-2" | "UCS-2BE" | "ISO-10646-UCS-2" => {
            let units = bytes.chunks(2).map(|pair| match pair {
                [high, low] => u16::from_be_bytes([*high, *low]),
                // Half a unit at the end.
                [_] | [] | [_, _, ..] => 0xFFFD,
            });
            char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        }
        "ISO-8859-1" | "LATIN1" => bytes.iter().copied().map(char::from).collect(),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// The charset that a content type names: `text/plain; charset="UTF-8"`.
pub(super) fn of_content_type(kind: &str) -> Option<&str> {
    let mut parameters = kind.split(';').skip(1).filter_map(|part| part.split_once('='));
    let (_, charset) = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))?;
    Some(charset.trim().trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_in_the_characters_it_was_written_in() {
        let ucs2 = [0, 0x50, 0, 0xed, 0xd8, 0x3c, 0xdf, 0x55];
        assert_eq!(decode(&ucs2, "UTF-16BE"), "Pí🍕");
        assert_eq!(decode("Pí🍕".as_bytes(), "utf-8"), "Pí🍕");
        assert_eq!(decode(b"P\xed", "ISO-8859-1"), "Pí");
    }

    #[test]
    fn a_broken_sign_loses_no_other() {
        assert_eq!(decode(b"P\xed!", "UTF-8"), "P\u{fffd}!");
        assert_eq!(decode(&[0, 0x50, 0xd8, 0x3c, 0, 0x21, 0], "UTF-16BE"), "P\u{fffd}!\u{fffd}");
    }

    #[test]
    fn a_content_type_names_its_charset() {
        assert_eq!(of_content_type("text/plain; charset=\"UTF-16BE\""), Some("UTF-16BE"));
        assert_eq!(of_content_type("text/plain;Charset=utf-8"), Some("utf-8"));
        assert_eq!(of_content_type("text/plain"), None);
    }
}
