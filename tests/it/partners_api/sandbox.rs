//! The sandbox keeps the rules of the house: what comes of a key, and what becomes of a pull.

use crate::harness::on_both;

on_both! {
    a_pull_of_the_sandbox_is_streamed_counted_and_acknowledged_as_a_real_one,
    a_pull_of_the_sandbox_has_all_codes_that_were_asked_for,
    a_pull_of_the_sandbox_ends_with_its_lease_and_gives_back_what_a_real_one_does,
    a_key_of_the_sandbox_gets_its_first_answer_in_every_process_and_belongs_to_one_body,
    a_key_of_the_sandbox_is_used_once_however_many_ask_at_once,
}

mod bodies {
    use super::super::api::{Answer, Api, customers, issuance};
    use crate::harness::{Fixture, House, campaign};
    use chrono::Duration;
    use codewell::domain::ids::CampaignId;
    use codewell::domain::partner::{ClientId, Edit, Grant, PartnerStatus, Rate};
    use serde_json::{Value, json};
    use std::collections::BTreeSet;
    use tokio::task::JoinSet;

    /// The same house asked by a partner whose codes count, and by a sandbox; their campaign takes streamed codes back.
    async fn both(house: House) -> [Api; 2] {
        let document = json!({ "partners": { "returns": true } });
        Fixture { document, ..campaign(1) }.write(&house).await;
        let live = Api::open(house, &[Grant::free(CampaignId(1))]).await;
        let sandbox = live.sandbox("test-deals", &[Grant::free(CampaignId(1))]).await;
        let fast = Edit::Rate(Some(Rate { per_second: 10_000, burst: 10_000 }));
        live.house.engine.change_partner(&ClientId::parse("test-deals").unwrap(), &[fast]).await.unwrap();
        [live, sandbox]
    }

    async fn moved(house: &House) -> i64 {
        let mut rows = 0;
        for table in ["request", "issuance", "allocation", "recipient", "quota", "rollup_credit", "feed"] {
            rows += house.number(&format!("SELECT count(*) FROM {table}")).await;
        }
        rows
    }

    async fn house_forgets(house: &House, after: Duration) {
        house.clock.forward(after);
        house.engine.forget().await.unwrap();
    }

    async fn pull(api: &Api, key: &str, count: u64) -> Answer {
        api.post("/v1/allocations", key, &json!({ "campaign": "C1", "count": count })).await
    }

    fn place(made: &Answer) -> String {
        assert_eq!(made.status, 201, "{made:?}");
        format!("/v1/allocations/{}", made.json()["id"].as_str().unwrap())
    }

    /// The codes of a list of lines.
    fn codes(lines: &str) -> Vec<String> {
        let code = |line: &str| serde_json::from_str::<Value>(line).unwrap()["code"].as_str().unwrap().to_owned();
        lines.lines().map(code).collect()
    }

