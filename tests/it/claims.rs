//! Claim pages through the front door, and what is seen of codes: looks, leaks, stock that runs out.

use crate::harness::on_both;

on_both! {
    a_phone_has_one_code_by_text_and_page_in_either_order_from_five_browsers,
    two_hundred_claims_of_one_proof_are_one_code,
    five_wrong_digits_close_a_proof_and_the_right_ones_come_too_late,
    digits_end_after_ten_minutes_or_with_the_next_and_belong_to_one_phone,
    a_phone_gets_three_texts_with_digits_in_an_hour,
    digits_go_out_after_an_old_stop_and_stand_in_no_row,
    openings_are_counted_exactly_and_programs_are_not,
    a_closed_page_opens_a_code_again_and_does_not_show_who_has_one,
    pages_that_lead_nowhere_and_stopped_creators_are_neutral,
}

pub(crate) mod bodies {
    use crate::harness::{House, campaign, partner_door, sender};
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::http::{Request, StatusCode, header};
    use chrono::Duration;
    use codewell::config::HttpConfig;
    use codewell::domain::act::{ProofId, Who};
    use codewell::domain::creator::{Slug, SubId};
    use codewell::domain::decision::outcome::{Outcome, Refusal, Told};
    use codewell::domain::ids::SenderId;
    use codewell::engine::{EarlyReports, MaySend, Moment};
    use codewell::http::claim::ClaimLimits;
    use codewell::http::partner::WebhookDoor;
    use codewell::http::sms::SmsDoor;
    use codewell::http::till::Guesses;
    use codewell::http::{Phase, Site, router};
    use codewell::sms::Registry;
    use std::collections::HashSet;
    use tokio::task::JoinSet;
    use tower::ServiceExt as _;

    const BROWSER: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1";

    /// Phones with numbers that people have.
    pub(crate) const FIRST: u64 = 2_000_001;
    const SECOND: u64 = 2_000_002;

    fn slug(text: &str) -> Slug {
        Slug::parse(text).unwrap()
    }

    /// Campaign 1 on number 12345, a page of the house and one of Emma's.
    pub(crate) async fn open(house: &House) -> Router {
        sender(house).await;
        let emma = serde_json::json!({"creators": {"emma": {"cap": 1000}}});
        campaign(1).document(emma).cap_of("creator", "7", "count", "lifetime", 1_000).write(house).await;
        house.sql("INSERT INTO creator VALUES (7, 'emma', 'Emma', 'active', NULL, NULL, 'Ad: I earn by it', 0)").await;
        house.sql("INSERT INTO link VALUES ('story', 1, 0, 0)").await;
        house.sql("INSERT INTO link VALUES ('emma', 1, 7, 0)").await;
        house.sql("UPDATE catalog SET version = version + 1").await;
        house.engine.fresh_catalog().await.unwrap();
        doors(house)
    }

    pub(crate) fn doors(house: &House) -> Router {
        let engine = house.engine.clone();
        let (_, phase) = tokio::sync::watch::channel(Phase::Ready);
        let sms = SmsDoor { engine: engine.clone(), carriers: Registry::default(), early: EarlyReports::default() };
        router(Site {
            partners: partner_door(&engine),
            engine,
            phase,
            limits: HttpConfig::default(),
            claims: ClaimLimits::new(0, 0, 0),
            guesses: Guesses::new(0, 0),
            webhooks: WebhookDoor::default(),
            sms,
            simulator: None,
        })
    }

    pub(crate) struct Answer {
        pub(crate) status: StatusCode,
        location: String,
        pub(crate) body: String,
    }

    pub(crate) async fn send(routes: &Router, request: Request<Body>) -> Answer {
        let response = routes.clone().oneshot(request).await.unwrap();
        let location = response.headers().get(header::LOCATION).map_or("", |value| value.to_str().unwrap()).to_owned();
        let status = response.status();
        let body = to_bytes(response.into_body(), 200_000).await.unwrap();
        Answer { status, location, body: String::from_utf8(body.to_vec()).unwrap() }
    }

