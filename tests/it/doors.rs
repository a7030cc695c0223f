//! Carriers' webhooks and the phones in the browser, from the front door to the table.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use crate::harness::on_both;

on_both! {
    a_text_in_the_simulator_is_answered_on_its_phone,
    a_forged_webhook_changes_nothing,
    an_unknown_number_is_not_found_and_an_unreadable_webhook_is_refused,
    one_bad_event_of_several_loses_no_other,
    the_same_webhook_fifty_times_is_one_text_and_one_reply,
    a_text_for_another_number_is_not_taken_by_this_one,
    a_report_of_a_carrier_changes_its_message_only_forward,
    what_cannot_be_texted_is_refused_with_the_fix,
    the_form_works_without_a_script,
    a_watcher_sees_the_answer_with_its_decision_and_nothing_of_other_phones,
}

mod bodies {
    use crate::harness::{House, campaign, sender};
    use axum::Router;
    use axum::body::{Body, Bytes};
    use axum::http::{Request, StatusCode, header};
    use codewell::domain::phone::PhoneNumber;
    use codewell::domain::secret::Secret;
    use codewell::engine::{Clock as _, EarlyReports, Engine};
    use codewell::http::simulator::{SimulatorDoor, deliver_reports};
    use codewell::http::sms::SmsDoor;
    use codewell::sms::{BubbleStatus, Direction, Outside, Phones, Registry, SIMULATOR_SECRET, Simulator};
    use codewell::workers::sender::Sender;
    use serde_json::{Value, json};
    use std::sync::Arc;
    use tokio_stream::StreamExt as _;
    use tower::ServiceExt as _;

    const PHONE: &str = "+12025550123";

    /// A house with its doors, its sender and its simulator running.
    struct Site {
        house: House,
        router: Router,
        phones: Phones,
        outside: Outside,
    }

    impl Site {
        async fn open(house: House) -> Self {
            sender(&house).await;
            campaign(1).write(&house).await;
            // The house keeps no messages; this engine, on the same database, hands them to the sender.
            let (engine, committer, fresh) = Engine::new(house.engine.parts().clone()).await.unwrap();
            tokio::spawn(committer.run());
            let phones = Phones::new();
            let secret = Secret::new(engine.parts().keys.derive(SIMULATOR_SECRET));
            let (simulator, notices) = Simulator::new(&secret, Arc::new(phones.clone()));
            let outside = simulator.outside();
            let carriers = Registry::new([Arc::new(simulator) as _]);
            let early = EarlyReports::default();
            let worker = Sender::new(engine.clone(), carriers.clone(), early.clone(), crate::sender::config());
            tokio::spawn(worker.run(fresh, std::future::pending()));
            let sms = SmsDoor { engine, carriers, early };
            let door = SimulatorDoor { sms, phones: phones.clone(), outside: outside.clone() };
            tokio::spawn(deliver_reports(door.clone(), notices, std::future::pending()));
            let router = Router::new()
                .merge(codewell::http::sms::routes())
                .merge(codewell::http::simulator::routes())
                .with_state(door);
            Self { house, router, phones, outside }
        }

        async fn ask(&self, request: Request<Body>) -> (StatusCode, Bytes, axum::http::HeaderMap) {
            let response = self.router.clone().oneshot(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
            (parts.status, body, parts.headers)
        }

        async fn post_json(&self, path: &str, body: &Value) -> (StatusCode, Value) {
            let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
            let request = request.body(Body::from(body.to_string())).unwrap();
            let (status, body, _) = self.ask(request).await;
            (status, serde_json::from_slice(&body).unwrap_or_default())
        }

        /// A webhook, signed as the simulator signs, sent to the address of `number`.
        async fn webhook(&self, path: &str, body: &Value) -> StatusCode {
            let body = body.to_string().into_bytes();
            let mut request = Request::post(path);
            for (name, value) in self.outside.headers(&body, self.house.clock.now()) {
                request = request.header(name, value);
            }
            let (status, answer, _) = self.ask(request.body(Body::from(body)).unwrap()).await;
            assert!(!status.is_success() || answer.is_empty());
            status
        }

        async fn messages(&self) -> Vec<Value> {
            let request = Request::get("/simulator/messages?phone=%2B12025550123");
            let (status, body, _) = self.ask(request.body(Body::empty()).unwrap()).await;
            assert_eq!(status, StatusCode::OK);
            let body: Value = serde_json::from_slice(&body).unwrap();
            body["data"].as_array().unwrap().clone()
        }

        /// Waits until the phone got so many messages of ours.
        async fn got(&self, wanted: usize) {
            let phone = PhoneNumber::from_e164(PHONE).unwrap();
            let mut changes = self.phones.watch();
            loop {
                let all = self.phones.messages(&phone);
                let ours = all.iter().filter(|one| one.direction == Direction::Mt);
                if ours.count() >= wanted {
                    return;
                }
                changes.recv().await.unwrap();
            }
        }

        async fn count(&self, of: &str) -> i64 {
            self.house.number(&format!("SELECT count(*) FROM {of}")).await
        }

        /// Waits until a query says that there is one such row.
        async fn one(&self, of: &str) {
            while self.count(of).await != 1 {
                tokio::task::yield_now().await;
            }
        }
    }

