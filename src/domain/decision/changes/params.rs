//! What a text needs beside its code.

use crate::domain::language::Language;
use serde::{Deserialize, Serialize};

/// What a text needs beside its code.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Params {
    /// The keyword or name of the campaign.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub word: Option<String>,
    /// What she typed, where we read it as another word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read: Option<String>,
    /// A time, milliseconds since 1970 UTC: used at, opens at, try again at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<i64>,
    /// The cap that refused, by its number, and its limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cap: Option<(u32, i64)>,
    /// Her codes: campaign, pool, position, state, time of use.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<(u32, u16, u64, String, Option<i64>)>,
    /// The words she may choose from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// The language to answer in.
    #[serde(skip_serializing_if = "is_english")]
    pub language: Language,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_english(language: &Language) -> bool {
    *language == Language::English
}
