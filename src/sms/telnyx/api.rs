//! Telnyx's API v2: send, look up, check.

use super::super::account::{Account, AccountError};
use super::super::form::encode;
use super::super::{Accepted, Finding, Hooks, Lookup, Outgoing, SendError};
use super::{KIND, codes};
use crate::domain::phone::SenderAddress;
use crate::domain::secret::Secret;
use crate::net::{Answer, Call, Client, Method, Url};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// One account's way to the API.
#[derive(Debug)]
pub(super) struct Api {
    client: Client,
    base: Url,
    /// The value of the `Authorization` header.
    authorization: Secret<String>,
    profile: Option<Secret<String>>,
}

#[derive(Serialize)]
struct MessageOut<'a> {
    from: &'a str,
    to: &'a str,
    text: &'a str,
    tags: [String; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    messaging_profile_id: Option<&'a str>,
}

/// Every answer has what was asked for in `data`.
#[derive(Deserialize)]
struct Data<T> {
    data: T,
}

#[derive(Deserialize)]
struct Taken {
    id: String,
    parts: Option<u16>,
}

#[derive(Deserialize)]
struct Record {
    uuid: Option<String>,
    delivery_status_webhook_url: Option<String>,
    parts: Option<u16>,
}

#[derive(Deserialize)]
struct NumberOut {
    short_code: Option<String>,
    messaging_profile_id: Option<String>,
}

#[derive(Deserialize)]
struct ProfileOut {
    enabled: Option<bool>,
    webhook_url: Option<String>,
    webhook_api_version: Option<String>,
}

impl Api {
    pub(super) fn new(account: &Account, client: &Client) -> Result<Self, AccountError> {
        let key = account.need(&KIND, "api_key")?;
        Ok(Self {
            client: client.clone(),
            base: account.base_url(&KIND)?,
            authorization: Secret::new(format!("Bearer {}", key.expose())),
            profile: account.maybe("messaging_profile"),
        })
    }

    /// Our own name of it travels as a tag, and in the address of reports where Telnyx can reach that.
    pub(super) async fn send(&self, out: &Outgoing) -> Result<Accepted, SendError> {
        let message = MessageOut {
            from: out.from.as_str(),
            to: out.to.expose(),
            text: &out.body,
            tags: [out.message_ref()],
            webhook_url: out.is_reachable().then(|| out.callback_url()),
            messaging_profile_id: self.profile.as_ref().map(|profile| profile.expose().as_str()),
        };
        let body = serde_json::to_vec(&message).unwrap_or_default();
        let url = self.url("/v2/messages", &[]);
        let headers = vec![self.authorized(), ("content-type".to_owned(), "application/json".to_owned())];
        let call = Call { method: Method::POST, url, headers, body, within: None };
        let answer = self.client.call(call).await?;
        if !answer.is_success() {
            return Err(codes::error(&answer));
        }
        let taken: Data<Taken> = serde_json::from_slice(&answer.body)
            .map_err(|_| SendError::Ambiguous { detail: "an answer without an id".to_owned() })?;
        let Taken { id, parts } = taken.data;
        let segments = parts.filter(|count| *count > 0).unwrap_or(out.segments);
        Ok(Accepted { provider_id: Some(id), segments })
    }

    /// The record of a message has the address of its reports, and that has our own name of it. Records come late, so
    /// that there is none says nothing.
    pub(super) async fn lookup(&self, out: &Outgoing) -> Result<Lookup, SendError> {
        if !out.is_reachable() {
            return Ok(Lookup::CannotSay);
        }
        let fields = [
            ("filter[record_type]", "messaging"),
            ("filter[direction]", "outbound"),
            ("filter[cld]", out.to.expose()),
            ("filter[cli]", out.from.as_str()),
            ("sort", "-created_at"),
            ("page[size]", "50"),
        ];
        let callback = out.callback_url();
        let records: Data<Vec<Record>> = self.get(self.url("/v2/detail_records", &fields)).await?;
        let is_it = |record: &Record| record.delivery_status_webhook_url.as_deref() == Some(callback.as_str());
        Ok(match records.data.into_iter().find(is_it) {
            Some(Record { uuid, parts, .. }) => {
                let segments = parts.filter(|count| *count > 0).unwrap_or(out.segments);
                Lookup::Taken(Accepted { provider_id: uuid, segments })
            }
            None => Lookup::CannotSay,
        })
    }

