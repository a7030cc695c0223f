//! The partner API, from the front door.

mod api;
mod sandbox;
mod streams;

use crate::harness::on_both;

on_both! {
    a_customer_has_one_code_however_often_she_asks,
    a_replay_gets_the_first_answer_and_another_body_is_refused,
    a_full_cap_says_which_how_full_and_until_when,
    what_is_not_granted_does_not_exist,
    a_batch_answers_every_customer_in_order_and_again_the_same,
    who_was_served_by_another_way_is_hidden_or_shown_as_an_assist,
    a_code_is_shown_to_its_partner_only_and_not_again_while_it_stands,
    the_daily_report_counts_by_place,
    a_partner_without_its_grant_keeps_its_figures,
    the_sandbox_moves_nothing,
    every_operation_asks_for_its_scope,
    every_answer_says_how_fast_one_may_call,
    wrong_customers_are_told_what_to_mend,
}

mod bodies {
    use super::api::{Api, customers, issuance};
    use crate::harness::{Fixture, House, campaign};
    use codewell::domain::ids::CampaignId;
    use codewell::domain::partner::{ClientId, Edit, Grant, PartnerScope, Rate};
    use insta::{allow_duplicates, assert_snapshot};
    use serde_json::json;

    const FREE: Grant = Grant { campaign: CampaignId(1), total: None, day: None, week: None, month: None };

