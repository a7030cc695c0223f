//! What tests of the front door stand on: a house with its routes, and requests.

use crate::harness::House;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::routing::get;
use codewell::config::HttpConfig;
use codewell::domain::partner::PartnerScope;
use codewell::engine::{EarlyReports, Engine, FailureLog, FailureNotes, Partner};
use codewell::http::caller::RequestTag;
use codewell::http::claim::ClaimLimits;
use codewell::http::oauth::TokenLimits;
use codewell::http::partner::{PartnerDoor, requires};
use codewell::http::problem::Problem;
use codewell::http::sms::SmsDoor;
use codewell::http::till::Guesses;
use codewell::http::{Phase, Site, router};
use codewell::sms::Registry;
use serde_json::Value;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use tower::ServiceExt as _;

/// The issuer of houses of tests.
pub(crate) const ISSUER: &str = "https://coupons.acme.example";

/// An answer, whole.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }
}

/// A house with all its doors.
pub(crate) struct Doors {
    routes: Router,
    /// A route of no business, that asks for a scope as those of the partner API do.
    partners: Router,
    pub(crate) notes: FailureNotes,
    pub(crate) admin: String,
    calls: AtomicU32,
}

/// A call that says who calls.
async fn show_me(partner: Partner) -> Result<String, Problem> {
    requires(&partner, PartnerScope::Read)?;
    Ok(format!("{} {}", partner.id(), partner.door()))
}

impl Doors {
    pub(crate) async fn open(house: &House) -> Self {
        Self::limited(house, TokenLimits::new(0, 0)).await
    }

    pub(crate) async fn limited(house: &House, tokens: TokenLimits) -> Self {
        let engine: Engine = house.engine.clone();
        let (_, phase) = tokio::sync::watch::channel(Phase::Ready);
        let sms = SmsDoor { engine: engine.clone(), carriers: Registry::default(), early: EarlyReports::default() };
        let admin = engine.create_admin_key("Tests").await.expect("a key").expose().to_owned();
        let (failures, notes) = FailureLog::open(&engine);
        let site = Site {
            engine,
            phase,
            limits: HttpConfig::default(),
            claims: ClaimLimits::new(0, 0, 0),
            guesses: Guesses::new(0, 0),
            partners: PartnerDoor { failures, tokens },
            webhooks: codewell::http::partner::WebhookDoor::default(),
            sms,
            simulator: None,
        };
        let partners = Router::new().route("/me", get(show_me)).with_state(site.clone());
        Self { routes: router(site), partners, notes, admin, calls: AtomicU32::new(0) }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        answer(self.routes.clone(), request).await
    }

    /// Asks as a partner with this `Authorization`.
    pub(crate) async fn call(&self, authorization: Option<&str>) -> Answer {
        let mut request =
            Request::get("/me").extension(RequestTag::new(format!("call-{}", self.calls.fetch_add(1, SeqCst))));
        if let Some(value) = authorization {
            request = request.header(header::AUTHORIZATION, value);
        }
        answer(self.partners.clone(), request.body(Body::empty()).expect("a request")).await
    }

    /// Asks as a partner with this token.
    pub(crate) async fn call_with(&self, token: &str) -> Answer {
        self.call(Some(&format!("Bearer {token}"))).await
    }

    /// Posts a form to the authorization server.
    pub(crate) async fn form(&self, path: &str, basic: Option<(&str, &str)>, fields: &[(&str, &str)]) -> Answer {
        let body: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let mut request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some((client, secret)) = basic {
            use base64::Engine as _;
            let pair = base64::engine::general_purpose::STANDARD.encode(format!("{client}:{secret}"));
            request = request.header(header::AUTHORIZATION, format!("Basic {pair}"));
        }
        self.send(request.body(Body::from(body)).expect("a request")).await
    }

    /// A token for a secret, through the front door.
    pub(crate) async fn token(&self, client: &str, secret: &str) -> Answer {
        self.form("/oauth2/token", Some((client, secret)), &[("grant_type", "client_credentials")]).await
    }

    /// Asks the admin API of partners.
    pub(crate) async fn admin(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.house(method, &format!("/partners{path}"), body).await
    }

    /// Asks the admin API.
    pub(crate) async fn house(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let request = Request::builder().method(method).uri(format!("/admin/v1{path}"));
        let request = request.header(header::AUTHORIZATION, format!("Bearer {}", self.admin));
        let request = match body {
            Some(body) => request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        self.send(request.expect("a request")).await
    }
}

async fn answer(routes: Router, request: Request<Body>) -> Answer {
    let response = routes.oneshot(request).await.expect("an answer");
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, 1_000_000).await.expect("a body");
    let body = String::from_utf8(body.to_vec()).expect("text");
    Answer { status: parts.status, headers: parts.headers, body }
}
