//! How a partner asks for codes, and how they are shown to it.

use crate::domain::act::Deliver;
use crate::domain::decision::outcome::Refusal;
use crate::domain::phone::PhoneNumber;
use crate::engine::{Customer, IssuanceAnswer, IssuanceAsk, IssuanceView, Merit};
use crate::http::problem::Problem;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// Characters of the longest name of a place, click or publisher.
const WORD_CHARS: usize = 64;
/// Characters of the longest reference or mail address.
const CUSTOMER_CHARS: usize = 254;
/// Bytes of the largest metadata, as JSON.
const METADATA_BYTES: usize = 2_048;

/// Who gets the code; one of the three.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
#[schema(as = PartnerCustomerIn)]
pub(super) enum CustomerIn {
    /// Her phone number with its country code. The same person at every door, whoever asks.
    #[schema(example = json!({ "phone": "+12025550123" }))]
    Phone(String),
    /// Her mail address; case and outer spaces do not count.
    Email(String),
    /// Your own reference of her, 1 to 254 characters.
    Reference(String),
}

/// How the code reaches the customer.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum DeliverIn {
    /// You show it.
    #[default]
    None,
    /// By a text of the campaign's number too, when the code is new; needs `customer.phone`.
    Sms,
}

/// Where the customer came from, and what you want to find again.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
pub(super) struct OriginIn {
    /// The place, for your reports: letters, digits, `.`, `_` and `-`.
    #[serde(default)]
    #[schema(max_length = 64, pattern = "^[A-Za-z0-9._-]+$", example = "story1")]
    pub(super) sub_id: Option<String>,
    /// Your click.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 64)]
    pub(super) click_id: Option<String>,
    /// Your publisher.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 64)]
    pub(super) publisher_id: Option<String>,
    /// Anything you want echoed, at most 2 kB as JSON.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub(super) metadata: Option<Map<String, Value>>,
}

/// A code as its partner sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct IssuanceOut {
    /// Its name here.
    #[schema(example = "iss_4GZp1cTqVX0bKd82nLmW3s")]
    pub(super) id: String,
    /// The campaign's name.
    #[schema(example = "PIZZA")]
    pub(super) campaign: String,
    /// What the customer shows at the till.
    #[schema(example = "PZA-7KMQ-4XTDK")]
    pub(super) code: String,
    /// Her coupon page, with the state of the moment.
    #[schema(example = "https://coupons.example/c/9tQ2xWq7LmN4pRs8VbYzKd")]
    pub(super) live_url: String,
    /// `unused`, `redeemed`, `expired` or `void`.
    #[schema(example = "unused")]
    pub(super) status: &'static str,
    pub(super) issued_at: DateTime<Utc>,
    /// It is good before this; left out where it has no end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) expires_at: Option<DateTime<Utc>>,
    /// When it was used, where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) redeemed_at: Option<DateTime<Utc>>,
    /// Whether the customer had it before.
    pub(super) repeat: bool,
    /// `assist` where she had it by another way: the credit is not yours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) attribution: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "story1")]
    pub(super) sub_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) click_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) publisher_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(super) metadata: Option<Value>,
}

/// A code that follows.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PendingOut {
    /// Always `pending`.
    #[schema(example = "pending")]
    pub(super) status: &'static str,
}

/// What became of one customer.
#[derive(Debug)]
pub(super) enum Told {
    /// A new code (201) or the one she has (200).
    Code(StatusCode, Box<IssuanceOut>),
    /// A code follows: 202.
    Pending,
}

impl IssuanceOut {
    /// As it is shown.
    pub(super) fn of(view: IssuanceView, repeat: bool) -> Self {
        let note =
            view.note.and_then(|note| serde_json::from_str::<Map<String, Value>>(&note).ok()).unwrap_or_default();
        let word = |name: &str| note.get(name).and_then(Value::as_str).map(str::to_owned);
        Self {
            id: view.id,
            campaign: view.campaign,
            code: view.code,
            live_url: view.live_url,
            status: view.state.word(),
            issued_at: view.issued_at,
            expires_at: view.expires_at,
            redeemed_at: view.redeemed_at,
            repeat,
            attribution: (view.merit == Merit::Others).then_some("assist"),
            sub_id: view.sub_id,
            click_id: word("click_id"),
            publisher_id: word("publisher_id"),
            metadata: note.get("metadata").cloned(),
        }
    }
}

