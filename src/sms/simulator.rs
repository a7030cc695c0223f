//! The carrier that stands in for a carrier: it signs its webhooks like anyone, and its phones live in memory.
//!
//! Its webhooks are those of the generic carrier: `{id, from, to, text}` for a text, `{id, status, code?}` for a report.

use super::generic;
use super::handset::{Bubble, BubbleStatus, Direction, Handset};
use super::signing::{HEADER, Signing};
use super::{
    Accepted, Acknowledgement, Authentic, Event, Finding, Forged, Hooks, Inbound, Lookup, Outgoing, Pace, SendError,
    SmsProvider, Unreadable, Webhook,
};
use crate::domain::phone::SenderAddress;
use crate::domain::secret::Secret;
use chrono::{DateTime, Utc};
use serde_json::json;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Its name in the documents of senders.
pub const SIMULATOR: &str = "simulator";
/// What its webhook secret is derived from the keyring by.
pub const SIMULATOR_SECRET: &str = "simulator/v1";

/// The simulator as a carrier.
#[derive(Debug)]
pub struct Simulator {
    signing: Signing,
    handset: Arc<dyn Handset>,
    notices: mpsc::UnboundedSender<Notice>,
}

/// A status webhook that is to be delivered to us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The number of ours the message came from.
    pub sender: SenderAddress,
    /// The body, not yet signed: it is signed when it leaves.
    pub body: Vec<u8>,
}

/// The simulator's side that sends webhooks: texts of its phones and reports of what they got.
#[derive(Debug, Clone)]
pub struct Outside {
    signing: Signing,
}

impl Simulator {
    /// A carrier with that webhook secret and those phones, and the reports it will make.
    #[must_use]
    pub fn new(secret: &Secret<[u8; 32]>, handset: Arc<dyn Handset>) -> (Self, mpsc::UnboundedReceiver<Notice>) {
        let (notices, made) = mpsc::unbounded_channel();
        let signing = Signing::new(secret);
        (Self { signing, handset, notices }, made)
    }

    /// Its side that sends webhooks.
    #[must_use]
    pub fn outside(&self) -> Outside {
        Outside { signing: self.signing.clone() }
    }
}

impl Outside {
    /// The body of a text's webhook.
    #[must_use]
    pub fn text_body(inbound: &Inbound) -> Vec<u8> {
        let Inbound { message_id, from, to, text, .. } = inbound;
        json!({ "id": message_id, "from": from, "to": to, "text": text }).to_string().into_bytes()
    }

    /// The headers of a webhook with that body, signed `now`.
    #[must_use]
    pub fn headers(&self, body: &[u8], now: DateTime<Utc>) -> Vec<(String, String)> {
        vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            (HEADER.to_owned(), self.signing.sign(body, now)),
        ]
    }
}

#[async_trait::async_trait]
impl SmsProvider for Simulator {
    fn name(&self) -> &str {
        SIMULATOR
    }

    fn authenticate<'a>(&self, hook: &'a Webhook<'a>, now: DateTime<Utc>) -> Result<Authentic<'a>, Forged> {
        self.signing.verify(hook, now)?;
        Ok(Authentic::vouched(hook, now))
    }

    fn parse(&self, hook: Authentic<'_>) -> Result<Vec<Event>, Unreadable> {
        generic::events(hook.body())
    }

    fn acknowledge(&self) -> Acknowledgement {
        Acknowledgement { status: 204, content_type: None, body: "" }
    }

    fn pace(&self) -> Pace {
        Pace::Unlimited
    }

    async fn send(&self, out: &Outgoing) -> Result<Accepted, SendError> {
        // Each attempt has a name of its own: what arrives twice is seen twice.
        let provider_id = format!("mt_{}_{}", out.message_ref(), out.attempt);
        let bubble = Bubble {
            id: provider_id.clone(),
            direction: Direction::Mt,
            text: out.body.clone(),
            at: out.at,
            segments: out.segments,
            status: BubbleStatus::Delivered,
            decision: Some(out.reference.clone()),
        };
        self.handset.show(&out.to, bubble);
        let body = json!({ "id": provider_id, "status": "delivered" }).to_string().into_bytes();
        let sender = out.from.clone();
        // Without the task that delivers them there are no reports, as with carriers that send none.
        let _ = self.notices.send(Notice { sender, body });
        Ok(Accepted { provider_id: Some(provider_id), segments: out.segments })
    }

    async fn lookup(&self, _: &Outgoing) -> Result<Lookup, SendError> {
        // Its phones live in this process: who asks after a crash asks new ones.
        Ok(Lookup::CannotSay)
    }

    async fn pull(&self, _: &SenderAddress, _: DateTime<Utc>) -> Result<Option<Vec<Inbound>>, SendError> {
        Ok(None)
    }

