//! What partners ask for, under hundreds of tasks at once: caps, repeats, pulls, leases, suspension.

use crate::harness::on_both;

mod ends;

on_both! {
    a_partner_cap_of_500_under_5_000_calls_from_two_processes_issues_exactly_500,
    one_customer_asked_for_500_times_has_one_code,
    a_partner_sees_neither_campaigns_nor_codes_that_are_not_its_own,
    after_a_suspension_is_acknowledged_nothing_is_issued_on_another_process,
    pulls_and_single_codes_share_a_cap_exactly,
    a_pull_takes_all_or_nothing_or_what_there_is,
    a_stream_that_is_cut_exposes_what_it_wrote_and_the_rest_goes_back,
    an_acknowledgement_and_the_end_of_the_lease_never_both_happen,
    two_streams_of_one_pull_carry_the_same_codes_in_the_same_order,
    a_code_of_a_pull_is_taken_once_and_its_partner_hears_of_it,
    what_a_partner_gives_back_is_in_stock_or_void_and_never_both,
    what_is_asked_in_bulk_fills_at_most_a_quarter_of_a_batch,
}

mod bodies {
    use crate::harness::{House, all, campaign};
    use chrono::Duration;
    use codewell::domain::act::{LeaseStep, Presented, Pull, PullMode};
    use codewell::domain::campaign::{Attribution, Channel, Partnership};
    use codewell::domain::decision::outcome::{Bar, Outcome, Refusal};
    use codewell::domain::ids::{AllocationId, CampaignId, PartnerId, RequestId};
    use codewell::domain::partner::{AcrossCaps, ClientId, Edit, Grant, PartnerDoc, PartnerScope, PartnerStatus};
    use codewell::domain::till::TillRefusal;
    use codewell::engine::{Allocation, EngineError, Piece, Settled};
    use std::collections::{BTreeSet, HashSet};
    use tokio::task::JoinSet;

    pub(super) fn client(name: &str) -> ClientId {
        ClientId::parse(name).unwrap()
    }

    /// A partner with every scope and these grants.
    pub(super) async fn partner(house: &House, name: &str, grants: Vec<Grant>) -> PartnerId {
        let scopes = PartnerScope::ALL.to_vec();
        let doc = PartnerDoc { name: name.to_owned(), scopes, grants, ..PartnerDoc::default() };
        house.engine.create_partner(client(name), doc).await.unwrap().id
    }

    pub(super) fn free(id: u32) -> Grant {
        Grant::free(CampaignId(id))
    }

    pub(super) fn by(partner: PartnerId) -> Attribution {
        Attribution { partner: Some(Partnership { id: partner, version: 0 }), ..Attribution::by(Channel::Api) }
    }

    /// Asks for a code for each phone, half of them in another process.
    async fn ask(
        houses: &[House; 2],
        id: u32,
        partner: PartnerId,
        phones: std::ops::Range<u64>,
    ) -> Vec<Result<Settled, EngineError>> {
        let mut tasks = JoinSet::new();
        for phone in phones {
            let house = houses[usize::try_from(phone % 2).unwrap()].clone();
            tasks.spawn(async move { house.engine.settle(house.act_from(id, phone, house.key(), by(partner))).await });
        }
        tasks.join_all().await
    }

    fn issued(answers: &[Result<Settled, EngineError>]) -> usize {
        let is_new = |one: &&Result<Settled, EngineError>| matches!(one, Ok(settled) if matches!(settled.outcome, Outcome::Issued(_)));
        answers.iter().filter(is_new).count()
    }

    async fn pull(house: &House, partner: PartnerId, count: u64, mode: PullMode) -> Outcome {
        let request = RequestId { door: "api-test".to_owned(), key: house.key() };
        let pull = Pull { count, mode, lease: Duration::hours(1), from: by(partner) };
        house.engine.allocate(request, [1; 32], CampaignId(1), pull).await.unwrap().outcome
    }

    pub(super) async fn pulled(house: &House, partner: PartnerId, count: u64) -> Allocation {
        let Outcome::Allocated(id, n) = pull(house, partner, count, PullMode::AllOrNothing).await else {
            panic!("the pull is served");
        };
        assert_eq!(n, count);
        found(house, partner, id).await
    }

    pub(super) async fn found(house: &House, partner: PartnerId, id: AllocationId) -> Allocation {
        house.engine.allocation(partner, id).await.unwrap().unwrap()
    }

