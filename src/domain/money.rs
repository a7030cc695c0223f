//! Amounts of money, exact.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An ISO 4217 currency code: three upper-case letters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    /// The United States dollar, in which the demo counts.
    pub const USD: Self = Self(*b"USD");

    /// Reads a code in upper case. Whether a state mints it is not asked.
    ///
    /// # Errors
    /// [`BadCurrency`] for anything but three letters A to Z.
    pub fn parse(text: &str) -> Result<Self, BadCurrency> {
        match <[u8; 3]>::try_from(text.as_bytes()) {
            Ok(letters) if letters.iter().all(u8::is_ascii_uppercase) => Ok(Self(letters)),
            Ok(_) | Err(_) => Err(BadCurrency),
        }
    }

    /// The three letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Digits after the point (ISO 4217 list one, 2024): two but for those that have none, three or four.
    #[must_use]
    pub const fn decimals(self) -> u32 {
        match &self.0 {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG" | b"RWF" | b"UGX"
            | b"UYI" | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            b"CLF" | b"UYW" => 4,
            _ => 2,
        }
    }

    /// The sign before the amount, where it means one currency to its users and is one GSM-7 character.
    const fn sign(self) -> Option<&'static str> {
        match &self.0 {
            b"USD" => Some("$"),
            b"GBP" => Some("£"),
            b"JPY" => Some("¥"),
            _ => None,
        }
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TryFrom<String> for Currency {
    type Error = BadCurrency;

    fn try_from(text: String) -> Result<Self, BadCurrency> {
        Self::parse(&text)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.as_str().to_owned()
    }
}

/// An amount in minor units (cents) of one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// Minor units: 550 is $5.50. May be negative.
    pub minor: i64,
    /// What the minor units are of.
    pub currency: Currency,
}

impl Money {
    /// An amount of minor units.
    #[must_use]
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// The sum.
    ///
    /// # Errors
    /// [`MoneyError`] when the currencies differ or the sum does not fit.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i64::checked_add)
    }

    /// The difference.
    ///
    /// # Errors
    /// [`MoneyError`] when the currencies differ or the difference does not fit.
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i64::checked_sub)
    }

    /// So many times the amount.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn checked_mul(self, times: i64) -> Result<Self, MoneyError> {
        let minor = self.minor.checked_mul(times).ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    fn combine(self, other: Self, op: fn(i64, i64) -> Option<i64>) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::Currencies(self.currency, other.currency));
        }
        let minor = op(self.minor, other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    /// The amount as a text message says it: `$5`, `$5.50`, `£3`, `5 EUR`, `-$1`; in GSM-7, whole amounts without
    /// decimals.
    #[must_use]
    pub fn words(&self) -> String {
        let unit = 10_u64.pow(self.currency.decimals());
        let (whole, part) = (self.minor.unsigned_abs() / unit, self.minor.unsigned_abs() % unit);
        let width = usize::try_from(self.currency.decimals()).unwrap_or(2);
        let minus = if self.minor < 0 { "-" } else { "" };
        let number = if part == 0 { format!("{whole}") } else { format!("{whole}.{part:0width$}") };
        match self.currency.sign() {
            Some(sign) => format!("{minus}{sign}{number}"),
            None => format!("{minus}{number} {}", self.currency),
        }
    }
}

/// Three letters are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a currency is three letters of ISO 4217, such as USD")]
pub struct BadCurrency;

/// Why two amounts make no third.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Apples and pears.
    #[error("{0} and {1} are not added up")]
    Currencies(Currency, Currency),
    /// Beyond 2^63 minor units.
    #[error("the amount is too large")]
    Overflow,
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use proptest::prelude::*;

    use super::*;

    fn money(minor: i64, currency: &str) -> Money {
        Money::new(minor, Currency::parse(currency).unwrap())
    }

    #[test]
    fn amounts_read_as_people_write_them() {
        for (minor, currency, words) in [
            (500, "USD", "$5"),
            (550, "USD", "$5.50"),
            (5, "USD", "$0.05"),
            (0, "USD", "$0"),
            (-100, "USD", "-$1"),
            (300, "GBP", "£3"),
            (500, "EUR", "5 EUR"),
            (-1250, "EUR", "-12.50 EUR"),
            (500, "JPY", "¥500"),
            (1500, "KWD", "1.500 KWD"),
            (i64::MIN, "USD", "-$92233720368547758.08"),
        ] {
            assert_eq!(money(minor, currency).words(), words);
        }
    }

    #[test]
    fn different_currencies_and_too_large_amounts_are_refused() {
        let (dollars, euros) = (money(1, "USD"), money(1, "EUR"));
        assert_eq!(dollars.checked_add(euros), Err(MoneyError::Currencies(dollars.currency, euros.currency)));
        assert_eq!(money(i64::MAX, "USD").checked_add(dollars), Err(MoneyError::Overflow));
        assert_eq!(money(i64::MIN, "USD").checked_sub(dollars), Err(MoneyError::Overflow));
        assert_eq!(money(i64::MAX, "USD").checked_mul(2), Err(MoneyError::Overflow));
        assert_eq!(money(250, "USD").checked_mul(3), Ok(money(750, "USD")));
    }

    #[test]
    fn a_currency_is_three_upper_case_letters_on_the_wire_too() {
        for bad in ["usd", "US", "USDT", "U5D", "€€€", ""] {
            assert_eq!(Currency::parse(bad), Err(BadCurrency), "{bad}");
        }
        let json = serde_json::to_string(&money(550, "USD")).unwrap();
        assert_eq!(json, r#"{"minor":550,"currency":"USD"}"#);
        assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), money(550, "USD"));
        assert!(serde_json::from_str::<Money>(r#"{"minor":1,"currency":"usd"}"#).is_err());
    }

    proptest! {
        #[test]
        fn what_is_added_can_be_taken_away(one: i64, two: i64) {
            if let Ok(sum) = money(one, "USD").checked_add(money(two, "USD")) {
                prop_assert_eq!(sum.checked_sub(money(two, "USD")), Ok(money(one, "USD")));
            }
        }
    }
}