    fn digest(codes: &[String]) -> String {
        use std::fmt::Write as _;
        let text = codes.iter().fold(String::new(), |text, code| text + code + "\n");
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
        hash.as_ref().iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").unwrap();
            hex
        })
    }

    /// What an answer says, but for what names its pull.
    fn said(answer: &Answer) -> (u16, Value) {
        let mut body = answer.json();
        let inner = if body["allocation"].is_object() { &mut body["allocation"] } else { &mut body };
        if let Some(fields) = inner.as_object_mut() {
            fields.retain(|name, _| !["id", "codes_url", "codes_digest"].contains(&name.as_str()));
        }
        (answer.status, body)
    }

    pub(super) async fn a_pull_of_the_sandbox_is_streamed_counted_and_acknowledged_as_a_real_one(house: House) {
        let apis = both(house).await;
        let mut told = [Vec::new(), Vec::new()];
        for (api, told) in apis.iter().zip(&mut told) {
            let made = pull(api, "k1", 120).await;
            let place = place(&made);
            told.push(said(&made));
            let ack = async |key: &str, count| api.post(&format!("{place}/ack"), key, &json!({ "count": count })).await;
            told.push(said(&ack("k2", 120).await));
            assert_eq!(told[1].1["streamed"], json!(0), "none was streamed yet: {told:?}");
            let ahead = api.get(&format!("{place}/codes?format=ndjson&after=7")).await;
            told.push((ahead.status, json!(ahead.body)));
            let lines = api.get(&format!("{place}/codes?format=ndjson")).await;
            let codes = codes(&lines.body);
            assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), 120, "no code twice");
            let whole = api.get(&format!("{place}/codes")).await.json();
            let rows: Vec<_> = (1..).zip(&codes).map(|(no, code)| json!({ "no": no, "code": code })).collect();
            assert_eq!(whole["data"], json!(rows));
            let table = api.get(&format!("{place}/codes?format=csv&after=118")).await.body;
            assert_eq!(table, format!("no,code\r\n119,{}\r\n120,{}\r\n", codes[118], codes[119]));
            let shown = api.get(&place).await;
            assert_eq!(shown.json()["codes_digest"], json!(digest(&codes)));
            told.push(said(&shown));
            for (key, count) in [("k2", 120), ("k2", 119), ("k3", 119), ("k4", 120), ("k4", 120), ("k5", 120)] {
                told.push(said(&ack(key, count).await));
            }
            let again = api.get(&format!("{place}/codes?format=ndjson")).await;
            assert_eq!(again.body, lines.body, "it may still be read");
        }
        let [live, sandbox] = told;
        assert_eq!(sandbox, live);
        let statuses: Vec<_> = live.iter().map(|(status, _)| *status).collect();
        assert_eq!(statuses, [201, 409, 200, 200, 409, 422, 409, 200, 200, 200]);
        apis[0].house.audited().await;
    }

    pub(super) async fn a_pull_of_the_sandbox_has_all_codes_that_were_asked_for(house: House) {
        let [_, api] = both(house).await;
        let place = place(&pull(&api, "k1", 12_345).await);
        let first = codes(&api.get(&format!("{place}/codes?format=ndjson")).await.body);
        assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), 12_345);
        assert!(first.iter().all(|code| code.starts_with("TEST-")));
        let second = api.second().await;
        let rest = codes(&second.get(&format!("{place}/codes?format=ndjson&after=12300")).await.body);
        assert_eq!(rest, first[12_300..], "another process goes on with the same codes");
        let shown = second.get(&place).await.json();
        assert_eq!((&shown["streamed"], &shown["codes_digest"]), (&json!(12_345), &json!(digest(&first))));
        assert_eq!(pull(&api, "k2", 100_000).await.json()["count"], json!(100_000));
        assert_eq!(pull(&api, "k3", 100_001).await.status, 400);
        let other = api.sandbox("test-other", &[Grant::free(CampaignId(1))]).await;
        assert_eq!(other.get(&place).await.status, 404, "another sandbox sees it not");
        assert_eq!(moved(&api.house).await, 0);
    }

    pub(super) async fn a_pull_of_the_sandbox_ends_with_its_lease_and_gives_back_what_a_real_one_does(house: House) {
        let apis = both(house).await;
        let mut told = [Vec::new(), Vec::new()];
        let mut places = Vec::new();
        for (api, told) in apis.iter().zip(&mut told) {
            let place = place(&pull(api, "k1", 40).await);
            let codes = codes(&api.get(&format!("{place}/codes?format=ndjson")).await.body);
            let back = async |key: &str, codes: &[String]| {
                let body = json!({ "codes": codes, "statement": "shredded unseen" });
                api.post(&format!("{place}/return"), key, &body).await
            };
            for (key, some) in [("k2", 0..2), ("k2", 0..2), ("k2", 0..1), ("k3", 1..3)] {
                told.push(said(&back(key, &codes[some]).await));
            }
            let strange = [codes[5].clone(), "TEST-2222-2222".to_owned()];
            told.push(said(&back("k4", &strange).await));
            let unseen = self::place(&pull(api, "k5", 30).await);
            for key in ["k6", "k6", "k7"] {
                told.push(said(&api.post(&format!("{unseen}/return"), key, &json!({})).await));
            }
            told.push(said(&api.get(&unseen).await));
            places.push(place);
        }
        apis[0].house.clock.forward(Duration::days(1));
        apis[0].house.engine.end_leases().await.unwrap();
        for ((api, told), place) in apis.iter().zip(&mut told).zip(&places) {
            let api =
                api.with_token(api.house.token_of(if place == &places[0] { "acme-deals" } else { "test-deals" }).await);
            for late in ["ack", "return"] {
                let body = if late == "ack" { json!({ "count": 40 }) } else { json!({}) };
                told.push(said(&api.post(&format!("{place}/{late}"), late, &body).await));
            }
            told.push(said(&api.get(&format!("{place}/codes")).await));
            told.push(said(&api.get(place).await));
        }
        let [live, sandbox] = told;
        assert_eq!(sandbox, live);
        let given: Vec<_> = live.iter().map(|(_, body)| &body["given_back"]).collect();
        assert_eq!(
            given[..8],
            [&json!(2), &json!(2), &Value::Null, &json!(1), &Value::Null, &json!(30), &json!(30), &json!(0)]
        );
        let codes: Vec<_> = live.iter().map(|(status, body)| (*status, body["code"].as_str())).collect();
        assert_eq!(codes[9..12], [(409, Some("lease_expired")); 3]);
        assert_eq!(live.last().unwrap().1["status"], json!("expired"));
    }

    pub(super) async fn a_key_of_the_sandbox_gets_its_first_answer_in_every_process_and_belongs_to_one_body(
        house: House,
    ) {
        let [_, api] = both(house).await;
        let second = api.second().await;
        let phone = |phone: &str| issuance(&json!({ "phone": phone }));
        let list = |n| json!({ "campaign": "C1", "customers": customers(n) });
        let bad_first = json!({ "campaign": "C1", "customers": [
            { "customer": { "phone": "12" } }, { "customer": { "reference": "c1" } },
        ] });
        let (one, many, pulls) = ("/v1/issuances", "/v1/issuances/batch", "/v1/allocations");
        let count = |n: u64| json!({ "campaign": "C1", "count": n });
        for (path, key, body, others) in [
            (one, "k1", phone("+12025550123"), vec![(one, phone("+12025550124")), (pulls, count(1))]),
            (one, "k2", phone("+15005550001"), vec![(one, phone("+12025550123"))]),
            (many, "k1", list(3), vec![(many, list(2)), (many, list(4)), (many, bad_first)]),
            (pulls, "k3", count(10), vec![(pulls, count(11)), (one, phone("+12025550123"))]),
        ] {
            let first = api.post(path, key, &body).await;
            api.house.clock.forward(Duration::minutes(1));
            for api in [&api, &second] {
                let replay = api.post(path, key, &body).await;
                assert_eq!((replay.status, replay.json()), (first.status, first.json()), "{path} {key}");
                for (path, other) in &others {
                    let told = api.post(path, key, other).await;
                    assert_eq!(
                        (told.status, &told.json()["code"]),
                        (422, &json!("idempotency_mismatch")),
                        "{path} {key}"
                    );
                }
            }
        }
        assert_eq!(moved(&api.house).await, 0);
        // What nobody sends again any more is new.
        house_forgets(&api.house, Duration::days(8)).await;
        let api = api.with_token(api.house.token_of("test-deals").await);
        assert_eq!(api.post(one, "k1", &phone("+12025550124")).await.status, 201);
        // Whom a person stopped may not go on with what was begun.
        let place = place(&pull(&api, "k9", 2_500).await);
        let sandbox = ClientId::parse("test-deals").unwrap();
        api.house.engine.change_partner(&sandbox, &[Edit::Grants(vec![])]).await.unwrap();
        assert_eq!(api.get(&format!("{place}/codes")).await.status, 404);
        api.house.engine.change_partner(&sandbox, &[Edit::Status(PartnerStatus::Suspended)]).await.unwrap();
        assert_eq!(api.get(&place).await.status, 403);
    }

    pub(super) async fn a_key_of_the_sandbox_is_used_once_however_many_ask_at_once(house: House) {
        let [_, api] = both(house).await;
        let apis = [api.clone(), api.second().await];
        let mut pulls = JoinSet::new();
        for n in 0..200 {
            let api = apis[n % 2].clone();
            pulls.spawn(async move { pull(&api, "k1", 7).await });
        }
        let pulls = pulls.join_all().await;
        let places: BTreeSet<_> = pulls.iter().map(place).collect();
        assert_eq!(places.len(), 1);
        let place = places.first().unwrap();
        assert_eq!(codes(&api.get(&format!("{place}/codes?format=ndjson")).await.body).len(), 7);
        let mut acks = JoinSet::new();
        for n in 0..200 {
            let (api, place) = (apis[n % 2].clone(), place.clone());
            acks.spawn(
                async move { api.post(&format!("{place}/ack"), "k2", &json!({ "count": 7 - n % 4 / 3 })).await },
            );
        }
        let acks = acks.join_all().await;
        let of = |status: u16| acks.iter().filter(|one| one.status == status).count();
        // Whichever body came first has the key.
        let told = (of(200), of(409), of(422));
        assert!(told == (150, 0, 50) || told == (0, 50, 150), "{told:?}");
    }
}
