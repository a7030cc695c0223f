//! From a question to a request: templates, headers and proof of who asks.

use super::super::encoding::{base64, percent};
use super::super::signature::{Marks, signed};
use super::super::{CallContext, Effect, PeerError, Surroundings, wire};
use super::mapping::{AuthKind, AuthMap, BadMapping, BodyType, CallMap, Mapping};
use crate::domain::secret::Secret;
use crate::net::{Call, Method, Url};
use minijinja::{Environment, UndefinedBehavior, context};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// A token is not used in its last seconds, so that it does not run out on the way.
const TOKEN_MARGIN: Duration = Duration::from_secs(30);
/// How long a token is used whose answer does not say it (RFC 6749, section 5.1 recommends to say it).
const TOKEN_LIFE_S: u64 = 300;

/// What templates may name. What a question does not have is null.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Values<'a> {
    pub(super) code: Option<&'a str>,
    pub(super) reference: Option<&'a str>,
    pub(super) store: Option<&'a str>,
    pub(super) order: Option<&'a str>,
    pub(super) amount: Option<i64>,
    pub(super) currency: Option<&'a str>,
    pub(super) redemption_id: Option<&'a str>,
    pub(super) reason: Option<&'a str>,
    pub(super) after: Option<&'a str>,
}

/// Who asks.
#[derive(Debug, Clone, Default)]
pub(super) struct Credentials {
    pub(super) user: Option<String>,
    pub(super) secret: Option<Secret<String>>,
}

/// A token of "oauth2" and until when it is used, in passed time.
type Token = Option<(Secret<String>, Duration)>;

/// Makes requests of one peer.
#[derive(Debug)]
pub(super) struct Asker {
    templates: Environment<'static>,
    base_url: String,
    auth: AuthMap,
    credentials: Credentials,
    token: Mutex<Token>,
    surroundings: Arc<dyn Surroundings>,
}

impl Asker {
    /// # Errors
    /// [`BadMapping`] when a template cannot be filled with a sample of every value.
    pub(super) fn new(
        base_url: &Url,
        mapping: &Mapping,
        credentials: Credentials,
        surroundings: Arc<dyn Surroundings>,
    ) -> Result<Self, BadMapping> {
        let mut templates = Environment::new();
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        let mut auth = mapping.auth.clone();
        if auth.kind == AuthKind::Auto {
            auth.kind = if credentials.secret.is_some() { AuthKind::Bearer } else { AuthKind::None };
        }
        let base_url = base_url.as_str().trim_end_matches('/').to_owned();
        let asker = Self { templates, base_url, auth, credentials, token: Mutex::new(None), surroundings };
        asker.rehearse(mapping)?;
        Ok(asker)
    }

    /// Fills every template once, so that a mistake shows at the start and not at the first sale.
    fn rehearse(&self, mapping: &Mapping) -> Result<(), BadMapping> {
        let some = Some("x");
        let sample = Values {
            code: some,
            reference: some,
            store: None,
            order: some,
            amount: Some(1),
            currency: Some("USD"),
            redemption_id: some,
            reason: some,
            after: None,
        };
        let Mapping { validate, redeem, find, rollback, events, codes, health, .. } = mapping;
        let calls = [validate, redeem, find, rollback, events, codes, health];
        let names = ["validate", "redeem", "find", "rollback", "events", "codes", "health"];
        for (map, name) in calls.into_iter().zip(names) {
            let call = self.plain(map, &sample).map_err(|error| BadMapping(format!("{name}: {error}")))?;
            let is_json = call.body.is_empty() || serde_json::from_slice::<serde_json::Value>(&call.body).is_ok();
            if map.body_type == BodyType::Json && !is_json {
                return Err(BadMapping(format!("{name}: the body is no JSON when it is filled")));
            }
        }
        let needs_secret = !matches!(self.auth.kind, AuthKind::None | AuthKind::Auto);
        if needs_secret && self.credentials.secret.is_none() {
            return Err(BadMapping("auth: the peer's row has no secret".to_owned()));
        }
        Ok(())
    }

    /// A request without proof.
    fn plain(&self, map: &CallMap, values: &Values<'_>) -> Result<Call, PeerError> {
        let url = self.fill(&map.url, "url", values)?;
        let url = Url::parse(&url).map_err(|_| PeerError::Protocol("the mapping makes no address".to_owned()))?;
        let mut headers = vec![("accept".to_owned(), "application/json".to_owned())];
        for (name, template) in &map.headers {
            headers.push((name.clone(), self.fill(template, "header", values)?));
        }
        let (file, content_type) = match map.body_type {
            BodyType::Json => ("body.json", "application/json"),
            BodyType::Form => ("form", "application/x-www-form-urlencoded"),
        };
        let body = self.fill(&map.body, file, values)?.into_bytes();
        if !body.is_empty() && !map.headers.keys().any(|name| name.eq_ignore_ascii_case("content-type")) {
            headers.push(("content-type".to_owned(), content_type.to_owned()));
        }
        Ok(Call { method: map.method.clone(), url, headers, body, within: None })
    }