    /// Streams a pull until at least `most` of its codes are out; pieces are fifty codes.
    pub(super) async fn stream(house: &House, pull: &Allocation, most: usize) -> Vec<String> {
        let mut codes = Vec::new();
        while codes.len() < most {
            match house.engine.pull_piece(pull, codes.len() as u64).await.unwrap() {
                Piece::Codes(some) => codes.extend(some),
                Piece::End | Piece::Over => break,
            }
        }
        codes
    }

    pub(super) async fn step(house: &House, pull: &Allocation, step: LeaseStep) -> Outcome {
        let request = RequestId { door: "api-test".to_owned(), key: house.key() };
        house.engine.step_allocation(request, [2; 32], pull, step).await.unwrap().outcome
    }

    pub(super) async fn a_partner_cap_of_500_under_5_000_calls_from_two_processes_issues_exactly_500(house: House) {
        campaign(1).write(&house).await;
        let id = partner(&house, "acme", vec![Grant { total: Some(500), ..free(1) }]).await;
        let houses = [house.clone(), house.second().await];
        let answers = ask(&houses, 1, id, 0..5_000).await;
        assert_eq!(issued(&answers), 500);
        let full = |one: &&Result<Settled, EngineError>| matches!(one, Ok(Settled { outcome: Outcome::Refused(Refusal::CapReached(cap), None), .. }) if cap.used == 500);
        assert_eq!(answers.iter().filter(full).count(), 4_500);
        assert_eq!(house.number("SELECT last_no FROM feed_counter").await, 500);
        house.audited().await;
    }

    pub(super) async fn one_customer_asked_for_500_times_has_one_code(house: House) {
        campaign(1).write(&house).await;
        let id = partner(&house, "acme", vec![Grant { day: Some(3), ..free(1) }]).await;
        let houses = [house.clone(), house.second().await];
        let mut tasks = JoinSet::new();
        for n in 0..500 {
            let house = houses[n % 2].clone();
            tasks.spawn(async move { house.engine.settle(house.act_from(1, 7, house.key(), by(id))).await });
        }
        let answers = tasks.join_all().await;
        assert_eq!(issued(&answers), 1);
        let spots: HashSet<_> = answers.iter().map(|one| one.as_ref().unwrap().outcome.spot().unwrap()).collect();
        assert_eq!(spots.len(), 1, "every answer carries the same code");
        assert_eq!(
            house
                .number("SELECT used FROM quota WHERE cap_id IN (SELECT cap_id FROM cap WHERE scope = 'partner')")
                .await,
            1
        );
        house.audited().await;
    }

    pub(super) async fn a_partner_sees_neither_campaigns_nor_codes_that_are_not_its_own(house: House) {
        campaign(1).write(&house).await;
        campaign(2)
            .document(serde_json::json!({"partners": {"served_before": "show", "returns": true}}))
            .write(&house)
            .await;
        let acme = partner(&house, "acme", vec![free(1), free(2)]).await;
        let other = partner(&house, "other", vec![free(1)]).await;
        let ask = async |id, phone, who| house.engine.settle(house.act_from(id, phone, house.key(), by(who))).await;
        assert!(matches!(ask(2, 1, other).await, Err(EngineError::Barred(Bar::NotGranted))));
        let first = ask(1, 1, acme).await.unwrap().outcome;
        assert!(matches!(first, Outcome::Issued(_)));
        assert_eq!(ask(1, 1, other).await.unwrap().outcome, Outcome::Refused(Refusal::CustomerHasCode, None));
        let spot = house.issue(2, 5).await.unwrap().outcome.spot();
        assert_eq!(ask(2, 5, acme).await.unwrap().outcome.spot(), spot, "the campaign shows codes of others");
        assert_eq!(house.number("SELECT n FROM rollup_credit WHERE outcome = 'assist'").await, 1);
        assert_eq!(
            house.number("SELECT count(*) FROM request WHERE outcome = 'refused'").await,
            1,
            "a bar leaves no trace"
        );
        house.audited().await;
    }

