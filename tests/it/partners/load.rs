//! Suspension, and one key used many times, under load at the front doors of two processes.

use crate::harness::on_both;

on_both! {
    after_a_suspension_is_acknowledged_every_call_is_refused,
    one_key_a_hundred_times_at_once_is_one_act_with_one_answer,
}

#[cfg(feature = "faults")]
on_both! {
    whoever_lost_the_answer_after_the_commit_gets_it_by_the_same_key,
    a_commit_that_was_cut_is_answered_once_and_the_same_again,
}

mod bodies {
    use super::super::doors::{Answer, Doors};
    use crate::harness::{House, TestPartner, campaign};
    use axum::body::Body;
    use axum::http::{Request, header};
    use codewell::domain::ids::CampaignId;
    use codewell::domain::partner::{Edit, Grant, Rate};
    use serde_json::{Value, json};
    use std::collections::BTreeSet;
    use std::sync::Arc;
    use tokio::task::JoinSet;

    /// How many codes have left the stock.
    const OUT: &str = "SELECT size - in_stock FROM pool";
    /// Faster than these tests.
    const FAST: Rate = Rate { per_second: 100_000, burst: 100_000 };

    /// Two processes on one database, and a partner that may give codes of campaign 1.
    async fn open(house: &House) -> ([Arc<Doors>; 2], TestPartner) {
        campaign(1).write(house).await;
        let acme = house.partner("acme", &[Grant::free(CampaignId(1))]).await;
        house.engine.change_partner(&acme.client, &[Edit::Rate(Some(FAST))]).await.expect("it is changed");
        let second = house.second().await;
        ([Arc::new(Doors::open(house).await), Arc::new(Doors::open(&second).await)], acme)
    }

    fn one(customer: &str) -> Value {
        json!({"campaign": "C1", "customer": {"reference": customer}, "sub_id": "story1"})
    }

    fn many(count: u32) -> Value {
        json!({"campaign": "C1", "count": count})
    }

    async fn post(doors: &Doors, token: &str, (path, key): (&str, &str), body: &Value) -> Answer {
        let request = Request::post(path).header(header::AUTHORIZATION, format!("Bearer {token}"));
        let request = request.header("idempotency-key", key).header(header::CONTENT_TYPE, "application/json");
        doors.send(request.body(Body::from(body.to_string())).expect("a request")).await
    }

    /// So many calls at once, each for a customer of its own, half of them at either process.
    fn calls(tasks: &mut JoinSet<Answer>, doors: &[Arc<Doors>; 2], token: &str, numbers: std::ops::Range<usize>) {
        for number in numbers {
            let (doors, token) = (Arc::clone(&doors[number % 2]), token.to_owned());
            tasks.spawn(async move {
                let name = format!("c{number}");
                post(&doors, &token, ("/v1/issuances", &name), &one(&name)).await
            });
        }
    }

    fn is_suspended(answer: &Answer) -> bool {
        answer.status == 403 && answer.json()["code"] == "partner_suspended"
    }

    pub(super) async fn after_a_suspension_is_acknowledged_every_call_is_refused(house: House) {
        let (doors, acme) = open(&house).await;
        let mut before = JoinSet::new();
        calls(&mut before, &doors, &acme.token, 0..1_000);
        let mut answers = Vec::new();
        while answers.len() < 50 {
            answers.push(before.join_next().await.expect("a call").expect("no task dies"));
        }
        let acknowledged = doors[1].admin("POST", "/acme/suspend", None).await;
        assert_eq!(acknowledged.status, 200, "{}", acknowledged.body);
        let issued = house.number("SELECT COUNT(*) FROM issuance").await;
        let mut after = JoinSet::new();
        calls(&mut after, &doors, &acme.token, 1_000..2_000);
        let refused = after.join_all().await.iter().filter(|answer| is_suspended(answer)).count();
        assert_eq!(refused, 1_000, "every call that began after the acknowledgement");
        answers.extend(before.join_all().await);
        let served = answers.iter().filter(|answer| answer.status == 201).count();
        assert!(answers.iter().all(|answer| answer.status == 201 || is_suspended(answer)), "{answers:?}");
        assert_eq!(i64::try_from(served), Ok(issued), "who was served was served before it");
        assert_eq!(house.number("SELECT COUNT(*) FROM issuance").await, issued);
        house.audited().await;
        assert_eq!(doors[0].admin("POST", "/acme/resume", None).await.status, 200);
        let again = post(&doors[1], &acme.token, ("/v1/issuances", "c1500"), &one("c1500")).await;
        assert_eq!(again.status, 201, "a refusal by suspension is not kept under its key: {}", again.body);
        house.audited().await;
    }

