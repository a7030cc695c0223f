//! `/simulator`: the page, and its form for readers without a script.

use super::super::home::keywords;
use super::super::problem::Query;
use super::super::web::{
    self,
    simulator::{DetailView, Direction, MessageView, PhoneTab, SimulatorView},
};
use super::messages::{ExplainOut, MessageOut, told};
use super::{SimulatorDoor, first_sender, phone};
use crate::domain::phone::PhoneNumber;
use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use chrono::{DateTime, Utc};
use serde::Deserialize;

/// Numbers of the range that is kept for stories.
const DEFAULT_PHONES: [&str; 3] = ["+12025550123", "+12025550124", "+12025550125"];

/// Which phone is open.
#[derive(Debug, Deserialize)]
pub(super) struct OpenIn {
    phone: Option<String>,
}

/// What the form sends.
#[derive(Debug, Deserialize)]
pub(super) struct FormIn {
    from: String,
    to: String,
    text: String,
}

/// `GET /simulator`.
pub(super) async fn show_simulator(
    State(door): State<SimulatorDoor>,
    Query(OpenIn { phone: number }): Query<OpenIn>,
) -> Response {
    match number.as_deref().map(phone) {
        None => show(&door, None, StatusCode::OK, Sent::default()).await,
        Some(Ok(phone)) => show(&door, Some(phone), StatusCode::OK, Sent::default()).await,
        Some(Err(why)) => {
            let sent = Sent::failed("", &why.to_string());
            show(&door, None, StatusCode::BAD_REQUEST, sent).await
        }
    }
}

/// `POST /simulator`: the form; the answer is the page with the phone.
pub(super) async fn send_by_form(
    State(door): State<SimulatorDoor>,
    Form(FormIn { from, to, text }): Form<FormIn>,
) -> Response {
    let draft = match door.draft(&from, &to, &text).await {
        Ok(draft) => draft,
        Err(why) => {
            let sent = Sent::failed(&text, &why.to_string());
            return show(&door, phone(&from).ok(), StatusCode::BAD_REQUEST, sent).await;
        }
    };
    let back = draft.from.expose().replace('+', "%2B");
    let from = draft.from.clone();
    if door.send(draft).await.is_ok() {
        return Redirect::to(&format!("/simulator?phone={back}")).into_response();
    }
    let sent = Sent::failed(&text, "too much is waiting; send it again");
    show(&door, Some(from), StatusCode::SERVICE_UNAVAILABLE, sent).await
}

/// What became of the form, where it could not be sent.
#[derive(Default)]
struct Sent {
    draft: String,
    error: Option<String>,
}

impl Sent {
    fn failed(draft: &str, why: &str) -> Self {
        Self { draft: draft.to_owned(), error: Some(sentence(why)) }
    }
}

async fn show(door: &SimulatorDoor, open: Option<PhoneNumber>, status: StatusCode, sent: Sent) -> Response {
    let engine = &door.sms.engine;
    let catalog = match engine.fresh_catalog().await {
        Ok(catalog) => catalog,
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "the simulator cannot read the campaigns");
            return web::server_error();
        }
    };
    let mut numbers = DEFAULT_PHONES.map(ToOwned::to_owned).to_vec();
    let open_number = open.as_ref().map_or_else(|| DEFAULT_PHONES[0].to_owned(), |open| open.expose().to_owned());
    if !numbers.contains(&open_number) {
        numbers.push(open_number.clone());
    }
    let bubbles = phone(&open_number).map_or_else(|_| Vec::new(), |open| door.phones.messages(&open));
    let sender = first_sender(&catalog);
    let nobody = "There is no number to text yet: apply a document with a [[sender]].";
    let view = SimulatorView {
        sender_name: sender.map_or_else(String::new, |sender| sender.brand.clone()),
        sender: sender.map_or_else(String::new, |sender| sender.address.clone()),
        phones: numbers.into_iter().map(tab).collect(),
        open: open_number,
        messages: told(engine, bubbles).await.into_iter().map(message).collect(),
        keywords: keywords(&catalog, engine.now()),
        draft: sent.draft,
        error: sent.error.or_else(|| sender.is_none().then(|| nobody.to_owned())),
    };
    web::page(status, &view)
}

/// "+12025550123" as "(202) 555-0123"; other countries' numbers as they are.
fn tab(number: String) -> PhoneTab {
    let national = number.strip_prefix("+1").filter(|digits| digits.len() == 10);
    let cut = national.and_then(|digits| {
        let (area, rest) = digits.split_at_checked(3)?;
        let (exchange, line) = rest.split_at_checked(3)?;
        Some(format!("({area}) {exchange}-{line}"))
    });
    PhoneTab { shown: cut.unwrap_or_else(|| number.clone()), number }
}

/// The same lines as the script writes.
fn message(out: MessageOut) -> MessageView {
    let direction = if out.direction == "mo" { Direction::Hers } else { Direction::Ours };
    let mut details = vec![detail("Message", out.id.clone()), detail("Segments", out.segments.to_string())];
    details.extend(out.decision.map(|id| detail("Decision", id)));
    details.extend(out.explain.into_iter().flat_map(explained));
    let at_words =
        DateTime::parse_from_rfc3339(&out.at).map_or_else(|_| out.at.clone(), |at| clock(at.with_timezone(&Utc)));
    MessageView { id: out.id, direction, text: out.text, at: out.at, at_words, status: out.status.to_owned(), details }
}

fn explained(why: ExplainOut) -> Vec<DetailView> {
    let outcome = match why.outcome.as_str() {
        "issued" => "Code issued".to_owned(),
        "repeat" => "Same code again".to_owned(),
        "held" => "Promised, the code follows".to_owned(),
        other => words(other),
    };
    // The rule of a repeat is the state her code was found in.
    let rule = why.rule.map(|rule| match why.outcome.as_str() {
        "repeat" => format!("Asked again, code {}", rule.replace('_', " ")),
        _ => words(&rule),
    });
    let used = why.limit.map(|limit| format!("{} of {limit}", why.used.unwrap_or(0)));
    let lines = [
        Some(("Outcome", outcome)),
        why.campaign.map(|name| ("Campaign", name)),
        rule.map(|rule| ("Rule", rule)),
        why.cap.map(|cap| ("Cap", words(&cap))),
        used.map(|used| ("Used", used)),
        why.resets_at.map(|at| ("Resets", at)),
        why.peer.as_ref().map(|call| ("Peer asked", format!("{}: {}", call.name, call.asked))),
        why.peer.map(|call| ("Peer answered", format!("{}, {} ms", call.answered, call.took_ms))),
    ];
    let present = lines.into_iter().flatten();
    present.map(|(label, value)| detail(label, value)).collect()
}

fn detail(label: &str, value: String) -> DetailView {
    DetailView { label: label.to_owned(), value }
}

/// `cap_reached` as "Cap reached".
fn words(wire: &str) -> String {
    sentence(&wire.replace('_', " "))
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn clock(at: DateTime<Utc>) -> String {
    at.format("%-I:%M %p UTC").to_string()
}