    pub(super) async fn after_a_suspension_is_acknowledged_nothing_is_issued_on_another_process(house: House) {
        campaign(1).write(&house).await;
        let id = partner(&house, "acme", vec![free(1)]).await;
        let second = house.second().await;
        let houses = [house.clone(), second.clone()];
        let asking = tokio::spawn({
            let houses = houses.clone();
            async move { ask(&houses, 1, id, 0..600).await }
        });
        let stop = [Edit::Status(PartnerStatus::Suspended)];
        house.engine.change_partner(&client("acme"), &stop).await.unwrap();
        let out = house.number("SELECT COUNT(*) FROM issuance").await;
        asking.await.unwrap();
        let late = ask(&[second.clone(), second.clone()], 1, id, 1_000..2_000).await;
        let barred = |one: &&Result<Settled, EngineError>| matches!(one, Err(EngineError::Barred(Bar::Suspended)));
        assert_eq!(late.iter().filter(barred).count(), 1_000);
        assert_eq!(house.number("SELECT COUNT(*) FROM issuance").await, out, "nothing came after the acknowledgement");
        house.engine.change_partner(&client("acme"), &[Edit::Status(PartnerStatus::Active)]).await.unwrap();
        assert_eq!(issued(&ask(&houses, 1, id, 3_000..3_010).await), 10);
        house.audited().await;
    }

    pub(super) async fn pulls_and_single_codes_share_a_cap_exactly(house: House) {
        campaign(1).cap("campaign", "count", "day", 10_000).write(&house).await;
        let id = partner(&house, "acme", vec![Grant { day: Some(1_000), ..free(1) }]).await;
        house
            .engine
            .change_partner(&client("acme"), &[Edit::Caps(AcrossCaps { total: Some(900), day: None })])
            .await
            .unwrap();
        let houses = [house.clone(), house.second().await];
        let mut pulls = JoinSet::new();
        for n in 0..200 {
            let house = houses[n % 2].clone();
            pulls.spawn(async move { pull(&house, id, 7, PullMode::AllOrNothing).await });
        }
        let singles = ask(&houses, 1, id, 0..400);
        let (pulls, singles) = tokio::join!(pulls.join_all(), singles);
        let of_pulls: u64 = pulls.iter().map(|one| if let Outcome::Allocated(_, n) = one { *n } else { 0 }).sum();
        let used = of_pulls + issued(&singles) as u64;
        assert!((894..=900).contains(&used), "{used}: nothing fits any more but fewer than seven");
        // What is left is taken to the last one.
        let Outcome::Allocated(_, rest) = pull(&house, id, 50, PullMode::Partial).await else {
            assert_eq!(used, 900);
            return house.audited().await;
        };
        assert_eq!(used + rest, 900);
        house.audited().await;
    }

    pub(super) async fn a_pull_takes_all_or_nothing_or_what_there_is(house: House) {
        campaign(1).size(300).write(&house).await;
        let id = partner(&house, "acme", vec![free(1)]).await;
        let all_of_them = |n| pull(&house, id, n, PullMode::AllOrNothing);
        assert_eq!(all_of_them(301).await, Outcome::Refused(Refusal::PoolEmpty, None));
        assert!(matches!(all_of_them(200).await, Outcome::Allocated(_, 200)));
        assert_eq!(all_of_them(101).await, Outcome::Refused(Refusal::PoolEmpty, None));
        assert!(matches!(pull(&house, id, 500, PullMode::Partial).await, Outcome::Allocated(_, 100)));
        assert_eq!(pull(&house, id, 1, PullMode::Partial).await, Outcome::Refused(Refusal::PoolEmpty, None));
        let late = all(std::slice::from_ref(&house), (0..20).map(|phone| (1, phone))).await;
        assert!(late.iter().all(|one| *one == Outcome::Refused(Refusal::PoolEmpty, None)));
        house.audited().await;
    }

