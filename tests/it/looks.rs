//! What is seen of codes: looks, leaks, stock that runs out; and who reads the alerts.

use crate::harness::on_both;

on_both! {
    a_page_that_was_open_is_counted_once_a_window_and_its_partner_hears_of_it,
    a_delivered_code_and_a_validation_reach_the_partner_once,
    a_partner_texts_nobody_who_said_stop_before_or_since,
    three_hundred_tills_on_one_code_raise_one_alert,
    a_code_of_the_stock_that_is_shown_at_a_till_raises_an_alert,
    tills_that_only_ask_about_a_code_in_vain_are_a_sign_too,
    low_stock_is_told_to_every_granted_partner_once_a_crossing,
    an_admin_reads_alerts_from_page_to_page_and_clears_one,
}

mod bodies {
    use crate::claims::bodies::{FIRST, claim, doors, fetch, open, post, send};
    use crate::harness::{House, campaign, sender};
    use axum::body::Body;
    use axum::http::{Request, StatusCode, header};
    use chrono::Duration;
    use codewell::domain::act::{Act, Ask, Deliver, MessageStatus, Presented};
    use codewell::domain::campaign::{Attribution, Channel, Partnership};
    use codewell::domain::decision::outcome::Outcome;
    use codewell::domain::ids::{CampaignId, CreatorId, PartnerId, RequestId, SenderId, Spot};
    use codewell::domain::partner::Grant;
    use codewell::domain::till::TillRefusal;
    use codewell::engine::{EarlyReports, MaySend, Moment, Reported, Which, draw, fingerprint};
    use tokio::task::JoinSet;

    /// A code of a partner's, given to phone 1.
    async fn partners_code(house: &House, deliver: Deliver) -> (Spot, PartnerId, [u8; 16]) {
        let partner = house.partner("acme", &[Grant::free(CampaignId(1))]).await.id;
        let from =
            Attribution { partner: Some(Partnership { id: partner, version: 0 }), ..Attribution::by(Channel::Api) };
        let request = RequestId { door: "api-acme".to_owned(), key: house.key() };
        let ask = Ask::Issue(CampaignId(1), from, deliver);
        let act =
            Act { partner: Some(partner), ..Act::new(draw(), request, fingerprint(&[]), Some(house.who(1)), ask) };
        let id = act.id;
        let Outcome::Issued(spot) = house.engine.settle(act).await.unwrap().outcome else { panic!("a code") };
        (spot, partner, id)
    }

    async fn heard(house: &House, kind: &str) -> i64 {
        house.number(&format!("SELECT COUNT(*) FROM feed WHERE kind = '{kind}'")).await
    }

    pub(super) async fn a_page_that_was_open_is_counted_once_a_window_and_its_partner_hears_of_it(house: House) {
        let routes = open(&house).await;
        let (spot, ..) = partners_code(&house, Deliver::Here).await;
        let path = house.engine.link_path(spot);
        let page = fetch(&routes, &path).await;
        assert!(page.body.contains("seen.js"), "the page tells that it is open");
        assert_eq!(heard(&house, "viewed").await, 0, "fetching it tells nothing");
        for _ in 0..5 {
            assert_eq!(post(&routes, &format!("{path}/seen"), &[]).await.status, StatusCode::NO_CONTENT);
        }
        assert_eq!(heard(&house, "viewed").await, 1);
        house.clock.forward(Duration::minutes(30));
        post(&routes, &format!("{path}/seen"), &[]).await;
        assert_eq!(heard(&house, "viewed").await, 2);
        assert_eq!(post(&routes, "/c/0000000000000000000000/seen", &[]).await.status, StatusCode::NO_CONTENT);
        house.audited().await;
    }

    pub(super) async fn a_delivered_code_and_a_validation_reach_the_partner_once(house: House) {
        drop(open(&house).await);
        let (spot, _, message) = partners_code(&house, Deliver::BySms).await;
        let early = EarlyReports::default();
        for _ in 0..2 {
            let reference = Some(format!("{:032x}", u128::from_be_bytes(message)));
            let report = Reported { reference, ..Reported::of("p1", MessageStatus::Delivered) };
            house.engine.report(&early, SenderId(1), report).await.unwrap();
        }
        assert_eq!(heard(&house, "delivered").await, 1);
        let code = house.engine.code_at(spot).await.unwrap().unwrap();
        for _ in 0..3 {
            let found = house.engine.validate(code.expose(), &Presented::default()).await.unwrap().unwrap();
            house.engine.count_validation(&found, "till-a");
        }
        let found = house.engine.validate(code.expose(), &Presented::default()).await.unwrap().unwrap();
        house.engine.count_validation(&found, "till-b");
        let mut looks = 0;
        while heard(&house, "validated").await < 2 {
            looks += 1;
            assert!(looks < 20_000, "a validation was not told");
        }
        assert_eq!(heard(&house, "validated").await, 2);
        house.audited().await;
    }