    async fn check(&self, _: &SenderAddress, _: &Hooks) -> Vec<Finding> {
        vec![Finding::ok("the simulator: phones in the browser stand in for a carrier")]
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::super::Method;
    use super::super::handset::Phones;
    use super::*;
    use crate::domain::phone::PhoneNumber;
    use crate::sms::{Refused, Report, ReportStatus};

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_000_000, 0).unwrap()
    }

    fn simulator() -> (Simulator, Phones, mpsc::UnboundedReceiver<Notice>) {
        let phones = Phones::new();
        let (simulator, notices) = Simulator::new(&Secret::new([7; 32]), Arc::new(phones.clone()));
        (simulator, phones, notices)
    }

    fn read(body: &str) -> Result<Vec<Event>, Unreadable> {
        let (simulator, ..) = simulator();
        let headers = simulator.outside().headers(body.as_bytes(), now());
        let hook = Webhook {
            method: Method::Post,
            url: "http://127.0.0.1:8080/sms/12345/inbound",
            headers: &headers,
            body: body.as_bytes(),
            remote: None,
        };
        let proof = simulator.authenticate(&hook, now()).unwrap();
        simulator.parse(proof)
    }

    fn outgoing(attempt: u32) -> Outgoing {
        Outgoing {
            message_id: [0xab; 16],
            attempt,
            from: SenderAddress::parse("12345").unwrap(),
            to: PhoneNumber::from_e164("+12025550123").unwrap(),
            body: "Acme: code PZA-7KMQ".to_owned(),
            segments: 1,
            reference: "dec_sms-12345.m1".to_owned(),
            status_url: "http://127.0.0.1:8080/sms/12345/status".to_owned(),
            at: now(),
        }
    }

    #[test]
    fn a_text_of_its_phones_is_read_as_it_was_written() {
        let inbound = Inbound::new("m1", "+12025550123", "12345", "pizza \u{1f355} \"please\"\n");
        let body = String::from_utf8(Outside::text_body(&inbound)).unwrap();
        assert!(read(&body).unwrap() == [Event::Inbound(inbound)]);
    }

    #[test]
    fn a_webhook_without_its_signature_is_forged() {
        let (simulator, ..) = simulator();
        let hook = Webhook { method: Method::Post, url: "", headers: &[], body: b"{}", remote: None };
        assert!(matches!(simulator.authenticate(&hook, now()), Err(Forged::Unsigned)));
    }

    #[test]
    fn one_bad_part_of_several_loses_no_other() {
        let events = read(
            r#"[{"id":"m1","from":"+12025550123","to":"12345","text":"A","new_field":1},
                {"id":"m2","from":5},
                {"id":"p1","status":"vanished"},
                {"id":"p2","status":"failed","code":"30003"}]"#,
        )
        .unwrap();
        let kinds: Vec<_> = events.iter().map(|event| format!("{event:?}")).collect();
        assert_eq!(kinds, ["Inbound(…)", "Unreadable(…)", "Unreadable(…)", "Report(…)"]);
        let last = Report {
            note: Some("30003".to_owned()),
            class: Some(Refused::Other),
            ..Report::of("p2", ReportStatus::Failed)
        };
        assert!(events.last() == Some(&Event::Report(last)));
    }

    #[test]
    fn what_is_no_json_is_unreadable_without_its_words() {
        let error = read("PIZZA from +12025550123").unwrap_err();
        assert_eq!(error.to_string(), "not a webhook of ours at line 1 column 1");
    }

    #[tokio::test]
    async fn a_message_reaches_its_phone_and_its_report_leaves_as_a_webhook() {
        let (simulator, phones, mut notices) = simulator();
        let accepted = simulator.send(&outgoing(0)).await.unwrap();
        let [bubble] = &phones.messages(&outgoing(0).to)[..] else {
            unreachable!("one message was sent");
        };
        assert_eq!(
            (bubble.id.as_str(), bubble.text.as_str(), bubble.decision.as_deref()),
            (accepted.provider_id.as_deref().unwrap(), "Acme: code PZA-7KMQ", Some("dec_sms-12345.m1"))
        );
        let notice = notices.recv().await.unwrap();
        let body = String::from_utf8(notice.body).unwrap();
        let report = Report::of(&accepted.provider_id.unwrap(), ReportStatus::Delivered);
        assert!(read(&body).unwrap() == [Event::Report(report)]);
    }

    #[tokio::test]
    async fn a_message_handed_over_twice_arrives_twice() {
        let (simulator, phones, _notices) = simulator();
        for attempt in 0..2 {
            simulator.send(&outgoing(attempt)).await.unwrap();
        }
        assert_eq!(phones.messages(&outgoing(0).to).len(), 2);
    }
}