/// What the engine needs of an asking.
///
/// # Errors
/// 400 with everything that is wrong; `invalid_phone` where only that is.
pub(super) fn ask(
    campaign: &str,
    customer: &CustomerIn,
    origin: &OriginIn,
    deliver: DeliverIn,
) -> Result<IssuanceAsk, Problem> {
    let mut errors = origin_errors(origin);
    let customer = read_customer(customer, &mut errors);
    if matches!((deliver, &customer), (DeliverIn::Sms, Ok(Customer::Email(_) | Customer::Reference(_)))) {
        errors.push("deliver: sms needs customer.phone".to_owned());
    }
    if !errors.is_empty() {
        return Err(Problem::invalid(&errors));
    }
    Ok(IssuanceAsk {
        campaign: campaign.to_owned(),
        customer: customer?,
        sub_id: origin.sub_id.clone(),
        note: note(origin),
        deliver: match deliver {
            DeliverIn::None => Deliver::Here,
            DeliverIn::Sms => Deliver::BySms,
        },
    })
}

fn origin_errors(origin: &OriginIn) -> Vec<String> {
    let mut errors = Vec::new();
    let is_plain = |word: &String| word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    let is_short = |word: &String| !word.is_empty() && word.chars().count() <= WORD_CHARS;
    if origin.sub_id.as_ref().is_some_and(|word| !is_short(word) || !is_plain(word)) {
        errors.push(format!("sub_id: 1 to {WORD_CHARS} letters, digits, dots, underscores and hyphens"));
    }
    for (name, word) in [("click_id", &origin.click_id), ("publisher_id", &origin.publisher_id)] {
        if word.as_ref().is_some_and(|word| !is_short(word) || word.chars().any(char::is_control)) {
            errors.push(format!("{name}: 1 to {WORD_CHARS} characters"));
        }
    }
    if let Some(metadata) = &origin.metadata {
        let text = Value::Object(metadata.clone()).to_string();
        if text.len() > METADATA_BYTES {
            errors.push(format!("metadata: at most {METADATA_BYTES} bytes as JSON, not {}", text.len()));
        }
    }
    errors
}

/// The customer; what is wrong with a phone is an answer of its own, anything else joins the errors.
fn read_customer(customer: &CustomerIn, errors: &mut Vec<String>) -> Result<Customer, Problem> {
    let fits =
        |word: &str| !word.is_empty() && word.chars().count() <= CUSTOMER_CHARS && !word.chars().any(char::is_control);
    match customer {
        CustomerIn::Phone(phone) => PhoneNumber::parse(phone, None).map(Customer::Phone).map_err(|error| {
            let detail = format!("customer.phone: {error}; write it with its country code, such as +12025550123");
            Problem::new(StatusCode::BAD_REQUEST, "invalid_phone", detail)
        }),
        CustomerIn::Email(address) => {
            let address = address.trim().to_lowercase();
            let halves = address.split_once('@').filter(|(name, host)| !name.is_empty() && host.contains('.'));
            if halves.is_none() || !fits(&address) || address.contains(char::is_whitespace) {
                errors.push("customer.email: a mail address".to_owned());
            }
            Ok(Customer::Email(address))
        }
        CustomerIn::Reference(reference) => {
            if !fits(reference) {
                errors.push(format!("customer.reference: 1 to {CUSTOMER_CHARS} characters"));
            }
            Ok(Customer::Reference(reference.clone()))
        }
    }
}

