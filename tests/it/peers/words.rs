//! What a peer says of codes that are out, and sales of them at our till.

use crate::harness::on_both;

on_both! {
    what_a_peer_reports_ends_the_same_in_any_order,
    a_report_without_a_code_waits_for_it_and_a_leak_is_put_aside,
    a_leak_is_told_in_the_transaction_that_puts_its_code_aside,
    refunds_of_two_uses_that_a_peer_told_are_each_taken_from_their_own,
    a_code_that_waits_in_a_pull_and_was_used_is_its_partners_trouble_too,
    a_peers_word_wins_in_the_next_repeat_and_at_the_till,
    a_sale_that_nobody_knows_of_is_looked_up_and_not_made_twice,
    one_code_is_sold_once_however_many_tills_try,
    codes_that_are_out_are_asked_about_again,
    low_stock_is_told_once_a_crossing,
    a_campaign_may_give_out_codes_unverified_and_look_afterwards,
}

mod bodies {
    use super::super::ground::*;
    use crate::harness::{House, Mood, all, campaign, issued, keyword};
    use chrono::Duration;
    use codewell::domain::act::{Presented, Pull, PullMode};
    use codewell::domain::alert::{Alert, AlertKind};
    use codewell::domain::campaign::{Attribution, Channel, Partnership};
    use codewell::domain::decision::outcome::Outcome;
    use codewell::domain::ids::{CampaignId, RequestId, Spot};
    use codewell::domain::money::{Currency, Money};
    use codewell::domain::partner::Grant;
    use codewell::domain::till::TillRefusal;
    use codewell::domain::verdict::Verdict;
    use codewell::domain::world::HeldState;
    use codewell::engine::{EngineError, Matched, Which};
    use codewell::redemption::{EventKind, PeerEvent, Status};

    use tokio::task::JoinSet;

    pub(super) async fn what_a_peer_reports_ends_the_same_in_any_order(house: House) {
        let (house, _) = open(&house, peers(1000).uncapped()).await;
        look_once(&house).await;
        let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        for (phone, order) in (0..).zip(orders) {
            let spot = house.issue(1, phone).await.expect("settled").outcome.spot().expect("a code");
            let code = code(&house, spot.position).await;
            let (first, second) = (format!("r{phone}"), format!("s{phone}"));
            let sold = |id: &str, redemption: &str, minor| {
                let amount = Some(Money { minor, currency: Currency::USD });
                PeerEvent { amount, ..report(&code, id, EventKind::Redeemed, redemption) }
            };
            let reports = [
                sold(&format!("e{phone}-0"), &first, 500),
                report(&code, &format!("e{phone}-1"), EventKind::RolledBack, &first),
                sold(&format!("e{phone}-2"), &second, 700),
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
            let uses =
                "SELECT CAST(SUM(CASE outcome WHEN 'recorded:redeemed' THEN n WHEN 'recorded:rolled_back' THEN -n
                ELSE 0 END) AS BIGINT) FROM rollup_channel";
            let revenue = "SELECT CAST(SUM(amount_minor) AS BIGINT) FROM rollup_channel";
            let told = i64::try_from(phone).unwrap() + 1;
            assert_eq!((house.number(uses).await, house.number(revenue).await), (told, 700 * told), "{order:?}");
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
        let outcomes = all(std::slice::from_ref(&house), (0..200).map(|n| (1, n))).await;
        let spots = issued(&outcomes);
        assert_eq!(spots.len(), 199, "all but the one that leaked");
        assert!(spots.iter().all(|spot| spot.position != 5));
        assert_eq!(house.engine.match_kept_events().await.expect("it matches"), 1, "the first code is out by now");
        assert_eq!(house.engine.match_kept_events().await.expect("it matches"), 0);
        let spot = Spot { campaign: CampaignId(1), pool: 1, position: 0 };
        assert_eq!(state(&house, spot).await, HeldState::Expired);
        house.audited().await;
    }

    pub(super) async fn refunds_of_two_uses_that_a_peer_told_are_each_taken_from_their_own(house: House) {
        let (house, _) = open(&house, peers(200).uncapped()).await;
        look_once(&house).await;
        let spot = house.issue(1, 1).await.expect("settled").outcome.spot().expect("a code");
        let code = code(&house, spot.position).await;
        let tell = async |id: &str, kind, redemption: &str, minor| {
            let amount = Some(Money { minor, currency: Currency::USD });
            let event = PeerEvent { amount, ..report(&code, id, kind, redemption) };
            assert_eq!(take(&house, &event).await, Matched::Recorded);
        };
        let refund = async |redemption: &str, amount| {
            let request = RequestId { door: "till-k1".to_owned(), key: house.key() };
            let asked = house.engine.refund(request, redemption.to_owned(), (amount, "dented".to_owned())).await;
            assert!(matches!(asked.expect("settled").expect("known").outcome, Outcome::Refunded(..)), "{redemption}");
        };
        let revenue = async || house.number("SELECT CAST(SUM(amount_minor) AS BIGINT) FROM rollup_channel").await;
        tell("e1", EventKind::Redeemed, "first", 1_000).await;
        tell("e2", EventKind::Redeemed, "second", 500).await;
        refund("second", 100).await;
        tell("e3", EventKind::RolledBack, "second", 0).await;
        assert_eq!(revenue().await, 1_000);
        refund("first", 300).await;
        assert_eq!(revenue().await, 700);
        tell("e4", EventKind::RolledBack, "first", 0).await;
        assert_eq!(revenue().await, 0);
        house.audited().await;
    }

