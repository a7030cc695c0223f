//! The languages in which the law's words are heard and answered.

use serde::{Deserialize, Serialize};

/// A language of opt-out, opt-in and help.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Language {
    /// English, and whatever belongs to no language.
    #[default]
    #[serde(rename = "en")]
    English,
    /// Spanish.
    #[serde(rename = "es")]
    Spanish,
    /// French.
    #[serde(rename = "fr")]
    French,
}

impl Language {
    /// Every language, English first.
    pub const ALL: [Self; 3] = [Self::English, Self::Spanish, Self::French];

    /// ISO 639-1, as files, tables and JSON have it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Spanish => "es",
            Self::French => "fr",
        }
    }

    /// What ends all messages, as texts in this language say it.
    #[must_use]
    pub fn stop_word(self) -> &'static str {
        match self {
            Self::English => "STOP",
            Self::Spanish => "ALTO",
            Self::French => "ARRET",
        }
    }

    /// What brings them back.
    #[must_use]
    pub fn start_word(self) -> &'static str {
        match self {
            Self::English => "START",
            Self::Spanish => "INICIAR",
            Self::French => "COMMENCER",
        }
    }
}
