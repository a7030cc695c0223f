//! Campaigns whose codes another system honours: promises, looks ahead of use, dead codes.

use crate::harness::on_both;

on_both! {
    a_code_is_promised_until_one_was_verified_and_then_given_once,
    promises_count_in_caps_and_against_stock_under_hundreds_of_tasks,
    a_dead_code_is_never_given_out_while_many_ask,
    an_outage_of_ten_minutes_costs_nobody_a_code,
    too_many_dead_codes_stop_verifying_until_a_person_goes_on,
    stop_silences_a_promise_until_she_asks_again,
    an_end_lets_promises_lapse,
    who_waits_for_a_day_is_told_once,
    what_a_peer_reports_ends_the_same_in_any_order,
    a_report_without_a_code_waits_for_it_and_a_leak_is_put_aside,
    a_peers_word_wins_in_the_next_repeat_and_at_the_till,
    a_sale_that_nobody_knows_of_is_looked_up_and_not_made_twice,
    one_code_is_sold_once_however_many_tills_try,
    codes_that_are_out_are_asked_about_again,
    low_stock_is_told_once_a_crossing,
}

mod bodies {
    use crate::harness::{Fixture, House, Mood, StandIn, all, campaign, capped, issued, keyword, sender};
    use chrono::Duration;
    use codewell::domain::act::Presented;
    use codewell::domain::campaign::{Campaign, Status as CampaignStatus};
    use codewell::domain::decision::outcome::{Outcome, Refusal};
    use codewell::domain::ids::{CampaignId, RequestId, Spot};
    use codewell::domain::till::TillRefusal;
    use codewell::domain::world::HeldState;
    use codewell::engine::{EngineError, Look, Matched, Which};
    use codewell::redemption::{EventKind, PeerEvent, Status};
    use std::sync::Arc;
    use tokio::task::JoinSet;

    /// The campaign of a house, and one look after the other until nothing more is to be looked at.
    async fn look_at_all(house: &House) -> Vec<Look> {
        let mut looks = Vec::new();
        loop {
            let look = look_once(house).await;
            let done = !matches!(look, Look::Looked { .. });
            looks.push(look);
            if done {
                return looks;
            }
        }
    }

    async fn look_once(house: &House) -> Look {
        let (campaign, _, peer) = house.engine.peers_campaigns().remove(0);
        let pool = campaign.pools[0].clone();
        house.engine.look_at_pool(&campaign, &pool, &peer.expect("the peer")).await.expect("it can look")
    }

    fn the_campaign(house: &House) -> Arc<Campaign> {
        house.engine.catalog().campaigns[&CampaignId(1)].clone()
    }

    async fn keep(house: &House) -> u64 {
        house.engine.keep_promises(&the_campaign(house)).await.expect("promises are kept")
    }

    fn peers(size: u64) -> Fixture {
        campaign(1).size(size).document(serde_json::json!({"redemption": {"peer": "shop"}}))
    }

    /// A house that lives with a peer, and a campaign of that peer's codes.
    async fn open(house: &House, fixture: Fixture) -> (House, StandIn) {
        let peer = StandIn::new();
        let house = house.living_with(peer.registry()).await;
        sender(&house).await;
        fixture.write(&house).await;
        (house, peer)
    }

    async fn code(house: &House, position: u64) -> codewell::domain::code::Code {
        let spot = Spot { campaign: CampaignId(1), pool: 1, position };
        house.engine.code_at(spot).await.expect("it can be read").expect("a code")
    }

    pub(super) async fn a_code_is_promised_until_one_was_verified_and_then_given_once(house: House) {
        let (house, peer) = open(&house, peers(1000)).await;
        let first = house.text(1, &keyword(1)).await.expect("settled").outcome;
        let Outcome::Held(promise) = first else { panic!("{first:?}") };
        let again = house.text(1, &keyword(1)).await.expect("settled").outcome;
        assert_eq!(again, Outcome::Held(promise), "one promise, however often she asks");
        assert_eq!(keep(&house).await, 0, "nothing is verified yet");
        assert!(matches!(look_once(&house).await, Look::Looked { alive: 100, dead: 0 }));
        assert_eq!((keep(&house).await, keep(&house).await), (1, 0), "kept once");
        let outcome = house.text(1, &keyword(1)).await.expect("settled").outcome;
        assert!(matches!(outcome, Outcome::Repeat(_, HeldState::Unused)), "{outcome:?}");
        let texts = "SELECT COUNT(*) FROM outbox_message WHERE reply = ";
        let sent = [house.number(&format!("{texts}'T16'")).await, house.number(&format!("{texts}'T01'")).await];
        assert_eq!(sent, [1, 1], "the second T16 came within ten seconds of the first");
        assert!(matches!(house.issue(1, 2).await.expect("settled").outcome, Outcome::Issued(_)), "at once by now");
        look_at_all(&house).await;
        assert_eq!(peer.validated(), 502, "500 are kept ready beside the two that were given, each looked at once");
        house.audited().await;
    }

