//! Errors as RFC 9457 problem+json with a stable `code`; the only place that knows status codes.

use crate::domain::decision::outcome::Bar;
use crate::engine::EngineError;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Array, KnownFormat, Object, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

const DATE_TIME: SchemaFormat = SchemaFormat::KnownFormat(KnownFormat::DateTime);

/// Every stable `code`. A code never changes its meaning.
pub const CODES: [&str; 33] = [
    "already_exists",
    "already_redeemed",
    "busy",
    "campaign_ended",
    "campaign_inactive",
    "campaign_paused",
    "cap_reached",
    "conditions_not_met",
    "count_differs",
    "country_not_allowed",
    "customer_has_code",
    "disabled",
    "expired",
    "idempotency_mismatch",
    "insufficient_scope",
    "invalid_phone",
    "invalid_request",
    "invalid_signature",
    "invalid_token",
    "lease_expired",
    "locked",
    "not_eligible",
    "not_found",
    "not_started",
    "not_yet_active",
    "partner_suspended",
    "peer_unavailable",
    "pool_empty",
    "rate_limited",
    "too_many_endpoints",
    "unknown_code",
    "wrong_recipient",
    "wrong_store",
];

/// An answer that says what went wrong and what to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    more: Map<String, Value>,
    retry_after_s: Option<u32>,
    challenge: Option<String>,
}

impl Problem {
    /// A problem with its stable code and a sentence for people.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), more: Map::new(), retry_after_s: None, challenge: None }
    }

    /// 400: the request itself is wrong; each error says where and how to mend it.
    #[must_use]
    pub fn invalid(errors: &[String]) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", errors.join("; ")).with("errors", errors)
    }

    /// 404: nothing of the caller's has this name.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("there is no such {what}"))
    }

    /// 503: nothing was done; the same request may be sent again.
    #[must_use]
    pub fn busy() -> Self {
        let detail = "too much is waiting, or the database is away; send the same request again";
        Self { retry_after_s: Some(1), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail) }
    }

    /// 429: a rate that recovers.
    #[must_use]
    pub fn rate_limited(detail: &str, retry_after_s: u32) -> Self {
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail);
        Self { retry_after_s: Some(retry_after_s), ..problem }
    }

    /// 401: no key, or not one of ours.
    #[must_use]
    pub fn invalid_token() -> Self {
        let detail = "send a key of this house as Authorization: Bearer";
        Self::new(StatusCode::UNAUTHORIZED, "invalid_token", detail)
    }

    /// 403, 404 or 400: a partner may not ask for this.
    #[must_use]
    pub fn barred(bar: Bar) -> Self {
        match bar {
            Bar::Suspended => Self::suspended(None, None),
            Bar::Scope(scope) => Self::insufficient_scope(scope.word()),
            Bar::NotGranted => Self::not_found("campaign"),
            Bar::NoNumber => Self::invalid(&["deliver: this campaign has no number to text from".to_owned()]),
        }
    }

    /// 403: the partner proved who it is, and a person stopped it.
    #[must_use]
    pub fn suspended(since: Option<DateTime<Utc>>, contact: Option<&str>) -> Self {
        let ask = contact.map(|contact| format!("; ask {contact}")).unwrap_or_default();
        let problem = Self::new(StatusCode::FORBIDDEN, "partner_suspended", format!("this partner is suspended{ask}"));
        let problem = since.into_iter().fold(problem, |problem, since| problem.with("since", since));
        contact.into_iter().fold(problem, |problem, contact| problem.with("contact", contact))
    }

    /// 403: the token or the partner lacks a scope.
    #[must_use]
    pub fn insufficient_scope(scope: &str) -> Self {
        let detail = format!("this needs the scope {scope}, in the token and among those of the partner");
        let challenge = Some(format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\""));
        let problem = Self::new(StatusCode::FORBIDDEN, "insufficient_scope", detail);
        Self { challenge, ..problem.with("scope", scope) }
    }

    /// Adds a member to the answer.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Serialize) -> Self {
        // What does not serialise is left out: a problem never fails.
        self.more.insert(name.to_owned(), serde_json::to_value(value).unwrap_or(Value::Null));
        self
    }

    /// 503: the system that honours the code is away.
    #[must_use]
    pub fn peer_unavailable(retry_after_s: u32) -> Self {
        let detail = "the system that honours this code did not answer; send the same request again, with the same \
                      Idempotency-Key";
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "peer_unavailable", detail);
        Self { retry_after_s: Some(retry_after_s), ..problem }
    }

    /// The members of its JSON.
    #[must_use]
    pub(super) fn body(&self) -> Value {
        let mut body = Map::new();
        body.insert("type".to_owned(), format!("about:blank#{}", self.code).into());
        body.insert("title".to_owned(), self.status.canonical_reason().unwrap_or("Error").into());
        body.insert("status".to_owned(), self.status.as_u16().into());
        body.insert("code".to_owned(), self.code.into());
        body.insert("detail".to_owned(), self.detail.as_str().into());
        body.extend(self.more.clone());
        Value::Object(body)
    }
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Busy | EngineError::Stopped => Self::busy(),
            EngineError::Barred(bar) => Self::barred(bar),
            EngineError::KeyReused => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_mismatch",
                "this Idempotency-Key was used for another request; use a new one",
            ),
            EngineError::Peer(source) => {
                let wait = source.retry_after().map_or(5, |wait| u32::try_from(wait.as_secs()).unwrap_or(60).max(1));
                tracing::warn!(error = &source as &dyn std::error::Error, "a redemption system did not answer");
                Self::peer_unavailable(wait)
            }
            EngineError::Store(source) => {
                tracing::error!(error = source.as_ref() as &dyn std::error::Error, "a request could not be settled");
                Self::busy()
            }
        }
    }
}

