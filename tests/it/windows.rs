//! Caps in their windows: by name of the day, moved while they run, of one person in all of them.

use crate::harness::on_both;

on_both! {
    one_person_is_held_by_every_window_under_200_tasks,
    a_person_across_campaigns_is_held_by_the_window_under_400_tasks,
    a_day_of_the_cap_is_the_local_one_whatever_the_clocks_do,
    a_cap_lowered_and_raised_in_a_running_window_holds_in_two_processes,
}

mod bodies {
    use crate::harness::{Fixture, House, all, asked_from, campaign, capped, from_word, issued};
    use chrono::{DateTime, Duration, Utc};
    use codewell::domain::decision::outcome::{Outcome, Refusal};
    use codewell::engine::Clock;

    /// A campaign whose repeats bring new codes while the caps allow.
    fn again(id: u32) -> Fixture {
        campaign(id).uncapped().document(serde_json::json!({"repeat": {"unused": "next_within_caps"}}))
    }

    pub(super) async fn one_person_is_held_by_every_window_under_200_tasks(house: House) {
        let second = house.second().await;
        let houses = [house.clone(), second];
        let windows = ["lifetime", "day", "week", "month", "rolling"];
        for (id, window) in (1..).zip(windows) {
            again(id).cap("person", "count", window, 3).write(&house).await;
        }
        let begin = house.clock.now();
        // Friday: now; in an hour; on Saturday; next Friday; next month.
        for (hours, room) in [
            (0, [3; 5]),
            (1, [0, 0, 0, 0, 3]),
            (24, [0, 3, 0, 0, 3]),
            (7 * 24, [0, 3, 3, 0, 3]),
            (14 * 24, [0, 3, 3, 3, 3]),
        ] {
            house.clock.set(begin + Duration::hours(hours));
            for (id, room) in (1..).zip(room) {
                let outcomes = all(&houses, (0..200).map(|_| (id, 5))).await;
                assert_eq!(issued(&outcomes).len(), room, "campaign {id}, {hours} h on");
            }
        }
        house.audited().await;
    }

    fn utc(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).expect("a time").to_utc()
    }

    pub(super) async fn a_day_of_the_cap_is_the_local_one_whatever_the_clocks_do(house: House) {
        // The first instant of a day, and of the next.
        let days = [
            ("America/New_York", "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z"),
            ("America/New_York", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"),
            ("Europe/London", "2026-03-29T00:00:00Z", "2026-03-29T23:00:00Z"),
            ("Europe/London", "2026-10-24T23:00:00Z", "2026-10-26T00:00:00Z"),
            ("Asia/Kathmandu", "2026-11-19T18:15:00Z", "2026-11-20T18:15:00Z"),
        ];
        let houses = [house.clone(), house.second().await];
        for (id, (zone, begin, end)) in (1..).zip(days) {
            let (begin, end) = (utc(begin), utc(end));
            let instant = Duration::milliseconds(1);
            house.clock.set(begin - instant);
            campaign(id)
                .document(serde_json::json!({"zone": zone}))
                .cap("campaign", "count", "day", 5)
                .write(&house)
                .await;
            let mut phones = 0_u64;
            for (at, room) in [(begin - instant, 5), (begin, 5), (end - instant, 0), (end, 5)] {
                house.clock.set(at);
                let outcomes = asked_from(&houses, id, phones..phones + 60, &from_word(id)).await;
                assert_eq!(issued(&outcomes).len(), room, "{at} in {zone}");
                let resets = |outcome: &Outcome| {
                    if let Outcome::Refused(Refusal::CapReached(cap), None) = outcome { cap.resets_at } else { None }
                };
                if at >= begin && at < end {
                    let said: Vec<_> = outcomes.iter().filter_map(resets).collect();
                    assert!(said.iter().all(|at| *at == end), "{at} in {zone}: {said:?}");
                }
                phones += 60;
            }
        }
        house.audited().await;
    }

    pub(super) async fn a_cap_lowered_and_raised_in_a_running_window_holds_in_two_processes(house: House) {
        let second = house.second().await;
        let houses = [house.clone(), second.clone()];
        campaign(1).cap("campaign", "count", "day", 100).write(&house).await;
        let recap = async |people: &House, was: i64, cap: i64| {
            let statements = [
                format!("UPDATE cap SET cap = {cap} WHERE cap_id = 101"),
                format!("UPDATE quota SET cap = CASE WHEN used > {cap} THEN used ELSE {cap} END WHERE cap_id = 101"),
                format!(
                    "UPDATE campaign_version SET document = REPLACE(document, '\"day\":{was}', '\"day\":{cap}')
                     WHERE campaign_id = 1 AND version = (SELECT version FROM campaign WHERE campaign_id = 1)"
                ),
            ];
            people.change(1, &statements).await;
        };
        let word = from_word(1);
        assert_eq!(issued(&asked_from(&houses, 1, 0..40, &word).await).len(), 40);
        // Lowered below what was used: nothing more, under load in both processes.
        let ((), crowd) = tokio::join!(recap(&second, 100, 30), asked_from(&houses, 1, 100..300, &word));
        let before = issued(&crowd).len();
        assert!(before <= 60, "{before} before the change was acknowledged");
        let late = asked_from(&houses, 1, 300..500, &word).await;
        assert_eq!(capped(&late), 200, "after it there is none");
        // Raised by what nobody could have had, under load as well.
        recap(&house, 30, 100).await;
        let crowd = asked_from(&houses, 1, 500..900, &word).await;
        assert_eq!(issued(&crowd).len(), 60 - before);
        assert_eq!(house.number("SELECT used FROM quota WHERE cap_id = 101").await, 100);
        house.audited().await;
    }

    pub(super) async fn a_person_across_campaigns_is_held_by_the_window_under_400_tasks(house: House) {
        house.sql("INSERT INTO cap VALUES (9, 0, 'person', '', 'count', 'day', 0, 'Asia/Kathmandu', 3, NULL)").await;
        let houses = [house.clone(), house.second().await];
        again(1).write(&house).await;
        again(2).write(&house).await;
        for _ in 0..2 {
            let outcomes = all(&houses, (0..400).map(|i| (1 + i / 2 % 2, 5))).await;
            assert_eq!(issued(&outcomes).len(), 3);
            house.clock.forward(Duration::days(1));
        }
        house.audited().await;
    }
}
