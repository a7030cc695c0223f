//! Kannel, the gateway in front of SMPP: docs/kannel.md has both its configuration files.
//!
//! Kannel signs nothing and names nothing it takes: a secret in the addresses it calls says that it is ours, and our
//! own name of a message travels in the address of its report.

mod allowed;
mod answers;
mod charset;
#[cfg(test)]
mod tests;

use super::account::{Account, AccountError, Kind};
use super::form::{Fields, bytes_of, encode};
use super::hook::number;
use super::{
    Accepted, Acknowledgement, Authentic, Event, Finding, Forged, Hooks, Inbound, Lookup, Outgoing, Pace, Report,
    ReportStatus, SendError, SmsProvider, Unreadable, Webhook,
};
use crate::domain::gsm7::is_gsm7;
use crate::domain::phone::SenderAddress;
use crate::domain::secret::Secret;
use crate::net::{Answer, Call, CallError, Client, Method, Url};
use allowed::Networks;
use aws_lc_rs::constant_time;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// What its accounts are made of.
pub(super) const KIND: Kind = Kind {
    word: "kannel",
    base_url: None,
    needs: &["secret", "username", "password"],
    takes: &["secret_before", "allow_from", "callback_base", "method"],
    build: |account, client| Ok(Arc::new(Kannel::new(account, client)?)),
};

/// Shorter secrets can be guessed.
const MIN_SECRET: usize = 16;
/// Delivered, undelivered, queued, taken and refused by the SMSC: every report there is but the ones in between.
const DLR_MASK: &str = "31";
/// Minutes: a code asked for is worth half an hour.
const VALIDITY: &str = "30";

/// One Kannel.
#[derive(Debug)]
pub(super) struct Kannel {
    name: String,
    secret: Secret<String>,
    before: Option<Secret<String>>,
    allowed: Networks,
    username: Secret<String>,
    password: Secret<String>,
    /// Where Kannel reaches us, where that is not our public address.
    callback_base: Option<String>,
    way: Way,
    client: Client,
    url: Url,
}

/// How a message is handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// In the query, as other programs that speak like Kannel want it.
    Get,
    /// In headers and the body, which no log on the way keeps.
    Post,
}

impl Kannel {
    fn new(account: &Account, client: &Client) -> Result<Self, AccountError> {
        let (secret, before) = (account.need(&KIND, "secret")?, account.maybe("secret_before"));
        for (key, secret) in [("secret", Some(&secret)), ("secret_before", before.as_ref())] {
            // A % or & would mean something in the addresses that Kannel fills in.
            let fits = |text: &str| text.len() >= MIN_SECRET && text.bytes().all(is_plain);
            if secret.is_some_and(|secret| !fits(secret.expose())) {
                return Err(account.misfit(key, "at least 16 characters, only letters, digits and . _ ~ -"));
            }
        }
        let (username, password) = (account.need(&KIND, "username")?, account.need(&KIND, "password")?);
        for (key, value) in [("username", &username), ("password", &password)] {
            if !value.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(account.misfit(key, "letters, digits and signs of ASCII"));
            }
        }
        let allowed =
            account.maybe("allow_from").map_or(Some(Networks::default()), |list| Networks::read(list.expose()));
        let way = match account.maybe("method").as_ref().map(|word| word.expose().as_str()) {
            None | Some("post") => Way::Post,
            Some("get") => Way::Get,
            Some(_) => return Err(account.misfit("method", "\"post\" or \"get\"")),
        };
        let mut url = account.base_url(&KIND)?;
        if url.path() == "/" {
            url.set_path("/cgi-bin/sendsms");
        }
        Ok(Self {
            name: account.name.clone(),
            secret,
            before,
            allowed: allowed
                .ok_or_else(|| account.misfit("allow_from", "addresses or networks: 10.0.0.0/8, 127.0.0.1"))?,
            username,
            password,
            callback_base: callback_base(account)?,
            way,
            client: client.clone(),
            url,
        })
    }

    /// The secret that a request brought, in the query or, as of `http://any:secret@host/`, as a password.
    fn holds(&self, given: &str) -> bool {
        let secrets = [Some(&self.secret), self.before.as_ref()];
        let is = |secret: &Secret<String>| {
            constant_time::verify_slices_are_equal(secret.expose().as_bytes(), given.as_bytes()).is_ok()
        };
        // Both are looked at, whichever holds.
        secrets.into_iter().flatten().filter(|secret| is(secret)).count() > 0
    }

    /// Where Kannel reports on a message: it fills in what stands after a percent sign.
    fn dlr_url(&self, out: &Outgoing) -> String {
        let path = Url::parse(&out.status_url).map_or_else(|_| String::new(), |url| url.path().to_owned());
        let status = self.callback_base.as_ref().map_or(out.status_url.clone(), |base| format!("{base}{path}"));
        format!("{status}?ref={}&key={}&st=%d&fid=%F&ans=%A", out.message_ref(), self.secret.expose())
    }

    /// Calls sendsms with those fields and, unless it is empty, that text.
    async fn sendsms(&self, fields: &[(&str, &str)], text: &str) -> Result<Answer, CallError> {
        let (user, password) = (self.username.expose().as_str(), self.password.expose().as_str());
        let signed = [("username", user), ("password", password)];
        let fields = signed.into_iter().chain(fields.iter().copied());
        let mut url = self.url.clone();
        let call = match self.way {
            Way::Get => {
                let text = [("text", text), ("charset", "UTF-8")].into_iter().filter(|_| !text.is_empty());
                url.set_query(Some(&encode(fields.chain(text))));
                Call { method: Method::GET, url, headers: Vec::new(), body: Vec::new(), within: None }
            }
            Way::Post => {
                let headers = fields.map(|(name, value)| (format!("x-kannel-{name}"), value.to_owned()));
                let kind = ("content-type".to_owned(), "text/plain; charset=UTF-8".to_owned());
                let headers = headers.chain([kind]).collect();
                Call { method: Method::POST, url, headers, body: text.as_bytes().to_vec(), within: None }
            }
        };
        self.client.call(call).await
    }
}