    pub(super) async fn a_code_that_waits_in_a_pull_and_was_used_is_its_partners_trouble_too(house: House) {
        let (house, _) = open(&house, peers(200).uncapped()).await;
        look_at_all(&house).await;
        let acme = house.partner("acme", &[Grant::free(CampaignId(1))]).await;
        let by = Partnership { id: acme.id, version: 0 };
        let from = Attribution { partner: Some(by), ..Attribution::by(Channel::Api) };
        let pull = Pull { count: 50, mode: PullMode::AllOrNothing, lease: Duration::hours(1), from };
        let request = RequestId { door: "api-acme".to_owned(), key: house.key() };
        let pulled = house.engine.allocate(request, [1; 32], CampaignId(1), pull).await.expect("settled").outcome;
        assert!(matches!(pulled, Outcome::Allocated(_, 50)), "{pulled:?}");
        let leaked = code(&house, 5).await;
        for _ in 0..2 {
            assert_eq!(take(&house, &report(&leaked, "leak", EventKind::Redeemed, "r9")).await, Matched::Kept);
        }
        let open = house.engine.alerts(Which::Open, 10).await.expect("alerts");
        let about: Vec<_> = open.iter().map(|alert| (alert.about.clone(), alert.times)).collect();
        assert_eq!(about, [(format!("campaign C1, partner {}", acme.id), 1)]);
        assert_eq!(house.number("SELECT COUNT(*) FROM feed WHERE kind = 'leak_suspected'").await, 1);
        house.audited().await;
    }

    pub(super) async fn a_leak_is_told_in_the_transaction_that_puts_its_code_aside(house: House) {
        let (house, _) = open(&house, peers(200)).await;
        look_once(&house).await;
        let leak = Alert { kind: AlertKind::LeakSuspected, about: "campaign C1".to_owned(), detail: "used".to_owned() };
        let verdict = [(5, Verdict::Dead("already_redeemed".to_owned()))].into();
        // Beside every engine: whatever stands afterwards was written by this one transaction.
        let settle = async || {
            let pool = (CampaignId(1), 1);
            house.store.settle_look(pool, &verdict, Some(&leak), house.engine.now()).await.expect("it is written").dead
        };
        let alerts = "SELECT CAST(COALESCE(SUM(times), 0) AS BIGINT) FROM alert WHERE kind = 'leak_suspected'";
        assert_eq!((settle().await, house.number(alerts).await), (1, 1));
        assert_eq!((settle().await, house.number(alerts).await), (0, 1), "it is put aside already");
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
        all(std::slice::from_ref(&house), (0..80).map(|n| (1, n))).await;
        assert_eq!(watch().await, 0, "20 of 100 are left");
        all(std::slice::from_ref(&house), (80..81).map(|n| (1, n))).await;
        assert_eq!((watch().await, watch().await), (1, 1));
        assert_eq!(house.number("SELECT times FROM alert").await, 1, "once, however often it is looked at");
        house.change(1, &["UPDATE pool SET in_stock = 50".to_owned()]).await;
        assert_eq!(watch().await, 0);
    }

    pub(super) async fn a_campaign_may_give_out_codes_unverified_and_look_afterwards(house: House) {
        let redemption = serde_json::json!({"redemption": {"peer": "shop", "unverified": "issue_unverified"}});
        let (house, peer) = open(&house, peers(300).document(redemption)).await;
        peer.is(Mood::Down);
        let houses = [house.clone(), house.second().await];
        let spots = issued(&all(&houses, (0..400).map(|n| (1, n))).await);
        assert_eq!(spots.len(), 300, "a pool of 300 gives 300, whoever is asked");
        let spot = spots[7];
        peer.calls(&code(&house, spot.position).await, Status::Expired(None));
        peer.is(Mood::Ok);
        let (campaign, _, shop) = house.engine.peers_campaigns().remove(0);
        let shop = shop.expect("the peer");
        let mut asked = 0;
        while asked < 300 {
            let more = house.engine.check_issued(&campaign, &shop).await.expect("it can ask");
            assert!(more > 0, "every one is looked at, at once");
            asked += more;
        }
        assert_eq!(state(&house, spot).await, HeldState::Expired);
        house.audited().await;
    }
}
