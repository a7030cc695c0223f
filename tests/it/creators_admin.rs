//! The admin API of creators.

use crate::harness::on_both;

on_both! {
    a_creator_is_made_changed_suspended_resumed_and_let_into_her_desk,
    wrong_requests_are_told_what_to_mend,
    creators_are_listed_from_page_to_page,
}

mod bodies {
    use crate::apply::written::{apply, pizza};
    use crate::harness::House;
    use crate::partners::doors::Doors;
    use serde_json::{Value, json};

    pub(super) async fn a_creator_is_made_changed_suspended_resumed_and_let_into_her_desk(house: House) {
        let doors = Doors::open(&house).await;
        let body = json!({"handle": "Emma", "name": " Emma Diaz ", "phone": "+1 (202) 555-0107"});
        let made = doors.house("POST", "/creators", Some(&body)).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let mut wanted = json!({
            "handle": "emma", "name": "Emma Diaz", "status": "active", "has_phone": true,
            "disclosure": "Ad: I earn a commission if you use my code", "campaigns": [],
            "created_at": "2026-11-20T16:00:00Z",
        });
        assert_eq!(made.json(), wanted);
        apply(&house, &pizza(100, "[campaign.creators.emma]\ncap = 20\nday = 5\n")).await;
        wanted["campaigns"] = json!([{"campaign": "PIZZA", "cap": 20, "day": 5, "keyword": "EMMA", "link": "/x/emma"}]);
        let shown = doors.house("GET", "/creators/@EMMA", None).await;
        assert_eq!((shown.status.as_u16(), shown.json()), (200, wanted.clone()));

        let change = json!({"name": "Emma D.", "disclosure": "#ad", "phone": null});
        let changed = doors.house("PATCH", "/creators/emma", Some(&change)).await;
        wanted["name"] = "Emma D.".into();
        wanted["disclosure"] = "#ad".into();
        wanted["has_phone"] = false.into();
        assert_eq!((changed.status.as_u16(), changed.json()), (200, wanted.clone()));
        let same = doors.house("PATCH", "/creators/emma", Some(&json!({}))).await;
        assert_eq!((same.status.as_u16(), same.json()), (200, wanted.clone()), "what is left out stays");

        for (verb, status) in [("suspend", "suspended"), ("suspend", "suspended"), ("resume", "active")] {
            let answer = doors.house("POST", &format!("/creators/emma/{verb}"), None).await;
            wanted["status"] = status.into();
            assert_eq!((answer.status.as_u16(), answer.json()), (200, wanted.clone()), "{verb}");
        }
        let link = doors.house("POST", "/creators/emma/link", None).await;
        assert_eq!(link.status, 201, "{}", link.body);
        assert!(link.json()["url"].as_str().expect("an address").contains("/creator/"), "{}", link.body);
        assert_eq!(link.json()["expires_at"], "2026-11-20T16:10:00Z");
        assert!(!link.body.contains("5550107"), "nobody reads her number");
        house.audited().await;
    }

    pub(super) async fn wrong_requests_are_told_what_to_mend(house: House) {
        let doors = Doors::open(&house).await;
        let made = json!({"handle": "emma", "name": "Emma", "phone": "+12025550107"});
        assert_eq!(doors.house("POST", "/creators", Some(&made)).await.status, 201);
        let new = |change: Value| {
            let mut body = json!({"handle": "anna", "name": "Anna"});
            body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            body
        };
        let long = "x".repeat(201);
        for (body, status, code, words) in [
            (new(json!({"handle": "emma"})), 409, "already_exists", "free: "),
            (new(json!({"handle": "e"})), 400, "invalid_request", "3 to 20"),
            (new(json!({"handle": "stop"})), 400, "invalid_request", "stop"),
            (new(json!({"name": "  "})), 400, "invalid_request", "1 to 60 characters"),
            (new(json!({"name": "a\u{0}b"})), 400, "invalid_request", "1 to 60 characters"),
            (new(json!({"phone": "12"})), 400, "invalid_phone", "phone number"),
            (new(json!({"phone": "+12025550107"})), 409, "already_exists", "emma"),
            (new(json!({"disclosure": long})), 400, "invalid_request", "200 characters"),
            (new(json!({"disclosure": "a\u{0}b"})), 400, "invalid_request", "200 characters"),
            (new(json!({"followers": 7})), 400, "invalid_request", "followers"),
            (json!({"name": "Anna"}), 400, "invalid_request", "handle"),
        ] {
            let answer = doors.house("POST", "/creators", Some(&body)).await;
            let said = answer.json();
            assert_eq!((answer.status.as_u16(), &said["code"]), (status, &json!(code)), "{body}: {said}");
            assert!(answer.body.contains(words), "{body}: {said}");
        }
        for (method, path) in [
            ("GET", "/creators/anna"),
            ("POST", "/creators/anna/suspend"),
            ("POST", "/creators/anna/resume"),
            ("POST", "/creators/anna/link"),
            ("GET", "/creators/a%00b"),
        ] {
            let answer = doors.house(method, path, None).await;
            assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (404, &json!("not_found")), "{method} {path}");
        }
        let answer = doors.house("PATCH", "/creators/anna", Some(&json!({"name": "A"}))).await;
        assert_eq!(answer.status, 404, "{}", answer.body);
        let kept = doors.house("GET", "/creators", None).await.json();
        assert_eq!(kept["data"].as_array().map(Vec::len), Some(1), "nothing that is refused is there: {kept}");
    }

    pub(super) async fn creators_are_listed_from_page_to_page(house: House) {
        let doors = Doors::open(&house).await;
        for handle in ["dora", "anna", "emma", "cleo", "bea"] {
            let body = json!({"handle": handle, "name": handle});
            assert_eq!(doors.house("POST", "/creators", Some(&body)).await.status, 201);
        }
        let (mut seen, mut path) = (Vec::new(), "/creators?limit=2".to_owned());
        loop {
            let page = doors.house("GET", &path, None).await.json();
            let handles = page["data"].as_array().expect("a page").iter().map(|one| one["handle"].clone());
            seen.extend(handles);
            let Some(next) = page["next_cursor"].as_str() else { break };
            path = format!("/creators?limit=2&after={next}");
        }
        assert_eq!(seen, ["anna", "bea", "cleo", "dora", "emma"]);
        for bad in ["limit=0", "limit=501", "limit=x", "cursor=anna"] {
            let answer = doors.house("GET", &format!("/creators?{bad}"), None).await;
            assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (400, &json!("invalid_request")), "{bad}");
        }
    }
}
