//! The till API and the coupon page, from the front door.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use crate::harness::on_both;

on_both! {
    a_code_is_validated_redeemed_once_and_given_back,
    unknown_foreign_and_voided_codes_get_the_same_bytes,
    every_reason_is_named_in_its_order,
    a_replay_gets_the_first_answer_and_another_body_is_refused,
    a_replay_gets_the_first_answer_even_after_a_void,
    a_mistyped_code_is_refused_without_a_table,
    wrong_requests_are_told_what_to_mend,
    the_coupon_shows_the_state_of_the_moment,
    only_a_good_key_opens_the_till,
}

mod bodies {
    use crate::harness::{House, campaign, partner_door, sender};
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::http::{Request, StatusCode, header};
    use chrono::Duration;
    use codewell::config::HttpConfig;
    use codewell::domain::decision::outcome::Outcome;
    use codewell::domain::ids::{RequestId, Spot};
    use codewell::engine::{EarlyReports, Engine};
    use codewell::http::claim::ClaimLimits;
    use codewell::http::sms::SmsDoor;
    use codewell::http::till::Guesses;
    use codewell::http::{Phase, Site, router};
    use codewell::sms::Registry;
    use serde_json::{Value, json};
    use tower::ServiceExt as _;

    /// A house with its doors, and a till that has a key.
    struct Till {
        house: House,
        router: Router,
        key: String,
    }

    impl Till {
        async fn open(house: House) -> Self {
            let engine: Engine = house.engine.clone();
            let (_, phase) = tokio::sync::watch::channel(Phase::Ready);
            let sms = SmsDoor { engine: engine.clone(), carriers: Registry::default(), early: EarlyReports::default() };
            let key = engine.create_till_key("Store 17").await.expect("a key");
            let site = Site {
                engine,
                phase,
                limits: HttpConfig::default(),
                claims: ClaimLimits::new(0, 0, 0),
                guesses: Guesses::new(0, 0),
                partners: partner_door(&house.engine),
                webhooks: codewell::http::partner::WebhookDoor::default(),
                sms,
                simulator: None,
            };
            Self { key: key.expose().to_owned(), router: router(site), house }
        }

        async fn post(&self, path: &str, key: Option<&str>, body: &Value) -> (StatusCode, Value) {
            let (status, bytes) = self.raw(path, key, body).await;
            (status, serde_json::from_slice(&bytes).expect("JSON"))
        }

        async fn raw(&self, path: &str, key: Option<&str>, body: &Value) -> (StatusCode, Vec<u8>) {
            let mut request = Request::post(path)
                .header(header::AUTHORIZATION, format!("Bearer {}", self.key))
                .header(header::CONTENT_TYPE, "application/json");
            if let Some(key) = key {
                request = request.header("Idempotency-Key", key);
            }
            let request = request.body(Body::from(body.to_string())).expect("a request");
            self.send(request).await
        }

        async fn send(&self, request: Request<Body>) -> (StatusCode, Vec<u8>) {
            let answer = self.router.clone().oneshot(request).await.expect("an answer");
            let status = answer.status();
            (status, to_bytes(answer.into_body(), 1 << 20).await.expect("a body").to_vec())
        }

        /// The page of a coupon.
        async fn page(&self, spot: Spot) -> String {
            let path = self.house.engine.link_path(spot);
            let request = Request::get(path).body(Body::empty()).expect("a request");
            let (status, body) = self.send(request).await;
            assert_eq!(status, StatusCode::OK);
            String::from_utf8(body).expect("a page")
        }

        /// A fresh code of a campaign for somebody.
        async fn code(&self, campaign: u32, phone: u64) -> (Spot, String) {
            let outcome = self.house.issue(campaign, phone).await.expect("it is settled").outcome;
            let Outcome::Issued(spot) = outcome else { panic!("{outcome:?}") };
            let code = self.house.engine.code_at(spot).await.expect("read").expect("a code");
            (spot, code.expose().to_owned())
        }

        async fn void(&self, code: &str) {
            let request = RequestId { door: "house".to_owned(), key: code.to_owned() };
            self.house.engine.void(request, code, "a test").await.expect("settled").expect("known");
        }
    }