/// What is echoed, as one JSON object; nothing where there is nothing.
fn note(origin: &OriginIn) -> Option<String> {
    let mut note = Map::new();
    let words = [("click_id", &origin.click_id), ("publisher_id", &origin.publisher_id)];
    for (name, word) in words {
        note.extend(word.clone().map(|word| (name.to_owned(), Value::String(word))));
    }
    note.extend(origin.metadata.clone().map(|metadata| ("metadata".to_owned(), Value::Object(metadata))));
    (!note.is_empty()).then(|| Value::Object(note).to_string())
}

/// An answer of the engine.
///
/// # Errors
/// What refused, in its own code.
pub(super) fn told(answer: IssuanceAnswer) -> Result<Told, Problem> {
    match answer {
        IssuanceAnswer::Issued(view) => Ok(Told::Code(StatusCode::CREATED, Box::new(IssuanceOut::of(*view, false)))),
        IssuanceAnswer::Repeat(view) => Ok(Told::Code(StatusCode::OK, Box::new(IssuanceOut::of(*view, true)))),
        IssuanceAnswer::Promised => Ok(Told::Pending),
        IssuanceAnswer::Refused(why, cap) => Err(refused(why, cap)),
        IssuanceAnswer::PeerAway => Err(Problem::peer_unavailable(5)),
    }
}

/// A refusal as a problem: it was decided, so 409 and not 429; what is over is gone.
/// A refusal as a problem; `cap` is the name of the one that is full.
pub(super) fn refused(why: Refusal, cap: Option<String>) -> Problem {
    let conflict = |detail: &str| Problem::new(StatusCode::CONFLICT, why.word(), detail);
    match why {
        Refusal::NotStarted(at) => conflict("the campaign has not begun").with("starts_at", at),
        Refusal::Ended => Problem::new(StatusCode::GONE, why.word(), "the campaign is over"),
        Refusal::Paused => conflict("the campaign gives no codes now"),
        Refusal::PoolEmpty => conflict("no code is left"),
        Refusal::CapReached(reached) => {
            let problem = conflict("a cap is full")
                .with("cap", cap.unwrap_or_else(|| "unnamed".to_owned()))
                .with("limit", reached.cap)
                .with("used", reached.used);
            match reached.resets_at {
                Some(at) => problem.with("resets_at", at),
                None => problem,
            }
        }
        Refusal::CountryNotAllowed => conflict("the campaign is not for numbers of this country"),
        Refusal::CustomerHasCode => conflict("this customer has a code by another way"),
        Refusal::LeaseExpired => conflict("the lease of this allocation is over"),
        Refusal::CountDiffers(streamed) => conflict("another number of codes was streamed").with("streamed", streamed),
        Refusal::NumberBurst
        | Refusal::NotEligible
        | Refusal::ProofsReached(_)
        | Refusal::WrongDigits(_)
        | Refusal::ProofOver => {
            Problem::new(StatusCode::CONFLICT, "not_eligible", "the campaign is not for this customer")
        }
    }
}

/// The `problem` of one item of a list: its code and what a single call would say.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ItemProblemOut {
    /// As a single call would have it.
    #[schema(example = "cap_reached")]
    pub(super) code: String,
    /// As a single call would have it.
    pub(super) status: u16,
    /// A sentence for people.
    pub(super) detail: String,
    /// Which cap was reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cap: Option<String>,
    /// The most that the cap allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) limit: Option<i64>,
    /// How much of it is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) used: Option<i64>,
    /// When it opens again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) resets_at: Option<DateTime<Utc>>,
}

impl From<Problem> for ItemProblemOut {
    fn from(problem: Problem) -> Self {
        let body = problem.body();
        let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
        let number = |name: &str| body.get(name).and_then(Value::as_i64);
        Self {
            code: text("code").unwrap_or_default(),
            status: number("status").and_then(|n| u16::try_from(n).ok()).unwrap_or(500),
            detail: text("detail").unwrap_or_default(),
            cap: text("cap"),
            limit: number("limit"),
            used: number("used"),
            resets_at: text("resets_at").and_then(|at| at.parse().ok()),
        }
    }
}
