//! Twilio's REST API of 2010-04-01: send, look up, catch up, check.

use super::super::account::{Account, AccountError};
use super::super::form::encode;
use super::super::message::is_local;
use super::super::{Accepted, Finding, Hooks, Inbound, Lookup, Outgoing, SendError};
use super::{KIND, codes};
use crate::domain::phone::SenderAddress;
use crate::domain::secret::Secret;
use crate::net::{Answer, Call, Client, Method, Url};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::Deserialize;

/// A code asked for is worth half an hour; later Twilio drops it for us.
const VALIDITY_S: &str = "1800";
/// Messages a page; more is slow on their side.
const PAGE: &str = "200";
/// Pages read at most, newest first: 50 000 messages.
const MAX_PAGES: usize = 250;
/// How far apart their clock and ours may be.
const SKEW: TimeDelta = TimeDelta::seconds(15);

/// One account's way to the API.
#[derive(Debug)]
pub(super) struct Api {
    client: Client,
    base: Url,
    account: Secret<String>,
    service: Option<Secret<String>>,
    /// The value of the `Authorization` header.
    authorization: Secret<String>,
}

#[derive(Deserialize)]
struct Taken {
    sid: String,
    num_segments: Option<String>,
    error_code: Option<u32>,
}

#[derive(Deserialize)]
struct Refusal {
    code: Option<u32>,
}

#[derive(Deserialize)]
struct Page {
    messages: Vec<Listed>,
    next_page_uri: Option<String>,
}

#[derive(Deserialize)]
struct Listed {
    sid: String,
    direction: String,
    from: Option<String>,
    to: Option<String>,
    body: Option<String>,
    num_segments: Option<String>,
    date_created: Option<String>,
    date_sent: Option<String>,
}

impl Listed {
    fn at(&self) -> Option<DateTime<Utc>> {
        let text = self.date_sent.as_deref().or(self.date_created.as_deref())?;
        DateTime::parse_from_rfc2822(text).ok().map(Into::into)
    }

    fn created(&self) -> Option<DateTime<Utc>> {
        DateTime::parse_from_rfc2822(self.date_created.as_deref()?).ok().map(Into::into)
    }
}