    fn text(id: &str, words: &str) -> Value {
        json!({ "id": id, "from": PHONE, "to": "12345", "text": words })
    }

    const INBOUND: &str = "/sms/12345/inbound";
    const STATUS: &str = "/sms/12345/status";

    pub(super) async fn a_text_in_the_simulator_is_answered_on_its_phone(house: House) {
        let site = Site::open(house).await;
        let asked = json!({ "from": PHONE, "to": "12345", "text": "wordb" });
        let (status, body) = site.post_json("/simulator/messages", &asked).await;
        assert_eq!(status, StatusCode::ACCEPTED);
        site.got(1).await;
        let messages = site.messages().await;
        let [mo, mt] = &messages[..] else {
            panic!("two messages, not {messages:?}");
        };
        assert_eq!((&mo["id"], &mo["direction"]), (&body["id"], &json!("mo")));
        assert_eq!((&mo["status"], &mo["text"]), (&json!("received"), &json!("wordb")));
        assert_eq!((&mt["direction"], &mt["status"]), (&json!("mt"), &json!("delivered")));
        assert_eq!(mt["segments"], json!(1));
        assert!(mt["text"].as_str().unwrap().starts_with("Acme: "));
        assert_eq!(mo["decision"], mt["decision"]);
        assert!(mt["decision"].as_str().unwrap().starts_with("dec_sms-12345.mo_"));
        for message in [mo, mt] {
            let why = &message["explain"];
            assert_eq!((&why["outcome"], &why["campaign"]), (&json!("issued"), &json!("C1")));
        }
        site.one("outbox_message WHERE status = 'delivered' AND segments = 1").await;
    }

    pub(super) async fn a_forged_webhook_changes_nothing(house: House) {
        let site = Site::open(house).await;
        let request = Request::post(INBOUND)
            .header("x-signature", format!("t=1795000000,v1={}", "0".repeat(64)))
            .body(Body::from(text("m1", "WORDB").to_string()))
            .unwrap();
        let (status, body, headers) = site.ask(request).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json");
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["code"], json!("invalid_signature"));
        assert_eq!(site.count("request").await, 0);
    }