/// Whether a byte stands for itself wherever Kannel puts it.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._~-".contains(&byte)
}

fn callback_base(account: &Account) -> Result<Option<String>, AccountError> {
    let Some(text) = account.maybe("callback_base") else {
        return Ok(None);
    };
    let fits = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host() && url.path() == "/";
    let url = Url::parse(text.expose()).ok().filter(|url| fits(url) && url.query().is_none());
    let url = url.ok_or_else(|| account.misfit("callback_base", "http:// or https:// and a host, without a path"))?;
    Ok(Some(url.as_str().trim_end_matches('/').to_owned()))
}

/// The password of `Authorization: Basic`, which Kannel makes of `http://user:password@host/`.
fn password_of(hook: &Webhook<'_>) -> Option<String> {
    let (scheme, pair) = hook.header("authorization")?.split_once(' ')?;
    let pair = scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(pair.trim()).ok()).flatten()?;
    String::from_utf8(pair).ok()?.split_once(':').map(|(_, password)| password.to_owned())
}

fn inbound(hook: &Webhook<'_>, fields: &Fields) -> Result<Event, Unreadable> {
    if fields.get("coding") == Some("1") {
        return Ok(Event::Ignored("a binary message"));
    }
    let (id, from, to) = (fields.need("id")?, fields.need("from")?, fields.need("to")?);
    let bytes = match hook.method {
        super::Method::Post => Some(hook.body.to_vec()),
        super::Method::Get => bytes_of(hook.query(), "text"),
    };
    let bytes = bytes.ok_or_else(|| Unreadable("text is missing".to_owned()))?;
    let named = fields.filled("charset").or_else(|| charset::of_content_type(hook.header("content-type")?));
    let text =
        charset::decode(&bytes, named.unwrap_or(if fields.get("coding") == Some("2") { "UTF-16BE" } else { "UTF-8" }));
    let sent_at = fields.filled("ts").and_then(|digits| DateTime::from_timestamp(digits.parse().ok()?, 0));
    Ok(Event::Inbound(Inbound { sent_at, ..Inbound::new(id, &number(from), &number(to), &text) }))
}

fn report(fields: &Fields, state: &str) -> Result<Event, Unreadable> {
    let reference = fields.need("ref")?.to_owned();
    let status = match state {
        "1" => ReportStatus::Delivered,
        "2" | "16" => ReportStatus::Failed,
        // 32 is a report in between, from those who ask for it.
        "4" | "8" | "32" => ReportStatus::Sent,
        _ => return Err(Unreadable("st is none of 1, 2, 4, 8, 16, 32".to_owned())),
    };
    let (class, note) = match status {
        ReportStatus::Failed => {
            let (class, note) = answers::failure(fields.get("ans").unwrap_or_default());
            (Some(class), note)
        }
        ReportStatus::Sent | ReportStatus::Delivered => (None, None),
    };
    let provider_id = fields.filled("fid").map(str::to_owned);
    Ok(Event::Report(Report { provider_id, reference: Some(reference), status, class, note }))
}

