//! A partner at the front door of a house.

use crate::harness::{House, TestPartner, partner_door};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, header};
use codewell::config::HttpConfig;
use codewell::domain::act::Presented;
use codewell::domain::decision::outcome::Outcome;
use codewell::domain::ids::RequestId;
use codewell::domain::partner::{Grant, PartnerScope};
use codewell::engine::EarlyReports;
use codewell::http::sms::SmsDoor;
use codewell::http::till::Guesses;
use codewell::http::{Phase, Site, router};
use codewell::sms::Registry;
use serde_json::{Value, json};
use tower::ServiceExt as _;

/// A house with its doors, and a partner with its token.
#[derive(Clone)]
pub(super) struct Api {
    pub(super) house: House,
    pub(super) partner: TestPartner,
    router: Router,
    token: String,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
    pub(super) etag: String,
    pub(super) policy: String,
    pub(super) rate: String,
    pub(super) retry_after: String,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    /// The whole body, indented.
    pub(super) fn shown(&self) -> String {
        format!("{:#}", self.json())
    }
}

/// What asks for a code of campaign 1.
pub(super) fn issuance(customer: &Value) -> Value {
    json!({ "campaign": "C1", "customer": customer, "sub_id": "story1", "click_id": "k-77", "metadata": { "a": 1 } })
}

/// So many customers of a batch.
pub(super) fn customers(n: usize) -> Vec<Value> {
    (0..n).map(|n| json!({ "customer": { "reference": format!("c{n}") } })).collect()
}

fn front_door(house: &House) -> Router {
    let engine = house.engine.clone();
    let (_, phase) = tokio::sync::watch::channel(Phase::Ready);
    let sms = SmsDoor { engine: engine.clone(), carriers: Registry::default(), early: EarlyReports::default() };
    let (limits, guesses, partners) = (HttpConfig::default(), Guesses::new(0, 0), partner_door(&engine));
    let site = Site {
        engine,
        phase,
        limits,
        guesses,
        claims: codewell::http::claim::ClaimLimits::new(0, 0, 0),
        partners,
        webhooks: codewell::http::partner::WebhookDoor::default(),
        sms,
        simulator: None,
    };
    router(site)
}

impl Api {
    pub(super) async fn open(house: House, grants: &[Grant]) -> Self {
        let partner = house.partner("acme-deals", grants).await;
        let router = front_door(&house);
        Self { house, token: partner.token.clone(), partner, router }
    }

    /// The same, asked of another process on the same database.
    pub(super) async fn second(&self) -> Self {
        let house = self.house.second().await;
        Self { router: front_door(&house), house, ..self.clone() }
    }

    /// The same, asked by a sandbox that may do everything.
    pub(super) async fn sandbox(&self, client: &str, grants: &[Grant]) -> Self {
        self.with_token(self.house.partner(client, grants).await.token)
    }

    /// The same house, asked with another token.
    pub(super) fn with_token(&self, token: String) -> Self {
        Self { token, ..self.clone() }
    }

    /// A token for all but one scope.
    pub(super) async fn token_without(&self, scope: PartnerScope) -> String {
        let engine = &self.house.engine;
        let proved = engine.client_by_secret(self.partner.client.as_str(), &self.partner.secret).await.unwrap();
        let scopes = PartnerScope::ALL.into_iter().filter(|one| *one != scope).collect();
        engine.access_token(&proved, scopes).await.unwrap().expose().to_owned()
    }

    pub(super) async fn post(&self, path: &str, key: &str, body: &Value) -> Answer {
        self.send("POST", path, Some(key), Some(body)).await
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None, None).await
    }

    /// The body of an answer, read by whoever has it.
    pub(super) async fn body(&self, path: &str) -> Body {
        let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {}", self.token));
        let answer = self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status().as_u16(), 200);
        answer.into_body()
    }

    pub(super) async fn get_if(&self, path: &str, etag: &str) -> Answer {
        let request = Request::get(path).header(header::IF_NONE_MATCH, etag);
        let request = request.header(header::AUTHORIZATION, format!("Bearer {}", self.token));
        self.ask(request.body(Body::empty()).unwrap()).await
    }

    pub(super) async fn send(&self, method: &str, path: &str, key: Option<&str>, body: Option<&Value>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        request = request.header(header::AUTHORIZATION, format!("Bearer {}", self.token));
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        self.ask(request.header(header::CONTENT_TYPE, "application/json").body(body).unwrap()).await
    }

    async fn ask(&self, request: Request<Body>) -> Answer {
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let text = |headers: &HeaderMap, name: &str| {
            headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        };
        let [etag, policy, rate, retry_after] =
            ["etag", "ratelimit-policy", "ratelimit", "retry-after"].map(|name| text(answer.headers(), name));
        let status = answer.status().as_u16();
        let body = to_bytes(answer.into_body(), 1 << 24).await.unwrap().to_vec();
        Answer { status, body: String::from_utf8(body).unwrap(), etag, policy, rate, retry_after }
    }

    /// A till takes a code; answers with the redemption's id.
    pub(super) async fn redeem(&self, code: &str, amount: i64) -> String {
        let request = RequestId { door: "till-test".to_owned(), key: code.to_owned() };
        let shown = Presented { amount: Some(amount), ..Presented::default() };
        let settled = self.house.engine.redeem(request, code, shown).await.unwrap().unwrap();
        let Outcome::Redeemed(_, id) = settled.outcome else { panic!("{settled:?}") };
        id
    }

    /// The till gives a use back.
    pub(super) async fn give_back(&self, redemption: &str) {
        let request = RequestId { door: "till-test".to_owned(), key: redemption.to_owned() };
        let undone = self.house.engine.roll_back(request, redemption.to_owned(), "returned".to_owned()).await;
        undone.unwrap().unwrap();
    }
}
