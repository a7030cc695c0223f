//! What stands in for Twilio's API end to end.

use super::twilio::bodies::{post, report};
use axum::Router;
use axum::extract::{Form, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// The fields of a message as Twilio gets it.
pub(super) type Fields = BTreeMap<String, String>;

/// What stands in for Twilio's API.
#[derive(Debug, Clone)]
pub(super) struct Rest {
    pub(super) sent: mpsc::UnboundedSender<Fields>,
    /// Answers before the usual one.
    pub(super) answers: Arc<Mutex<VecDeque<(u16, Value)>>>,
    /// What the list of messages has.
    pub(super) listed: Arc<Mutex<Vec<Value>>>,
    /// Posted to its callback before the message is acknowledged.
    pub(super) hasty: Arc<Mutex<Option<(Router, &'static str)>>>,
}

async fn take(State(rest): State<Rest>, Form(fields): Form<Fields>) -> Response {
    let hasty = rest.hasty.lock().unwrap().take();
    if let Some((router, status)) = hasty {
        let callback = fields["StatusCallback"].clone();
        assert_eq!(post(&router, &callback, &report("SM1", status, None)).await, StatusCode::OK);
    }
    rest.sent.send(fields).unwrap();
    let (status, body) =
        rest.answers.lock().unwrap().pop_front().unwrap_or((201, json!({"sid": "SM1", "num_segments": "1"})));
    (StatusCode::from_u16(status).unwrap(), body.to_string()).into_response()
}

async fn list(State(rest): State<Rest>, RawQuery(query): RawQuery) -> Response {
    assert!(query.unwrap().starts_with("To=12345&DateSent%3E="));
    let answer = rest.answers.lock().unwrap().pop_front();
    let (status, body) =
        answer.unwrap_or_else(|| (200, json!({"messages": *rest.listed.lock().unwrap(), "next_page_uri": null})));
    (StatusCode::from_u16(status).unwrap(), body.to_string()).into_response()
}

impl Rest {
    /// Listens; gives itself, its address and what it will get.
    pub(super) async fn start() -> (Self, String, mpsc::UnboundedReceiver<Fields>) {
        let (tell, sent) = mpsc::unbounded_channel();
        let rest = Self { sent: tell, answers: Arc::default(), listed: Arc::default(), hasty: Arc::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let path = "/2010-04-01/Accounts/AC1/Messages.json";
        let api = Router::new().route(path, get(list).post(take)).with_state(rest.clone());
        tokio::spawn(async move { axum::serve(listener, api).await.unwrap() });
        (rest, base_url, sent)
    }
}
