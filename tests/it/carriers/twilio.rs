//! Twilio end to end: its signed webhooks in, its REST API, which a server of ours stands in for, out.

use crate::harness::on_both;

on_both! {
    a_signed_webhook_brings_a_code_and_its_delivery_is_recorded,
    a_webhook_by_get_is_a_text_too,
    a_forged_webhook_changes_nothing,
    fifty_copies_at_once_are_one_code_and_one_message,
    receipts_in_any_order_doubled_and_late_change_nothing_twice,
    a_stop_that_twilio_answered_is_written_down_and_not_answered,
    where_the_provider_handles_opt_outs_we_answer_none,
    a_refusal_because_of_stop_is_a_stop_to_us,
    a_start_outranks_the_late_word_of_an_old_stop,
    texts_that_came_while_we_were_away_are_answered_once,
    a_text_that_the_list_shows_late_is_found_at_a_later_look,
    a_refused_webhook_is_asked_for_at_the_next_look,
    an_account_that_is_not_let_in_raises_an_alert_and_is_asked_again,
}

pub(super) mod bodies {
    use super::super::rest::{Fields, Rest};
    use super::super::signers::{Wire, sign};
    use crate::harness::{House, campaign, keyword};
    use axum::Router;
    use axum::body::Body;
    use axum::http::{Request, StatusCode};
    use chrono::{DateTime, TimeDelta, Utc};
    use codewell::domain::ids::SenderId;
    use codewell::domain::secret::Secret;
    use codewell::engine::{Clock as _, EarlyReports, Engine};
    use codewell::http::sms::SmsDoor;
    use codewell::net::{Client, Limits};
    use codewell::sms::{Account, Registry};
    use codewell::workers::catch_up::CatchUp;
    use codewell::workers::sender::Sender;
    use serde_json::json;
    use std::collections::BTreeMap;
    use std::time::Duration;
    use tokio::sync::mpsc;
    use tokio::task::JoinSet;
    use tower::ServiceExt as _;

    const PHONE: &str = "+12025550123";
    const TOKEN: &str = "made0up0token0made0up0token00001";
    /// Far longer than anything here takes on a busy machine.
    const PATIENCE: Duration = Duration::from_mins(1);
    const INBOUND: &str = "/sms/12345/inbound";

    /// A house whose one number is at Twilio, with its door, its sender and its watcher.
    struct Site {
        house: House,
        engine: Engine,
        router: Router,
        rest: Rest,
        sent: mpsc::UnboundedReceiver<Fields>,
        catch_up: CatchUp,
    }

    async fn open(house: House) -> Site {
        open_as(house, "app").await
    }

    async fn open_as(house: House, opt_outs: &str) -> Site {
        let document = json!({"address": "12345", "carrier": "twilio", "brand": "Acme", "help": "acme.example/help",
            "opt_out_handled_by": opt_outs});
        house.sql(&format!("INSERT INTO sender VALUES (1, '12345', 'twilio', 'Acme', '{document}')")).await;
        campaign(1).write(&house).await;
        let (rest, base_url, sent) = Rest::start().await;
        let keys = [("account", "AC1"), ("token", TOKEN)];
        let account = Account {
            name: "twilio".to_owned(),
            kind: "twilio".to_owned(),
            base_url: Some(base_url),
            keys: keys.map(|(key, value)| (key.to_owned(), Secret::new(value.to_owned()))).into(),
        };
        let second = Duration::from_secs(5);
        let client = Client::new(Limits { connect: second, total: second, answer_bytes: 1 << 20 }).unwrap();
        let carriers = Registry::default().with(Registry::open(&account, &client).unwrap());
        // The house keeps no messages; this engine, on the same database, hands them to the sender.
        let (engine, committer, fresh) = Engine::new(house.engine.parts().clone()).await.unwrap();
        tokio::spawn(committer.run());
        let early = EarlyReports::default();
        let worker = Sender::new(engine.clone(), carriers.clone(), early.clone(), crate::sender::config());
        tokio::spawn(worker.run(fresh, std::future::pending()));
        let catch_up = CatchUp::new(engine.clone(), carriers.clone());
        let door = SmsDoor { engine: engine.clone(), carriers, early };
        let router = codewell::http::sms::routes().with_state(door);
        Site { house, engine, router, rest, sent, catch_up }
    }

