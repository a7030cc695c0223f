//! The feed and the endpoints from the partner's front door.

use crate::harness::on_both;

on_both! {
    a_partner_manages_its_endpoints_and_nobody_elses,
    a_key_tries_or_replays_an_endpoint_once,
    hundreds_with_one_key_send_one_trial,
    the_feed_is_read_page_by_page_without_gaps,
}

mod bodies {
    use super::super::receiver::{Receiver, Says, guarded};
    use crate::harness::{House, TestPartner, partner_door};
    use axum::Router;
    use axum::body::Body;
    use axum::extract::FromRef;
    use axum::http::{Request, StatusCode};
    use chrono::TimeDelta;
    use codewell::domain::address::Allowed;
    use codewell::domain::feed::Codes;
    use codewell::domain::webhook::{EndpointId, WantedEvents};
    use codewell::engine::{Engine, NewEndpoint};
    use codewell::http::partner::{self, PartnerDoor, WebhookDoor};
    use codewell::workers::webhooks::deliver_due;
    use serde_json::{Value, json};
    use std::collections::BTreeSet;
    use std::sync::Arc;
    use tokio::task::JoinSet;
    use tower::ServiceExt as _;

    #[derive(Clone)]
    struct Doors {
        engine: Engine,
        partners: PartnerDoor,
        webhooks: WebhookDoor,
    }

    impl FromRef<Doors> for Engine {
        fn from_ref(doors: &Doors) -> Self {
            doors.engine.clone()
        }
    }

    impl FromRef<Doors> for PartnerDoor {
        fn from_ref(doors: &Doors) -> Self {
            doors.partners.clone()
        }
    }

    impl FromRef<Doors> for WebhookDoor {
        fn from_ref(doors: &Doors) -> Self {
            doors.webhooks.clone()
        }
    }

    struct Site {
        router: Router,
    }

    impl Site {
        fn open(house: &House, allow: &str) -> Self {
            let allowed = Arc::new(Allowed::read([allow]).unwrap());
            let (engine, partners) = (house.engine.clone(), partner_door(&house.engine));
            let doors = Doors { engine, partners, webhooks: WebhookDoor { allowed } };
            Self { router: partner::routes().with_state(doors) }
        }

        async fn ask(&self, by: &TestPartner, method: &str, path: &str, key: &str, body: Value) -> (StatusCode, Value) {
            let request = Request::builder()
                .method(method)
                .uri(path)
                .header("authorization", format!("Bearer {}", by.token))
                .header("content-type", "application/json")
                .header("idempotency-key", key)
                .body(if body.is_null() { Body::empty() } else { Body::from(body.to_string()) })
                .unwrap();
            let response = self.router.clone().oneshot(request).await.unwrap();
            let status = response.status();
            let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
            (status, serde_json::from_slice(&body).unwrap_or_default())
        }

        async fn get(&self, by: &TestPartner, path: &str) -> (StatusCode, Value) {
            self.ask(by, "GET", path, "none", Value::Null).await
        }
    }