    /// An answer without what is another one each time: the call's own id, the time, what is left of the pace.
    fn shown(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
        let mine = ["x-request-id", "date", "ratelimit"];
        let headers = answer.headers.iter().filter(|(name, _)| !mine.contains(&name.as_str()));
        let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().expect("text").to_owned()));
        (answer.status.as_u16(), headers.collect(), answer.body.clone())
    }

    pub(super) async fn one_key_a_hundred_times_at_once_is_one_act_with_one_answer(house: House) {
        let (doors, acme) = open(&house).await;
        for (path, key, body, other, codes) in [
            ("/v1/issuances", "one", one("anna"), one("berta"), 1),
            ("/v1/allocations", "many", many(50), many(51), 51),
        ] {
            let mut tasks = JoinSet::new();
            for number in 0..100 {
                let (doors, token, body) = (Arc::clone(&doors[number % 2]), acme.token.clone(), body.clone());
                tasks.spawn(async move { post(&doors, &token, (path, key), &body).await });
            }
            let answers = tasks.join_all().await;
            let different: BTreeSet<_> = answers.iter().map(shown).collect();
            assert_eq!(different.len(), 1, "{path}: {different:?}");
            assert_eq!(answers[0].status, 201, "{path}: {}", answers[0].body);
            assert_eq!(house.number(OUT).await, codes, "{path}");
            for doors in &doors {
                let reused = post(doors, &acme.token, (path, key), &other).await;
                let got = (reused.status.as_u16(), &reused.json()["code"]);
                assert_eq!(got, (422, &json!("idempotency_mismatch")), "{path}");
            }
        }
        assert_eq!(house.number("SELECT COUNT(*) FROM allocation").await, 1);
        assert_eq!(house.number("SELECT COUNT(*) FROM request WHERE door = 'api-acme'").await, 2);
        house.audited().await;
    }

    #[cfg(feature = "faults")]
    pub(super) async fn whoever_lost_the_answer_after_the_commit_gets_it_by_the_same_key(house: House) {
        let (doors, acme) = open(&house).await;
        for (path, key, body, codes) in
            [("/v1/issuances", "one", one("anna"), 1), ("/v1/allocations", "many", many(50), 51)]
        {
            let parked = house.faults.park("after_commit");
            let (first, token, sent) = (Arc::clone(&doors[0]), acme.token.clone(), body.clone());
            let call = tokio::spawn(async move { post(&first, &token, (path, key), &sent).await });
            parked.reached.await.expect("the batch is committed");
            // The caller's line is cut, and its process says nothing more.
            call.abort();
            assert!(call.await.expect_err("it is gone").is_cancelled());
            let elsewhere = post(&doors[1], &acme.token, (path, key), &body).await;
            assert_eq!(elsewhere.status, 201, "{path}: {}", elsewhere.body);
            drop(parked.resume);
            let here = post(&doors[0], &acme.token, (path, key), &body).await;
            assert_eq!(shown(&here), shown(&elsewhere), "{path}");
            assert_eq!(house.number(OUT).await, codes, "{path}");
        }
        house.audited().await;
    }

    #[cfg(feature = "faults")]
    pub(super) async fn a_commit_that_was_cut_is_answered_once_and_the_same_again(house: House) {
        let (doors, acme) = open(&house).await;
        let mut codes = 0;
        for point in ["before_commit", "after_commit"] {
            for (path, body, more) in [("/v1/issuances", one(point), 1), ("/v1/allocations", many(50), 50)] {
                let key = format!("{point}-{more}");
                house.faults.cut(point);
                let first = post(&doors[0], &acme.token, (path, &key), &body).await;
                assert_eq!(first.status, 201, "{path} {point}: {}", first.body);
                for doors in &doors {
                    let again = post(doors, &acme.token, (path, &key), &body).await;
                    assert_eq!(shown(&again), shown(&first), "{path} {point}");
                }
                codes += more;
                assert_eq!(house.number(OUT).await, codes, "{path} {point}");
            }
        }
        house.audited().await;
    }
}
