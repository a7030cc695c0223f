//! What a till says of a code and of the sale, and how a refusal is said back.

use crate::domain::act::Presented;
use crate::domain::ids::Subject;
use crate::domain::money::Currency;
use crate::domain::phone::PhoneNumber;
use crate::domain::till::TillRefusal;
use crate::engine::Engine;
use crate::http::problem::Problem;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

/// Characters of the longest store, order or customer reference.
const WORD_CHARS: usize = 100;

/// The body of validate and redeem.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CodeIn {
    /// As typed or scanned.
    #[schema(example = "PZA-7KMQ-4XTDK")]
    pub(super) code: String,
    /// The store's name, or `online`.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100, example = "Store 17")]
    store: Option<String>,
    /// The till's own number of the sale.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100, example = "A-1042")]
    order: Option<String>,
    /// Who presents the code.
    #[serde(default)]
    customer: Option<CustomerIn>,
    /// The amount of the sale, minor units.
    #[serde(default)]
    #[schema(minimum = 0, example = 2500)]
    amount: Option<i64>,
    /// ISO 4217; the offer's where it is left out.
    #[serde(default)]
    #[schema(pattern = "^[A-Z]{3}$", example = "USD")]
    currency: Option<String>,
}

/// Who presents the code.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum CustomerIn {
    /// By phone number, with its country code.
    #[schema(example = json!({ "phone": "+12025550123" }))]
    Phone(String),
    /// By the till's own reference, 1 to 100 characters.
    #[schema(example = json!({ "ref": "customer-4711" }))]
    Ref(String),
}

impl CodeIn {
    /// What the engine needs of it.
    pub(super) fn presented(&self, engine: &Engine) -> Result<Presented, Problem> {
        let mut errors = Vec::new();
        for (name, word) in [("store", &self.store), ("order", &self.order)] {
            if word.as_ref().is_some_and(|word| !is_word(word, WORD_CHARS)) {
                errors.push(format!("{name}: 1 to {WORD_CHARS} characters, none of them a control character"));
            }
        }
        if self.amount.is_some_and(|amount| amount < 0) {
            errors.push("amount: minor units, 0 or more (2500 is 25.00)".to_owned());
        }
        if self.currency.as_ref().is_some_and(|currency| Currency::parse(currency).is_err()) {
            errors.push("currency: three letters of ISO 4217, such as USD".to_owned());
        }
        let customer = match self.customer.as_ref().map(|customer| subject(customer, engine)).transpose() {
            Ok(customer) => customer,
            Err(error) => {
                errors.push(error);
                None
            }
        };
        if !errors.is_empty() {
            return Err(Problem::invalid(&errors));
        }
        Ok(Presented {
            store: self.store.clone(),
            order: self.order.clone(),
            customer,
            amount: self.amount,
            currency: self.currency.clone(),
            peer: None,
        })
    }
}

/// Whether a text has so many characters at most and none that no database keeps.
pub(super) fn is_word(word: &str, most: usize) -> bool {
    !word.is_empty() && word.chars().count() <= most && !word.chars().any(char::is_control)
}

fn subject(customer: &CustomerIn, engine: &Engine) -> Result<Subject, String> {
    let keys = &engine.parts().keys;
    match customer {
        CustomerIn::Phone(phone) => PhoneNumber::parse(phone, None)
            .map(|phone| keys.phone_subject(&phone))
            .map_err(|error| format!("customer.phone: {error}; write it with its country code, such as +12025550123")),
        CustomerIn::Ref(reference) if reference.is_empty() || reference.chars().count() > WORD_CHARS => {
            Err(format!("customer.ref: 1 to {WORD_CHARS} characters"))
        }
        CustomerIn::Ref(reference) => Ok(keys.subject("ref/v1", reference.as_bytes())),
    }
}

/// A refusal as a problem. Unknown, foreign and voided codes are the same, to the byte.
pub(super) fn refused(why: TillRefusal) -> Problem {
    let detail = match why {
        TillRefusal::UnknownCode => "this is not a code of ours, or it was never given to anybody",
        TillRefusal::CampaignInactive => "the campaign does not take codes now",
        TillRefusal::NotYetActive => "the code is not good yet",
        TillRefusal::Expired => "the code's last day is over",
        TillRefusal::WrongStore => "the code does not count here",
        TillRefusal::WrongRecipient => "the code belongs to somebody else",
        TillRefusal::ConditionsNotMet => "the sale is too small for this code, or in another currency",
        TillRefusal::AlreadyRedeemed => "the code was used",
    };
    Problem::new(StatusCode::CONFLICT, why.word(), detail)
}
