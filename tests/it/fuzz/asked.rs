//! The doors of a house in this process, with everybody's credentials.

use crate::harness::{House, campaign, partner_door};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderValue, Request, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use codewell::config::HttpConfig;
use codewell::domain::alert::AlertKind;
use codewell::domain::decision::outcome::Outcome;
use codewell::domain::ids::CampaignId;
use codewell::domain::partner::{ClientId, Edit, Grant, PartnerScope, Rate};
use codewell::engine::{EarlyReports, Engine};
use codewell::http::claim::ClaimLimits;
use codewell::http::partner::WebhookDoor;
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
    /// That of a partner's sandbox, with these scopes.
    Sandbox(Vec<String>),
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

/// The partners that ask: one that counts, and a sandbox.
pub(super) const ACCOUNTS: [&str; 2] = ["acme-deals", "test-deals"];

/// An alert that stands when the asking begins.
const ALERT: (AlertKind, &str) = (AlertKind::LowStock, "campaign C1");

/// A partner with its secret.
struct Account {
    client: String,
    secret: String,
}

/// Faster than this test.
const FAST: Rate = Rate { per_second: 100_000, burst: 100_000 };

/// A house with its doors.
pub(super) struct Doors {
    house: House,
    router: Router,
    till: String,
    admin: String,
    live: Account,
    sandbox: Account,
    codes: Vec<Value>,
}

impl Doors {
    pub(super) async fn open(house: House) -> Self {
        campaign(1).write(&house).await;
        let engine: Engine = house.engine.clone();
        let (_, phase) = tokio::sync::watch::channel(Phase::Ready);
        let sms = SmsDoor { engine: engine.clone(), carriers: Registry::default(), early: EarlyReports::default() };
        let till = engine.create_till_key("Store 17").await.unwrap().expose().to_owned();
        let admin = engine.create_admin_key("House").await.unwrap().expose().to_owned();
        let [live, sandbox] = ACCOUNTS;
        let (live, sandbox) = (Account::open(&house, live).await, Account::open(&house, sandbox).await);
        let partners = partner_door(&engine);
        let limits = HttpConfig::default();
        let (guesses, webhooks, claims) = (Guesses::new(0, 0), WebhookDoor::default(), ClaimLimits::new(0, 0, 0));
        let site = Site { engine, phase, limits, claims, guesses, partners, webhooks, sms, simulator: None };
        let mut codes = Vec::new();
        for phone in 0..40 {
            let outcome = house.issue(1, phone).await.unwrap().outcome;
            let Outcome::Issued(spot) = outcome else { panic!("{outcome:?}") };
            codes.push(house.engine.code_at(spot).await.unwrap().unwrap().expose().into());
        }
        house.engine.raise(ALERT.0, ALERT.1, "few are left").await;
        Self { house, router: router(site), till, admin, live, sandbox, codes }
    }

    pub(super) fn house(&self) -> &House {
        &self.house
    }

    /// What exists before anybody asked.
    pub(super) fn known(&self) -> BTreeMap<String, Vec<Value>> {
        let names = [("code", self.codes.clone()), ("campaign", vec!["C1".into()]), ("about", vec![ALERT.1.into()])];
        names.into_iter().map(|(name, values)| (name.to_owned(), values)).collect()
    }

    pub(super) async fn ask_openapi(&self) -> Value {
        let mut asked = Asked::new("GET", Token::None);
        "/openapi.json".clone_into(&mut asked.path);
        serde_json::from_slice(&self.ask(&asked).await.body).unwrap()
    }

    pub(super) async fn ask(&self, asked: &Asked) -> Answer {
        let mut request = Request::builder().method(asked.method.as_str()).uri(&asked.path);
        if let Some(token) = self.token(&asked.token).await {
            request = request.header(header::AUTHORIZATION, token);
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

    async fn token(&self, token: &Token) -> Option<String> {
        match token {
            Token::None => None,
            Token::Strange(token) => Some(format!("Bearer {token}")),
            Token::Sandbox(scopes) => {
                Some(bearer(&self.sandbox.token(&self.house, |scope| scopes.contains(&scope)).await))
            }
            Token::Good(scheme, scopes) => Some(match scheme.as_str() {
                "till_key" => bearer(&self.till),
                "admin_key" => bearer(&self.admin),
                "client_secret" => self.live.basic(&self.live.secret),
                "partner" => bearer(&self.live.token(&self.house, |scope| scopes.contains(&scope)).await),
                scheme => panic!("no credentials for {scheme}"),
            }),
            Token::Without(scheme, scopes) => Some(match scheme.as_str() {
                // What opens one door opens no other.
                "till_key" => bearer(&self.admin),
                "admin_key" => bearer(&self.till),
                "client_secret" => self.live.basic(&self.sandbox.secret),
                _ => bearer(&self.live.token(&self.house, |scope| !scopes.contains(&scope)).await),
            }),
        }
    }
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

impl Account {
    /// The proof by a secret.
    fn basic(&self, secret: &str) -> String {
        format!("Basic {}", STANDARD.encode(format!("{}:{secret}", self.client)))
    }

    async fn open(house: &House, client: &str) -> Self {
        let made = house.partner(client, &[Grant::free(CampaignId(1))]).await;
        let id = ClientId::parse(client).unwrap();
        house.engine.change_partner(&id, &[Edit::Rate(Some(FAST))]).await.unwrap();
        Self { client: client.to_owned(), secret: made.secret }
    }

    /// A token for those scopes.
    async fn token(&self, house: &House, wanted: impl Fn(String) -> bool) -> String {
        let proved = house.engine.client_by_secret(&self.client, &self.secret).await.unwrap();
        let scopes = PartnerScope::ALL.into_iter().filter(|scope| wanted(scope.word().to_owned()));
        house.engine.access_token(&proved, scopes.collect()).await.unwrap().expose().to_owned()
    }
}