    pub(super) async fn a_stream_that_is_cut_exposes_what_it_wrote_and_the_rest_goes_back(house: House) {
        campaign(1).size(6_000).write(&house).await;
        let id = partner(&house, "acme", vec![Grant { total: Some(6_000), ..free(1) }]).await;
        let one = pulled(&house, id, 5_000).await;
        let codes = stream(&house, &one, 2_000).await;
        assert_eq!(codes.len(), 2_000);
        house.audited().await;
        house.clock.forward(Duration::hours(1));
        assert_eq!(house.engine.end_leases().await.unwrap(), 1);
        assert_eq!(house.engine.pull_piece(&one, 2_000).await.unwrap(), Piece::Over);
        let after = found(&house, id, one.id).await;
        assert_eq!((after.exposed, after.restocked), (2_000, 3_000));
        assert_eq!(house.number("SELECT in_stock FROM pool").await, 4_000);
        let partners = "SELECT used FROM quota WHERE cap_id IN (SELECT cap_id FROM cap WHERE scope = 'partner')";
        assert_eq!(house.number(partners).await, 0, "all of it was given back");
        for code in [&codes[0], &codes[1_999]] {
            assert!(house.engine.find_code(code).await.unwrap().is_none(), "what was streamed is void");
        }
        house.audited().await;
        // Everything that is left can be given, and none of the first two thousand ever comes again.
        let seen: BTreeSet<String> = codes.into_iter().collect();
        let rest = pulled(&house, id, 4_000).await;
        let again = stream(&house, &rest, 4_000).await;
        assert_eq!(again.len(), 4_000);
        assert!(again.iter().all(|code| !seen.contains(code)));
        house.audited().await;
    }

    pub(super) async fn an_acknowledgement_and_the_end_of_the_lease_never_both_happen(house: House) {
        campaign(1).write(&house).await;
        let id = partner(&house, "acme", vec![free(1)]).await;
        let second = house.second().await;
        let mut pulls = Vec::new();
        for _ in 0..100 {
            let one = pulled(&house, id, 3).await;
            assert_eq!(stream(&house, &one, 3).await.len(), 3);
            pulls.push(one);
        }
        house.clock.forward(Duration::milliseconds(3_599_999));
        let mut acks = JoinSet::new();
        for one in &pulls {
            let (house, one) = (second.clone(), one.clone());
            acks.spawn(async move { step(&house, &one, LeaseStep::Acknowledged(3)).await });
        }
        house.clock.forward(Duration::milliseconds(1));
        house.engine.end_leases().await.unwrap();
        let acked = acks.join_all().await.iter().filter(|one| matches!(one, Outcome::Leased(_, 3))).count();
        house.engine.end_leases().await.unwrap();
        let count = async |what: &str| house.number(&format!("SELECT count(*) FROM allocation WHERE {what}")).await;
        assert_eq!(count("acked_at IS NOT NULL").await, i64::try_from(acked).unwrap());
        assert_eq!(count("acked_at IS NOT NULL OR ended_at IS NOT NULL").await, 100);
        let voided = house.number("SELECT count(*) FROM code_event WHERE kind = 'voided'").await;
        assert_eq!(voided, 3 * (100 - i64::try_from(acked).unwrap()));
        house.audited().await;
    }

    pub(super) async fn two_streams_of_one_pull_carry_the_same_codes_in_the_same_order(house: House) {
        campaign(1).write(&house).await;
        let id = partner(&house, "acme", vec![free(1)]).await;
        let second = house.second().await;
        let one = pulled(&house, id, 10_000).await;
        let (a, b) = tokio::join!(stream(&house, &one, 10_000), stream(&second, &one, 10_000));
        assert_eq!(a.len(), 10_000);
        assert_eq!(a, b);
        assert_eq!(a.iter().collect::<HashSet<_>>().len(), 10_000, "no code twice");
        let done = found(&house, id, one.id).await;
        let digest = house.engine.pull_digest(&done).await.unwrap();
        assert_eq!(digest, second.engine.pull_digest(&done).await.unwrap());
        assert_eq!(
            step(&house, &done, LeaseStep::Acknowledged(9_999)).await,
            Outcome::Refused(Refusal::CountDiffers(10_000), None)
        );
        assert_eq!(step(&house, &done, LeaseStep::Acknowledged(10_000)).await, Outcome::Leased(one.id, 10_000));
        house.audited().await;
    }