    async fn redeem(house: &House, door: &str, code: &str) -> Option<Outcome> {
        let request = RequestId { door: door.to_owned(), key: house.key() };
        house.engine.redeem(request, code, Presented::default()).await.unwrap().map(|settled| settled.outcome)
    }

    pub(super) async fn a_partner_texts_nobody_who_said_stop_before_or_since(house: House) {
        drop(open(&house).await);
        house.text(1, "STOP").await.unwrap();
        house.clock.forward(Duration::minutes(1));
        let (.., message) = partners_code(&house, Deliver::BySms).await;
        house.clock.forward(Duration::minutes(2));
        let due = house.engine.claim_due(SenderId(1), Duration::minutes(1), 10).await.unwrap();
        let message = &due.iter().find(|due| due.message.id == message).unwrap().message;
        let may_send = async || house.engine.may_send(message, Moment::Waiting).await.unwrap();
        assert_eq!(may_send().await, MaySend::OptedOut, "she did not ask for it");
        house.text(1, "START").await.unwrap();
        assert_eq!(may_send().await, MaySend::Yes, "by her own word");
        house.clock.forward(Duration::minutes(1));
        house.text(1, "STOP").await.unwrap();
        assert_eq!(may_send().await, MaySend::Over, "what waits is dropped at once");
        house.audited().await;
    }

    pub(super) async fn three_hundred_tills_on_one_code_raise_one_alert(house: House) {
        let routes = open(&house).await;
        let (spot, partner, _) = partners_code(&house, Deliver::Here).await;
        let code = house.engine.code_at(spot).await.unwrap().unwrap().expose().to_owned();
        assert!(matches!(redeem(&house, "till-own", &code).await, Some(Outcome::Redeemed(..))));
        let houses = [house.clone(), house.second().await];
        let mut tasks = JoinSet::new();
        for n in 0..300 {
            let (house, code) = (houses[n % 2].clone(), code.clone());
            tasks.spawn(async move { redeem(&house, &format!("till-{n}"), &code).await });
        }
        assert!(tasks.join_all().await.iter().all(|one| matches!(one, Some(Outcome::Declined(..)))));
        let open = house.engine.alerts(Which::Open, 10).await.unwrap();
        let [alert] = open.as_slice() else { panic!("{open:?}") };
        assert_eq!((alert.kind.as_str(), alert.times), ("leak_suspected", 1));
        assert_eq!(alert.about, format!("campaign C1, partner {partner}"));
        assert_eq!(heard(&house, "leak_suspected").await, 1);
        // A creator's code: two tills are no sign, the third one is.
        claim(&house, &routes, "emma", FIRST).await;
        let hers = "SELECT position FROM issuance WHERE creator_id = 7";
        let position = u64::try_from(house.number(hers).await).unwrap();
        let code = house.engine.code_at(Spot { position, ..spot }).await.unwrap().unwrap().expose().to_owned();
        redeem(&house, "till-own", &code).await;
        for door in ["till-1", "till-1", "till-2"] {
            redeem(&house, door, &code).await;
        }
        assert_eq!(house.engine.leaks_of(CreatorId(7)).await.unwrap(), vec![]);
        redeem(&house, "till-3", &code).await;
        let leaks = house.engine.leaks_of(CreatorId(7)).await.unwrap();
        let [leak] = leaks.as_slice() else { panic!("{leaks:?}") };
        assert_eq!((leak.spot.position, leak.attempts, leak.since), (position, 3, house.engine.now()));
        assert_eq!(house.engine.alerts(Which::Open, 10).await.unwrap().len(), 2);
        house.audited().await;
    }

