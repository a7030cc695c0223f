//! The JSON beneath the simulator: send, list, watch.

use super::super::problem::{Json, Problem, Query};
use super::{SimulatorDoor, phone};
use crate::domain::ids::RequestId;
use crate::engine::{DecisionRecord, Engine};
use crate::sms::Bubble;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::convert::Infallible;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::{Stream, StreamExt as _};

/// A text to send.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MessageIn {
    from: String,
    to: String,
    text: String,
}

/// A text that was taken.
#[derive(Debug, Serialize)]
pub(super) struct TakenOut {
    id: String,
}

/// Whose messages.
#[derive(Debug, Deserialize)]
pub(super) struct PhoneIn {
    phone: String,
}

/// The messages of a phone, oldest first.
#[derive(Debug, Serialize)]
pub(super) struct MessagesOut {
    data: Vec<MessageOut>,
}

/// A message on a phone.
#[derive(Debug, Serialize)]
pub(super) struct MessageOut {
    /// The carrier's name of it.
    pub(super) id: String,
    /// `mo` or `mt`.
    pub(super) direction: &'static str,
    /// The words.
    pub(super) text: String,
    /// RFC 3339, UTC.
    pub(super) at: String,
    /// How many it takes.
    pub(super) segments: u16,
    /// `received`, `delivered` …
    pub(super) status: &'static str,
    /// The id that `explain` takes.
    pub(super) decision: Option<String>,
    /// What was decided, once it is.
    pub(super) explain: Option<ExplainOut>,
}

/// What was decided and why.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ExplainOut {
    pub(super) outcome: String,
    pub(super) rule: Option<String>,
    pub(super) cap: Option<String>,
    pub(super) used: Option<i64>,
    pub(super) limit: Option<i64>,
    pub(super) resets_at: Option<String>,
    pub(super) campaign: Option<String>,
    /// What the system that honours the code was last asked about it, and answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) peer: Option<PeerCallOut>,
}

/// A call of another system.
#[derive(Debug, Clone, Serialize)]
pub(super) struct PeerCallOut {
    pub(super) name: String,
    pub(super) asked: String,
    pub(super) answered: String,
    pub(super) took_ms: u64,
    pub(super) at: String,
}

/// `POST /simulator/messages`: a phone texts.
pub(super) async fn create_message(
    State(door): State<SimulatorDoor>,
    Json(MessageIn { from, to, text }): Json<MessageIn>,
) -> Result<(StatusCode, Json<TakenOut>), Problem> {
    let draft = door.draft(&from, &to, &text).await?;
    let id = door.send(draft).await?;
    Ok((StatusCode::ACCEPTED, Json(TakenOut { id })))
}

/// `GET /simulator/messages?phone=`: what the phone sent and got.
pub(super) async fn list_messages(
    State(door): State<SimulatorDoor>,
    Query(PhoneIn { phone: number }): Query<PhoneIn>,
) -> Result<Json<MessagesOut>, Problem> {
    let phone = phone(&number)?;
    let data = told(&door.sms.engine, door.phones.messages(&phone)).await;
    Ok(Json(MessagesOut { data }))
}

/// `GET /simulator/events?phone=`: every change of the phone's messages from now on, as `event: message`.
///
/// A reader that lags too far is cut off: it connects again and reads the whole list.
pub(super) async fn watch_messages(
    State(door): State<SimulatorDoor>,
    Query(PhoneIn { phone: number }): Query<PhoneIn>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let watched = phone(&number)?;
    let engine = door.sms.engine.clone();
    let changes = BroadcastStream::new(door.phones.watch()).map_while(Result::ok);
    let of_phone = changes.filter(move |change| change.phone == watched);
    let events = of_phone.then(move |change| {
        let engine = engine.clone();
        async move {
            let messages = told(&engine, vec![change.bubble]).await;
            let event = Event::default().event("message");
            // Strings, numbers and None: JSON always has room for them.
            Ok(messages.first().map_or_else(Event::default, |message| event.json_data(message).unwrap_or_default()))
        }
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

/// Messages with their decisions. Decisions that cannot be read now are left out: the words matter more.
pub(super) async fn told(engine: &Engine, bubbles: Vec<Bubble>) -> Vec<MessageOut> {
    let mut asked: Vec<_> = bubbles.iter().filter_map(request).collect();
    asked.sort();
    asked.dedup();
    let decisions = engine.decisions(&asked).await.unwrap_or_else(|error| {
        let error = &error as &dyn std::error::Error;
        tracing::warn!(error, "decisions cannot be read for the simulator");
        HashMap::new()
    });
    let one = |bubble: Bubble| {
        let decided = request(&bubble).and_then(|id| decisions.get(&id));
        MessageOut {
            explain: decided.map(|record| explain(engine, record)),
            id: bubble.id,
            direction: bubble.direction.word(),
            text: bubble.text,
            at: rfc3339(bubble.at),
            segments: bubble.segments,
            status: bubble.status.word(),
            decision: bubble.decision,
        }
    };
    bubbles.into_iter().map(one).collect()
}

fn request(bubble: &Bubble) -> Option<RequestId> {
    bubble.decision.as_deref().and_then(RequestId::parse)
}

fn explain(engine: &Engine, record: &DecisionRecord) -> ExplainOut {
    let call = record.place.and_then(|place| engine.peer_call(place));
    let peer = call.map(|call| PeerCallOut {
        name: call.peer.clone(),
        asked: call.asked.clone(),
        answered: call.answered.clone(),
        took_ms: u64::try_from(call.took.as_millis()).unwrap_or(u64::MAX),
        at: rfc3339(call.at),
    });
    ExplainOut {
        peer,
        outcome: record.outcome.clone(),
        rule: record.rule.clone(),
        cap: record.cap.clone(),
        used: record.used,
        limit: record.limit,
        resets_at: record.resets_at.map(rfc3339),
        campaign: record.campaign.clone(),
    }
}

fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