impl PartialSchema for Problem {
    fn schema() -> RefOr<Schema> {
        let text = |words: &str| ObjectBuilder::new().schema_type(Type::String).description(Some(words));
        let number = |words: &str| ObjectBuilder::new().schema_type(Type::Integer).description(Some(words));
        let errors = Array::new(Object::with_type(Type::String));
        ObjectBuilder::new()
            .description(Some("What went wrong and what to do: RFC 9457, application/problem+json"))
            .property("type", text("A name of the kind of problem"))
            .property("title", text("The words of the status"))
            .property("status", number("The status of the answer"))
            .property("code", text("What programs decide by; never changes its meaning").enum_values(Some(CODES)))
            .property("detail", text("A sentence for people"))
            .property("errors", errors)
            .property("cap", text("Which cap was reached"))
            .property("limit", number("The most that the cap allows"))
            .property("used", number("How much of it is used"))
            .property("resets_at", text("When it opens again; left out where it never does").format(Some(DATE_TIME)))
            .property("scope", text("Which scope is lacking"))
            .property("since", text("Since when the partner is suspended").format(Some(DATE_TIME)))
            .property("contact", text("Whom a suspended partner may ask"))
            .required("type")
            .required("title")
            .required("status")
            .required("code")
            .required("detail")
            .examples([Self::not_found("redemption").body()])
            .into()
    }
}

impl ToSchema for Problem {}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.body().to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer error=\"invalid_token\""));
        }
        if let Some(challenge) = self.challenge.and_then(|text| HeaderValue::from_str(&text).ok()) {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// A JSON body; a bad one is answered with a [`Problem`]. Answers are written with it too.
#[derive(Debug, Clone)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let is_json = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.starts_with("application/json"));
        if !is_json {
            return Err(Problem::invalid(&["send a JSON body with Content-Type: application/json".to_owned()]));
        }
        let body = Bytes::from_request(request, state)
            .await
            .map_err(|rejection| Problem::new(rejection.status(), "invalid_request", rejection.body_text()))?;
        serde_json::from_slice(&body).map(Self).map_err(|error| Problem::invalid(&[error.to_string()]))
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        let json = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
        match serde_json::to_vec(&self.0) {
            Ok(body) => (json, body).into_response(),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "an answer cannot be written as JSON");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

/// A query string; a bad one is answered with a [`Problem`].
#[derive(Debug, Clone)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    #[expect(clippy::disallowed_types, reason = "this is the extractor that stands in its place")]
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        axum::extract::Query::try_from_uri(&parts.uri)
            .map(|axum::extract::Query(query)| Self(query))
            .map_err(|rejection| Problem::invalid(&[rejection.body_text()]))
    }
}

/// What stands in the address; what is no UTF-8 or no such thing is answered with a [`Problem`].
#[derive(Debug, Clone)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let found = axum::extract::Path::from_request_parts(parts, state).await;
        found.map(|axum::extract::Path(found)| Self(found)).map_err(|_| Problem::not_found("address"))
    }
}