    pub(super) async fn promises_count_in_caps_and_against_stock_under_hundreds_of_tasks(house: House) {
        let (house, _) = open(&house, peers(300).cap("campaign", "count", "day", 250)).await;
        let houses = [house.clone(), house.second().await];
        let asked = tokio::spawn({
            let houses = houses.clone();
            async move { all(&houses, (0..600).map(|n| (1, n % 400))).await }
        });
        let looked = look_at_all(&house).await;
        assert!(!looked.is_empty());
        let outcomes = asked.await.expect("no task dies");
        let held = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Held(_))).count();
        assert!(capped(&outcomes) >= 150, "150 persons at least find the cap full");
        while keep(&house).await > 0 {}
        let given = house.number("SELECT COUNT(*) FROM issuance").await;
        assert_eq!(given, 250, "exactly the cap, {held} of them promised first");
        assert_eq!(house.number("SELECT COUNT(*) FROM hold WHERE ended_at IS NULL").await, 0);
        assert_eq!(house.number("SELECT used FROM quota").await, 250);
        assert_eq!(house.number("SELECT in_stock FROM pool").await, 50);
        house.audited().await;
    }

    pub(super) async fn a_dead_code_is_never_given_out_while_many_ask(house: House) {
        let (house, peer) = open(&house, peers(900).uncapped()).await;
        let dead: Vec<u64> = (0..900).filter(|position| position % 97 == 3).collect();
        for position in &dead {
            peer.calls(&code(&house, *position).await, Status::Expired(None));
        }
        let houses = [house.clone(), house.second().await];
        let askers: Vec<_> = (0..32)
            .map(|crowd: u64| {
                let houses = houses.clone();
                tokio::spawn(async move { all(&houses, (crowd * 30..crowd * 30 + 30).map(|n| (1, n))).await })
            })
            .collect();
        look_at_all(&house).await;
        for crowd in askers {
            crowd.await.expect("no task dies");
        }
        loop {
            look_at_all(&house).await;
            if keep(&house).await == 0 {
                break;
            }
        }
        let alive = 900 - i64::try_from(dead.len()).expect("small");
        assert_eq!(house.number("SELECT COUNT(*) FROM issuance").await, alive, "every living code, and no other");
        for position in dead {
            let sql = format!("SELECT COUNT(*) FROM issuance WHERE position = {position}");
            assert_eq!(house.number(&sql).await, 0);
        }
        let more = house.issue(1, 5_000).await.expect("settled").outcome;
        assert_eq!(more, Outcome::Refused(Refusal::PoolEmpty, None));
        house.audited().await;
    }

    pub(super) async fn an_outage_of_ten_minutes_costs_nobody_a_code(house: House) {
        let (house, peer) = open(&house, peers(2000)).await;
        look_once(&house).await;
        peer.is(Mood::Down);
        let houses = [house.clone()];
        let first = all(&houses, (0..100).map(|n| (1, n))).await;
        assert_eq!(issued(&first).len(), 100, "from what was ready");
        let mut waiting = Vec::new();
        for minute in 0..10 {
            house.clock.forward(Duration::minutes(1));
            assert!(matches!(look_once(&house).await, Look::Failed(_)));
            let outcomes = all(&houses, (100 + minute * 30..130 + minute * 30).map(|n| (1, n))).await;
            assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Held(_))));
            waiting.extend(outcomes);
            assert_eq!(keep(&house).await, 0);
        }
        assert_eq!(waiting.len(), 300);
        let asked_before = peer.validated();
        peer.is(Mood::Ok);
        house.clock.forward(Duration::seconds(30));
        while !matches!(look_at_all(&house).await.as_slice(), [Look::Enough]) || keep(&house).await > 0 {}
        assert_eq!(house.number("SELECT COUNT(*) FROM issuance").await, 400, "exactly one each");
        assert!(peer.validated() - asked_before <= 1_000, "no storm: what is ready and what was promised");
        house.audited().await;
    }

    pub(super) async fn too_many_dead_codes_stop_verifying_until_a_person_goes_on(house: House) {
        let (house, peer) = open(&house, peers(1000)).await;
        for position in [7, 8] {
            peer.calls(&code(&house, position).await, Status::Redeemed { at: None, redemption_id: None });
        }
        assert_eq!(look_once(&house).await, Look::Paused, "2 of 100 are 2 %");
        assert_eq!(look_once(&house).await, Look::Paused);
        assert_eq!(peer.validated(), 100);
        let open = house.engine.alerts(Which::Open, 10).await.expect("alerts");
        let kinds: Vec<_> = open.iter().map(|alert| alert.kind.as_str()).collect();
        assert_eq!(kinds, ["dead_codes", "leak_suspected"]);
        assert_eq!(house.number("SELECT COUNT(*) FROM quarantine WHERE verdict = 'dead'").await, 2);
        house.engine.resume_verifying(&the_campaign(&house)).await.expect("it goes on");
        assert!(matches!(look_once(&house).await, Look::Looked { alive: 100, dead: 0 }));
        house.audited().await;
    }

    pub(super) async fn stop_silences_a_promise_until_she_asks_again(house: House) {
        let (house, _) = open(&house, peers(1000)).await;
        house.text(1, &keyword(1)).await.expect("settled");
        house.text(1, "STOP").await.expect("settled");
        look_once(&house).await;
        assert_eq!(keep(&house).await, 0, "she said STOP");
        let outcome = house.text(1, &keyword(1)).await.expect("settled").outcome;
        assert!(matches!(outcome, Outcome::Issued(_)), "a new request: {outcome:?}");
        assert_eq!(keep(&house).await, 0);
        assert_eq!(house.number("SELECT COUNT(*) FROM issuance").await, 1);
        house.audited().await;
    }

    pub(super) async fn an_end_lets_promises_lapse(house: House) {
        let (house, _) = open(&house, peers(1000)).await;
        house.text(1, &keyword(1)).await.expect("settled");
        house.engine.set_status("C1", CampaignStatus::Ended).await.expect("it ends");
        assert_eq!(house.number("SELECT COUNT(*) FROM hold WHERE ended_at IS NULL").await, 0);
        let outcome = house.text(1, &keyword(1)).await.expect("settled").outcome;
        assert_eq!(outcome, Outcome::Refused(Refusal::Ended, None));
        house.audited().await;
    }

    pub(super) async fn who_waits_for_a_day_is_told_once(house: House) {
        let (house, peer) = open(&house, peers(1000)).await;
        peer.is(Mood::Down);
        house.text(1, &keyword(1)).await.expect("settled");
        let tell = async || house.engine.excuse_late(&the_campaign(&house)).await.expect("it can tell");
        assert_eq!(tell().await, 0);
        house.clock.forward(Duration::hours(24));
        assert_eq!((tell().await, tell().await), (1, 0));
        assert_eq!(house.number("SELECT COUNT(*) FROM outbox_message WHERE reply = 'T17'").await, 1);
        peer.is(Mood::Ok);
        look_once(&house).await;
        assert_eq!(keep(&house).await, 1, "her place was kept");
        house.audited().await;
    }

    /// A code of the campaign that phone 1 has.
    async fn sold_code(house: &House) -> (Spot, codewell::domain::code::Code) {
        look_once(house).await;
        let outcome = house.issue(1, 1).await.expect("settled").outcome;
        let spot = outcome.spot().expect("a code");
        (spot, code(house, spot.position).await)
    }

    fn report(code: &codewell::domain::code::Code, id: &str, kind: EventKind, redemption: &str) -> PeerEvent {
        PeerEvent {
            event_id: id.to_owned(),
            kind,
            code: code.clone(),
            redemption_id: Some(redemption.to_owned()),
            at: chrono::TimeZone::with_ymd_and_hms(&chrono::Utc, 2026, 11, 20, 15, 0, 0).unwrap(),
            store: Some("Main St".to_owned()),
            order: None,
            amount: None,
        }
    }

    async fn take(house: &House, event: &PeerEvent) -> Matched {
        let (_, _, peer) = house.engine.peers_campaigns().remove(0);
        house.engine.take_peer_event(&peer.expect("the peer"), event).await.expect("it is taken")
    }

    async fn state(house: &House, spot: Spot) -> HeldState {
        let found = house.engine.find_spot(spot).await.expect("it can be read").expect("it is out");
        found.issued.held.state(house.engine.now())
    }

    pub(super) async fn what_a_peer_reports_ends_the_same_in_any_order(house: House) {
        let (house, _) = open(&house, peers(1000).uncapped()).await;
        look_once(&house).await;
        let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        for (phone, order) in (0..).zip(orders) {
            let spot = house.issue(1, phone).await.expect("settled").outcome.spot().expect("a code");
            let code = code(&house, spot.position).await;
            let (first, second) = (format!("r{phone}"), format!("s{phone}"));
            let reports = [
                report(&code, &format!("e{phone}-0"), EventKind::Redeemed, &first),
                report(&code, &format!("e{phone}-1"), EventKind::RolledBack, &first),
                report(&code, &format!("e{phone}-2"), EventKind::Redeemed, &second),
            ];
            for index in order {
                let taken: JoinSet<_> = (0..20)
                    .map(|_| {
                        let (house, event) = (house.clone(), reports[index].clone());
                        async move { take(&house, &event).await }
                    })
                    .collect();
                assert!(taken.join_all().await.iter().all(|taken| *taken == Matched::Recorded));
            }
            assert_eq!(state(&house, spot).await, HeldState::Redeemed, "{order:?}");
            let sql = format!("SELECT COUNT(*) FROM code_event WHERE position = {}", spot.position);
            assert_eq!(house.number(&sql).await, 3, "{order:?}");
        }
        house.audited().await;
    }

    pub(super) async fn a_report_without_a_code_waits_for_it_and_a_leak_is_put_aside(house: House) {
        let (house, _) = open(&house, peers(200).uncapped()).await;
        look_at_all(&house).await;
        let (first, leaked) = (code(&house, 0).await, code(&house, 5).await);
        let expired = EventKind::StateChanged(Some(Status::Expired(None)));
        assert_eq!(take(&house, &report(&first, "early", expired, "x")).await, Matched::Kept);
        assert_eq!(take(&house, &report(&leaked, "leak", EventKind::Redeemed, "r9")).await, Matched::Kept);
        let foreign = codewell::domain::code::Code::parse("SOMEBODY-ELSES").unwrap();
        assert_eq!(take(&house, &report(&foreign, "foreign", EventKind::Redeemed, "r8")).await, Matched::Kept);
        let open = house.engine.alerts(Which::Open, 10).await.expect("alerts");
        assert_eq!(open.iter().map(|alert| alert.kind.as_str()).collect::<Vec<_>>(), ["leak_suspected"]);
        let outcomes = all(&[house.clone()], (0..200).map(|n| (1, n))).await;
        let spots = issued(&outcomes);
        assert_eq!(spots.len(), 199, "all but the one that leaked");
        assert!(spots.iter().all(|spot| spot.position != 5));
        assert_eq!(house.engine.match_kept_events().await.expect("it matches"), 1, "the first code is out by now");
        assert_eq!(house.engine.match_kept_events().await.expect("it matches"), 0);
        let spot = Spot { campaign: CampaignId(1), pool: 1, position: 0 };
        assert_eq!(state(&house, spot).await, HeldState::Expired);
        house.audited().await;
    }

    pub(super) async fn a_peers_word_wins_in_the_next_repeat_and_at_the_till(house: House) {
        let (house, peer) = open(&house, peers(1000)).await;
        look_once(&house).await;
        let spot = house.text(1, &keyword(1)).await.expect("settled").outcome.spot().expect("a code");
        let code = code(&house, spot.position).await;
        let validate = async || {
            let shown = Presented::default();
            house.engine.validate(code.expose(), &shown).await.expect("it answers").map(drop)
        };
        assert_eq!(validate().await, Ok(()));
        peer.is(Mood::Down);
        let unanswered = house.engine.validate(code.expose(), &Presented::default()).await;
        assert!(matches!(unanswered, Err(EngineError::Peer(_))), "{unanswered:?}");
        peer.is(Mood::Ok);
        peer.calls(&code, Status::Expired(None));
        assert_eq!(validate().await, Err(TillRefusal::Expired), "a till is never told from memory");
        assert_eq!(state(&house, spot).await, HeldState::Expired);
        let outcome = house.text(1, &keyword(1)).await.expect("settled").outcome;
        assert_eq!(outcome, Outcome::Repeat(spot, HeldState::Expired));
        house.audited().await;
    }

    fn request(key: &str) -> RequestId {
        RequestId { door: "till-t".to_owned(), key: key.to_owned() }
    }

    pub(super) async fn a_sale_that_nobody_knows_of_is_looked_up_and_not_made_twice(house: House) {
        let (house, peer) = open(&house, peers(1000)).await;
        let (spot, code) = sold_code(&house).await;
        peer.is(Mood::Mute);
        let sell = async |key: &str| house.engine.redeem(request(key), code.expose(), Presented::default()).await;
        let unknown = sell("k1").await;
        assert!(matches!(unknown, Err(EngineError::Peer(_))), "{unknown:?}");
        peer.is(Mood::Ok);
        let first = sell("k1").await.expect("it answers").expect("it is out").outcome;
        assert!(matches!(&first, Outcome::Redeemed(_, id) if id.starts_with("r_")), "{first:?}");
        assert_eq!(sell("k1").await.expect("it answers").expect("it is out").outcome, first, "a replay");
        let other = sell("k2").await.expect("it answers").expect("it is out").outcome;
        assert_eq!(other, Outcome::Declined(spot, TillRefusal::AlreadyRedeemed));
        assert_eq!(peer.redemptions(), 1);
        let Outcome::Redeemed(_, id) = first else { panic!("{first:?}") };
        let back = house.engine.roll_back(request("k3"), id.clone(), "refund".to_owned()).await;
        let back = back.expect("it answers").expect("it is known").outcome;
        assert_eq!(back, Outcome::RolledBack(spot, id));
        assert_eq!(state(&house, spot).await, HeldState::Unused);
        house.audited().await;
    }

    pub(super) async fn one_code_is_sold_once_however_many_tills_try(house: House) {
        let (house, peer) = open(&house, peers(1000)).await;
        let (spot, code) = sold_code(&house).await;
        let second = house.second().await;
        let sales: JoinSet<_> = (0..200)
            .map(|n| {
                let house = if n % 2 == 0 { house.clone() } else { second.clone() };
                let code = code.clone();
                async move {
                    let key = request(&format!("k{}", n % 100));
                    house.engine.redeem(key, code.expose(), Presented::default()).await
                }
            })
            .collect();
        let sales = sales.join_all().await;
        let sold = sales.iter().flatten().flatten().filter(|one| matches!(one.outcome, Outcome::Redeemed(..)));
        assert!(sold.count() >= 1);
        assert_eq!(peer.redemptions(), 1);
        assert_eq!(house.number("SELECT COUNT(*) FROM code_event WHERE kind = 'redeemed'").await, 1);
        assert_eq!(state(&house, spot).await, HeldState::Redeemed);
        house.audited().await;
    }

    pub(super) async fn codes_that_are_out_are_asked_about_again(house: House) {
        let (house, peer) = open(&house, peers(1000)).await;
        let (spot, code) = sold_code(&house).await;
        let check = async || {
            let (campaign, _, peer) = house.engine.peers_campaigns().remove(0);
            // Hours pass on the house's clock, none on the guard's.
            peer.as_ref().expect("the peer").forget(&code).await;
            house.engine.check_issued(&campaign, &peer.expect("the peer")).await.expect("it can ask")
        };
        assert_eq!(check().await, 0);
        house.clock.forward(Duration::hours(1));
        assert_eq!((check().await, check().await), (1, 0), "after an hour, once");
        peer.calls(&code, Status::Redeemed { at: None, redemption_id: None });
        house.clock.forward(Duration::hours(5));
        assert_eq!(check().await, 1);
        assert_eq!(state(&house, spot).await, HeldState::Redeemed, "seen without a report");
        assert_eq!(take(&house, &report(&code, "e1", EventKind::Redeemed, "r1")).await, Matched::Recorded);
        assert_eq!(house.number("SELECT COUNT(*) FROM code_event").await, 1, "seen and told are one use");
        assert_eq!(take(&house, &report(&code, "e2", EventKind::RolledBack, "r1")).await, Matched::Recorded);
        assert_eq!(state(&house, spot).await, HeldState::Unused);
        house.audited().await;
    }

    pub(super) async fn low_stock_is_told_once_a_crossing(house: House) {
        campaign(1).size(100).uncapped().write(&house).await;
        let watch = async || {
            house.engine.watch_stock(10, 20).await.expect("it can look");
            house.number("SELECT COUNT(*) FROM alert WHERE cleared_at IS NULL").await
        };
        all(&[house.clone()], (0..80).map(|n| (1, n))).await;
        assert_eq!(watch().await, 0, "20 of 100 are left");
        all(&[house.clone()], (80..81).map(|n| (1, n))).await;
        assert_eq!((watch().await, watch().await), (1, 1));
        assert_eq!(house.number("SELECT times FROM alert").await, 1, "once, however often it is looked at");
        house.change(1, &["UPDATE pool SET in_stock = 50".to_owned()]).await;
        assert_eq!(watch().await, 0);
    }
}
