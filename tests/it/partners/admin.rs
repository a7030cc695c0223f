//! The admin API of partners.

use crate::harness::on_both;

on_both! {
    a_partner_is_made_changed_suspended_and_resumed,
    keys_and_secrets_are_made_listed_and_taken_back,
    wrong_requests_are_told_what_to_mend,
    partners_are_listed_from_page_to_page,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_five_thousand_partners_are_there_within_a_minute() {
    use crate::harness::{House, On, campaign};
    let house = House::open(On::Sqlite).await.expect("SQLite is built in");
    campaign(1).write(&house).await;
    let doors = super::doors::Doors::open(&house).await;
    let name = house.engine.catalog().rows.campaigns[0].doc.name.clone();
    let began = std::time::Instant::now();
    for number in 0..5_000 {
        let body = serde_json::json!({
            "client_id": format!("p-{number}"), "name": format!("Partner {number}"), "caps": {"total": 1000},
            "grants": [{"campaign": name, "total": 500, "day": 50}],
        });
        let answer = doors.admin("POST", "", Some(&body)).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
    }
    let took = began.elapsed();
    assert!(took < std::time::Duration::from_mins(1), "{took:?}");
    assert_eq!(house.number("SELECT COUNT(*) FROM cap WHERE scope = 'partner'").await, 15_000);
}

mod bodies {
    use super::super::doors::Doors;
    use super::super::signed::TestKey;
    use crate::harness::{House, campaign};
    use serde_json::{Value, json};

    async fn named(house: &House, id: u32) -> String {
        campaign(id).write(house).await;
        let catalog = house.engine.fresh_catalog().await.expect("a catalog");
        let record = catalog.rows.campaigns.iter().find(|record| record.id.0 == id).expect("it is there");
        record.doc.name.clone()
    }

    pub(super) async fn a_partner_is_made_changed_suspended_and_resumed(house: House) {
        let (first, second) = (named(&house, 1).await, named(&house, 2).await);
        let doors = Doors::open(&house).await;
        let body = json!({
            "client_id": "acme", "name": "Acme Deals", "contact": "ask@acme.example",
            "grants": [{"campaign": first, "day": 50}],
        });
        let made = doors.admin("POST", "", Some(&body)).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let wanted = json!({
            "client_id": "acme", "name": "Acme Deals", "environment": "live", "status": "active", "version": 1,
            "scopes": ["codes:issue", "codes:read", "events:read", "reports:read"], "contact": "ask@acme.example",
            "caps": {}, "grants": [{"campaign": first, "day": 50}],
            "created_at": "2026-11-20T16:00:00Z",
        });
        assert_eq!(made.json(), wanted);
        let body = json!({"contact": null, "caps": {"total": 9}, "rate": {"per_second": 5, "burst": 10}});
        let changed = doors.admin("PATCH", "/acme", Some(&body)).await.json();
        assert_eq!(
            (&changed["contact"], &changed["caps"]["total"], &changed["version"]),
            (&Value::Null, &9.into(), &2.into())
        );
        let granted = doors.admin("POST", "/acme/grants", Some(&json!({"campaign": second, "total": 7}))).await.json();
        assert_eq!(granted["grants"], json!([{"campaign": first, "day": 50}, {"campaign": second, "total": 7}]));
        let lost = doors.admin("DELETE", &format!("/acme/grants/{first}"), None).await.json();
        assert_eq!(lost["grants"], json!([{"campaign": second, "total": 7}]));
        assert_eq!(doors.admin("POST", "/acme/suspend", None).await.json()["status"], "suspended");
        assert_eq!(doors.admin("POST", "/acme/suspend", None).await.json()["version"], 5);
        assert_eq!(doors.admin("POST", "/acme/resume", None).await.json()["status"], "active");
        assert_eq!(doors.admin("GET", "/acme", None).await.json()["version"], 6);
    }

    pub(super) async fn keys_and_secrets_are_made_listed_and_taken_back(house: House) {
        let doors = Doors::open(&house).await;
        doors.admin("POST", "", Some(&json!({"client_id": "acme", "name": "Acme"}))).await;
        let made = doors.admin("POST", "/acme/secrets", Some(&json!({"name": "first"}))).await;
        assert_eq!(made.status, 201);
        let secret = made.json();
        let token = doors.token("acme", secret["client_secret"].as_str().expect("a secret")).await;
        assert_eq!(token.status, 200);
        let listed = doors.admin("GET", "/acme/secrets", None).await;
        assert_eq!(listed.json()["data"][0]["id"], secret["id"]);
        assert!(!listed.body.contains("cwp_"), "{}", listed.body);
        let id = secret["id"].as_str().expect("an id");
        assert_eq!(doors.admin("DELETE", &format!("/acme/secrets/{id}"), None).await.status, 204);
        assert_eq!(doors.admin("DELETE", &format!("/acme/secrets/{id}"), None).await.status, 404);
        let added = doors.admin("POST", "/acme/keys", Some(&json!({"name": "k", "jwk": TestKey::ec().jwk()}))).await;
        assert_eq!((added.status.as_u16(), &added.json()["jwk"]["alg"]), (201, &"ES256".into()));
        let id = added.json()["id"].as_str().expect("an id").to_owned();
        assert_eq!(doors.admin("GET", "/acme/keys", None).await.json()["data"][0]["id"], id);
        assert_eq!(doors.admin("DELETE", &format!("/acme/keys/{id}"), None).await.status, 204);
    }

    pub(super) async fn wrong_requests_are_told_what_to_mend(house: House) {
        let doors = Doors::open(&house).await;
        let acme = json!({"client_id": "acme", "name": "Acme"});
        assert_eq!(doors.admin("POST", "", Some(&acme)).await.status, 201);
        for (status, code, method, path, body) in [
            (409, "already_exists", "POST", "", Some(acme)),
            (400, "invalid_request", "POST", "", Some(json!({"client_id": "Acme!", "name": "Acme"}))),
            (400, "invalid_request", "POST", "", Some(json!({"client_id": "b2", "name": ""}))),
            (400, "invalid_request", "POST", "", Some(json!({"client_id": "b2", "name": "B", "admin": true}))),
            (400, "invalid_request", "POST", "", Some(json!({"client_id": "b2", "name": "B", "scopes": ["all"]}))),
            (
                400,
                "invalid_request",
                "POST",
                "",
                Some(json!({"client_id": "b2", "name": "B", "grants": [{"campaign": "NONE"}]})),
            ),
            (400, "invalid_request", "PATCH", "/acme", Some(json!({"caps": {"day": -1}}))),
            (400, "invalid_request", "POST", "/acme/keys", Some(json!({"pem": "-----BEGIN PRIVATE KEY-----"}))),
            (400, "invalid_request", "POST", "/acme/keys", Some(json!({}))),
            (404, "not_found", "GET", "/nobody", None),
            (404, "not_found", "POST", "/nobody/suspend", None),
            (404, "not_found", "POST", "/nobody/secrets", Some(json!({}))),
            (404, "not_found", "DELETE", "/acme/keys/none", None),
            (400, "invalid_request", "GET", "?limit=0", None),
        ] {
            let answer = doors.admin(method, path, body.as_ref()).await;
            assert_eq!(
                (answer.status.as_u16(), &answer.json()["code"]),
                (status, &code.into()),
                "{method} {path} {body:?}"
            );
        }
    }

    pub(super) async fn partners_are_listed_from_page_to_page(house: House) {
        let doors = Doors::open(&house).await;
        for name in ["bravo", "alpha", "delta", "charlie", "echo"] {
            doors.admin("POST", "", Some(&json!({"client_id": name, "name": name}))).await;
        }
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = doors.admin("GET", &format!("?limit=2&after={after}"), None).await.json();
            let names = page["data"].as_array().expect("a list").iter().map(|one| one["client_id"].clone());
            seen.extend(names);
            match page["next_cursor"].as_str() {
                Some(next) => next.clone_into(&mut after),
                None => break,
            }
        }
        assert_eq!(seen, ["alpha", "bravo", "charlie", "delta", "echo"]);
    }
}