    pub(super) async fn a_code_is_validated_redeemed_once_and_given_back(house: House) {
        campaign(1).write(&house).await;
        let till = Till::open(house).await;
        let (_, code) = till.code(1, 1).await;
        let ask =
            json!({"code": code.to_lowercase().replace('-', " "), "store": "17", "amount": 2000, "currency": "USD"});
        let before = till.house.number("SELECT COUNT(*) FROM request").await;
        let (status, valid) = till.post("/v1/codes/validate", None, &ask).await;
        assert_eq!((status, &valid["valid"]), (StatusCode::OK, &json!(true)));
        assert_eq!(valid["offer"]["title"], "$5 off");
        assert_eq!(till.house.number("SELECT COUNT(*) FROM request").await, before, "validate writes nothing");

        let (status, redeemed) = till.post("/v1/codes/redeem", Some("sale-1"), &ask).await;
        assert_eq!(status, StatusCode::CREATED);
        let (status, again) = till.post("/v1/codes/redeem", Some("sale-2"), &ask).await;
        assert_eq!((status, &again["code"]), (StatusCode::CONFLICT, &json!("already_redeemed")));
        let (_, online) = till.post("/v1/codes/validate", None, &json!({"code": code, "store": "online"})).await;
        assert_eq!(online, json!({"valid": false, "reason": "already_redeemed"}));

        let id = redeemed["redemption_id"].as_str().expect("an id");
        let path = format!("/v1/redemptions/{id}/rollback");
        let mut refunds = std::collections::BTreeSet::new();
        for key in ["refund-1", "refund-1", "refund-2"] {
            let ask = json!({"reason": "one was cold", "amount": 500});
            let (status, back) = till.post(&path, Some(key), &ask).await;
            assert_eq!((status, &back["status"], &back["amount"]), (StatusCode::OK, &json!("refunded"), &json!(500)));
            refunds.insert(back["refund_id"].as_str().expect("an id").to_owned());
        }
        assert_eq!(refunds.len(), 2, "asked again it is the same one");
        for (amount, wanted, code) in [
            (1_001, StatusCode::CONFLICT, "conditions_not_met"),
            (0, StatusCode::BAD_REQUEST, "invalid_request"),
            (-5, StatusCode::BAD_REQUEST, "invalid_request"),
        ] {
            let (status, problem) =
                till.post(&path, Some(&format!("r{amount}")), &json!({"reason": "x", "amount": amount})).await;
            assert_eq!((status, &problem["code"]), (wanted, &json!(code)), "{amount}");
        }
        let (status, _) = till.post(&path, Some("refund-1"), &json!({"reason": "one was cold", "amount": 1})).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        for key in ["undo-1", "undo-1", "undo-2"] {
            let (status, back) = till.post(&path, Some(key), &json!({"reason": "order_cancelled"})).await;
            assert_eq!((status, &back["status"]), (StatusCode::OK, &json!("rolled_back")));
        }
        let (status, _) = till.post("/v1/codes/redeem", Some("sale-3"), &ask).await;
        assert_eq!(status, StatusCode::CREATED, "the code is good again");
        till.house.audited().await;
    }

    pub(super) async fn unknown_foreign_and_voided_codes_get_the_same_bytes(house: House) {
        campaign(1).write(&house).await;
        let till = Till::open(house).await;
        let (_, voided) = till.code(1, 1).await;
        let (next, _) = till.code(1, 2).await;
        till.void(&voided).await;
        let never = Spot { position: next.position + 5_000, ..next };
        let never = till.house.engine.code_at(never).await.expect("read").expect("a code of the pool");
        let codes = [voided.as_str(), never.expose(), "TBB-AAAAA-AAAAAA", "SUMMER-2026", "12345"];
        let mut answers = std::collections::HashSet::new();
        for round in 0..400 {
            for code in codes {
                let validated = till.raw("/v1/codes/validate", None, &json!({"code": code})).await;
                let key = format!("{round}-{code}");
                let redeemed = till.raw("/v1/codes/redeem", Some(&key), &json!({"code": code})).await;
                answers.insert((validated, redeemed));
            }
        }
        assert_eq!(answers.len(), 1, "2 000 calls of each kind, one answer");
        till.house.audited().await;
    }