#[async_trait::async_trait]
impl SmsProvider for Kannel {
    fn name(&self) -> &str {
        &self.name
    }

    /// There is no signature and no time: a replay is told by the text's name, which is the same again.
    fn authenticate<'a>(&self, hook: &'a Webhook<'a>, now: DateTime<Utc>) -> Result<Authentic<'a>, Forged> {
        if !self.allowed.allow(hook.remote) {
            return Err(Forged::Stranger);
        }
        let fields = Fields::read(hook.query().as_bytes());
        let given = fields.filled("key").map(str::to_owned).or_else(|| password_of(hook)).ok_or(Forged::Unsigned)?;
        if self.holds(&given) { Ok(Authentic::vouched(hook, now)) } else { Err(Forged::Mismatch) }
    }

    fn parse(&self, proof: Authentic<'_>) -> Result<Vec<Event>, Unreadable> {
        let hook = proof.hook();
        let fields = Fields::read(hook.query().as_bytes());
        let event = match fields.get("st") {
            Some(state) => report(&fields, state),
            None => inbound(hook, &fields),
        };
        event.map(|event| vec![event])
    }

    /// Kannel takes 200 and 202 for a yes and sends again after any other, 204 included. Without `max-messages = 0` it
    /// would text the body to the phone.
    fn acknowledge(&self) -> Acknowledgement {
        Acknowledgement { status: 200, content_type: Some("text/plain"), body: "" }
    }

    fn pace(&self) -> Pace {
        Pace::PerSender
    }

    async fn send(&self, out: &Outgoing) -> Result<Accepted, SendError> {
        let dlr_url = self.dlr_url(out);
        let fields = [
            ("from", out.from.as_str()),
            ("to", out.to.expose()),
            ("coding", if is_gsm7(&out.body) { "0" } else { "2" }),
            ("validity", VALIDITY),
            ("dlr-mask", DLR_MASK),
            ("dlr-url", dlr_url.as_str()),
        ];
        let answer = self.sendsms(&fields, &out.body).await?;
        if answer.is_success() {
            return Ok(Accepted { provider_id: None, segments: out.segments });
        }
        Err(answers::refusal(&answer))
    }

    async fn lookup(&self, _: &Outgoing) -> Result<Lookup, SendError> {
        Ok(Lookup::CannotSay)
    }

    async fn pull(&self, _: &SenderAddress, _: DateTime<Utc>) -> Result<Option<Vec<Inbound>>, SendError> {
        Ok(None)
    }

    /// A message without a receiver is refused by whoever believes our password.
    async fn check(&self, sender: &SenderAddress, hooks: &Hooks) -> Vec<Finding> {
        let host = self.url.host_str().unwrap_or_default();
        let asked = self.sendsms(&[("from", sender.as_str())], "").await;
        let account = match asked.map(|answer| (answers::lets_in(&answer), answer.status)) {
            Ok((true, _)) => Finding::ok(format!("Kannel at {host} lets us in")),
            Ok((false, status)) => Finding::fail(
                format!("Kannel at {host} does not let us in (status {status})"),
                "compare username and password with its sendsms-user, and user-allow-ip with this machine's address",
            ),
            Err(error) => Finding::fail(
                format!("Kannel at {host} cannot be asked: {error}"),
                "start smsbox; base_url names its sendsms-port, and sendsms-interface must let this machine in",
            ),
        };
        let inbound = self.callback_base.as_ref().map_or(hooks.inbound.clone(), |base| {
            let path = Url::parse(&hooks.inbound).map_or_else(|_| String::new(), |url| url.path().to_owned());
            format!("{base}{path}")
        });
        let post = Finding::ok(format!(
            "its sms-service has post-url = \"{inbound}?key=<secret>&id=%I&from=%p&to=%P&ts=%T&coding=%c&charset=%C\", \
             max-messages = 0 and omit-empty = yes"
        ));
        vec![account, post]
    }
}
