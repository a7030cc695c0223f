//! `/till`: a till in the browser that validates and redeems a pasted code.

use askama::Template;

use super::icons::Icon;

/// What the form holds; kept over a round trip.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TillForm {
    /// The code as typed.
    pub code: String,
    /// The store's id as typed.
    pub store: String,
    /// The amount of the sale as typed: "25.00".
    pub amount: String,
    /// Sent with every redeem and undo of this rendering, so that a double click is one redemption.
    pub idempotency_key: String,
    /// The fix for the code field, in words.
    pub code_error: Option<String>,
    /// The fix for the store field, in words.
    pub store_error: Option<String>,
    /// The fix for the amount field, in words.
    pub amount_error: Option<String>,
}

impl TillForm {
    /// Whether a field has to be mended. Then the form is what the press leads back to, not the panel beside it.
    fn is_wrong(&self) -> bool {
        self.code_error.is_some() || self.store_error.is_some() || self.amount_error.is_some()
    }
}

/// Why a till refuses a code; the wire words are those of the till interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalReason {
    /// Never given out, foreign, voided or mistyped.
    UnknownCode,
    /// Used before.
    AlreadyRedeemed,
    /// Past its last day.
    Expired,
    /// Before its first day.
    NotYetActive,
    /// Switched off by the marketer.
    Disabled,
    /// Another till holds it at the moment.
    Locked,
    /// Made out to somebody else.
    WrongRecipient,
    /// Not valid in this store.
    WrongStore,
    /// Minimum spend or another condition is missing.
    ConditionsNotMet,
    /// The campaign is paused or over for redeeming.
    CampaignInactive,
    /// Too many wrong codes from this till.
    RateLimited,
    /// The engine could not take the request now.
    Busy,
}

impl RefusalReason {
    /// Reads the stable wire word (`reason` of validate, `code` of a problem).
    #[must_use]
    pub fn parse(wire: &str) -> Option<Self> {
        Some(match wire {
            "unknown_code" => Self::UnknownCode,
            "already_redeemed" => Self::AlreadyRedeemed,
            "expired" => Self::Expired,
            "not_yet_active" => Self::NotYetActive,
            "disabled" => Self::Disabled,
            "locked" => Self::Locked,
            "wrong_recipient" => Self::WrongRecipient,
            "wrong_store" => Self::WrongStore,
            "conditions_not_met" => Self::ConditionsNotMet,
            "campaign_inactive" => Self::CampaignInactive,
            "rate_limited" => Self::RateLimited,
            "busy" => Self::Busy,
            _ => return None,
        })
    }

    /// The heading of the result and the sentence that says what to do.
    #[must_use]
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::UnknownCode => (
                "We don\u{2019}t know this code",
                "Check it for a mistyped letter. Codes are never valid twice and never guessed.",
            ),
            Self::AlreadyRedeemed => ("Already used", "This code has been redeemed and cannot be used a second time."),
            Self::Expired => ("Expired", "The last day of this code has passed."),
            Self::NotYetActive => ("Not valid yet", "This code has been given out but its first day is still to come."),
            Self::Disabled => ("Switched off", "This code has been disabled and cannot be redeemed."),
            Self::Locked => {
                ("In use at another till", "Another till is redeeming this code right now. Try again in two minutes.")
            }
            Self::WrongRecipient => {
                ("Belongs to somebody else", "This code can only be redeemed by the customer it was sent to.")
            }
            Self::WrongStore => {
                ("Not valid in this store", "The offer does not count here. Try a store that takes part.")
            }
            Self::ConditionsNotMet => (
                "Conditions not met",
                "The sale does not meet the offer\u{2019}s conditions, such as its minimum spend.",
            ),
            Self::CampaignInactive => ("The campaign is not running", "Redeeming is paused or over for this offer."),
            Self::RateLimited => {
                ("Too many wrong codes", "This till has tried too many unknown codes. Wait a minute and try again.")
            }
            Self::Busy => ("Busy right now", "Nothing was redeemed. Try again in a few seconds."),
        }
    }
}

