//! Bearer keys as people paste them: `cwk_till_<id>_<secret>`.

use std::fmt;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 71 bits: enough that two ids never meet.
const ID_CHARS: usize = 12;
/// 256 bits in base62.
const SECRET_CHARS: usize = 43;

/// What a key opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// The till API.
    Till,
    /// The admin API.
    Admin,
    /// The token endpoint: a client secret of a partner.
    Partner,
}

impl KeyKind {
    /// The word that tables use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Till => "till",
            Self::Admin => "admin",
            Self::Partner => "partner",
        }
    }

    /// What such a key begins with; scanners for leaked keys look for it.
    fn prefix(self) -> &'static str {
        match self {
            Self::Till => "cwk_till_",
            Self::Admin => "cwk_admin_",
            Self::Partner => "cwp_",
        }
    }
}

/// A key. `Debug` shows its id alone; the whole is reached by [`BearerKey::expose`].
#[derive(Clone, PartialEq, Eq)]
pub struct BearerKey {
    kind: KeyKind,
    text: String,
}

impl BearerKey {
    /// Makes one of 12 random bytes for its id and 43 for its secret. Each byte becomes one character; the four of
    /// 256 values that would favour some characters cost less than a bit in all.
    #[must_use]
    pub fn new(kind: KeyKind, id: [u8; ID_CHARS], secret: [u8; SECRET_CHARS]) -> Self {
        let (id, secret) = (characters(&id), characters(&secret));
        let text = format!("{}{id}_{secret}", kind.prefix());
        Self { kind, text }
    }

    /// Reads one as it was pasted; `None` when it has another form.
    #[must_use]
    pub fn parse(kind: KeyKind, text: &str) -> Option<Self> {
        let (id, secret) = text.strip_prefix(kind.prefix())?.split_once('_')?;
        let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let fits = id.len() == ID_CHARS && secret.len() == SECRET_CHARS;
        (fits && plain(id) && plain(secret)).then(|| Self { kind, text: text.to_owned() })
    }

    /// What it opens.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Its public part: lists and doors (`till-<id>`) name it so.
    #[must_use]
    pub fn id(&self) -> &str {
        let rest = self.text.strip_prefix(self.kind.prefix()).unwrap_or_default();
        rest.split_once('_').map_or("", |(id, _)| id)
    }

    /// The whole key. Whoever has it is let in.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for BearerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BearerKey({} {})", self.kind.word(), self.id())
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
        let key = BearerKey::new(KeyKind::Till, [7; ID_CHARS], [255; SECRET_CHARS]);
        assert_eq!(key.expose(), "cwk_till_777777777777_7777777777777777777777777777777777777777777");
        assert_eq!(BearerKey::parse(KeyKind::Till, key.expose()).unwrap(), key);
        assert_eq!(format!("{key:?}"), "BearerKey(till 777777777777)");
    }

    #[test]
    fn text_of_another_form_is_no_key() {
        let whole = BearerKey::new(KeyKind::Till, [1; ID_CHARS], [2; SECRET_CHARS]);
        let whole = whole.expose();
        for text in [
            "",
            "cwk_till_",
            "cwk_till__",
            &whole.replace("till", "admin"),
            &format!("{whole}2"),
            &format!(" {whole}"),
            &whole.replace("111_", "11-_"),
            &whole.replace("cwk_till", "cwp"),
            whole.strip_suffix('2').unwrap(),
        ] {
            assert_eq!(BearerKey::parse(KeyKind::Till, text), None, "{text}");
        }
    }
}