    /// The name's ending says how values are written: as JSON, percent-encoded, or as they are.
    fn fill(&self, template: &str, name: &str, values: &Values<'_>) -> Result<String, PeerError> {
        let is_coded = matches!(name, "url" | "form");
        let text = |value: Option<&str>| match (value, is_coded) {
            (None, true) => Some(String::new()),
            (Some(value), true) => Some(percent(value)),
            (value, false) => value.map(str::to_owned),
        };
        let filling = context! {
            base_url => self.base_url,
            code => text(values.code),
            reference => text(values.reference),
            store => text(values.store),
            order => text(values.order),
            amount => values.amount,
            currency => text(values.currency),
            redemption_id => text(values.redemption_id),
            reason => text(values.reason),
            after => text(values.after),
        };
        let filled = self.templates.render_named_str(name, template, filling);
        filled.map_err(|error| PeerError::Protocol(format!("a template of the mapping: {}", error.kind())))
    }

    /// A request with proof of who asks.
    ///
    /// # Errors
    /// Whatever getting a token met, or [`PeerError::Protocol`] for a template that cannot be filled.
    pub(super) async fn request(
        &self,
        map: &CallMap,
        values: &Values<'_>,
        wire: &wire::Wire,
        context: &CallContext<'_>,
    ) -> Result<Call, PeerError> {
        let mut call = self.plain(map, values)?;
        call.within = Some(context.within);
        let user = self.credentials.user.clone().unwrap_or_default();
        let secret = self.credentials.secret.as_ref().map_or("", |secret| secret.expose().as_str());
        let header = match self.auth.kind {
            AuthKind::None | AuthKind::Auto => return Ok(call),
            AuthKind::Basic => authorization("Basic", &base64(format!("{user}:{secret}").as_bytes())),
            AuthKind::Bearer => authorization("Bearer", secret),
            AuthKind::Header => (self.auth.header.clone(), format!("{}{secret}", self.auth.prefix)),
            AuthKind::OAuth2 => authorization("Bearer", self.token(wire, context).await?.expose()),
            AuthKind::Hmac => self.marked(&mut call, secret, context),
        };
        call.headers.push(header);
        Ok(call)
    }

    fn marked(&self, call: &mut Call, secret: &str, context: &CallContext<'_>) -> (String, String) {
        let timestamp = context.now.timestamp().to_string();
        let query = call.url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let path = format!("{}{query}", call.url.path());
        let values: [(&str, &[u8]); 4] = [
            ("timestamp", timestamp.as_bytes()),
            ("method", call.method.as_str().as_bytes()),
            ("path", path.as_bytes()),
            ("body", &call.body),
        ];
        let secrets = [Secret::new(secret.to_owned())];
        let marks = Marks::new(&secrets, self.auth.algorithm, self.auth.encoding);
        let mark = marks.sign(&signed(&self.auth.signed, &values)).unwrap_or_default();
        if !self.auth.timestamp_header.is_empty() {
            call.headers.push((self.auth.timestamp_header.clone(), timestamp));
        }
        (self.auth.header.clone(), format!("{}{mark}", self.auth.prefix))
    }

    /// The token at hand, or a new one; of several at once one asks.
    async fn token(&self, wire: &wire::Wire, context: &CallContext<'_>) -> Result<Secret<String>, PeerError> {
        let mut held = self.token.lock().await;
        let now = self.surroundings.elapsed();
        if let Some((token, _)) = held.as_ref().filter(|(_, until)| now < *until) {
            return Ok(token.clone());
        }
        let url = self.fill(&self.auth.token_url, "url", &Values::default())?;
        let url = Url::parse(&url).map_err(|_| PeerError::Protocol("token_url is no address".to_owned()))?;
        let user = self.credentials.user.clone().unwrap_or_default();
        let secret = self.credentials.secret.as_ref().map_or("", |secret| secret.expose().as_str());
        let pair = base64(format!("{}:{}", percent(&user), percent(secret)).as_bytes());
        let mut body = "grant_type=client_credentials".to_owned();
        if !self.auth.scope.is_empty() {
            body.push_str("&scope=");
            body.push_str(&percent(&self.auth.scope));
        }
        let form = ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned());
        let headers = vec![authorization("Basic", &pair), form];
        let call = Call { method: Method::POST, url, headers, body: body.into_bytes(), within: Some(context.within) };
        let answer = wire.call(call, Effect::None).await?;
        if let Some(error) = wire::failure(&answer, Effect::None) {
            return Err(error);
        }
        let json = wire::json(&answer)?;
        let token = json.get("access_token").and_then(serde_json::Value::as_str);
        let (true, Some(token)) = (answer.is_success(), token) else {
            return Err(PeerError::Auth { detail: format!("no token, status {}", answer.status) });
        };
        let life = json.get("expires_in").and_then(serde_json::Value::as_u64).unwrap_or(TOKEN_LIFE_S);
        let token = Secret::new(token.to_owned());
        *held = Some((token.clone(), now + Duration::from_secs(life).saturating_sub(TOKEN_MARGIN)));
        Ok(token)
    }

    /// Forgets the token, if there is one to forget: the peer did not accept it.
    pub(super) async fn forget_token(&self) -> bool {
        self.token.lock().await.take().is_some()
    }
}

fn authorization(scheme: &str, value: &str) -> (String, String) {
    ("authorization".to_owned(), format!("{scheme} {value}"))
}