    pub(super) async fn check(&self, sender: &SenderAddress, hooks: &Hooks) -> Vec<Finding> {
        let mut found = match self.profile_of(sender).await {
            Ok(Some(profile)) => self.check_profile(&profile, hooks).await,
            Ok(None) => vec![Finding::fail(
                format!("{sender} is not in the account, or has no messaging profile"),
                "in the Portal, under Messaging, give the number a profile; compare the sender's address",
            )],
            Err(error) => vec![trouble(&error)],
        };
        if !hooks.inbound.starts_with("https://") {
            let next = "set server.public_url to the https address under which the internet reaches this server";
            found.push(Finding::warn(format!("texts would come to {} unencrypted", hooks.inbound), next));
        }
        found
    }

    /// The messaging profile of a number of ours.
    async fn profile_of(&self, sender: &SenderAddress) -> Result<Option<String>, SendError> {
        if sender.is_short_code() {
            let codes: Data<Vec<NumberOut>> = self.get(self.url("/v2/short_codes", &[("page[size]", "250")])).await?;
            let mut codes = codes.data.into_iter();
            let found = codes.find(|number| number.short_code.as_deref() == Some(sender.as_str()));
            return Ok(found.and_then(|number| number.messaging_profile_id));
        }
        let url = self.url(&format!("/v2/phone_numbers/{sender}/messaging"), &[]);
        let answer = self.client.call(self.asking(url)).await?;
        if answer.status == 404 {
            return Ok(None);
        }
        read::<Data<NumberOut>>(&answer).map(|number| number.data.messaging_profile_id)
    }

    async fn check_profile(&self, profile: &str, hooks: &Hooks) -> Vec<Finding> {
        let profile: Data<ProfileOut> =
            match self.get(self.url(&format!("/v2/messaging_profiles/{profile}"), &[])).await {
                Ok(profile) => profile,
                Err(error) => return vec![trouble(&error)],
            };
        let ProfileOut { enabled, webhook_url, webhook_api_version } = profile.data;
        let mut found = vec![Finding::ok("the account lets us in")];
        if enabled == Some(false) {
            found.push(Finding::fail("the messaging profile is off", "switch it on in the Portal, under Messaging"));
        }
        let paste = format!("in the Portal, in the number's messaging profile, paste {} as webhook URL", hooks.inbound);
        found.push(match webhook_url.as_deref() {
            Some(url) if url == hooks.inbound => Finding::ok(format!("texts come to {}", hooks.inbound)),
            None | Some("") => Finding::fail("texts go nowhere", paste),
            Some(_) => Finding::fail("texts go to another address", paste),
        });
        if webhook_api_version.is_some_and(|version| version != "2") {
            let next = "choose API version 2 for the profile's webhooks";
            found.push(Finding::fail("webhooks come in an older form that is not signed this way", next));
        }
        found
    }

    fn url(&self, path: &str, fields: &[(&str, &str)]) -> Url {
        let mut url = self.base.clone();
        let base = self.base.path().trim_end_matches('/');
        url.set_path(&format!("{base}{path}"));
        if !fields.is_empty() {
            url.set_query(Some(&encode(fields.iter().copied())));
        }
        url
    }

    fn asking(&self, url: Url) -> Call {
        Call { method: Method::GET, url, headers: vec![self.authorized()], body: Vec::new(), within: None }
    }

    async fn get<T: DeserializeOwned>(&self, url: Url) -> Result<T, SendError> {
        let answer = self.client.call(self.asking(url)).await?;
        read(&answer)
    }

    fn authorized(&self) -> (String, String) {
        ("authorization".to_owned(), self.authorization.expose().clone())
    }
}

fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, SendError> {
    if !answer.is_success() {
        return Err(codes::error(answer));
    }
    serde_json::from_slice(&answer.body)
        .map_err(|error| SendError::Transient { detail: format!("an answer of another form, line {}", error.line()) })
}

fn trouble(error: &SendError) -> Finding {
    match error {
        SendError::Config { .. } => Finding::fail(
            "Telnyx does not let us in",
            "compare api_key of [[carriers]] with the Portal: Account > Keys & Credentials > API Keys",
        ),
        SendError::Transient { .. }
        | SendError::Throttled { .. }
        | SendError::Ambiguous { .. }
        | SendError::Permanent { .. } => {
            Finding::fail(format!("Telnyx cannot be asked: {error}"), "try again; see status.telnyx.com")
        }
    }
}