    pub(super) async fn a_customer_has_one_code_however_often_she_asks(house: House) {
        campaign(1).write(&house).await;
        let api = Api::open(house, &[FREE]).await;
        let phone = issuance(&json!({ "phone": "+12025550123" }));
        let first = api.post("/v1/issuances", "k1", &phone).await;
        assert_eq!(first.status, 201, "{first:?}");
        allow_duplicates! { assert_snapshot!(first.shown(), @r#"
        {
          "campaign": "C1",
          "click_id": "k-77",
          "code": "TB-DMEWA-3U2GJV",
          "id": "iss_5bHyWbdTfxcdbxJyshtt3z",
          "issued_at": "2026-11-20T16:00:00Z",
          "live_url": "https://coupons.acme.example/c/1ozhZkUy5QOARHArL5F35L",
          "metadata": {
            "a": 1
          },
          "repeat": false,
          "status": "unused",
          "sub_id": "story1"
        }
        "#) };
        let again = api.post("/v1/issuances", "k2", &phone).await;
        assert_eq!(again.status, 200, "{again:?}");
        assert_eq!((&again.json()["code"], &again.json()["repeat"]), (&first.json()["code"], &json!(true)));
        for (key, customer) in [("k3", json!({ "email": "Anna@Mail.Example " })), ("k4", json!({ "reference": "a-1" }))]
        {
            let new = api.post("/v1/issuances", key, &issuance(&customer)).await;
            assert_eq!(new.status, 201, "{new:?}");
            assert_ne!(new.json()["code"], first.json()["code"]);
        }
        let same = api.post("/v1/issuances", "k5", &issuance(&json!({ "email": "anna@mail.example" }))).await;
        assert_eq!(same.status, 200);
        assert_eq!(api.house.number("SELECT count(*) FROM issuance").await, 3);
        api.house.audited().await;
    }

    pub(super) async fn a_replay_gets_the_first_answer_and_another_body_is_refused(house: House) {
        campaign(1).write(&house).await;
        let api = Api::open(house, &[FREE]).await;
        let body = issuance(&json!({ "phone": "+12025550123" }));
        let first = api.post("/v1/issuances", "k1", &body).await;
        let replay = api.post("/v1/issuances", "k1", &body).await;
        assert_eq!((replay.status, replay.json()), (201, first.json()));
        let other = api.post("/v1/issuances", "k1", &issuance(&json!({ "phone": "+12025550124" }))).await;
        assert_eq!((other.status, &other.json()["code"]), (422, &json!("idempotency_mismatch")));
        let bare = api.send("POST", "/v1/issuances", None, Some(&body)).await;
        assert_eq!((bare.status, &bare.json()["code"]), (400, &json!("invalid_request")));
    }

    pub(super) async fn a_full_cap_says_which_how_full_and_until_when(house: House) {
        campaign(1).write(&house).await;
        let api = Api::open(house, &[Grant { day: Some(2), ..FREE }]).await;
        for n in 0..2 {
            let body = issuance(&json!({ "reference": n.to_string() }));
            assert_eq!(api.post("/v1/issuances", &format!("k{n}"), &body).await.status, 201);
        }
        let full = api.post("/v1/issuances", "k2", &issuance(&json!({ "reference": "2" }))).await;
        assert_eq!(full.status, 409);
        allow_duplicates! { assert_snapshot!(full.shown(), @r#"
        {
          "cap": "partner_day",
          "code": "cap_reached",
          "detail": "a cap is full",
          "limit": 2,
          "resets_at": "2026-11-21T00:00:00Z",
          "status": 409,
          "title": "Conflict",
          "type": "about:blank#cap_reached",
          "used": 2
        }
        "#) };
        let shown = api.get("/v1/campaigns/C1").await;
        allow_duplicates! { assert_snapshot!(shown.shown(), @r#"
        {
          "caps": [
            {
              "cap": "partner_day",
              "limit": 2,
              "resets_at": "2026-11-21T00:00:00Z",
              "used": 2
            }
          ],
          "code_format": "TB-?????-?????*",
          "id": "C1",
          "status": "live",
          "stock": 999998,
          "terms": "",
          "title": "$5 off",
          "zone": "UTC"
        }
        "#) };
    }

    pub(super) async fn what_is_not_granted_does_not_exist(house: House) {
        campaign(1).write(&house).await;
        campaign(2).write(&house).await;
        let api = Api::open(house, &[FREE]).await;
        let listed = api.get("/v1/campaigns").await.json();
        let names: Vec<_> = listed["data"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
        assert_eq!(names, [&json!("C1")]);
        let bytes = |name: String| {
            let body = json!({ "campaign": name, "customer": { "reference": "a" } });
            let (api, key) = (&api, format!("key-{name}"));
            async move {
                let shown = api.get(&format!("/v1/campaigns/{name}")).await;
                let issued = api.post("/v1/issuances", &key, &body).await;
                let many = json!({ "campaign": body["campaign"], "customers": [{ "customer": body["customer"] }] });
                let many = api.post("/v1/issuances/batch", &key, &many).await;
                let report = api.get(&format!("/v1/reports/daily?from=2026-11-20&to=2026-11-20&campaign={name}")).await;
                [shown, issued, many, report].map(|answer| (answer.status, answer.body))
            }
        };
        let (foreign, absent) = (bytes("C2".to_owned()).await, bytes("C9".to_owned()).await);
        assert!(foreign.iter().all(|(status, _)| *status == 404), "{foreign:?}");
        assert_eq!(foreign, absent);
        assert_eq!(api.house.number("SELECT count(*) FROM request").await, 0);
    }

    pub(super) async fn a_batch_answers_every_customer_in_order_and_again_the_same(house: House) {
        campaign(1).write(&house).await;
        let api = Api::open(house, &[Grant { total: Some(50), ..FREE }]).await;
        let body = json!({ "campaign": "C1", "customers": customers(60) });
        let first = api.post("/v1/issuances/batch", "k1", &body).await;
        assert_eq!(first.status, 200, "{first:?}");
        let data = first.json()["data"].clone();
        let count = |status: u16| data.as_array().unwrap().iter().filter(|one| one["status"] == json!(status)).count();
        assert_eq!((count(201), count(409)), (50, 10));
        assert_eq!(data[49]["status"], json!(201), "who stands first in the list comes first");
        let again = api.post("/v1/issuances/batch", "k1", &body).await;
        assert_eq!(again.json(), first.json());
        for other in [customers(59), customers(61), customers(60).into_iter().rev().collect()] {
            let other = json!({ "campaign": "C1", "customers": other });
            let told = api.post("/v1/issuances/batch", "k1", &other).await;
            assert_eq!((told.status, &told.json()["code"]), (422, &json!("idempotency_mismatch")));
        }
        assert_eq!(api.house.number("SELECT count(*) FROM request").await, 60, "another list does nothing");
        let wrong = json!({ "campaign": "C1", "customers": [
            { "customer": { "phone": "12" } }, { "customer": { "reference": "c0" } },
        ] });
        let mixed = api.post("/v1/issuances/batch", "k2", &wrong).await.json();
        assert_eq!(
            (&mixed["data"][0]["problem"]["code"], &mixed["data"][1]["issuance"]["repeat"]),
            (&json!("invalid_phone"), &json!(true))
        );
        let many =
            api.post("/v1/issuances/batch", "k3", &json!({ "campaign": "C1", "customers": customers(1_001) })).await;
        assert_eq!(many.status, 400);
        api.house.audited().await;
    }

    pub(super) async fn who_was_served_by_another_way_is_hidden_or_shown_as_an_assist(house: House) {
        campaign(1).write(&house).await;
        let document = json!({ "partners": { "served_before": "show" } });
        Fixture { document, ..campaign(2) }.write(&house).await;
        let api = Api::open(house, &[FREE, Grant { campaign: CampaignId(2), ..FREE }]).await;
        for id in [1, 2] {
            api.house.issue(id, 5_550_123).await.unwrap();
        }
        let hidden = api.post("/v1/issuances", "k1", &issuance(&json!({ "phone": "+12025550123" }))).await;
        assert_eq!((hidden.status, &hidden.json()["code"]), (409, &json!("customer_has_code")));
        let body = json!({ "campaign": "C2", "customer": { "phone": "+12025550123" } });
        let shown = api.post("/v1/issuances", "k2", &body).await;
        assert_eq!(shown.status, 200, "{shown:?}");
        assert_eq!((&shown.json()["attribution"], &shown.json()["repeat"]), (&json!("assist"), &json!(true)));
        let path = format!("/v1/issuances/{}", shown.json()["id"].as_str().unwrap());
        assert_eq!(api.get(&path).await.status, 404);
    }

    pub(super) async fn a_code_is_shown_to_its_partner_only_and_not_again_while_it_stands(house: House) {
        campaign(1).write(&house).await;
        let api = Api::open(house, &[FREE]).await;
        let made = api.post("/v1/issuances", "k1", &issuance(&json!({ "phone": "+12025550123" }))).await;
        let path = format!("/v1/issuances/{}", made.json()["id"].as_str().unwrap());
        let shown = api.get(&path).await;
        assert_eq!((shown.status, &shown.json()["code"]), (200, &made.json()["code"]));
        assert_eq!(api.get_if(&path, &shown.etag).await.status, 304);
        api.redeem(made.json()["code"].as_str().unwrap(), 2_500).await;
        let used = api.get_if(&path, &shown.etag).await;
        assert_eq!((used.status, &used.json()["status"]), (200, &json!("redeemed")));
        let other = api.house.partner("other-deals", &[FREE]).await;
        assert_eq!(api.with_token(other.token).get(&path).await.status, 404);
    }

    pub(super) async fn the_daily_report_counts_by_place(house: House) {
        campaign(1).write(&house).await;
        let api = Api::open(house, &[FREE]).await;
        let mut codes = Vec::new();
        for (n, place) in ["story1", "story1", "-1.2"].into_iter().enumerate() {
            let body = json!({ "campaign": "C1", "customer": { "reference": n.to_string() }, "sub_id": place });
            codes.push(api.post("/v1/issuances", &format!("k{n}"), &body).await.json()["code"].clone());
        }
        let body = json!({ "campaign": "C1", "customer": { "reference": "0" }, "sub_id": "story1" });
        assert_eq!(api.post("/v1/issuances", "again", &body).await.status, 200);
        api.redeem(codes[0].as_str().unwrap(), 2_500).await;
        let used = api.redeem(codes[2].as_str().unwrap(), 1_000).await;
        api.give_back(&used).await;
        let report = api.get("/v1/reports/daily?from=2026-11-20&to=2026-11-20").await;
        allow_duplicates! { assert_snapshot!(report.shown(), @r#"
        {
          "data": [
            {
              "assists": 0,
              "campaign": "C1",
              "currency": "USD",
              "date": "2026-11-20",
              "issued": 1,
              "redeemed": 1,
              "refused": 0,
              "repeats": 0,
              "revenue": 0,
              "rolled_back": 1,
              "sub_id": "-1.2"
            },
            {
              "assists": 0,
              "campaign": "C1",
              "currency": "USD",
              "date": "2026-11-20",
              "issued": 2,
              "redeemed": 1,
              "refused": 0,
              "repeats": 1,
              "revenue": 2500,
              "rolled_back": 0,
              "sub_id": "story1"
            }
          ]
        }
        "#) };
        let table = api.get("/v1/reports/daily?from=2026-11-20&to=2026-11-20&format=csv").await;
        allow_duplicates! { assert_snapshot!(table.body, @r#"
        date,campaign,sub_id,issued,repeats,assists,refused,redeemed,rolled_back,revenue,currency
        2026-11-20,C1,'-1.2,1,0,0,0,1,1,0,USD
        2026-11-20,C1,story1,2,1,0,0,1,0,2500,USD
        "#) };
        let none = api.get("/v1/reports/daily?from=2026-11-21&to=2026-11-22&campaign=C1").await;
        assert_eq!(none.json(), json!({ "data": [] }));
        for days in ["from=2026-11-21&to=2026-11-20", "from=2026-01-01&to=2026-12-31", "from=x&to=y", "from=2026-11-20"]
        {
            assert_eq!(api.get(&format!("/v1/reports/daily?{days}")).await.status, 400, "{days}");
        }
    }

    pub(super) async fn a_partner_without_its_grant_keeps_its_figures(house: House) {
        campaign(1).write(&house).await;
        let api = Api::open(house, &[FREE]).await;
        api.post("/v1/issuances", "k1", &issuance(&json!({ "reference": "a" }))).await;
        let report = async || api.get("/v1/reports/daily?from=2026-11-20&to=2026-11-20&campaign=C1").await;
        let before = report().await;
        assert_eq!(before.json()["data"][0]["issued"], json!(1));
        let acme = ClientId::parse("acme-deals").unwrap();
        api.house.engine.change_partner(&acme, &[Edit::Grants(vec![])]).await.unwrap();
        assert_eq!(report().await.json(), before.json());
    }

    pub(super) async fn the_sandbox_moves_nothing(house: House) {
        campaign(1).write(&house).await;
        let api = Api::open(house, &[FREE]).await;
        let sandbox = api.house.partner("test-deals", &[FREE]).await;
        let api = api.with_token(sandbox.token);
        let body = issuance(&json!({ "phone": "+12025550123" }));
        let first = api.post("/v1/issuances", "k1", &body).await;
        assert_eq!(first.status, 201, "{first:?}");
        assert!(first.json()["code"].as_str().unwrap().starts_with("TEST-"));
        assert_eq!(api.post("/v1/issuances", "k2", &body).await.json()["code"], first.json()["code"]);
        let place = format!("/v1/issuances/{}", first.json()["id"].as_str().unwrap());
        let mut given = first.json();
        given.as_object_mut().unwrap().retain(|name, _| !["sub_id", "click_id", "metadata"].contains(&name.as_str()));
        assert_eq!(api.get(&place).await.json(), given, "what it gave is read by its id, but for what is not kept");
        let other = api.house.partner("test-other", &[FREE]).await;
        let other = api.with_token(other.token);
        assert_eq!(other.get(&place).await.status, 404, "another sandbox reads it not");
        let again = api.post("/v1/issuances", "k4", &issuance(&json!({ "phone": "+15005550005" }))).await;
        assert_eq!((again.status, &again.json()["repeat"]), (200, &json!(true)));
        for (phone, status, code) in [
            ("+15005550001", 409, "cap_reached"),
            ("+15005550002", 409, "pool_empty"),
            ("+15005550004", 503, "peer_unavailable"),
            ("+15005550006", 409, "customer_has_code"),
        ] {
            let told = api.post("/v1/issuances", phone, &issuance(&json!({ "phone": phone }))).await;
            assert_eq!((told.status, &told.json()["code"]), (status, &json!(code)));
        }
        for table in ["request", "issuance", "recipient", "quota", "rollup_credit"] {
            assert_eq!(api.house.number(&format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
        }
    }

    pub(super) async fn every_operation_asks_for_its_scope(house: House) {
        campaign(1).write(&house).await;
        let api = Api::open(house, &[FREE]).await;
        let body = issuance(&json!({ "reference": "a" }));
        for (method, path, scope) in [
            ("GET", "/v1/campaigns", PartnerScope::Read),
            ("GET", "/v1/campaigns/C1", PartnerScope::Read),
            ("POST", "/v1/issuances", PartnerScope::Issue),
            ("POST", "/v1/issuances/batch", PartnerScope::Issue),
            ("GET", "/v1/issuances/iss_x", PartnerScope::Read),
            ("GET", "/v1/reports/daily?from=2026-11-20&to=2026-11-20", PartnerScope::Reports),
        ] {
            let others = api.token_without(scope).await;
            let many = json!({ "campaign": "C1", "customers": [{ "customer": { "reference": "a" } }] });
            let body = if path.ends_with("batch") { &many } else { &body };
            let body = (method == "POST").then_some(body);
            let told = api.with_token(others).send(method, path, Some("k1"), body).await;
            assert_eq!((told.status, &told.json()["code"]), (403, &json!("insufficient_scope")), "{path}");
            assert_eq!(told.json()["scope"], json!(scope.word()));
            let nobody = api.with_token("nobody".to_owned()).send(method, path, Some("k1"), body).await;
            assert_eq!(nobody.status, 401, "{path}");
        }
    }

    pub(super) async fn every_answer_says_how_fast_one_may_call(house: House) {
        campaign(1).write(&house).await;
        let api = Api::open(house, &[FREE]).await;
        let rate = Edit::Rate(Some(Rate { per_second: 1, burst: 2 }));
        api.house.engine.change_partner(&api.partner.client, &[rate]).await.unwrap();
        let calls = [api.get("/v1/campaigns").await, api.get("/v1/campaigns/C9").await, api.get("/v1/campaigns").await];
        assert_eq!(calls.each_ref().map(|call| call.status), [200, 404, 429]);
        for call in &calls {
            assert_eq!(call.policy, "\"calls\";q=2;w=2");
        }
        assert_eq!(
            calls.each_ref().map(|call| call.rate.as_str()),
            ["\"calls\";r=1;t=1", "\"calls\";r=0;t=2", "\"calls\";r=0;t=2"]
        );
        assert_eq!(calls[2].json()["code"], json!("rate_limited"));
        assert!(["1", "2"].contains(&calls[2].retry_after.as_str()));
    }

    pub(super) async fn wrong_customers_are_told_what_to_mend(house: House) {
        campaign(1).write(&house).await;
        let api = Api::open(house, &[FREE]).await;
        let by_sms = json!({ "campaign": "C1", "customer": { "phone": "+12025550123" }, "deliver": "sms" });
        api.house.change(1, &["DELETE FROM keyword".to_owned()]).await;
        let told = api.post("/v1/issuances", "k0", &by_sms).await;
        assert_eq!((told.status, &told.json()["code"]), (400, &json!("invalid_request")), "no number could text it");
        assert_eq!(api.house.number("SELECT count(*) FROM issuance").await, 0);
        for (change, code) in [
            (json!({ "customer": { "phone": "12" } }), "invalid_phone"),
            (json!({ "customer": { "email": "anna" } }), "invalid_request"),
            (json!({ "customer": { "reference": "" } }), "invalid_request"),
            (json!({ "customer": { "reference": "a\u{0}" } }), "invalid_request"),
            (json!({ "customer": { "reference": "a" }, "sub_id": "a b" }), "invalid_request"),
            (json!({ "customer": { "reference": "a" }, "deliver": "sms" }), "invalid_request"),
            (json!({ "customer": { "reference": "a" }, "metadata": { "a": "x".repeat(2_048) } }), "invalid_request"),
            (json!({ "customer": { "reference": "a" }, "surplus": 1 }), "invalid_request"),
        ] {
            let mut body = json!({ "campaign": "C1" });
            body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            let told = api.post("/v1/issuances", "k1", &body).await;
            assert_eq!((told.status, &told.json()["code"]), (400, &json!(code)), "{body}");
        }
        assert_eq!(api.house.number("SELECT count(*) FROM request").await, 0);
    }
}
