//! All texts together: ours, with what a campaign replaces.

use std::collections::BTreeMap;

use crate::domain::language::Language;

use super::{ReplyId, Slot, Template, TemplateError};

/// Our texts, compiled in.
const ENGLISH: &str = include_str!("../../../config/replies.en.toml");
/// Answers to STOP, HELP and START in Spanish and French.
const SPANISH: &str = include_str!("../../../config/replies.es.toml");
const FRENCH: &str = include_str!("../../../config/replies.fr.toml");

/// One template for every [`ReplyId`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplySet {
    /// In the order of [`ReplyId::ALL`].
    templates: Vec<Template>,
}

/// Why a file or a replacement is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplySetError {
    /// The file is no TOML of the form `T01 = "text"`.
    #[error("the texts do not read as TOML")]
    NotToml(#[source] toml::de::Error),
    /// A text is not there.
    #[error("text {id} is missing")]
    Missing {
        /// Which.
        id: ReplyId,
    },
    /// A text does not parse.
    #[error("text {id}: {source}")]
    BadTemplate {
        /// Which.
        id: ReplyId,
        /// What is wrong with it.
        source: TemplateError,
    },
    /// A text lacks, outside optional parts, what the law or the consumer needs.
    #[error("text {id} must always show {what}")]
    Lacks {
        /// Which.
        id: ReplyId,
        /// A placeholder in braces, or a word.
        what: String,
    },
}

impl ReplySet {
    /// Our own texts.
    #[must_use]
    pub fn embedded() -> ReplySet {
        #[expect(clippy::expect_used, reason = "a test reads the compiled-in file")]
        ReplySet::parse(ENGLISH).expect("the compiled-in texts are valid")
    }

    /// Reads a whole set from TOML: one `T01 = "text"` for every text.
    ///
    /// # Errors
    /// [`ReplySetError`] names the text at fault.
    pub fn parse(source: &str) -> Result<ReplySet, ReplySetError> {
        let texts: BTreeMap<ReplyId, String> = toml::from_str(source).map_err(ReplySetError::NotToml)?;
        let templates = ReplyId::ALL.into_iter().map(|id| {
            let text = texts.get(&id).ok_or(ReplySetError::Missing { id })?;
            checked(id, text, Language::English)
        });
        Ok(ReplySet { templates: templates.collect::<Result<_, _>>()? })
    }

    /// The same set with some texts replaced.
    ///
    /// # Errors
    /// [`ReplySetError`] names the first replacement that does not parse, or lacks the brand, the
    /// code, the link or STOP where they belong.
    pub fn with_overrides(mut self, texts: &BTreeMap<ReplyId, String>) -> Result<ReplySet, ReplySetError> {
        for (id, slot) in ReplyId::ALL.into_iter().zip(&mut self.templates) {
            if let Some(text) = texts.get(&id) {
                *slot = checked(id, text, Language::English)?;
            }
        }
        Ok(self)
    }

    /// The template of one text.
    #[must_use]
    pub fn get(&self, id: ReplyId) -> &Template {
        let place = ReplyId::ALL.iter().position(|known| *known == id);
        let template = place.and_then(|place| self.templates.get(place));
        #[expect(clippy::expect_used, reason = "a set is built with one template for each id")]
        template.expect("every id has its template")
    }

    /// Every text with its template.
    pub fn iter(&self) -> impl Iterator<Item = (ReplyId, &Template)> {
        ReplyId::ALL.into_iter().zip(&self.templates)
    }
}

/// The answers to the law's words that are spoken in `language` besides English; none for English itself.
#[must_use]
pub fn compliance(language: Language) -> Vec<(ReplyId, Template)> {
    let source = match language {
        Language::English => return Vec::new(),
        Language::Spanish => SPANISH,
        Language::French => FRENCH,
    };
    #[expect(clippy::expect_used, reason = "a test reads the compiled-in files")]
    spoken(source, language).expect("the compiled-in texts are valid")
}

fn spoken(source: &str, language: Language) -> Result<Vec<(ReplyId, Template)>, ReplySetError> {
    let texts: BTreeMap<ReplyId, String> = toml::from_str(source).map_err(ReplySetError::NotToml)?;
    let owed = ReplyId::ALL.into_iter().filter(|id| id.is_compliance());
    let checked = owed.map(|id| {
        let text = texts.get(&id).ok_or(ReplySetError::Missing { id })?;
        Ok((id, checked(id, text, language)?))
    });
    checked.collect()
}

fn checked(id: ReplyId, text: &str, language: Language) -> Result<Template, ReplySetError> {
    let template = Template::parse(text).map_err(|source| ReplySetError::BadTemplate { id, source })?;
    let slots = needed(id).iter().filter(|slot| !template.always_shows(**slot));
    if let Some(slot) = slots.copied().next() {
        return Err(ReplySetError::Lacks { id, what: format!("{{{}}}", slot.as_str()) });
    }
    // the confirmation of STOP itself says how to come back instead
    let word = if id == ReplyId::T13Stop { language.start_word() } else { language.stop_word() };
    // digits are no message of a program that one leaves: she asks for each herself, and STOP stops none of them
    if id != ReplyId::T23WebCode && !template.always_says(word) {
        return Err(ReplySetError::Lacks { id, what: word.to_owned() });
    }
    Ok(template)
}

/// What a text shows in every form of it.
fn needed(id: ReplyId) -> &'static [Slot] {
    match id {
        ReplyId::T01FirstIssue | ReplyId::T02RepeatUnused | ReplyId::T11Typo => &[Slot::Brand, Slot::Code, Slot::Link],
        ReplyId::T12Choice => &[Slot::Brand, Slot::Choices],
        ReplyId::T14Help => &[Slot::Brand, Slot::Help],
        ReplyId::T22MyCodes => &[Slot::Brand, Slot::Codes],
        ReplyId::T23WebCode => &[Slot::Brand, Slot::Digits],
        ReplyId::T24Desk => &[Slot::Brand, Slot::Link],
        ReplyId::T03RepeatRedeemed
        | ReplyId::T04RepeatExpired
        | ReplyId::T05SoldOut
        | ReplyId::T07Capped
        | ReplyId::T08NotStarted
        | ReplyId::T09Ended
        | ReplyId::T10Unknown
        | ReplyId::T13Stop
        | ReplyId::T15Start
        | ReplyId::T16Held
        | ReplyId::T17Late
        | ReplyId::T21NotEligible
        | ReplyId::Paused
        | ReplyId::Busy => &[Slot::Brand],
    }
}