    pub(super) async fn every_reason_is_named_in_its_order(house: House) {
        let terms = json!({
            "redemption": {"places": ["17", "18"], "holder_only": true},
            "offer": {"type": "amount_off", "value": 500, "max_discount": 500, "min_spend": 2000},
            "code": {"pattern": "TBB-?????-?????*", "expires": {"after_issue": "P30D"}, "valid_from": "2026-11-21T00:00"},
        });
        campaign(1).document(terms).write(&house).await;
        let till = Till::open(house).await;
        let (_, code) = till.code(1, 5_550_123).await;
        let holder = json!({"phone": "+12025550123"});
        let sale = |store: &str, customer: &Value, amount: i64| json!({"code": code, "store": store, "customer": customer, "amount": amount});
        let stranger = json!({"phone": "+12025550199"});
        let reason = async |sale: Value| till.post("/v1/codes/validate", None, &sale).await.1["reason"].clone();

        assert_eq!(reason(sale("99", &stranger, 100)).await, "not_yet_active");
        till.house.clock.forward(Duration::days(1));
        assert_eq!(reason(sale("99", &stranger, 100)).await, "wrong_store");
        assert_eq!(reason(sale("17", &stranger, 100)).await, "wrong_recipient");
        assert_eq!(reason(sale("17", &holder, 1_999)).await, "conditions_not_met");
        let (status, _) = till.post("/v1/codes/redeem", Some("s"), &sale("17", &holder, 2_000)).await;
        assert_eq!(status, StatusCode::CREATED);
        assert_eq!(reason(sale("17", &holder, 1_999)).await, "conditions_not_met");
        assert_eq!(reason(sale("18", &holder, 2_000)).await, "already_redeemed");
        till.house.clock.forward(Duration::days(40));
        assert_eq!(reason(sale("99", &stranger, 100)).await, "expired");
        till.house.audited().await;
    }

