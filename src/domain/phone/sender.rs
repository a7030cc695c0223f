//! Our own numbers.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::PhoneNumber;

/// A number of ours that phones write to: a short code of 3 to 8 digits, or a full number in E.164 form. Not personal,
/// so it prints as it is. A short code is not a phone number and is never read as one.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SenderAddress(Box<str>);

impl SenderAddress {
    /// Reads `12345` or `+12025550123`; 9 digits and more without a `+` are a full number too, as some carriers write it.
    ///
    /// # Errors
    /// [`BadSender`].
    pub fn parse(text: &str) -> Result<Self, BadSender> {
        let short = (3..=8).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        if short {
            return Ok(Self(text.into()));
        }
        PhoneNumber::from_e164(text).map(|number| Self(number.0)).map_err(|_| BadSender)
    }

    /// The address as carriers take it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is a short code.
    #[must_use]
    pub fn is_short_code(&self) -> bool {
        !self.0.starts_with('+')
    }
}

impl fmt::Debug for SenderAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for SenderAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for SenderAddress {
    type Error = BadSender;

    fn try_from(text: String) -> Result<Self, BadSender> {
        Self::parse(&text)
    }
}

impl From<SenderAddress> for String {
    fn from(sender: SenderAddress) -> Self {
        sender.0.into_string()
    }
}

/// Neither a short code nor a full number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sender is a short code of 3 to 8 digits, or + and 7 to 15 digits")]
pub struct BadSender;
