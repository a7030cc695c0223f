//! A campaign that moves to another zone takes the caps of its partners and creators with it.

use crate::harness::on_both;

on_both! {
    a_day_of_a_partner_moves_with_its_campaign_under_400_calls,
    what_partners_had_before_a_move_is_counted_in_the_new_days_and_judged_by_the_old,
    partners_that_come_while_a_campaign_moves_count_by_its_days,
    a_day_of_a_creator_moves_with_its_campaign,
}

mod bodies {
    use crate::apply::written::{apply, pizza, read, texts};
    use crate::harness::House;
    use chrono::{DateTime, Duration, Utc};
    use codewell::domain::act::{LeaseStep, Pull, PullMode};
    use codewell::domain::campaign::{Attribution, Channel, Partnership};
    use codewell::domain::decision::outcome::{Outcome, Refusal};
    use codewell::domain::ids::{CampaignId, PartnerId, RequestId};
    use codewell::domain::partner::{ClientId, Edit, Grant};
    use codewell::engine::plan::Mark;
    use codewell::engine::{CreatorIn, EngineError};
    use std::ops::Range;
    use tokio::task::JoinSet;

    const PIZZA: CampaignId = CampaignId(1);
    const TOKYO: &str = "zone = \"Asia/Tokyo\"\n";

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).expect("a time").to_utc()
    }

    fn by(partner: PartnerId) -> Attribution {
        Attribution { partner: Some(Partnership { id: partner, version: 0 }), ..Attribution::by(Channel::Api) }
    }

    /// Asks for a code for each phone, half of them in another process; how many were given.
    async fn asked(houses: &[House; 2], partner: PartnerId, phones: Range<u64>) -> usize {
        let mut tasks = JoinSet::new();
        for phone in phones {
            let house = houses[usize::from(phone % 2 == 1)].clone();
            tasks.spawn(async move {
                let settled = house.engine.settle(house.act_from(1, phone, house.key(), by(partner))).await;
                let outcome = settled.expect("it is settled").outcome;
                let is_given = matches!(outcome, Outcome::Issued(_));
                assert!(is_given || matches!(outcome, Outcome::Refused(Refusal::CapReached(_), _)), "{outcome:?}");
                usize::from(is_given)
            });
        }
        tasks.join_all().await.into_iter().sum()
    }

    async fn pulled(house: &House, partner: PartnerId, count: u64) -> codewell::domain::ids::AllocationId {
        let request = RequestId { door: "api-test".to_owned(), key: house.key() };
        let pull = Pull { count, mode: PullMode::AllOrNothing, lease: Duration::days(3), from: by(partner) };
        let settled = house.engine.allocate(request, [1; 32], PIZZA, pull).await.expect("it is settled");
        let Outcome::Allocated(id, _) = settled.outcome else { panic!("the pull is served: {settled:?}") };
        id
    }

    /// What the counters of partners say in all, by the window of a date.
    async fn used(house: &House, window: &str, date: &str) -> i64 {
        let day =
            date.parse::<chrono::NaiveDate>().expect("a date").signed_duration_since(chrono::NaiveDate::default());
        let sql = format!(
            "SELECT CAST(COALESCE(SUM(q.used), 0) AS BIGINT) FROM quota q JOIN cap c ON c.cap_id = q.cap_id
             WHERE c.scope = 'partner' AND c.window_kind = '{window}' AND q.window_start = {}",
            day.num_days()
        );
        house.number(&sql).await
    }

    pub(super) async fn a_day_of_a_partner_moves_with_its_campaign_under_400_calls(house: House) {
        house.clock.set(at("2026-11-20T14:30:00Z"));
        apply(&house, &pizza(5_000, "")).await;
        let houses = [house.clone(), house.second().await];
        let partner = house.partner("acme-deals", &[Grant { day: Some(50), ..Grant::free(PIZZA) }]).await.id;
        assert_eq!(asked(&houses, partner, 0..20).await, 20);
        // In Tokyo it is the next day by now.
        house.clock.set(at("2026-11-20T16:00:00Z"));
        let moved = pizza(5_000, TOKYO);
        let (_, crowd) = tokio::join!(apply(&house, &moved), asked(&houses, partner, 1_000..1_400));
        let late = asked(&houses, partner, 2_000..2_200).await;
        assert_eq!(crowd + late, 50, "the new day has all of its own, and no more");
        assert_eq!(used(&house, "day", "2026-11-21").await, 50);
        assert_eq!(used(&house, "day", "2026-11-20").await, 0, "what is over is counted no more");
        house.audited().await;
        house.clock.set(at("2026-11-21T14:59:59Z"));
        assert_eq!(asked(&houses, partner, 3_000..3_010).await, 0);
        house.clock.set(at("2026-11-21T15:00:00Z"));
        assert_eq!(asked(&houses, partner, 4_000..4_060).await, 50);
        house.audited().await;
    }

    pub(super) async fn what_partners_had_before_a_move_is_counted_in_the_new_days_and_judged_by_the_old(house: House) {
        house.clock.set(at("2026-11-29T14:00:00Z"));
        apply(&house, &pizza(5_000, "")).await;
        let houses = [house.clone(), house.second().await];
        let grant = Grant { total: Some(1_000), day: Some(40), week: Some(60), month: Some(90), ..Grant::free(PIZZA) };
        let acme = house.partner("acme-deals", std::slice::from_ref(&grant)).await.id;
        let other = house.partner("other-deals", &[Grant { day: Some(5), ..Grant::free(PIZZA) }]).await.id;
        house.partner("free-deals", &[Grant::free(PIZZA)]).await;
        assert_eq!(asked(&houses, acme, 0..30).await, 30);
        assert_eq!(asked(&houses, other, 100..110).await, 5);
        // Sunday in UTC, Monday in Tokyo.
        house.clock.set(at("2026-11-29T15:30:00Z"));
        let pull = pulled(&house, acme, 10).await;
        assert_eq!(asked(&houses, acme, 200..210).await, 0, "the day is full");
        let plan = house.engine.plan(&read(&pizza(5_000, TOKYO))).await.expect("it is planned");
        let said = texts(&plan, Mark::Change);
        assert!(said.contains(&"  the caps of 2 partners count by its days".to_owned()), "{said:?}");
        apply(&house, &pizza(5_000, TOKYO)).await;
        house.audited().await;
        assert_eq!(house.number("SELECT COUNT(*) FROM partner WHERE version = 2").await, 2, "a free one has no caps");
        assert_eq!(used(&house, "day", "2026-11-30").await, 10, "the pull is of the new day");
        assert_eq!((used(&house, "week", "2026-11-30").await, used(&house, "month", "2026-11-01").await), (10, 40));
        assert_eq!(house.number("SELECT used FROM quota WHERE window_start = 0 AND cap = 1000").await, 40);
        assert_eq!(asked(&houses, acme, 300..340).await, 30);
        assert_eq!(asked(&houses, other, 400..410).await, 5);
        house.audited().await;
        // What goes back, goes back to the day that it is counted in now.
        let found = house.engine.allocation(acme, pull).await.expect("it is read").expect("it is there");
        let request = RequestId { door: "api-test".to_owned(), key: house.key() };
        let back = house.engine.step_allocation(request, [2; 32], &found, LeaseStep::Returned).await;
        assert_eq!(back.expect("it is settled").outcome, Outcome::Leased(pull, 10));
        assert_eq!(used(&house, "day", "2026-11-30").await, 30 + 5);
        house.audited().await;
        // Nothing lags: set again, the cap is as it was.
        let client = ClientId::parse("acme-deals").expect("a client id");
        let wider = Edit::Grants(vec![Grant { day: Some(41), ..grant }]);
        house.engine.change_partner(&client, &[wider]).await.expect("it is changed");
        assert_eq!(asked(&houses, acme, 500..520).await, 11);
        house.audited().await;
    }

    pub(super) async fn partners_that_come_while_a_campaign_moves_count_by_its_days(house: House) {
        apply(&house, &pizza(5_000, "")).await;
        let second = house.second().await;
        let mut tasks = JoinSet::new();
        for n in 0..40 {
            let house = [&house, &second][n % 2].clone();
            tasks.spawn(async move {
                let grant = Grant { day: Some(3), ..Grant::free(PIZZA) };
                let partner = house.partner(&format!("deals-{n}"), std::slice::from_ref(&grant)).await;
                let wider = Edit::Grants(vec![Grant { day: Some(4), ..grant }]);
                house.engine.change_partner(&partner.client, &[wider]).await.expect("it is changed");
            });
        }
        for zone in ["Asia/Tokyo", "UTC", "America/New_York", "Asia/Kathmandu"] {
            apply(&house, &pizza(5_000, &format!("zone = \"{zone}\"\n"))).await;
        }
        tasks.join_all().await;
        assert_eq!(house.number("SELECT COUNT(*) FROM cap WHERE scope = 'partner'").await, 40);
        assert_eq!(
            house.number("SELECT COUNT(*) FROM cap WHERE scope = 'partner' AND zone <> 'Asia/Kathmandu'").await,
            0
        );
        house.audited().await;
    }

    pub(super) async fn a_day_of_a_creator_moves_with_its_campaign(house: House) {
        let wanted = CreatorIn { handle: "anna".to_owned(), name: "Anna".to_owned(), phone: None, disclosure: None };
        house.engine.add_creator(&wanted).await.expect("she is made");
        let part = "[campaign.creators.anna]\nkeyword = \"ANNA\"\ncap = 100\nday = 5\n";
        let with = |rest: &str| pizza(5_000, &format!("{rest}{part}"));
        house.clock.set(at("2026-11-20T14:30:00Z"));
        apply(&house, &with("")).await;
        let given = async |phones: Range<u64>| {
            let mut n = 0;
            for phone in phones {
                let settled: Result<_, EngineError> = house.text(phone, "ANNA").await;
                n += usize::from(matches!(settled.expect("it is settled").outcome, Outcome::Issued(_)));
            }
            n
        };
        assert_eq!(given(0..8).await, 5);
        house.clock.set(at("2026-11-20T15:30:00Z"));
        assert_eq!(given(10..12).await, 0);
        apply(&house, &with(TOKYO)).await;
        assert_eq!(given(20..28).await, 5, "a new day of hers has begun");
        house.audited().await;
    }
}
