//! Access keys as people paste them: `cwk_till_<id>_<secret>`.

use std::fmt;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 71 bits: enough that two ids never meet.
const ID_CHARS: usize = 12;
/// 256 bits in base62.
const SECRET_CHARS: usize = 43;
/// What a till's key begins with; scanners for leaked keys look for it.
const TILL: &str = "cwk_till_";

/// A till's key. `Debug` shows its id alone; the whole is reached by [`TillKey::expose`].
#[derive(Clone, PartialEq, Eq)]
pub struct TillKey {
    text: String,
}

impl TillKey {
    /// Makes one of 12 random bytes for its id and 43 for its secret. Each byte becomes one character; the four of
    /// 256 values that would favour some characters cost less than a bit in all.
    #[must_use]
    pub fn new(id: [u8; ID_CHARS], secret: [u8; SECRET_CHARS]) -> Self {
        let (id, secret) = (characters(&id), characters(&secret));
        let text = format!("{TILL}{id}_{secret}");
        Self { text }
    }

    /// Reads one as it was pasted; `None` when it has another form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (id, secret) = text.strip_prefix(TILL)?.split_once('_')?;
        let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let fits = id.len() == ID_CHARS && secret.len() == SECRET_CHARS;
        (fits && plain(id) && plain(secret)).then(|| Self { text: text.to_owned() })
    }

    /// Its public part: lists and doors (`till-<id>`) name it so.
    #[must_use]
    pub fn id(&self) -> &str {
        let rest = self.text.strip_prefix(TILL).unwrap_or_default();
        rest.split_once('_').map_or("", |(id, _)| id)
    }

    /// The whole key. Whoever has it redeems codes.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for TillKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TillKey({})", self.id())
    }
}

fn characters(random: &[u8]) -> String {
    let character = |byte: &u8| BASE62.get(usize::from(*byte) % BASE62.len());
    random.iter().filter_map(character).map(|byte| char::from(*byte)).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_key_is_read_back_from_its_text_and_prints_only_its_id() {
        let key = TillKey::new([7; ID_CHARS], [255; SECRET_CHARS]);
        assert_eq!(key.expose(), "cwk_till_777777777777_7777777777777777777777777777777777777777777");
        assert_eq!(TillKey::parse(key.expose()).unwrap(), key);
        assert_eq!(format!("{key:?}"), "TillKey(777777777777)");
    }

    #[test]
    fn text_of_another_form_is_no_key() {
        let whole = TillKey::new([1; ID_CHARS], [2; SECRET_CHARS]);
        let whole = whole.expose();
        for text in [
            "",
            "cwk_till_",
            "cwk_till__",
            &whole.replace("till", "admin"),
            &format!("{whole}2"),
            &format!(" {whole}"),
            &whole.replace("111_", "11-_"),
            whole.strip_suffix('2').unwrap(),
        ] {
            assert_eq!(TillKey::parse(text), None, "{text}");
        }
    }
}
