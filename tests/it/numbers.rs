//! Numbers that change hands: the next holder is a new person.

use crate::harness::on_both;

on_both! {
    the_next_holder_has_a_code_of_her_own_and_never_sees_the_old_one,
    a_feed_is_told_line_by_line_and_changes_nothing_the_second_time,
    what_waits_for_the_old_holder_is_not_sent_and_her_stop_stands,
    a_feed_against_two_hundred_texts_gives_each_holder_one_code,
}

mod bodies {
    use crate::harness::{House, campaign, issued, sender};
    use chrono::Duration;
    use codewell::domain::decision::outcome::{Outcome, Told};
    use codewell::engine::{Clock, NumberFault, NumbersReport};
    use tokio::task::JoinSet;

    async fn open(house: &House) {
        sender(house).await;
        campaign(1).write(house).await;
        campaign(2).write(house).await;
    }

    async fn said(house: &House, phone: u64, words: &str) -> Outcome {
        house.text(phone, words).await.expect("it is settled").outcome
    }

    fn number(phone: u64) -> String {
        format!("+1{}", 2_020_000_000 + phone)
    }

    async fn imported(house: &House, lines: &[String]) -> NumbersReport {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("feed.csv");
        std::fs::write(&file, format!("date,number,event\n{}\n", lines.join("\n"))).expect("it can be written");
        house.engine.import_numbers(&file, &|_| {}).await.expect("it is taken in")
    }

    /// A line of a feed: the number changed hands just now.
    fn line(house: &House, phone: u64, event: &str) -> String {
        format!("{},{},{event}", house.clock.now().to_rfc3339(), number(phone))
    }

    pub(super) async fn the_next_holder_has_a_code_of_her_own_and_never_sees_the_old_one(house: House) {
        open(&house).await;
        let first = said(&house, 1, "wordb").await;
        said(&house, 1, "wordc").await;
        house.clock.forward(Duration::days(3));
        let report = imported(&house, &[line(&house, 1, "reassigned")]).await;
        assert_eq!((report.lines, report.handed_over), (1, 1), "{report}");
        house.clock.forward(Duration::days(1));
        let second = said(&house, 1, "wordb").await;
        assert_eq!(issued(&[first.clone(), second.clone()]).len(), 2, "{second:?}");
        house.clock.forward(Duration::minutes(1));
        assert!(matches!(said(&house, 1, "wordb").await, Outcome::Repeat(spot, _) if Some(spot) == second.spot()));
        assert_eq!(said(&house, 1, "mycodes").await, Outcome::Told(Told::Listed));
        let second = second.spot().expect("a code");
        let listed =
            format!("%\"codes\":[[{},{},{},\"unused\",null]]%", second.campaign.0, second.pool, second.position);
        let shown = format!("SELECT COUNT(*) FROM outbox_message WHERE reply = 'T22' AND params LIKE '{listed}'");
        assert_eq!(house.number(&shown).await, 1, "her own code alone is named");
        let kept = "SELECT COUNT(*) FROM issuance WHERE epoch = 0";
        assert_eq!(house.number(kept).await, 2, "the old codes stay the old holder's");
        house.audited().await;
    }

    pub(super) async fn a_feed_is_told_line_by_line_and_changes_nothing_the_second_time(house: House) {
        open(&house).await;
        for phone in 1..=4 {
            said(&house, phone, "wordb").await;
        }
        house.clock.forward(Duration::days(3));
        said(&house, 5, "wordb").await;
        let lines = [
            line(&house, 1, "disconnected"),
            line(&house, 2, "Reassigned"),
            line(&house, 3, "ported"),
            line(&house, 99, "reassigned"),
            format!("2026-11-21,{},reassigned", number(5)),
            line(&house, 4, "sold"),
            "2026-11-21,12345,reassigned".to_owned(),
            format!("2030-01-01,{},reassigned", number(4)),
            line(&house, 1, "disconnected"),
        ];
        let report = imported(&house, &lines).await;
        let faults = vec![(7, NumberFault::Event), (8, NumberFault::Number), (9, NumberFault::Date)];
        let expected = NumbersReport {
            lines: 9,
            handed_over: 2,
            kept: 1,
            ported: 1,
            already: 1,
            strange: 1,
            refused: 3,
            faults: faults.clone(),
        };
        assert_eq!(report, expected);
        assert_eq!(house.number("SELECT COUNT(*) FROM recipient WHERE epoch = 1").await, 2);
        assert_eq!(house.number("SELECT COUNT(*) FROM recipient").await, 5, "a stranger is not written down");
        let closed = "SELECT COUNT(*) FROM consent_event WHERE kind = 'reassigned' AND brand = ''";
        assert_eq!(house.number(closed).await, 2);
        let again = imported(&house.second().await, &lines).await;
        let expected = NumbersReport { handed_over: 0, kept: 0, already: 4, ..expected };
        assert_eq!(again, expected);
        assert_eq!(house.number("SELECT COUNT(*) FROM recipient WHERE epoch = 1").await, 2);
        house.audited().await;
    }

    pub(super) async fn what_waits_for_the_old_holder_is_not_sent_and_her_stop_stands(house: House) {
        open(&house).await;
        said(&house, 1, "wordb").await;
        said(&house, 1, "wordx").await;
        said(&house, 2, "stop").await;
        house.clock.forward(Duration::days(3));
        imported(&house, &[line(&house, 1, "reassigned"), line(&house, 2, "reassigned")]).await;
        let cut = "SELECT COUNT(*) FROM outbox_message WHERE status = 'suppressed'";
        assert_eq!(house.number(cut).await, 3);
        assert_eq!(house.number("SELECT COUNT(*) FROM outbox_message WHERE status = 'queued'").await, 0);
        assert_eq!(house.number("SELECT COUNT(*) FROM session").await, 0, "nor is how often she said the same");
        assert_eq!(house.number("SELECT COUNT(*) FROM opt_out").await, 1);
        assert_eq!(said(&house, 1, "1").await, Outcome::Told(Told::Unknown), "the old question is not hers");
        house.audited().await;
    }

    pub(super) async fn a_feed_against_two_hundred_texts_gives_each_holder_one_code(house: House) {
        open(&house).await;
        for phone in 0..200 {
            said(&house, phone, "wordb").await;
        }
        house.clock.forward(Duration::days(3));
        let lines: Vec<_> = (0..200).map(|phone| line(&house, phone, "reassigned")).collect();
        house.clock.forward(Duration::seconds(1));
        let second = house.second().await;
        let mut texts = JoinSet::new();
        for phone in 0..200 {
            let second = second.clone();
            texts.spawn(async move { said(&second, phone, "wordb").await });
        }
        let report = imported(&house, &lines).await;
        assert_eq!(report.handed_over, 200, "{report}");
        let outcomes = texts.join_all().await;
        let given = issued(&outcomes).len();
        for phone in 0..200 {
            said(&house, phone, "wordb").await;
        }
        let holders = "SELECT COUNT(*) FROM issuance WHERE epoch = 1";
        assert_eq!(house.number(holders).await, 200, "{given} of them during the import");
        assert_eq!(house.number("SELECT COUNT(*) FROM issuance").await, 400);
        house.audited().await;
    }
}