/// What came of the last press of a button.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TillResult {
    /// Nothing asked yet.
    None,
    /// The code would be taken. Nothing was changed.
    Valid {
        /// As printed on the coupon.
        code: String,
        /// "$5 off any large pizza".
        offer: String,
        /// "Thu 31 Dec 2026, 11:59 PM ET"; none when it does not expire.
        until: Option<String>,
    },
    /// The code was not taken.
    Refused {
        /// As typed.
        code: String,
        /// Why.
        reason: RefusalReason,
        /// What is known beyond the reason: "Used 14 Nov 2026, 6:22 PM, Store 17".
        detail: Option<String>,
    },
    /// The code is used now.
    Redeemed {
        /// As printed on the coupon.
        code: String,
        /// "$5 off any large pizza".
        offer: String,
        /// Id of the redemption, for the undo and for the books.
        redemption_id: String,
        /// "14 Nov 2026, 6:22 PM, Store 17".
        stamp: String,
    },
    /// A redemption was taken back; the code is good again.
    RolledBack {
        /// As printed on the coupon.
        code: String,
        /// Id of the redemption that was taken back.
        redemption_id: String,
    },
    /// The undo was refused; the sentence says why.
    NotRolledBack {
        /// In words.
        why: String,
    },
}

/// The till page.
///
/// Its form posts to `/till` with the fields `action` (`validate`, `redeem`, `rollback`), `code`, `store`, `amount`,
/// `idempotency_key` and, for `rollback`, `redemption_id`.
#[derive(Debug, Template)]
#[template(path = "till.html", config = ".askama.toml")]
pub struct TillView {
    /// The fields.
    pub form: TillForm,
    /// The panel beside them.
    pub result: TillResult,
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    const WIRE: [&str; 12] = [
        "unknown_code",
        "already_redeemed",
        "expired",
        "not_yet_active",
        "disabled",
        "locked",
        "wrong_recipient",
        "wrong_store",
        "conditions_not_met",
        "campaign_inactive",
        "rate_limited",
        "busy",
    ];

    fn render(result: TillResult) -> String {
        let form =
            TillForm { code: "PZA-7KMQ-4XTD".to_owned(), idempotency_key: "key-1".to_owned(), ..TillForm::default() };
        TillView { form, result }.render().unwrap()
    }

    #[test]
    fn every_reason_of_the_till_interface_has_its_own_words() {
        let mut seen = std::collections::HashSet::new();
        for wire in WIRE {
            let reason = RefusalReason::parse(wire).unwrap();
            assert!(seen.insert(reason.words()), "{wire} shares its words");
            let html = render(TillResult::Refused { code: "X".to_owned(), reason, detail: None });
            assert!(html.contains(&askama_escaped(reason.words().0)), "{wire}");
        }
        assert_eq!(RefusalReason::parse("something_new"), None);
    }

    fn askama_escaped(text: &str) -> String {
        text.replace('&', "&#38;").replace('\'', "&#39;")
    }

    #[test]
    fn a_redemption_shows_its_id_and_an_undo_that_names_it() {
        let html = render(TillResult::Redeemed {
            code: "PZA-7KMQ-4XTD".to_owned(),
            offer: "$5 off".to_owned(),
            redemption_id: "rdm_1".to_owned(),
            stamp: "14 Nov 2026, 6:22 PM, Store 17".to_owned(),
        });
        assert!(html.contains(r#"name="redemption_id" value="rdm_1""#));
        assert!(html.contains(r#"value="rollback""#));
    }

    #[test]
    fn a_field_with_an_error_keeps_its_value_and_points_at_the_words() {
        let form = TillForm {
            code: "PZA".to_owned(),
            amount: "abc".to_owned(),
            amount_error: Some("Write the amount like 25.00.".to_owned()),
            ..TillForm::default()
        };
        let html = TillView { form, result: TillResult::None }.render().unwrap();
        assert!(html.contains(r#"form" id="result""#) && html.matches(r#"id="result""#).count() == 1);
        assert!(html.contains(r#"value="abc""#) && html.contains("Write the amount like 25.00."));
        assert!(
            html.contains(r#"aria-invalid="true""#) && html.contains(r#"aria-describedby="amount-error amount-help""#)
        );
    }
}