    pub(crate) async fn fetch(routes: &Router, path: &str) -> Answer {
        let request = Request::get(path).header(header::USER_AGENT, BROWSER);
        send(routes, request.body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(routes: &Router, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        send(routes, request.body(Body::from(body)).unwrap()).await
    }

    /// The value of a hidden field.
    fn hidden(answer: &Answer, name: &str) -> String {
        let begin = format!("name=\"{name}\" value=\"");
        let rest = answer.body.split(&begin).nth(1).unwrap_or_else(|| panic!("no field {name} in {}", answer.body));
        rest.split('"').next().unwrap().to_owned()
    }

    fn number(phone: u64) -> String {
        format!("+1{}", 2_020_000_000 + phone)
    }

    async fn proof(house: &House, phone: u64, page: &str) -> ProofId {
        house.store.newest_proof(house.who(phone).subject, page).await.unwrap().unwrap().id
    }

    fn digits(house: &House, proof: ProofId) -> String {
        house.engine.parts().keys.web_digits(&proof.0)
    }

    /// Claims a code as a fresh browser does; where it leads.
    pub(crate) async fn claim(house: &House, routes: &Router, page: &str, phone: u64) -> String {
        let path = format!("/x/{page}?sub=reel-7");
        let first = fetch(routes, &path).await;
        assert_eq!(first.status, StatusCode::OK);
        let key = hidden(&first, "key");
        let second = post(routes, &path, &[("step", "send"), ("phone", &number(phone)), ("key", &key)]).await;
        assert!(second.body.contains("data-step=\"code\""), "{}", second.body);
        assert!(!second.body.contains(&number(phone)), "the number is masked");
        let digits = digits(house, proof(house, phone, page).await);
        assert!(!second.body.contains(&digits), "the digits are on the phone only");
        let (claim, key) = (hidden(&second, "claim"), hidden(&second, "key"));
        let done = post(routes, &path, &[("step", "prove"), ("claim", &claim), ("key", &key), ("code", &digits)]).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
        done.location
    }

    pub(super) async fn a_phone_has_one_code_by_text_and_page_in_either_order_from_five_browsers(house: House) {
        let routes = open(&house).await;
        let Outcome::Issued(texted) = house.text(FIRST, "WORDB").await.unwrap().outcome else { panic!("a code") };
        let links: HashSet<_> = [
            claim(&house, &routes, "emma", FIRST).await,
            claim(&house, &routes, "emma", FIRST).await,
            claim(&house, &routes, "emma", FIRST).await,
            claim(&house, &routes, "emma", FIRST).await,
            claim(&house, &routes, "emma", FIRST).await,
        ]
        .into();
        assert_eq!(links, HashSet::from([house.engine.link_path(texted)]));
        let link = claim(&house, &routes, "emma", SECOND).await;
        let Outcome::Repeat(again, _) = house.text(SECOND, "WORDB").await.unwrap().outcome else {
            panic!("the same code")
        };
        assert_eq!(link, house.engine.link_path(again));
        assert_eq!(house.number("SELECT COUNT(*) FROM issuance").await, 2);
        let hers = "SELECT COUNT(*) FROM issuance WHERE creator_id = 7 AND channel = 'web' AND sub_id = 'reel-7'";
        assert_eq!(house.number(hers).await, 1, "the first touch has the merit");
        let assists = "SELECT SUM(n) FROM rollup_credit WHERE kind = 'creator' AND outcome = 'assist'";
        assert_eq!(house.number(&format!("SELECT CAST(({assists}) AS BIGINT)")).await, 5);
        house.audited().await;
    }

    async fn prove(house: &House, who: Who, page: &str) -> Outcome {
        let sub = SubId::parse("reel-7").unwrap();
        house.engine.prove(who, &slug(page), Some(&sub), &house.key()).await.unwrap().outcome
    }

    async fn give(house: &House, who: Who, proof: ProofId, digits: &str) -> Outcome {
        house.engine.claim(who, &slug("story"), proof, digits, &house.key()).await.unwrap().outcome
    }

    pub(super) async fn two_hundred_claims_of_one_proof_are_one_code(house: House) {
        drop(open(&house).await);
        assert_eq!(prove(&house, house.who(1), "story").await, Outcome::Told(Told::Proving));
        let proof = proof(&house, 1, "story").await;
        let digits = digits(&house, proof);
        let houses = [house.clone(), house.second().await];
        let mut tasks = JoinSet::new();
        for n in 0..200 {
            let (house, digits) = (houses[n % 2].clone(), digits.clone());
            tasks.spawn(async move { give(&house, house.who(1), proof, &digits).await });
        }
        let answers = tasks.join_all().await;
        assert_eq!(answers.iter().filter(|one| matches!(one, Outcome::Issued(_))).count(), 1);
        let spots: HashSet<_> = answers.iter().map(|one| one.spot().unwrap()).collect();
        assert_eq!(spots.len(), 1);
        house.audited().await;
    }

    /// Digits that are not these.
    fn other(digits: &str, n: u32) -> String {
        format!("{:06}", (digits.parse::<u32>().unwrap() + n) % 1_000_000)
    }

    pub(super) async fn five_wrong_digits_close_a_proof_and_the_right_ones_come_too_late(house: House) {
        drop(open(&house).await);
        prove(&house, house.who(1), "story").await;
        let proof = proof(&house, 1, "story").await;
        let right = digits(&house, proof);
        for n in 1..=5 {
            let (wrong, key) = (other(&right, n), house.key());
            for _ in 0..2 {
                let told = house.engine.claim(house.who(1), &slug("story"), proof, &wrong, &key).await.unwrap();
                let left = u64::from(5 - n);
                assert_eq!(
                    told.outcome,
                    Outcome::Refused(Refusal::WrongDigits(left), None),
                    "pressed twice, counted once"
                );
            }
        }
        assert_eq!(give(&house, house.who(1), proof, &right).await, Outcome::Refused(Refusal::ProofOver, None));
        assert_eq!(house.number("SELECT COUNT(*) FROM issuance").await, 0);
        house.audited().await;
    }

    pub(super) async fn digits_end_after_ten_minutes_or_with_the_next_and_belong_to_one_phone(house: House) {
        drop(open(&house).await);
        let over = Outcome::Refused(Refusal::ProofOver, None);
        prove(&house, house.who(1), "story").await;
        prove(&house, house.who(2), "story").await;
        let (first, second) = (proof(&house, 1, "story").await, proof(&house, 2, "story").await);
        assert_eq!(give(&house, house.who(2), first, &digits(&house, first)).await, over, "not her proof");
        let wrong = give(&house, house.who(1), first, &digits(&house, second)).await;
        assert_eq!(wrong, Outcome::Refused(Refusal::WrongDigits(4), None));
        house.clock.forward(Duration::minutes(1));
        prove(&house, house.who(1), "story").await;
        let newer = proof(&house, 1, "story").await;
        assert_eq!(give(&house, house.who(1), first, &digits(&house, first)).await, over, "newer digits went out");
        house.clock.forward(Duration::minutes(10));
        assert_eq!(give(&house, house.who(1), newer, &digits(&house, newer)).await, over, "too old");
        house.clock.forward(Duration::minutes(-1));
        let issued = give(&house, house.who(1), newer, &digits(&house, newer)).await;
        assert!(matches!(issued, Outcome::Issued(_)), "{issued:?}");
    }

    pub(super) async fn a_phone_gets_three_texts_with_digits_in_an_hour(house: House) {
        drop(open(&house).await);
        for page in ["story", "emma", "story"] {
            assert_eq!(prove(&house, house.who(1), page).await, Outcome::Told(Told::Proving));
        }
        let houses = [house.clone(), house.second().await];
        let mut tasks = JoinSet::new();
        for n in 0..200 {
            let house = houses[n % 2].clone();
            tasks.spawn(async move { prove(&house, house.who(1), "emma").await });
        }
        let again = house.engine.now() + Duration::hours(1);
        for outcome in tasks.join_all().await {
            assert_eq!(outcome, Outcome::Refused(Refusal::ProofsReached(again), None));
        }
        assert_eq!(house.number("SELECT COUNT(*) FROM outbox_message WHERE reply = 'T23'").await, 3);
        house.clock.forward(Duration::hours(1));
        assert_eq!(prove(&house, house.who(1), "story").await, Outcome::Told(Told::Proving));
        house.audited().await;
    }

    pub(super) async fn digits_go_out_after_an_old_stop_and_stand_in_no_row(house: House) {
        drop(open(&house).await);
        house.text(1, "STOP").await.unwrap();
        house.clock.forward(Duration::minutes(1));
        prove(&house, house.who(1), "story").await;
        house.clock.forward(Duration::minutes(2));
        let due = house.engine.claim_due(SenderId(1), Duration::minutes(1), 10).await.unwrap();
        let message = &due.iter().find(|due| due.message.reply.as_str() == "T23").unwrap().message;
        assert_eq!(house.engine.may_send(message, Moment::Waiting).await.unwrap(), MaySend::Yes);
        let composed = house.engine.compose(message).await.unwrap();
        let digits = digits(&house, proof(&house, 1, "story").await);
        let words = format!(
            "Acme: {digits} is your code to claim on the web. It ends in 10 minutes. We never ask for it by phone."
        );
        assert_eq!((composed.body, composed.segments), (words, 1));
        assert!(message.params.choices.is_empty() && message.spot.is_none());
    }

    pub(super) async fn openings_are_counted_exactly_and_programs_are_not(house: House) {
        let routes = open(&house).await;
        let mut tasks = JoinSet::new();
        for n in 0..200 {
            let routes = routes.clone();
            let path = if n % 2 == 0 { "/x/EMMA?sub=reel-7" } else { "/x/emma" };
            tasks.spawn(async move { fetch(&routes, path).await.status });
        }
        assert!(tasks.join_all().await.iter().all(|status| *status == StatusCode::OK));
        let ask = |request: axum::http::request::Builder| request.body(Body::empty()).unwrap();
        for request in [
            Request::head("/x/emma").header(header::USER_AGENT, BROWSER),
            Request::get("/x/emma").header(header::USER_AGENT, BROWSER).header("sec-purpose", "prefetch"),
            Request::get("/x/emma").header(header::USER_AGENT, "facebookexternalhit/1.1"),
            Request::get("/x/emma"),
        ] {
            assert_eq!(send(&routes, ask(request)).await.status, StatusCode::OK);
        }
        house.engine.write_openings().await.unwrap();
        fetch(&routes, "/x/emma?sub=a%20b").await;
        house.engine.write_openings().await.unwrap();
        house.engine.write_openings().await.unwrap();
        let opened = async |sub| {
            house.number(&format!("SELECT n FROM rollup_link WHERE slug = 'emma' AND sub_id = '{sub}'")).await
        };
        assert_eq!((opened("reel-7").await, opened("").await), (100, 101));
        assert_eq!(house.number("SELECT COUNT(*) FROM request").await, 0);
    }

    /// What the page says of a number, without what is drawn anew for each.
    fn words(answer: &Answer, phone: u64) -> String {
        let drawn = ["claim", "key"].map(|name| hidden(answer, name));
        let plain = drawn.iter().fold(answer.body.clone(), |body, value| body.replace(value, ""));
        plain.replace(&format!("••{:02}", phone % 100), "")
    }

    pub(super) async fn a_closed_page_opens_a_code_again_and_does_not_show_who_has_one(house: House) {
        let routes = open(&house).await;
        let hers = claim(&house, &routes, "emma", FIRST).await;
        for (step, close) in [
            ("paused", "UPDATE creator SET status = 'suspended'"),
            ("paused", "UPDATE campaign SET status = 'paused'"),
            ("ended", "UPDATE campaign SET status = 'ended'"),
        ] {
            house.sql("UPDATE creator SET status = 'active'").await;
            house.sql(close).await;
            house.sql("UPDATE catalog SET version = version + 1").await;
            house.clock.forward(Duration::hours(1));
            let page = fetch(&routes, "/x/emma").await;
            assert!(page.body.contains(&format!("data-step=\"{step}\"")) && page.body.contains("/x/emma?own=1"));
            let key = hidden(&fetch(&routes, "/x/emma?own=1").await, "key");
            let texts = house.number("SELECT COUNT(*) FROM outbox_message WHERE reply = 'T23'").await;
            let mut said = Vec::new();
            for phone in [FIRST, SECOND] {
                let fields = [("step", "send"), ("phone", &*number(phone)), ("key", &*key)];
                let sent = post(&routes, "/x/emma?own=1", &fields).await;
                assert_eq!(sent.status, StatusCode::OK, "{}", sent.body);
                said.push(words(&sent, phone));
                let (claim, key) = (hidden(&sent, "claim"), hidden(&sent, "key"));
                let digits = digits(&house, proof(&house, phone, "emma").await);
                let fields = [("step", "prove"), ("claim", &*claim), ("key", &*key), ("code", &*digits)];
                let done = post(&routes, "/x/emma?own=1", &fields).await;
                if phone == FIRST {
                    assert_eq!((done.status, &*done.location), (StatusCode::SEE_OTHER, &*hers), "{}", done.body);
                } else {
                    assert!(done.body.contains(&format!("data-step=\"{step}\"")), "{}", done.body);
                }
            }
            assert_eq!(said[0], said[1], "it does not show who has a code");
            let now = house.number("SELECT COUNT(*) FROM outbox_message WHERE reply = 'T23'").await;
            assert_eq!(now, texts + 1, "who has none gets no text");
        }
        assert_eq!(house.number("SELECT COUNT(*) FROM issuance").await, 1);
        // Ended by hand in its row alone, which the audit would rightly find.
        house.sql("UPDATE campaign SET status = 'live'").await;
        house.audited().await;
    }

    pub(super) async fn pages_that_lead_nowhere_and_stopped_creators_are_neutral(house: House) {
        let routes = open(&house).await;
        assert_eq!(fetch(&routes, "/x/nobody").await.status, StatusCode::NOT_FOUND);
        assert_eq!(fetch(&routes, "/x/no_slug").await.status, StatusCode::NOT_FOUND);
        let page = fetch(&routes, "/x/emma").await;
        assert!(page.body.contains("Paid partnership") && page.body.contains("Ad: I earn by it"));
        assert!(!fetch(&routes, "/x/story").await.body.contains("Paid partnership"));
        let bad = post(&routes, "/x/emma", &[("step", "send"), ("phone", "202 55"), ("key", "k")]).await;
        assert!(bad.status == StatusCode::BAD_REQUEST && bad.body.contains("value=\"202 55\""));
        prove(&house, house.who(1), "emma").await;
        house.sql("UPDATE creator SET status = 'suspended'").await;
        house.sql("UPDATE catalog SET version = version + 1").await;
        let page = fetch(&routes, "/x/emma").await;
        assert!(page.body.contains("data-step=\"paused\"") && !page.body.contains("<form"), "{}", page.body);
        assert_eq!(prove(&house, house.who(2), "emma").await, Outcome::Refused(Refusal::Paused, None));
        let sent = post(&routes, "/x/emma", &[("step", "send"), ("phone", &number(3)), ("key", "k2")]).await;
        assert!(sent.body.contains("data-step=\"paused\""));
        assert_eq!(house.number("SELECT COUNT(*) FROM outbox_message").await, 1);
    }
}
