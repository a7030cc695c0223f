//! The doors of a house in this process, with everybody's credentials.

use crate::harness::{House, campaign};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderValue, Request, header};
use codewell::config::HttpConfig;
use codewell::domain::decision::outcome::Outcome;
use codewell::engine::{EarlyReports, Engine};
use codewell::http::sms::SmsDoor;
use codewell::http::till::Guesses;
use codewell::http::{Phase, Site, router};
use codewell::sms::Registry;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use tower::ServiceExt as _;

/// What proves the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// Nothing.
    None,
    /// Something of the caller's own invention.
    Strange(String),
    /// What that scheme and these scopes want.
    Good(String, Vec<String>),
    /// A good one of that scheme, but without these scopes.
    Without(String, Vec<String>),
}

/// A request.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    method: String,
    pub(super) path: String,
    token: Token,
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Asked {
    pub(super) fn new(method: &str, token: Token) -> Self {
        Self { method: method.to_owned(), path: String::new(), token, headers: Vec::new(), body: Vec::new() }
    }

    pub(super) fn header(&mut self, name: &str, value: &str) {
        self.headers.push((name.to_owned(), value.to_owned()));
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, path, token, headers, body } = self;
        write!(f, "{method} {path} as {token:?} with {headers:?}: {}", String::from_utf8_lossy(body))
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) media: String,
    pub(super) body: Vec<u8>,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = String::from_utf8_lossy(&self.body);
        write!(f, "{} {}: {}", self.status, self.media, body.chars().take(2_000).collect::<String>())
    }
}

/// A house with its doors.
pub(super) struct Doors {
    house: House,
    router: Router,
    till: String,
    codes: Vec<Value>,
}

impl Doors {
    pub(super) async fn open(house: House) -> Self {
        campaign(1).write(&house).await;
        let engine: Engine = house.engine.clone();
        let (_, phase) = tokio::sync::watch::channel(Phase::Ready);
        let sms = SmsDoor { engine: engine.clone(), carriers: Registry::default(), early: EarlyReports::default() };
        let till = engine.create_till_key("Store 17").await.unwrap().expose().to_owned();
        let limits = HttpConfig::default();
        let site = Site { engine, phase, limits, guesses: Guesses::new(0, 0), sms, simulator: None };
        let mut codes = Vec::new();
        for phone in 0..40 {
            let outcome = house.issue(1, phone).await.unwrap().outcome;
            let Outcome::Issued(spot) = outcome else { panic!("{outcome:?}") };
            codes.push(house.engine.code_at(spot).await.unwrap().unwrap().expose().into());
        }
        Self { house, router: router(site), till, codes }
    }

    pub(super) fn house(&self) -> &House {
        &self.house
    }

    /// What exists before anybody asked.
    pub(super) fn known(&self) -> BTreeMap<String, Vec<Value>> {
        BTreeMap::from([("code".to_owned(), self.codes.clone())])
    }

    pub(super) async fn ask_openapi(&self) -> Value {
        let mut asked = Asked::new("GET", Token::None);
        asked.path = "/openapi.json".to_owned();
        serde_json::from_slice(&self.ask(&asked).await.body).unwrap()
    }

    pub(super) async fn ask(&self, asked: &Asked) -> Answer {
        let mut request = Request::builder().method(asked.method.as_str()).uri(&asked.path);
        if let Some(token) = self.token(&asked.token) {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        for (name, value) in &asked.headers {
            // What no header can hold is not sent.
            if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
                request = request.header(name, value);
            }
        }
        let request = request.body(Body::from(asked.body.clone())).unwrap();
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let media = answer.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let (status, media) = (answer.status().as_u16(), media.unwrap_or_default().to_owned());
        let body = to_bytes(answer.into_body(), 1 << 24).await.unwrap().to_vec();
        Answer { status, media, body }
    }

    fn token(&self, token: &Token) -> Option<String> {
        match token {
            Token::None => None,
            Token::Strange(token) => Some(token.clone()),
            Token::Good(scheme, _) if scheme == "till_key" => Some(self.till.clone()),
            Token::Good(scheme, _) => panic!("no credentials for {scheme}"),
            Token::Without(..) => Some("at_of_another_house".to_owned()),
        }
    }
}
