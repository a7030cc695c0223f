//! Every cap there is, under hundreds of tasks: scope by unit by window, alone and together.

use crate::harness::on_both;

on_both! {
    every_cap_of_every_scope_unit_and_window_holds_exactly,
    of_two_caps_the_tighter_one_decides_and_neither_overcounts,
}

mod bodies {
    use crate::harness::{House, asked_from, campaign, capped, elsewhere, from_word, issued, keyword};
    use chrono::Duration;
    use codewell::domain::campaign::Attribution;
    use codewell::engine::Clock;

    const WINDOWS: [&str; 5] = ["lifetime", "minute", "day", "week", "month"];
    /// What one code of the campaigns of tests adds to a cap in money.
    const WEIGHT: i64 = 500;

    pub(super) async fn every_cap_of_every_scope_unit_and_window_holds_exactly(house: House) {
        let houses = [house.clone(), house.second().await];
        let mut id = 0;
        for scope in ["campaign", "channel", "keyword", "placement"] {
            for (unit, most) in [("count", 7), ("money", 7 * WEIGHT + WEIGHT / 2)] {
                for window in WINDOWS {
                    id += 1;
                    let scope_id = match scope {
                        "channel" => "sms".to_owned(),
                        "keyword" => keyword(id),
                        "placement" => id.to_string(),
                        _ => String::new(),
                    };
                    campaign(id).cap_of(scope, &scope_id, unit, window, most).write(&house).await;
                }
            }
        }
        let crowds = async |phones: std::ops::Range<u64>, from: fn(u32) -> Attribution| {
            let mut crowds = Vec::new();
            for id in 1..=id {
                let (houses, phones) = (houses.clone(), phones.clone());
                let crowd = tokio::spawn(async move { asked_from(&houses, id, phones, &from(id)).await });
                crowds.push((id, crowd));
            }
            let mut outcomes = Vec::new();
            for (id, crowd) in crowds {
                outcomes.push((id, crowd.await.expect("no task dies")));
            }
            outcomes
        };
        for (id, outcomes) in crowds(0..200, from_word).await {
            assert_eq!(issued(&outcomes).len(), 7, "campaign {id}");
            assert_eq!(capped(&outcomes), 193, "campaign {id}");
        }
        for (id, others) in crowds(200..210, elsewhere).await {
            let free = if id <= 10 { 0 } else { 10 };
            assert_eq!(issued(&others).len(), free, "campaign {id}, not counted");
        }
        house.audited().await;
        // In the next minute only a cap by the minute has room again, and so on.
        let mut now = house.clock.now();
        for (i, next) in (0..).zip([60, 86_400, 7 * 86_400, 31 * 86_400]) {
            now += Duration::seconds(next);
            house.clock.set(now);
            let first = 1_000 * (i + 1);
            for (id, outcomes) in crowds(first..first + 20, from_word).await {
                let window = u64::from((id - 1) % 5);
                let room = if window != 0 && window <= i + 1 { 7 } else { 0 };
                assert_eq!(issued(&outcomes).len(), room, "campaign {id} at {now}");
            }
        }
        house.audited().await;
    }

    pub(super) async fn of_two_caps_the_tighter_one_decides_and_neither_overcounts(house: House) {
        let houses = [house.clone(), house.second().await];
        campaign(1)
            .cap("campaign", "count", "lifetime", 50)
            .cap_of("keyword", &keyword(1), "count", "day", 30)
            .cap_of("channel", "sms", "money", "week", 40 * WEIGHT)
            .write(&house)
            .await;
        let (word, other) = (from_word(1), elsewhere(1));
        let (by_word, elsewhere) =
            tokio::join!(asked_from(&houses, 1, 0..200, &word), asked_from(&houses, 1, 200..400, &other));
        let (by_word, elsewhere) = (issued(&by_word).len(), issued(&elsewhere).len());
        assert_eq!(by_word + elsewhere, 50);
        assert!(by_word <= 30, "{by_word} by the word");
        let more = asked_from(&houses, 1, 400..600, &word).await;
        assert_eq!(issued(&more).len(), 0);
        assert_eq!(house.number("SELECT used FROM quota WHERE cap_id = 101").await, 50);
        house.audited().await;
    }
}