    pub(super) async fn an_unknown_number_is_not_found_and_an_unreadable_webhook_is_refused(house: House) {
        let site = Site::open(house).await;
        for (path, body, status) in [
            ("/sms/54321/inbound", text("m1", "WORDB"), StatusCode::NOT_FOUND),
            ("/sms/nobody/status", text("m1", "WORDB"), StatusCode::NOT_FOUND),
            (INBOUND, text("m1", "WORDB"), StatusCode::NO_CONTENT),
        ] {
            assert_eq!(site.webhook(path, &body).await, status, "{path}");
        }
        let body = b"text=WORDB".to_vec();
        let mut request = Request::post(INBOUND);
        for (name, value) in site.outside.headers(&body, site.house.clock.now()) {
            request = request.header(name, value);
        }
        let (status, ..) = site.ask(request.body(Body::from(body)).unwrap()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
    }

    pub(super) async fn one_bad_event_of_several_loses_no_other(house: House) {
        let site = Site::open(house).await;
        let body = json!([
            { "id": "m0", "from": 7 },
            text("m1", "WORDB"),
            { "id": "m2", "from": "not a number", "to": "12345", "text": "WORDB" },
            { "id": "m3", "from": PHONE, "to": "nowhere", "text": "WORDB" },
            { "id": "unknown", "status": "delivered" },
            text("m1", "ANOTHER TEXT"),
            text("m4", "HELP"),
        ]);
        assert_eq!(site.webhook(INBOUND, &body).await, StatusCode::NO_CONTENT);
        site.got(2).await;
        assert_eq!(site.count("issuance").await, 1);
        assert_eq!(site.count("request WHERE request_key IN ('m1', 'm4')").await, 2);
    }

    pub(super) async fn the_same_webhook_fifty_times_is_one_text_and_one_reply(house: House) {
        let site = Arc::new(Site::open(house).await);
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..50 {
            let site = Arc::clone(&site);
            tasks.spawn(async move { site.webhook(INBOUND, &text("m1", "WORDB")).await });
        }
        let told = tasks.join_all().await;
        assert_eq!(told, vec![StatusCode::NO_CONTENT; 50]);
        site.one("outbox_message WHERE status = 'delivered'").await;
        assert_eq!(site.count("request").await, 1);
        assert_eq!(site.count("issuance").await, 1);
        assert_eq!(site.messages().await.len(), 1);
        site.house.audited().await;
    }

    pub(super) async fn a_text_for_another_number_is_not_taken_by_this_one(house: House) {
        let site = Site::open(house).await;
        let body = json!({ "id": "m1", "from": PHONE, "to": "54321", "text": "WORDB" });
        assert_eq!(site.webhook(INBOUND, &body).await, StatusCode::NO_CONTENT);
        assert_eq!(site.count("request").await, 0);
    }

    pub(super) async fn a_report_of_a_carrier_changes_its_message_only_forward(house: House) {
        let site = Site::open(house).await;
        site.webhook(INBOUND, &text("m1", "HELP")).await;
        site.one("outbox_message WHERE status = 'delivered'").await;
        let phone = PhoneNumber::from_e164(PHONE).unwrap();
        let bubble = site.phones.messages(&phone).remove(0);
        assert_eq!(bubble.status, BubbleStatus::Delivered);
        for status in ["failed", "sent", "delivered"] {
            let report = json!({ "id": bubble.id, "status": status });
            assert_eq!(site.webhook(STATUS, &report).await, StatusCode::NO_CONTENT);
        }
        assert_eq!(site.count("outbox_message WHERE status = 'delivered'").await, 1);
    }

    pub(super) async fn what_cannot_be_texted_is_refused_with_the_fix(house: House) {
        let site = Site::open(house).await;
        for (from, to, words, status, code) in [
            ("12", "12345", "WORDB", StatusCode::BAD_REQUEST, "invalid_phone"),
            (PHONE, "54321", "WORDB", StatusCode::NOT_FOUND, "not_found"),
            (PHONE, "12345", " ", StatusCode::BAD_REQUEST, "invalid_request"),
            (PHONE, "12345", &"x".repeat(1601), StatusCode::BAD_REQUEST, "invalid_request"),
        ] {
            let asked = json!({ "from": from, "to": to, "text": words });
            let (told, body) = site.post_json("/simulator/messages", &asked).await;
            assert_eq!((told, &body["code"]), (status, &json!(code)), "{body}");
        }
        let more = json!({ "from": PHONE, "to": "12345", "text": "WORDB", "when": 1 });
        let (told, _) = site.post_json("/simulator/messages", &more).await;
        assert_eq!(told, StatusCode::BAD_REQUEST);
        assert_eq!(site.messages().await.len(), 0);
    }

    pub(super) async fn the_form_works_without_a_script(house: House) {
        let site = Site::open(house).await;
        let form = |words: &str| {
            let body = format!("from=%2B12025550123&to=12345&text={words}");
            Request::post("/simulator")
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(Body::from(body))
                .unwrap()
        };
        let (status, _, headers) = site.ask(form("WORDB")).await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        let next = headers[header::LOCATION].to_str().unwrap();
        assert_eq!(next, "/simulator?phone=%2B12025550123");
        site.got(1).await;
        let (status, page, _) = site.ask(Request::get(next).body(Body::empty()).unwrap()).await;
        let page = String::from_utf8(page.to_vec()).unwrap();
        assert_eq!(status, StatusCode::OK);
        assert!(page.contains("(202) 555-0123") && page.contains("Acme"));
        assert!(page.contains("Code issued") && page.contains("dec_sms-12345.mo_"));
        let (status, page, _) = site.ask(form("++")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        let page = String::from_utf8(page.to_vec()).unwrap();
        assert!(page.contains("Write 1 to 1600 characters"));
    }

    pub(super) async fn a_watcher_sees_the_answer_with_its_decision_and_nothing_of_other_phones(house: House) {
        let site = Site::open(house).await;
        let request = Request::get("/simulator/events?phone=%2B12025550123");
        let request = request.body(Body::empty()).unwrap();
        let response = site.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
        let mut events = response.into_body().into_data_stream();
        let other = json!({ "id": "m1", "from": "+12025550199", "to": "12345", "text": "WORDB" });
        site.webhook(INBOUND, &other).await;
        site.one("outbox_message WHERE status = 'delivered'").await;
        site.webhook(INBOUND, &text("m2", "WORDB")).await;
        let chunk = events.next().await.unwrap().unwrap();
        let chunk = String::from_utf8(chunk.to_vec()).unwrap();
        let data = chunk.strip_prefix("event: message\ndata: ").unwrap();
        let message: Value = serde_json::from_str(data.trim()).unwrap();
        assert_eq!(message["decision"], json!("dec_sms-12345.m2"));
        assert_eq!(message["explain"]["outcome"], json!("issued"));
    }
}