    fn text(sid: &str, words: &str, more: &[(&str, &str)]) -> String {
        let fields =
            [("MessageSid", sid), ("SmsStatus", "received"), ("From", PHONE), ("To", "12345"), ("Body", words)];
        form_urlencoded::Serializer::new(String::new()).extend_pairs(fields.iter().chain(more)).finish()
    }

    pub(in super::super) fn report(sid: &str, status: &str, code: Option<&str>) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs([("MessageSid", sid), ("MessageStatus", status), ("To", PHONE), ("From", "12345")]);
        form.extend_pairs(code.map(|code| ("ErrorCode", code)));
        form.finish()
    }

    /// Posts a form as Twilio does, signed, to a public address.
    pub(in super::super) async fn post(router: &Router, url: &str, form: &str) -> StatusCode {
        let (url, query) = url.split_once('?').unwrap_or((url, ""));
        let url = if url.starts_with('/') { format!("https://coupons.acme.example{url}") } else { url.to_owned() };
        let mut wire = Wire {
            method: "POST".to_owned(),
            url,
            query: query.to_owned(),
            headers: [("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())].into(),
            body: form.as_bytes().to_vec(),
        };
        sign("twilio", &mut wire, TOKEN, 0);
        let path = wire.full_url().replace("https://coupons.acme.example", "");
        let request = Request::post(path);
        let request = wire.headers.iter().fold(request, |request, (name, value)| request.header(name, value));
        let response = router.clone().oneshot(request.body(Body::from(wire.body)).unwrap()).await.unwrap();
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        let twiml = b"<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response/>";
        assert!(status != StatusCode::OK || body.as_ref() == twiml, "the phone would get {body:?}");
        status
    }

    impl Site {
        async fn text(&self, sid: &str, words: &str) {
            assert_eq!(post(&self.router, INBOUND, &text(sid, words, &[])).await, StatusCode::OK);
        }

        async fn count(&self, what: &str) -> i64 {
            self.house.number(&format!("SELECT count(*) FROM {what}")).await
        }

        /// The next message that Twilio got.
        async fn next(&mut self) -> Fields {
            let sent = tokio::time::timeout(PATIENCE, self.sent.recv()).await;
            sent.expect("a message is sent in time").unwrap()
        }

        /// Waits until there are so many rows.
        async fn until(&self, wanted: i64, what: &str) {
            let there = async {
                while self.count(what).await != wanted {
                    tokio::task::yield_now().await;
                }
            };
            tokio::time::timeout(PATIENCE, there).await.unwrap_or_else(|_| panic!("never {wanted} of {what}"));
        }

        fn answers(&self, status: u16, code: u32) {
            let body = json!({"code": code, "message": "no", "status": status});
            self.rest.answers.lock().unwrap().push_back((status, body));
        }

        fn lists(&self, sid: &str, words: &str, at: DateTime<Utc>) {
            let at = at.to_rfc2822();
            let message = json!({"sid": sid, "direction": "inbound", "from": PHONE, "to": "12345", "body": words,
                "num_segments": "1", "date_sent": at, "date_created": at});
            self.rest.listed.lock().unwrap().insert(0, message);
        }
    }

    pub(super) async fn a_signed_webhook_brings_a_code_and_its_delivery_is_recorded(house: House) {
        let mut site = open(house).await;
        site.text("SM900", &keyword(1)).await;
        let sent = site.next().await;
        assert_eq!((sent["To"].as_str(), sent["From"].as_str()), (PHONE, "12345"));
        let callback = sent["StatusCallback"].clone();
        assert!(callback.starts_with("https://coupons.acme.example/sms/12345/status?ref="), "{callback}");
        site.until(1, "outbox_message WHERE status = 'submitted' AND provider_id = 'SM1'").await;
        assert_eq!(post(&site.router, &callback, &report("SM1", "delivered", None)).await, StatusCode::OK);
        site.until(1, "outbox_message WHERE status = 'delivered'").await;
        assert_eq!(site.count("issuance").await, 1);
        site.house.audited().await;
    }

    pub(super) async fn a_webhook_by_get_is_a_text_too(house: House) {
        let mut site = open(house).await;
        let query = text("SM900", &keyword(1), &[]);
        let mut wire = Wire {
            method: "GET".to_owned(),
            url: format!("https://coupons.acme.example{INBOUND}"),
            query: query.clone(),
            headers: BTreeMap::new(),
            body: Vec::new(),
        };
        sign("twilio", &mut wire, TOKEN, 0);
        let request = Request::get(format!("{INBOUND}?{query}"));
        let request = request.header("x-twilio-signature", &wire.headers["x-twilio-signature"]);
        let response = site.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        site.next().await;
        assert_eq!(site.count("issuance").await, 1);
    }

    pub(super) async fn a_forged_webhook_changes_nothing(house: House) {
        let site = open(house).await;
        let request = Request::post(INBOUND)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("x-twilio-signature", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=")
            // A host of the forger's choice is no part of what is checked.
            .header("host", "evil.example")
            .body(Body::from(text("SM900", &keyword(1), &[])));
        let response = site.router.clone().oneshot(request.unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!((site.count("request").await, site.count("outbox_message").await), (0, 0));
    }

    pub(super) async fn fifty_copies_at_once_are_one_code_and_one_message(house: House) {
        let mut site = open(house).await;
        let form = text("SM900", &keyword(1), &[]);
        let mut copies = JoinSet::new();
        for _ in 0..50 {
            let (router, form) = (site.router.clone(), form.clone());
            copies.spawn(async move { post(&router, INBOUND, &form).await });
        }
        assert!(copies.join_all().await.iter().all(|status| *status == StatusCode::OK));
        site.next().await;
        site.until(1, "outbox_message WHERE status = 'submitted'").await;
        for table in ["request", "issuance", "outbox_message"] {
            assert_eq!(site.count(table).await, 1, "{table}");
        }
        assert!(site.sent.try_recv().is_err(), "it was sent twice");
        site.house.audited().await;
    }

    pub(super) async fn receipts_in_any_order_doubled_and_late_change_nothing_twice(house: House) {
        let mut site = open(house).await;
        *site.rest.hasty.lock().unwrap() = Some((site.router.clone(), "delivered"));
        site.text("SM900", &keyword(1)).await;
        let sent = site.next().await;
        // Our own note came after the report: what it knows is kept, the state stays.
        site.until(1, "outbox_message WHERE status = 'delivered' AND provider_id = 'SM1' AND segments = 1 AND length(body_hash) = 32").await;
        for status in ["queued", "sent", "delivered", "undelivered", "delivered"] {
            let code = (status == "undelivered").then_some("30003");
            let done = post(&site.router, &sent["StatusCallback"], &report("SM1", status, code)).await;
            assert_eq!(done, StatusCode::OK);
        }
        let stranger = report("SM77", "delivered", None);
        assert_eq!(post(&site.router, "/sms/12345/status?ref=zz", &stranger).await, StatusCode::OK);
        assert_eq!(site.count("outbox_message WHERE status = 'delivered' AND attempts = 1").await, 1);
        site.house.audited().await;
    }

    pub(super) async fn a_stop_that_twilio_answered_is_written_down_and_not_answered(house: House) {
        let site = open(house).await;
        // Its words may be any that the brand chose there; even a keyword of ours.
        let form = text("SM900", &keyword(1), &[("OptOutType", "STOP")]);
        assert_eq!(post(&site.router, INBOUND, &form).await, StatusCode::OK);
        assert_eq!((site.count("opt_out").await, site.count("outbox_message").await), (1, 0));
        assert_eq!(site.count("consent_event WHERE kind = 'opt_out' AND matched = 'carrier'").await, 1);
        assert_eq!(site.count("issuance").await, 0);
        let form = text("SM901", "HELP", &[("OptOutType", "HELP")]);
        assert_eq!(post(&site.router, INBOUND, &form).await, StatusCode::OK);
        let form = text("SM902", "START", &[("OptOutType", "START")]);
        assert_eq!(post(&site.router, INBOUND, &form).await, StatusCode::OK);
        assert_eq!((site.count("opt_out").await, site.count("outbox_message").await), (0, 0));
        site.house.audited().await;
    }

    pub(super) async fn where_the_provider_handles_opt_outs_we_answer_none(house: House) {
        let mut site = open_as(house, "provider").await;
        for (sid, words) in [("SM900", "STOP"), ("SM901", "HELP"), ("SM902", "START")] {
            site.text(sid, words).await;
        }
        assert_eq!((site.count("request").await, site.count("outbox_message").await), (3, 0));
        site.text("SM903", &keyword(1)).await;
        site.next().await;
        assert_eq!(site.count("outbox_message").await, 1);
    }

    pub(super) async fn a_refusal_because_of_stop_is_a_stop_to_us(house: House) {
        let mut site = open(house).await;
        site.answers(400, 21610);
        site.text("SM900", &keyword(1)).await;
        site.next().await;
        site.until(1, "outbox_message WHERE status = 'failed'").await;
        site.until(1, "opt_out").await;
        assert_eq!(site.count("consent_event WHERE kind = 'opt_out' AND matched = 'carrier'").await, 1);
        assert_eq!(site.count("request WHERE kind = 'stop' AND replied = 0").await, 1);
        site.house.audited().await;
    }

    pub(super) async fn a_start_outranks_the_late_word_of_an_old_stop(house: House) {
        let mut site = open(house).await;
        site.text("SM900", &keyword(1)).await;
        let sent = site.next().await;
        site.until(1, "outbox_message WHERE status = 'submitted'").await;
        site.house.clock.forward(TimeDelta::minutes(1));
        site.text("SM901", "START").await;
        let refused = report("SM1", "undelivered", Some("21610"));
        for _ in 0..2 {
            assert_eq!(post(&site.router, &sent["StatusCallback"], &refused).await, StatusCode::OK);
        }
        site.until(1, "outbox_message WHERE status = 'failed'").await;
        assert_eq!(site.count("opt_out").await, 0);
        // The next message is refused as well: that is news.
        site.house.clock.forward(TimeDelta::minutes(1));
        site.answers(400, 21610);
        site.text("SM902", "HELP").await;
        site.until(1, "opt_out").await;
        site.house.audited().await;
    }

    pub(super) async fn texts_that_came_while_we_were_away_are_answered_once(house: House) {
        let mut site = open(house).await;
        let start = site.house.clock.now();
        assert_eq!(site.catch_up.beat().await, 0);
        site.text("SM900", &keyword(1)).await;
        site.next().await;
        // Twenty minutes nobody is here; she texts HELP, and Twilio keeps it.
        site.lists("SM900", &keyword(1), start);
        site.lists("SM901", "HELP", start + TimeDelta::minutes(10));
        site.lists("SM899", "HELP", start - TimeDelta::hours(25));
        site.house.clock.forward(TimeDelta::minutes(20));
        assert_eq!(site.catch_up.beat().await, 1);
        let sent = site.next().await;
        assert!(sent["Body"].contains("acme.example/help"));
        // The webhook comes after all, then another look and another process.
        site.text("SM901", "HELP").await;
        assert_eq!(site.catch_up.beat().await, 0);
        assert_eq!((site.count("request").await, site.count("outbox_message").await), (2, 2));
        assert!(site.sent.try_recv().is_err());
        site.house.audited().await;
    }

    pub(super) async fn a_text_that_the_list_shows_late_is_found_at_a_later_look(house: House) {
        let mut site = open(house).await;
        let start = site.house.clock.now();
        assert_eq!(site.catch_up.beat().await, 0);
        site.lists("SM900", &keyword(1), start - TimeDelta::seconds(1));
        site.house.clock.forward(TimeDelta::seconds(30));
        assert_eq!(site.catch_up.beat().await, 1);
        site.next().await;
    }

    pub(super) async fn a_refused_webhook_is_asked_for_at_the_next_look(house: House) {
        let mut site = open(house).await;
        // After a start it is asked for two minutes, in case the list lags.
        for _ in 0..4 {
            assert_eq!(site.catch_up.beat().await, 0);
            site.house.clock.forward(TimeDelta::seconds(60));
        }
        site.lists("SM900", &keyword(1), site.house.clock.now());
        assert_eq!(site.catch_up.beat().await, 0, "without a gap nothing is asked");
        site.engine.refused_webhook(SenderId(1));
        assert_eq!(site.catch_up.beat().await, 1);
        assert_eq!(site.catch_up.beat().await, 0);
        site.next().await;
    }

    pub(super) async fn an_account_that_is_not_let_in_raises_an_alert_and_is_asked_again(house: House) {
        let mut site = open(house).await;
        site.answers(401, 20003);
        site.lists("SM900", &keyword(1), site.house.clock.now());
        assert_eq!(site.catch_up.beat().await, 0);
        assert_eq!(site.count("alert WHERE kind = 'carrier_account' AND about = '12345'").await, 1);
        assert_eq!(site.catch_up.beat().await, 1);
        site.next().await;
    }
}
