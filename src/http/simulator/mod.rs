//! Phones in the browser: `/simulator` and the JSON beneath it. A text of theirs is a signed webhook that comes in
//! through the door of every carrier.

mod messages;
mod page;
mod reports;

pub use reports::deliver_reports;

use super::problem::Problem;
use super::sms::{Delivery, Hook, SmsDoor};
use crate::domain::catalog::{Catalog, SenderRow};
use crate::domain::gsm7;
use crate::domain::ids::RequestId;
use crate::domain::phone::PhoneNumber;
use crate::engine::EngineError;
use crate::sms::{Bubble, BubbleStatus, Direction, Handset as _, Inbound, Outside, Phones, SIMULATOR};
use axum::Router;
use axum::extract::FromRef;
use axum::http::StatusCode;
use axum::routing::get;

/// The longest text a phone sends; ten segments.
const MAX_TEXT_CHARS: usize = 1600;

/// What the simulator's pages need; cheap to clone.
#[derive(Debug, Clone)]
pub struct SimulatorDoor {
    /// The door its webhooks come in by.
    pub sms: SmsDoor,
    /// Its phones.
    pub phones: Phones,
    /// The side that signs its webhooks.
    pub outside: Outside,
}

impl FromRef<SimulatorDoor> for SmsDoor {
    fn from_ref(door: &SimulatorDoor) -> Self {
        door.sms.clone()
    }
}

/// The routes of the simulator; merged only where it is on.
pub fn routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    SimulatorDoor: FromRef<S>,
{
    Router::new()
        .route("/simulator", get(page::show_simulator).post(page::send_by_form))
        .route("/simulator/messages", get(messages::list_messages).post(messages::create_message))
        .route("/simulator/events", get(messages::watch_messages))
}

/// A text that may be sent.
struct Draft {
    from: PhoneNumber,
    to: SenderRow,
    text: String,
}

/// Why a text cannot be sent, in words that say the fix.
#[derive(Debug, thiserror::Error)]
enum NotSent {
    /// No number of a phone.
    #[error("write the phone number with + and its country code, like +12025550188")]
    Phone,
    /// Not one of our numbers, or one of a real carrier.
    #[error("there is no such number to text")]
    NoSender,
    /// Nothing, or too much.
    #[error("write 1 to {MAX_TEXT_CHARS} characters; this has {0}")]
    Length(usize),
    /// The campaigns cannot be read.
    #[error("the campaigns cannot be read now; send it again")]
    Away(#[source] EngineError),
}

impl From<NotSent> for Problem {
    fn from(why: NotSent) -> Self {
        match why {
            NotSent::Phone => Self::new(StatusCode::BAD_REQUEST, "invalid_phone", why.to_string()),
            NotSent::NoSender => Self::not_found("number to text"),
            NotSent::Length(_) => Self::invalid(&[format!("text: {why}")]),
            NotSent::Away(error) => error.into(),
        }
    }
}

impl SimulatorDoor {
    /// Checks what somebody wants to text.
    async fn draft(&self, from: &str, to: &str, text: &str) -> Result<Draft, NotSent> {
        let from = phone(from)?;
        let to = self.sender(to).await?;
        let chars = text.chars().count();
        if text.trim().is_empty() || chars > MAX_TEXT_CHARS {
            return Err(NotSent::Length(chars));
        }
        Ok(Draft { from, to, text: text.to_owned() })
    }

    /// One of our numbers that phones in the browser can text; those we know serve while the database is away.
    async fn sender(&self, to: &str) -> Result<SenderRow, NotSent> {
        let known = self.sms.engine.catalog().sender_at(to).cloned();
        let row = if let Some(row) = known {
            Some(row)
        } else {
            let fresh = self.sms.engine.fresh_catalog().await;
            fresh.map_err(|error| NotSent::Away(error.into()))?.sender_at(to).cloned()
        };
        row.filter(|row| row.carrier == SIMULATOR).ok_or(NotSent::NoSender)
    }

    /// Sends a text as a phone does: the carrier signs it, our door takes it. Gives the carrier's name of it.
    async fn send(&self, draft: Draft) -> Result<String, Problem> {
        let Draft { from, to, text } = draft;
        let now = self.sms.engine.now();
        let id = format!("mo_{}", uuid::Uuid::now_v7().simple());
        let bubble = Bubble {
            id: id.clone(),
            direction: Direction::Mo,
            text: text.clone(),
            at: now,
            segments: gsm7::segments(&text).count,
            status: BubbleStatus::Submitted,
            decision: Some(RequestId::of_text(&to.address, &id).to_string()),
        };
        self.phones.show(&from, bubble);
        let body = Outside::text_body(&Inbound::new(&id, from.expose(), &to.address, &text));
        let delivery = Delivery::post(self.outside.headers(&body, now), body);
        let taken = self.sms.take(Hook::Inbound, &to.address, &delivery).await;
        let status = if taken.is_ok() { BubbleStatus::Received } else { BubbleStatus::Failed };
        self.phones.mark(&from, &id, status);
        taken.map(|_| id)
    }
}

/// A phone's number as people write it; any number will do, nothing leaves this machine.
fn phone(text: &str) -> Result<PhoneNumber, NotSent> {
    PhoneNumber::parse(text, Some("US")).or_else(|_| PhoneNumber::from_e164(text.trim())).map_err(|_| NotSent::Phone)
}

/// The first number that phones in the browser can text.
fn first_sender(catalog: &Catalog) -> Option<&SenderRow> {
    let simulated = catalog.senders.values().filter(|sender| sender.carrier == SIMULATOR);
    simulated.min_by_key(|sender| sender.id)
}