impl Api {
    pub(super) fn new(account: &Account, client: &Client) -> Result<Self, AccountError> {
        let sid = account.need(&KIND, "account")?;
        if !sid.expose().bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(account.misfit("account", "the account's SID: AC and 32 hexadecimal digits"));
        }
        let (user, password) = match (account.maybe("api_key"), account.maybe("api_secret")) {
            (Some(key), Some(secret)) => (key, secret),
            (None, None) => (sid.clone(), account.need(&KIND, "token")?),
            (Some(_), None) => return Err(account.misfit("api_secret", "the secret of api_key")),
            (None, Some(_)) => return Err(account.misfit("api_key", "the key that api_secret belongs to")),
        };
        let pair = STANDARD.encode(format!("{}:{}", user.expose(), password.expose()));
        Ok(Self {
            client: client.clone(),
            base: account.base_url(&KIND)?,
            account: sid,
            service: account.maybe("messaging_service"),
            authorization: Secret::new(format!("Basic {pair}")),
        })
    }

    pub(super) async fn send(&self, out: &Outgoing) -> Result<Accepted, SendError> {
        let callback = out.callback_url();
        let mut fields = vec![
            ("To", out.to.expose()),
            ("From", out.from.as_str()),
            ("Body", out.body.as_str()),
            ("ValidityPeriod", VALIDITY_S),
        ];
        if let Some(service) = &self.service {
            fields.push(("MessagingServiceSid", service.expose().as_str()));
        }
        // Twilio refuses a message whose callback it cannot reach.
        if out.is_reachable() {
            fields.push(("StatusCallback", callback.as_str()));
        }
        let kind = "application/x-www-form-urlencoded".to_owned();
        let headers = vec![self.authorized(), ("content-type".to_owned(), kind)];
        let url = self.url("/Messages.json");
        let body = encode(fields).into_bytes();
        let call = Call { method: Method::POST, url, headers, body, within: None };
        let answer = self.client.call(call).await?;
        if !answer.is_success() {
            return Err(refusal(&answer, out.at));
        }
        let taken: Taken = serde_json::from_slice(&answer.body)
            .map_err(|_| SendError::Ambiguous { detail: "an answer without a sid".to_owned() })?;
        if let Some(code) = taken.error_code {
            return Err(codes::error(400, &code.to_string(), None, out.at));
        }
        let segments = taken.num_segments.and_then(|digits| digits.parse().ok()).filter(|count| *count > 0);
        Ok(Accepted { provider_id: Some(taken.sid), segments: segments.unwrap_or(out.segments) })
    }

    /// The API has no name of ours to search for: it is this person's message of these words, made when we called.
    pub(super) async fn lookup(&self, out: &Outgoing) -> Result<Lookup, SendError> {
        let since = out.at - SKEW;
        let (listed, all) = self.list(&[("To", out.to.expose()), ("From", out.from.as_str())], since).await?;
        let is_it = |message: &&Listed| {
            message.direction.starts_with("outbound")
                && message.body.as_deref() == Some(out.body.as_str())
                && message.created().is_some_and(|at| at >= since)
        };
        let found = listed.iter().find(is_it);
        Ok(match found {
            Some(message) => {
                let segments = message.num_segments.as_deref().and_then(|digits| digits.parse().ok());
                let segments = segments.filter(|count| *count > 0).unwrap_or(out.segments);
                Lookup::Taken(Accepted { provider_id: Some(message.sid.clone()), segments })
            }
            None if all => Lookup::NotTaken,
            None => Lookup::CannotSay,
        })
    }

    pub(super) async fn pull(&self, sender: &SenderAddress, since: DateTime<Utc>) -> Result<Vec<Inbound>, SendError> {
        let (listed, _) = self.list(&[("To", sender.as_str())], since).await?;
        let mut texts: Vec<_> = listed
            .iter()
            .filter(|message| message.direction == "inbound")
            .filter_map(|message| {
                let at = message.at()?;
                let (from, to) = (message.from.as_deref()?, message.to.as_deref()?);
                let text = Inbound::new(&message.sid, from, to, message.body.as_deref().unwrap_or_default());
                let segments = message.num_segments.as_deref().and_then(|digits| digits.parse().ok());
                (at >= since).then_some(Inbound { segments, sent_at: Some(at), ..text })
            })
            .collect();
        texts.sort_by_key(|text| text.sent_at);
        Ok(texts)
    }

    /// Messages of that filter since then and some before, newest first, and whether these are all.
    async fn list(&self, filter: &[(&str, &str)], since: DateTime<Utc>) -> Result<(Vec<Listed>, bool), SendError> {
        let from = since.to_rfc3339_opts(SecondsFormat::Secs, true);
        let mut fields = filter.to_vec();
        fields.extend([("DateSent>", from.as_str()), ("PageSize", PAGE)]);
        let mut url = self.url("/Messages.json");
        url.set_query(Some(&encode(fields)));
        let mut listed: Vec<Listed> = Vec::new();
        for _ in 0..MAX_PAGES {
            let page: Page = self.get(url).await?;
            listed.extend(page.messages);
            // Some accounts get whole days: what follows an older one is older still.
            let is_past = listed.last().and_then(Listed::at).is_some_and(|at| at < since - SKEW);
            let next = page.next_page_uri.filter(|_| !is_past).and_then(|uri| self.base.join(&uri).ok());
            match next.filter(|next| next.origin() == self.base.origin()) {
                Some(next) => url = next,
                None => return Ok((listed, true)),
            }
        }
        tracing::error!("more messages than can be read in one list: the older ones are left out");
        Ok((listed, false))
    }

    pub(super) async fn check(&self, sender: &SenderAddress, hooks: &Hooks) -> Vec<Finding> {
        let mut found = vec![self.check_account().await];
        if found.iter().all(|finding| finding.do_next.is_none()) {
            found.push(self.check_number(sender, hooks).await);
        }
        if !hooks.inbound.starts_with("https://") {
            let next = "set server.public_url to the https address under which the internet reaches this server";
            found.push(Finding::fail(format!("Twilio cannot be told to send texts to {}", hooks.inbound), next));
        }
        if self.base.scheme() == "http" && !is_local(&self.base) {
            let next = "give base_url with https://, or leave it out";
            found.push(Finding::fail("the account's password and every text leave unencrypted", next));
        }
        if self.service.is_some() {
            found.push(Finding::warn(
                "messages leave through a Messaging Service",
                "in the Console, Messaging > Services > Integration: choose \"Defer to sender's webhook\"; with Advanced \
                 Opt-Out on, Twilio answers STOP, START and HELP and says so",
            ));
        }
        found
    }

    async fn check_account(&self) -> Finding {
        #[derive(Deserialize)]
        struct AccountOut {
            status: String,
        }
        let mut url = self.url("");
        url.set_path(&format!("{}.json", url.path()));
        match self.get::<AccountOut>(url).await {
            Ok(account) if account.status == "active" => Finding::ok("the account is active and lets us in"),
            Ok(account) => Finding::fail(
                format!("the account is {}", account.status),
                "look at the Console's start page for what Twilio wants",
            ),
            Err(SendError::Config { .. }) => Finding::fail(
                "Twilio does not let us in",
                "compare account and token (or api_key and api_secret) of [[carriers]] with the Console: Account > \
                 API keys & tokens",
            ),
            Err(error) => Finding::fail(format!("Twilio cannot be asked: {error}"), "try again; see status.twilio.com"),
        }
    }

    async fn check_number(&self, sender: &SenderAddress, hooks: &Hooks) -> Finding {
        #[derive(Deserialize)]
        struct NumberOut {
            sms_url: Option<String>,
            sms_method: Option<String>,
        }
        #[derive(Deserialize)]
        struct NumbersOut {
            #[serde(alias = "short_codes")]
            incoming_phone_numbers: Vec<NumberOut>,
        }
        let (path, name) = if sender.is_short_code() {
            ("/SMS/ShortCodes.json", "ShortCode")
        } else {
            ("/IncomingPhoneNumbers.json", "PhoneNumber")
        };
        let mut url = self.url(path);
        url.set_query(Some(&encode([(name, sender.as_str())])));
        let numbers = match self.get::<NumbersOut>(url).await {
            Ok(numbers) => numbers.incoming_phone_numbers,
            Err(error) => return Finding::fail(format!("{sender} cannot be looked up: {error}"), "try again"),
        };
        let Some(number) = numbers.first() else {
            return Finding::fail(
                format!("the account has no number {sender}"),
                "compare the sender's address with the Console: Phone Numbers > Manage > Active numbers (or Short codes)",
            );
        };
        let paste = format!(
            "in the Console, open {sender} and under Messaging, \"A message comes in\", paste {} with HTTP POST",
            hooks.inbound
        );
        match (number.sms_url.as_deref(), number.sms_method.as_deref()) {
            (Some(url), Some("POST") | None) if url == hooks.inbound => {
                Finding::ok(format!("texts to {sender} come to {}", hooks.inbound))
            }
            (Some(url), Some(method)) if url == hooks.inbound => {
                Finding::warn(format!("texts to {sender} come by {method}, which puts them in logs on the way"), paste)
            }
            (None | Some(""), _) => Finding::fail(format!("texts to {sender} go nowhere"), paste),
            (Some(_), _) => Finding::fail(format!("texts to {sender} go to another address"), paste),
        }
    }

    /// An address below the account.
    fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        let base = self.base.path().trim_end_matches('/');
        url.set_path(&format!("{base}/2010-04-01/Accounts/{}{path}", self.account.expose()));
        url
    }

    async fn get<T: serde::de::DeserializeOwned>(&self, url: Url) -> Result<T, SendError> {
        let headers = vec![self.authorized()];
        let call = Call { method: Method::GET, url, headers, body: Vec::new(), within: None };
        let answer = self.client.call(call).await?;
        if !answer.is_success() {
            return Err(refusal(&answer, DateTime::UNIX_EPOCH));
        }
        serde_json::from_slice(&answer.body).map_err(|error| SendError::Transient {
            detail: format!("an answer of another form, line {}", error.line()),
        })
    }

    fn authorized(&self) -> (String, String) {
        ("authorization".to_owned(), self.authorization.expose().clone())
    }
}

fn refusal(answer: &Answer, at: DateTime<Utc>) -> SendError {
    let said = serde_json::from_slice::<Refusal>(&answer.body).ok();
    let code = said.and_then(|refusal| refusal.code).map_or_else(String::new, |code| code.to_string());
    codes::error(answer.status, &code, answer.retry_after(), at)
}
