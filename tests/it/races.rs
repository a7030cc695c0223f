//! Rules of value under hundreds of tasks at once.

use crate::harness::on_both;

on_both! {
    a_cap_of_100_with_10_000_phones_issues_exactly_100,
    one_phone_asked_2_000_times_gets_one_code,
    a_pool_of_300_with_600_askers_issues_exactly_300,
    a_cap_across_campaigns_holds_for_one_person_in_two,
    two_processes_share_a_cap_exactly,
    after_a_pause_is_acknowledged_nothing_is_issued,
    twenty_thousand_issuances_make_at_most_500_commits,
}

mod bodies {
    use crate::harness::{House, all, campaign, issued};
    use codewell::domain::decision::outcome::{Outcome, Refusal};
    use std::collections::HashSet;
    use std::sync::atomic::Ordering;
    use tokio::task::JoinSet;

    pub(super) async fn a_cap_of_100_with_10_000_phones_issues_exactly_100(house: House) {
        campaign(1).cap("campaign", "count", "lifetime", 100).write(&house).await;
        let outcomes = all(std::slice::from_ref(&house), (0..10_000).map(|phone| (1, phone))).await;
        assert_eq!(issued(&outcomes).len(), 100);
        let capped =
            |outcome: &&Outcome| matches!(outcome, Outcome::Refused(Refusal::CapReached(cap), None) if cap.used == 100);
        assert_eq!(outcomes.iter().filter(capped).count(), 9_900);
        house.audited().await;
    }

    pub(super) async fn one_phone_asked_2_000_times_gets_one_code(house: House) {
        campaign(1).write(&house).await;
        let outcomes = all(std::slice::from_ref(&house), (0..2_000).map(|_| (1, 5))).await;
        assert_eq!(issued(&outcomes).len(), 1);
        let spots: HashSet<_> = outcomes.iter().map(Outcome::spot).collect();
        assert_eq!(spots.len(), 1, "every answer carries the same code");
        house.audited().await;
    }

    pub(super) async fn a_pool_of_300_with_600_askers_issues_exactly_300(house: House) {
        campaign(1).size(300).write(&house).await;
        let outcomes = all(std::slice::from_ref(&house), (0..600).map(|phone| (1, phone))).await;
        assert_eq!(issued(&outcomes).len(), 300);
        assert_eq!(outcomes.iter().filter(|one| **one == Outcome::Refused(Refusal::PoolEmpty, None)).count(), 300);
        assert_eq!(house.number("SELECT in_stock FROM pool").await, 0);
        house.audited().await;
    }

    pub(super) async fn a_cap_across_campaigns_holds_for_one_person_in_two(house: House) {
        house.sql("INSERT INTO cap VALUES (9, 0, 'person', '', 'count', 'lifetime', 0, 'UTC', 1, NULL)").await;
        campaign(1).write(&house).await;
        campaign(2).write(&house).await;
        let second = house.second().await;
        let outcomes = all(&[house.clone(), second], (0..400).map(|i| (1 + i % 2, u64::from(i / 4)))).await;
        assert_eq!(issued(&outcomes).len(), 100, "each of 100 persons has one code of either campaign");
        house.audited().await;
    }

    pub(super) async fn two_processes_share_a_cap_exactly(house: House) {
        campaign(1).cap("campaign", "count", "day", 500).write(&house).await;
        let second = house.second().await;
        let outcomes = all(&[house.clone(), second], (0..2_000).map(|phone| (1, phone))).await;
        assert_eq!(issued(&outcomes).len(), 500);
        house.audited().await;
    }

    pub(super) async fn after_a_pause_is_acknowledged_nothing_is_issued(house: House) {
        campaign(1).write(&house).await;
        let second = house.second().await;
        let askers: Vec<_> = (0..600)
            .map(|phone| {
                let asker = if phone % 2 == 0 { house.clone() } else { second.clone() };
                tokio::spawn(async move { asker.issue(1, phone).await })
            })
            .collect();
        house.pause(1).await;
        let out = house.number("SELECT COUNT(*) FROM issuance").await;
        for asker in askers {
            asker.await.expect("no task dies").expect("every act is settled");
        }
        let late = all(&[house.clone(), second], (1_000..1_200).map(|phone| (1, phone))).await;
        assert!(late.iter().all(|outcome| *outcome == Outcome::Refused(Refusal::Paused, None)));
        assert_eq!(house.number("SELECT COUNT(*) FROM issuance").await, out, "nothing came after the acknowledgement");
        house.audited().await;
    }

    pub(super) async fn twenty_thousand_issuances_make_at_most_500_commits(house: House) {
        campaign(1).write(&house).await;
        let before = house.store.counters.commits.load(Ordering::Relaxed);
        let mut tasks = JoinSet::new();
        for task in 0..256_u64 {
            let house = house.clone();
            tasks.spawn(async move {
                for phone in (task..20_000).step_by(256) {
                    let settled = house.issue(1, phone).await.expect("every act is settled");
                    assert!(matches!(settled.outcome, Outcome::Issued(_)));
                }
            });
        }
        tasks.join_all().await;
        let commits = house.store.counters.commits.load(Ordering::Relaxed) - before;
        assert!(commits <= 500, "{commits} commits");
        house.audited().await;
    }
}