    pub(super) async fn a_code_of_a_pull_is_taken_once_and_its_partner_hears_of_it(house: House) {
        campaign(1).write(&house).await;
        let id = partner(&house, "acme", vec![free(1)]).await;
        let one = pulled(&house, id, 2).await;
        let codes = stream(&house, &one, 2).await;
        let second = house.second().await;
        let mut tills = JoinSet::new();
        for n in 0..300 {
            let (house, code) = ([&house, &second][n % 2].clone(), codes[0].clone());
            tills.spawn(async move {
                let request = RequestId { door: "till-a".to_owned(), key: house.key() };
                house.engine.redeem(request, &code, Presented { amount: Some(2_500), ..Presented::default() }).await
            });
        }
        let outcomes: Vec<_> = tills.join_all().await.into_iter().map(|one| one.unwrap().unwrap().outcome).collect();
        let taken: Vec<_> = outcomes.iter().filter(|one| matches!(one, Outcome::Redeemed(..))).collect();
        assert_eq!(taken.len(), 1);
        assert_eq!(house.number("SELECT count(*) FROM feed WHERE kind = 'redeemed'").await, 1);
        assert_eq!(house.number("SELECT amount_minor FROM rollup_credit WHERE outcome = 'redeemed'").await, 2_500);
        // The used one outlives the end of the lease, the other does not; the used one stays counted.
        house.clock.forward(Duration::hours(2));
        house.engine.end_leases().await.unwrap();
        assert_eq!(house.number("SELECT given_back FROM allocation").await, 1);
        assert!(house.engine.find_code(&codes[0]).await.unwrap().is_some());
        assert!(house.engine.find_code(&codes[1]).await.unwrap().is_none());
        house.audited().await;
    }

    pub(super) async fn what_is_asked_in_bulk_fills_at_most_a_quarter_of_a_batch(house: House) {
        campaign(1).write(&house).await;
        let turn = house.engine.turn().await.unwrap();
        let (mut bulk, mut people) = (JoinSet::new(), JoinSet::new());
        for phone in 0..300 {
            let (one, other) = (house.clone(), house.clone());
            bulk.spawn(async move { one.engine.settle_in_bulk(one.act(1, phone, one.key())).await });
            people.spawn(async move { other.issue(1, 1_000 + phone).await });
        }
        // Every task has put its act into its queue before the first batch begins.
        while house.engine.waiting() != (300, 300) {
            tokio::task::yield_now().await;
        }
        drop(turn);
        let position = |one: Result<Settled, EngineError>| one.unwrap().outcome.spot().unwrap().position;
        let of_people: Vec<u64> = people.join_all().await.into_iter().map(position).collect();
        let of_bulk: Vec<u64> = bulk.join_all().await.into_iter().map(position).collect();
        // Positions are given out in the order of the batches: 300 people fit into the first, beside a quarter of it.
        assert!(of_people.iter().all(|position| *position < 300 + 128), "{:?}", of_people.iter().max());
        assert_eq!(of_bulk.iter().filter(|position| **position >= 300 + 128).count(), 300 - 128);
        house.audited().await;
    }

    pub(super) async fn what_a_partner_gives_back_is_in_stock_or_void_and_never_both(house: House) {
        campaign(1).size(5_000).write(&house).await;
        let id = partner(&house, "acme", vec![Grant { total: Some(5_000), ..free(1) }]).await;
        let one = pulled(&house, id, 3_000).await;
        let codes = stream(&house, &one, 1_000).await;
        let positions = async |codes: &[String]| {
            let mut all = Vec::new();
            for code in codes {
                all.push(house.engine.find_code(code).await.unwrap().unwrap().issued.held.spot.position);
            }
            all
        };
        let unseen = positions(&codes[..10]).await;
        let why = "printed and shredded".to_owned();
        let mut steps = JoinSet::new();
        let second = house.second().await;
        for n in 0..200 {
            let (house, one, unseen, why) =
                ([&house, &second][n % 2].clone(), one.clone(), unseen.clone(), why.clone());
            let what = if n % 3 == 0 { LeaseStep::Returned } else { LeaseStep::Withdrawn(unseen, why) };
            steps.spawn(async move { step(&house, &one, what).await });
        }
        let given: u64 =
            steps.join_all().await.iter().map(|one| if let Outcome::Leased(_, n) = one { *n } else { 0 }).sum();
        assert_eq!(given, 2_000 + 10, "each code is given back once");
        assert_eq!(house.number("SELECT in_stock FROM pool").await, 4_000);
        let judged = async |code: &str| house.engine.validate(code, &Presented::default()).await.unwrap().map(drop);
        assert_eq!(judged(&codes[3]).await, Err(TillRefusal::UnknownCode));
        assert_eq!(judged(&codes[11]).await, Ok(()));
        assert_eq!(step(&house, &one, LeaseStep::Acknowledged(1_000)).await, Outcome::Leased(one.id, 1_000));
        house.audited().await;
    }
}