    pub(super) async fn a_partner_manages_its_endpoints_and_nobody_elses(house: House) {
        let (one, other) = (house.partner("acme", &[]).await, house.partner("rival", &[]).await);
        let receiver = Receiver::start(Says::Status(200)).await;
        let allow = receiver.address.to_string();
        let site = Site::open(&house, &allow);
        let all = "/v1/webhook-endpoints";
        let new = json!({"url": receiver.url(), "events": ["redeemed"], "codes": "full"});
        let (status, made) = site.ask(&one, "POST", all, "k1", new.clone()).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        assert!(made["secret"].as_str().unwrap().starts_with("whsec_"));
        let (status, again) = site.ask(&one, "POST", all, "k1", new.clone()).await;
        assert_eq!((status, &again), (StatusCode::CREATED, &made), "the same key, the same answer");
        let (status, reused) = site.ask(&one, "POST", all, "k1", json!({"url": "https://hooks.example/x"})).await;
        assert_eq!((status, &reused["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("idempotency_mismatch")));
        for bad in ["http://hooks.example/", "https://10.0.0.1/", "https://[::1]/", "ftp://x/", "https://u@x/", "x"] {
            let (status, said) = site.ask(&one, "POST", all, "k2", json!({"url": bad})).await;
            assert_eq!((status, &said["code"]), (StatusCode::BAD_REQUEST, &json!("invalid_request")), "{bad}");
        }
        let path = format!("{all}/{}", made["id"].as_str().unwrap());
        for (method, path, body) in [
            ("GET", path.clone(), Value::Null),
            ("PATCH", path.clone(), json!({"status": "disabled"})),
            ("DELETE", path.clone(), Value::Null),
            ("POST", format!("{path}/rotate-secret"), Value::Null),
            ("POST", format!("{path}/test"), Value::Null),
            ("POST", format!("{path}/replay"), json!({"after": "fc_0000000000000000"})),
            ("GET", format!("{path}/deliveries"), Value::Null),
        ] {
            let (status, said) = site.ask(&other, method, &path, "k", body).await;
            assert_eq!((status, &said["code"]), (StatusCode::NOT_FOUND, &json!("not_found")), "{method} {path}");
        }
        assert_eq!(site.get(&other, all).await.1["data"], json!([]));
        let (_, listed) = site.get(&one, all).await;
        assert_eq!(listed["data"].as_array().unwrap().len(), 1);
        assert!(listed["data"][0].get("secret").is_none(), "shown once");
        let (status, tried) = site.ask(&one, "POST", &format!("{path}/test"), "k", Value::Null).await;
        assert_eq!(status, StatusCode::ACCEPTED);
        assert_eq!(deliver_due(&house.engine, &guarded(&[&allow])).await.unwrap(), 1);
        let taken = receiver.taken();
        assert_eq!(
            (taken[0].header("webhook-id"), &taken[0].json()["type"]),
            (tried["event"].as_str().unwrap(), &json!("test"))
        );
        let (_, rotated) = site.ask(&one, "POST", &format!("{path}/rotate-secret"), "r", Value::Null).await;
        assert_ne!(rotated["secret"], made["secret"]);
        let (_, changed) = site.ask(&one, "PATCH", &path, "k", json!({"status": "disabled", "events": []})).await;
        assert_eq!((&changed["status"], &changed["disabled_why"]), (&json!("disabled"), &json!("by_partner")));
        assert_eq!(changed["codes"], "full", "what is left out stays");
        let (status, _) = site.ask(&one, "DELETE", &path, "k", Value::Null).await;
        assert_eq!(status, StatusCode::NO_CONTENT);
        assert_eq!(site.get(&one, &path).await.0, StatusCode::NOT_FOUND);
    }

    pub(super) async fn a_key_tries_or_replays_an_endpoint_once(house: House) {
        let one = house.partner("acme", &[]).await;
        let receiver = Receiver::start(Says::Status(200)).await;
        let allow = receiver.address.to_string();
        let site = Site::open(&house, &allow);
        let new = json!({"url": receiver.url()});
        let (_, made) = site.ask(&one, "POST", "/v1/webhook-endpoints", "made", new).await;
        let path = format!("/v1/webhook-endpoints/{}", made["id"].as_str().unwrap());
        let (trial, replay) = (format!("{path}/test"), format!("{path}/replay"));
        let due = || async { deliver_due(&house.engine, &guarded(&[&allow])).await.unwrap() };
        house
            .sql(&format!("INSERT INTO feed VALUES ({}, 1, 'low_stock', 0, NULL, NULL, NULL, '{{}}')", one.id.0))
            .await;
        house.sql(&format!("INSERT INTO feed_counter VALUES ({}, 1)", one.id.0)).await;
        assert_eq!(due().await, 1, "it is sent what happened after it was made");

        let first = site.ask(&one, "POST", &trial, "try", Value::Null).await;
        assert_eq!((first.0, due().await), (StatusCode::ACCEPTED, 1));
        let again = site.ask(&one, "POST", &trial, "try", Value::Null).await;
        assert_eq!((again, due().await), (first.clone(), 0), "the first answer, and nothing is sent");
        let other = site.ask(&one, "POST", &trial, "try-2", Value::Null).await;
        assert_ne!(other.1["event"], first.1["event"], "a receiver that knows the first takes the second too");
        assert_eq!(due().await, 1);

        let from_the_start = json!({"after": "fc_0000000000000000"});
        let first = site.ask(&one, "POST", &replay, "again", from_the_start.clone()).await;
        assert_eq!((&first, due().await), (&(StatusCode::ACCEPTED, Value::Null), 1));
        let again = site.ask(&one, "POST", &replay, "again", from_the_start.clone()).await;
        assert_eq!((again, due().await), (first, 0));

        for (place, key, body) in [
            (&replay, "again", json!({"after": "evt_acme_1"})),
            (&replay, "try", from_the_start.clone()),
            (&trial, "again", Value::Null),
        ] {
            let (status, said) = site.ask(&one, "POST", place, key, body).await;
            let wanted = (StatusCode::UNPROCESSABLE_ENTITY, &json!("idempotency_mismatch"));
            assert_eq!((status, &said["code"]), wanted, "{place} {key}");
        }
        assert_eq!(due().await, 0, "what is refused does nothing");
        for (place, body) in [(&trial, Value::Null), (&replay, from_the_start.clone())] {
            let (status, said) = site.ask(&one, "POST", place, "", body).await;
            assert_eq!((status, &said["code"]), (StatusCode::BAD_REQUEST, &json!("invalid_request")), "{place}");
        }

        house.clock.forward(TimeDelta::days(8));
        let id = EndpointId::parse(made["id"].as_str().unwrap()).unwrap();
        house.engine.try_endpoint(one.id, &id, "new").await.unwrap().expect("it is there");
        let kept = house.number("SELECT COUNT(*) FROM webhook_request").await;
        assert_eq!(kept, 1, "keys that nobody sends again are forgotten");
        assert!(house.engine.delete_endpoint(one.id, &id).await.unwrap());
        assert_eq!(house.number("SELECT COUNT(*) FROM webhook_request").await, 0);
    }

    pub(super) async fn hundreds_with_one_key_send_one_trial(house: House) {
        let one = house.partner("acme", &[]).await;
        let new = NewEndpoint {
            url: "https://hooks.example/".to_owned(),
            events: WantedEvents::default(),
            codes: Codes::Ending,
        };
        let (made, _) = house.engine.add_endpoint(one.id, "made", new).await.unwrap();
        let mut tasks = JoinSet::new();
        for no in 0..400 {
            let (engine, id, partner) = (house.engine.clone(), made.id.clone(), one.id);
            // Every fourth has a key of its own.
            let key = if no % 4 == 0 { format!("own-{no}") } else { "same".to_owned() };
            tasks.spawn(async move { (key.clone(), engine.try_endpoint(partner, &id, &key).await.unwrap().unwrap()) });
        }
        let answers = tasks.join_all().await;
        let events: BTreeSet<_> = answers.iter().map(|(_, event)| event.clone()).collect();
        let of_the_key: BTreeSet<_> = answers.iter().filter(|(key, _)| key == "same").map(|(_, event)| event).collect();
        assert_eq!((events.len(), of_the_key.len()), (101, 1));
        assert_eq!(house.number("SELECT COUNT(*) FROM webhook_retry").await, 101, "each is sent, and none twice");
    }

    pub(super) async fn the_feed_is_read_page_by_page_without_gaps(house: House) {
        let (one, other) = (house.partner("acme", &[]).await, house.partner("rival", &[]).await);
        let site = Site::open(&house, "127.0.0.0/8");
        for no in 1..=7 {
            house
                .sql(&format!(
                    "INSERT INTO feed VALUES ({}, {no}, 'low_stock', 0, NULL, NULL, NULL, '{{\"count\":{no}}}')",
                    one.id.0
                ))
                .await;
        }
        let (_, first) = site.get(&one, "/v1/events?limit=5").await;
        assert_eq!((first["data"].as_array().unwrap().len(), &first["has_more"]), (5, &json!(true)));
        assert_eq!(
            first["data"][0],
            json!({"id": "evt_acme_1", "type": "low_stock", "timestamp": "1970-01-01T00:00:00Z", "data": {"count": 1}})
        );
        let next = first["next_cursor"].as_str().unwrap();
        let (_, rest) = site.get(&one, &format!("/v1/events?after={next}&limit=5")).await;
        let ids: Vec<_> = rest["data"].as_array().unwrap().iter().map(|event| event["id"].clone()).collect();
        assert_eq!((ids, &rest["has_more"]), (vec![json!("evt_acme_6"), json!("evt_acme_7")], &json!(false)));
        let (_, by_id) = site.get(&one, "/v1/events?after=evt_acme_5").await;
        assert_eq!(by_id["data"], rest["data"]);
        let (_, end) = site.get(&one, &format!("/v1/events?after={}", rest["next_cursor"].as_str().unwrap())).await;
        assert_eq!((&end["data"], &end["next_cursor"]), (&json!([]), &rest["next_cursor"]));
        assert_eq!(site.get(&other, "/v1/events").await.1["data"], json!([]));
        for bad in ["after=x", "limit=0", "limit=501", "since=1"] {
            assert_eq!(site.get(&one, &format!("/v1/events?{bad}")).await.0, StatusCode::BAD_REQUEST, "{bad}");
        }
    }
}
