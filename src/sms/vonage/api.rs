//! Vonage's SMS API: send, and the account's settings to check.

use super::super::account::{Account, AccountError};
use super::super::form::encode;
use super::super::{Accepted, Finding, Hooks, Outgoing, SendError};
use super::{KIND, codes};
use crate::domain::gsm7::is_gsm7;
use crate::domain::phone::SenderAddress;
use crate::domain::secret::Secret;
use crate::net::{Call, Client, Method, Url};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

/// Milliseconds: a code asked for is worth half an hour.
const TTL_MS: &str = "1800000";
/// The longest callback address that Vonage takes, bytes.
const MAX_CALLBACK: usize = 100;

/// One account's way to the API.
#[derive(Debug)]
pub(super) struct Api {
    client: Client,
    base: Url,
    key: Secret<String>,
    secret: Secret<String>,
}

#[derive(Deserialize)]
struct AnswerIn {
    messages: Vec<MessageIn>,
}

#[derive(Deserialize)]
struct MessageIn {
    #[serde(default)]
    status: Value,
    #[serde(rename = "message-id")]
    id: Option<String>,
    #[serde(rename = "error-text", default)]
    words: String,
}

impl MessageIn {
    fn status(&self) -> String {
        self.status.as_str().map_or_else(|| self.status.to_string(), str::to_owned)
    }
}

impl Api {
    pub(super) fn new(account: &Account, client: &Client) -> Result<Self, AccountError> {
        let (key, secret) = (account.need(&KIND, "api_key")?, account.need(&KIND, "api_secret")?);
        Ok(Self { client: client.clone(), base: account.base_url(&KIND)?, key, secret })
    }

    /// Our own name of it comes back in receipts as `client-ref`, so the callback needs none.
    pub(super) async fn send(&self, out: &Outgoing) -> Result<Accepted, SendError> {
        let reference = out.message_ref();
        let mut fields = vec![
            ("api_key", self.key.expose().as_str()),
            ("api_secret", self.secret.expose().as_str()),
            ("from", digits(out.from.as_str())),
            ("to", digits(out.to.expose())),
            ("text", out.body.as_str()),
            ("type", if is_gsm7(&out.body) { "text" } else { "unicode" }),
            ("status-report-req", "1"),
            ("client-ref", reference.as_str()),
            ("ttl", TTL_MS),
        ];
        // Without it receipts go to the address in the account's settings.
        if out.is_reachable() && out.status_url.len() <= MAX_CALLBACK {
            fields.push(("callback", out.status_url.as_str()));
        }
        let headers = vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
        let body = encode(fields).into_bytes();
        let call = Call { method: Method::POST, url: self.url("/sms/json"), headers, body, within: None };
        let answer = self.client.call(call).await?;
        if !answer.is_success() {
            return Err(codes::error(answer.status, answer.retry_after()));
        }
        let said: AnswerIn = serde_json::from_slice(&answer.body)
            .map_err(|_| SendError::Ambiguous { detail: "an answer of another form".to_owned() })?;
        taken(&said.messages, out)
    }

    pub(super) async fn check(&self, sender: &SenderAddress, hooks: &Hooks) -> Vec<Finding> {
        #[derive(Deserialize)]
        struct NumberOut {
            msisdn: String,
            #[serde(rename = "moHttpUrl")]
            texts_to: Option<String>,
        }
        #[derive(Deserialize, Default)]
        #[serde(default)]
        struct NumbersOut {
            numbers: Vec<NumberOut>,
        }
        let own = digits(sender.as_str());
        let mut url = self.url("/account/numbers");
        url.set_query(Some(&encode([("pattern", own), ("search_pattern", "1")])));
        let pair = STANDARD.encode(format!("{}:{}", self.key.expose(), self.secret.expose()));
        let headers = vec![("authorization".to_owned(), format!("Basic {pair}"))];
        let call = Call { method: Method::GET, url, headers, body: Vec::new(), within: None };
        let answer = match self.client.call(call).await {
            Ok(answer) if answer.is_success() => answer,
            Ok(answer) if matches!(answer.status, 401 | 403 | 420) => {
                let next = "compare api_key and api_secret of [[carriers]] with the Dashboard: API settings";
                return vec![Finding::fail("Vonage does not let us in", next)];
            }
            Ok(answer) => return vec![trouble(&format!("status {}", answer.status))],
            Err(error) => return vec![trouble(&error.to_string())],
        };
        let numbers: NumbersOut = serde_json::from_slice(&answer.body).unwrap_or_default();
        let number = numbers.numbers.into_iter().find(|number| number.msisdn == own);
        let paste = format!(
            "in the Dashboard, Numbers > Your numbers > {sender}, paste {} as inbound webhook URL; in API settings switch \
             webhook signing on, with the method of signature_method",
            hooks.inbound
        );
        let texts = match number.map(|number| number.texts_to.unwrap_or_default()) {
            Some(url) if url == hooks.inbound => Finding::ok(format!("texts to {sender} come to {url}")),
            Some(url) if url.is_empty() => {
                Finding::warn(format!("texts to {sender} go to the account's own address"), paste)
            }
            Some(_) => Finding::fail(format!("texts to {sender} go to another address"), paste),
            None => Finding::warn(format!("{sender} is not in the account's list; short codes may not be"), paste),
        };
        vec![Finding::ok("the account lets us in"), texts]
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        let base = self.base.path().trim_end_matches('/');
        url.set_path(&format!("{base}{path}"));
        url
    }
}

fn trouble(words: &str) -> Finding {
    Finding::fail(format!("Vonage cannot be asked: {words}"), "try again; see vonageapi.statuspage.io")
}

/// Vonage writes numbers without their `+`.
fn digits(number: &str) -> &str {
    number.strip_prefix('+').unwrap_or(number)
}

/// One entry a segment. A message of which a part was refused is broken: sending it again would send the other parts
/// twice.
fn taken(messages: &[MessageIn], out: &Outgoing) -> Result<Accepted, SendError> {
    let refused = messages.iter().find(|message| message.status() != "0");
    let first =
        messages.first().ok_or_else(|| SendError::Ambiguous { detail: "an answer without messages".to_owned() })?;
    match refused {
        None => {
            let segments = u16::try_from(messages.len()).unwrap_or(out.segments);
            Ok(Accepted { provider_id: first.id.clone(), segments })
        }
        Some(message) if first.status() != "0" => Err(codes::refusal(&message.status(), &message.words)),
        Some(message) => {
            let class = super::super::Refused::Other;
            Err(SendError::Permanent {
                class,
                code: message.status(),
                detail: "only a part of it was taken".to_owned(),
            })
        }
    }
}
