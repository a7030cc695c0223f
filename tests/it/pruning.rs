//! Rows that nothing asks for any more go, and no others.

use crate::harness::on_both;

on_both! {
    what_nothing_asks_for_any_more_is_forgotten_and_nothing_else,
    thousands_of_old_rows_go_in_one_sweep,
}

mod bodies {
    use crate::harness::{House, campaign};
    use chrono::{Duration, TimeDelta};
    use codewell::domain::ids::millis;
    use codewell::engine::Clock;

    /// Each table that forgets, the rows of it that a number names, and how long it keeps them.
    fn tables(house: &House) -> [(&'static str, String, TimeDelta); 5] {
        let id = if house.store.locks_rows() { "decode('NN', 'hex')" } else { "unhex('NN')" };
        [
            ("proof", format!("{id}, {id}, 'emma', NULL, TT, TT + 600000, 0, NULL"), TimeDelta::days(1)),
            ("creator_link", format!("{id}, 1, TT - 600000, TT, NULL"), TimeDelta::days(7)),
            ("code_attempt", "1, 1, 1, 'NN', TT".to_owned(), TimeDelta::days(180)),
            ("sandbox_request", format!("'api-x', 'NN', {id}, 'noted', '', NULL, NULL, TT"), TimeDelta::days(7)),
            (
                "sandbox_pull",
                format!("{id}, 1, 1, 5, 0, 0, {id}, TT - 600000, NULL, TT, NULL, NULL"),
                TimeDelta::days(30),
            ),
        ]
    }

    async fn add(house: &House, table: &str, row: &str, name: u32, at: i64) {
        let row = row.replace("NN", &format!("{name:08x}")).replace("TT", &at.to_string());
        house.sql(&format!("INSERT INTO {table} VALUES ({row})")).await;
    }

    pub(super) async fn what_nothing_asks_for_any_more_is_forgotten_and_nothing_else(house: House) {
        campaign(1).write(&house).await;
        house.issue(1, 5).await.unwrap();
        let now = house.clock.now();
        for (table, row, kept) in tables(&house) {
            for (name, at) in [(1, millis(now)), (2, millis(now - kept)), (3, millis(now - kept) - 1)] {
                add(&house, table, &row, name, at).await;
            }
        }
        house.engine.forget().await.unwrap();
        for (table, _, _) in tables(&house) {
            assert_eq!(house.number(&format!("SELECT COUNT(*) FROM {table}")).await, 2, "{table}");
        }
        house.clock.forward(Duration::days(181));
        house.engine.forget().await.unwrap();
        for (table, _, _) in tables(&house) {
            assert_eq!(house.number(&format!("SELECT COUNT(*) FROM {table}")).await, 0, "{table}");
        }
        assert_eq!(house.number("SELECT COUNT(*) FROM issuance").await, 1);
        assert_eq!(house.number("SELECT COUNT(*) FROM request").await, 1);
        house.audited().await;
    }

    pub(super) async fn thousands_of_old_rows_go_in_one_sweep(house: House) {
        let numbers = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 2600)";
        let old = millis(house.clock.now() - TimeDelta::days(200));
        let who = if house.store.locks_rows() { "CAST(n AS TEXT)" } else { "n" };
        house
            .sql(&format!("INSERT INTO code_attempt {numbers} SELECT 1, 1, n % 40, {who}, {old} + n FROM numbers"))
            .await;
        house.engine.forget().await.unwrap();
        assert_eq!(house.number("SELECT COUNT(*) FROM code_attempt").await, 0);
    }
}