    pub(super) async fn a_replay_gets_the_first_answer_and_another_body_is_refused(house: House) {
        campaign(1).write(&house).await;
        let till = Till::open(house).await;
        let (_, code) = till.code(1, 1).await;
        let ask = json!({"code": code, "order": "A-1"});
        let first = till.raw("/v1/codes/redeem", Some("k"), &ask).await;
        assert_eq!(first.0, StatusCode::CREATED);
        till.house.clock.forward(Duration::hours(5));
        assert_eq!(till.raw("/v1/codes/redeem", Some("k"), &ask).await, first);
        let other = json!({"code": code, "order": "A-2"});
        let (status, problem) = till.post("/v1/codes/redeem", Some("k"), &other).await;
        assert_eq!((status, &problem["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("idempotency_mismatch")));
        till.house.audited().await;
    }

    pub(super) async fn a_replay_gets_the_first_answer_even_after_a_void(house: House) {
        campaign(1).write(&house).await;
        let till = Till::open(house).await;
        let (_, code) = till.code(1, 1).await;
        let ask = json!({"code": code});
        let first = till.raw("/v1/codes/redeem", Some("k"), &ask).await;
        assert_eq!(first.0, StatusCode::CREATED);
        let answer: Value = serde_json::from_slice(&first.1).expect("JSON");
        let path = format!("/v1/redemptions/{}/rollback", answer["redemption_id"].as_str().expect("an id"));
        till.post(&path, Some("u"), &json!({"reason": "refund"})).await;
        till.void(&code).await;
        assert_eq!(till.raw("/v1/codes/redeem", Some("k"), &ask).await, first);
        let (status, problem) = till.post("/v1/codes/redeem", Some("k2"), &ask).await;
        assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("unknown_code")));
        till.house.audited().await;
    }

    pub(super) async fn a_mistyped_code_is_refused_without_a_table(house: House) {
        campaign(1).write(&house).await;
        let till = Till::open(house).await;
        let (_, code) = till.code(1, 1).await;
        let swap = if code.ends_with('2') { '3' } else { '2' };
        let mistyped = format!("{}{swap}", &code[..code.len() - 1]);
        till.house.sql("DROP TABLE code").await;
        till.house.sql("ALTER TABLE issuance RENAME TO hidden").await;
        let shown = codewell::domain::act::Presented::default();
        let engine = &till.house.engine;
        assert!(engine.validate(&mistyped, &shown).await.expect("no table is read").is_err());
        assert!(engine.validate(&code, &shown).await.is_err(), "a well-formed one is looked up");
    }

    pub(super) async fn wrong_requests_are_told_what_to_mend(house: House) {
        campaign(1).write(&house).await;
        let till = Till::open(house).await;
        let (_, code) = till.code(1, 1).await;
        let cases = [
            (None, json!({"code": code}), "Idempotency-Key"),
            (Some("k"), json!({"code": code, "amount": -1}), "amount"),
            (Some("k"), json!({"code": code, "currency": "dollars"}), "currency"),
            (Some("k"), json!({"code": code, "customer": {"phone": "123"}}), "customer.phone"),
            (Some("k"), json!({"code": code, "shop": "17"}), "unknown field `shop`"),
            (Some("k"), json!({}), "missing field `code`"),
        ];
        for (key, body, names) in cases {
            let (status, problem) = till.post("/v1/codes/redeem", key, &body).await;
            assert_eq!((status, &problem["code"]), (StatusCode::BAD_REQUEST, &json!("invalid_request")));
            assert!(problem["detail"].as_str().expect("words").contains(names), "{problem}");
        }
        let rollback = "/v1/redemptions/rd_none/rollback";
        let (status, _) = till.post(rollback, Some("k"), &json!({"reason": "x"})).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert_eq!(till.house.number("SELECT COUNT(*) FROM code_event").await, 0);
    }

    pub(super) async fn the_coupon_shows_the_state_of_the_moment(house: House) {
        sender(&house).await;
        campaign(1)
            .document(json!({"code": {"pattern": "TBB-?????-?????*", "expires": {"after_issue": "P30D"}}}))
            .write(&house)
            .await;
        let till = Till::open(house).await;
        let (spot, code) = till.code(1, 1).await;
        let (voided, void_code) = till.code(1, 2).await;
        till.void(&void_code).await;

        let active = till.page(spot).await;
        assert!(active.contains("data-face=\"active\"") && active.contains(&code) && active.contains("<svg"));
        let before = till.house.number("SELECT COUNT(*) FROM request").await;
        assert_eq!(till.page(spot).await, active, "looking changes nothing");
        assert_eq!(till.house.number("SELECT COUNT(*) FROM request").await, before);
        let void = till.page(voided).await;
        assert!(void.contains("data-face=\"void\"") && !void.contains(&void_code));

        let (_, done) = till.post("/v1/codes/redeem", Some("k"), &json!({"code": code, "store": "Store 17"})).await;
        let used = till.page(spot).await;
        assert!(used.contains("data-face=\"used\"") && used.contains("Store 17"));
        let norm = code.replace('-', "");
        assert!(!used.contains(&code) && !used.contains(&norm), "the code is not in the page");
        let path = format!("/v1/redemptions/{}/rollback", done["redemption_id"].as_str().expect("an id"));
        till.post(&path, Some("u"), &json!({"reason": "refund"})).await;
        assert!(till.page(spot).await.contains("data-face=\"active\""));
        till.house.clock.forward(Duration::days(31));
        let expired = till.page(spot).await;
        assert!(expired.contains("data-face=\"expired\"") && !expired.contains(&code));

        for path in ["/c/0000000000000000000000", "/c/x", "/c/zzzzzzzzzzzzzzzzzzzzzz"] {
            let request = Request::get(path).body(Body::empty()).expect("a request");
            assert_eq!(till.send(request).await.0, StatusCode::NOT_FOUND);
        }
    }

    pub(super) async fn only_a_good_key_opens_the_till(house: House) {
        campaign(1).write(&house).await;
        let mut till = Till::open(house).await;
        let (_, code) = till.code(1, 1).await;
        let good = till.key.clone();
        let last = if good.ends_with('x') { 'y' } else { 'x' };
        let other_secret = format!("{}{last}", &good[..good.len() - 1]);
        let ask = json!({"code": code});
        for wrong in ["", "nonsense", "cwk_till_a_b", &other_secret] {
            till.key = wrong.to_owned();
            let (status, problem) = till.post("/v1/codes/redeem", Some("k"), &ask).await;
            assert_eq!((status, &problem["code"]), (StatusCode::UNAUTHORIZED, &json!("invalid_token")));
        }
        let id = till.house.engine.access_keys().await.expect("read")[0].id.clone();
        assert!(till.house.engine.revoke_access_key(&id).await.expect("revoked"));
        till.key = good;
        assert_eq!(till.post("/v1/codes/redeem", Some("k"), &ask).await.0, StatusCode::UNAUTHORIZED);
    }
}