    pub(super) async fn tills_that_only_ask_about_a_code_in_vain_are_a_sign_too(house: House) {
        drop(open(&house).await);
        let (spot, partner, _) = partners_code(&house, Deliver::Here).await;
        let code = house.engine.code_at(spot).await.unwrap().unwrap().expose().to_owned();
        redeem(&house, "till-own", &code).await;
        let ask = |till: &str, code: &str, why| {
            house.engine.note_vain(code, &Presented::default(), till, why);
        };
        for n in 0..30 {
            ask(&format!("till-{}", n % 3), &code, TillRefusal::AlreadyRedeemed);
        }
        let raised = async |n: usize| {
            let mut looks = 0;
            loop {
                let open = house.engine.alerts(Which::Open, 10).await.unwrap();
                if open.len() >= n {
                    return open;
                }
                looks += 1;
                assert!(looks < 20_000, "an alert was not raised");
            }
        };
        let [alert] = &raised(1).await[..] else { panic!("one alert") };
        assert_eq!((alert.about.as_str(), alert.times), (format!("campaign C1, partner {partner}").as_str(), 1));
        assert_eq!(heard(&house, "leak_suspected").await, 1);
        let stock = Spot { position: 77_777, ..spot };
        let code = house.engine.code_at(stock).await.unwrap().unwrap().expose().to_owned();
        ask("till-1", "no code", TillRefusal::UnknownCode);
        ask("till-1", &code, TillRefusal::UnknownCode);
        assert_eq!(raised(2).await.len(), 2, "it was never given out");
        house.audited().await;
    }

    pub(super) async fn a_code_of_the_stock_that_is_shown_at_a_till_raises_an_alert(house: House) {
        drop(open(&house).await);
        let spot = Spot { campaign: CampaignId(1), pool: 1, position: 77_777 };
        let code = house.engine.code_at(spot).await.unwrap().unwrap().expose().to_owned();
        for door in ["till-1", "till-1", "till-2"] {
            assert_eq!(redeem(&house, door, &code).await, None);
        }
        let open = house.engine.alerts(Which::Open, 10).await.unwrap();
        let [alert] = open.as_slice() else { panic!("{open:?}") };
        assert_eq!((alert.kind.as_str(), alert.about.as_str(), alert.times), ("leak_suspected", "campaign C1", 2));
        assert!(!alert.detail.contains(&code));
    }

    pub(super) async fn low_stock_is_told_to_every_granted_partner_once_a_crossing(house: House) {
        sender(&house).await;
        campaign(1).size(100).write(&house).await;
        house.partner("acme", &[Grant::free(CampaignId(1))]).await;
        house.partner("other", &[Grant::free(CampaignId(1))]).await;
        house.partner("none", &[]).await;
        for phone in 0..85 {
            house.issue(1, phone).await.unwrap();
        }
        let houses = [house.clone(), house.second().await];
        let mut tasks = JoinSet::new();
        for n in 0..20 {
            let house = houses[n % 2].clone();
            tasks.spawn(async move { house.engine.watch_stock(10, 20).await.unwrap() });
        }
        tasks.join_all().await;
        assert_eq!(heard(&house, "low_stock").await, 2);
        let open = house.engine.alerts(Which::Open, 10).await.unwrap();
        let [alert] = open.as_slice() else { panic!("{open:?}") };
        assert_eq!((alert.about.as_str(), alert.times), ("campaign C1", 1));
        house.audited().await;
    }

    pub(super) async fn an_admin_reads_alerts_from_page_to_page_and_clears_one(house: House) {
        let routes = doors(&house);
        let key = house.engine.create_admin_key("Tests").await.unwrap().expose().to_owned();
        for n in 0..5 {
            house.engine.raise(codewell::domain::alert::AlertKind::LowStock, &format!("campaign C{n}"), "few").await;
        }
        let admin =
            |request: axum::http::request::Builder| request.header(header::AUTHORIZATION, format!("Bearer {key}"));
        let mut about = Vec::new();
        let mut path = "/admin/v1/alerts?limit=2".to_owned();
        loop {
            let page = send(&routes, admin(Request::get(&path)).body(Body::empty()).unwrap()).await;
            assert_eq!(page.status, StatusCode::OK, "{}", page.body);
            let page: serde_json::Value = serde_json::from_str(&page.body).unwrap();
            about.extend(page["data"].as_array().unwrap().iter().map(|one| one["about"].as_str().unwrap().to_owned()));
            let Some(next) = page["next_cursor"].as_str() else { break };
            path = format!("/admin/v1/alerts?limit=2&after={next}");
        }
        assert_eq!(about, ["campaign C0", "campaign C1", "campaign C2", "campaign C3", "campaign C4"]);
        let clear = async |about: &str| {
            let body = serde_json::json!({"kind": "low_stock", "about": about}).to_string();
            let request =
                admin(Request::post("/admin/v1/alerts/clear")).header(header::CONTENT_TYPE, "application/json");
            send(&routes, request.body(Body::from(body)).unwrap()).await.status
        };
        assert_eq!(clear("campaign C3").await, StatusCode::NO_CONTENT);
        assert_eq!(clear("campaign C3").await, StatusCode::NOT_FOUND);
        assert_eq!(house.engine.alerts(Which::Open, 10).await.unwrap().len(), 4);
        let refused = send(&routes, Request::get("/admin/v1/alerts").body(Body::empty()).unwrap()).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    }
}
